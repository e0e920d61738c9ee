"""Who may call a source, and when: the rate gate that everybody who asks it shares (facts/engine.md 2.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import Protocol

import msgspec

from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock

LONGEST_WAIT = 30.0
"""Seconds that a batch waits because the source asked for a pause; what must wait longer is asked at a later poll."""

_BELIEVED = 7 * 3600.0
"""A slot further ahead was written by a clock that has been set back since: no source may push us that far."""

BLOCK = 16
"""Slots reserved by one statement at most: a synced write for every request would cost more than its answer."""

_BLOCK_MS = 3000
"""And for how long at most: whoever asks the same source beside us waits no longer for it."""

_MARGIN = 1.1
"""Two daemons at exactly the allowed rate go over it now and then."""


NOT_ASKED = "not_asked"
"""Code of an error that is our own: the gate was closed, so that the source never heard of the request."""


class Slots(Protocol):
    """The part of the store that keeps the gate."""

    async def take_slot(self, source: str, now_ms: int, interval_ms: int) -> int:
        """The caller's slot (epoch ms)."""
        ...

    async def push_gate(self, source: str, until_ms: int) -> None:
        """Nobody passes before."""
        ...

    async def use_quota(self, source: str, day: date, amount: int, quota: int | None) -> bool:
        """Whether that much was still left today."""
        ...


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What a source allows: requests a second, and requests a (UTC) day."""

    rps: float
    daily_quota: int | None = None


class _Block(msgspec.Struct):
    """Reserved slots: the next free one, and where they end (ms)."""

    free: int
    end: int


class StoreGate:
    """The gate for `carriers.http.HttpTransport`, kept in the database. Slots that passed unused are never made up for."""

    def __init__(self, slots: Slots, clock: Clock, paces: Mapping[str, Pace]) -> None:
        self._slots = slots
        self._clock = clock
        self._paces = paces
        self._blocks: dict[str, _Block] = {}
        self._queues: Counter[str] = Counter()
        # Slots follow real seconds even where `now` stands still (`--at`).
        self._start_ms = int(clock.now().timestamp() * 1000)
        self._start = clock.monotonic()

    async def pass_(self, source: str) -> None:
        """Wait for one's turn. Raises CarrierError: quota_exhausted for today, rate_limited when the turn is too far ahead."""
        pace = self._paces[source]
        if pace.daily_quota is not None:
            today = self._clock.now().date()
            if not await self._slots.use_quota(source, today, 1, pace.daily_quota):
                said = f"the daily quota of {pace.daily_quota} requests is used up"
                raise CarrierError(ErrorKind.QUOTA_EXHAUSTED, said, code=NOT_ASKED, retry_after=self._until_midnight())
        now_ms, interval = self._now_ms(), ceil(1000 * _MARGIN / pace.rps)
        block = await self._block(source, now_ms, interval)
        slot = max(block.free, now_ms)
        wait = (slot - now_ms) / 1000
        # Standing in our own queue at a slow source is no word of the source: only what comes on top of it is.
        pushed = wait - self._queues[source] * interval / 1000
        if pushed > LONGEST_WAIT and wait < _BELIEVED:
            raise CarrierError(ErrorKind.RATE_LIMITED, "the source wants us to wait", code=NOT_ASKED, retry_after=wait)
        block.free = slot + interval
        if 0 < wait < _BELIEVED:
            self._queues[source] += 1
            try:
                await self._clock.sleep(wait)
            finally:
                self._queues[source] -= 1

    async def _block(self, source: str, now_ms: int, interval: int) -> _Block:
        """The reserved slots, with at least one left that has not passed."""
        block = self._blocks.get(source)
        if block is None or max(block.free, now_ms) + interval > block.end:
            length = interval * max(1, min(BLOCK, _BLOCK_MS // interval))
            start = await self._slots.take_slot(source, now_ms, length)
            block = self._blocks[source] = _Block(start, start + length)
        return block

    async def push_back(self, source: str, seconds: float) -> None:
        """Let nobody pass for `seconds`: the source said so."""
        self._blocks.pop(source, None)
        await self._slots.push_gate(source, self._now_ms() + ceil(seconds * 1000))

    def _until_midnight(self) -> float:
        """Seconds until the next (UTC) day, when the quota is whole again."""
        return 86_400 - self._clock.now().timestamp() % 86_400

    def _now_ms(self) -> int:
        return self._start_ms + int((self._clock.monotonic() - self._start) * 1000)
