"""Ship24 (facts: Ship24, Track123, ParcelsApp).

One call makes a tracker and answers; asked again it answers alone. The milestone is the source's closed list of words and tells
the status; a status code tells a reason where our table knows it. `pending` is `unknown`, never "not found", which may cost
money: a tracker is pending before its first look too. A time is a wall clock, its distance to UTC stands beside it.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.persons import without_signer
from carriers.scans import Instant, alpha2, arrange, event_key, instant
from carriers.standing import stand
from carriers.talks import once, one_by_one, secret


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `occurrenceDatetime` is a wall clock `utcOffset` (`-03:00`) away from UTC; of a day alone with `hasNoTime`."""

    status: str | None = None
    occurrenceDatetime: str | None = None
    utcOffset: str | None = None
    hasNoTime: bool | None = None
    location: str | None = None
    courierCode: str | None = None
    statusCode: str | None = None
    statusMilestone: str | None = None


class Tracker(msgspec.Struct, gc=False):
    """Of the tracker, the number alone."""

    trackingNumber: str


class Shipment(msgspec.Struct, gc=False, omit_defaults=True):
    """Of the shipment, no recipient and no signature."""

    statusCode: str | None = None
    statusMilestone: str | None = None
    destinationCountryCode: str | None = None


class Item(msgspec.Struct, omit_defaults=True):
    """One tracker with its results; encoded it is the slice."""

    tracker: Tracker
    shipment: Shipment | None = None
    events: list[Event] | None = None

    @property
    def number(self) -> str:
        """The number it follows."""
        return self.tracker.trackingNumber


class Refusal(msgspec.Struct):
    """One entry of `errors`."""

    code: str | int | None = None
    message: str | None = None


class Data(msgspec.Struct):
    """The results, undecoded."""

    trackings: list[msgspec.Raw]


class Body(msgspec.Struct):
    """An answer has `data`, a failure `errors`, a partial answer (HTTP 207) both."""

    data: Data | None = None
    errors: list[Refusal] | None = None


_BODY = msgspec.json.Decoder(Body)
_ITEM = msgspec.json.Decoder(Item)
_ENCODER = msgspec.json.Encoder()


class Ship24(Pushless):
    """Adapter `ship24`. Secrets: `api_key`. Options: none. The fields of a request beyond the number are (unverified)."""

    name = "ship24"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number, which registers it where it is new. Memory of a number: `registered_at`."""
        key = secret(account, "api_key")
        url = f"{account.base_url.rstrip('/')}/trackers/track"
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        batch = yield from one_by_one(
            queries, lambda query: once(Request(method="POST", url=url, headers=headers, body=_wanted(query))), self.split
        )
        known = {number for number, kept in memory.numbers.items() if "registered_at" in kept}
        new = [number for number, cut in batch.answers.items() if isinstance(cut, bytes) and number not in known]
        return msgspec.structs.replace(batch, memory=Memory(numbers={n: {"registered_at": now.isoformat()} for n in new}))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into one tracker per number."""
        failed = http_error(response, _said(response.body))
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.data is None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"Ship24: {_said(response.body) or 'neither data nor errors'}")
        items = each(body.data.trackings, _ITEM, "number")
        return join(richest((n, item if isinstance(item, CarrierError) else _slice(item)) for n, item in items), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one tracker."""
        item = decode(_ITEM, raw)
        words, reasons = Glossary(codes.table("ship24_milestones", "milestone")), codes.table("ship24_codes", "code")
        events = arrange([_event(event, words, reasons) for event in item.events or ()])
        shipment = item.shipment or Shipment()
        told = reasons.get(shipment.statusCode or "") or words.of(shipment.statusMilestone)
        status, reason, notes = stand(events, told, shipment.statusMilestone)
        courier = next((event.courierCode for event in item.events or () if event.courierCode), None)
        return Tracking(
            number=item.number,
            status=status,
            reason=reason,
            raw_status=shipment.statusMilestone,
            raw_sub_status=shipment.statusCode,
            events=events,
            carrier_code=courier,
            destination_country=alpha2(shipment.destinationCountryCode),
            unmapped=words.unmapped,
            notes=notes,
        )


def _slice(item: Item) -> bytes:
    for event in item.events or ():
        event.status = without_signer(event.status)
    return _ENCODER.encode(item)


def _wanted(query: Query) -> bytes:
    hints = {
        "courierCode": [query.carrier_code] if query.carrier_code else None,
        "destinationCountryCode": query.country,
        "destinationPostCode": query.postcode,
        "shippingDate": query.ship_date,
    }
    return msgspec.json.encode({"trackingNumber": query.number} | {name: hint for name, hint in hints.items() if hint})


def _said(body: bytes) -> str:
    try:
        errors = decode(_BODY, body).errors or ()
    except CarrierError:
        return ""
    return short("; ".join(f"{error.code}: {error.message or 'no text'}" for error in errors))


def _event(event: Event, words: Glossary, reasons: codes.Table) -> TrackingEvent:
    status, reason = reasons.get(event.statusCode or "") or words.of(event.statusMilestone)
    time, local, offset = _instant(event)
    return TrackingEvent(
        key=event_key(event.occurrenceDatetime or "", event.statusCode or "", event.status or "", event.location or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.statusCode or event.statusMilestone,
        description=event.status or "",
        location=event.location or "",
    )


def _instant(event: Event) -> Instant:
    """The wall clock with its distance to UTC. Of a day alone the instant stays unknown, whatever zone it has."""
    told = instant(event.occurrenceDatetime or "")
    if told[1] is None or told[2] is not None or not event.utcOffset or event.hasNoTime:
        return told if not event.hasNoTime else (None, told[1], None)
    combined = instant(told[1] + event.utcOffset)
    return combined if combined[1] is not None else told
