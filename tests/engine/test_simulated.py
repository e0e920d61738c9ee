"""Simulated time: a full pass settles all that is due, the clock jumps over the rest."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec

from tests.waiting import PATIENCE
from tracker.clock import SimulatedClock
from tracker.engine.base import ROUNDS, Unit, full_pass
from tracker.engine.simulated import SimulatedEngine

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Done(msgspec.Struct):
    worked: int = 0
    more: bool = False


class Rows:
    """Due rows of one unit; doing one may make another unit's row due."""

    def __init__(self, clock: SimulatedClock, *due: datetime) -> None:
        self.clock = clock
        self.due = list(due)
        self.done: list[datetime] = []
        self.then: Rows | None = None

    async def run(self) -> Done:
        now = self.clock.now()
        ready = [at for at in self.due if at <= now]
        self.due = [at for at in self.due if at > now]
        self.done += [now] * len(ready)
        if self.then and ready:
            self.then.due.append(now)
        return Done(worked=len(ready))

    def unit(self, name: str) -> Unit:
        return Unit(name=name, every=1, run=self.run)


async def test_a_pass_goes_round_until_nothing_moves() -> None:
    """The last unit wakes the first one: both are settled in one pass."""
    clock = SimulatedClock(AT)
    poll, sweep = Rows(clock), Rows(clock, AT)
    sweep.then = poll
    await full_pass([poll.unit("poll"), sweep.unit("sweep")])
    assert (len(poll.done), len(sweep.done)) == (1, 1)


async def test_a_pass_that_never_settles_ends_all_the_same() -> None:
    runs = [0]

    async def busy() -> Done:
        runs[0] += 1
        return Done(worked=1)

    await full_pass([Unit(name="busy", every=1, run=busy)])
    assert runs == [ROUNDS]


async def test_a_stop_ends_a_pass_between_two_units() -> None:
    stop, runs = asyncio.Event(), [0]

    async def endless() -> Done:
        runs[0] += 1
        stop.set()
        return Done(worked=1, more=True)

    await full_pass([Unit(name="a", every=1, run=endless), Unit(name="b", every=1, run=endless)], stop)
    assert runs == [1]


async def test_the_clock_jumps_from_due_instant_to_due_instant() -> None:
    clock = SimulatedClock(AT)
    rows = Rows(clock, AT + timedelta(days=30), AT + timedelta(days=45, minutes=7), AT + timedelta(days=80))
    heard: list[datetime] = []

    async def next_due() -> datetime | None:
        return min(rows.due, default=None)

    until = AT + timedelta(days=75)
    engine = SimulatedEngine([rows.unit("sweep")], clock=clock, next_due=next_due, until=until, progress=heard.append)
    await engine.run(asyncio.Event())
    assert rows.done == [AT + timedelta(days=30), AT + timedelta(days=45, minutes=15)]
    assert heard == [AT, *rows.done, until]


async def test_what_stays_due_does_not_stop_the_clock() -> None:
    clock, looks = SimulatedClock(AT), [0]

    async def next_due() -> datetime | None:
        looks[0] += 1
        return AT

    engine = SimulatedEngine([], clock=clock, next_due=next_due, until=AT + timedelta(hours=1))
    await asyncio.wait_for(engine.run(asyncio.Event()), PATIENCE)
    assert clock.now() == AT + timedelta(hours=1)
    assert looks == [5]


async def test_nothing_due_any_more_ends_at_the_given_day() -> None:
    clock = SimulatedClock(AT)

    async def next_due() -> datetime | None:
        return None

    await SimulatedEngine([], clock=clock, next_due=next_due, until=AT + timedelta(days=75)).run(asyncio.Event())
    assert clock.now() == AT + timedelta(days=75)
