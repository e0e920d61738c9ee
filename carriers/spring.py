"""Spring GDS: the command TrackShipment (facts: others, from samples only).

`ErrorLevel` 0 is an answer; any other level is an error inside HTTP 200, of which no code tells the cause. `Timestamp` is epoch
seconds, `DateTime` the same without a zone. The local carrier's number, where there is one, is to be followed in the last mile.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, newest
from carriers.scans import alpha2, arrange, at_epoch, event_key, instant
from carriers.talks import once, one_by_one, secret


class Event(msgspec.Struct, omit_defaults=True, rename="pascal", gc=False):
    """One scan."""

    timestamp: int | None = None
    date_time: str = ""
    code: int | str | None = None
    description: str | None = None
    city: str | None = None
    country: str | None = None


class Shipment(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """One number; encoded it is the slice."""

    tracking_number: str
    carrier: str | None = None
    carrier_tracking_number: str | None = None
    carrier_local_tracking_number: str | None = None
    events: list[Event] = []


class Answer(msgspec.Struct, rename="pascal"):
    """The one number asked about, or an error."""

    error_level: int
    error: str | None = None
    shipment: Shipment | None = None


_ANSWER = msgspec.json.Decoder(Answer)
_SHIPMENT = msgspec.json.Decoder(Shipment)


class Spring(Pushless):
    """Adapter `spring`. Secret: `api_key`. The request is (unverified) against the real service."""

    name = "spring"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One POST a number; the API wants the key in the body."""
        key = secret(account, "api_key")

        def call(query: Query) -> Request:
            body = {"Apikey": key, "Command": "TrackShipment", "Shipment": {"TrackingNumber": query.number}}
            url = f"{account.base_url.rstrip('/')}/"
            return Request(method="POST", url=url, headers={"content-type": "application/json"}, body=msgspec.json.encode(body))

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The answer is one shipment."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        answer = decode(_ANSWER, response.body)
        if answer.error_level or answer.shipment is None:
            level = str(answer.error_level)
            raise CarrierError(ErrorKind.BAD_RESPONSE, short(f"Spring: {answer.error or 'no shipment'}"), code=level)
        return join({answer.shipment.tracking_number: msgspec.json.encode(answer.shipment)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        shipment, words = decode(_SHIPMENT, raw), Glossary(table("spring", "code"))
        events = arrange([_event(each, words) for each in shipment.events])
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else UNKNOWN
        linked = shipment.carrier_local_tracking_number or shipment.carrier_tracking_number
        return Tracking(
            number=shipment.tracking_number,
            status=status,
            reason=reason,
            events=events,
            carrier_code=shipment.carrier,
            linked_number=linked if linked != shipment.tracking_number else None,
            unmapped=words.unmapped,
        )


def _event(event: Event, words: Glossary) -> TrackingEvent:
    code = None if event.code is None else str(event.code)
    status, reason = words.of(code)
    time, local, offset = instant(event.date_time) if event.timestamp is None else at_epoch(event.timestamp)
    place, text = event.city or "", event.description or ""
    return TrackingEvent(
        key=event_key(code or "", str(event.timestamp), event.date_time, text, place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code,
        description=text,
        location=place,
        country=alpha2(event.country),
    )
