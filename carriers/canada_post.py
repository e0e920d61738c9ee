"""Canada Post: the tracking details of one PIN, in XML (facts: others, from samples only; times).

A time is a day, a time of day and an abbreviation of its zone. Message 004 (No Pin History) is "not found". Signatories are named
in the answer: nothing of it is kept.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import arrange, event_key, instant
from carriers.talks import once, one_by_one, secret
from carriers.xmls import all_of, root, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ZONES: Mapping[str, str] = {
    "NST": "-03:30",
    "NDT": "-02:30",
    "AST": "-04:00",
    "ADT": "-03:00",
    "EST": "-05:00",
    "EDT": "-04:00",
    "CST": "-06:00",
    "CDT": "-05:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
}
"""What the abbreviations of North America stand for; another one leaves the instant unknown."""


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One occurrence: code, day, time of day, abbreviation of the zone, text, town, province."""

    code: str
    day: str
    hour: str
    zone: str
    label: str
    town: str
    province: str


class Parcel(msgspec.Struct, omit_defaults=True):
    """One PIN, or none where the refusal `told` names none; encoded it is the slice."""

    number: str | None
    events: list[Event] = []
    told: str | None = None


_PARCEL = msgspec.json.Decoder(Parcel)
_OCCURRENCE = ("identifier", "date", "time", "time-zone", "description", "site", "province")
_NO_HISTORY = "004"
_ABSENT = 404


class CanadaPost(Pushless):
    """Adapter `canada_post`. Secrets: `user`, `password` (the two halves of the API key). The request is (unverified)."""

    name = "canada_post"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One GET a PIN, by HTTP Basic."""
        basic = b64encode(f"{secret(account, 'user')}:{secret(account, 'password')}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "accept": "application/vnd.cpc.track-v2+xml", "accept-language": "en-CA"}

        def call(query: Query) -> Request:
            path = f"vis/track/pin/{quote(query.number, safe='')}/detail"
            return Request(method="GET", url=f"{account.base_url.rstrip('/')}/{path}", headers=headers)

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into its details; a refusal names no number and is that of the only one asked."""
        failed = http_error(response)
        if failed is not None and response.status != _ABSENT:
            raise failed
        try:
            answer = root(response.body)
        except CarrierError as unread:
            raise failed or unread from None
        codes = [text(each, "code") for each in all_of(answer, "message")]
        if _NO_HISTORY in codes:
            number = asked[0] if len(asked) == 1 else None
            return join({number or "": msgspec.json.encode(Parcel(number, told=_NO_HISTORY))}, asked)
        if failed is not None or codes:
            raise failed or CarrierError(ErrorKind.BAD_RESPONSE, f"Canada Post: message {codes[0]}", code=codes[0])
        details = {text(each, "pin") or "": each for each in all_of(answer, "tracking-detail")}
        return join({pin: msgspec.json.encode(Parcel(pin, _events(each))) for pin, each in details.items() if pin}, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("canada_post", "code"))
        events = arrange([_event(each, words) for each in parcel.events])
        last = newest(events)
        silent = (TrackingStatus.NOT_FOUND, None) if parcel.told == _NO_HISTORY else UNKNOWN
        status, reason = (last.status, last.reason) if last is not None else silent
        return Tracking(
            number=parcel.number, status=status, reason=reason, raw_status=parcel.told, events=events, unmapped=words.unmapped
        )


def _events(detail: Element) -> list[Event]:
    return [Event(*(text(each, f"event-{name}") or "" for name in _OCCURRENCE)) for each in all_of(detail, "occurrence")]


def _event(event: Event, words: Glossary) -> TrackingEvent:
    status, reason = words.of(event.code)
    time, local, offset = instant(f"{event.day}T{event.hour}{ZONES.get(event.zone, '')}")
    return TrackingEvent(
        key=event_key(event.code, event.day, event.hour, event.zone, event.label, event.town),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code or None,
        description=event.label,
        location=", ".join(filter(None, (event.town, event.province))),
    )
