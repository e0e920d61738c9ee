"""One machine: APScheduler is the clock that kicks, our own bounded pool does the work and drains (facts/engine.md 2.8, 5).

Its jobs only kick, because a shutdown of its asyncio executor cancels running coroutines. Interval triggers in UTC only: its cron
triggers skip days around the change to summer time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from tracker.clock import Clock
from tracker.engine.base import Unit
from tracker.engine.guard import TimeGuard
from tracker.engine.lane import Lanes
from tracker.health import Heartbeat
from tracker.log import Event, get_logger

DRAIN_SECONDS = 45.0
"""How long work in hand may take after a stop: below the unit's TimeoutStopSec of 60 s."""

LOOK_AROUND = 5.0
"""Seconds between two looks at ticks and clock."""

_JOB_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""After a standstill: one run, at once. The library's own default drops what is a second late."""

_log = get_logger()


class LocalEngine:
    """Kicks every unit at its interval, and on demand; never more than its lanes at once."""

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        clock: Clock,
        heartbeat: Heartbeat,
        guard: TimeGuard,
        fatal: tuple[type[Exception], ...],
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """`fatal` lists the errors that end the run: the database is damaged, or belongs to another daemon now."""
        self._units = {unit.name: unit for unit in units}
        self._clock = clock
        self._heartbeat = heartbeat
        self._guard = guard
        self._drain_seconds = drain_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._lanes = Lanes(clock=clock, heartbeat=heartbeat, fatal=fatal)

    async def run(self, stop: asyncio.Event) -> None:
        """Kick until `stop` is set, then drain. Raises the fatal error that ended the run, if one did."""
        self._lanes.stop = stop
        self._heartbeat.begin()
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=_JOB_DEFAULTS)
        for unit in self._units.values():
            scheduler.add_job(self._ticker(unit), "interval", seconds=unit.every, id=unit.name, next_run_time=self._clock.now())
        scheduler.start()
        watch = asyncio.create_task(self._watch(scheduler), name="watch")
        try:
            await stop.wait()
        finally:
            scheduler.shutdown(wait=False)
            watch.cancel()
            await self._drain()
        if self._lanes.failure is not None:
            raise self._lanes.failure

    def kick(self, name: str) -> None:
        """Ask for work now: starts another lane of the unit unless all are busy or the engine stops."""
        unit = self._units[name]
        if self._lanes.stop.is_set() or self._busy[name] >= unit.lanes:
            return
        self._busy[name] += 1
        task = asyncio.create_task(self._work(unit), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ticker(self, unit: Unit) -> Callable[[], Awaitable[None]]:
        async def tick() -> None:  # a plain function would run in a thread
            self._heartbeat.tick(unit.name, unit.every)
            self.kick(unit.name)

        return tick

    async def _work(self, unit: Unit) -> None:
        try:
            await self._lanes.work(unit.name, unit.run)
        finally:
            self._busy[unit.name] -= 1

    async def _watch(self, scheduler: AsyncIOScheduler) -> None:
        """Wake a unit whose tick stays away: set back by an hour, APScheduler would wait that hour."""
        while True:
            await self._clock.sleep(LOOK_AROUND)
            self._guard.check()
            for name, seconds in self._heartbeat.late():
                _log.warning(Event.ENGINE_TICK_LATE, unit=name, seconds=round(seconds))
                scheduler.modify_job(name, next_run_time=self._clock.now())

    async def _drain(self) -> None:
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=self._drain_seconds)
        if not left:
            return
        _log.warning(Event.ENGINE_DRAIN_TIMEOUT, units=sorted(task.get_name() for task in left))
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
