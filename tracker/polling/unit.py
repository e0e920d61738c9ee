"""One unit of work: the parcels of one claim, from the first source that is asked to their last mile (facts/engine.md 2.3).

Nothing is done once a parcel that can be done once a batch: no query, no log line, no retry wrapper, no await.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from carriers.base import Batch, Memory
from carriers.errors import CarrierError, ErrorKind
from tracker.clock import epoch
from tracker.log import Event, get_logger
from tracker.polling import breaker
from tracker.polling.answers import Listener, is_no_failure
from tracker.polling.conversation import Source, converse
from tracker.polling.hearing import REFUSED, Hearing
from tracker.polling.legs import legs, link_of
from tracker.polling.purse import unregistered
from tracker.polling.routing import Router, query
from tracker.polling.waiting import Waiting
from tracker.polling.writing import TRANSACTION, Outcome, Writer
from tracker.store.leases import Claim
from tracker.store.rows import AccountMemory, Breaker, DueShipment, Link

if TYPE_CHECKING:
    from tracker.polling.poller import Poller

_TODAY = 3600.0
"""Seconds after which it is tried again where a day turned out to be spent: the next ration knows better."""

_LEG_ALONE = 6
"""While the first leg's source is down, every sixth try asks about the second leg: its source is well, and not to be hurried."""

_log = get_logger()


class Unit:
    """The parcels of one claim, at one instant."""

    def __init__(self, poller: Poller, now: datetime, claim: Claim) -> None:
        self._poller = poller
        self._now = now
        self._claim = claim
        self._at = epoch(now)
        self._writer = Writer(poller.store, self._at, claim.token)
        self._waiting = Waiting(self._writer, now, poller.first_time)
        self._missed: dict[str, list[DueShipment]] = {}
        self._passed: dict[str, list[DueShipment]] = {}
        self._refused: set[int] = set()
        self.reached: set[int] = set()
        """Parcels that a source was asked about, and answered; the others had none, wait for their turn, or it is down."""
        self._links: dict[int, Link] = {}
        self._router = Router(rules=poller.rules, sources=poller.sources)

    async def run(self) -> None:
        """Ask every source about its parcels, all sources side by side; then who else knows, then who delivers."""
        due = self._claim.shipments
        router = self._router = await self._new_router(due)
        routed, stranded = router.by_source(due)
        await self._waiting.for_a_source(stranded)
        self._writer.unheard.clear()  # their last mile is asked about all the same: nobody else can be
        await _together(self._ask(self._poller.sources[name], shipments) for name, shipments in routed.items())
        await self._writer.flush()
        while self._missed or self._passed:
            missed, self._missed, passed, self._passed = self._missed, {}, self._passed, {}
            others = self._others(missed, passed)
            await _together(self._ask(self._poller.sources[name], some, second=True) for name, some in others)
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
        """Ask the carriers of the last mile about the second legs of these parcels (facts/carriers.md section 3, rule 11).

        A parcel that comes back soon because nobody answered about it would have its leg asked far too often.
        """
        news, unheard = self._links, self._writer.unheard
        known = [each for each in due if each.linked_number is not None or each.id in news]
        known = [each for each in known if each.id not in unheard or (each.failures + 1) % _LEG_ALONE == 0]
        if not known:
            return
        links = await self._poller.store.links([each.id for each in known])
        parcels = [_linked(each, links[each.id]) for each in known if each.id in links]
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
            try:
                async with self._turn(source):
                    if not await self._legs_of(source, some):
                        return
            except CarrierError:  # another worker kept the turn: a leg comes again with its parcel
                return

    async def _legs_of(self, source: Source, some: Mapping[int, tuple[DueShipment, DueShipment]]) -> bool:
        """One conversation about legs; whether the source can be asked on."""
        memory = await self._poller.store.load_memory(source.id, [leg.number for _, leg in some.values()])
        asked, paid = await self._affordable(source, [leg for _, leg in some.values()], memory, second=True)
        if not asked:
            return True
        try:
            batch, calls = await self._converse(source, asked, memory)
        except CarrierError as error:
            await self._poller.purse.give_back(source, len(paid), self._now)
            await self._failed(source, (), error, asked=len(asked))
            return False
        await self._poller.purse.give_back(source, _refused(paid, batch), self._now)
        await self._feel(source, batch, calls)
        outcome = await self._hearing(source).hear_legs([some[leg.id] for leg in asked], batch, memory)
        await self._keep(source, outcome, calls)
        return True

    def _elsewhere(self, source: Source, shipments: Sequence[DueShipment]) -> None:
        """Ask the next sources of these parcels in this unit, where this one has been down for long."""
        if self._long_down(source.id):
            self._passed.setdefault(source.id, []).extend(shipments)

    def _others(
        self, missed: Mapping[str, Sequence[DueShipment]], passed: Mapping[str, Sequence[DueShipment]]
    ) -> Iterable[tuple[str, Sequence[DueShipment]]]:
        """Whom to ask about what a source did not find, or was down for: each carrier's next one (R8)."""
        found: dict[str, list[DueShipment]] = {}
        for opinion, asked in ((True, missed), (False, passed)):
            for name, shipments in asked.items():
                for shipment in shipments:
                    source = self._router.second(shipment, name, opinion=opinion)
                    if source is not None:
                        found.setdefault(source.id, []).append(shipment)
        return found.items()

    def _still_open(self, shipments: Sequence[DueShipment], *, second: bool) -> Sequence[DueShipment]:
        """Whom a source that cannot be had puts off: a second one only those that the first refuses, which rest for days."""
        return [each for each in shipments if each.id in self._refused] if second else shipments

    async def _ask(self, source: Source, shipments: Sequence[DueShipment], *, second: bool = False) -> None:
        """All batches of one source; after a pause one goes ahead of the others.

        A `second` opinion that cannot be had is let go of: the parcels have been answered, and are due again in their time.
        """
        state = await self._poller.pulse.look(source.id)
        if breaker.is_open(state, self._now):
            await self._waiting.for_the_pause(self._still_open(shipments, second=second), state)
            self._elsewhere(source, shipments)
            return
        ration = await self._poller.purse.ration(source, shipments, self._now)
        if second:
            await self._waiting.for_their_turn(source.id, [each for each in ration.waiting if each.shipment.id in self._refused])
        else:
            await self._waiting.for_their_turn(source.id, ration.waiting)
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
            await self._waiting.for_the_pause(self._still_open(shipments, second=second), state)
            self._elsewhere(source, shipments)
            return
        try:
            async with self._turn(source):
                await self._hold(source, shipments, second=second)
        except CarrierError as error:  # another worker kept the turn: nobody asked
            await self._failed(source, self._still_open(shipments, second=second), error, asked=0)

    async def _hold(self, source: Source, shipments: Sequence[DueShipment], *, second: bool) -> None:
        """One conversation, and what is done with its answers."""
        started = self._poller.clock.monotonic()
        if self._claim.token is not None:
            held = await self._poller.store.renew_claim(self._claim, self._poller.clock.now())
            shipments = [each for each in shipments if each.id in held]
            if not shipments:
                return
        memory = await self._poller.store.load_memory(source.id, [shipment.number for shipment in shipments])
        shipments, paid = await self._affordable(source, shipments, memory, second=second)
        if not shipments:
            return
        try:
            batch, calls = await self._converse(source, shipments, memory)
        except CarrierError as error:
            await self._poller.purse.give_back(source, len(paid), self._now)
            await self._failed(source, self._still_open(shipments, second=second), error, asked=len(shipments))
            self._elsewhere(source, shipments)
            return
        await self._poller.purse.give_back(source, _refused(paid, batch), self._now)
        if await self._feel(source, batch, calls):
            self._elsewhere(source, shipments)
        elif calls:
            self.reached.update([each.id for each in shipments])
        outcome = await self._hearing(source, second=second).hear(shipments, batch, memory)
        self._tell(source, len(shipments), outcome, started)
        if second:
            self._second_opinion(outcome)
        self._links |= outcome.links
        if outcome.missed:
            self._look_further(source, outcome)
        await self._keep(source, outcome, calls)

    def _second_opinion(self, outcome: Outcome) -> None:
        """What a second source does not answer changes nothing, unless the first one refuses the number for days."""
        outcome.failed = [each for each in outcome.failed if each.id in self._refused and each.kind not in REFUSED]
        outcome.later = [each for each in outcome.later if each.id in self._refused]
        self._writer.unheard.difference_update([each.id for each in outcome.changed], [each.id for each in outcome.quiet])

    def _look_further(self, source: Source, outcome: Outcome) -> None:
        """Ask the next sources about what this one refuses or does not find.

        What a source before this one, passed over, said last would be *quiet* when it is back, and would never end the run.
        """
        self._refused |= {each.id for each in outcome.failed if each.kind in REFUSED}
        for each in outcome.missed:
            if each.id not in self._refused:
                outcome.forget += [(account, each.number) for account in self._router.ahead(each, source.id)]
        self._missed.setdefault(source.id, []).extend(outcome.missed)
        outcome.missed = []

    async def _feel(self, source: Source, batch: Batch, calls: int) -> CarrierError | None:
        """What a conversation tells of its source: alive, or the failure beside every number. Without a call it tells nothing."""
        shared = breaker.shared_failure(batch.answers)
        if shared is None:
            if calls:
                await self._poller.pulse.answered(source.id, self._now)
        elif breaker.counts(shared):
            await self._poller.pulse.failed(source.id, shared, self._now)
        return shared

    async def _keep(self, source: Source, outcome: Outcome, calls: int) -> None:
        if not calls:
            outcome.answered = set()
        await self._writer.add(outcome)
        if source.asynchronous:
            await self._writer.flush()

    def _turn(self, source: Source) -> AbstractAsyncContextManager[object]:
        return self._poller.turns.at(source.id) if source.asynchronous else nullcontext()

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

    async def _converse(self, source: Source, shipments: Sequence[DueShipment], memory: AccountMemory) -> tuple[Batch, int]:
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

    async def _failed(self, source: Source, shipments: Sequence[DueShipment], error: CarrierError, *, asked: int) -> None:
        """A whole request failed: nothing is known about any of its parcels (promise 2). That a source is down is said once."""
        known_down = (await self._poller.pulse.look(source.id)).since is not None
        if breaker.counts(error):
            await self._poller.pulse.failed(source.id, error, self._now)
        if is_no_failure(error):
            await self._no_failure(source, shipments, error)
            return
        failed = [self._listener(source).failure(shipment, error) for shipment in shipments]
        await self._writer.add(Outcome(failed=failed))
        if known_down:
            return
        _log.warning(
            Event.POLL_FAILED,
            source=source.id,
            asked=asked,
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
