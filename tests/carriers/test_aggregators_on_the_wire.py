"""Conversations of aggregators over real HTTP: what goes out on the wire, and what a broken answer in the middle costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from carriers import registry
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError
from carriers.http import HttpTransport
from tests.carriers import test_aftership, test_trackingmore
from tests.carriers.loopback import Reply, converse, http, serving
from tests.carriers.test_small_aggregators import kinds, sample

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
CN, OTHER = "RB731000115CN", "LX731000129CN"
US, UPS, NL = "9400100000000000000001", "1Z999AA10123456784", "3SABCD0000001"
ONE, TWO = test_trackingmore.ONE, test_trackingmore.TWO

Seen = list[tuple[str, str, str]]
"""Method, path with query, the header that carries the key."""


async def hold(
    name: str, replies: list[Reply], *queries: Query, header: str, memory: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Batch, Seen]:
    """One conversation against `replies` in order, all of which must be asked for."""
    seen: Seen = []
    left = iter(replies)

    def source(method: str, path: str, headers: Mapping[str, str], _: bytes) -> Reply:
        seen.append((method, path, headers.get(header, "")))
        return next(left)

    async with serving(source) as base:
        secrets = dict.fromkeys(registry.describe(name).secrets, "s3cret")
        account = Account(id="a", base_url=base + "/", secrets=secrets)
        transport = HttpTransport(account_id="a", total_deadline_s=5)
        try:
            batch = await converse(registry.get(name), [*queries], account, Memory(numbers=memory or {}), NOW, transport)
        finally:
            await transport.close()
    assert next(left, None) is None, "a reply that nobody asked for"
    return batch, seen


def told(carrier: str, case: str, **swaps: str) -> bytes:
    """A sample as it comes over the wire."""
    answer = sample(carrier, case, **swaps)
    return http(answer.status, answer.body)


Answer = Callable[[Request], Response]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("trackingmore", test_trackingmore.StandIn(test_trackingmore.item(TWO)).answer),
        ("aftership", test_aftership.StandIn(test_aftership.item(TWO)).answer),
    ],
)
async def test_an_aggregator_creates_what_is_new_and_looks_at_all(name: str, answer: Answer) -> None:
    """The same accounts as in the adapters' own tests, behind a real port."""

    def source(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        made = answer(Request(method=method, url=f"https://source.invalid{path}", headers=headers, body=body))
        return http(made.status, made.body)

    async with serving(source) as base:
        path = {"trackingmore": "/v4/", "aftership": "/tracking/2026-07/"}[name]
        account = Account(id="a", base_url=base + path, secrets={"api_key": "key-1"})
        transport = HttpTransport(account_id="a")
        numbers = [Query(number=ONE), Query(number=TWO)]
        batch = await converse(registry.get(name), numbers, account, Memory(), NOW, transport)
        await transport.close()
    assert kinds(batch) == {ONE: "read", TWO: "read"}
    assert batch.memory.numbers == {n: {"registered_at": NOW.isoformat()} for n in (ONE, TWO)}


async def test_ship24_over_the_wire() -> None:
    replies: list[Reply] = [told("ship24", "answer"), [http(201, b'{"data":{}}')[:-4]]]
    batch, seen = await hold("ship24", replies, Query(number=CN), Query(number=OTHER), header="authorization")
    assert seen == [("POST", "/trackers/track", "Bearer s3cret")] * 2
    assert kinds(batch) == {CN: "read", OTHER: "unavailable"}
    assert set(batch.memory.numbers) == {CN}


async def test_track123_over_the_wire() -> None:
    replies: list[Reply] = [told("track123", "imported"), http(200, b"<html>busy</html>")]
    batch, seen = await hold("track123", replies, Query(number=CN), Query(number=OTHER), header="track123-api-secret")
    assert seen == [("POST", "/track/import", "s3cret"), ("POST", "/track/query", "s3cret")]
    assert kinds(batch) == {CN: "bad_response", OTHER: "bad_response"}
    assert set(batch.memory.numbers) == {CN, OTHER}, "they are imported, whatever the look says"


async def test_parcels_app_over_the_wire() -> None:
    started, seen = await hold("parcels_app", [told("parcels_app", "started")], Query(number=CN), header="x")
    assert seen == [("POST", "/shipments/tracking", "")]
    later: Reply = told("parcels_app", "several_numbers")
    batch, seen = await hold("parcels_app", [later], Query(number=CN), header="x", memory=started.memory.numbers)
    assert seen == [("GET", "/shipments/tracking?uuid=u-0003&apiKey=s3cret", "")]
    assert (kinds(batch), batch.memory.numbers) == ({CN: "read"}, {CN: {}})


async def test_parcels_app_a_source_that_is_down_tells_nobody_its_key() -> None:
    """Rules across carriers 14: the key stands in the URL, and no error names that."""
    memory = {CN: {"uuid": "u", "asked_at": NOW.isoformat()}}
    broken_replies: list[Reply] = [[b""], http(302, Location="/login?apiKey=s3cret"), http(503)]
    for broken in broken_replies:
        with pytest.raises(CarrierError) as failed:
            await hold("parcels_app", [broken], Query(number=CN), header="x", memory=memory)
        assert "s3cret" not in f"{failed.value!r} {failed.value.__cause__!r}"


async def test_easypost_over_the_wire() -> None:
    replies: list[Reply] = [told("easypost", "answer"), http(404, b"<html>no route</html>")]
    known = {"2": {"registered_at": NOW.isoformat(), "id": "trk/2"}}
    batch, seen = await hold("easypost", replies, Query(number=US), Query(number="2"), header="authorization", memory=known)
    basic = "Basic czNjcmV0Og=="
    assert seen == [("POST", "/trackers", basic), ("GET", "/trackers/trk%2F2", basic)]
    assert kinds(batch) == {US: "read", "2": "unavailable"}
    assert batch.memory.numbers == {US: {"registered_at": NOW.isoformat(), "id": "trk_0001"}}


@pytest.mark.parametrize(
    ("name", "number", "path", "header", "key"),
    [
        ("shippo", US, f"/tracks/usps/{US}", "authorization", "ShippoToken s3cret"),
        ("shipengine", UPS, f"/tracking?carrier_code=usps&tracking_number={UPS}", "api-key", "s3cret"),
        ("postnl", NL, f"/status/barcode/{NL}?detail=true&language=EN", "apikey", "s3cret"),
    ],
)
async def test_one_call_a_number_over_the_wire(name: str, number: str, path: str, header: str, key: str) -> None:
    """A 404 without the source's own words is never "not found", and a refusal in the middle takes no answer away."""
    replies: list[Reply] = [told(name, "answer"), http(404, b"<html>no route</html>"), http(429, Retry_After="7")]
    queries = [Query(number=each, carrier_code="usps") for each in (number, "2", "3", "4")]
    batch, seen = await hold(name, replies, *queries, header=header)
    assert seen[0] == ("GET", path, key)
    assert kinds(batch) == {number: "read", "2": "unavailable", "3": "rate_limited", "4": "rate_limited"}
    waits = batch.answers["4"]
    assert isinstance(waits, CarrierError)
    assert waits.retry_after == 7.0


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("ship24", "status"),
        ("track123", "eventDetail"),
        ("parcels_app", "state"),
        ("easypost", "message"),
        ("shippo", "status_details"),
        ("shipengine", "description"),
    ],
)
def test_whoever_signed_is_in_no_slice(name: str, field: str) -> None:
    """Rules across carriers 14: couriers write a name behind "signed for by", and aggregators pass it on."""
    body, texts = re.subn(
        rb'("%b":\s*)"[^"]*"' % field.encode(), rb'\1"Delivered, signed for by JANE DOE"', sample(name, "answer").body
    )
    assert texts
    for cut in registry.get(name).split(Response(status=200, body=body), ()).values():
        assert isinstance(cut, bytes)
        assert b"JANE" not in cut
        assert b'"Delivered"' in cut
