"""What is done with the answers of one conversation: sort, read what is new, park what cannot be read, say it in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from carriers.base import Batch
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from tracker.log import Event, get_logger
from tracker.polling.answers import Fresh, Listener, Sorted
from tracker.polling.cadence import PARKED, spread
from tracker.polling.conversation import Source
from tracker.polling.writing import Outcome
from tracker.store import Store
from tracker.store.rows import AccountMemory, AnswerWrite, DueShipment, Link, PollChange, Polled, PollFailure, PollQuiet

FirstTime = Callable[[str, str], bool]

Linker = Callable[[DueShipment, Tracking, str | None], Link | None]
"""Parcel, answer, destination -> the last-mile number that is news: `tracker.polling.legs.link_of` with the rules."""

_log = get_logger()


class Hearing:
    """Hears the answers of one source. `first_time(topic, what)` keeps a warning from being repeated."""

    def __init__(
        self, store: Store, source: Source, listener: Listener, first_time: FirstTime, linker: Linker = lambda *_: None
    ) -> None:
        self._store = store
        self._source = source
        self._listener = listener
        self._first_time = first_time
        self._linker = linker

    async def hear(self, shipments: Sequence[DueShipment], batch: Batch, memory: AccountMemory) -> Outcome:
        """What the answers change. Only fresh ones are parsed."""
        found = self._listener.sort(shipments, batch, memory)
        outcome = Outcome(quiet=found.quiet, failed=found.failed)
        if len(found.failed) < len(shipments):
            outcome.answered = {self._source.id}
        if batch.memory.account:
            outcome.accounts = {self._source.id: batch.memory.account}
        if found.fresh:
            polled = await self._store.load_polled([each.shipment.id for each in found.fresh])
            for each in found.fresh:
                self._read(each, polled, _remembered(each.shipment.number, batch, memory), outcome)
        outcome.answers += [
            AnswerWrite(account=self._source.id, number=number, memory=kept) for number, kept in batch.memory.numbers.items()
        ]
        self._tell_all(found)
        return outcome

    async def hear_legs(self, pairs: Sequence[tuple[DueShipment, DueShipment]], batch: Batch, memory: AccountMemory) -> Outcome:
        """What the answers about last-mile numbers change in their parcels (parcel, leg). A failed one changes nothing."""
        found = self._listener.sort([leg for _, leg in pairs], batch, memory)
        outcome = Outcome(answered={self._source.id} if len(found.failed) < len(pairs) else set())
        if batch.memory.account:
            outcome.accounts = {self._source.id: batch.memory.account}
        parcels = {leg.number: parcel for parcel, leg in pairs}
        fresh = [each for each in found.fresh if not each.repeated]
        if fresh:
            ids = [each.shipment.id for each in fresh]
            polled, known = await self._store.load_polled(ids), await self._store.load_events(ids)
            for each in fresh:
                self._read_leg(
                    each, parcels[each.shipment.number], polled[each.shipment.id], known.get(each.shipment.id, ()), outcome
                )
        outcome.answers += [
            AnswerWrite(account=self._source.id, number=number, memory=kept) for number, kept in batch.memory.numbers.items()
        ]
        return outcome

    def _read_leg(
        self, fresh: Fresh, parcel: DueShipment, polled: Polled, known: Sequence[TrackingEvent], outcome: Outcome
    ) -> None:
        """Look into one leg. What cannot be read is left alone: the parcel has its own answer (faults row 33)."""
        try:
            tracking = self._source.adapter.read(fresh.slice)
            said = self._listener.heard_leg(fresh, parcel, polled, tracking, known)
        except CarrierError as error:
            self.tell(error.kind, [(fresh.shipment.number, error)])
        except Exception as error:  # noqa: BLE001 - whatever one answer does, it must not hurt the others
            _log.exception(Event.POLL_PARKED, source=self._source.id, shipment=fresh.shipment.number, error=repr(error))
        else:
            outcome.answers.append(self._listener.keep(fresh, tracking.status))
            if said is not None:
                outcome.changed.append(said)
            self._tell_unmapped(tracking, fresh.shipment.number)

    def _read(self, fresh: Fresh, polled: Mapping[int, Polled], memory: Mapping[str, Any], outcome: Outcome) -> None:
        """Look into one answer. What cannot be processed is parked, the others go on (faults row 33)."""
        shipment = fresh.shipment
        try:
            said = self._listen(fresh, polled[shipment.id], memory, outcome)
        except CarrierError as error:
            outcome.failed.append(self._listener.failure(shipment, error))
            self.tell(error.kind, [(shipment.number, error)])
        except Exception as error:  # noqa: BLE001 - whatever one answer does, it must not hurt the others
            due = self._listener.at + spread(shipment.number, PARKED)
            outcome.failed.append(PollFailure(shipment.id, shipment.number, due))
            _log.exception(Event.POLL_PARKED, source=self._source.id, shipment=shipment.number, error=repr(error))
        else:
            if said is None:
                outcome.asked.append(shipment.id)
            elif isinstance(said, PollChange):
                outcome.changed.append(said)
                if said.journey.not_found is not None:
                    outcome.missed.append(shipment)
            else:
                outcome.quiet.append(said)

    def _listen(self, fresh: Fresh, stored: Polled, memory: Mapping[str, Any], outcome: Outcome) -> PollChange | PollQuiet | None:
        """What the answer changes; None where it was pushed, is doubted, and the source is to be asked."""
        if fresh.repeated and not self._listener.pushed:
            return self._listener.again(fresh, stored)
        tracking = self._source.adapter.read(fresh.slice)
        if self._listener.doubts(stored, tracking):
            return None
        link = self._linker(fresh.shipment, tracking, stored.country)
        said = self._listener.heard(fresh, stored, tracking, memory, link)
        if link is not None:
            outcome.links[fresh.shipment.id] = link
        outcome.answers.append(self._listener.keep(fresh, tracking.status))
        self._tell_unmapped(tracking, fresh.shipment.number)
        return said

    def _tell_unmapped(self, tracking: Tracking, number: str) -> None:
        for code in tracking.unmapped:
            if self._first_time(self._source.id, code):
                _log.warning(Event.POLL_UNMAPPED_CODE, source=self._source.id, code=code, shipment=number)

    def _tell_all(self, found: Sorted) -> None:
        for kind, errors in found.errors.items():
            self.tell(kind, errors)

    def tell(self, kind: ErrorKind, errors: Sequence[tuple[str, CarrierError]]) -> None:
        """One line for all numbers of a batch that met the same kind of error."""
        number, error = errors[0]
        _log.warning(
            Event.POLL_NUMBER_ERRORS,
            source=self._source.id,
            kind=kind.value,
            count=len(errors),
            sample=number,
            message=error.message,
        )


def _remembered(number: str, batch: Batch, memory: AccountMemory) -> Mapping[str, Any]:
    """What the account keeps about a number after this conversation."""
    learnt = batch.memory.numbers.get(number)
    if learnt is not None:
        return learnt
    known = memory.numbers.get(number)
    return {} if known is None else known.memory
