"""YunExpress: the tracking of its order system, one number a call (facts: YunExpress).

Rules of this source: every answer is HTTP 200, the envelope's `Code` says what it is. Times have no zone. The newest scan
tells the status where its node code is known, otherwise `TrackingStatus` does, then `PackageState`; a return in them wins
over a scan of delivery, which may be the one to the sender. "Not found" stands only where neither a scan nor the other status
knows better. `TrackingNumber` is the last-mile number where it differs from the waybill.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from functools import cache
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join, missing, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import Standing, stand
from carriers.talks import Call, once, one_by_one, secret

_NOT_FOUND = "not_found"
_OK = "ok"


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `ProcessDate` is a wall clock, of which place is not documented."""

    ProcessDate: str | None = None
    ProcessContent: str | None = None
    ProcessLocation: str | None = None
    TrackNodeCode: str | None = None
    TrackCodeDescription: str | None = None
    ProcessCountry: str | None = None


class Known(msgspec.Struct, omit_defaults=True):
    """What is kept of the `Item` of an answer."""

    WaybillNumber: str | None = None
    TrackingNumber: str | None = None
    CountryCode: str | None = None
    ProviderName: str | None = None
    PackageState: str | int | None = None
    TrackingStatus: str | int | None = None
    OrderTrackingDetails: list[Scan] | None = None


class Item(Known):
    """As it comes: the seller's own number joins the answer with the question, and is not kept."""

    CustomerOrderNumber: str | None = None


class Parcel(Known, omit_defaults=True):
    """The slice. `no_data` is the envelope's code where there is no item."""

    no_data: str | None = None


class Body(msgspec.Struct):
    """The envelope."""

    Code: str | int | None = None
    Message: str | None = None
    Item: msgspec.Raw = msgspec.Raw(b"null")


_BODY = msgspec.json.Decoder(Body)
_ITEM = msgspec.json.Decoder(Item)
_PARCEL = msgspec.json.Decoder(Parcel)
_ENCODER = msgspec.json.Encoder()


@cache
def _kinds() -> dict[str, str]:
    """The envelope's codes -> our word: a kind of error, `not_found` (a status), or `ok`."""
    return {row["code"]: row["kind"] for row in codes.rows("yunexpress_errors")}


class Yunexpress(Pushless):
    """Adapter `yunexpress`. Secrets: `code` (the customer code), `secret` (the API secret). Options: none.

    The order system's own API; the newer OAuth gateway is not used. Written from the field names of public clients.
    """

    name = "yunexpress"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number: a waybill, the seller's order number or a last-mile number."""
        pair = f"{secret(account, 'code')}&{secret(account, 'secret')}"
        headers = {"authorization": "Basic " + b64encode(pair.encode()).decode(), "accept": "application/json"}
        page = f"{account.base_url.rstrip('/')}/api/Tracking/GetTrackAllInfo?"

        def call(query: Query) -> Call:
            return once(Request(method="GET", url=page + urlencode({"OrderNumber": query.number}), headers=headers))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The one parcel of an answer, under whichever of its numbers it was asked for."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.Code is None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "no answer of YunExpress")
        code = str(body.Code)
        word = _kinds().get(code, ErrorKind.BAD_RESPONSE)
        if word == _NOT_FOUND:
            return _nothing(code, asked)
        if word != _OK:
            raise CarrierError(ErrorKind(word), short(f"YunExpress {code}: {body.Message or 'no message'}"), code=code)
        item = decode(_ITEM, body.Item)
        names = [name for name in (item.WaybillNumber, item.TrackingNumber, item.CustomerOrderNumber) if name]
        for scan in item.OrderTrackingDetails or ():
            scan.ProcessContent = without_signer(scan.ProcessContent)
        cut = _ENCODER.encode(msgspec.convert(item, Parcel, from_attributes=True))
        return join(dict.fromkeys(names if asked else names[:1], cut), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one parcel."""
        parcel = decode(_PARCEL, raw)
        if parcel.no_data is not None:
            return Tracking(number=parcel.WaybillNumber, status=TrackingStatus.NOT_FOUND, raw_status=parcel.no_data)
        glossary = Glossary(codes.table("yunexpress", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.OrderTrackingDetails or ()])
        standing = _standing(parcel, events, glossary)
        number = parcel.WaybillNumber or parcel.TrackingNumber
        return Tracking(
            number=number,
            status=standing.status,
            reason=standing.reason,
            raw_status=_text(parcel.TrackingStatus),
            raw_sub_status=_text(parcel.PackageState),
            events=events,
            carrier_code=parcel.ProviderName or None,
            destination_country=alpha2(parcel.CountryCode),
            linked_number=parcel.TrackingNumber if parcel.TrackingNumber and parcel.TrackingNumber != number else None,
            unmapped=glossary.unmapped,
            notes=standing.notes,
        )


def _nothing(code: str, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
    """The envelope's "no data" names no number: it is an answer for the only one asked, and for nobody among several."""
    if len(asked) > 1:
        return dict.fromkeys(asked, missing())
    number = asked[0] if asked else None
    return {number or "": _ENCODER.encode(Parcel(WaybillNumber=number, no_data=code))}


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _standing(parcel: Parcel, events: tuple[TrackingEvent, ...], glossary: Glossary) -> Standing:
    said, top = "neither status", UNKNOWN
    for field, value in (("PackageState", parcel.PackageState), ("TrackingStatus", parcel.TrackingStatus)):
        told = glossary.of(f"{field} {value}") if value is not None else UNKNOWN
        # "Not found" beside scans or a state contradicts itself, and may cost money.
        nothing = told[0] is TrackingStatus.NOT_FOUND and (events or top != UNKNOWN)
        if told[0] is not TrackingStatus.UNKNOWN and not nothing:
            said, top = f"{field} {value}", told
    return stand(events, top, said)


def _event(scan: Scan, glossary: Glossary) -> TrackingEvent:
    code, wall = scan.TrackNodeCode or "", scan.ProcessDate or ""
    status, reason = glossary.of(code)
    time, local, offset = instant(wall)
    text = scan.ProcessContent or scan.TrackCodeDescription or ""
    return TrackingEvent(
        key=event_key(code, wall, text, scan.ProcessLocation or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=text,
        location=scan.ProcessLocation or "",
        country=alpha2(scan.ProcessCountry),
    )
