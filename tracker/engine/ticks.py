"""Whether the queue's clock still ticks. It goes by the wall clock: set back by an hour, it would defer nothing for that hour.

Every worker looks, by its own monotonic clock, whether new ticks were written down by anybody. Where none came for three
intervals it puts the work in line itself; who stands there already stays alone (fault 13).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from tracker.clock import Clock
from tracker.log import Event, get_logger

LOOK_EVERY = 15.0
"""Seconds between two looks."""

SLACK = 15.0
"""Seconds beyond three intervals: a busy server takes its time, and a look comes late by itself."""

_log = get_logger()


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What one look did: `worked` units were put in line."""

    worked: int = 0
    more: bool = False


class Ticks:
    """Wakes units whose tick stays away. `newest` tells each unit's latest tick by a number that grows with every one."""

    def __init__(
        self,
        every: Mapping[str, float],
        *,
        clock: Clock,
        newest: Callable[[], Awaitable[Mapping[str, int]]],
        wake: Callable[[str], Awaitable[None]],
    ) -> None:
        """`every`: seconds between two ticks, by unit; `wake` puts one in line."""
        self._every = every
        self._clock = clock
        self._newest = newest
        self._wake = wake
        self._seen: dict[str, tuple[int, float]] = {}
        self._late: set[str] = set()

    async def look(self) -> Looked:
        """One look: wake what is late, and say it once."""
        newest, now = await self._newest(), self._clock.monotonic()
        woken = 0
        for name, every in self._every.items():
            tick = newest.get(name, 0)
            if name not in self._seen or self._seen[name][0] != tick:
                self._seen[name] = (tick, now)
                self._late.discard(name)
            elif (silent := now - self._seen[name][1]) > 3 * every + SLACK:
                await self._wake(name)
                woken += 1
                if name not in self._late:
                    _log.warning(Event.ENGINE_TICK_LATE, unit=name, seconds=round(silent))
                    self._late.add(name)
        return Looked(worked=woken)
