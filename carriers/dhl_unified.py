"""DHL Shipment Tracking Unified: all divisions of DHL, one number a call (facts: DHL; v1.5.8 of its documents).

Rules of this source: `statusCode` is the machine field, and knows five words; a phrase of `dhl_unified_texts.csv` says more. The
newest event's code wins over the top status, which is told as pre-transit against a parcel's own events; both raw ones are kept.
A time without a zone has the zone of the top status where both print the same wall clock, otherwise it stays unknown. "No result
found" with 404 is an answer; any other 404 says nothing.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary, Meaning
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer, without_street
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import handed_back, stand
from carriers.talks import Call, once, one_by_one, secret

_NO_RESULT = "no result found"
_NOT_FOUND_STATUS = 404
_WALL = 19
"""Characters of a wall clock: `2026-04-02T10:00:00`."""


class Country(msgspec.Struct, gc=False, omit_defaults=True):
    """Of a destination only its country: the rest is the buyer's address."""

    countryCode: str | None = None


class Town(Country, omit_defaults=True):
    """Where a scan was made."""

    addressLocality: str | None = None


class Destination(msgspec.Struct, omit_defaults=True):
    """Where a shipment goes."""

    address: Country | None = None


class Place(msgspec.Struct, omit_defaults=True):
    """The place of a scan."""

    address: Town | None = None


class Scan(msgspec.Struct, omit_defaults=True):
    """One event, or the top status: they have one shape."""

    timestamp: str | None = None
    statusCode: str | None = None
    status: str | None = None
    description: str | None = None
    remark: str | None = None
    location: Place | None = None


class Shipment(msgspec.Struct, omit_defaults=True):
    """One shipment; encoded it is the slice. `id` comes as a number, too; `unknown` stands for "No result found"."""

    id: str | int
    service: str | None = None
    destination: Destination | None = None
    status: Scan | None = None
    events: list[Scan] | None = None
    unknown: bool = False


class Body(msgspec.Struct):
    """An answer has `shipments`; a problem (RFC 7807) `title` and `detail`."""

    shipments: list[Shipment] | None = None
    title: str | None = None
    detail: str | None = None


_BODY = msgspec.json.Decoder(Body)
_SLICE = msgspec.json.Decoder(Shipment)


class DhlUnified(Pushless):
    """Adapter `dhl_unified`. Secrets: `api_key`. Options: none.

    The usual key allows 250 calls a day, one in 5 s. `service` is never sent: with a wrong one every number is "not found".
    """

    name = "dhl_unified"
    batch_size = 5

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number, with that number's own postcode."""
        headers = {"dhl-api-key": secret(account, "api_key")}
        return (yield from one_by_one(queries, lambda query: _call(query, account, headers), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The newest shipment of every number; "No result found" belongs to the one number that was asked."""
        problem = _problem(response)
        failed = http_error(response, problem)
        if failed is not None:
            if response.status != _NOT_FOUND_STATUS or not problem.casefold().startswith(_NO_RESULT):
                raise failed
            number = asked[0] if len(asked) == 1 else ""
            return join({number: msgspec.json.encode(Shipment(number, unknown=True))}, asked)
        shipments = decode(_BODY, response.body).shipments
        if shipments is None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "DHL: an answer without shipments")
        return join({number: msgspec.json.encode(each) for number, each in _by_number(shipments, asked).items()}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one shipment."""
        shipment = decode(_SLICE, raw)
        number = str(shipment.id) or None
        if shipment.unknown:
            return Tracking(number=number, status=TrackingStatus.NOT_FOUND, raw_status="No result found")
        glossary = Glossary(codes.table("dhl_unified", "code"))
        top = shipment.status or Scan()
        # Some divisions tell the top status alone: then it is the only scan.
        scans = shipment.events or ([top] if top.timestamp else [])
        events = handed_back(arrange([_event(scan, top, glossary) for scan in scans]))
        status, reason, notes = stand(events, _meaning(top, glossary), top.statusCode)
        return Tracking(
            number=number,
            status=status,
            reason=reason,
            raw_status=top.statusCode,
            raw_sub_status=top.status,
            events=events,
            carrier_code=shipment.service,
            destination_country=_country(shipment.destination),
            unmapped=glossary.unmapped,
            notes=notes,
        )


def _call(query: Query, account: Account, headers: Mapping[str, str]) -> Call:
    asked = {"trackingNumber": query.number, "recipientPostalCode": query.postcode, "language": "en"}
    told = urlencode({name: value for name, value in asked.items() if value})
    return once(Request(method="GET", url=f"{account.base_url.rstrip('/')}/track/shipments?{told}", headers=headers))


def _problem(response: Response) -> str:
    """The words of a problem; empty where the answer is none."""
    try:
        body = decode(_BODY, response.body)
    except CarrierError:
        return ""
    return ": ".join(filter(None, (body.title, body.detail)))


def _by_number(shipments: Sequence[Shipment], asked: Sequence[str]) -> dict[str, Shipment]:
    """The newest shipment of every number: numbers are used again. An id that came as a number has lost its leading zeros."""
    spelled = {number.lstrip("0"): number for number in asked}
    found: dict[str, Shipment] = {}
    for shipment in shipments:
        for scan in (shipment.status, *(shipment.events or ())):
            if scan is not None:
                _clear(scan)
        bare = isinstance(shipment.id, int)
        shipment.id = spelled.get(str(shipment.id), str(shipment.id)) if bare else shipment.id
        number = str(shipment.id)
        if number not in found or _latest(shipment) > _latest(found[number]):
            found[number] = shipment
    return found


def _latest(shipment: Shipment) -> str:
    scans = (shipment.status, *(shipment.events or ()))
    return max(((scan.timestamp or "")[:_WALL] for scan in scans if scan is not None), default="")


def _clear(scan: Scan) -> None:
    """Take the persons out of a scan."""
    scan.description, scan.remark = without_signer(scan.description), without_signer(scan.remark)
    if scan.location is not None and scan.location.address is not None:
        scan.location.address.addressLocality = without_street(scan.location.address.addressLocality)


def _event(scan: Scan, top: Scan, glossary: Glossary) -> TrackingEvent:
    told = scan.timestamp or ""
    time, local, offset = instant(told)
    if time is None and local is not None and (top.timestamp or "")[:_WALL] == local:
        time, local, offset = instant(top.timestamp or "")
    status, reason = _meaning(scan, glossary)
    place = (scan.location and scan.location.address) or Town()
    return TrackingEvent(
        # Without the zone: the same scan is told with it and without it.
        key=event_key(
            told[:_WALL], scan.statusCode or "", scan.status or "", scan.description or "", place.addressLocality or ""
        ),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=scan.statusCode,
        description=". ".join(filter(None, (scan.description or scan.status, scan.remark))),
        location=place.addressLocality or "",
        country=alpha2(place.countryCode),
    )


def _meaning(scan: Scan, glossary: Glossary) -> Meaning:
    spoken = f"{scan.status or ''}\n{scan.description or ''}\n{scan.remark or ''}"
    return _said(scan.statusCode or "", spoken) or glossary.of(scan.statusCode)


@cache
def _phrases() -> Mapping[str, list[tuple[str, Meaning]]]:
    table: dict[str, list[tuple[str, Meaning]]] = {}
    for row in codes.rows("dhl_unified_texts"):
        table.setdefault(row["code"], []).append((row["text"], codes.meaning(row)))
    return table


@lru_cache(maxsize=2048)
def _said(code: str, spoken: str) -> Meaning | None:
    """The first phrase of `code` that is spoken. DHL has few texts for millions of scans."""
    folded = spoken.casefold()
    return next((meant for text, meant in _phrases().get(code, ()) if text in folded), None)


def _country(destination: Destination | None) -> str | None:
    return alpha2(destination.address.countryCode) if destination is not None and destination.address is not None else None
