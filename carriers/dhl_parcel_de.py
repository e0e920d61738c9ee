"""DHL Paket in Germany, the XML service (facts: DHL).

Everything is an attribute of nested `<data name="…">`; code 0 is an answer and 100 "not found", both inside HTTP 200. Times are
German. `standard-event-code` tells what happened, `ice` where it is empty or new. `ruecksendung` turns a delivery into one to the
sender, and everything else into a return under way. `recipient-*` is not kept.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary, Meaning, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus
from carriers.scans import alpha2, arrange, event_key, in_zone, instant, iso_day_first
from carriers.standing import handed_back, stand
from carriers.talks import Call, once, one_by_one, secret
from carriers.xmls import all_of, root

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_FINE, _NOT_FOUND = {"", "0"}, "100"
_BACK = "true"
_HOUR, _MINUTE, _SECONDS = 13, 16, ":00"
"""Characters of a wall clock up to its hour (`2026-04-21T09`) and its minute, and what is never told behind that."""


class Event(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One scan."""

    at: str = ""
    label: str = ""
    ice: str = ""
    ric: str = ""
    code: str = ""
    place: str = ""
    back: bool = False


class Piece(msgspec.Struct, omit_defaults=True):
    """One piece; encoded it is the slice. `top` repeats its newest scan; `unknown`: not found."""

    number: str
    top: Event = Event()
    country: str | None = None
    upu: str | None = None
    events: list[Event] = []
    unknown: bool = False


_PIECE = msgspec.json.Decoder(Piece)


@cache
def _germany() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")


@lru_cache(maxsize=4096)
def _offset(hour: str) -> str:
    """Germany's distance to Greenwich in an hour (`2026-03-18T10`), as ISO 8601. Hours repeat, zones are slow."""
    # A day alone has no hour: with an offset behind it, it would be read as one.
    _, _, minutes = in_zone(f"{hour}:00" if len(hour) == _HOUR else "", _germany())
    return "" if minutes is None else f"+{minutes // 60:02}:00"


class DhlParcelDe(Pushless):
    """Adapter `dhl_parcel_de`. Secrets: `api_key`, `user`, `password`. The request is (unverified) against the real service.

    Where the service insists on them, `app_name` and `app_password` (secrets, too) are sent inside the query.
    """

    name = "dhl_parcel_de"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number."""
        key, user, password = secret(account, "api_key"), secret(account, "user"), secret(account, "password")
        headers = {"dhl-api-key": key, "authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}
        extra = {"appname": account.secrets.get("app_name"), "password": account.secrets.get("app_password")}

        def call(query: Query) -> Call:
            said = {"request": "d-get-piece-detail", "language-code": "en", "piece-code": query.number, **extra}
            words = " ".join(f"{name}={quoteattr(value)}" for name, value in said.items() if value)
            url = f"{account.base_url.rstrip('/')}/shipments?xml={quote(f'<data {words}/>', safe='')}"
            return once(Request(method="GET", url=url, headers=headers))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """One piece per number; "not found" belongs to the one number that was asked."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        document = root(response.body)
        alone = asked[0] if len(asked) == 1 else ""
        code, said = document.get("code"), document.get("error") or "no code"
        pieces = [each for each in all_of(document, "data") if each.get("name") == "piece-shipment"]
        if code == _NOT_FOUND and not pieces:
            return join({alone: msgspec.json.encode(Piece(alone, unknown=True))}, asked)
        if code not in _FINE:
            raise CarrierError(ErrorKind.BAD_RESPONSE, short(f"DHL Paket: {said}"), code=code)
        # Numbers are used again: the piece that was scanned last counts.
        pieces.sort(key=lambda each: iso_day_first(each.get("status-timestamp") or ""))
        return join(dict(_cut(each, alone) for each in pieces), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one piece."""
        piece = decode(_PIECE, raw)
        number = piece.number or None
        if piece.unknown:
            return Tracking(number=number, status=TrackingStatus.NOT_FOUND, raw_status=_NOT_FOUND)
        glossary = Glossary(table("dhl_parcel_de", "code"))
        events = handed_back(arrange([_event(each, glossary) for each in piece.events]))
        status, reason, notes = stand(events, _meaning(piece.top, glossary), piece.top.code)
        return Tracking(
            number=number,
            status=status,
            reason=reason,
            raw_status=piece.top.code or None,
            raw_sub_status=piece.top.ice or None,
            events=events,
            destination_country=alpha2(piece.country),
            linked_number=piece.upu if piece.upu != number else None,
            unmapped=glossary.unmapped,
            notes=notes,
        )


def _cut(element: Element, alone: str) -> tuple[str, bytes | CarrierError]:
    """A piece by the number that was searched, or by its own."""
    number = element.get("searched-piece-code") or element.get("piece-code") or alone
    wrong = element.get("error-status") or ""
    if wrong == _NOT_FOUND:
        return number, msgspec.json.encode(Piece(number, unknown=True))
    if wrong not in _FINE:
        return number, CarrierError(ErrorKind.BAD_RESPONSE, "DHL Paket: an error instead of a piece", code=wrong)
    scans = (each for each in all_of(element, "data") if each.get("name") == "piece-event")
    piece = Piece(
        number,
        top=_scan(element, "short-status", "status-timestamp"),
        country=element.get("dest-country"),
        upu=element.get("upu") or None,
        events=[_scan(each, "event-short-status", "event-timestamp") for each in scans],
    )
    return number, msgspec.json.encode(piece)


def _scan(element: Element, label: str, at: str) -> Event:
    """The short text alone: the long one may name who took a piece."""
    return Event(
        at=element.get(at) or "",
        label=element.get(label) or "",
        ice=element.get("ice") or "",
        ric=element.get("ric") or "",
        code=element.get("standard-event-code") or "",
        place=element.get("event-location") or "",
        back=element.get("ruecksendung") == _BACK,
    )


def _meaning(event: Event, glossary: Glossary) -> Meaning:
    meant = glossary.of(event.code or event.ice, event.ice)
    if not event.back:
        return meant
    if meant[0] is TrackingStatus.DELIVERED:
        return TrackingStatus.RETURNED, None
    return TrackingStatus.EXCEPTION, TrackingReason.RETURNING


def _event(event: Event, glossary: Glossary) -> TrackingEvent:
    at = iso_day_first(event.at)
    # With its seconds a time is read the quick way.
    time, local, offset = instant(at + (_SECONDS if len(at) == _MINUTE else "") + _offset(at[:_HOUR]))
    status, reason = _meaning(event, glossary)
    return TrackingEvent(
        key=event_key(event.at, event.code, event.ice, event.ric, event.place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code or event.ice or None,
        description=event.label,
        location=event.place,
    )
