"""DHL Express, the legacy XML service (facts: DHL).

Every number has its `AWBInfo`; one that is not found (ConditionCode 103, "No Shipments Found") names its number only in the text
of the condition. Dates and times are those of the service area, whose zone is not told. Names and signatories are not kept.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import handed_back, stand
from carriers.talks import once, secret
from carriers.xmls import all_of, root, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NOT_FOUND = "103"
_NOT_FOUND_TEXT = "no shipments found"
_SUCCESS = "success"
_KINDS = {"100": ErrorKind.AUTH, "111": ErrorKind.INVALID_REQUEST}
"""Conditions of a whole request (unverified)."""


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan."""

    at: str
    code: str | None = None
    label: str | None = None
    area: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One shipment; encoded it is the slice. `unknown`: not found."""

    number: str
    status: str | None = None
    country: str | None = None
    events: list[Event] = []
    unknown: bool = False


_PARCEL = msgspec.json.Decoder(Parcel)


class DhlExpress(Pushless):
    """Adapter `dhl_express`. Secrets: `site_id`, `password`. Options: none.

    The request is (unverified) against the real service.
    """

    name = "dhl_express"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call for all numbers; the credentials stand in its body."""
        site, password = escape(secret(account, "site_id")), escape(secret(account, "password"))
        numbers = list(dict.fromkeys(query.number for query in queries))
        asked = "".join(f"<AWBNumber>{escape(number)}</AWBNumber>" for number in numbers)
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><req:KnownTrackingRequest xmlns:req="http://www.dhl.com"><Request><ServiceHeader>'
            f"<MessageTime>{now.isoformat(timespec='seconds')}</MessageTime>"
            f"<MessageReference>{f'{now.timestamp():.0f}'.zfill(28)}</MessageReference>"
            f"<SiteID>{site}</SiteID><Password>{password}</Password></ServiceHeader></Request><LanguageCode>en</LanguageCode>"
            f"{asked}<LevelOfDetails>ALL_CHECK_POINTS</LevelOfDetails></req:KnownTrackingRequest>"
        )
        headers = {"content-type": "application/xml"}
        response = yield from once(Request(method="POST", url=account.base_url, headers=headers, body=body.encode()))
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into its shipments; what names no number is that of the one that was asked."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        document = root(response.body)
        found: dict[str, bytes | CarrierError] = {}
        ranks: dict[str, tuple[bool, str]] = {}
        for info in all_of(document, "AWBInfo"):
            number = _number(info) or (asked[0] if len(asked) == 1 else "")
            # Numbers are used again: of those with data the shipment that left last counts.
            rank = _succeeded(info), text(info, "ShipmentInfo/ShipmentDate") or ""
            if number not in found or rank > ranks[number]:
                found[number], ranks[number] = _cut(info, number), rank
        if not found:
            code = text(document, "Response/Status/Condition/ConditionCode")
            said = text(document, "Response/Status/Condition/ConditionData") or "no shipment in the answer"
            raise CarrierError(_KINDS.get(code or "", ErrorKind.BAD_RESPONSE), short(f"DHL Express: {said}"), code=code)
        return join(found, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one shipment."""
        parcel = decode(_PARCEL, raw)
        number = parcel.number or None
        if parcel.unknown:
            return Tracking(number=number, status=TrackingStatus.NOT_FOUND, raw_status=parcel.status)
        glossary = Glossary(table("dhl_express", "code"))
        events = handed_back(arrange([_event(each, glossary) for each in parcel.events]))
        status, reason, notes = stand(events, UNKNOWN, parcel.status)
        return Tracking(
            number=number,
            status=status,
            reason=reason,
            raw_status=parcel.status,
            events=events,
            destination_country=alpha2(parcel.country),
            unmapped=glossary.unmapped,
            notes=notes,
        )


def _number(info: Element) -> str | None:
    """`AWBNumber`; of one that is not found the last word of "No Shipments Found for AWBNumber 123456789"."""
    told = text(info, "AWBNumber")
    if told is not None:
        return told
    words = (text(info, "Status/Condition/ConditionData") or "").split()
    return words[-1] if words and words[-1].isalnum() and any(map(str.isdigit, words[-1])) else None


def _succeeded(info: Element) -> bool:
    return (text(info, "Status/ActionStatus") or "").casefold() == _SUCCESS


def _cut(info: Element, number: str) -> bytes | CarrierError:
    said, code = text(info, "Status/ActionStatus") or "", text(info, "Status/Condition/ConditionCode")
    if code == _NOT_FOUND or said.casefold() == _NOT_FOUND_TEXT:
        return msgspec.json.encode(Parcel(number, code or said, unknown=True))
    if not _succeeded(info):
        return CarrierError(ErrorKind.BAD_RESPONSE, short(f"DHL Express: {said or 'no status'}"), code=code)
    events = [
        Event(
            at=f"{text(each, 'Date')}T{text(each, 'Time') or '00:00:00'}",
            code=text(each, "ServiceEvent/EventCode"),
            label=without_signer(text(each, "ServiceEvent/Description")),
            area=text(each, "ServiceArea/Description"),
        )
        for each in all_of(info, "ShipmentEvent")
    ]
    return msgspec.json.encode(Parcel(number, said, text(info, "ShipmentInfo/Consignee/CountryCode"), events=events))


def _event(event: Event, glossary: Glossary) -> TrackingEvent:
    time, local, offset = instant(event.at)
    status, reason = glossary.of(event.code)
    return TrackingEvent(
        key=event_key(event.at, event.code or "", event.label or "", event.area or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code,
        description=event.label or "",
        location=event.area or "",
    )
