"""The only reader of the clock: now, monotonic, sleep. Everything else takes `now` or a `Clock` (DESIGN "How it runs").

Instants are aware UTC datetimes. Durations come from `monotonic`, never from the difference of two wall-clock readings.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whoever tells the time."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point; never set back, and counting on while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long; zero or less only lets others run."""
        ...


class SystemClock:
    """The machine's own clock; on a fleet set right by the database server's, so that all hosts agree on ages and leases."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC) + self._ahead

    def agree(self, server: datetime) -> timedelta:
        """Go by `server`, which says so at this moment; by how much this machine's clock is behind it."""
        self._ahead = server - datetime.now(UTC)
        return self._ahead

    if sys.platform == "linux":

        def monotonic(self) -> float:
            """CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it counts suspend, so sleep is not taken for a jumped clock."""
            return time.clock_gettime(time.CLOCK_BOOTTIME)

    else:

        def monotonic(self) -> float:
            """The platform's monotonic clock."""
            return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in the event loop."""
        await asyncio.sleep(max(seconds, 0))


class FixedClock:
    """One instant for a whole command (`--at TIME`). Waiting still waits: politeness does not depend on our date."""

    def __init__(self, at: datetime) -> None:
        """`at` must be aware."""
        self._at = _aware(at)
        self._real = SystemClock()

    def now(self) -> datetime:
        """Always the same instant."""
        return self._at

    def monotonic(self) -> float:
        """Real durations."""
        return self._real.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await self._real.sleep(seconds)


class SimulatedClock:
    """Time that is moved by hand: the demo and the timeline tests. It only ever goes forward."""

    def __init__(self, start: datetime) -> None:
        """`start` must be aware."""
        self._start = self._now = _aware(start)

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Simulated seconds since the start."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Take no real time: the clock is that much later afterwards. Sleepers side by side wait together."""
        until = self._now + timedelta(seconds=max(seconds, 0))
        await asyncio.sleep(0)
        self.advance_to(until)

    def advance_to(self, at: datetime) -> None:
        """Move forward to `at`; an earlier instant changes nothing."""
        self._now = max(self._now, _aware(at))


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: a clock needs an aware instant")
    return at.astimezone(UTC)


def epoch(at: datetime) -> int:
    """Whole seconds since 1970 UTC, rounded down: the form of the hot columns."""
    return int(at.timestamp())


def instant(seconds: float) -> datetime:
    """The aware UTC instant of an epoch."""
    return datetime.fromtimestamp(seconds, UTC)
