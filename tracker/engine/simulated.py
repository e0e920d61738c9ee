"""Simulated time for the demo and the timeline tests: the same units, a clock that jumps to the next due instant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from tracker.clock import SimulatedClock, epoch, instant
from tracker.engine.base import Unit, full_pass

GRAIN = timedelta(minutes=15)
"""Distance of two ticks: what falls due between them is done together, as it is by the intervals of the real engine."""


class SimulatedEngine:
    """Runs full passes until `until`, jumping over the time in which nothing is due."""

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        clock: SimulatedClock,
        next_due: Callable[[], Awaitable[datetime | None]],
        until: datetime,
        progress: Callable[[datetime], None] | None = None,
        grain: timedelta = GRAIN,
    ) -> None:
        """`next_due` tells the smallest due instant of all rows and of the world outside; `progress` hears of every jump."""
        self._units = units
        self._clock = clock
        self._next_due = next_due
        self._until = until
        self._progress = progress or (lambda _: None)
        self._grain = int(grain.total_seconds())

    async def run(self, stop: asyncio.Event) -> None:
        """Until `until` (inclusive) or until `stop` is set."""
        while not stop.is_set():
            await full_pass(self._units, stop)
            self._progress(self._clock.now())
            due = await self._next_due()
            now = self._clock.now()
            if now >= self._until:
                return
            self._clock.advance_to(min(self._until, self._tick_after(now, due)))

    def _tick_after(self, now: datetime, due: datetime | None) -> datetime:
        """The first tick at or after `due`, and always later than now: work that cannot be done must not stop the clock."""
        if due is None:
            return self._until
        ticks = -(-epoch(max(due, now + timedelta(seconds=1))) // self._grain)
        return instant(ticks * self._grain)
