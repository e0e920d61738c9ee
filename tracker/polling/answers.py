"""What a source's answers mean for the rows: quiet, changed or failed. Pure; a quiet one costs a digest and one small struct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from carriers.base import Batch
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.scans import digest as digest_of
from tracker.model.journey import Frame, Heard, Journey, merge, not_found_again
from tracker.polling.cadence import FINAL, Cadence, after_error, without_penalty
from tracker.polling.gate import NOT_ASKED
from tracker.polling.legs import says, without_twins
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
)


class Fresh(msgspec.Struct, frozen=True, gc=False):
    """An answer that must be looked into. `repeated`: byte for byte the last one, a *not found* whose run is counted on."""

    shipment: DueShipment
    slice: bytes
    digest: bytes
    repeated: bool
    same: bool = False
    """Byte for byte the last one, whatever it says: no new evidence."""


class Sorted(msgspec.Struct, kw_only=True):
    """The answers of one conversation, sorted by what they need."""

    quiet: list[PollQuiet]
    fresh: list[Fresh]
    failed: list[PollFailure]
    later: list[PollLater]
    errors: dict[ErrorKind, list[tuple[str, CarrierError]]]


def is_no_failure(error: CarrierError) -> bool:
    """Whether an error says nothing bad of anybody: the answer is still being made, or we did not ask (facts/carriers.md 2)."""
    return error.kind is ErrorKind.NOT_READY or error.code == NOT_ASKED


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """Whose answers are heard, when (epoch seconds), and the rules of listening."""

    source: str
    at: int
    cadence: Cadence
    fresh_hours: int
    second: bool = False
    """Asked because another source did not find them: what it says ends or confirms that, even word for word as before (R8)."""
    pushed: bool = False
    """Nobody asked: the source repeats for hours what it could not deliver, so that nobody knows how old it is."""

    def sort(self, shipments: Sequence[DueShipment], batch: Batch, memory: AccountMemory) -> Sorted:
        """Tell quiet answers from fresh ones by the digest of their slices, and put errors aside. Nothing is parsed."""
        found = Sorted(quiet=[], fresh=[], failed=[], later=[], errors={})
        answers, known, next_poll, at = batch.answers, memory.numbers, self.cadence.next_poll, self.at
        for shipment in shipments:
            number = shipment.number
            answer = answers.get(number)
            if not isinstance(answer, bytes):
                self._put_aside(found, shipment, answer)
                continue
            digest = digest_of(answer)
            remembered = known.get(number)
            same = remembered is not None and remembered.digest == digest
            repeated = same and remembered is not None and not remembered.found
            if same and not repeated and not self.second:
                due = next_poll(number, shipment.status, shipment.moved_at, shipment.shipped_at, at, shipment.deadline_at)
                found.quiet.append(PollQuiet(shipment.id, number, due))
            else:
                found.fresh.append(Fresh(shipment, answer, digest, repeated, same))
        return found

    def _put_aside(self, found: Sorted, shipment: DueShipment, answer: bytes | CarrierError | None) -> None:
        missing = CarrierError(ErrorKind.BAD_RESPONSE, "the answer leaves this number out")
        error = answer if isinstance(answer, CarrierError) else missing
        if is_no_failure(error):
            found.later.append(self.later(shipment, error))
            return
        found.errors.setdefault(error.kind, []).append((shipment.number, error))
        found.failed.append(self.failure(shipment, error))

    def later(self, shipment: DueShipment, error: CarrierError) -> PollLater:
        """A poll whose answer is still being made, or that was never sent: no penalty, nothing is counted."""
        return PollLater(shipment.id, shipment.number, without_penalty(shipment.number, error.retry_after, self.at))

    def failure(self, shipment: DueShipment, error: CarrierError) -> PollFailure:
        """A poll without an answer: the parcel stays as it was and is asked again later."""
        due = after_error(shipment.number, error.kind, shipment.failures, error.retry_after, self.at)
        return PollFailure(shipment.id, shipment.number, due, error.kind.value)

    def doubts(self, polled: Polled, tracking: Tracking) -> bool:
        """Whether this was pushed and says less than what is known: it costs no money, the source is asked instead (R8)."""
        if not self.pushed:
            return False
        if tracking.status is TrackingStatus.NOT_FOUND:
            return True
        told = polled.journey.told
        if told is None or told.scan_by != self.source or told.scan_status not in FINAL or tracking.status in FINAL:
            return False  # only who told the end can take it back
        reach = [each[1] for each in (event.bounds() for event in tracking.events) if each is not None]
        return bool(reach) and max(reach) < told.scan_at

    def again(self, fresh: Fresh, polled: Polled) -> PollChange | PollQuiet:
        """One more *not found*: its run is counted, once it is old enough to be news at all."""
        journey = not_found_again(polled.journey, self._frame(polled), self.at, self.source)
        return self._changed(fresh.shipment, polled, journey, ())

    def heard(
        self, fresh: Fresh, polled: Polled, tracking: Tracking, memory: Mapping[str, Any], link: Link | None = None
    ) -> PollChange | PollQuiet:
        """The journey after a new answer. `memory` is what the account keeps about it, `link` a last mile that is news."""
        knows = polled.knows()
        events = tuple(event for event in tracking.events if event.key not in knows)
        before = replace(polled.journey, registered_at=_registered(memory) or polled.journey.registered_at)
        journey = merge(before, self._frame(polled), Heard(at=self.at, tracking=tracking, source=self.source), events)
        # Who speaks of another parcel names another parcel's last mile.
        return self._changed(fresh.shipment, polled, journey, events, link if journey.suspect is None else None)

    def heard_leg(
        self, leg: Fresh, parcel: DueShipment, polled: Polled, tracking: Tracking, known: Sequence[TrackingEvent]
    ) -> PollChange | None:
        """The journey after what the carrier of the last mile says; None where that changes nothing.

        `known` are the parcel's stored scans: a scan that both legs tell counts once.
        """
        if not says(tracking):
            return None
        knows = polled.knows()
        fresh = without_twins([event for event in tracking.events if event.key not in knows], known)
        kept = {event.key for event in fresh}
        told = tuple(event for event in tracking.events if event.key in knows or event.key in kept)
        # The leg has a name of its own: what the same account says about the first leg never takes its delivery back.
        heard = Heard(
            at=self.at, tracking=replace(tracking, events=told, stopped=False), source=f"{self.source}/{leg.shipment.number}"
        )
        journey = merge(polled.journey, self._frame(polled), heard, fresh)
        if journey.suspect is not None:
            return None  # a number used before, or another country's: the leg is not this parcel's
        # Whether the first leg speaks of this parcel is not for the second one to say.
        journey = replace(journey, suspect=polled.journey.suspect)
        said = self._changed(parcel, polled, journey, fresh)
        return said if isinstance(said, PollChange) else None

    def keep(self, fresh: Fresh, status: TrackingStatus, told: bytes) -> AnswerWrite:
        """What to remember of a new slice: its digest, and what of it may be kept."""
        kept = None if fresh.same else told
        return AnswerWrite(account=self.source, number=fresh.shipment.number, digest=fresh.digest, status=status, slice=kept)

    def _frame(self, polled: Polled) -> Frame:
        return Frame(shipped_at=polled.shipped_at, country=polled.country, fresh_hours=self.fresh_hours)

    def _changed(
        self, shipment: DueShipment, polled: Polled, journey: Journey, events: tuple[Any, ...], link: Link | None = None
    ) -> PollChange | PollQuiet:
        due = self.cadence.next_poll(
            shipment.number, journey.status, journey.moved_at, polled.shipped_at, self.at, shipment.deadline_at
        )
        if not events and journey == polled.journey and link is None:
            return PollQuiet(shipment.id, shipment.number, due)
        return PollChange(
            id=shipment.id,
            number=shipment.number,
            next_poll_at=due,
            journey=journey,
            source=self.source,
            events=events,
            material=bool(events) or _told(journey) != _told(polled.journey),
            link=link,
        )


def _told(journey: Journey) -> Journey:
    """The journey without what only counts: how often *not found* was said, and when the word was last given."""
    run = journey.not_found
    return replace(journey, told=None, not_found=None if run is None else replace(run, answers=1))


def _registered(memory: Mapping[str, Any]) -> datetime | None:
    """When the account registered the number, where the source wants that: *not found* is no news for two days after it."""
    text = memory.get("registered_at")
    return datetime.fromisoformat(text) if isinstance(text, str) else None
