"""The daemon's distrust of its clock, written down so that a command can end it (faults row 13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tracker.store import Store


class ClockWatch:
    """Holds what the time guard measures against what a person has confirmed since."""

    def __init__(
        self, store: Store, distrusts: Callable[[], bool], trust: Callable[[], None], came_back: Callable[[], bool]
    ) -> None:
        """`distrusts` tells whether the clock has jumped within this run; `trust` takes the time that it shows for right.

        `came_back` tells, once, that it was set back.
        """
        self._store = store
        self._distrusts = distrusts
        self._trust = trust
        self._came_back = came_back
        self._marked = False
        self._ahead: datetime | None = None

    async def begin(self, now: datetime) -> None:
        """A new run measures from its own start: what the one before distrusted is over, what it wrote ahead is set right.

        A gap forward is downtime. A clock that is earlier than our latest row is wrong, or was: until it has caught up, or a
        person has confirmed it, nobody is written to.
        """
        self._ahead = await self._store.written_ahead(now)
        if await self._store.wrote_ahead(now):
            await self._store.clock_came_back(now)
        if await self._store.clock_distrusted_at() is not None:
            await self._store.clock_mended()

    async def distrusted(self, now: datetime) -> bool:
        """Whether nobody may be written to. Costs nothing while the clock is right."""
        if self._ahead is not None and now >= self._ahead:
            self._ahead = None
        distrusts = self._distrusts() or self._ahead is not None
        if self._came_back():
            await self._store.clock_came_back(now)
        if not distrusts:
            if self._marked:
                await self._store.clock_mended()
            self._marked = False
            return False
        if not self._marked:
            await self._store.distrust_clock(now)
            self._marked = True
            return True
        if await self._store.clock_distrusted_at() is not None:
            return True
        self._trust()
        self._marked, self._ahead = False, None
        return False
