"""How fresh our inputs are: answers of the sources, order files of the stores (D20; healthchecks' states)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

ANSWER_HOURS = 12
"""A source that has parcels due is asked at least every 6-24 h; twice the usual distance without any answer is late."""

LATE_FACTOR = 1.5
"""An order file expected every 24 h alerts at 36 h (D20)."""

STALE_FACTOR = 3.0
"""And stops outreach at 72 h."""


class Freshness(StrEnum):
    """new: nothing came yet; up; late: more than expected; down: it fails, or outreach waits for it; idle: nothing is wanted."""

    NEW = "new"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    IDLE = "idle"


def source_freshness(last: datetime | None, *, down: bool, due_since: datetime | None, now: datetime) -> Freshness:
    """Of a source: its `last` successful answer, `down` by its breaker, `due_since`: when the oldest due parcel should have gone.

    Silence is late only where something is due: a shop without open parcels asks nobody.
    """
    if down:
        return Freshness.DOWN
    if last is None:
        return Freshness.NEW
    if now - last <= timedelta(hours=ANSWER_HOURS):
        return Freshness.UP
    overdue = due_since is not None and now - due_since > timedelta(hours=1)
    return Freshness.LATE if overdue else Freshness.IDLE


def file_freshness(last: datetime | None, every_h: int | None, now: datetime) -> Freshness:
    """Of a store's order files: expected every `every_h` hours; None = nobody said so."""
    if every_h is None:
        return Freshness.IDLE
    if last is None:
        return Freshness.NEW
    age = now - last
    if age > timedelta(hours=STALE_FACTOR * every_h):
        return Freshness.DOWN
    return Freshness.LATE if age > timedelta(hours=LATE_FACTOR * every_h) else Freshness.UP
