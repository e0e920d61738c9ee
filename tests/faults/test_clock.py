"""The wall clock jumps under real rooms on a real database: who is written to, and who is not (faults row 13).

time-machine moves the wall clock of this process; the monotonic one goes on, as on a machine whose clock somebody sets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests import house
from tests.daemon.conftest import NOW, SHIPPED, Home, furnished
from tracker import config
from tracker.clock import SystemClock
from tracker.engine.guard import TimeGuard
from tracker.model import HoldReason, OutboxState
from tracker.store import Store, open_store
from tracker.store.rows import OutboxView
from tracker.wiring import House, assemble

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY
BEFORE = SHIPPED + 25 * DAY
"""Nothing is due yet; a week later the first stage is."""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with furnished(tmp_path, 1) as made:
        yield made


class Run:
    """One run of the daemon's rooms: its own guard, as after every start."""

    def __init__(self, store: Store, wired: House) -> None:
        self.store = store
        self._units = {unit.name: unit for unit in wired.units}

    async def work(self, *names: str) -> None:
        for name in names or ("poll", "sweep", "dispatch", "sweep"):
            while (await self._units[name].run()).more:
                pass

    async def held(self) -> list[HoldReason | None]:
        return [view.row.hold for view in await self.rows(OutboxState.HELD)]

    async def rows(self, *states: OutboxState) -> list[OutboxView]:
        return list(await self.store.outbox(states, 50))


class Running:
    """`async with`: start, work, stop."""

    def __init__(self, home: Home, *, patient: bool = True) -> None:
        self._home = home
        self._patient = patient

    async def __aenter__(self) -> Run:
        clock = SystemClock()
        loaded = config.load(self._home.config, environ={"TRACKS_KEY": house.TOKEN})
        self._store = await open_store(loaded.settings.database_url, clock=clock, daemon=True)
        guard = TimeGuard(clock)
        self._wired = assemble(loaded, self._store, clock, guard=guard, patient=self._patient)
        await self._wired.dispatcher.recover()
        return Run(self._store, self._wired)

    async def __aexit__(self, *_error: object) -> None:
        await self._wired.close()
        await self._store.close()


@pytest.mark.parametrize(
    ("jump", "trusted"),
    [
        (timedelta(seconds=0.5), True),
        (timedelta(seconds=-0.5), True),
        (timedelta(minutes=-4), True),
        (-HOUR, False),
        (YEAR, False),
        (-YEAR, False),
    ],
    ids=str,
)
async def test_a_jump_within_a_run(home: Home, jump: timedelta, *, trusted: bool) -> None:
    """Fault 13: an NTP step is nothing; an hour back or a year ahead, and buyers hear nothing until the clock is right."""
    async with Running(home) as run:
        await run.work("poll", "sweep")
        assert len(await run.rows(OutboxState.PENDING)) == 1
        with time_machine.travel(datetime.now(NOW.tzinfo) + jump):
            await run.work("poll", "sweep", "dispatch")
            assert bool(home.mailbox.ids) is trusted
            assert (await run.store.clock_distrusted_at() is None) is trusted
        await run.work()
        for view in await run.rows(OutboxState.HELD):
            assert view.row.hold is HoldReason.TIME_GUARD
        assert await run.store.clock_distrusted_at() is None, "right again: nobody has to say so"


@pytest.mark.parametrize("jump", [-HOUR, YEAR], ids=str)
async def test_polling_goes_on_while_outreach_waits(home: Home, jump: timedelta) -> None:
    """Fault 13: a jump must not stop the questions; what they answer is acted on when the clock is right."""
    async with Running(home) as run:
        with time_machine.travel(datetime.now(NOW.tzinfo) + jump):
            await run.work("poll", "sweep", "dispatch")
            assert len(await run.store.events_of(1)) > 0
            assert home.mailbox.ids == []


async def test_a_week_of_downtime_trips_nothing(home: Home) -> None:
    """Fault 13: a gap between two runs is downtime: the stage that came due meanwhile goes out at once."""
    with time_machine.travel(BEFORE):
        async with Running(home) as run:
            await run.work()
    assert home.mailbox.ids == []
    with time_machine.travel(BEFORE + 7 * DAY):
        async with Running(home) as run:
            await run.work()
            assert await run.store.clock_distrusted_at() is None
            assert await run.held() == []
    assert len(home.mailbox.ids) == 1


async def test_a_clock_that_is_earlier_than_our_newest_row_stops_outreach_across_a_restart(home: Home) -> None:
    """Fault 13: the run before wrote at a later time, so this clock is wrong, or that one was: a person looks."""
    with time_machine.travel(NOW + HOUR):
        async with Running(home) as run:
            await run.work("poll", "sweep")
    with time_machine.travel(NOW):
        async with Running(home) as run:
            await run.work()
            assert await run.held() == [HoldReason.TIME_GUARD]
    assert home.mailbox.ids == []


async def test_rows_of_the_wrong_time_do_not_hide_that_it_is_wrong(home: Home) -> None:
    """Fault 13: what this run decides bears its own time; the rows before it still say that the clock went back."""
    with time_machine.travel(NOW + YEAR):
        async with Running(home) as run:
            await run.work()
            await run.work()
    assert home.mailbox.ids == []
    with time_machine.travel(NOW + 2 * HOUR):
        async with Running(home) as run:
            await run.work()
            await run.work()
            assert HoldReason.TIME_GUARD in await run.held()
            assert home.mailbox.ids == []
            now = datetime.now(NOW.tzinfo)
            await run.store.confirm_clock(by="Mei", reason="it was a year ahead", now=now)
            waiting = [row for row in await run.store.held_rows() if row.hold is HoldReason.TIME_GUARD]
            await run.store.release_rows(waiting, by="Mei", reason="", now=now)
            await run.work()
    assert len(home.mailbox.ids) == 1
