"""The shell that asks: claim, group, ask, compare, write. One unit of work a call (facts/engine.md 2.3; faults 2, 6-8, 33).

Nothing is done once a parcel that can be done once a batch: no query, no log line, no retry wrapper, no await.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from carriers.base import Batch, Memory
from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock, epoch
from tracker.log import Event, get_logger
from tracker.polling import breaker
from tracker.polling.answers import Listener, is_no_failure
from tracker.polling.cadence import Cadence
from tracker.polling.conversation import Source, converse
from tracker.polling.hearing import Hearing
from tracker.polling.legs import legs, link_of
from tracker.polling.pulse import Pulse
from tracker.polling.purse import Purse, unregistered
from tracker.polling.routing import Router, query
from tracker.polling.waiting import Waiting
from tracker.polling.writing import TRANSACTION, Outcome, Writer
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.rows import AccountMemory, Breaker, DueShipment, Link

CHUNK = 800
"""Parcels claimed by one unit: the memory of a poll does not depend on how many are due."""

_TODAY = 3600.0
"""Seconds after which it is tried again where a day turned out to be spent: the next ration knows better."""

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
        self.in_flight: set[int] = set()
        """Parcels whose answers are on their way: nobody else hears about them meanwhile, the journey would be overwritten."""
        self._told: set[tuple[str, str]] = set()

    async def poll_once(self) -> PollReport:
        """Ask about up to 800 due parcels. A crash loses nothing: the rows are still due."""
        now = self.clock.now()
        due = await self.store.due_shipments(now, CHUNK, skip=self.in_flight)
        if not due:
            return PollReport()
        claimed = {shipment.id for shipment in due}
        self.in_flight |= claimed
        try:
            await _Unit(self, now).run(due)
        finally:
            self.in_flight -= claimed
        return PollReport(worked=len(due), more=len(due) == CHUNK)

    def first_time(self, topic: str, what: str) -> bool:
        """Whether this was not said before in this run (the last thousand things are remembered)."""
        if (topic, what) in self._told:
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told.add((topic, what))
        return True


class _Unit:
    """The parcels of one claim, at one instant."""

    def __init__(self, poller: Poller, now: datetime) -> None:
        self._poller = poller
        self._now = now
        self._at = epoch(now)
        self._writer = Writer(poller.store, self._at)
        self._waiting = Waiting(self._writer, now, poller.first_time)
        self._missed: dict[str, list[DueShipment]] = {}
        self._links: dict[int, Link] = {}
        self._router = Router(rules=poller.rules, sources=poller.sources)

    async def run(self, due: Sequence[DueShipment]) -> None:
        """Ask every source about its parcels, all sources side by side; then who else knows, then who delivers."""
        router = self._router = await self._new_router(due)
        routed, stranded = router.by_source(due)
        await self._waiting.for_a_source(stranded)
        await _together(self._ask(self._poller.sources[name], shipments) for name, shipments in routed.items())
        await self._writer.flush()
        while self._missed:
            asked, self._missed = self._missed, {}
            await _together(self._ask(self._poller.sources[name], missed, second=True) for name, missed in self._others(asked))
            await self._writer.flush()
        await self._follow(due, {each.id: name for name, parcels in routed.items() for each in parcels})

    async def _new_router(self, due: Sequence[DueShipment]) -> Router:
        """Whom to ask at this instant; whose the parcels are is looked up only where a source is kept for some stores."""
        sources = self._poller.sources
        bound = any(source.stores for source in sources.values())
        owners = await self._poller.store.owners([each.id for each in due]) if bound else {}
        return Router(rules=self._poller.rules, sources=sources, down=await self._down(), owners=owners)

    async def _down(self) -> frozenset[str]:
        """Sources that nobody waits for any longer. One whose pause is over is not among them: somebody has to try it."""
        for name in self._poller.sources:
            await self._poller.pulse.look(name)
        return frozenset(
            name
            for name in self._poller.sources
            if self._long_down(name) and breaker.is_open(self._poller.pulse.now(name), self._now)
        )

    def _long_down(self, name: str) -> bool:
        """Down for so long that a carrier's next source is asked instead, although that may cost registrations."""
        since = self._poller.pulse.now(name).since
        return since is not None and self._now - since >= timedelta(hours=self._poller.cadence.fallback_after_h)

    async def _follow(self, due: Sequence[DueShipment], asked: Mapping[int, str]) -> None:
        """Ask the carriers of the last mile about the second legs of these parcels (facts/carriers.md section 3, rule 11)."""
        news = self._links
        parcels = [_linked(each, news[each.id]) if each.id in news else each for each in due]
        found = legs(parcels, asked, self._router)
        await _together(self._legs(self._poller.sources[name], pairs) for name, pairs in found.items())
        await self._writer.flush()

    async def _legs(self, source: Source, pairs: Sequence[tuple[DueShipment, DueShipment]]) -> None:
        """All legs that one source is asked about. Without an answer nothing changes: the parcels have had their own."""
        ration = await self._poller.purse.ration(source, [leg for _, leg in pairs], self._now)
        wanted = {leg.id for leg in ration.asked}
        pairs = [pair for pair in pairs if pair[1].id in wanted]
        for at in range(0, len(pairs), source.batch):
            self._poller.progress()
            if breaker.is_open(self._poller.pulse.now(source.id), self._now):
                return
            some = {leg.id: (parcel, leg) for parcel, leg in pairs[at : at + source.batch]}
            memory = await self._poller.store.load_memory(source.id, [leg.number for _, leg in some.values()])
            asked, paid = await self._affordable(source, [leg for _, leg in some.values()], memory, second=True)
            if not asked:
                continue
            try:
                batch = await self._converse(source, asked, memory)
            except CarrierError as error:
                await self._poller.purse.give_back(source, len(paid), self._now)
                await self._failed(source, (), error)
                return
            await self._poller.purse.give_back(source, _refused(paid, batch), self._now)
            await self._writer.add(await self._hearing(source).hear_legs([some[leg.id] for leg in asked], batch, memory))

    def _elsewhere(self, source: Source, shipments: Sequence[DueShipment]) -> None:
        """Ask the next sources of these parcels in this unit, where this one has been down for long."""
        if self._long_down(source.id):
            self._missed.setdefault(source.id, []).extend(shipments)

    def _others(self, missed: Mapping[str, Sequence[DueShipment]]) -> Iterable[tuple[str, Sequence[DueShipment]]]:
        """Whom to ask about what a source did not find: each carrier's next source, never oftener than the first one (R8)."""
        found: dict[str, list[DueShipment]] = {}
        for name, shipments in missed.items():
            for shipment in shipments:
                source = self._router.second(shipment, name)
                if source is not None:
                    found.setdefault(source.id, []).append(shipment)
        return found.items()

    async def _ask(self, source: Source, shipments: Sequence[DueShipment], *, second: bool = False) -> None:
        """All batches of one source; after a pause one goes ahead of the others.

        A `second` opinion that cannot be had is let go of: the parcels have been answered, and are due again in their time.
        """
        state = await self._poller.pulse.look(source.id)
        if breaker.is_open(state, self._now):
            if not second:
                await self._waiting.for_the_pause(shipments, state)
                self._elsewhere(source, shipments)
            return
        ration = await self._poller.purse.ration(source, shipments, self._now)
        if not second:
            await self._waiting.for_their_turn(source.id, ration)
        with self._poller.purse.granted(source, ration):
            await self._ask_all(source, ration.asked, state, second=second)

    async def _ask_all(self, source: Source, shipments: Sequence[DueShipment], state: Breaker, *, second: bool) -> None:
        size = min(source.batch, TRANSACTION)
        batches = deque(shipments[at : at + size] for at in range(0, len(shipments), size))
        if batches and breaker.on_trial(state) and not breaker.is_open(state, self._now):
            await self._batch(source, batches.popleft(), second=second)

        async def lane() -> None:
            while batches:
                await self._batch(source, batches.popleft(), second=second)

        await _together(lane() for _ in range(min(source.concurrency, len(batches))))

    async def _batch(self, source: Source, shipments: Sequence[DueShipment], *, second: bool = False) -> None:
        self._poller.progress()
        state = self._poller.pulse.now(source.id)
        if breaker.is_open(state, self._now):
            if not second:
                await self._waiting.for_the_pause(shipments, state)
                self._elsewhere(source, shipments)
            return
        started = self._poller.clock.monotonic()
        memory = await self._poller.store.load_memory(source.id, [shipment.number for shipment in shipments])
        shipments, paid = await self._affordable(source, shipments, memory, second=second)
        if not shipments:
            return
        try:
            batch = await self._converse(source, shipments, memory)
        except CarrierError as error:
            await self._poller.purse.give_back(source, len(paid), self._now)
            await self._failed(source, () if second else shipments, error)
            return
        await self._poller.purse.give_back(source, _refused(paid, batch), self._now)
        shared = breaker.shared_failure(batch.answers)
        if shared is None:
            await self._poller.pulse.answered(source.id, self._now)
        elif breaker.counts(shared):
            await self._poller.pulse.failed(source.id, shared, self._now)
        outcome = await self._hearing(source, second=second).hear(shipments, batch, memory)
        self._tell(source, len(shipments), outcome, started)
        if second:
            outcome.failed, outcome.later = [], []
        self._links |= outcome.links
        if outcome.missed:
            self._missed.setdefault(source.id, []).extend(outcome.missed)
            outcome.missed = []
        await self._writer.add(outcome)

    async def _affordable(
        self, source: Source, shipments: Sequence[DueShipment], memory: AccountMemory, *, second: bool = False
    ) -> tuple[Sequence[DueShipment], Sequence[str]]:
        """(those to ask about, the new numbers among them): fewer where somebody else has spent the day meanwhile."""
        if not source.registers:
            return shipments, ()
        new = unregistered(shipments, memory)
        taken = await self._poller.purse.take(source, len(new), self._now)
        paid, late = [each.number for each in new[:taken]], new[taken:]
        if not late:
            return shipments, paid
        if not second:
            spent = CarrierError(ErrorKind.QUOTA_EXHAUSTED, "the day's registrations are used up", retry_after=_TODAY)
            await self._writer.add(Outcome(later=[self._listener(source).later(each, spent) for each in late]))
        waiting = {each.id for each in late}
        return [each for each in shipments if each.id not in waiting], paid

    async def _converse(self, source: Source, shipments: Sequence[DueShipment], memory: AccountMemory) -> Batch:
        queries = [query(shipment, self._poller.rules, source.adapter.name) for shipment in shipments]
        kept = Memory(account=memory.account, numbers={number: each.memory for number, each in memory.numbers.items()})
        try:
            return await converse(source, queries, kept, self._now, self._poller.clock)
        except CarrierError:
            raise
        except Exception as error:
            # A mistake of the adapter: its parcels wait like those of a source that answers rubbish, all others go on.
            _log.exception(Event.UNIT_FAILED, unit=f"poll {source.id}", error=repr(error))
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"the adapter failed: {type(error).__name__}") from error

    async def _failed(self, source: Source, shipments: Sequence[DueShipment], error: CarrierError) -> None:
        """A whole request failed: nothing is known about any of its parcels (promise 2). That a source is down is said once."""
        known_down = (await self._poller.pulse.look(source.id)).since is not None
        if breaker.counts(error):
            await self._poller.pulse.failed(source.id, error, self._now)
        if is_no_failure(error):
            await self._no_failure(source, shipments, error)
            return
        failed = [self._listener(source).failure(shipment, error) for shipment in shipments]
        await self._writer.add(Outcome(failed=failed))
        self._elsewhere(source, shipments)
        if known_down:
            return
        _log.warning(
            Event.POLL_FAILED,
            source=source.id,
            asked=len(shipments),
            kind=error.kind.value,
            message=error.message,
            retry_in=min((each.next_poll_at for each in failed), default=self._at) - self._at,
        )

    async def _no_failure(self, source: Source, shipments: Sequence[DueShipment], error: CarrierError) -> None:
        """The answer is still being made, which proves the source alive; or nobody asked."""
        outcome = Outcome(later=[self._listener(source).later(each, error) for each in shipments])
        if error.kind is ErrorKind.NOT_READY:
            await self._poller.pulse.answered(source.id, self._now)
            outcome.answered = {source.id}
        await self._writer.add(outcome)

    def _tell(self, source: Source, asked: int, outcome: Outcome, started: float) -> None:
        """The one line of a batch."""
        _log.info(
            Event.POLL_BATCH,
            source=source.id,
            asked=asked,
            changed=len(outcome.changed),
            unchanged=len(outcome.quiet),
            errors=len(outcome.failed),
            new_events=sum(len(change.events) for change in outcome.changed),
            seconds=round(self._poller.clock.monotonic() - started, 3),
        )

    def _hearing(self, source: Source, *, second: bool = False) -> Hearing:
        linker = partial(link_of, rules=self._poller.rules, adapter=source.adapter.name)
        return Hearing(self._poller.store, source, self._listener(source, second=second), self._poller.first_time, linker)

    def _listener(self, source: Source, *, second: bool = False) -> Listener:
        fresh_hours = self._poller.rules.untrackable.fresh_not_found_hours
        return Listener(source=source.id, at=self._at, cadence=self._poller.cadence, fresh_hours=fresh_hours, second=second)


def _refused(paid: Sequence[str], batch: Batch) -> int:
    """How many of the numbers that a registration was taken for were not registered."""
    return sum(not batch.memory.numbers.get(number) for number in paid)


def _linked(parcel: DueShipment, link: Link) -> DueShipment:
    return replace(parcel, linked_number=link.number, linked_carrier=link.carrier)


async def _together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run side by side; the first error ends them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
