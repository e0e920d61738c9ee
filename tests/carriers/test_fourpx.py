"""4PX: the signature over the exact bytes, both shapes of an answer, and its families of codes (facts: 4PX)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.fourpx import Fourpx, sign
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, 0, 0, 250_000, tzinfo=UTC)
ADAPTER = Fourpx()
ONE, TWO = "4PX3000000000101CN", "4PX3000000000102CN"


def event(code: str, day: int, **more: Any) -> dict[str, Any]:
    return {"businessLinkCode": code, "occurDatetime": f"2026-04-{day:02d} 10:00:00", **more}


def order(*events: dict[str, Any], number: str | None = ONE) -> bytes:
    return json.dumps({"result": "1", "data": {"deliveryOrderNo": number, "trackingList": list(events)}}).encode()


def refusal(text: str, code: str = "DS000000") -> bytes:
    return json.dumps({"result": "0", "msg": text, "errors": [{"error_code": code, "error_msg": text}]}).encode()


def page(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"result": 1, "data": list(rows), "tag": "21"}).encode()


def read(body: bytes, asked: str = ONE) -> Tracking:
    cut = ADAPTER.split(Response(status=200, body=body), [asked])[asked]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


def test_the_signature_of_a_request_worked_out_by_hand() -> None:
    """Public parameters sorted by name, name and value run together, then the body's bytes, then the secret; MD5 in small hex."""
    parameters = {
        "v": "1.0.0",
        "timestamp": "1777723200250",
        "method": "tr.order.tracking.get",
        "format": "json",
        "app_key": "K1",
    }
    assert sign(parameters, b'{"deliveryOrderNo":"A"}', "S3CRET") == "8d80acc4a2746b39305ccb725070bd26"


class StandIn:
    """The platform: checks each signature anew, from what arrived, and answers."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.log: list[dict[str, str]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        split = urlsplit(path)
        said = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        assert (method, split.path) == ("POST", "/router/api/service")
        assert headers["content-type"] == "application/json"
        signed = "app_key{app_key}format{format}method{method}timestamp{timestamp}v{v}".format(**said)
        expected = md5(signed.encode() + body + b"S3CRET", usedforsecurity=False).hexdigest()
        assert said["sign"] == expected
        self.log.append({**said, "body": body.decode()})
        return http(200, self.replies.pop(0))


async def ask(source: StandIn, secrets: Mapping[str, str], options: Mapping[str, Any], *numbers: str) -> Batch:
    async with serving(source) as base:
        transport = HttpTransport(account_id="fourpx")
        account = Account(id="px", base_url=f"{base}/router/api/service", secrets=secrets, options=options)
        try:
            return await converse(ADAPTER, [Query(number=number) for number in numbers], account, Memory(), NOW, transport)
        finally:
            await transport.close()


SECRETS = {"app_key": "K1", "app_secret": "S3CRET"}


async def test_each_number_is_one_call_signed_over_the_bytes_that_are_sent() -> None:
    source = StandIn(order(event("FPX_S_OK", 9)), refusal("order not exist"))
    batch = await ask(source, SECRETS, {}, ONE, TWO)
    assert [call["body"] for call in source.log] == [f'{{"deliveryOrderNo":"{ONE}"}}', f'{{"deliveryOrderNo":"{TWO}"}}']
    first = source.log[0]
    assert (first["timestamp"], first["language"], first["access_token"]) == ("1777723200250", "en", "")
    read = {number: ADAPTER.read(cut) for number, cut in batch.answers.items() if isinstance(cut, bytes)}
    assert {number: told.status.value for number, told in read.items()} == {ONE: "delivered", TWO: "not_found"}
    assert read[TWO].number == TWO


async def test_token_and_language_are_sent_beside_the_signature_not_under_it() -> None:
    source = StandIn(order())
    await ask(source, {**SECRETS, "access_token": "T1"}, {"language": "cn"}, ONE)
    assert (source.log[0]["access_token"], source.log[0]["language"]) == ("T1", "cn")


async def test_a_wrong_signature_ends_the_conversation() -> None:
    source = StandIn(refusal("sign is wrong", "0"))
    with pytest.raises(CarrierError, match="4PX 0: sign is wrong") as failed:
        await ask(source, SECRETS, {}, ONE, TWO)
    assert failed.value.kind is ErrorKind.AUTH


@pytest.mark.parametrize("secrets", [{}, {"app_secret": "S3CRET"}, {"app_key": "K1"}])
def test_both_secrets_are_needed(secrets: dict[str, str]) -> None:
    account = Account(id="px", base_url="https://source.invalid", secrets=secrets)
    with pytest.raises(CarrierError, match="px has no secret app_") as refused:
        next(ADAPTER.ask([Query(number=ONE)], account, Memory(), NOW))
    assert refused.value.kind is ErrorKind.AUTH


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (refusal("sign error"), ErrorKind.AUTH, "DS000000"),
        (refusal("AppKey not exist"), ErrorKind.AUTH, "DS000000"),
        (refusal("too many requests"), ErrorKind.RATE_LIMITED, "DS000000"),
        (refusal("invalid_signature"), ErrorKind.AUTH, "DS000000"),
        (refusal("parcel not exist"), ErrorKind.BAD_RESPONSE, "DS000000"),
        (refusal("the consignee of this consignment is not assigned"), ErrorKind.BAD_RESPONSE, "DS000000"),
        (b'{"result":0,"msg":"oops"}', ErrorKind.BAD_RESPONSE, "0"),
        (b'{"result":"0"}', ErrorKind.BAD_RESPONSE, "0"),
        (b'{"result":"1","data":null}', ErrorKind.BAD_RESPONSE, None),
        (b'{"result":"2","data":[]}', ErrorKind.BAD_RESPONSE, None),
        (b'{"data":[]}', ErrorKind.BAD_RESPONSE, None),
    ],
)
def test_an_error_inside_200_is_not_found_only_where_the_text_says_so(body: bytes, kind: ErrorKind, code: str | None) -> None:
    """Promise 2: which code means what is not documented; what is not known is no "not found"."""
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=200, body=body), [ONE])
    assert (failed.value.kind, failed.value.code) == (kind, code)


def test_no_such_order_answers_for_the_only_number_asked() -> None:
    """Rules across carriers 3: it names no number."""
    response = Response(status=200, body=refusal("Order not exist."))
    assert all(isinstance(cut, CarrierError) for cut in ADAPTER.split(response, [ONE, TWO]).values())
    told = read(response.body)
    assert (told.number, told.status, told.raw_status) == (ONE, TrackingStatus.NOT_FOUND, "DS000000")


def test_an_order_without_a_number_is_nobodys() -> None:
    cut = ADAPTER.split(Response(status=200, body=order(event("FPX_S_OK", 9), number=None)), [ONE])[ONE]
    assert isinstance(cut, CarrierError)


def test_times_of_the_platform_stay_wall_clocks_whatever_stands_beside_them() -> None:
    """Rules across carriers 15: `timeZone` is the place's, the clock is not."""
    (scan,) = read(order(event("FPX_M_ATA", 5, timeZone="UTC+02:00"))).events
    assert (scan.time, scan.local_time, scan.offset) == (None, "2026-04-05T10:00:00", None)


def test_the_page_tells_instants_in_tk_date_alone() -> None:
    track = {
        "tkCode": "FPX_M_ATA",
        "tkDate": "2026-04-05T16:18:00.000+0000",
        "tkDateStr": "2026-04-06 00:18:00",
        "tkTimezone": "UTC+02:00",
    }
    (scan,) = read(page({"queryCode": ONE, "tracks": [track]})).events
    assert scan.time == int(datetime(2026, 4, 5, 16, 18, tzinfo=UTC).timestamp())
    (undated,) = read(page({"queryCode": ONE, "tracks": [{**track, "tkDate": None}]})).events
    assert undated.bounds() is None


@pytest.mark.parametrize("asked", [ONE, "06215200000024"])
def test_a_row_answers_to_its_own_and_its_last_mile_number(asked: str) -> None:
    """Rules across carriers 11: serverCode is the number to follow once it differs."""
    row = {"queryCode": ONE, "serverCode": "06215200000024", "shipperCode": ONE, "ctEndCode": "AT", "tracks": None}
    told = read(page(row), asked)
    assert (told.number, told.linked_number, told.destination_country) == (ONE, "06215200000024", "AT")


def test_a_row_asked_by_its_last_mile_number_is_not_linked_to_itself() -> None:
    row = {"queryCode": "06215200000024", "serverCode": "06215200000024", "shipperCode": ONE, "tracks": []}
    assert read(page(row), "06215200000024").linked_number is None
    assert read(page(row)).number == "06215200000024"


@pytest.mark.parametrize("body", [order(), page({"queryCode": ONE, "tracks": None}), page({"queryCode": ONE})])
def test_nothing_yet_is_neither_not_found_nor_in_transit(body: bytes) -> None:
    told = read(body)
    assert (told.status, told.raw_status, told.events) == (TrackingStatus.UNKNOWN, None, ())


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("FPX_L_RPIF", TrackingStatus.INFO_RECEIVED, None),
        ("FPX_C_SPLS", TrackingStatus.IN_TRANSIT, None),
        ("FPX_C_NEW", TrackingStatus.IN_TRANSIT, None),
        ("FPX_C_HFXX", TrackingStatus.EXCEPTION, None),
        ("FPX_M_NEW", TrackingStatus.IN_TRANSIT, None),
        ("FPX_I_HC", TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD),
        ("FPX_I_NEW", TrackingStatus.IN_TRANSIT, None),
        ("FPX_I_RCUK", TrackingStatus.IN_TRANSIT, None),
        ("FPX_D_SD", TrackingStatus.OUT_FOR_DELIVERY, None),
        ("FPX_D_FDNR", TrackingStatus.FAILED_ATTEMPT, None),
        ("FPX_D_NEW", TrackingStatus.IN_TRANSIT, None),
        ("FPX_S_OK", TrackingStatus.DELIVERED, None),
        ("FPX_S_OKNEW", TrackingStatus.UNKNOWN, None),
        ("FPX_S_NEW", TrackingStatus.UNKNOWN, None),
        ("FPX_O_NEW", TrackingStatus.UNKNOWN, None),
        ("OTHER", TrackingStatus.UNKNOWN, None),
    ],
)
def test_an_unknown_code_means_what_its_longest_family_means_never_a_delivery(
    code: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    """Rules across carriers 8."""
    told = read(order(event(code, 3)))
    assert (told.status, told.reason) == (status, reason)


def test_the_newest_scan_tells_the_status_in_whatever_order_they_come() -> None:
    told = read(order(event("FPX_L_RPIF", 1), event("FPX_D_SD", 9, destinationCountry="BR"), event("FPX_C_AAF", 3)))
    assert [scan.raw_code for scan in told.events] == ["FPX_L_RPIF", "FPX_C_AAF", "FPX_D_SD"]
    assert (told.status, told.destination_country) == (TrackingStatus.OUT_FOR_DELIVERY, "BR")


def test_who_signed_is_not_kept() -> None:
    """Rules across carriers 14: neither by the platform nor by the page."""
    platform = read(order(event("FPX_S_OK", 9, trackingContent="Delivered, signed by Fulana")))
    tracks = [{"tkCode": "FPX_S_OK", "tkDate": "2026-04-05T16:18:00+00:00", "tkDesc": "Delivered, signed by Fulana"}]
    told = read(page({"queryCode": ONE, "tracks": tracks}))
    assert [scan.description for scan in (*platform.events, *told.events)] == ["Delivered", "Delivered"]
