"""Cainiao's public page: asked only where the account agrees, and what is peculiar to its rows (facts: Cainiao)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Query, Response
from carriers.cainiao import Cainiao
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from tests.carriers.loopback import Handler, Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Cainiao()
ONE, TWO = "LP00700000000101", "LP00700000000102"
AGREED = {"public_page": True}


def scan(code: str | None, wall: str | None, zone: str | None = "GMT+8", **more: Any) -> dict[str, Any]:
    # The epoch is always nonsense here: whoever uses it fails.
    return {"actionCode": code, "timeStr": wall, "timeZone": zone, "time": 1, **more}


def row(*scans: dict[str, Any], number: str = ONE, **more: Any) -> dict[str, Any]:
    return {"mailNo": number, "detailList": list(scans), **more}


def page(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"success": True, "module": rows}).encode()


def read(parcel: dict[str, Any]) -> Tracking:
    cut = ADAPTER.split(Response(status=200, body=page(parcel)), [ONE])[ONE]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


async def ask(source: Handler, *numbers: str, options: Mapping[str, Any] | None = None) -> Batch:
    async with serving(source) as base:
        transport = HttpTransport(account_id="cainiao")
        account = Account(id="page", base_url=base, options=AGREED if options is None else options)
        try:
            return await converse(ADAPTER, [Query(number=number) for number in numbers], account, Memory(), NOW, transport)
        finally:
            await transport.close()


async def test_all_numbers_are_asked_in_one_call_each_once() -> None:
    asked: list[str] = []

    def source(_: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        asked.append(path)
        return http(200, page(row(number=TWO), row(scan("GTMS_SIGNED", "2026-04-28 15:25:17"))))

    batch = await ask(source, ONE, TWO, ONE, options={**AGREED, "language": "pt-BR"})
    assert asked == [f"/global/detail.json?mailNos={ONE},{TWO}&lang=pt-BR"]
    read = {number: ADAPTER.read(cut).status for number, cut in batch.answers.items() if isinstance(cut, bytes)}
    assert read == {ONE: TrackingStatus.DELIVERED, TWO: TrackingStatus.NOT_FOUND}


@pytest.mark.parametrize("options", [{}, {"public_page": False}, {"public_page": "true"}])
def test_a_public_page_is_asked_only_where_the_account_agrees(options: dict[str, Any]) -> None:
    """Facts: opt-in in the config; the error says how to agree."""
    account = Account(id="page", base_url="https://source.invalid", options=options)
    with pytest.raises(CarrierError, match=r"page asks an unofficial public page: .*public_page = true") as refused:
        next(ADAPTER.ask([Query(number=ONE)], account, Memory(), NOW))
    assert refused.value.kind is ErrorKind.INVALID_REQUEST


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><title>Captcha Interception</title></html>", ErrorKind.RATE_LIMITED),
        (b'{"rgv587_flag":"sm","url":"https://site.invalid/punish?x5secdata=x"', ErrorKind.RATE_LIMITED),
        (b'{"ret":["FAIL_SYS_USER_VALIDATE","RGV587_ERROR::SM"],"data":{}}', ErrorKind.RATE_LIMITED),
        (b'{"success":false,"errorCode":"RGV587_ERROR"}', ErrorKind.RATE_LIMITED),
        (b"<html>Maintenance</html>", ErrorKind.BAD_RESPONSE),
        (b"", ErrorKind.BAD_RESPONSE),
        (b'{"success":true}', ErrorKind.BAD_RESPONSE),
        (b'{"success":false}', ErrorKind.UNAVAILABLE),
        (b'{"success":false,"errorCode":7}', ErrorKind.UNAVAILABLE),
        (f'{{"success":false,"errorCode":"X","module":[{{"mailNo":"{ONE}","detailList":[]}}]}}'.encode(), ErrorKind.UNAVAILABLE),
    ],
)
def test_a_soft_ban_is_told_apart_from_rubbish_and_neither_says_anything_about_a_parcel(body: bytes, kind: ErrorKind) -> None:
    """Promise 2: a captcha with status 200 is no answer."""
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=200, body=body), [ONE])
    assert failed.value.kind is kind


@pytest.mark.parametrize(
    ("zone", "utc", "offset"),
    [
        ("GMT-3", "2025-05-28T16:33:27", -180),
        ("GMT+08:00", "2025-05-28T05:33:27", 480),
        ("GMT+8", "2025-05-28T05:33:27", 480),
        (None, "2025-05-28T05:33:27", 480),
        ("", "2025-05-28T05:33:27", 480),
    ],
)
def test_the_fake_epoch_is_never_used_the_wall_clock_in_its_zone_is(zone: str | None, utc: str, offset: int) -> None:
    """Rules across carriers 15: `time` is the wall clock read as if it were GMT+8."""
    (event,) = read(row(scan("LH_ARRIVE", "2025-05-28 13:33:27", zone))).events
    assert event.time == int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())
    assert (event.local_time, event.offset) == ("2025-05-28T13:33:27", offset)


def test_a_zone_that_cannot_be_read_leaves_the_instant_unknown() -> None:
    (event,) = read(row(scan("LH_ARRIVE", "2025-05-28 13:33:27", "Asia/Shanghai"))).events
    assert (event.time, event.local_time, event.offset) == (None, "2025-05-28T13:33:27", None)


def test_an_empty_desc_gives_way_to_the_standard_one() -> None:
    first = scan("LH_ARRIVE", "2026-04-02 10:00:00", desc="", standerdDesc="Arrived")
    second = scan("LH_ARRIVE", "2026-04-01 10:00:00", desc="Own words", standerdDesc="Arrived")
    assert [event.description for event in read(row(first, second)).events] == ["Own words", "Arrived"]


def test_a_station_is_not_the_buyer() -> None:
    """Rules across carriers 6: GTMS_STA_SIGNED is a pickup station."""
    told = read(row(scan("GTMS_STA_SIGNED", "2026-04-28 15:25:17"), status="DELIVERED"))
    assert told.status is TrackingStatus.AVAILABLE_FOR_PICKUP
    assert told.notes == ("the page says DELIVERED, the newest scan GTMS_STA_SIGNED",)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("GWMS_NEW", TrackingStatus.INFO_RECEIVED, None),
        ("CW_NEW", TrackingStatus.IN_TRANSIT, None),
        ("PU_NEW", TrackingStatus.IN_TRANSIT, None),
        ("SC_NEW", TrackingStatus.IN_TRANSIT, None),
        ("CC_NEW", TrackingStatus.IN_TRANSIT, None),
        ("LH_NEW", TrackingStatus.IN_TRANSIT, None),
        ("GTMS_NEW", TrackingStatus.IN_TRANSIT, None),
        ("GTMS_SIGNED_TWICE", TrackingStatus.IN_TRANSIT, None),
        ("GSTA_NEW", TrackingStatus.AVAILABLE_FOR_PICKUP, None),
        ("LH_NEW_FAILURE", TrackingStatus.EXCEPTION, None),
        ("SIGNED", TrackingStatus.UNKNOWN, None),
        ("delivered", TrackingStatus.UNKNOWN, None),
        ("CC_IM_START", TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD),
        ("CC_HO_OUT_SUCCESS", TrackingStatus.IN_TRANSIT, None),
    ],
)
def test_an_unknown_code_means_what_its_family_means_never_a_delivery(
    code: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    """Rules across carriers 8: longest prefix inside a known family, otherwise unknown; one warning."""
    told = read(row(scan(code, "2026-04-02 10:00:00")))
    assert (told.status, told.reason) == (status, reason)
    assert told.unmapped == (() if code.startswith(("CC_IM", "CC_HO")) else (code,))


@pytest.mark.parametrize(
    ("parcel", "status", "reason", "unmapped"),
    [
        (row(), TrackingStatus.NOT_FOUND, None, ()),
        (row(status=""), TrackingStatus.NOT_FOUND, None, ()),
        (row(copyRealMailNo="NX000000913BR"), TrackingStatus.UNKNOWN, None, ()),
        ({"mailNo": ONE}, TrackingStatus.UNKNOWN, None, ()),
        (row(status="DELIVERING"), TrackingStatus.IN_TRANSIT, None, ()),
        (row(status="CLEAR_CUSTOMS"), TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD, ()),
        (row(status="DELIVERED"), TrackingStatus.UNKNOWN, None, ()),
        (row(status="SOMETHING"), TrackingStatus.UNKNOWN, None, ("module SOMETHING",)),
        (row(scan("LH_ARRIVE", None)), TrackingStatus.UNKNOWN, None, ()),
    ],
)
def test_only_a_row_without_scans_and_without_a_status_is_an_unknown_number(
    parcel: dict[str, Any], status: TrackingStatus, reason: TrackingReason | None, unmapped: tuple[str, ...]
) -> None:
    """Promise 2: not found may cost money; a row that lacks its list has drifted, and nothing is delivered without a scan."""
    told = read(parcel)
    assert (told.status, told.reason, told.unmapped) == (status, reason, unmapped)


def test_delivering_is_no_contradiction_but_a_delivery_the_page_does_not_know_is() -> None:
    assert read(row(scan("LH_ARRIVE", "2026-04-02 10:00:00"), status="DELIVERING")).notes == ()
    told = read(row(scan("GTMS_SIGNED", "2026-04-02 10:00:00"), status="DELIVERING"))
    assert (told.status, told.raw_status) == (TrackingStatus.DELIVERED, "DELIVERING")
    assert told.notes == ("the page says DELIVERING, the newest scan GTMS_SIGNED",)


@pytest.mark.parametrize(("said", "linked"), [("NX000000913BR", "NX000000913BR"), (" ", None), (ONE, None), (None, None)])
def test_the_last_mile_number_is_the_one_to_follow(said: str | None, linked: str | None) -> None:
    """Rules across carriers 11: copyRealMailNo; a number is never linked to itself."""
    assert read(row(copyRealMailNo=said)).linked_number == linked


def test_a_country_is_a_code_or_nothing() -> None:
    assert read(row(destCountry="Brazil")).destination_country is None
    assert read(row(destCountry="BR")).destination_country == "BR"


def test_who_signed_is_not_kept() -> None:
    """Rules across carriers 14: the last mile's texts are passed on as they are."""
    told = scan("GTMS_SIGNED", "2026-04-28 15:25:17", desc="Delivered, signed by: Fulana", standerdDesc="Signed for by Fulana")
    cut = ADAPTER.split(Response(status=200, body=page(row(told))), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert b"Fulana" not in cut
    assert ADAPTER.read(cut).events[0].description == "Delivered"
