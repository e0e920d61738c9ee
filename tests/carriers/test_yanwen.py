"""Yanwen: asked and answered under any of three numbers, and checkpoints in any order (facts: Yanwen)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import Account, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.yanwen import Yanwen
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Yanwen()
TRACKING, WAYBILL, LAST_MILE = "UH000001014YP", "YW00000000101", "00340434511500000035"


def checkpoint(code: str, at: str, zone: str | None = "+08", **more: Any) -> dict[str, Any]:
    return {"tracking_status": code, "time_stamp": at, "time_zone": zone, **more}


def result(
    *checkpoints: dict[str, Any], level1: str | int | None = "", number: str | None = TRACKING, **more: Any
) -> dict[str, Any]:
    return {
        "tracking_number": number,
        "checkpoints": list(checkpoints),
        "tracking_status_waybill": {"level1": level1, "level2": "", "level3": ""},
        **more,
    }


def body(*results: dict[str, Any]) -> bytes:
    return json.dumps({"code": 0, "result": results}).encode()


def read(parcel: dict[str, Any]) -> Tracking:
    cut = ADAPTER.split(Response(status=200, body=body(parcel)), [TRACKING])[TRACKING]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


async def test_the_merchant_number_goes_in_a_header_and_the_numbers_in_one_call() -> None:
    asked: list[tuple[str, str]] = []

    def source(_: str, path: str, headers: Mapping[str, str], said: bytes) -> Reply:
        asked.append((path, headers["authorization"]))
        return http(200, body(result(level1="1", number="UH000001028YP"), result(checkpoint("LM40", "2026-04-20T10:00:00"))))

    async with serving(source) as base:
        transport = HttpTransport(account_id="yanwen")
        account = Account(id="yw", base_url=base, secrets={"merchant_number": "90001"})
        queries = [Query(number=TRACKING), Query(number="UH000001028YP"), Query(number=TRACKING)]
        try:
            batch = await converse(ADAPTER, queries, account, Memory(), NOW, transport)
        finally:
            await transport.close()
    assert asked == [(f"/api/tracking?nums={TRACKING},UH000001028YP", "90001")]
    assert {number: isinstance(cut, bytes) and ADAPTER.read(cut).status.value for number, cut in batch.answers.items()} == {
        TRACKING: "delivered",
        "UH000001028YP": "not_found",
    }


@pytest.mark.parametrize("asked", [TRACKING, WAYBILL, LAST_MILE, LAST_MILE[:5] + " " + LAST_MILE[5:]])
def test_a_parcel_answers_to_its_tracking_waybill_and_last_mile_number(asked: str) -> None:
    """Rules across carriers 3, 11: joined by any of its numbers; the last-mile number is the one to follow."""
    parcel = result(checkpoint("LH20", "2026-04-05T09:00:00"), waybill_number=WAYBILL, exchange_number=LAST_MILE)
    cut = ADAPTER.split(Response(status=200, body=body(parcel)), [asked])[asked]
    assert isinstance(cut, bytes)
    told = ADAPTER.read(cut)
    assert (told.number, told.linked_number) == (TRACKING, LAST_MILE)


def test_a_number_of_its_own_wins_over_another_parcels_last_mile_number() -> None:
    other = result(checkpoint("LM40", "2026-04-20T10:00:00"), number="UH000001028YP", exchange_number=TRACKING)
    answers = ADAPTER.split(Response(status=200, body=body(other, result(level1="1"))), [TRACKING])
    cut = answers[TRACKING]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == TRACKING


@pytest.mark.parametrize(
    ("more", "number", "linked"),
    [
        ({"number": None, "waybill_number": TRACKING}, TRACKING, None),
        ({"number": None, "exchange_number": TRACKING}, TRACKING, None),
        ({"exchange_number": ""}, TRACKING, None),
    ],
)
def test_a_number_is_never_linked_to_itself(more: dict[str, Any], number: str, linked: str | None) -> None:
    told = read(result(checkpoint("LH20", "2026-04-05T09:00:00"), **more))
    assert (told.number, told.linked_number) == (number, linked)


def test_unsorted_checkpoints_are_ordered_by_their_instants_each_in_its_own_zone() -> None:
    """Rules across carriers 1, 6: a return after the delivery wins, though its wall clock may be earlier."""
    told = read(
        result(
            checkpoint("LM54", "2026-04-26T09:16:02", "-03"),
            checkpoint("OR10", "2026-04-01T09:03:09"),
            checkpoint("LM40", "2026-04-26T13:52:37", "+02"),
            level1="8",
        )
    )
    assert [event.raw_code for event in told.events] == ["OR10", "LM40", "LM54"]
    assert [event.offset for event in told.events] == [480, 120, -180]
    assert (told.status, told.raw_status) == (TrackingStatus.RETURNED, "8")
    assert told.notes == ("the status says level1 8, the newest event LM54",)


@pytest.mark.parametrize("zone", [None, "", "CST"])
def test_a_checkpoint_without_a_zone_keeps_its_wall_clock_alone(zone: str | None) -> None:
    """Rules across carriers 15: never fill in the zone of origin."""
    (event,) = read(result(checkpoint("LH20", "2026-04-05T09:32:00", zone))).events
    assert (event.time, event.local_time) == (None, "2026-04-05T09:32:00")


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("OR99", TrackingStatus.IN_TRANSIT, None),
        ("LH99", TrackingStatus.IN_TRANSIT, None),
        ("CC99", TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD),
        ("LM99", TrackingStatus.IN_TRANSIT, None),
        ("XX99", TrackingStatus.UNKNOWN, None),
        ("LM40", TrackingStatus.DELIVERED, None),
    ],
)
def test_an_unknown_checkpoint_means_what_its_prefix_means_never_a_delivery(
    code: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    """Rules across carriers 8."""
    told = read(result(checkpoint(code, "2026-04-05T09:32:00")))
    assert (told.status, told.reason) == (status, reason)
    assert told.unmapped == (() if code == "LM40" else (code,))


@pytest.mark.parametrize(
    ("level1", "checkpoints", "status"),
    [
        ("1", [], TrackingStatus.NOT_FOUND),
        (1, None, TrackingStatus.NOT_FOUND),
        ("", [], TrackingStatus.NOT_FOUND),
        (None, [], TrackingStatus.NOT_FOUND),
        ("", None, TrackingStatus.UNKNOWN),
        ("2", [], TrackingStatus.INFO_RECEIVED),
        ("11", [], TrackingStatus.UNKNOWN),
        ("1", [checkpoint("XX01", "2026-04-05T09:32:00")], TrackingStatus.UNKNOWN),
        ("6", [checkpoint("XX01", "2026-04-05T09:32:00")], TrackingStatus.DELIVERED),
        ("", [checkpoint("XX01", "2026-04-05T09:32:00")], TrackingStatus.UNKNOWN),
        ("6", [checkpoint("LM30", "2026-04-05T09:32:00")], TrackingStatus.AVAILABLE_FOR_PICKUP),
    ],
)
def test_no_result_is_not_found_and_level1_stands_where_no_checkpoint_tells(
    level1: str | int | None, checkpoints: list[dict[str, Any]] | None, status: TrackingStatus
) -> None:
    """Promise 2: "no result" beside checkpoints is no "not found", and neither is a list that is not there."""
    told = read({**result(level1=level1), "checkpoints": checkpoints})
    assert told.status is status


def test_a_result_without_the_state_of_the_parcel_is_read_by_its_checkpoints() -> None:
    told = read({"tracking_number": TRACKING, "checkpoints": [checkpoint("LM25", "2026-04-05T09:32:00")]})
    assert (told.status, told.raw_status, told.stopped) == (TrackingStatus.OUT_FOR_DELIVERY, None, False)


def test_level_7_says_that_yanwen_stopped_looking_not_that_the_parcel_is_lost() -> None:
    """Rules across carriers 7."""
    told = read(result(checkpoint("LH20", "2026-01-05T09:32:00"), level1="7"))
    assert (told.status, told.stopped) == (TrackingStatus.IN_TRANSIT, True)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (b'{"code":1,"message":"busy"}', ErrorKind.UNAVAILABLE, "1"),
        (b'{"code":"9"}', ErrorKind.UNAVAILABLE, "9"),
        (b'{"code":0}', ErrorKind.BAD_RESPONSE, None),
        (b'{"result":[]}', ErrorKind.BAD_RESPONSE, None),
    ],
)
def test_a_failure_inside_200_says_nothing_about_a_parcel(answer: bytes, kind: ErrorKind, code: str | None) -> None:
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=200, body=answer), [TRACKING])
    assert (failed.value.kind, failed.value.code) == (kind, code)


def test_a_delivery_of_a_parcel_that_was_returned_is_one_to_the_sender() -> None:
    """Rules across carriers 6: level1 0 is "returned", whatever the last scan at the sender's door says."""
    scans = [checkpoint("LM54", "2026-04-05T09:32:00"), checkpoint("LM40", "2026-04-09T09:32:00")]
    assert read(result(*scans, level1=0)).status is TrackingStatus.RETURNED
    assert read(result(*scans, level1=6)).status is TrackingStatus.DELIVERED


def test_who_signed_is_not_kept() -> None:
    """Rules across carriers 14."""
    (event,) = read(result(checkpoint("LM40", "2026-04-05T09:32:00", message="Delivered - Signed by: Fulana"))).events
    assert event.description == "Delivered"
