"""When a parcel is asked about again (facts/carriers.md 1, politeness): never more often than the source learns anything new.

Everything is in whole epoch seconds. Jitter is made from the number: the same parcel gets the same distance on every run, and a
thousand parcels imported at once spread out by themselves. It only ever adds: the distances below are lower bounds.
"""

from __future__ import annotations

from datetime import datetime
from zlib import crc32

import msgspec

from carriers.errors import ErrorKind
from carriers.model import TrackingStatus

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

FINAL = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
"""Statuses after which nothing more is expected, though some are taken back."""

_JITTER = 10
"""A tenth of the distance is the most that jitter adds."""

PARKED = _DAY
"""How long a parcel rests whose answer could not be processed."""

UNROUTED = 6 * _HOUR
"""How long a parcel rests that no source is configured for: until somebody mends the configuration."""

LONGEST_BACKOFF = 6 * _HOUR

_FIRST_BACKOFF: dict[ErrorKind, int] = {
    ErrorKind.NOT_READY: 10 * _MINUTE,
    ErrorKind.REQUEST_EXPIRED: 10 * _MINUTE,
    ErrorKind.NOT_REGISTERED: 10 * _MINUTE,
    ErrorKind.ALREADY_REGISTERED: 10 * _MINUTE,
    ErrorKind.RATE_LIMITED: 5 * _MINUTE,
    ErrorKind.UNAVAILABLE: 15 * _MINUTE,
    ErrorKind.BAD_RESPONSE: 30 * _MINUTE,
    ErrorKind.AUTH: _HOUR,
    ErrorKind.QUOTA_EXHAUSTED: 6 * _HOUR,
}
"""Distance after the first failure; it doubles with every further one, up to `LONGEST_BACKOFF`."""

_REST: dict[ErrorKind, int] = {
    ErrorKind.INVALID_NUMBER: 7 * _DAY,
    ErrorKind.INVALID_REQUEST: _DAY,
}
"""Errors that no repetition mends: a person corrects the number or the configuration."""


class Cadence(msgspec.Struct, frozen=True, kw_only=True):
    """Distances between two polls of a number (tracker.toml [poll]).

    `fresh_h` before the first scan, `moving_h` while it moves, `stale_h` when the newest scan is older than `moving_days`,
    and for `final_days` after a final status, in case it is taken back; longer while a date of its order still lies ahead that
    money hangs on. Within `deadline_days` before such a date a parcel under way is asked every `deadline_h`, silent or not.
    Beyond `longest_days` after shipping events count as another parcel's (faults row 17). A decision that waits for fresh facts
    pulls the next poll forward by itself (D20).
    """

    fresh_h: int = 6
    moving_h: int = 6
    stale_h: int = 24
    moving_days: int = 10
    deadline_h: int = 6
    deadline_days: int = 3
    final_days: int = 14
    longest_days: int = 180
    fallback_after_h: int = 24
    """A source that has been down for so long is passed over where a parcel's carrier has another one."""

    def next_poll(
        self,
        number: str,
        status: TrackingStatus,
        moved_at: int | None,
        shipped_at: datetime | None,
        now: int,
        deadline_at: int | None = None,
    ) -> int | None:
        """After an answer; None = finished."""
        if shipped_at is not None and now - shipped_at.timestamp() > self.longest_days * _DAY:
            return None
        if status in FINAL:
            over = now - (moved_at or now) >= self.final_days * _DAY
            if over and (deadline_at is None or deadline_at < now):
                return None
            distance = self.stale_h
        elif moved_at is None:
            distance = self.fresh_h
        else:
            distance = self.moving_h if self.is_moving(moved_at, now) else self.stale_h
        if deadline_at is not None and distance > self.deadline_h and self.is_near(status, deadline_at, now):
            distance = self.deadline_h
        return now + spread(number, distance * _HOUR)

    def is_moving(self, moved_at: int, now: int) -> bool:
        """Whether the newest scan is young."""
        return now - moved_at <= self.moving_days * _DAY

    def is_near(self, status: TrackingStatus, deadline_at: int | None, now: int) -> bool:
        """Whether a date comes so soon that what the parcel does now matters. What has arrived is not asked about in haste."""
        return deadline_at is not None and 0 <= deadline_at - now <= self.deadline_days * _DAY and status not in FINAL


def after_error(number: str, kind: ErrorKind, failures: int, retry_after: float | None, now: int) -> int:
    """After a poll without an answer; `failures` is how many there were before. The source's own wish is a lower bound."""
    if kind in _REST:
        return now + spread(number, _REST[kind])
    first = _FIRST_BACKOFF[kind]
    distance = min(first << min(failures, 10), max(first, LONGEST_BACKOFF))
    return now + spread(number, max(distance, int(retry_after or 0)))


def without_penalty(number: str, retry_after: float | None, now: int) -> int:
    """After a poll whose answer is still being made, or that was never sent: soon, however often that was so before."""
    return now + spread(number, max(_FIRST_BACKOFF[ErrorKind.NOT_READY], int(retry_after or 0)))


def spread(number: str, distance: int) -> int:
    """`distance` and up to a tenth more, always the same for one number."""
    return distance + crc32(number.encode()) % (distance // _JITTER + 1)


def scatter(number: str, within: int) -> int:
    """A part of `within`, always the same for one number: so that what waited together does not come back together."""
    return crc32(number.encode()) % within
