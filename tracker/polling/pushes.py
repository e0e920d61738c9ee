"""Hears what sources pushed: the same function as a polled answer, so that both end in the same rows (R6; faults row 15).

A push is never worse news than an answer: sources repeat for hours what they could not deliver, so one that says less than is
known (not found, or the end taken back), or that an answer has overtaken, is not believed. Its parcel is asked about at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import msgspec

from carriers.base import Batch
from carriers.numbers import normalise
from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.log import Event, get_logger
from tracker.log.tally import Tally
from tracker.polling.answers import Listener
from tracker.polling.conversation import Source
from tracker.polling.hearing import Hearing
from tracker.polling.legs import link_of
from tracker.polling.poller import Poller
from tracker.polling.writing import TRANSACTION, Outcome, Writer
from tracker.store import StoreError
from tracker.store.rows import DueShipment
from tracker.store.rows.pushes import Pushed

_log = get_logger()


class PushReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: `worked` slices were heard or dropped; `more` may be waiting."""

    worked: int = 0
    more: bool = False


class Pusher:
    """Hears pushed slices in the order in which they came. It shares the poller's sources, rules, and parcels in flight."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._tally = Tally()

    async def hear_once(self) -> PushReport:
        """Hear what waits, at most one transaction's worth. A crash loses nothing: what is not heard still stands there."""
        after = 0
        while page := await self._poller.store.waiting_pushes(TRANSACTION, after=after):
            worked = await self._page(page)
            if worked or len(page) < TRANSACTION:
                return PushReport(worked=worked, more=bool(worked))
            after = page[-1].id
        return PushReport()

    async def _page(self, page: Sequence[Pushed]) -> int:
        """How many of these are dealt with; what the poller is just asking about waits for its answer."""
        store = self._poller.store
        numbers = {normalise(each.number) for each in page}
        parcels = await store.shipments_by_number(sorted(numbers))
        legs = await store.shipments_by_leg(sorted(numbers - parcels.keys()))
        known = parcels | legs
        heard_of = await self._whose({parcel.id for parcel in known.values()})
        lost = [each for each in page if not heard_of(each.account, known.get(normalise(each.number)))]
        await self._drop(lost)
        dropped = {each.id for each in lost}
        ready = [(each, known[normalise(each.number)]) for each in page if each.id not in dropped]
        claim = await store.claim_these(list({parcel.id: parcel for _, parcel in ready}.values()), self._poller.clock.now())
        mine = claim.ids
        ready = [(each, parcel) for each, parcel in ready if parcel.id in mine]
        try:
            for some in _rounds(ready):
                await self._hear_what_can_be(some, claim.token)
        finally:
            await store.release_claim(claim)
        return len(lost) + len(ready)

    async def _whose(self, parcels: Collection[int]) -> Callable[[str, DueShipment | None], bool]:
        """Whether an account may speak of a parcel: one kept for some stores says nothing about what another shop sold."""
        sources = self._poller.sources
        bound = any(source.stores for source in sources.values())
        owners = await self._poller.store.owners(sorted(parcels)) if bound else {}

        def may_speak(account: str, parcel: DueShipment | None) -> bool:
            source = sources.get(account)
            return source is not None and parcel is not None and source.serves(owners.get(parcel.id, frozenset()))

        return may_speak

    async def _drop(self, lost: Sequence[Pushed]) -> None:
        if not lost:
            return
        await self._poller.store.drop_pushes([each.id for each in lost])
        now = epoch(self._poller.clock.now())
        for account in sorted({each.account for each in lost}):
            mine = [each for each in lost if each.account == account]
            if count := self._tally.add(account, "unfollowed", now, len(mine)):
                _log.info(Event.PUSH_UNFOLLOWED, source=account, count=count, sample=mine[0].number)

    async def _hear_what_can_be(self, some: Sequence[tuple[Pushed, DueShipment]], token: str | None) -> None:
        """Where one breaks a round, each is heard alone. That one goes: its parcel is asked about in its time (faults row 33)."""
        try:
            await self._hear(some, token)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one parcel does, it must not hurt the others
            if len(some) > 1:
                for each in some:
                    await self._hear_what_can_be([each], token)
                return
            ((told, parcel),) = some
            await self._poller.store.drop_pushes([told.id])
            _log.exception(Event.POLL_PARKED, source=told.account, shipment=parcel.number, error=repr(error))

    async def _hear(self, some: Sequence[tuple[Pushed, DueShipment]], token: str | None) -> None:
        """One account's slices that came in one second, each about another parcel: one transaction with all that follows."""
        first = some[0][0]
        source = self._poller.sources[first.account]
        outcome = Outcome(pushed=[each.id for each, _ in some])
        believed: dict[str, bytes] = {}
        parcels = []
        for each, parcel in some:
            overtaken = parcel.last_answer_at is not None and parcel.last_answer_at > each.at
            if overtaken or parcel.number != normalise(each.number):
                outcome.asked.append(parcel.id)
            else:
                believed[parcel.number] = each.slice
                parcels.append(parcel)
        if parcels:
            memory = await self._poller.store.load_memory(source.id, [parcel.number for parcel in parcels])
            heard = await self._hearing(source, first.at).hear(parcels, Batch(answers=believed), memory)
            # What cannot be read is no failed poll: nobody asked.
            heard.failed = []
            outcome.add(heard)
        writer = Writer(self._poller.store, first.at, token)
        await writer.add(outcome)
        told = _told(source, outcome)
        await writer.flush()
        fault("push_heard_after_commit")
        _log.info(Event.PUSH_HEARD, **told)

    def _hearing(self, source: Source, at: int) -> Hearing:
        poller = self._poller
        fresh_hours = poller.rules.untrackable.fresh_not_found_hours
        listener = Listener(source=source.id, at=at, cadence=poller.cadence, fresh_hours=fresh_hours, pushed=True)
        return Hearing(
            poller.store, source, listener, poller.first_time, partial(link_of, rules=poller.rules, adapter=source.adapter.name)
        )


def _rounds(ready: Sequence[tuple[Pushed, DueShipment]]) -> Iterator[list[tuple[Pushed, DueShipment]]]:
    """What may be heard together: neighbours of one account and second, no parcel twice, each builds on the one before."""
    found: list[tuple[Pushed, DueShipment]] = []
    inside: set[int] = set()
    for each, parcel in ready:
        if found and (parcel.id in inside or (each.account, each.at) != (found[0][0].account, found[0][0].at)):
            yield found
            found, inside = [], set()
        found.append((each, parcel))
        inside.add(parcel.id)
    if found:
        yield found


def _told(source: Source, outcome: Outcome) -> dict[str, object]:
    """The one line of a round."""
    return {
        "source": source.id,
        "heard": len(outcome.pushed),
        "changed": len(outcome.changed),
        "unchanged": len(outcome.quiet),
        "asked": len(outcome.asked),
        "new_events": sum(len(change.events) for change in outcome.changed),
    }
