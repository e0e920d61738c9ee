"""Experimental adapters of posts and parcel networks: what they ask, and what is peculiar to their bodies (facts: others)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from carriers import registry
from carriers.answers import each, richest
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import TrackingStatus
from tests.carriers import cases
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
BASIC = "Basic " + b64encode(b"a:b").decode()
GRANT = {"access_token": "t", "expires_in": 3600}
ONE, TWO = "AA 1", "BB2"


class Talk(msgspec.Struct, frozen=True):
    """What a source is asked about two numbers: method, path and what stands in head or body of each call; its secrets."""

    name: str
    secrets: dict[str, str]
    calls: list[tuple[str, str, str]]
    options: dict[str, str] = {}
    grant: dict[str, Any] | None = None


USER = {"user": "a", "password": "b"}
CLIENT = {"client_id": "a", "client_secret": "b"}
TALKS = [
    Talk("chronopost", {}, [("GET", f"/trackSkybillV2?language=en_GB&skybillNumber={n}", "") for n in ("AA+1", "BB2")]),
    Talk(
        "bpost",
        {"account_id": "a", "passphrase": "b"},
        [("GET", f"/trackedmail/item/{n}/trackingInfo", BASIC) for n in ("AA%201", "BB2")],
    ),
    Talk("canada_post", USER, [("GET", f"/vis/track/pin/{n}/detail", BASIC) for n in ("AA%201", "BB2")]),
    Talk(
        "australia_post",
        {"api_key": "a", "password": "b", "account_number": "77"},
        [("GET", "/shipping/v1/track?tracking_ids=AA+1,BB2", BASIC)],
    ),
    Talk(
        "asendia",
        USER,
        [
            ("POST", "/api/authenticate", '{"username":"a","password":"b"}'),
            ("GET", "/api/customers/C%2F1/tracking/AA%201", "Bearer t"),
            ("GET", "/api/customers/C%2F1/tracking/BB2", "Bearer t"),
        ],
        options={"customer": "C/1"},
        grant={"id_token": "t"},
    ),
    Talk(
        "landmark",
        {"user": "a<", "password": "b"},
        [("POST", "/Track", f"<TrackingNumber>{n}</TrackingNumber>") for n in (ONE, TWO)],
    ),
    Talk(
        "gls",
        CLIENT,
        [
            ("POST", "/oauth2/v2/token", BASIC),
            ("GET", "/track-and-trace-v1/tracking/simple/trackids/AA%201,BB2", "Bearer t"),
        ],
        grant=GRANT,
    ),
    Talk(
        "hermes",
        CLIENT | USER,
        [
            ("POST", "/token", "grant_type=password&client_id=a&client_secret=b&username=a&password=b"),
            ("GET", "/shipmentinfo?shipmentID=AA+1", "Bearer t"),
            ("GET", "/shipmentinfo?shipmentID=BB2", "Bearer t"),
        ],
        options={"token_url": "/token"},
        grant=GRANT,
    ),
    Talk("seko", {"api_key": "a"}, [("POST", "/labels/statusv2", '["AA 1","BB2"]')]),
    Talk(
        "spring",
        {"api_key": "a"},
        [("POST", "/", f'{{"Apikey":"a","Command":"TrackShipment","Shipment":{{"TrackingNumber":"{n}"}}}}') for n in (ONE, TWO)],
    ),
    Talk(
        "teleship",
        CLIENT,
        [
            ("POST", "/oauth/token", "grant_type=client_credentials&client_id=a&client_secret=b"),
            ("GET", "/api/tracking/AA%201", "Bearer t"),
            ("GET", "/api/tracking/BB2", "Bearer t"),
        ],
        grant=GRANT,
    ),
]

talks = pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.name)


async def hold(talk: Talk, reply: Reply, log: list[tuple[str, str, str]], grant: Reply | None = None) -> Batch:
    """Ask about both numbers; a call that wants a token gets `grant`, every other one `reply`."""

    def answer(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        log.append((method, path, f"{headers.get('authorization', '')}\n{body.decode()}"))
        if talk.grant is not None and len(log) == 1:
            return grant or http(200, json.dumps(talk.grant).encode())
        return reply

    async with serving(answer) as base:
        transport = HttpTransport(account_id="one")
        options = {name: base + value if name == "token_url" else value for name, value in talk.options.items()}
        account = Account(id="one", base_url=f"{base}/", secrets=talk.secrets, options=options)
        queries = [Query(number=ONE), Query(number=TWO)]
        try:
            return await converse(registry.get(talk.name), queries, account, Memory(), NOW, transport)
        finally:
            await transport.close()


def sample(name: str, case: str) -> bytes:
    (body,) = (each.response.body for each in cases.own(name) if each.case == case)
    return body


@talks
async def test_a_source_is_asked_as_its_interface_wants(talk: Talk) -> None:
    """Facts 3: what comes back for another number is nobody's answer, and no "not found"."""
    log: list[tuple[str, str, str]] = []
    batch = await hold(talk, http(200, sample(talk.name, "answer")), log)
    assert [call[:2] for call in log] == [call[:2] for call in talk.calls]
    assert all(wanted in said for (_, _, said), (_, _, wanted) in zip(log, talk.calls, strict=True))
    assert {number: isinstance(answer, CarrierError) and answer.kind for number, answer in batch.answers.items()} == {
        ONE: ErrorKind.BAD_RESPONSE,
        TWO: ErrorKind.BAD_RESPONSE,
    }
    assert batch.memory.account.get("token") == (talk.grant or {}).get("access_token")


@talks
async def test_a_source_that_is_too_busy_stops_the_conversation(talk: Talk) -> None:
    """A fresh token is kept all the same: the error stands beside each number then, and is raised where there is none."""
    log: list[tuple[str, str, str]] = []
    busy = http(429, sample(talk.name, "rate_limited"), Retry_After="7")
    token = (talk.grant or {}).get("access_token")
    if token is None:
        with pytest.raises(CarrierError) as failed:
            await hold(talk, busy, log)
        assert (failed.value.kind, len(log)) == (ErrorKind.RATE_LIMITED, 2 if talk.grant else 1)
        return
    batch = await hold(talk, busy, log)
    kinds = {answer.kind for answer in batch.answers.values() if isinstance(answer, CarrierError)}
    assert (kinds, len(batch.answers), len(log)) == ({ErrorKind.RATE_LIMITED}, 2, 2)
    assert batch.memory.account["token"] == token


@pytest.mark.parametrize("talk", [talk for talk in TALKS if talk.grant], ids=lambda talk: talk.name)
async def test_a_login_that_is_refused_is_a_matter_of_the_account(talk: Talk) -> None:
    log: list[tuple[str, str, str]] = []
    with pytest.raises(CarrierError) as failed:
        await hold(talk, b"", log, http(401, b"{}"))
    assert (failed.value.kind, len(log)) == (ErrorKind.AUTH, 1)


def test_asendia_wants_to_know_the_customer() -> None:
    account = Account(id="one", base_url="https://source.invalid", secrets=USER)
    with pytest.raises(CarrierError, match="account one has no option customer") as failed:
        next(registry.get("asendia").ask([Query(number=ONE)], account, Memory(), NOW))
    assert failed.value.kind is ErrorKind.INVALID_REQUEST


def slices(name: str, body: bytes | object, *asked: str, status: int = 200) -> dict[str, bytes | CarrierError]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return registry.get(name).split(Response(status=status, body=raw), asked)


@pytest.mark.parametrize("name", [talk.name for talk in TALKS])
def test_people_are_not_kept(name: str) -> None:
    """Facts, rules across carriers 14: signatories, consignees and receivers never pass into a slice."""
    for each_sample in cases.own(name):
        if each_sample.response.status == 200 and "error" not in each_sample.expected:
            for cut in registry.get(name).split(each_sample.response, ()).values():
                assert isinstance(cut, bytes)
                assert b"MUSTER" not in cut.upper()


@pytest.mark.parametrize("name", ["bpost", "canada_post", "chronopost", "hermes", "spring", "teleship"])
def test_the_samples_name_people_so_that_it_means_something(name: str) -> None:
    assert any(b"MUSTER" in each_sample.response.body for each_sample in cases.own(name))


@pytest.mark.parametrize("name", ["canada_post", "asendia", "teleship"])
def test_a_refusal_without_a_number_is_that_of_the_only_one_asked(name: str) -> None:
    """Facts 2: not found is an answer; of several nobody knows which one is meant."""
    body = sample(name, "not_found")
    cut = slices(name, body, ONE, status=404)[ONE]
    assert isinstance(cut, bytes)
    told = registry.get(name).read(cut)
    assert (told.number, told.status) == (ONE, TrackingStatus.NOT_FOUND)
    assert all(isinstance(each_cut, CarrierError) for each_cut in slices(name, body, ONE, TWO, status=404).values())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("canada_post", b"<messages><message><code>E002</code></message></messages>"),
        ("canada_post", b"<html>gone</html>"),
        ("asendia", b'{"message":"error.customer.not_found"}'),
        ("asendia", b"<html>gone</html>"),
        ("teleship", b'{"messages":[{"code":410}]}'),
        ("teleship", b"<html>gone</html>"),
    ],
)
def test_another_404_is_a_path_that_is_gone(name: str, body: bytes) -> None:
    """Promise 2: only what a source answered makes a parcel "not found"."""
    with pytest.raises(CarrierError) as failed:
        slices(name, body, ONE, status=404)
    assert (failed.value.kind, failed.value.code) == (ErrorKind.UNAVAILABLE, "404")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("canada_post", b"<messages><message><code>E002</code></message></messages>", "E002"),
        ("landmark", b"<TrackResponse><Errors><Error/></Errors></TrackResponse>", None),
        ("chronopost", b"<a><return><errorCode>9</errorCode></return></a>", "9"),
        ("spring", b'{"ErrorLevel":0}', "0"),
        ("teleship", b'{"messages":[{"message":"Hm"}]}', "None"),
    ],
)
def test_an_error_that_nobody_knows_says_nothing_about_the_parcel(name: str, body: bytes, code: str | None) -> None:
    with pytest.raises(CarrierError) as failed:
        slices(name, body, ONE)
    assert (failed.value.kind, failed.value.code) == (ErrorKind.BAD_RESPONSE, code)


@pytest.mark.parametrize(
    ("name", "body", "kinds"),
    [
        (
            "australia_post",
            {"tracking_results": [{"tracking_id": "A", "errors": [{"code": "ESB-9"}]}, {"tracking_id": "B", "status": 7}]},
            {"A": "ESB-9", "B": None},
        ),
        (
            "gls",
            {"parcels": [{"requested": "A", "errorCode": "E_500_01"}, {"unitno": "B", "events": 7}, {"requested": 7}, {}]},
            {"A": "E_500_01", "B": None},
        ),
        (
            "hermes",
            {"shipmentinfo": [{"shipmentID": "A", "result": {"code": "e009"}}, {"shipmentID": "B", "status": 7}, 7]},
            {"A": "e009", "B": None},
        ),
        ("seko", [{"ConsignmentNo": "B", "Events": 7}, {"ConsignmentNo": ""}], {"": None}),
    ],
)
def test_one_result_that_fails_or_drifted_does_not_take_the_others_with_it(
    name: str, body: object, kinds: dict[str, str | None]
) -> None:
    found = slices(name, body)
    assert {number: cut.code for number, cut in found.items() if isinstance(cut, CarrierError)} == kinds
    assert all(isinstance(cut, CarrierError) and cut.kind is ErrorKind.BAD_RESPONSE for cut in found.values())


def test_a_package_is_found_by_either_of_its_numbers_and_links_to_the_last_mile() -> None:
    """Facts, rules across carriers 11."""
    body = sample("landmark", "answer")
    found = slices("landmark", body, "ltn00000011n1", "1Z000AA00000000011")
    assert all(isinstance(cut, bytes) for cut in found.values())
    own = registry.get("landmark").read(found["ltn00000011n1"])  # type: ignore[arg-type]
    assert (own.number, own.linked_number) == ("LTN00000011N1", "1Z000AA00000000011")
    alone = slices("landmark", body.replace(b"TrackingNumber>1Z000AA00000000011</TrackingNumber", b"x></x"))
    assert list(alone) == ["LTN00000011N1"]


@pytest.mark.parametrize("wall", [b"2026-03-04 09:15", b"soon", b"", b"13/45/2026 09:15 AM"])
def test_a_time_in_another_spelling_is_no_time(wall: bytes) -> None:
    cut = slices("landmark", sample("landmark", "label_only").replace(b"03/02/2026 12:00 PM", wall))["1Z000AA00000000011"]
    assert isinstance(cut, bytes)
    told = registry.get("landmark").read(cut)
    assert [event.local_time for event in told.events] == ["2026-03-02T08:12:00", None]
    assert told.last_event is not None
    assert told.last_event.raw_code == "50"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("chronopost", b"<a><return><errorCode>0</errorCode></return></a>"),
        ("bpost", b"<a><itemTracking/></a>"),
        ("landmark", b"<TrackResponse><Package/></TrackResponse>"),
        ("asendia", b'{"trackingEvents":[]}'),
    ],
)
def test_an_answer_that_names_no_number_is_nobodys(name: str, body: bytes) -> None:
    (cut,) = slices(name, body, ONE).values()
    assert isinstance(cut, CarrierError)
    assert cut.kind is ErrorKind.BAD_RESPONSE


def test_a_result_beside_scans_is_no_not_found() -> None:
    """Promise 2: only e001 says that a number is unknown."""
    scan = {"code": "2000", "timestamp": "soon"}
    found = slices("hermes", {"shipmentinfo": [{"shipmentID": "A", "status": [scan], "result": {"code": "w002"}}]})
    told = registry.get("hermes").read(found["A"])  # type: ignore[arg-type]
    assert (told.status, told.raw_status, len(told.events)) == (TrackingStatus.UNKNOWN, "w002", 1)


class Item(msgspec.Struct):
    no: str = ""
    alias: str = ""
    weight: int = 0


def test_items_of_a_list_are_told_apart_by_the_first_number_that_they_name() -> None:
    raws = [b'{"no":"A"}', b'{"alias":"B"}', b'{"no":"C","weight":"x"}', b'{"weight":"x"}', b"7", b"{}"]
    found = list(each(map(msgspec.Raw, raws), msgspec.json.Decoder(Item), "no", "alias"))
    assert [(number, isinstance(item, CarrierError)) for number, item in found] == [("A", False), ("B", False), ("C", True)]


def test_of_several_results_for_one_number_the_one_stands_that_tells_more() -> None:
    """Facts, rules across carriers 4: an error says least."""
    error = CarrierError(ErrorKind.BAD_RESPONSE, "drifted")
    assert richest([("A", error), ("A", b"1"), ("A", b"123"), ("A", b"12"), ("A", error), ("B", error)]) == {
        "A": b"123",
        "B": error,
    }
