"""The local engine: APScheduler kicks, our pool works and drains (facts/engine.md 2.8 and 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.conftest import Lines
from tests.waiting import PATIENCE
from tracker.clock import SystemClock
from tracker.engine import local
from tracker.engine.base import Unit
from tracker.engine.guard import TimeGuard
from tracker.engine.local import LocalEngine
from tracker.health import Heartbeat
from tracker.store.errors import Unwritable


class Done(msgspec.Struct):
    worked: int = 1
    more: bool = False


class Lost(Exception):  # noqa: N818
    """Stands for a database that belongs to another daemon now."""


class ShiftedClock(SystemClock):
    """A wall clock that somebody sets."""

    shift = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.shift


def engine_of(*units: Unit, clock: SystemClock | None = None, drain: float = 5) -> LocalEngine:
    clock = clock or SystemClock()
    return LocalEngine(units, clock=clock, heartbeat=Heartbeat(clock), guard=TimeGuard(clock), fatal=(Lost,), drain_seconds=drain)


def unit(run: Callable[[], Awaitable[Done]], *, every: float = 3600, lanes: int = 1, name: str = "poll") -> Unit:
    return Unit(name=name, every=every, run=run, lanes=lanes)


async def test_it_works_at_once_and_unit_after_unit_until_nothing_is_left() -> None:
    stop, left = asyncio.Event(), [3]

    async def work() -> Done:
        left[0] -= 1
        if not left[0]:
            stop.set()
        return Done(more=left[0] > 0)

    await asyncio.wait_for(engine_of(unit(work)).run(stop), PATIENCE)
    assert left == [0]


async def test_it_kicks_again_at_every_interval() -> None:
    stop, runs = asyncio.Event(), [0]

    async def work() -> Done:
        runs[0] += 1
        if runs[0] == 3:
            stop.set()
        return Done()

    await asyncio.wait_for(engine_of(unit(work, every=0.05)).run(stop), PATIENCE)
    assert runs == [3]


async def test_a_kick_opens_no_more_lanes_than_allowed() -> None:
    stop, running, most = asyncio.Event(), [0], [0]

    async def work() -> Done:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.1)
        running[0] -= 1
        return Done()

    engine = engine_of(unit(work, every=0.01, lanes=2))
    asyncio.get_running_loop().call_later(0.3, stop.set)
    await asyncio.wait_for(engine.run(stop), PATIENCE)
    assert most == [2]


async def test_a_slow_unit_delays_no_other() -> None:
    stop, sent = asyncio.Event(), [0]

    async def slow() -> Done:
        await stop.wait()
        return Done()

    async def send() -> Done:
        sent[0] += 1
        if sent[0] == 3:
            stop.set()
        return Done()

    await asyncio.wait_for(engine_of(unit(slow), unit(send, every=0.02, name="dispatch")).run(stop), PATIENCE)
    assert sent == [3]


async def test_a_unit_that_raises_is_tried_again_at_the_next_tick_and_said_once(log_lines: Lines) -> None:
    """Faults rows 4 and 33: one broken unit ends nothing, and a full disk does not fill the log."""
    stop, runs = asyncio.Event(), [0]
    errors = [RuntimeError("broken"), RuntimeError("broken"), None, RuntimeError("broken"), Unwritable("the disk is full")]

    async def work() -> Done:
        error = errors[runs[0]]
        runs[0] += 1
        if runs[0] == len(errors):
            stop.set()
        if error is not None:
            raise error
        return Done()

    await asyncio.wait_for(engine_of(unit(work, every=0.02)).run(stop), PATIENCE)
    assert runs == [5]
    assert [line["error"] for line in log_lines()] == ["RuntimeError('broken')"] * 2 + ["the disk is full"]
    assert ["exception" in line for line in log_lines()] == [True, True, False]


async def test_a_fatal_error_ends_the_run_after_draining() -> None:
    """An older daemon whose epoch was taken writes nothing more (faults row 21)."""
    finished = [False]

    async def lose() -> Done:
        await asyncio.sleep(0.02)
        raise Lost

    async def other() -> Done:
        await asyncio.sleep(0.1)
        finished[0] = True
        return Done()

    with pytest.raises(Lost):
        await asyncio.wait_for(engine_of(unit(lose), unit(other, name="dispatch")).run(asyncio.Event()), PATIENCE)
    assert finished == [True]


async def test_a_stop_lets_work_in_hand_finish_and_takes_no_new() -> None:
    """SIGTERM drains: APScheduler's own shutdown would cancel the coroutine."""
    stop, ends = asyncio.Event(), [0]

    async def work() -> Done:
        stop.set()
        await asyncio.sleep(0.1)
        ends[0] += 1
        return Done(more=True)

    engine = engine_of(unit(work))
    await asyncio.wait_for(engine.run(stop), PATIENCE)
    engine.kick("poll")
    await asyncio.sleep(0.05)
    assert ends == [1]


async def test_a_drain_that_takes_too_long_is_cut_off_and_said(log_lines: Lines) -> None:
    stop = asyncio.Event()

    async def work() -> Done:
        stop.set()
        await asyncio.sleep(30)
        return Done()

    await asyncio.wait_for(engine_of(unit(work), drain=0.05).run(stop), PATIENCE)
    assert [(line["event"], line["units"]) for line in log_lines()] == [("engine.drain_timeout", ["poll"])]


async def test_a_wall_clock_set_back_stops_no_ticks_but_outreach(monkeypatch: pytest.MonkeyPatch, log_lines: Lines) -> None:
    """Faults row 13. Set back by an hour, an interval trigger alone would wait that hour."""
    monkeypatch.setattr(local, "LOOK_AROUND", 0.05)
    stop, runs, clock = asyncio.Event(), [0], ShiftedClock()
    guard = TimeGuard(clock)

    async def work() -> Done:
        runs[0] += 1
        return Done()

    heartbeat = Heartbeat(clock)
    engine = LocalEngine([unit(work, every=0.2)], clock=clock, heartbeat=heartbeat, guard=guard, fatal=())
    running = asyncio.create_task(engine.run(stop))
    await asyncio.sleep(0.05)
    heartbeat.tick("poll", 0.01)  # as if the next tick stayed away for three intervals
    clock.shift = -timedelta(hours=1)
    before = runs[0]
    await asyncio.sleep(0.15)
    assert (guard.tripped, runs[0] > before) == (True, True)
    clock.shift = timedelta(0)
    await asyncio.sleep(0.1)
    assert (guard.tripped, stop.is_set()) == (False, False)
    stop.set()
    await running
    assert {"clock.jumped", "engine.tick_late"} <= {line["event"] for line in log_lines()}


async def test_a_unit_that_a_reload_took_away_is_not_missed(log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no sign of life is ever given again, and systemd kills a daemon that works."""
    monkeypatch.setattr(local, "LOOK_AROUND", 0.02)
    clock = SystemClock()
    heartbeat, guard = Heartbeat(clock), TimeGuard(clock)

    async def work() -> Done:
        return Done()

    for units in ([unit(work, every=0.05), unit(work, every=0.05, name="inbox")], [unit(work, every=0.05)]):
        stop = asyncio.Event()
        engine = LocalEngine(units, clock=clock, heartbeat=heartbeat, guard=guard, fatal=())
        running = asyncio.create_task(engine.run(stop))
        await asyncio.sleep(0.3)
        assert "inbox" not in dict(heartbeat.late())
        stop.set()
        await running
    assert "inbox" not in {line.get("unit") for line in log_lines()}


@pytest.mark.parametrize(
    ("shift", "tripped"),
    [
        (timedelta(hours=23), False),
        (timedelta(hours=25), True),
        (timedelta(minutes=-4), False),
        (timedelta(minutes=-6), True),
    ],
)
def test_the_time_guard_trips_a_day_ahead_or_five_minutes_back(shift: timedelta, *, tripped: bool) -> None:
    clock = ShiftedClock()
    guard = TimeGuard(clock)
    clock.shift = shift
    guard.check()
    assert guard.tripped is tripped


def test_a_week_of_downtime_is_no_jump() -> None:
    """The anchor is this run's start: what lies before it is downtime."""
    clock = ShiftedClock()
    clock.shift = timedelta(days=7)
    guard = TimeGuard(clock)
    guard.check()
    assert not guard.tripped
    assert clock.now() > datetime.now(UTC)


def test_the_time_guard_tells_once_that_the_clock_was_set_back() -> None:
    """Fault 13, I2: also after a jump too small to be distrusted, and whether or not it was ever right in this run."""
    clock = ShiftedClock()
    guard = TimeGuard(clock)
    told = []
    for shift in (timedelta(), timedelta(hours=20), timedelta(), timedelta(minutes=-4), timedelta(days=365), timedelta(days=9)):
        clock.shift = shift
        guard.check()
        told.append((guard.came_back(), guard.came_back()))
    assert told == [(False, False), (False, False), (True, False), (False, False), (False, False), (True, False)]
