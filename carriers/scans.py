"""Tracking events in order: keys, instants, and the sorting that every source needs (facts: rules across carriers, 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b, sha256

from carriers.model import TrackingEvent

Instant = tuple[int | None, str | None, int | None]
"""Epoch seconds, wall clock as `YYYY-MM-DDTHH:MM:SS`, minutes to UTC: the three time fields of a TrackingEvent."""

NO_INSTANT: Instant = (None, None, None)

_YEARS = range(1990, 2100)
"""Years a scan can have. Sources fill missing times with 0001-01-01 and 9999-12-31."""


def digest(raw: bytes) -> bytes:
    """The 16-byte digest of a slice: unchanged means nothing to read. Half a SHA-256, which most processors make."""
    return sha256(raw).digest()[:16]


def event_key(*fields: str) -> bytes:
    """The 8-byte fingerprint of an event over *raw* fields: derived ones change with our code and would double events."""
    return blake2b("\x1f".join(fields).encode("utf-8", "replace"), digest_size=8).digest()


def instant(text: str) -> Instant:
    """Read an ISO 8601 time. Without an offset the instant stays unknown; a text that is no time gives nothing at all."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return NO_INSTANT
    offset = moment.utcoffset()
    if offset is None or text[7:17:3] != "-T::" or moment.year not in _YEARS:
        return placed(moment)
    # The common form, `2026-09-02T16:13:25+08:00`, holds its wall clock already: a third of the time of printing it.
    return int(moment.timestamp()), text[:19], offset.days * 1440 + offset.seconds // 60


def placed(moment: datetime) -> Instant:
    """The three time fields of `moment`, aware or naive; nothing for a year that only stands in for "no time"."""
    if moment.year not in _YEARS:
        return NO_INSTANT
    wall = moment.replace(tzinfo=None, microsecond=0, fold=0).isoformat()
    offset = moment.utcoffset()
    if offset is None:
        return None, wall, None
    return int(moment.timestamp()), wall, offset.days * 1440 + offset.seconds // 60


def arrange(*lists: Sequence[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Merge lists of events: oldest first, each key once.

    A list comes oldest first or newest first; the latter is turned. An event without a usable time stays behind the one it
    follows in its list. An unknown zone places an event by its wall clock, near the middle of its bounds.
    """
    merged: list[TrackingEvent] = []
    places: list[int] = []
    for events in lists:
        moments = [_moment(event) for event in events]
        timed = [moment for moment in moments if moment is not None]
        newest_first = bool(timed) and timed[0] > timed[-1]
        step = -1 if newest_first else 1
        merged.extend(events[::step])
        places.extend(timed[::step] if len(timed) == len(events) else _filled(moments[::step]))
    ordered = (merged[at] for at in sorted(range(len(merged)), key=places.__getitem__))
    seen: dict[bytes, TrackingEvent] = {}
    for event in ordered:
        seen.setdefault(event.key, event)
    return tuple(seen.values())


def _filled(moments: Sequence[int | None]) -> Iterable[int]:
    """Every gap takes the moment before it; at the start, the first one after it."""
    place = next((moment for moment in moments if moment is not None), 0)
    for moment in moments:
        place = place if moment is None else moment
        yield place


def _moment(event: TrackingEvent) -> int | None:
    if event.time is not None or event.local_time is None:
        return event.time
    return int(datetime.fromisoformat(event.local_time).replace(tzinfo=UTC).timestamp())


def alpha2(text: str | None) -> str | None:
    """An ISO 3166 alpha-2 country as written by a source, or None: names and empty texts are no countries."""
    code = (text or "").strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004 - alpha-2
