"""Who is asked when a source's day does not suffice for all (facts/daily-operations.md, Quota; facts/carriers.md 1). Pure.

The order, first to last, and within a class whoever has waited longest for an answer:

    deadline    a date of the order is near that people or money must meet
    awaited     a decision waits for fresh facts (D20), or for the answer that confirms it (R8)
    moving      its newest scan is young
    unscanned   announced, or not found: no scan yet
    silent      no scan for long
    settling    delivered or returned: asked in case that is taken back while money is open

A part of the day is kept for deadlines; what is kept melts with the hours that are left, so that nothing is wasted at midnight.
All but the first two are paced: at any hour they have used no more than the day's part up to then, and a little ahead of it. The
further down a class stands, the less it may be ahead: so a silent parcel in the morning never costs a moving one in the evening.

Whoever is due at the minute when a call may be made is nearly alone: a lottery, in which some would lose for months. So those
who are paced come together in rounds, at the full hour, the longest unanswered first; between rounds only what the last one
left over is given away.

Who waits is put off to when his turn should come. That is no failure: nothing is counted, nothing ages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from math import ceil

import msgspec

from tracker.polling.cadence import FINAL, Cadence, scatter
from tracker.store.rows import DueShipment

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

SOONEST = 10 * _MINUTE
"""Nobody comes back sooner: looking at who waits costs something too."""

ROUND = _HOUR
"""Seconds from one round to the next; each is open for `SOONEST`."""

AFTER_MIDNIGHT = _HOUR
"""Over so many seconds of the new day those are spread who waited for it."""


class Turn(StrEnum):
    """Why a parcel is asked about; the order of the words is the order of who is asked first."""

    DEADLINE = "deadline"
    AWAITED = "awaited"
    MOVING = "moving"
    UNSCANNED = "unscanned"
    SILENT = "silent"
    SETTLING = "settling"


ORDER: Mapping[Turn, int] = {turn: place for place, turn in enumerate(Turn)}

_AHEAD: Mapping[Turn, int] = {
    Turn.MOVING: 60 * _MINUTE,
    Turn.UNSCANNED: 45 * _MINUTE,
    Turn.SILENT: 30 * _MINUTE,
    Turn.SETTLING: 15 * _MINUTE,
}
"""Seconds that a class may be ahead of the even pace of the day; a class that is not named is not paced."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A source's (UTC) day: `used` of `daily` units at `at` (epoch seconds).

    A unit is a call that answers about `seats` numbers, or the registration of a new number (`seats` 1). `reserve` is the part of
    the whole day (0 to 1) that is kept for deadlines. `paced` is false for registrations: a number is registered once, so no
    parcel can use up the day of the others.
    """

    daily: int
    used: int
    at: int
    seats: int = 1
    reserve: float = 0.2
    paced: bool = True

    @property
    def elapsed(self) -> int:
        """Seconds since its midnight (UTC)."""
        return self.at % _DAY

    @property
    def kept(self) -> int:
        """Units that are kept for deadlines now."""
        return int(self.daily * self.reserve * (_DAY - self.elapsed) / _DAY)

    def limit(self, turn: Turn) -> int:
        """How many units may be used by now if the last one is used for a parcel of this class."""
        if turn is Turn.DEADLINE:
            return self.daily
        free = self.daily - self.kept
        ahead = _AHEAD.get(turn)
        if ahead is None or not self.paced:
            return free
        between = self.elapsed % ROUND >= SOONEST and self.elapsed < _DAY - ROUND
        upto = max(self.elapsed + ahead - ROUND, 0) if between else min(self.elapsed + ahead, _DAY)
        return min(free, ceil(free * upto / _DAY))


class Waits(msgspec.Struct, frozen=True):
    """A parcel that is not asked about now, and when its turn should come (epoch seconds)."""

    shipment: DueShipment
    turn: Turn
    until: int


class Ration(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked now, the most urgent first; who waits; how many units that takes."""

    asked: Sequence[DueShipment]
    waiting: Sequence[Waits] = ()
    units: int = 0


def by_turn(waiting: Iterable[Waits]) -> dict[str, int]:
    """How many wait, by class."""
    counted = Counter(each.turn for each in waiting)
    return {turn.value: counted[turn] for turn in Turn if counted[turn]}


def turn_of(shipment: DueShipment, cadence: Cadence, at: int, *, awaited: bool = False) -> Turn:
    """The class of a parcel at `at` (epoch seconds)."""
    if awaited:
        return Turn.DEADLINE if cadence.is_near(shipment.status, shipment.deadline_at, at) else Turn.AWAITED
    if shipment.status in FINAL:
        return Turn.SETTLING
    if cadence.is_near(shipment.status, shipment.deadline_at, at):
        return Turn.DEADLINE
    if shipment.moved_at is None:
        return Turn.UNSCANNED
    return Turn.MOVING if cadence.is_moving(shipment.moved_at, at) else Turn.SILENT


def in_order(
    shipments: Iterable[DueShipment], cadence: Cadence, at: int, awaited: Collection[int]
) -> list[tuple[Turn, DueShipment]]:
    """The parcels with their classes, the most urgent first; `awaited` are the ids for which a decision waits."""
    known = [(turn_of(each, cadence, at, awaited=each.id in awaited), each) for each in shipments]
    return sorted(known, key=lambda pair: (ORDER[pair[0]], pair[1].last_answer_at or 0, pair[1].id))


def ration(queue: Sequence[tuple[Turn, DueShipment]], day: Day) -> Ration:
    """Who of the `queue` (in order) is asked now, and until when the others wait. A seat in a call that goes anyway is free."""
    asked: list[DueShipment] = []
    waiting: list[Waits] = []
    used, seats = day.used, 0
    for turn, shipment in queue:
        if seats == 0:
            if waiting or used >= day.limit(turn):
                waiting.append(Waits(shipment, turn, _until(shipment, turn, used + len(waiting) // day.seats, day)))
                continue
            used, seats = used + 1, day.seats
        seats -= 1
        asked.append(shipment)
    return Ration(asked=asked, waiting=waiting, units=used - day.used)


def _until(shipment: DueShipment, turn: Turn, before: int, day: Day) -> int:
    """When the turn of a parcel comes if `before` units are used first: in a round at the day's pace, or with the new day."""
    number = shipment.number
    missing = max(before + 1 - day.limit(turn), 1)
    midnight = day.at - day.elapsed + _DAY
    if day.paced and turn in _AHEAD:
        soon = day.at + min(max(missing * _DAY // day.daily, SOONEST), _DAY - SOONEST)
        # A crowd is looked at in portions, the first due first: within a round that is the longest unanswered.
        age = max(day.at - (shipment.last_answer_at or 0), 0)
        return soon + -soon % ROUND + (SOONEST - 1) * _DAY // (_DAY + age)
    melting = 0 if turn is Turn.DEADLINE else int(day.daily * day.reserve)
    soon = day.at + max(missing * _DAY // melting, SOONEST) if melting else midnight
    return soon + scatter(number, SOONEST) if soon < midnight else midnight + scatter(number, AFTER_MIDNIGHT)
