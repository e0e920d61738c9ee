"""What is done with the answers of one conversation: sort, read what is new, park what cannot be read, say it in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from carriers.base import Batch, Discreet
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from tracker.log import Event, get_logger
from tracker.polling.answers import Fresh, Listener, Sorted
from tracker.polling.cadence import PARKED, spread
from tracker.polling.conversation import Source
from tracker.polling.writing import Outcome
from tracker.store import Store
from tracker.store.rows import (
    AccountMemory,
    AnswerWrite,
    DueShipment,
    Link,
    PollChange,
    Polled,
    PollFailure,
    PollLater,
    PollQuiet,
    Unmapped,
)

FirstTime = Callable[[str, str], bool]

Linker = Callable[[DueShipment, Tracking, str | None], Link | None]
"""Parcel, answer, destination -> the last-mile number that is news: `tracker.polling.legs.link_of` with the rules."""

REFUSED = frozenset({ErrorKind.INVALID_NUMBER.value, ErrorKind.INVALID_REQUEST.value})
"""What one source will never answer, another one may: a form that it does not know, a hint that it wants and we lack."""

_log = get_logger()


class Hearing:
    """Hears the answers of one source. `first_time(topic, what)` keeps a warning from being repeated."""

    def __init__(self, store: Store, source: Source, listener: Listener, first_time: FirstTime, linker: Linker) -> None:
        self._store = store
        self._source = source
        self._listener = listener
        self._first_time = first_time
        self._linker = linker
        self._discreet = source.adapter.discreet if isinstance(source.adapter, Discreet) else None

    async def hear(self, shipments: Sequence[DueShipment], batch: Batch, memory: AccountMemory) -> Outcome:
        """What the answers change. Only fresh ones are parsed."""
        found = self._listener.sort(shipments, batch, memory)
        outcome = Outcome(quiet=found.quiet, failed=found.failed, later=found.later)
        if len(found.failed) < len(shipments):
            outcome.answered = {self._source.id}
        refused = {failure.id for failure in found.failed if failure.kind in REFUSED}
        outcome.missed = [shipment for shipment in shipments if shipment.id in refused]
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
        await self._tell_unmapped(outcome)
        return outcome

    async def hear_legs(self, pairs: Sequence[tuple[DueShipment, DueShipment]], batch: Batch, memory: AccountMemory) -> Outcome:
        """What the answers about last-mile numbers change in their parcels (parcel, leg). A failed one changes nothing."""
        found = self._listener.sort([leg for _, leg in pairs], batch, memory)
        outcome = Outcome(answered={self._source.id} if len(found.failed) < len(pairs) else set())
        if batch.memory.account:
            outcome.accounts = {self._source.id: batch.memory.account}
        parcels = {parcel.id: parcel for parcel, _ in pairs}
        outcome.later = self._tickets(found, parcels, batch)
        fresh = [each for each in found.fresh if not each.repeated]
        if fresh:
            ids = [each.shipment.id for each in fresh]
            polled, known = await self._store.load_polled(ids), await self._store.load_events(ids)
            for each in fresh:
                self._read_leg(each, parcels[each.shipment.id], polled, known.get(each.shipment.id, ()), outcome)
        outcome.answers += [
            AnswerWrite(account=self._source.id, number=number, memory=kept) for number, kept in batch.memory.numbers.items()
        ]
        await self._tell_unmapped(outcome)
        return outcome

    def _tickets(self, found: Sorted, parcels: Mapping[int, DueShipment], batch: Batch) -> list[PollLater]:
        """Parcels for whose legs an answer was ordered just now: it would be gone when they come due in their own time.

        Only the ordering brings them back, so that a source that never gets ready costs one look more and no loop.
        """
        ordered = batch.memory.numbers
        return [replace(each, number=parcels[each.id].number) for each in found.later if ordered.get(each.number)]

    def _read_leg(
        self,
        fresh: Fresh,
        parcel: DueShipment,
        polled: Mapping[int, Polled],
        known: Sequence[TrackingEvent],
        outcome: Outcome,
    ) -> None:
        """Look into one leg. What cannot be read is left alone: the parcel has its own answer (faults row 33)."""
        try:
            tracking = self._source.adapter.read(fresh.slice)
            said = self._listener.heard_leg(fresh, parcel, _stored(polled, parcel), tracking, known)
        except CarrierError as error:
            self.tell(error.kind, [(fresh.shipment.number, error)])
        except Exception as error:  # noqa: BLE001 - whatever one answer does, it must not hurt the others
            self._tell_parked(fresh.shipment.number, error)
        else:
            outcome.answers.append(self._keep(fresh, tracking))
            if said is not None:
                outcome.changed.append(said)
            _keep_unmapped(self._source.id, tracking, fresh.shipment.number, outcome)

    def _read(self, fresh: Fresh, polled: Mapping[int, Polled], memory: Mapping[str, Any], outcome: Outcome) -> None:
        """Look into one answer. What cannot be processed is parked, the others go on (faults row 33)."""
        shipment = fresh.shipment
        try:
            said = self._listen(fresh, _stored(polled, shipment), memory, outcome)
        except CarrierError as error:
            outcome.failed.append(self._listener.failure(shipment, error))
            self.tell(error.kind, [(shipment.number, error)])
        except Exception as error:  # noqa: BLE001 - whatever one answer does, it must not hurt the others
            due = self._listener.at + spread(shipment.number, PARKED)
            outcome.failed.append(PollFailure(shipment.id, shipment.number, due))
            self._tell_parked(shipment.number, error)
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
        said = self._listener.heard(fresh, stored, tracking, memory, self._linker(fresh.shipment, tracking, stored.country))
        if isinstance(said, PollChange) and said.link is not None:
            outcome.links[fresh.shipment.id] = said.link
        outcome.answers.append(self._keep(fresh, tracking))
        _keep_unmapped(self._source.id, tracking, fresh.shipment.number, outcome)
        return said

    def _tell_parked(self, number: str, error: Exception) -> None:
        """One mistake of an adapter can park a hundred thousand parcels: its traceback is told once (faults row 34)."""
        frames = error.__traceback__
        while frames is not None and frames.tb_next is not None:
            frames = frames.tb_next
        place = "" if frames is None else f"{frames.tb_frame.f_code.co_qualname}:{frames.tb_lineno}"
        first = self._first_time(f"parked {self._source.id}", f"{type(error).__name__} {place}")
        log = _log.exception if first else _log.error
        log(Event.POLL_PARKED, source=self._source.id, shipment=number, error=repr(error))

    async def _tell_unmapped(self, outcome: Outcome) -> None:
        """One warning for a code that nobody ever saw, in this run or before (facts/carriers.md 3, rule 8)."""
        new = {each.code: each.number for each in outcome.unmapped if self._first_time(f"unmapped {each.account}", each.code)}
        if new:
            known = await self._store.known_codes(self._source.id, list(new))
            for code in new.keys() - known:
                _log.warning(Event.POLL_UNMAPPED_CODE, source=self._source.id, code=code, shipment=new[code])

    def _keep(self, fresh: Fresh, tracking: Tracking) -> AnswerWrite:
        """What is remembered of an answer: evidence without the persons in it (D10)."""
        told = fresh.slice if self._discreet is None or fresh.same else self._discreet(fresh.slice)
        return self._listener.keep(fresh, tracking.status, told)

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


def _keep_unmapped(source: str, tracking: Tracking, number: str, outcome: Outcome) -> None:
    outcome.unmapped += [Unmapped(source, code, number, 1) for code in dict.fromkeys(tracking.unmapped)]


def _stored(polled: Mapping[int, Polled], parcel: DueShipment) -> Polled:
    found = polled.get(parcel.id)
    if found is None:
        raise LookupError("what is stored of its journey cannot be read, or it is gone")
    return found


def _remembered(number: str, batch: Batch, memory: AccountMemory) -> Mapping[str, Any]:
    """What the account keeps about a number after this conversation."""
    learnt = batch.memory.numbers.get(number)
    if learnt is not None:
        return learnt
    known = memory.numbers.get(number)
    return {} if known is None else known.memory
