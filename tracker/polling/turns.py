"""Whose turn it is at a source that orders its answers first: who asks next must know what the one before has ordered."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock
from tracker.polling.gate import NOT_ASKED
from tracker.store import Store

LOOK_AGAIN = 1.0
LONGEST = 30.0
"""Seconds that a conversation waits for its turn; then its parcels come back later."""


class Turns:
    """One conversation at a time, within this process and among all workers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._here: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def at(self, source: str) -> AsyncIterator[None]:
        """Wait for the turn, and give it on. Raises CarrierError (rate_limited) where other workers keep it for too long."""
        async with self._here[source]:
            token = secrets.token_hex(8)
            until = self._clock.monotonic() + LONGEST
            while not await self._store.take_turn(source, token, self._clock.now()):
                if self._clock.monotonic() >= until:
                    raise CarrierError(ErrorKind.RATE_LIMITED, "another worker is asking", code=NOT_ASKED, retry_after=LONGEST)
                await self._clock.sleep(LOOK_AGAIN)
            try:
                yield
            finally:
                await self._store.end_turn(source, token)
