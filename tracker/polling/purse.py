"""What may still be spent at a source today: who is asked now, who waits, and the registrations that are taken and given back.

A source without a daily limit costs nothing here. `tracker.polling.budget` holds the rules; this asks the store what it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import ceil

from msgspec.structs import replace

from tracker.clock import epoch
from tracker.polling import budget
from tracker.polling.budget import Day, Ration, Turn
from tracker.polling.cadence import Cadence
from tracker.polling.conversation import Source
from tracker.polling.writing import TRANSACTION
from tracker.store import Store
from tracker.store.rows import AccountMemory, DueShipment


class Purse:
    """The days of all sources. `reserve` (0 to 1) is the part of each that is kept for deadlines."""

    def __init__(self, store: Store, cadence: Cadence, reserve: float) -> None:
        self._store = store
        self._cadence = cadence
        self._reserve = reserve
        self._granted: Counter[str] = Counter()

    async def ration(self, source: Source, shipments: Sequence[DueShipment], now: datetime) -> Ration:
        """Who of these is asked at `now`, in the stated order, and until when the others wait."""
        daily = source.registrations if source.registers else source.calls
        if daily is None or not shipments:
            return Ration(asked=shipments)
        costly = await self._new(source, shipments) if source.registers else shipments
        if not costly:
            return Ration(asked=shipments)
        day = Day(
            daily=daily,
            used=await self._store.used_today(source.id, now.date()) + self._granted[source.id],
            at=epoch(now),
            seats=1 if source.registers or source.apiece else min(source.batch, TRANSACTION),
            reserve=self._reserve,
            paced=not source.registers,
        )
        units = ceil(len(costly) / day.seats)
        if day.used + units <= day.limit(Turn.SETTLING):
            return Ration(asked=shipments, units=units)
        awaited = await self._store.awaited([each.id for each in costly])
        found = budget.ration(budget.in_order(costly, self._cadence, day.at, awaited), day)
        paying = {each.id for each in costly}
        return replace(found, asked=[*found.asked, *(each for each in shipments if each.id not in paying)])

    @contextmanager
    def granted(self, source: Source, ration: Ration) -> Iterator[None]:
        """While these are asked, nobody else is granted the same units."""
        self._granted[source.id] += ration.units
        try:
            yield
        finally:
            self._granted[source.id] -= ration.units

    async def take(self, source: Source, wanted: int, now: datetime) -> int:
        """Take as much of the day's registrations as is left, `wanted` at most; how many that were."""
        taken, step = 0, wanted
        while step and taken < wanted:
            step = min(step, wanted - taken)
            if await self._store.use_quota(source.id, now.date(), step, source.registrations):
                taken += step
            else:
                step //= 2
        return taken

    async def give_back(self, source: Source, unused: int, now: datetime) -> None:
        """An outage of the source must not eat the day's registrations."""
        if unused:
            await self._store.give_back_quota(source.id, now.date(), unused)

    async def _new(self, source: Source, shipments: Sequence[DueShipment]) -> Sequence[DueShipment]:
        memory = await self._store.load_memory(source.id, [each.number for each in shipments])
        return unregistered(shipments, memory)


def unregistered(shipments: Iterable[DueShipment], memory: AccountMemory) -> list[DueShipment]:
    """Those whose number the account has not registered yet: each costs a registration."""
    return [each for each in shipments if each.number not in memory.numbers or not memory.numbers[each.number].memory]
