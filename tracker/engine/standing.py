"""A worker among many: its signs of life, whether it may go on, the time they all go by, and what a dead one left behind."""

from __future__ import annotations

import msgspec

from tracker.clock import Clock, SystemClock
from tracker.log import Event, get_logger
from tracker.store import Store

APART = 2.0
"""Seconds that a host's clock may differ from the server's before that is told."""

_log = get_logger()


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: nothing that counts, or messages that were given up."""

    worked: int = 0
    more: bool = False


class Standing:
    """What a worker does because there are others."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told = False

    async def sign(self) -> Signed:
        """Say that it lives, and go by the server's clock. Raises EpochLost, SchemaMoved, Gone: then it must stop."""
        await self.agree()
        await self._store.sign_of_life(self._clock.now())
        return Signed()

    async def agree(self) -> None:
        """Take the server's time: leases and ages mean the same on every host."""
        server = await self._store.server_time()
        if server is None or not isinstance(self._clock, SystemClock):
            return
        behind = self._clock.agree(server).total_seconds()
        if abs(behind) > APART and not self._told:
            _log.warning(Event.CLOCK_APART, seconds=round(behind, 1))
        self._told = abs(behind) > APART

    async def give_up(self) -> Signed:
        """Show what a dead worker was sending (`unknown`): nobody knows whether it arrived, nobody sends it again by himself."""
        given_up = await self._store.give_up(self._clock.now())
        for row in given_up:
            _log.error(Event.OUTBOX_UNKNOWN, key=row.key, channel="", reason="the worker that was sending it is gone")
        return Signed(worked=len(given_up))
