"""Chronopost: the SOAP service trackSkybillV2, asked by GET (facts: others, from samples only).

`errorCode` 0 is an answer, 1 a failure of the service, both inside HTTP 200; times carry their offset. `infoCompList` names
consignees: nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, newest
from carriers.scans import arrange, event_key, instant
from carriers.talks import once, one_by_one
from carriers.xmls import all_of, root, text


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan: code, time with its offset, text, office."""

    code: str
    at: str
    label: str
    office: str


class Parcel(msgspec.Struct):
    """One shipment; encoded it is the slice."""

    number: str
    events: list[Event]


_PARCEL = msgspec.json.Decoder(Parcel)
_FINE = "0"
_ERRORS = {"1": ErrorKind.UNAVAILABLE}


class Chronopost(Pushless):
    """Adapter `chronopost`. No secrets. The request is (unverified) against the real service."""

    name = "chronopost"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One GET a number."""

        def call(query: Query) -> Request:
            words = urlencode({"language": "en_GB", "skybillNumber": query.number})
            return Request(method="GET", url=f"{account.base_url.rstrip('/')}/trackSkybillV2?{words}")

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the envelope into the shipment that it holds."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        found: dict[str, bytes] = {}
        for answer in all_of(root(response.body), "return"):
            code = text(answer, "errorCode")
            if code != _FINE:
                said = short(f"Chronopost: {text(answer, 'errorMessage') or 'no error code'}")
                raise CarrierError(_ERRORS.get(code or "", ErrorKind.BAD_RESPONSE), said, code=code)
            number = text(answer, "listEventInfoComp/skybillNumber")
            if number is not None:
                names = ("code", "eventDate", "eventLabel", "officeLabel")
                events = [Event(*(text(each, name) or "" for name in names)) for each in all_of(answer, "events")]
                found[number] = msgspec.json.encode(Parcel(number, events))
        return join(found, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("chronopost", "code"))
        events = arrange([_event(each, words) for each in parcel.events])
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else UNKNOWN
        return Tracking(number=parcel.number, status=status, reason=reason, events=events, unmapped=words.unmapped)


def _event(event: Event, words: Glossary) -> TrackingEvent:
    status, reason = words.of(event.code)
    time, local, offset = instant(event.at)
    return TrackingEvent(
        key=event_key(event.code, event.at, event.label, event.office),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code or None,
        description=event.label,
        location=event.office,
    )
