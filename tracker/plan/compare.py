"""Two sets of rules over one order: what only the new ones do, what only the old ones did, what moves in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tracker.plan.ahead import Planned

SAME_TIME = timedelta(hours=1)
"""Effects nearer than this have not moved: rounding to a day's begin or a source's answer is no change of the rules."""


class Changed(StrEnum):
    """How an effect differs."""

    NEW = "new"
    GONE = "gone"
    MOVED = "moved"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `effect` is the new rules' one, or the old rules' where it is gone; `was_at` when it was due before."""

    how: Changed
    effect: Planned
    was_at: datetime | None = None


def compare(before: Iterable[Planned], after: Iterable[Planned]) -> tuple[Change, ...]:
    """The differences between what the old rules plan for an order and what the new ones do."""
    old, new = _first(before), _first(after)
    found = []
    for known, effect in new.items():
        was = old.get(known)
        if was is None:
            found.append(Change(how=Changed.NEW, effect=effect))
        elif abs(effect.at - was.at) >= SAME_TIME:
            found.append(Change(how=Changed.MOVED, effect=effect, was_at=was.at))
    gone = [Change(how=Changed.GONE, effect=effect, was_at=effect.at) for known, effect in old.items() if known not in new]
    return (*found, *gone)


def _first(effects: Iterable[Planned]) -> dict[str, Planned]:
    """By identity; a recommendation that is made again counts once."""
    found: dict[str, Planned] = {}
    for effect in effects:
        found.setdefault(effect.identity, effect)
    return found
