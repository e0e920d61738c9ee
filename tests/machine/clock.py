"""Two clocks as a machine has them: the wall clock can be set, the other one only ever goes on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta


class WallClock:
    """`tracker.clock.Clock`: time is moved by hand, `jump` moves the wall clock alone."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._lived = timedelta()
        self.shift = timedelta()
        """How far the wall clock is ahead of the truth."""

    @property
    def truth(self) -> datetime:
        """What a right clock would show."""
        return self._start + self._lived

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return self.truth + self.shift

    def monotonic(self) -> float:
        """Seconds lived."""
        return self._lived.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Takes no real time."""
        await asyncio.sleep(0)
        self.live(timedelta(seconds=max(seconds, 0)))

    def live(self, some: timedelta) -> None:
        """Time goes by."""
        self._lived += some

    def jump(self, by: timedelta) -> None:
        """Somebody, or NTP, sets the wall clock."""
        self.shift += by
