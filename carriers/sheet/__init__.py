"""A forwarder's scan sheets from a drop folder: who has no API sends a table (facts: file formats 2.8; carriers, 26).

A code column may hold UPU EMSEVT events (EMA ... EMI, EDX), a forwarder's words, or both; a reason column says why a parcel is
held (the retention reason of EME) or was not delivered, and never turns a delivery into something else. A parcel is found by its
number and by its last-mile number (转单号).

All files of the folder are read together; a scan that stands in several of them counts once. A number that no sheet lists is an
error, never "not found": the forwarder said nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Meaning
from carriers.drop import unpack
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus, newest
from carriers.numbers import normalise
from carriers.scans import Instant, alpha2, arrange, event_key, instant
from carriers.sheet.tables import Row, rows
from carriers.standing import handed_back

_SLICE = msgspec.json.Decoder(list[Row])
_UNKNOWN: Meaning = (TrackingStatus.UNKNOWN, None)
_WITHOUT_REASON = frozenset(
    {TrackingStatus.DELIVERED, TrackingStatus.RETURNED, TrackingStatus.INFO_RECEIVED, TrackingStatus.UNKNOWN}
)
_NO_SCAN = frozenset({TrackingStatus.NOT_FOUND, TrackingStatus.EXPIRED})
_WALL = len("2026-04-01T10:00:00")
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)


class Sheet(Pushless):
    """Adapter `sheet`. Option: `zone` (`Asia/Shanghai`, `+08:00`) for times that name none; without it instants stay unknown."""

    name = "sheet"
    batch_size = 5000

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Read the whole folder."""
        response = yield Request(method="GET", url="drop:*")
        zone = str(account.options.get("zone", ""))
        return Batch(answers=_cut(response, [query.number for query in queries], zone))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut one sheet or a folder's listing into the rows of each number."""
        return _cut(response, asked, "")

    def read(self, raw: bytes) -> Tracking:
        """Read the rows of one number; the status is the newest row's. What is signed for on its way back, the sender signed."""
        listed = decode(_SLICE, raw)
        unmapped: dict[str, None] = {}
        events = handed_back(arrange([_event(row, unmapped) for row in listed]))
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else _UNKNOWN
        return Tracking(
            number=listed[0].number if listed else None,
            status=status,
            reason=reason,
            raw_status=last.raw_code if last is not None else None,
            events=events,
            linked_number=next((normalise(row.linked) for row in reversed(listed) if row.linked), None),
            unmapped=tuple(unmapped),
        )


def _cut(response: Response, asked: Sequence[str], zone: str) -> dict[str, bytes | CarrierError]:
    failed = http_error(response)
    if failed is not None:
        raise failed
    found: dict[str, dict[bytes, None]] = {}
    linked: dict[str, dict[bytes, None]] = {}
    owners: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    problems: list[str] = []
    # Oldest file first: a row without a time keeps its place behind the row before it.
    for file in reversed(unpack(response)):
        try:
            for row in rows(file):
                number = spelled.setdefault(normalise(row.number), row.number)
                row.number, row.zone = number, row.zone or zone
                found.setdefault(number, {})[msgspec.json.encode(row)] = None
                if asked and row.linked:
                    last_mile = spelled.setdefault(normalise(row.linked), row.linked)
                    owners.setdefault(last_mile, set()).add(number)
                    row.number, row.linked = last_mile, ""
                    linked.setdefault(last_mile, {})[msgspec.json.encode(row)] = None
        except CarrierError as error:
            problems.append(f"{file.name}: {error.message}" if file.name else error.message)
    if problems and not found:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "; ".join(problems[:3]))
    # A bag's number stands beside many parcels: it tells of none of them.
    told = {number: lines for number, lines in linked.items() if len(owners[number]) == 1} | found
    return join({number: b"[" + b",".join(lines) + b"]" for number, lines in told.items()}, asked)


@cache
def _meanings() -> dict[str, Meaning]:
    """UPU event codes, the words forwarders use, and our own status words. A row is a scan: it never tells "not found"."""
    own: dict[str, Meaning] = {status.value: (status, None) for status in TrackingStatus if status not in _NO_SCAN}
    words = {row["text"]: codes.meaning(row) for row in codes.rows("sheet_words")}
    return own | words | {row["event"].casefold(): codes.meaning(row) for row in codes.rows("upu_emsevt")}


@cache
def _reasons() -> dict[tuple[str, str], TrackingReason]:
    """By event and text; words of forwarders, and our own, mean the same beside every event."""
    own = {("", reason.value): reason for reason in TrackingReason}
    return own | {(row["event"].casefold(), row["text"]): TrackingReason(row["reason"]) for row in codes.rows("sheet_reasons")}


@lru_cache(maxsize=4096)
def _meaning(code: str, text: str) -> Meaning | None:
    """What a row tells: its code, the event that its code begins with (`EMI - final delivery`), else its text."""
    known = _meanings()
    code = code.casefold()
    event = code.replace("-", " ").replace(":", " ").partition(" ")[0]
    return known.get(code) or (known.get(event) if event in _events() else None) or known.get(text.casefold())


@cache
def _events() -> frozenset[str]:
    return frozenset(row["event"].casefold() for row in codes.rows("upu_emsevt"))


def _why(row: Row, meant: Meaning, unmapped: dict[str, None]) -> Meaning:
    """`meant` with the reason that the row tells, where the event can have one."""
    status, reason = meant
    if not row.reason or status in _WITHOUT_REASON:
        return meant
    told = row.reason.casefold()
    known = _reasons().get((row.code.casefold(), told)) or _reasons().get(("", told))
    if known is None:
        unmapped[f"reason {row.reason}"] = None
    return status, known or reason


def _event(row: Row, unmapped: dict[str, None]) -> TrackingEvent:
    told = row.code or row.text
    meant = _meaning(row.code, row.text)
    if meant is None and told:
        unmapped[told] = None
    status, reason = _why(row, meant or _UNKNOWN, unmapped)
    time, local, offset = _instant(row.time, row.zone)
    fields = (row.time, row.code, row.text, row.location)
    return TrackingEvent(
        key=event_key(*(fields if not row.reason else (*fields, row.reason))),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=told or None,
        description=row.text if not row.reason else f"{row.text}: {row.reason}".removeprefix(": "),
        location=row.location,
        country=alpha2(row.country) if row.country else None,
    )


def _instant(text: str, zone: str) -> Instant:
    """A year-first time; with an offset of its own, else in the row's or the account's zone, else of unknown instant."""
    wall = _wall(text)
    known = zone if len(zone) <= _LONGEST_ZONE else ""
    return instant(wall if len(wall) > _WALL else wall + _suffix(known, wall[:13]))


def _wall(text: str) -> str:
    """The time in ISO form, to the second; a text that is none comes back as no time."""
    if text[4:8:3] == "--" and text[10:11] in {" ", "T"} and len(text) in {16, 19}:
        # The common forms, `2026-04-01 10:00` with seconds or without.
        return f"{text[:10]}T{text[11:]}" + (":00" if len(text) < _WALL else "")
    try:
        return datetime.fromisoformat(text).isoformat(timespec="seconds")
    except ValueError:
        found = _YEAR_FIRST.fullmatch(text)
    if found is None:
        return ""
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"


_LONGEST_ZONE = 60
"""Characters of a zone's name. A longer one is none, and would be looked for in folders within folders."""


@lru_cache(maxsize=4096)
def _suffix(zone: str, hour: str) -> str:
    """The offset (`+08:00`) of a zone in an hour of its wall clock; nothing for an unknown zone, and for what is no hour."""
    where = _zone(zone)
    try:
        return "" if where is None else datetime.fromisoformat(hour).replace(tzinfo=where).isoformat()[_WALL:]
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _zone(text: str) -> tzinfo | None:
    """`+08:00`, `GMT+8`, `Asia/Shanghai`; None for anything else."""
    found = _OFFSET.fullmatch(text.strip().upper())
    if found is not None:
        distance = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(-distance if found[1] == "-" else distance) if distance < timedelta(days=1) else None
    try:
        return ZoneInfo(text.strip()) if text.strip() else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
