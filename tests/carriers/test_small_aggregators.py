"""Ship24, Track123 and ParcelsApp: conversations, and what is peculiar to them (facts: Ship24, Track123, ParcelsApp)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carriers import registry
from carriers.base import Account, Adapter, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from tests.carriers import cases

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ONE, TWO = "RB731000115CN", "LX731000129CN"
RUNNING = {"uuid": "u", "asked_at": (NOW - timedelta(hours=11)).isoformat()}
Replies = list[Response | CarrierError]


def sample(carrier: str, case: str, **swaps: str) -> Response:
    """The body of a sample, with other numbers in it."""
    (found,) = (each for each in cases.own(carrier) if each.case == case)
    body = found.response.body
    for old, new in swaps.items():
        body = body.replace(old.encode(), new.encode())
    return Response(status=found.response.status, body=body)


def account(name: str, **options: Any) -> Account:
    told = registry.describe(name)
    return Account(id="a", base_url="https://source.invalid/", secrets=dict.fromkeys(told.secrets, "s3cret"), options=options)


def hold(name: str, replies: Replies, *queries: Query, memory: Mapping[str, Any] | None = None) -> tuple[list[Request], Batch]:
    """One conversation against `replies`, in order; an error among them is thrown in, as polling does."""
    adapter: Adapter = registry.get(name)
    talk = adapter.ask(queries or [Query(number=ONE), Query(number=TWO)], account(name), Memory(numbers=memory or {}), NOW)
    sent, left = [next(talk)], iter(replies)
    try:
        while True:
            reply = next(left)
            sent.append(talk.throw(reply) if isinstance(reply, CarrierError) else talk.send(reply))
    except StopIteration as end:
        assert next(left, None) is None, "a reply that nobody asked for"
        batch: Batch = end.value
        return sent, batch


def kinds(batch: Batch) -> dict[str, str]:
    return {number: cut.kind.value if isinstance(cut, CarrierError) else "read" for number, cut in batch.answers.items()}


def down() -> CarrierError:
    return CarrierError(ErrorKind.UNAVAILABLE, "no answer")


def test_ship24_makes_a_tracker_and_answers_in_one_call_and_remembers_when() -> None:
    hints = Query(number=ONE, carrier_code="cn-post", country="BR", postcode="80000-000", ship_date="2026-04-01")
    answer = sample("ship24", "answer")
    sent, batch = hold("ship24", [answer, answer], hints, Query(number=TWO), memory={TWO: {"registered_at": "2026-04-01"}})
    assert [request.url for request in sent] == ["https://source.invalid/trackers/track"] * 2
    assert json.loads(sent[0].body) == {
        "trackingNumber": ONE,
        "courierCode": ["cn-post"],
        "destinationCountryCode": "BR",
        "destinationPostCode": "80000-000",
        "shippingDate": "2026-04-01",
    }
    assert json.loads(sent[1].body) == {"trackingNumber": TWO}, "a hint of one number never leaks into another"
    assert sent[0].headers["authorization"] == "Bearer s3cret"
    assert kinds(batch) == {ONE: "read", TWO: "bad_response"}
    assert batch.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}


def test_ship24_keeps_what_was_learnt_before_a_failure() -> None:
    _, batch = hold("ship24", [sample("ship24", "answer"), sample("ship24", "rate_limited")])
    assert kinds(batch) == {ONE: "read", TWO: "rate_limited"}
    with pytest.raises(CarrierError, match="auth_invalid"):
        hold("ship24", [sample("ship24", "wrong_key")])


def test_track123_imports_what_is_new_and_looks_at_all() -> None:
    known = {TWO: {"registered_at": "2026-04-01T00:00:00+00:00"}}
    queries = [Query(number=ONE, carrier_code="china-post"), Query(number=TWO)]
    sent, batch = hold(
        "track123", [sample("track123", "imported"), sample("track123", "several_numbers")], *queries, memory=known
    )
    assert [request.url for request in sent] == ["https://source.invalid/track/import", "https://source.invalid/track/query"]
    assert json.loads(sent[0].body) == [{"trackNo": ONE, "courierCode": "china-post"}]
    assert json.loads(sent[1].body) == {"trackNoInfos": [{"trackNo": ONE, "courierCode": "china-post"}, {"trackNo": TWO}]}
    assert sent[0].headers["track123-api-secret"] == "s3cret"
    assert kinds(batch) == {ONE: "read", TWO: "read"}
    assert batch.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}
    sent, batch = hold("track123", [sample("track123", "answer")], Query(number=ONE), memory={ONE: {"registered_at": "x"}})
    assert (len(sent), batch.memory) == (1, Memory())


def test_track123_a_refused_import_matters_only_where_the_look_finds_nothing() -> None:
    both = json.dumps([{"trackNo": n, "error": {"code": "A0400", "msg": "no"}} for n in (ONE, TWO)])
    refused = Response(status=200, body=b'{"code":"00000","data":{"accepted":[],"rejected":%b}}' % both.encode())
    _, batch = hold("track123", [refused, sample("track123", "answer")])
    assert kinds(batch) == {ONE: "read", TWO: "invalid_request"}
    assert batch.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}, "followed already, or it would not be found"


def test_track123_what_was_imported_is_not_forgotten_when_the_look_fails() -> None:
    _, batch = hold("track123", [sample("track123", "imported"), down()])
    assert kinds(batch) == {ONE: "unavailable", TWO: "unavailable"}
    assert set(batch.memory.numbers) == {ONE, TWO}
    with pytest.raises(CarrierError, match="flow limit"):
        hold("track123", [sample("track123", "rate_limited")], Query(number=ONE), memory={ONE: {"registered_at": "x"}})


def test_track123_an_import_that_is_refused_as_a_whole_does_not_hide_what_is_followed() -> None:
    refused = Response(status=200, body=b'{"code":"A0400","msg":"parameter"}')
    known = {TWO: {"registered_at": "2026-04-01T00:00:00+00:00"}}
    found = sample("track123", "answer", **{ONE: TWO})
    _, batch = hold("track123", [refused, found], memory=known)
    assert (kinds(batch), batch.memory) == ({ONE: "invalid_request", TWO: "read"}, Memory())
    for error, memory in ((refused, {}), (sample("track123", "rate_limited"), known)):
        with pytest.raises(CarrierError):
            hold("track123", [error], memory=memory)


@pytest.mark.parametrize("body", [b'{"code":"00000"}', b'{"code":"00000","data":{}}', b'{"data":{"trackNo":"A"}}'])
def test_track123_an_answer_that_tells_nothing_is_an_error(body: bytes) -> None:
    with pytest.raises(CarrierError, match="neither an answer nor an error"):
        registry.get("track123").split(Response(status=200, body=body), ())


def test_track123_a_failed_request_is_none_of_its_answers() -> None:
    with pytest.raises(CarrierError) as failed:
        registry.get("track123").split(Response(status=502, body=b'{"code":"00000","data":{}}'), ())
    assert failed.value.kind is ErrorKind.UNAVAILABLE


def test_track123_a_push_is_refused_for_its_signature_does_not_cover_it() -> None:
    """Facts, faults 28: HmacSHA256(key, timestamp) says nothing about the body."""
    body = sample("track123", "webhook").body
    with pytest.raises(CarrierError, match="sends no pushes"):
        registry.get("track123").read_push({}, body, "secret", NOW)
    assert not registry.describe("track123").push


def test_parcels_app_asks_today_and_fetches_later() -> None:
    queries = [Query(number=ONE, country="BR"), Query(number=TWO)]
    sent, batch = hold("parcels_app", [sample("parcels_app", "started")], *queries)
    assert (sent[0].method, sent[0].url) == ("POST", "https://source.invalid/shipments/tracking")
    assert json.loads(sent[0].body) == {
        "apiKey": "s3cret",
        "language": "en",
        "shipments": [{"trackingId": ONE, "destinationCountry": "BR"}, {"trackingId": TWO}],
    }
    assert kinds(batch) == {ONE: "not_ready", TWO: "not_ready"}
    assert batch.memory.numbers == {n: {"uuid": "u-0003", "asked_at": NOW.isoformat()} for n in (ONE, TWO)}
    sent, later = hold("parcels_app", [sample("parcels_app", "still_running")], *queries, memory=batch.memory.numbers)
    assert [(request.method, request.url) for request in sent] == [
        ("GET", "https://source.invalid/shipments/tracking?uuid=u-0003&apiKey=s3cret")
    ]
    assert (kinds(later), later.memory) == ({ONE: "not_ready", TWO: "not_ready"}, Memory())
    _, done = hold("parcels_app", [sample("parcels_app", "several_numbers")], *queries, memory=batch.memory.numbers)
    assert kinds(done) == {ONE: "read", TWO: "read"}
    assert done.memory.numbers == {ONE: {}, TWO: {}}, "the next conversation asks anew"


def test_parcels_app_a_running_answer_may_leave_its_uuid_out() -> None:
    """Facts 24: not ready until `done`; to ask anew would pay for the same answer again."""
    running = Response(status=200, body=b'{"done":false,"shipments":[]}')
    _, batch = hold("parcels_app", [running], Query(number=ONE), memory={ONE: RUNNING})
    assert (kinds(batch), batch.memory) == ({ONE: "not_ready"}, Memory())


def test_parcels_app_an_answer_older_than_half_a_day_is_not_waited_for() -> None:
    """D20: what is fetched counts as fresh, so an old one is asked for anew; and what never comes is not awaited for ever."""
    old = {"uuid": "u", "asked_at": (NOW - timedelta(hours=12)).isoformat()}
    sent, batch = hold("parcels_app", [sample("parcels_app", "started")], Query(number=ONE), memory={ONE: old})
    assert [request.method for request in sent] == ["POST"]
    assert batch.memory.numbers == {ONE: {"uuid": "u-0003", "asked_at": NOW.isoformat()}}


@pytest.mark.parametrize(
    ("reply", "kind", "memory"),
    [
        (Response(status=404, body=b""), "request_expired", {ONE: {}}),
        (Response(status=200, body=b'{"error":"NOT_FOUND"}'), "request_expired", {ONE: {}}),
        (Response(status=503, body=b""), "unavailable", None),
        (Response(status=429, body=b""), "rate_limited", None),
    ],
)
def test_parcels_app_a_uuid_that_is_gone_is_forgotten(reply: Response, kind: str, memory: dict[str, Any] | None) -> None:
    """Facts, section 2: `request_expired` starts a new request; a source that is down keeps the old one."""
    if memory is None:
        with pytest.raises(CarrierError) as failed:
            hold("parcels_app", [reply], Query(number=ONE), memory={ONE: RUNNING})
        assert failed.value.kind.value == kind
        return
    _, batch = hold("parcels_app", [reply], Query(number=ONE), memory={ONE: RUNNING})
    assert (kinds(batch), batch.memory.numbers) == ({ONE: kind}, memory)


def test_parcels_app_what_was_fetched_survives_a_failure_after_it() -> None:
    _, batch = hold("parcels_app", [sample("parcels_app", "answer"), down()], memory={ONE: RUNNING})
    assert kinds(batch) == {ONE: "read", TWO: "unavailable"}
    assert batch.memory.numbers == {ONE: {}}


def test_parcels_app_the_key_stays_out_of_error_texts() -> None:
    """Facts, rules across carriers 14: the source wants the key in body and query."""
    with pytest.raises(CarrierError) as failed:
        hold("parcels_app", [sample("parcels_app", "wrong_key")])
    assert failed.value.kind is ErrorKind.AUTH
    assert "s3cret" not in repr(failed.value)
