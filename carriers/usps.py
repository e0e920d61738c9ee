"""USPS Tracking 3: one number a call behind an OAuth token (facts: USPS).

Rules of this source: the newest event's code tells the status; `eventType` is asked first where one code has several meanings
("to original sender", "to agent", customs). `statusCategory` has a word against a delivery: "Delivered to Agent" is none to the
buyer. GMTTimestamp is the instant and eventTimestamp the wall clock of the place.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, Meaning
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import Instant, alpha2, arrange, event_key, in_zone, instant
from carriers.standing import handed_back, stand
from carriers.talks import Bearer, one_by_one, secret

_PATH = "/tracking/v3/tracking/{n}?expand=DETAIL"
_NOT_FOUND_STATUS = 404
_NUMBER_PARAMETER = "trackingNumber"
_NOT_FOUND_TEXTS = ("not available for this item", "tracking number")
"""What a 404 says of a parcel, in lower case; one that says something else speaks of a path that is gone (unverified)."""


class Event(msgspec.Struct, omit_defaults=True):
    """One scan. `firm` and `name` (who took it) are left out."""

    eventType: str | None = None
    eventTimestamp: str | None = None
    GMTTimestamp: str | None = None
    GMTOffset: str | None = None
    eventCountry: str | None = None
    eventCity: str | None = None
    eventState: str | None = None
    eventCode: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One parcel; encoded it is the slice. `statusSummary` names the place of delivery: left out. `unknown`: not found."""

    trackingNumber: str
    statusCategory: str | None = None
    status: str | None = None
    destinationCountryCode: str | None = None
    trackingEvents: list[Event] | None = None
    unknown: bool = False


class Source(msgspec.Struct):
    """What an error is about."""

    parameter: str | None = None


class Detail(msgspec.Struct):
    """One part of an error."""

    title: str | None = None
    detail: str | None = None
    source: Source | None = None


class Failure(msgspec.Struct):
    """An error. `code` is a number written as text."""

    code: str = ""
    message: str = ""
    errors: list[Detail] | None = None

    @property
    def names_number(self) -> bool:
        """Whether it is about the number that was asked."""
        return any(part.source is not None and part.source.parameter == _NUMBER_PARAMETER for part in self.errors or ())

    @property
    def not_found(self) -> bool:
        """Whether it says, in a 404, that the number is not known: a path that is gone has the same shape."""
        told = " ".join([self.message, *(f"{part.title} {part.detail}" for part in self.errors or ())]).casefold()
        return self.names_number or any(text in told for text in _NOT_FOUND_TEXTS)


class Envelope(msgspec.Struct):
    """The body of an error."""

    error: Failure


_PARCEL = msgspec.json.Decoder(Parcel)
_ENVELOPE = msgspec.json.Decoder(Envelope)


class Usps(Pushless):
    """Adapter `usps`. Secrets: `client_id`, `client_secret`. Options: `path`.

    `path` is by default `/tracking/v3/tracking/{n}?expand=DETAIL`; Tracking 3.2 is `/tracking/v3r2/tracking/{n}?expand=DETAIL`
    (unverified). 60 calls an hour, the one for the token included. The owner of a label has to allow others to track it.
    """

    name = "usps"
    batch_size = 5

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token if need be, then one call a number."""
        base = account.base_url.rstrip("/")
        path = str(account.options.get("path") or _PATH)
        bearer = Bearer(_login(account, base), memory, now)
        talk = one_by_one(
            queries,
            lambda query: bearer.send(Request(method="GET", url=base + path.replace("{n}", quote(query.number, safe="")))),
            self.split,
        )
        return (yield from bearer.keep(talk, queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The one parcel of the answer; a 404 that speaks of the item is "not found" for the one number asked."""
        failure = _failure(response)
        failed = http_error(response, failure.message if failure else "")
        if failed is None:
            parcel = decode(_PARCEL, response.body)
        elif response.status == _NOT_FOUND_STATUS and failure is not None and failure.not_found:
            parcel = Parcel(asked[0] if len(asked) == 1 else "", unknown=True)
        else:
            raise _refusal(failed, failure)
        return join({parcel.trackingNumber: msgspec.json.encode(parcel)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one parcel."""
        parcel = decode(_PARCEL, raw)
        number = parcel.trackingNumber or None
        if parcel.unknown:
            return Tracking(number=number, status=TrackingStatus.NOT_FOUND)
        glossary = Glossary(codes.table("usps", "field", "code"))
        top = glossary.of(f"category {parcel.statusCategory}") if parcel.statusCategory else UNKNOWN
        events = arrange([_event(event, glossary) for event in parcel.trackingEvents or ()])
        events = handed_back(_believed(events, top))
        status, reason, notes = stand(events, top, parcel.statusCategory)
        return Tracking(
            number=number,
            status=status,
            reason=reason,
            raw_status=parcel.statusCategory,
            raw_sub_status=parcel.status,
            events=events,
            destination_country=alpha2(parcel.destinationCountryCode),
            unmapped=tuple(code.partition(" ")[2] for code in glossary.unmapped),
            notes=notes,
        )


def _login(account: Account, base: str) -> Request:
    body = {
        "grant_type": "client_credentials",
        "client_id": secret(account, "client_id"),
        "client_secret": secret(account, "client_secret"),
    }
    return Request(
        method="POST",
        url=f"{base}/oauth2/v3/token",
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(body),
    )


def _failure(response: Response) -> Failure | None:
    try:
        return decode(_ENVELOPE, response.body).error
    except CarrierError:
        return None


def _refusal(failed: CarrierError, failure: Failure | None) -> CarrierError:
    """The HTTP status tells what is wrong, except of a 400: there it may be the number, or words that are none of USPS."""
    if failure is None or failed.kind is not ErrorKind.INVALID_REQUEST:
        return failed
    if not failure.code.isdecimal():
        return CarrierError(ErrorKind.BAD_RESPONSE, failed.message, code=failure.code)
    kind = ErrorKind.INVALID_NUMBER if failure.names_number else failed.kind
    return CarrierError(kind, failed.message, code=failure.code)


def _believed(events: tuple[TrackingEvent, ...], top: Meaning) -> tuple[TrackingEvent, ...]:
    """`events` without a delivery by the newest one that the category denies ("Delivered to Agent")."""
    last = newest(events)
    if last is None or last.status is not TrackingStatus.DELIVERED or top[0] in {TrackingStatus.UNKNOWN, last.status}:
        return events
    denied = msgspec.structs.replace(last, status=top[0], reason=top[1])
    return tuple(denied if event is last else event for event in events)


def _event(event: Event, glossary: Glossary) -> TrackingEvent:
    time, local, offset = _instant(event)
    status, reason = _spoken(event.eventType or "") or (glossary.of(f"event {event.eventCode}") if event.eventCode else UNKNOWN)
    told = event.eventTimestamp or event.GMTTimestamp or ""
    city = event.eventCity or ""
    return TrackingEvent(
        key=event_key(told, event.eventCode or "", event.eventType or "", city, event.eventState or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.eventCode,
        description=event.eventType or "",
        location=", ".join(filter(None, (city, event.eventState))),
        country=alpha2(event.eventCountry),
    )


def _instant(event: Event) -> Instant:
    """GMTTimestamp where it is told (it has the seconds); otherwise the wall clock with GMTOffset, or with no zone at all."""
    there = instant((event.eventTimestamp or "") + (event.GMTOffset or ""))
    greenwich = in_zone(event.GMTTimestamp or "", 0)
    if greenwich[0] is None:
        return there if there[1] is not None else instant(event.eventTimestamp or "")
    return greenwich[0], there[1] or greenwich[1], there[2] if there[1] is not None else greenwich[2]


@lru_cache(maxsize=512)
def _spoken(text: str) -> Meaning | None:
    """What a text of `usps.csv` means: one code has several, and they are told apart by words alone."""
    return codes.table("usps", "field", "code").get(f"text {text.casefold()}") if text else None
