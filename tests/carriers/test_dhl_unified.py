"""DHL Unified: five machine words, mixed zones, and a 404 that is an answer (facts: DHL)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers import registry
from carriers.base import Query, Response
from carriers.dhl_unified import DhlUnified
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.persons import without_signer
from tests.carriers import cases
from tests.carriers.logins import ask, epoch
from tests.carriers.loopback import Reply, http

ADAPTER = DhlUnified()
ONE, TWO, THREE = "LX000000015DE", "LX000000029DE", "LX000000032DE"
NO_RESULT = {"title": "No result found", "status": 404, "detail": "No shipment with given tracking number found."}


def scan(code: str | None, at: str | None = "2026-04-02T10:00:00Z", text: str = "", **more: Any) -> dict[str, Any]:
    return {"timestamp": at, "statusCode": code, "status": text, "description": text, **more}


def shipment(*events: dict[str, Any], top: dict[str, Any] | None = None, number: str | int = ONE, **more: Any) -> dict[str, Any]:
    return {"id": number, "status": top or (events[0] if events else None), "events": list(events), **more}


def split(*shipments: dict[str, Any], asked: tuple[str, ...] = (ONE,)) -> dict[str, bytes | CarrierError]:
    return ADAPTER.split(Response(status=200, body=json.dumps({"shipments": shipments}).encode()), asked)


def read(*events: dict[str, Any], top: dict[str, Any] | None = None) -> Tracking:
    cut = split(shipment(*events, top=top))[ONE]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


async def test_one_call_a_number_and_a_postcode_is_only_for_its_own() -> None:
    seen: list[dict[str, list[str]]] = []

    def source(_: str, path: str, headers: Mapping[str, str], __: bytes) -> Reply:
        assert headers["dhl-api-key"] == "the api_key"
        assert urlsplit(path).path == "/track/shipments"
        seen.append(parse_qs(urlsplit(path).query))
        return http(200, json.dumps({"shipments": [shipment(scan("transit"), number=seen[-1]["trackingNumber"][0])]}).encode())

    batch = await ask(ADAPTER, source, [Query(number=ONE, postcode="53113"), Query(number=TWO)])
    assert seen == [
        {"trackingNumber": [ONE], "recipientPostalCode": ["53113"], "language": ["en"]},
        {"trackingNumber": [TWO], "language": ["en"]},
    ]
    assert all(isinstance(cut, bytes) for cut in batch.answers.values())


async def test_what_is_not_found_stops_no_other_and_a_used_up_day_stops_all() -> None:
    """250 calls a day: what was learnt before the refusal stays, the rest is asked tomorrow."""

    def source(_: str, path: str, __: Mapping[str, str], ___: bytes) -> Reply:
        if ONE in path:
            return http(404, json.dumps(NO_RESULT).encode())
        return http(429, b'{"status":429,"title":"Too Many Requests"}')

    batch = await ask(ADAPTER, source, [Query(number=ONE), Query(number=TWO), Query(number=THREE)])
    found = batch.answers[ONE]
    assert isinstance(found, bytes)
    assert (ADAPTER.read(found).status, ADAPTER.read(found).number) == (TrackingStatus.NOT_FOUND, ONE)
    for number in (TWO, THREE):
        error = batch.answers[number]
        assert isinstance(error, CarrierError)
        assert error.kind is ErrorKind.RATE_LIMITED


def test_the_daily_allowance_is_known() -> None:
    told = registry.describe("dhl_unified")
    assert (told.daily, told.rps) == (250, 0.2)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"title":"Not Found","status":404}'])
def test_any_other_404_says_nothing_about_a_parcel(body: bytes) -> None:
    """R8: "not found" may end in a refund; a path that is gone must not."""
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=404, body=body), [ONE])
    assert refused.value.kind is ErrorKind.UNAVAILABLE


def test_a_not_found_for_several_is_nobodys() -> None:
    told = ADAPTER.split(Response(status=404, body=json.dumps(NO_RESULT).encode()), [ONE, TWO])
    assert [isinstance(told[number], CarrierError) for number in (ONE, TWO)] == [True, True]


def test_titles_of_refusals_reach_the_operator() -> None:
    body = {"title": "Unauthorized", "status": 401, "detail": "Unauthorized for given resource."}
    with pytest.raises(CarrierError, match="HTTP 401: Unauthorized: Unauthorized for given resource") as refused:
        ADAPTER.split(Response(status=401, body=json.dumps(body).encode()), [ONE])
    assert refused.value.kind is ErrorKind.AUTH


def test_the_newest_event_wins_over_a_pre_transit_on_top() -> None:
    """Rules across carriers 5: both raw values are kept, the contradiction is told."""
    told = read(
        scan("transit", "2026-04-03T10:00:00Z"),
        scan("pre-transit", "2026-04-01T10:00:00Z"),
        top=scan("pre-transit", "2026-04-01T10:00:00Z", "DELIVERED"),
    )
    assert (told.status, told.raw_status, told.raw_sub_status) == (TrackingStatus.IN_TRANSIT, "pre-transit", "DELIVERED")
    assert told.notes == ("the status says pre-transit, the newest event transit",)


def test_where_zones_leave_the_order_open_the_top_status_decides() -> None:
    """A delivery without a zone may be later than a scan with one: DHL knows, and says delivered."""
    told = read(
        scan("delivered", "2026-04-03T09:00:00"),
        scan("transit", "2026-04-03T10:00:00Z"),
        top=scan("delivered", None),
    )
    assert (told.status, told.events[-1].status) == (TrackingStatus.DELIVERED, TrackingStatus.IN_TRANSIT)
    later = read(scan("delivered", "2026-04-01T09:00:00"), scan("transit", "2026-04-03T10:00:00Z"), top=scan("delivered", None))
    assert later.status is TrackingStatus.IN_TRANSIT


def test_the_top_status_is_the_only_scan_where_there_are_no_events() -> None:
    told = read(top=scan("transit", "2026-04-03T10:00:00Z"))
    assert [event.time for event in told.events] == [epoch("2026-04-03T10:00:00")]


@pytest.mark.parametrize(
    ("at", "top", "time", "offset"),
    [
        ("2026-04-03T10:00:00Z", None, "2026-04-03T10:00:00", 0),
        ("2026-04-03T10:00:00+02:00", None, "2026-04-03T08:00:00", 120),
        ("2026-04-03T10:00:00.000+02:00", None, "2026-04-03T08:00:00", 120),
        ("2026-04-03T10:00:00", None, None, None),
        ("2026-04-03T10:00:00", "2026-04-03T10:00:00+02:00", "2026-04-03T08:00:00", 120),
        ("2026-04-03T10:00:00", "2026-04-03T11:00:00+02:00", None, None),
    ],
)
def test_a_zone_is_never_guessed(at: str, top: str | None, time: str | None, offset: int | None) -> None:
    (event,) = read(scan("transit", at), top=scan("transit", top)).events
    assert (event.time, event.offset) == (time and epoch(time), offset)
    assert event.local_time == "2026-04-03T10:00:00"


def test_the_same_scan_with_and_without_its_zone_is_one_event() -> None:
    first, again = read(scan("transit", "2026-04-03T10:00:00")), read(scan("transit", "2026-04-03T10:00:00Z"))
    assert first.events[0].key == again.events[0].key


@pytest.mark.parametrize(
    ("code", "text", "status", "reason"),
    [
        ("delivered", "Delivered", TrackingStatus.DELIVERED, None),
        ("delivered", "Returned to shipper", TrackingStatus.RETURNED, None),
        ("delivered", "Delivered to shipper", TrackingStatus.RETURNED, None),
        ("delivered", "Ready for pick-up at the PACKSTATION", TrackingStatus.AVAILABLE_FOR_PICKUP, None),
        ("transit", "Clearance processing complete at LEIPZIG", TrackingStatus.IN_TRANSIT, None),
        ("transit", "Processed for clearance at LEIPZIG", TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD),
        ("transit", "With delivery courier", TrackingStatus.OUT_FOR_DELIVERY, None),
        ("transit", "Delivered", TrackingStatus.IN_TRANSIT, None),
        ("transit", "Returning to shipper", TrackingStatus.EXCEPTION, TrackingReason.RETURNING),
        ("transit", "The courier is returning to the facility", TrackingStatus.IN_TRANSIT, None),
        ("failure", "The courier is returning to the facility", TrackingStatus.EXCEPTION, None),
        ("failure", "Recipient refused delivery", TrackingStatus.EXCEPTION, TrackingReason.REFUSED),
        ("failure", "", TrackingStatus.EXCEPTION, None),
        ("unknown", "Delivered", TrackingStatus.UNKNOWN, None),
        (None, "Delivered", TrackingStatus.UNKNOWN, None),
    ],
)
def test_the_machine_word_decides_and_no_text_makes_a_delivery(
    code: str | None, text: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    told = read(scan(code, text=text))
    assert (told.status, told.reason) == (status, reason)
    assert told.unmapped == ()


def test_a_number_that_came_as_a_number_has_lost_its_zeros() -> None:
    asked = "00340434161094015902"
    cut = split(shipment(scan("transit"), number=340434161094015902), asked=(asked,))[asked]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == asked


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_shipments_for_a_number_the_newest_counts(*, turned: bool) -> None:
    old = shipment(scan("delivered", "2024-03-02T07:53:47Z"))
    new = shipment(top=scan("transit", "2026-04-02T07:53:47"))
    cut = split(*((new, old) if turned else (old, new)), {"id": ONE, "status": None})[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).status is TrackingStatus.IN_TRANSIT


def test_an_answer_without_shipments_is_no_answer() -> None:
    assert isinstance(split()[ONE], CarrierError)
    with pytest.raises(CarrierError, match="without shipments"):
        ADAPTER.split(Response(status=200, body=b"{}"), [ONE])


def test_who_signed_is_not_kept() -> None:
    """Rules across carriers 14: the name stands inside a description, too."""
    (sample,) = (s for s in cases.own("dhl_unified") if s.case == "delivered")
    assert b"MUSTERFRAU" in sample.response.body
    for cut in ADAPTER.split(sample.response, ()).values():
        assert isinstance(cut, bytes)
        assert b"musterfrau" not in cut.lower()
    assert [without_signer(text) for text in (None, "Delivered", "Delivered - Signed for by: A B")] == [
        None,
        "Delivered",
        "Delivered",
    ]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Voorbeeldweg 1, AMSTERDAM", "AMSTERDAM"),
        ("LEIPZIG, SAXONY - GERMANY", "LEIPZIG, SAXONY - GERMANY"),
        ("53113", ""),
    ],
)
def test_a_street_is_not_kept(told: str, kept: str) -> None:
    """Rules across carriers 14: the last scan is made at the buyer's door."""
    (event,) = read(scan("delivered", location={"address": {"addressLocality": told, "countryCode": "NL"}})).events
    assert (event.location, event.country) == (kept, "NL")
    assert read(scan("delivered", location={"address": None})).events[0].location == ""
    assert read(scan("delivered", location=None)).events[0].location == ""


def test_a_parcel_that_went_back_to_a_facility_is_delivered_to_the_buyer() -> None:
    """Rules across carriers 6: only what returns to the sender is delivered to the sender; a refund may hang on it."""
    told = read(
        scan("delivered", "2026-04-03T10:00:00Z", "Delivered"),
        scan("failure", "2026-04-02T18:00:00Z", "Not delivered, returning to the delivery centre"),
    )
    assert told.status is TrackingStatus.DELIVERED
