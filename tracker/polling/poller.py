"""The shell that asks: claim, group, ask, compare, write. One unit of work a call (facts/engine.md 2.3; faults 2, 6-8, 33)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec

from tracker.clock import Clock
from tracker.log import Event, get_logger
from tracker.polling.cadence import Cadence
from tracker.polling.conversation import Source
from tracker.polling.pulse import Pulse
from tracker.polling.purse import Purse
from tracker.polling.turns import Turns
from tracker.polling.unit import Unit
from tracker.rules import Rules
from tracker.store import Locked, Store
from tracker.store.leases import Claim
from tracker.store.polling import Unreadable

CHUNK = 800
"""Parcels claimed by one unit: the memory of a poll does not depend on how many are due."""

UNREADABLE_REST = timedelta(hours=1)

_MOST_REMEMBERED = 1000

_log = get_logger()


class PollReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: `worked` parcels were asked about or put off, `more` are due."""

    worked: int = 0
    more: bool = False


class Poller:
    """Asks the sources about the parcels that are due. Units may run side by side: each claims others."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        rules: Rules,
        sources: Mapping[str, Source],
        cadence: Cadence,
        reserve: float = 0.2,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        """`sources` by account id, as `rules.sources` names them.

        `reserve` (0 to 1) is the part of a source's day that is kept for deadlines; `progress` hears of every batch: a slow
        source is no hang.
        """
        self.store = store
        self.clock = clock
        self.rules = rules
        self.sources = sources
        self.cadence = cadence
        self.progress = progress
        self.pulse = Pulse(store)
        self.purse = Purse(store, cadence, reserve)
        self.turns = Turns(store, clock)
        self.asked = 0
        """Parcels about which a source has answered in this run; the rest of the units' `worked` was put off."""
        self._told: set[tuple[str, str]] = set()

    async def poll_once(self) -> PollReport:
        """Ask about up to 800 due parcels. A crash loses nothing: the rows are still due."""
        return await self._ask(await self.store.claim_due(self.clock.now(), CHUNK))

    async def poll_claimed(self, token: str) -> PollReport:
        """Ask about the parcels of a work item: those whose lease has not run out meanwhile."""
        return await self._ask(await self.store.take_claim(token, self.clock.now()))

    async def _ask(self, claim: Claim) -> PollReport:
        if claim.unreadable:
            await self._park(claim.unreadable)
        if not claim.shipments:
            return PollReport()
        try:
            unit = Unit(self, self.clock.now(), claim)
            await unit.run()
        except Locked:
            if claim.token is None:
                await self.store.release_claim(claim)
            raise  # the rows stay in the work item's hand: it is tried again
        except BaseException:
            await self.store.release_claim(claim)
            raise
        await self.store.release_claim(claim)
        self.asked += len(unit.reached)
        return PollReport(worked=len(claim.shipments), more=len(claim.shipments) == CHUNK)

    async def _park(self, strange: Sequence[Unreadable]) -> None:
        """Parcels whose rows cannot be read: told, and asked about again when somebody may have mended them (faults row 33)."""
        await self.store.park_shipments([each.id for each in strange], self.clock.now() + UNREADABLE_REST)
        for each in strange:
            if self.first_time("unreadable", f"{each.id} {each.error}"):
                _log.error(Event.POLL_PARKED, source="", shipment=each.number, error=each.error)

    def first_time(self, topic: str, what: str) -> bool:
        """Whether this was not said before in this run (the last thousand things are remembered)."""
        if (topic, what) in self._told:
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told.add((topic, what))
        return True
