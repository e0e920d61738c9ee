"""A dossier as it stood at any date, as far as what is kept can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from carriers.model import Tracking, TrackingEvent, TrackingStatus
from tracker.model import ActionKind, Case, Dossier, Effect, Heard, NotFound, Order, OutboxState, Shipment, TaskState, Window
from tracker.model.journey import fold, travelled
from tracker.policy.window import moves
from tracker.rules import STAGES
from tracker.timeline.run import frame_of


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A scan, who told it and when we first saw it (epoch seconds)."""

    event: TrackingEvent
    at: int
    source: str = ""


def answers_of(number: str, seen: Iterable[Seen]) -> tuple[Heard, ...]:
    """The answers that brought these scans, as far as the scans alone can tell them: each knows all that was seen until then."""
    ordered = sorted(seen, key=lambda each: (each.at, each.source, each.event.key))
    instants = sorted({(each.at, each.source) for each in ordered})
    return tuple(_answer(number, [each.event for each in ordered if each.at <= at], at, source) for at, source in instants)


def _answer(number: str, events: Sequence[TrackingEvent], at: int, source: str) -> Heard:
    timed = [(bounds[1], event.key, event) for event in events if (bounds := event.bounds()) is not None]
    newest = max(timed, default=None, key=lambda each: each[:2])
    status, reason = (TrackingStatus.UNKNOWN, None) if newest is None else (newest[2].status, newest[2].reason)
    return Heard(at=at, source=source, tracking=Tracking(number=number, status=status, reason=reason, events=tuple(events)))


def as_of(dossier: Dossier, seen: Mapping[str, Sequence[Seen]], at: datetime) -> Dossier:
    """The dossier as it stood at `at`, as far as what is kept can tell.

    Scans count from when we first saw them. Between two changes sources are taken to have answered regularly. A fact without a
    date of its own (opt-out, hold, state) stands as it is today.
    """
    return replace(
        dossier,
        order=_order_as_of(dossier, at),
        shipments=tuple(_shipment_as_of(dossier, each, seen.get(each.number, ()), at) for each in dossier.shipments),
        cases=tuple(_case_as_of(case, at) for case in dossier.cases if case.opened_at <= at),
        claims=tuple(claim for claim in dossier.claims if claim.opened_at <= at),
        effects=tuple(_effect_as_of(effect, at) for effect in dossier.effects if effect.created_at <= at),
    )


def _past(instant: datetime | None, at: datetime) -> datetime | None:
    return None if instant is None or instant > at else instant


def _case_as_of(case: Case, at: datetime) -> Case:
    closed_at = _past(case.closed_at, at)
    outcome = None if closed_at is None and case.closed_at is not None else case.outcome
    return replace(case, closed_at=closed_at, outcome=outcome, answered_at=_past(case.answered_at, at))


def _order_as_of(dossier: Dossier, at: datetime) -> Order:
    order = dossier.order
    order = replace(
        order,
        received_at=_past(order.received_at, at),
        waiting_since=_past(order.waiting_since, at),
        window=_window_as_of(dossier, at),
        contacted={stage: told for stage, told in order.contacted.items() if told <= at},
        settled={stage: word for stage, word in order.settled.items() if word.at <= at},
    )
    if _past(order.refunded_at, at) is None:
        return replace(order, refunded_at=None, refunded_amount=None, refund_reference=None)
    return order


def _window_as_of(dossier: Dossier, at: datetime) -> Window | None:
    """Every extension is keyed by the end it moved: the first one done later tells the end of then."""
    window = dossier.order.window
    later = sorted(
        effect.occasion
        for effect in dossier.effects
        if effect.kind is ActionKind.EXTENSION and effect.done_at is not None and effect.done_at > at
    )
    if window is None or not later:
        return window
    end = datetime.combine(datetime.fromisoformat(moves(later[0])), window.end.timetz())
    return replace(window, end=end, extensions=max(window.extensions - len(later), 0))


def _shipment_as_of(dossier: Dossier, shipment: Shipment, seen: Sequence[Seen], at: datetime) -> Shipment:
    heard = [each for each in answers_of(shipment.number, seen) if each.at <= at.timestamp()]
    run = _run_as_of(shipment, at)
    known = heard or run is not None or _past(shipment.registered_at, at) is not None
    last = None if shipment.last_answer_at is None or not known else min(shipment.last_answer_at, at)
    day0 = shipment.day0 if _stage_had_acted(dossier, at) else None
    if len(heard) == len({(each.at, each.source) for each in seen}) and shipment.not_found == run:
        return replace(shipment, last_answer_at=last, day0=day0)
    journey = fold(frame_of(shipment), heard, registered_at=_past(shipment.registered_at, at))
    if run is not None and not heard:
        journey = replace(journey, status=TrackingStatus.NOT_FOUND)
    epoch = None if last is None else int(last.timestamp())
    return replace(travelled(shipment, replace(journey, not_found=run), epoch), day0=day0)


def _run_as_of(shipment: Shipment, at: datetime) -> NotFound | None:
    """The run of *not found* answers as far as it had come, taken as evenly spread."""
    run, last = shipment.not_found, shipment.last_answer_at
    if run is None or last is None or run.since > at:
        return None
    if last <= at or last <= run.since:
        return run
    part = (at - run.since) / (last - run.since)
    return replace(run, answers=max(1, int(run.answers * part)))


def _stage_had_acted(dossier: Dossier, at: datetime) -> bool:
    return any(effect.intent in STAGES and effect.done_at is not None and effect.done_at <= at for effect in dossier.effects)


def _effect_as_of(effect: Effect, at: datetime) -> Effect:
    if effect.decided_at is not None and effect.decided_at > at:
        return replace(effect, state=OutboxState.HELD, decided_at=None, rejected=False, task=None, done_at=None)
    if effect.done_at is not None and effect.done_at > at:
        if effect.task is not None:
            return replace(effect, task=TaskState.OPEN, done_at=None)
        return replace(effect, state=OutboxState.PENDING, done_at=None)
    return effect
