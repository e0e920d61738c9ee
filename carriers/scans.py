"""Tracking events in order: keys, instants, and the sorting that every source needs (facts: rules across carriers, 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from hashlib import blake2b
from operator import gt

from xxhash import xxh3_128_digest

from carriers.codes import Meaning
from carriers.model import TrackingEvent

Instant = tuple[int | None, str | None, int | None]
"""Epoch seconds, wall clock as `YYYY-MM-DDTHH:MM:SS`, minutes to UTC: the three time fields of a TrackingEvent."""

NO_INSTANT: Instant = (None, None, None)

_YEARS = range(1990, 2100)
"""Years a scan can have. Sources fill missing times with 0001-01-01 and 9999-12-31."""

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - beside it stand wall clocks
_FIRST_DAY, _LAST_DAY = ((datetime(year, 1, 1) - _EPOCH).days for year in (_YEARS.start, _YEARS.stop))  # noqa: DTZ001 - the same
_from_iso = datetime.fromisoformat
_KEY = blake2b(digest_size=8)


def digest(raw: bytes) -> bytes:
    """The 16-byte digest of a slice: unchanged means nothing to read.

    XXH3 tells 128 bits' worth of accidents apart, not an enemy's work: a source that wanted to hide a scan would not send it. A
    cryptographic one costs as much as half the parsing that it saves.
    """
    return xxh3_128_digest(raw)


def event_key(*fields: str) -> bytes:
    """The 8-byte fingerprint of an event over *raw* fields: derived ones change with our code and would double events.

    So does another hash: a database keeps them for years.
    """
    hashed = _KEY.copy()
    hashed.update("\x1f".join(fields).encode("utf-8", "replace"))
    return hashed.digest()


def instant(text: str) -> Instant:
    """Read an ISO 8601 time. Without an offset the instant stays unknown; a text that is no time gives nothing at all."""
    try:
        if text[7:17:3] != "-T::":
            return placed(_from_iso(text))
        # The common form, `2026-09-02T16:13:25+08:00`: its wall clock stands there already, and zones are few. Half of the time.
        wall = text[:19]
        since, east = _from_iso(wall) - _EPOCH, _east(text[19:])
    except ValueError:
        return NO_INSTANT
    days = since.days
    if not _FIRST_DAY <= days < _LAST_DAY:
        return NO_INSTANT
    if east is None:
        return None, wall, None
    return days * _DAY + since.seconds - east, wall, east // 60


@lru_cache(maxsize=256)
def _east(zone: str) -> int | None:
    """Seconds that what stands behind a time of day (`+08:00`, `Z`, `.5Z`) lies east of Greenwich; None where no zone does."""
    offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset()
    return None if offset is None else offset.days * _DAY + offset.seconds


def placed(moment: datetime) -> Instant:
    """The three time fields of `moment`, aware or naive; nothing for a year that only stands in for "no time"."""
    if moment.year not in _YEARS:
        return NO_INSTANT
    wall = moment.replace(tzinfo=None, microsecond=0, fold=0).isoformat()
    offset = moment.utcoffset()
    if offset is None:
        return None, wall, None
    return int(moment.timestamp()), wall, offset.days * 1440 + offset.seconds // 60


def at_epoch(seconds: float) -> Instant:
    """An instant told as epoch seconds: its wall clock is UTC's. Nothing for a number that is no instant."""
    try:
        whole = int(seconds)
        moment = datetime.fromtimestamp(whole, UTC)
    except (OverflowError, OSError, ValueError):
        return NO_INSTANT
    return (whole, moment.isoformat()[:19], 0) if moment.year in _YEARS else NO_INSTANT


def in_zone(text: str, zone: tzinfo | int | None) -> Instant:
    """An ISO wall clock read in `zone` (a zone, or minutes east of Greenwich; None: unknown). An offset in `text` wins."""
    told = instant(text)
    if zone is None or told[1] is None or told[2] is not None:
        return told
    try:
        where = timezone(timedelta(minutes=zone)) if isinstance(zone, int) else zone
        return placed(datetime.fromisoformat(told[1]).replace(tzinfo=where))
    except (ValueError, OverflowError):
        return told


def iso_day_first(text: str) -> str:
    """`18.03.2016 10:02`, `18-03-2016 10:02:11`, `18/03/2016` as ISO 8601 (`2016-03-18T10:02`); a text of another form as it is.

    By slices, not by strptime, which costs twenty times as much (facts: performance, time parsing).
    """
    day, gap, time = text.strip().partition(" ")
    if len(day) != 10 or not (day[2] == day[5] in "./-"):  # noqa: PLR2004 - dd.MM.yyyy
        return text
    return f"{day[6:]}-{day[3:5]}-{day[:2]}" + ("T" + time.strip() if gap else "")


def iso_compact(day: str, time: str = "") -> str:
    """`20210210` and `071356` (UPS) as ISO 8601; what has another form as it is."""
    if not (day.isdecimal() and len(day) == 8):  # noqa: PLR2004 - yyyyMMdd
        return f"{day}T{time}" if time else day
    hour = f"{time[:2]}:{time[2:4]}:{time[4:]}" if time.isdecimal() and len(time) == 6 else time  # noqa: PLR2004 - HHmmss
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" + (f"T{hour}" if hour else "")


@lru_cache(maxsize=256)
def iso_offset(zone: str | None) -> str:
    """A distance to Greenwich as sources write it (`GMT-3`, `GMT+08:00`, `UTC+05:30`, `+08`) as ISO 8601 (`-03:00`).

    Empty for anything else, names of zones too: such a time stays a wall clock.
    """
    said = (zone or "").strip().upper().removeprefix("GMT").removeprefix("UTC")
    hours, _, minutes = said[1:].partition(":")
    if said[:1] not in {"+", "-"} or len(minutes) not in {0, 2} or not (hours + minutes).isdecimal() or not said.isascii():
        return ""
    if len(hours) == 4 and not minutes:  # noqa: PLR2004 - +0800
        hours, minutes = hours[:2], hours[2:]
    in_range = 1 <= len(hours) <= 2 and int(hours) <= 14 and int(minutes or 0) < 60  # noqa: PLR2004 - UTC+14 is the farthest
    return f"{said[0]}{hours:0>2}:{minutes:0>2}" if in_range else ""


def plain_scan(code: str | None, at: str, meant: Meaning, text: str, place: str, country: str | None = None) -> TrackingEvent:
    """A scan of which a source tells a code, an ISO time, a text and a place, and nothing else: its key is over those four."""
    time, local, offset = instant(at)
    return TrackingEvent(
        key=event_key(code or "", at, text, place),
        time=time,
        local_time=local,
        offset=offset,
        status=meant[0],
        reason=meant[1],
        raw_code=code,
        description=text,
        location=place,
        country=country,
    )


def arrange(*lists: Sequence[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Merge lists of events: oldest first, each key once.

    A list comes oldest first or newest first; the latter is turned. An event without a usable time stays behind the one it
    follows in its list. An unknown zone places an event by its wall clock, near the middle of its bounds.
    """
    merged: list[TrackingEvent] = []
    places: list[int] = []
    for events in lists:
        moments = [event.time for event in events]
        if None in moments:
            moments = [_moment(event) for event in events]
        timed = [moment for moment in moments if moment is not None]
        newest_first = bool(timed) and timed[0] > timed[-1]
        step = -1 if newest_first else 1
        merged.extend(events[::step])
        places.extend(timed[::step] if len(timed) == len(events) else _filled(moments[::step]))
    if any(map(gt, places, places[1:])):
        merged = [merged[at] for at in sorted(range(len(merged)), key=places.__getitem__)]
    if len({event.key for event in merged}) == len(merged):
        return tuple(merged)
    seen: dict[bytes, TrackingEvent] = {}
    for event in merged:
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
    since = datetime.fromisoformat(event.local_time) - _EPOCH
    return since.days * _DAY + since.seconds


def alpha2(text: str | None) -> str | None:
    """An ISO 3166 alpha-2 country as written by a source, or None: names and empty texts are no countries."""
    code = (text or "").strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004 - alpha-2


@lru_cache(maxsize=512)
def alpha2_of(code: str) -> str | None:
    """An ISO 3166 alpha-3 or numeric code (`GBR`, `156`) as alpha-2; None for what is no country, or has become several."""
    from babel.core import get_global

    # Unicode's aliases of territories know both: other spellings of the one that counts.
    told = get_global("territory_aliases").get(code.strip().upper(), ())
    return alpha2(told[0]) if len(told) == 1 else None
