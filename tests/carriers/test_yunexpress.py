"""YunExpress: the envelope's codes, one number a call, and times without a zone (facts: YunExpress)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers import codes
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.yunexpress import Yunexpress
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Yunexpress()
ONE, TWO, THREE = "YT2604500000000101", "YT2604500000000102", "YT2604500000000103"


def scan(code: str, day: int, **more: Any) -> dict[str, Any]:
    return {"TrackNodeCode": code, "ProcessDate": f"2026-04-{day:02d}T10:00:00", **more}


def item(*scans: dict[str, Any], number: str | None = ONE, **more: Any) -> dict[str, Any]:
    return {"WaybillNumber": number, "OrderTrackingDetails": list(scans), **more}


def envelope(of: dict[str, Any] | None, code: str | int = "0000", message: str = "") -> bytes:
    return json.dumps({"Item": of, "Code": code, "Message": message, "RequestId": "x", "TimeStamp": "2026-05-01"}).encode()


def read(parcel: dict[str, Any], asked: str = ONE) -> Tracking:
    cut = ADAPTER.split(Response(status=200, body=envelope(parcel)), [asked])[asked]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


class StandIn:
    """The order system: an envelope for each number."""

    def __init__(self, **envelopes: bytes) -> None:
        self.envelopes = envelopes
        self.log: list[str] = []

    def __call__(self, _: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert headers["authorization"] == "Basic " + b64encode(b"C001&key/+").decode()
        assert headers["accept"] == "application/json"
        assert path.startswith("/api/Tracking/GetTrackAllInfo?OrderNumber=")
        (number,) = parse_qs(urlsplit(path).query)["OrderNumber"]
        self.log.append(number)
        return http(200, self.envelopes[number])


async def ask(source: StandIn, *numbers: str) -> Batch:
    async with serving(source) as base:
        transport = HttpTransport(account_id="yunexpress")
        account = Account(id="yun", base_url=base + "/", secrets={"code": "C001", "secret": "key/+"})
        try:
            return await converse(ADAPTER, [Query(number=number) for number in numbers], account, Memory(), NOW, transport)
        finally:
            await transport.close()


async def test_one_number_a_call_and_an_error_of_one_does_not_take_the_others() -> None:
    source = StandIn(**{ONE: envelope(item()), TWO: envelope(None, "9999"), THREE: envelope(None, "1006")})
    batch = await ask(source, ONE, TWO, THREE)
    assert source.log == [ONE, TWO, THREE]
    second, third = batch.answers[TWO], batch.answers[THREE]
    assert isinstance(second, CarrierError)
    assert second.kind is ErrorKind.UNAVAILABLE
    assert isinstance(third, bytes)
    told = ADAPTER.read(third)
    assert (told.number, told.status) == (THREE, TrackingStatus.NOT_FOUND)


async def test_a_rate_limit_ends_the_conversation_and_keeps_what_was_learnt() -> None:
    """What one number meets, the next will meet too; what was learnt before a failure is not lost."""
    source = StandIn(**{ONE: envelope(item()), TWO: envelope(None, 10000), THREE: envelope(item(number=THREE))})
    batch = await ask(source, ONE, TWO, THREE)
    assert source.log == [ONE, TWO]
    assert isinstance(batch.answers[ONE], bytes)
    kinds = [answer.kind for answer in batch.answers.values() if isinstance(answer, CarrierError)]
    assert kinds == [ErrorKind.RATE_LIMITED, ErrorKind.RATE_LIMITED]


async def test_wrong_credentials_fail_the_whole_request() -> None:
    source = StandIn(**{ONE: envelope(None, "1002", "customer code error")})
    with pytest.raises(CarrierError, match="YunExpress 1002: customer code error") as failed:
        await ask(source, ONE, TWO)
    assert failed.value.kind is ErrorKind.AUTH
    assert source.log == [ONE]


def test_both_secrets_are_needed() -> None:
    account = Account(id="yun", base_url="https://source.invalid", secrets={"code": "C001"})
    with pytest.raises(CarrierError, match="yun has no secret secret"):
        next(ADAPTER.ask([Query(number=ONE)], account, Memory(), NOW))


@pytest.mark.parametrize("row", [row for row in codes.rows("yunexpress_errors") if row["kind"] not in {"ok", "not_found"}])
def test_every_documented_code_of_the_envelope_is_its_own_error(row: Mapping[str, str]) -> None:
    """Facts, section 2: the outcomes are kept apart although all come with HTTP 200."""
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=200, body=envelope(item(), row["code"])), [ONE])
    assert (failed.value.kind.value, failed.value.code) == (row["kind"], row["code"])


@pytest.mark.parametrize("answer", [b"{}", envelope(None), envelope({"OrderTrackingDetails": 7})])
def test_an_envelope_without_a_parcel_is_no_answer(answer: bytes) -> None:
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=200, body=answer), [ONE])
    assert failed.value.kind is ErrorKind.BAD_RESPONSE


def test_no_data_names_no_number_so_it_answers_for_the_only_one_asked() -> None:
    """Rules across carriers 3: never by position, never "not found" for several."""
    response = Response(status=200, body=envelope(None, "1006"))
    assert all(isinstance(cut, CarrierError) for cut in ADAPTER.split(response, [ONE, TWO]).values())
    (told,) = (ADAPTER.read(cut) for cut in ADAPTER.split(response, ()).values() if isinstance(cut, bytes))
    assert (told.number, told.status, told.raw_status) == (None, TrackingStatus.NOT_FOUND, "1006")


@pytest.mark.parametrize("asked", [ONE, "NX000000919BR", "SO-4711"])
def test_a_parcel_answers_to_its_waybill_order_and_last_mile_number(asked: str) -> None:
    """Rules across carriers 11, 14: the seller's order number joins, and is not kept."""
    parcel = item(TrackingNumber="NX000000919BR", CustomerOrderNumber="SO-4711", ProviderName="Correios", CountryCode="BR")
    cut = ADAPTER.split(Response(status=200, body=envelope(parcel)), [asked])[asked]
    assert isinstance(cut, bytes)
    assert b"SO-4711" not in cut
    told = ADAPTER.read(cut)
    assert (told.number, told.linked_number) == (ONE, "NX000000919BR")
    assert (told.carrier_code, told.destination_country) == ("Correios", "BR")


@pytest.mark.parametrize(("waybill", "tracking"), [(ONE, ONE), (ONE, None), (ONE, ""), (None, ONE)])
def test_a_number_is_never_linked_to_itself(waybill: str | None, tracking: str | None) -> None:
    told = read(item(number=waybill, TrackingNumber=tracking))
    assert (told.number, told.linked_number) == (ONE, None)


def test_times_have_no_zone_and_stay_wall_clocks() -> None:
    """Rules across carriers 15: bounds of an unknown instant, never Shenzhen's zone."""
    (event,) = read(item(scan("PICKED_UP", 2, ProcessLocation="SHENZHEN", ProcessCountry="CN"))).events
    assert (event.time, event.local_time, event.country, event.location) == (None, "2026-04-02T10:00:00", "CN", "SHENZHEN")


def test_nothing_of_a_person_is_kept() -> None:
    """Rules across carriers 14: an allow-list of fields."""
    signed = scan("DELIVERED", 2, ProcessContent="Delivered, signed by fulana")
    parcel = item(signed, POD="https://pod.invalid/fulana.png", ProviderTelephone="0800 000", CreatedBy="fulana")
    cut = ADAPTER.split(Response(status=200, body=envelope(parcel)), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert b"fulana" not in cut
    assert b"0800" not in cut


@pytest.mark.parametrize(
    ("scans", "tracking", "package", "status", "reason"),
    [
        ([scan("ORDER_CREATION", 1)], None, None, TrackingStatus.INFO_RECEIVED, None),
        ([scan("DELIVERY_FAILURE", 1)], None, None, TrackingStatus.FAILED_ATTEMPT, None),
        ([scan("DELIVERED", 3), scan("RETURNED", 9)], None, None, TrackingStatus.RETURNED, None),
        ([scan("PICKED_UP", 1), scan("NEW_NODE", 2)], 20, 2, TrackingStatus.IN_TRANSIT, None),
        ([scan("PICKED_UP", 1), scan("NEW_NODE", 2)], 30, 2, TrackingStatus.AVAILABLE_FOR_PICKUP, None),
        ([scan("PICKED_UP", 1), scan("NEW_NODE", 2)], 80, 2, TrackingStatus.IN_TRANSIT, None),
        ([scan("PICKED_UP", 1), scan("NEW_NODE", 2)], 0, 0, TrackingStatus.UNKNOWN, None),
        ([scan("PICKED_UP", 1)], 50, 3, TrackingStatus.IN_TRANSIT, None),
        ([scan("DELIVERED", 1)], 90, 7, TrackingStatus.RETURNED, None),
        ([], 0, 0, TrackingStatus.NOT_FOUND, None),
        ([], 0, None, TrackingStatus.NOT_FOUND, None),
        ([], 0, 1, TrackingStatus.INFO_RECEIVED, None),
        ([], 0, 4, TrackingStatus.IN_TRANSIT, None),
        ([], 20, 1, TrackingStatus.IN_TRANSIT, None),
        ([scan("DELIVERED", 1)], None, 7, TrackingStatus.RETURNED, None),
        ([], "100", "5", TrackingStatus.EXCEPTION, TrackingReason.CANCELLED),
        ([], None, 4, TrackingStatus.IN_TRANSIT, None),
        ([], None, None, TrackingStatus.UNKNOWN, None),
        ([], 99, None, TrackingStatus.UNKNOWN, None),
    ],
)
def test_the_newest_known_scan_tells_then_tracking_status_then_package_state(
    scans: list[dict[str, Any]],
    tracking: int | str | None,
    package: int | str | None,
    status: TrackingStatus,
    reason: TrackingReason | None,
) -> None:
    """Rules across carriers 5, 6, 8: "not found" beside scans or a state is none; a return wins over a delivery."""
    told = read(item(*scans, TrackingStatus=tracking, PackageState=package))
    assert (told.status, told.reason) == (status, reason)


def test_what_disagrees_is_said() -> None:
    told = read(item(scan("PICKED_UP", 1), TrackingStatus=50))
    assert told.notes == ("the status says TrackingStatus 50, the newest event PICKED_UP",)
    assert (told.raw_status, told.raw_sub_status) == ("50", None)
