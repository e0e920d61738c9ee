"""FedEx: thirty numbers a call, joined by the outer number, errors beside data (facts: FedEx)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from carriers.base import Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.fedex import Fedex
from carriers.model import Tracking, TrackingReason, TrackingStatus
from tests.carriers import cases
from tests.carriers.logins import Login, ask, epoch
from tests.carriers.loopback import Reply, http

ADAPTER = Fedex()
ONE, TWO = "700000000001", "700000000002"
ABSENT: dict[str, Any] = {"error": {"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": "words"}}


def scan(kind: str | None, day: int = 1, derived: str | None = None, **more: Any) -> dict[str, Any]:
    return {"eventType": kind, "derivedStatusCode": derived, "date": f"2026-04-{day:02d}T10:00:00-05:00", **more}


def result(*scans: dict[str, Any], latest: str | None = None, **more: Any) -> dict[str, Any]:
    return {"latestStatusDetail": {"code": latest}, "scanEvents": list(scans), **more}


def body(**items: list[Any]) -> bytes:
    told = [{"trackingNumber": number.removeprefix("n"), "trackResults": results} for number, results in items.items()]
    return json.dumps({"output": {"completeTrackResults": told}}).encode()


def split(*results: Any) -> bytes | CarrierError:
    return ADAPTER.split(Response(status=200, body=body(**{ONE: list(results)})), [ONE])[ONE]


def read(*results: Any) -> Tracking:
    cut = split(*results)
    assert isinstance(cut, bytes), cut
    return ADAPTER.read(cut)


async def test_all_numbers_are_asked_in_one_call_and_one_unknown_hides_no_other() -> None:
    def source(_: str, __: str, ___: Mapping[str, str], ____: bytes) -> Reply:
        return http(200, body(**{TWO: [ABSENT], ONE: [result(scan("AR"))]}))

    login = Login("/oauth/token", source)
    batch = await ask(ADAPTER, login, [Query(number=ONE), Query(number=TWO), Query(number=ONE)])
    form = {name: values[0] for name, values in parse_qs(login.logins[0][1].decode()).items()}
    assert form == {"grant_type": "client_credentials", "client_id": "the client_id", "client_secret": "the client_secret"}
    ((method, path, headers, sent),) = login.calls
    assert (method, path, headers["x-locale"]) == ("POST", "/track/v1/trackingnumbers", "en_US")
    assert json.loads(sent) == {
        "includeDetailedScans": True,
        "trackingInfo": [{"trackingNumberInfo": {"trackingNumber": number}} for number in (ONE, TWO)],
    }
    told = {number: ADAPTER.read(cut).status.value for number, cut in batch.answers.items() if isinstance(cut, bytes)}
    assert told == {ONE: "in_transit", TWO: "not_found"}
    assert batch.memory.account["token"] == "token-1"


async def test_a_refused_request_fails_for_all_by_its_status_with_the_sources_code() -> None:
    def source(_: str, __: str, ___: Mapping[str, str], ____: bytes) -> Reply:
        return http(429, b'{"errors":[{"code":"RATE.LIMIT.EXCEEDED","message":"words"}]}', Retry_After="60")

    batch = await ask(ADAPTER, Login("/oauth/token", source), [Query(number=ONE), Query(number=TWO)])
    error = batch.answers[ONE]
    assert isinstance(error, CarrierError)
    assert batch.answers[TWO] is error
    assert (error.kind, error.code, error.retry_after) == (ErrorKind.RATE_LIMITED, "RATE.LIMIT.EXCEEDED", 60)


def test_an_item_that_drifted_takes_no_other_with_it() -> None:
    answer = json.loads(body(**{ONE: [result(scan("AR"))]}))
    items = answer["output"]["completeTrackResults"]
    items += [{"trackingNumber": TWO, "trackResults": 7}, {"trackResults": 7}]
    told = ADAPTER.split(Response(status=200, body=json.dumps(answer).encode()), ())
    assert {number: isinstance(cut, bytes) for number, cut in told.items()} == {ONE: True, TWO: False}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TRACKING.TRACKINGNUMBER.INVALID", ErrorKind.INVALID_NUMBER),
        ("SYSTEM.UNEXPECTED.ERROR", ErrorKind.UNAVAILABLE),
        ("SOMETHING.NEW", ErrorKind.BAD_RESPONSE),
    ],
)
def test_an_error_alone_is_one_and_only_its_own_code_means_not_found(code: str, kind: ErrorKind) -> None:
    """Facts, section 2: a broken backend inside HTTP 200 never makes a parcel untrackable."""
    cut = split({"error": {"code": code, "message": "words"}})
    assert isinstance(cut, CarrierError)
    assert (cut.kind, cut.code) == (kind, code)
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=200, body=json.dumps({"errors": [{"code": code}]}).encode()), [ONE])
    assert refused.value.kind is kind


def test_an_error_beside_real_data_is_none() -> None:
    told = read(result(scan("AR"), **ABSENT))
    assert told.status is TrackingStatus.IN_TRANSIT
    assert read(result(latest="OC", **ABSENT)).status is TrackingStatus.INFO_RECEIVED


def test_no_result_at_all_is_no_answer() -> None:
    cut = split()
    assert isinstance(cut, CarrierError)
    assert cut.kind is ErrorKind.BAD_RESPONSE
    assert read({}).status is TrackingStatus.UNKNOWN


def dated(day: str) -> dict[str, Any]:
    return {"dateAndTimes": [{"type": "ESTIMATED_DELIVERY", "dateTime": "2027-01-01"}, {"type": "SHIP", "dateTime": day}]}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (result(scan("DL"), **dated("2024-03-01")), result(scan("AR"), **dated("2026-03-01"))),
        (result(scan("DL"), shipDatetime="2024-03-01"), result(scan("AR"), shipDatetime="2026-03-01")),
        (result(scan("DL", date="2024-04-01T10:00:00-05:00")), result(scan("AR"))),
        (ABSENT, result(scan("AR"))),
    ],
)
def test_of_several_results_the_one_shipped_last_counts(old: dict[str, Any], new: dict[str, Any], *, turned: bool) -> None:
    """Rules across carriers 4: numbers are used again; what only says "not found" counts last."""
    assert read(*((new, old) if turned else (old, new))).status is TrackingStatus.IN_TRANSIT


@pytest.mark.parametrize(
    ("kind", "derived", "status", "reason", "unmapped"),
    [
        ("RS", None, TrackingStatus.EXCEPTION, TrackingReason.RETURNING, ()),
        ("HL", None, TrackingStatus.AVAILABLE_FOR_PICKUP, None, ()),
        ("CD", None, TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD, ()),
        ("CC", None, TrackingStatus.IN_TRANSIT, None, ()),
        ("DE", None, TrackingStatus.FAILED_ATTEMPT, None, ()),
        ("Q1", "IT", TrackingStatus.IN_TRANSIT, None, ("Q1",)),
        ("Q1", "DL", TrackingStatus.UNKNOWN, None, ("Q1",)),
        ("Q1", None, TrackingStatus.UNKNOWN, None, ("Q1",)),
        (None, "OD", TrackingStatus.OUT_FOR_DELIVERY, None, ()),
        (None, None, TrackingStatus.UNKNOWN, None, ()),
    ],
)
def test_a_scan_is_told_by_its_code_and_a_guess_is_never_a_delivery(
    kind: str | None, derived: str | None, status: TrackingStatus, reason: TrackingReason | None, unmapped: tuple[str, ...]
) -> None:
    told = read(result(scan(kind, derived=derived)))
    assert (told.status, told.reason, told.unmapped) == (status, reason, unmapped)


def test_the_top_status_speaks_where_no_scan_does_and_else_is_noted() -> None:
    told = read(result(scan("Q1"), latest="DL"))
    assert (told.status, told.raw_status) == (TrackingStatus.DELIVERED, "DL")
    told = read(result(scan("OD", 2), scan("AR", 1), latest="AR"))
    assert (told.status, told.notes) == (TrackingStatus.OUT_FOR_DELIVERY, ("the status says AR, the newest event OD",))


def test_a_date_has_its_offset_and_without_one_no_instant() -> None:
    told = read(result(scan("AR", date="2026-04-01T10:00:00"), scan("PU")))
    assert {event.raw_code: event.time for event in told.events} == {"AR": None, "PU": epoch("2026-04-01T15:00:00")}


def test_names_are_not_kept() -> None:
    """Rules across carriers 14: recipientInformation, deliveryDetails, street lines."""
    (sample,) = (s for s in cases.own("fedex") if s.case == "delivered")
    assert b"Jane Sample" in sample.response.body
    for cut in ADAPTER.split(sample.response, ()).values():
        assert isinstance(cut, bytes)
        assert all(word not in cut for word in (b"ample", b"SAMPLE", b"Invented"))


async def test_a_token_is_not_lost_with_the_call_behind_it() -> None:
    """What was learnt before a failure is kept: a source that is down for an hour is not logged in to for an hour."""
    source = Login("/oauth/token", lambda *_: http(503, b"{}"))
    batch = await ask(ADAPTER, source, [Query(number=ONE)])
    error = batch.answers[ONE]
    assert isinstance(error, CarrierError)
    assert (error.kind, batch.memory.account["token"]) == (ErrorKind.UNAVAILABLE, "token-1")


def test_who_signed_is_not_kept_out_of_a_text_either() -> None:
    """Rules across carriers 14."""
    (event,) = read(result(scan("DL", eventDescription="Delivered", exceptionDescription="Signed for by: F.FULANA"))).events
    assert event.description == "Delivered"
