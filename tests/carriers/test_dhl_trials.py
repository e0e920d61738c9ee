"""The other doors of DHL: MyDHL, the old XML of DHL Express, DHL Paket (facts: DHL)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers.base import Adapter, Query, Response
from carriers.dhl_express import DhlExpress
from carriers.dhl_parcel_de import DhlParcelDe
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from carriers.mydhl import Mydhl
from carriers.xmls import root
from tests.carriers import cases
from tests.carriers.logins import ask
from tests.carriers.loopback import Reply, http

MYDHL, EXPRESS, PAKET = Mydhl(), DhlExpress(), DhlParcelDe()
ONE, TWO = "9000000011", "9000000022"
BASIC = "Basic " + b64encode(b"the user:the password").decode()


def read(adapter: Adapter, body: str | bytes, number: str = ONE) -> Tracking:
    cut = adapter.split(Response(status=200, body=body if isinstance(body, bytes) else body.encode()), [number])[number]
    assert isinstance(cut, bytes), cut
    return adapter.read(cut)


def shipment(number: str = ONE, **event: Any) -> dict[str, Any]:
    return {"shipmentTrackingNumber": number, "events": [{"date": "2026-04-01", "time": "10:00:00", **event}]}


def mydhl(*shipments: dict[str, Any]) -> bytes:
    return json.dumps({"shipments": shipments}).encode()


async def test_mydhl_is_asked_one_number_a_call_so_that_not_found_has_a_name() -> None:
    def source(_: str, path: str, headers: Mapping[str, str], __: bytes) -> Reply:
        assert headers["authorization"] == BASIC
        asked = parse_qs(urlsplit(path).query)
        assert (urlsplit(path).path, asked["trackingView"], asked["levelOfDetail"]) == ("/tracking", ["all-checkpoints"], ["all"])
        if asked["shipmentTrackingNumber"] == [ONE]:
            return http(404, b'{"title":"No data found","detail":"none","status":404}')
        return http(200, mydhl(shipment(TWO, typeCode="OK")))

    batch = await ask(MYDHL, source, [Query(number=ONE), Query(number=TWO)])
    told = {number: MYDHL.read(cut).status.value for number, cut in batch.answers.items() if isinstance(cut, bytes)}
    assert told == {ONE: "not_found", TWO: "delivered"}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message":"no route"}', b'{"title":"Not Found","detail":"/tracking"}'])
def test_a_404_of_mydhl_that_does_not_speak_of_shipments_is_not_not_found(body: bytes) -> None:
    """R8."""
    with pytest.raises(CarrierError) as refused:
        MYDHL.split(Response(status=404, body=body), [ONE])
    assert refused.value.kind is ErrorKind.UNAVAILABLE


def test_mydhl_without_a_zone_has_no_instant() -> None:
    (event,) = read(MYDHL, mydhl(shipment(typeCode="PU"))).events
    assert (event.time, event.local_time) == (None, "2026-04-01T10:00:00")
    (event,) = read(MYDHL, mydhl(shipment(typeCode="PU", GMTOffset="+08:00", serviceArea=[{"code": "SZX"}]))).events
    assert (event.offset, event.location) == (480, "SZX")


@pytest.mark.parametrize(("zone", "offset"), [("+0800", 480), ("GMT-3", -180), ("CET", None), ("8", None)])
def test_a_zone_of_mydhl_that_cannot_be_read_takes_no_scan_its_day(zone: str, offset: int | None) -> None:
    """Rules across carriers 15: the wall clock stays, and the newest scan stays the newest."""
    told = read(MYDHL, mydhl(shipment(typeCode="OK", GMTOffset=zone)))
    assert (told.events[0].offset, told.events[0].local_time, told.status.value) == (offset, "2026-04-01T10:00:00", "delivered")


def test_mydhl_needs_shipments() -> None:
    with pytest.raises(CarrierError, match="without shipments"):
        MYDHL.split(Response(status=200, body=b"{}"), [ONE])


def awb(status: str, code: str = "", data: str = "", number: str = "") -> str:
    condition = f"<Condition><ConditionCode>{code}</ConditionCode><ConditionData>{data}</ConditionData></Condition>"
    told = f"<Status><ActionStatus>{status}</ActionStatus>{condition}</Status>"
    return f"<TrackingResponse><AWBInfo><AWBNumber>{number}</AWBNumber>{told}</AWBInfo></TrackingResponse>"


async def test_dhl_express_is_asked_for_all_numbers_with_its_password_in_the_body() -> None:
    seen: list[bytes] = []

    def source(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert (method, path, headers["content-type"]) == ("POST", "/", "application/xml")
        seen.append(body)
        return http(200, awb("success", number=ONE).encode())

    batch = await ask(EXPRESS, source, [Query(number=ONE), Query(number="<&>"), Query(number=ONE)])
    sent = root(seen[0])
    assert [element.text for element in sent.iter("AWBNumber")] == [ONE, "<&>"]
    header = sent.find("Request/ServiceHeader")
    assert header is not None
    assert (header.findtext("SiteID"), header.findtext("Password")) == ("the site_id", "the password")
    assert 28 <= len(header.findtext("MessageReference") or "") <= 32
    assert isinstance(batch.answers[ONE], bytes)
    assert isinstance(batch.answers["<&>"], CarrierError)


@pytest.mark.parametrize(
    ("status", "code", "data"),
    [
        ("No Shipments Found", "103", f"No Shipments Found for AWBNumber {ONE}"),
        ("No Shipments Found", "", ""),
        ("Failure", "103", "No Shipments Found"),
    ],
)
def test_condition_103_or_its_words_mean_not_found(status: str, code: str, data: str) -> None:
    told = read(EXPRESS, awb(status, code, data))
    assert (told.status, told.number) == (TrackingStatus.NOT_FOUND, ONE)


def test_another_condition_of_dhl_express_is_an_error() -> None:
    cut = EXPRESS.split(Response(status=200, body=awb("Failure", "104", "words", ONE).encode()), [ONE])[ONE]
    assert isinstance(cut, CarrierError)
    assert (cut.kind, cut.code) == (ErrorKind.BAD_RESPONSE, "104")


@pytest.mark.parametrize(("code", "kind"), [("100", ErrorKind.AUTH), ("999", ErrorKind.BAD_RESPONSE)])
def test_a_failure_of_dhl_express_without_shipments_is_told_by_its_condition(code: str, kind: ErrorKind) -> None:
    condition = f"<Condition><ConditionCode>{code}</ConditionCode><ConditionData>words</ConditionData></Condition>"
    body = f"<ErrorResponse><Response><Status><ActionStatus>Error</ActionStatus>{condition}</Status></Response></ErrorResponse>"
    with pytest.raises(CarrierError, match="DHL Express: words") as refused:
        EXPRESS.split(Response(status=200, body=body.encode()), [ONE])
    assert refused.value.kind is kind


def piece(number: str = ONE, events: str = "", **attributes: str) -> str:
    told = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    inner = f'<data name="piece-shipment" piece-code="{number}" {told}>{events}</data>'
    return f'<data name="piece-shipment-list" code="0">{inner}</data>'


SIGNED_AT_HOME = '<data name="piece-event" event-timestamp="28.03.2026 10:00" standard-event-code="ZU" ice="DLVRD"/>'


@pytest.mark.parametrize("app", [{}, {"app_name": "zt1", "app_password": 'p&"w'}])
async def test_dhl_paket_is_asked_one_number_a_call(app: dict[str, str]) -> None:
    """Keys stand in headers; in the query only where the account says that the service insists."""

    def source(_: str, path: str, headers: Mapping[str, str], __: bytes) -> Reply:
        assert (headers["dhl-api-key"], headers["authorization"]) == ("the api_key", BASIC)
        asked = root(parse_qs(urlsplit(path).query)["xml"][0].encode())
        assert (asked.get("request"), asked.get("language-code")) == ("d-get-piece-detail", "en")
        assert (asked.get("appname"), asked.get("password")) == (app.get("app_name"), app.get("app_password"))
        return http(200, piece(asked.get("piece-code") or "").encode())

    batch = await ask(PAKET, source, [Query(number=ONE), Query(number=TWO)], secrets=app)
    assert [isinstance(batch.answers[number], bytes) for number in (ONE, TWO)] == [True, True]


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ({"standard_event_code": "ZU", "ice": "DLVRD"}, "delivered"),
        ({"ice": "DLVRD"}, "delivered"),
        ({"standard_event_code": "QQ", "ice": "LDTMV"}, "in_transit"),
        ({"standard_event_code": "QQ", "ice": "DLVRD"}, "unknown"),
        ({"standard_event_code": "ZU", "ruecksendung": "true"}, "returned"),
        ({"standard_event_code": "AA", "ruecksendung": "true"}, "exception"),
        ({"standard_event_code": "ZU", "events": SIGNED_AT_HOME, "ruecksendung": "true"}, "returned"),
        ({}, "unknown"),
    ],
)
def test_dhl_paket_is_told_by_its_codes_and_ruecksendung_turns_them(attributes: dict[str, str], status: str) -> None:
    """Rules across carriers 6 and 8: no guess is a delivery, and none to the sender is one to the buyer."""
    assert read(PAKET, piece(**attributes)).status == status


def test_dhl_paket_times_are_german_and_its_own_number_is_no_link() -> None:
    event = '<data name="piece-event" event-timestamp="{}" standard-event-code="AA"/>'
    told = read(PAKET, piece(events=event.format("30.03.2026 10:00") + event.format("28.03.2026 10:00"), upu=ONE))
    assert [each.offset for each in told.events] == [60, 120]
    (day,) = read(PAKET, piece(events=event.format("30.03.2026"))).events
    assert (day.local_time, day.offset) == ("2026-03-30T00:00:00", None)
    assert told.linked_number is None


def test_names_of_receivers_are_kept_by_none() -> None:
    """Rules across carriers 14: recipient-*, Signatory, signedBy, and the name in a text."""
    for name in ("mydhl", "dhl_express", "dhl_parcel_de"):
        (sample,) = (s for s in cases.own(name) if s.case == "answer")
        assert any(word in sample.response.body for word in (b"SAMPLE", b"Musterfrau"))
        for cut in (
            (MYDHL if name == "mydhl" else EXPRESS if name == "dhl_express" else PAKET).split(sample.response, ()).values()
        ):
            assert isinstance(cut, bytes)
            assert all(word not in cut for word in (b"SAMPLE", b"Musterfrau", b"Musterstr"))


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_shipments_of_dhl_express_the_one_that_left_last_counts(*, turned: bool) -> None:
    """Rules across carriers 4: numbers are used again."""

    def info(day: str, code: str) -> str:
        event = f"<ShipmentEvent><Date>{day}</Date><ServiceEvent><EventCode>{code}</EventCode></ServiceEvent></ShipmentEvent>"
        told = f"<ShipmentInfo><ShipmentDate>{day}</ShipmentDate>{event}</ShipmentInfo>"
        return f"<AWBInfo><AWBNumber>{ONE}</AWBNumber><Status><ActionStatus>success</ActionStatus></Status>{told}</AWBInfo>"

    infos = [info("2023-01-01", "OK"), info("2026-04-01", "PU")]
    told = read(EXPRESS, f"<TrackingResponse>{''.join(infos[::-1] if turned else infos)}</TrackingResponse>")
    assert (told.status, told.events[0].local_time) == (TrackingStatus.IN_TRANSIT, "2026-04-01T00:00:00")


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_pieces_of_dhl_paket_the_one_scanned_last_counts(*, turned: bool) -> None:
    """Rules across carriers 4: numbers are used again; days come first in these times, not years."""
    old = f'<data name="piece-shipment" piece-code="{ONE}" standard-event-code="ZU" status-timestamp="30.12.2023 10:00"/>'
    new = f'<data name="piece-shipment" piece-code="{ONE}" standard-event-code="PO" status-timestamp="02.04.2026 10:00"/>'
    pieces = [new, old] if turned else [old, new]
    told = read(PAKET, f'<data name="piece-shipment-list" code="0">{"".join(pieces)}</data>')
    assert told.status is TrackingStatus.OUT_FOR_DELIVERY


@pytest.mark.parametrize("turned", [False, True])
def test_not_found_beside_a_shipment_of_the_same_number_is_none(*, turned: bool) -> None:
    """R8: a contradiction must not make a parcel untrackable."""
    infos = [awb("No Shipments Found", "103", "", ONE), awb("success", number=ONE)]
    inner = "".join(infos[::-1] if turned else infos)
    assert read(EXPRESS, f"<all>{inner}</all>").status is TrackingStatus.UNKNOWN
    answer = piece(standard_event_code="AA").replace('code="0"', 'code="100"')
    with pytest.raises(CarrierError) as refused:
        PAKET.split(Response(status=200, body=answer.encode()), [ONE])
    assert refused.value.kind is ErrorKind.BAD_RESPONSE
