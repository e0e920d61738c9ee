"""UPS: its headers, warnings that are answers, and packages by their own number (facts: UPS)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from carriers.base import Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.ups import Ups
from tests.carriers import cases
from tests.carriers.logins import NOW, Login, ask, epoch
from tests.carriers.loopback import Reply, http

ADAPTER = Ups()
ONE, TWO = "1Z0000000000000001", "1Z0000000000000002"
TOKEN = "/security/v1/oauth/token"


def act(kind: str | None, code: str = "XX", number: str = "005", day: int = 1, **more: Any) -> dict[str, Any]:
    told = {"type": kind, "code": code, "statusCode": number, "description": "words", "simplifiedTextDescription": "Delivered"}
    gmt = {"gmtDate": f"202604{day:02d}", "gmtTime": "15:00:00", "gmtOffset": "-05:00"}
    return {"status": told, "date": f"202604{day:02d}", "time": "100000", **gmt, **more}


def package(*acts: dict[str, Any], number: str = ONE, **more: Any) -> dict[str, Any]:
    return {"trackingNumber": number, "activity": list(acts), **more}


def shipment(*packages: dict[str, Any], inquiry: str = ONE, **more: Any) -> dict[str, Any]:
    return {"inquiryNumber": inquiry, "package": list(packages), **more}


def split(*shipments: dict[str, Any], asked: tuple[str, ...] = (ONE,)) -> dict[str, bytes | CarrierError]:
    body = {"trackResponse": {"shipment": list(shipments)}}
    return ADAPTER.split(Response(status=200, body=json.dumps(body).encode()), asked)


def read(*acts: dict[str, Any], **more: Any) -> Tracking:
    cut = split(shipment(package(*acts, **more)))[ONE]
    assert isinstance(cut, bytes), cut
    return ADAPTER.read(cut)


async def test_a_call_bears_the_token_and_an_id_that_can_be_made_again() -> None:
    def source(_: str, path: str, __: Mapping[str, str], ___: bytes) -> Reply:
        number = path.partition("/details/")[2].partition("?")[0]
        body = {"trackResponse": {"shipment": [shipment(package(act("I"), number=number), inquiry=number)]}}
        return http(200, json.dumps(body).encode())

    login = Login(TOKEN, source)
    batch = await ask(ADAPTER, login, [Query(number=ONE), Query(number=TWO)])
    assert all(isinstance(cut, bytes) for cut in batch.answers.values())
    (headers, body), *more = login.logins
    assert (body, more) == (b"grant_type=client_credentials", [])
    assert headers["authorization"] == "Basic " + b64encode(b"the client_id:the client_secret").decode()
    query = "locale=en_US&returnSignature=false&returnMilestones=false&returnPOD=false"
    assert [path for _, path, _, _ in login.calls] == [f"/api/track/v1/details/{number}?{query}" for number in (ONE, TWO)]
    ids = [headers["transid"] for _, _, headers, _ in login.calls]
    assert len(set(ids)) == 2
    assert {headers["transactionsrc"] for _, _, headers, _ in login.calls} == {"tracker"}
    again = Login(TOKEN, source)
    again.tokens = 1
    await ask(ADAPTER, again, [Query(number=ONE)], batch.memory.account, options={"transaction_source": "my shop"})
    assert again.calls[0][2]["transid"] == ids[0]
    assert again.calls[0][2]["transactionsrc"] == "my shop"
    await ask(ADAPTER, again, [Query(number=ONE)], batch.memory.account, NOW + timedelta(hours=1))
    assert again.calls[1][2]["transid"] != ids[0]


async def test_a_number_that_is_wrong_stops_no_other() -> None:
    def source(_: str, path: str, __: Mapping[str, str], ___: bytes) -> Reply:
        if ONE in path:
            return http(400, b'{"response":{"errors":[{"code":"TV1002","message":"Invalid inquiry number"}]}}')
        return http(200, json.dumps({"trackResponse": {"shipment": [shipment(package(act("I"), number=TWO))]}}).encode())

    batch = await ask(ADAPTER, Login(TOKEN, source), [Query(number=ONE), Query(number=TWO)])
    error = batch.answers[ONE]
    assert isinstance(error, CarrierError)
    assert (error.kind, error.code) == (ErrorKind.INVALID_NUMBER, "TV1002")
    assert isinstance(batch.answers[TWO], bytes)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "TV1002", ErrorKind.INVALID_NUMBER),
        (404, "TV1002", ErrorKind.INVALID_NUMBER),
        (400, "250003", ErrorKind.AUTH),
        (401, "250003", ErrorKind.AUTH),
        (429, "10429", ErrorKind.RATE_LIMITED),
        (400, "VSS002", ErrorKind.INVALID_REQUEST),
        (403, "10403", ErrorKind.AUTH),
        (500, "10500", ErrorKind.UNAVAILABLE),
    ],
)
def test_a_refusal_is_told_by_its_code_and_else_by_its_status(status: int, code: str, kind: ErrorKind) -> None:
    body = {"response": {"errors": [{"code": code, "message": "words"}]}}
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=status, body=json.dumps(body).encode(), headers={"retry-after": "9"}), [ONE])
    assert (refused.value.kind, refused.value.code, refused.value.retry_after) == (kind, code, 9)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"response":{"errors":[]}}',
        b'{"response":{"errors":[{"message":"no code"}]}}',
        b'{"response":{"errors":[{"code":"10404","message":"Resource not found"}]}}',
    ],
)
def test_a_404_without_the_sources_own_error_is_not_not_found(body: bytes) -> None:
    """R8."""
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=404, body=body), [ONE])
    assert refused.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("warnings", "kind"),
    [
        ([{"code": "TV1002"}], ErrorKind.INVALID_NUMBER),
        ([{"code": "??"}], ErrorKind.BAD_RESPONSE),
        (None, ErrorKind.BAD_RESPONSE),
    ],
)
def test_a_warning_instead_of_a_package_is_not_found_only_where_it_says_so(
    warnings: list[dict[str, str]] | None, kind: ErrorKind
) -> None:
    cut = split({"warnings": warnings})[ONE]
    assert isinstance(cut, CarrierError)
    assert cut.kind is kind
    found = split({"warnings": [{"code": "TW0001"}]})[ONE]
    assert isinstance(found, bytes)
    assert (ADAPTER.read(found).status, ADAPTER.read(found).number) == (TrackingStatus.NOT_FOUND, ONE)


def test_of_several_packages_each_belongs_to_its_own_number() -> None:
    told = split(shipment(package(act("D"), number=TWO), package(act("I")), package(act("X"), number="")), asked=(ONE,))
    assert list(told) == [ONE]
    cut = told[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).status is TrackingStatus.IN_TRANSIT
    stranger = split(shipment(package(act("D"), number=TWO)), asked=(ONE,))[ONE]
    assert isinstance(stranger, CarrierError)


def test_the_only_package_without_a_number_is_that_of_the_inquiry() -> None:
    cut = split(shipment(package(act("I"), number=""), inquiry=""), asked=(ONE,))[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == ONE


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_shipments_for_a_number_the_newest_counts(*, turned: bool) -> None:
    old, new = shipment(package(act("D", date="20230401"))), shipment(package(act("I")))
    cut = split(*((new, old) if turned else (old, new)))[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).status is TrackingStatus.IN_TRANSIT


@pytest.mark.parametrize(
    ("kind", "code", "number", "status", "reason"),
    [
        ("I", "OT", "005", TrackingStatus.OUT_FOR_DELIVERY, None),
        ("X", "SR", "003", TrackingStatus.IN_TRANSIT, None),
        ("X", "VK", "12", TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD),
        ("X", "H8", "35", TrackingStatus.EXCEPTION, TrackingReason.RETURNING),
        ("X", "A9", "999", TrackingStatus.EXCEPTION, None),
        ("MV", "VP", "007", TrackingStatus.EXCEPTION, TrackingReason.CANCELLED),
        ("D", "FS", "011", TrackingStatus.DELIVERED, None),
        ("D", "2Q", "040", TrackingStatus.AVAILABLE_FOR_PICKUP, None),
        ("RS", "RS", "034", TrackingStatus.RETURNED, None),
        ("ZZ", "FS", "011", TrackingStatus.UNKNOWN, None),
        (None, "FS", "011", TrackingStatus.UNKNOWN, None),
    ],
)
def test_type_and_codes_decide_never_the_simplified_text(
    kind: str | None, code: str, number: str, status: TrackingStatus, reason: TrackingReason | None
) -> None:
    """Facts, UPS: the text of every one of these says "Delivered"."""
    told = read(act(kind, code, number))
    assert (told.status, told.reason) == (status, reason)
    assert told.unmapped == (("ZZ",) if kind == "ZZ" else ())


def test_the_current_status_stands_where_no_activity_tells_one() -> None:
    told = read(currentStatus={"type": "M", "code": "MP"})
    assert (told.status, told.raw_status, told.raw_sub_status) == (TrackingStatus.INFO_RECEIVED, "M", "MP")
    told = read(act("I"), currentStatus={"type": "D", "code": "FS"})
    assert (told.status, told.notes) == (TrackingStatus.IN_TRANSIT, ("the status says D FS, the newest event I XX",))


NOTHING = {"gmtDate": None, "gmtTime": None, "gmtOffset": None}


@pytest.mark.parametrize(
    ("times", "time", "local", "offset"),
    [
        ({}, "2026-04-01T15:00:00", "2026-04-01T10:00:00", -300),
        ({"gmtOffset": None}, "2026-04-01T15:00:00", "2026-04-01T10:00:00", None),
        ({"date": None}, "2026-04-01T15:00:00", "2026-04-01T15:00:00", 0),
        (NOTHING, None, "2026-04-01T10:00:00", None),
        (NOTHING | {"gmtOffset": "-05:00"}, "2026-04-01T15:00:00", "2026-04-01T10:00:00", -300),
        (NOTHING | {"gmtOffset": "EST"}, None, "2026-04-01T10:00:00", None),
        ({"gmtTime": None, "gmtOffset": None}, None, "2026-04-01T10:00:00", None),
    ],
)
def test_without_the_gmt_fields_the_zone_is_unknown(
    times: dict[str, Any], time: str | None, local: str, offset: int | None
) -> None:
    (told,) = read(act("I", **times)).events
    assert (told.time, told.local_time, told.offset) == (time and epoch(time), local, offset)


def test_two_instants_for_one_event_are_told() -> None:
    told = read(act("I", gmtTime="16:30:00"))
    assert (told.events[0].time, told.notes) == (
        epoch("2026-04-01T16:30:00"),
        ("the GMT time and the local time of an event name two instants",),
    )


def test_names_and_signatures_are_not_kept() -> None:
    """Rules across carriers 14: deliveryInformation, packageAddress, street lines."""
    (sample,) = (s for s in cases.own("ups") if s.case == "delivered")
    assert b"SAMPLE" in sample.response.body
    for cut in ADAPTER.split(sample.response, ()).values():
        assert isinstance(cut, bytes)
        assert all(word not in cut for word in (b"SAMPLE", b"Invented Street", b"invented"))


def test_who_signed_is_not_kept_out_of_a_text_either() -> None:
    """Rules across carriers 14."""
    told = {"type": "D", "code": "KB", "description": "DELIVERED - Signed by: FULANA"}
    cut = split(shipment(package(act("D", day=2, status=told), act("I", status=None), currentStatus=told)))[ONE]
    assert isinstance(cut, bytes)
    assert b"FULANA" not in cut
    assert ADAPTER.read(cut).events[-1].description == "DELIVERED"
