"""Landmark Global: the Track API, in XML (facts: others, from samples only; times).

Errors stand under `Errors` inside HTTP 200, by `ErrorCode`. Codes 50 to 100 are data only. Times are wall clocks of the place, in
the American spelling: their instants stay unknown. A package has two numbers, Landmark's and the last mile's.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, newest
from carriers.numbers import normalise
from carriers.scans import arrange, event_key, instant
from carriers.talks import once, one_by_one, secret
from carriers.xmls import all_of, root, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan: code, wall clock as `09/27/2025 02:05 PM`, text, place."""

    code: str
    at: str
    label: str
    place: str


class Parcel(msgspec.Struct, omit_defaults=True):
    """One package by the number that was asked about, `last_mile` the other one; encoded it is the slice."""

    number: str
    events: list[Event]
    last_mile: str | None = None


_PARCEL = msgspec.json.Decoder(Parcel)
_ERRORS = {"Login": ErrorKind.AUTH}
_HOURS = {f"{hour:02d} {half}": f"{hour % 12 + 12 * (half == 'PM'):02d}" for hour in range(1, 13) for half in ("AM", "PM")}
"""Hours of twice twelve (`12 AM` is midnight) as those of a day."""


class Landmark(Pushless):
    """Adapter `landmark`. Secrets: `user`, `password`. The request, and so `base_url`, is (unverified)."""

    name = "landmark"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One POST a number; the API wants the login in the body."""
        user, password = escape(secret(account, "user")), escape(secret(account, "password"))

        def call(query: Query) -> Request:
            body = (
                f"<TrackRequest><Login><Username>{user}</Username><Password>{password}</Password></Login><Test>false</Test>"
                f"<TrackingNumber>{escape(query.number)}</TrackingNumber><RetrievalType>Historical</RetrievalType></TrackRequest>"
            )
            url = f"{account.base_url.rstrip('/')}/Track"
            return Request(method="POST", url=url, headers={"content-type": "application/xml"}, body=body.encode())

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into packages, under whichever of their two numbers was asked about."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        answer = root(response.body)
        for error in all_of(answer, "Error"):
            code = text(error, "ErrorCode")
            said = short(f"Landmark: {code or 'an error'}: {text(error, 'ErrorMessage') or ''}")
            raise CarrierError(_ERRORS.get(code or "", ErrorKind.BAD_RESPONSE), said, code=code)
        wanted = {normalise(number) for number in asked}
        parcels = [parcel for package in all_of(answer, "Package") for parcel in _parcels(package, wanted)]
        return join({parcel.number: msgspec.json.encode(parcel) for parcel in parcels}, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("landmark", "code"))
        events = arrange([_event(each, words) for each in parcel.events])
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else UNKNOWN
        return Tracking(
            number=parcel.number,
            status=status,
            reason=reason,
            events=events,
            linked_number=parcel.last_mile,
            unmapped=words.unmapped,
        )


def _parcels(package: Element, wanted: set[str]) -> Iterator[Parcel]:
    number, own = text(package, "TrackingNumber"), text(package, "LandmarkTrackingNumber")
    names = ("EventCode", "DateTime", "Status", "Location")
    events = [Event(*(text(each, name) or "" for name in names)) for each in all_of(package, "Event")]
    if number is not None:
        yield Parcel(number, events)
    if own is not None and (number is None or normalise(own) in wanted):
        yield Parcel(own, events, number)


def _event(event: Event, words: Glossary) -> TrackingEvent:
    status, reason = words.of(event.code)
    time, local, offset = instant(_iso(event.at))
    return TrackingEvent(
        key=event_key(event.code, event.at, event.label, event.place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code or None,
        description=event.label,
        location=event.place,
    )


def _iso(wall: str) -> str:
    """`09/27/2025 02:05 PM` as ISO 8601; what has another form gives no time. By slices: strptime costs twenty times as much."""
    hour = _HOURS.get(wall[11:13] + wall[16:])
    return f"{wall[6:10]}-{wall[:2]}-{wall[3:5]}T{hour}{wall[13:16]}:00" if hour else ""
