"""MyDHL API: DHL Express, JSON (facts: DHL).

Dates and times are those of the place of a scan, whose zone is not told: the instant stays unknown (GMTOffset, where it comes, is
used; unverified). typeCode OK is a delivery. A 404 that speaks of shipments is "not found"; asked about one number a call, it
names one.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import arrange, event_key, instant, iso_offset
from carriers.standing import handed_back, stand
from carriers.talks import Call, once, one_by_one, secret

_NOT_FOUND_STATUS = 404
_NOT_FOUND_TEXTS = ("no data", "no result", "no shipment", "shipment not found", "shipments not found")
"""What a 404 says of a shipment, in lower case; one that says something else speaks of a path that is gone (unverified)."""


class Area(msgspec.Struct, gc=False, omit_defaults=True):
    """A service area: a town, not an address."""

    code: str | None = None
    description: str | None = None


class Event(msgspec.Struct, omit_defaults=True):
    """One scan; `signedBy` is left out."""

    date: str | None = None
    time: str | None = None
    GMTOffset: str | None = None
    typeCode: str | None = None
    description: str | None = None
    serviceArea: list[Area] | None = None


class Shipment(msgspec.Struct, omit_defaults=True):
    """One shipment; encoded it is the slice. `unknown`: not found."""

    shipmentTrackingNumber: str
    status: str | None = None
    shipmentTimestamp: str | None = None
    events: list[Event] | None = None
    unknown: bool = False


class Body(msgspec.Struct):
    """An answer has `shipments`, a failure `title` and `detail`."""

    shipments: list[Shipment] | None = None
    title: str | None = None
    detail: str | None = None


_BODY = msgspec.json.Decoder(Body)
_SHIPMENT = msgspec.json.Decoder(Shipment)


class Mydhl(Pushless):
    """Adapter `mydhl`. Secrets: `user`, `password`. Options: none."""

    name = "mydhl"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number: a "not found" for several would not say which."""
        user, password = secret(account, "user"), secret(account, "password")
        basic = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

        def call(query: Query) -> Call:
            asked = {"shipmentTrackingNumber": query.number, "trackingView": "all-checkpoints", "levelOfDetail": "all"}
            url = f"{account.base_url.rstrip('/')}/tracking?{urlencode(asked)}"
            return once(Request(method="GET", url=url, headers={"authorization": basic}))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The newest shipment of every number."""
        problem = _problem(response)
        said = ": ".join(filter(None, (problem.title, problem.detail)))
        failed = http_error(response, said)
        if failed is not None:
            if response.status != _NOT_FOUND_STATUS or not any(text in said.casefold() for text in _NOT_FOUND_TEXTS):
                raise failed
            number = asked[0] if len(asked) == 1 else ""
            return join({number: msgspec.json.encode(Shipment(number, unknown=True))}, asked)
        shipments = decode(_BODY, response.body).shipments
        if shipments is None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "MyDHL: an answer without shipments")
        newest = {each.shipmentTrackingNumber: each for each in sorted(shipments, key=lambda each: each.shipmentTimestamp or "")}
        for event in (event for each in newest.values() for event in each.events or ()):
            event.description = without_signer(event.description)
        return join({number: msgspec.json.encode(each) for number, each in newest.items()}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one shipment. `status` is free text: it is kept, and decides nothing."""
        shipment = decode(_SHIPMENT, raw)
        number = shipment.shipmentTrackingNumber or None
        if shipment.unknown:
            return Tracking(number=number, status=TrackingStatus.NOT_FOUND)
        glossary = Glossary(table("dhl_express", "code"))
        events = handed_back(arrange([_event(each, glossary) for each in shipment.events or ()]))
        status, reason, notes = stand(events, UNKNOWN, shipment.status)
        return Tracking(
            number=number,
            status=status,
            reason=reason,
            raw_status=shipment.status,
            events=events,
            unmapped=glossary.unmapped,
            notes=notes,
        )


def _problem(response: Response) -> Body:
    try:
        return decode(_BODY, response.body)
    except CarrierError:
        return Body()


def _event(event: Event, glossary: Glossary) -> TrackingEvent:
    time, local, offset = instant(f"{event.date}T{event.time or '00:00:00'}{iso_offset(event.GMTOffset)}")
    status, reason = glossary.of(event.typeCode)
    area = next(iter(event.serviceArea or ()), Area())
    return TrackingEvent(
        key=event_key(event.date or "", event.time or "", event.typeCode or "", event.description or "", area.code or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.typeCode,
        description=event.description or "",
        location=area.description or area.code or "",
    )
