"""Running decide() forward over a dossier: time does not tick, it jumps to the next answer or to the next date that matters.

Nothing is polled and nobody is asked: what sources, channels and people do is an assumption, and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.dates import DAY
from tracker.model import (
    ActionKind,
    Claim,
    ClaimState,
    Decision,
    Dossier,
    Effect,
    Frame,
    Heard,
    Order,
    OutboxState,
    Phase,
    Shipment,
    TaskState,
    Verdict,
    Window,
    WindowSource,
)
from tracker.model.journey import fold, travelled
from tracker.policy import decide
from tracker.policy.view import taken_back, withdrawable
from tracker.rules import Rules


class Assume(msgspec.Struct, frozen=True, kw_only=True):
    """What others are taken to do. `answering`: sources answer whenever they are asked, else only where an answer is recorded.

    `messages`: sent at once. `extensions`: done at once, for the first number of days the marketplace offers. `refunds`:
    approved and paid at once.
    """

    answering: bool = True
    messages: bool = True
    extensions: bool = True
    refunds: bool = True
    every: timedelta | None = None
    """Where no answer is recorded, sources answer so often and say what they said last; None: they keep silent."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One instant of a run: what was decided, and the dossier that it was decided on."""

    at: datetime
    verdict: Verdict
    dossier: Dossier


_AT_ONCE = Assume()

History = Mapping[str, Sequence[Heard]]
"""Number -> the answers about it."""


def run(
    dossier: Dossier, history: History, rules: Rules, since: datetime, until: datetime, assume: Assume | None = None
) -> list[Step]:
    """Decide from `since` to `until` (both inclusive), at every answer and whenever the answer of decide() can change."""
    assume = assume or Assume()
    answers = sorted({heard.at for each in history.values() for heard in each})
    steps: list[Step] = []
    now: datetime | None = since
    while now is not None and now <= until:
        dossier = _heard(dossier, history, now, assume, again=bool(steps))
        verdict = decide(dossier, rules, now)
        steps.append(Step(at=now, verdict=verdict, dossier=dossier))
        before, dossier = dossier, carry_out(dossier, verdict, rules, now, assume)
        # What was just done is an event of its own: an extension done wants its notice.
        if dossier.effects != before.effects:
            now += timedelta(seconds=1)
            continue
        looks_again = _asked(dossier, verdict, now, assume)
        now = _next(answers, now, looks_again)
    return steps


def _next(answers: Sequence[int], now: datetime, looks_again: datetime | None) -> datetime | None:
    coming = next((datetime.fromtimestamp(at, UTC) for at in answers if at > now.timestamp()), None)
    return min((at for at in (coming, looks_again) if at is not None), default=None)


def _asked(dossier: Dossier, verdict: Verdict, now: datetime, assume: Assume) -> datetime | None:
    """When the verdict can change: by time alone, or by an answer that is taken to come about a parcel that was heard of."""
    if assume.every is None or not verdict.waits_for_answer or all(each.last_answer_at is None for each in dossier.shipments):
        return verdict.next_at
    answered = now + assume.every
    return answered if verdict.next_at is None else min(answered, verdict.next_at)


def _heard(dossier: Dossier, history: History, now: datetime, assume: Assume, *, again: bool) -> Dossier:
    """What is known by `now`; `again` says that this is not the run's first look, for which the stored facts stand."""
    every = assume.every if again else None
    return replace(dossier, shipments=tuple(_travel(each, history, now, assume, every) for each in dossier.shipments))


def _travel(shipment: Shipment, history: History, now: datetime, assume: Assume, every: timedelta | None) -> Shipment:
    heard = [each for each in history.get(shipment.number, ()) if each.at <= now.timestamp()]
    if not heard:
        return shipment if every is None else _same_again(shipment, now, every)
    journey = fold(frame_of(shipment), heard, registered_at=shipment.registered_at)
    last = int(now.timestamp()) if assume.answering else max(each.at for each in heard)
    return travelled(shipment, journey, last)


def _same_again(shipment: Shipment, now: datetime, every: timedelta) -> Shipment:
    """The source has said the same again until now. One that never said anything is not taken to begin."""
    last, run = shipment.last_answer_at, shipment.not_found
    if last is None or last >= now:
        return shipment
    if run is not None:
        run = replace(run, answers=run.answers + int((now - last) / every))
    return replace(shipment, last_answer_at=now, not_found=run)


def frame_of(shipment: Shipment) -> Frame:
    """What the fold must know of this parcel."""
    return Frame(shipped_at=shipment.shipped_at, country=shipment.country)


# ------------------------------------------------------------------------------------------------------- carrying it out


def carry_out(dossier: Dossier, verdict: Verdict, rules: Rules, now: datetime, assume: Assume | None = None) -> Dossier:
    """The dossier after this verdict, with what others are taken to do about it."""
    assume = assume or _AT_ONCE
    effects = {each.key: each for each in dossier.effects}
    for key, _ in verdict.withdraw:
        effects[key] = _withdraw(effects[key])
    order, claims, shipments = dossier.order, dossier.claims, dossier.shipments
    for decision in verdict.decisions:
        key = decision.key
        known = effects.get(key)
        if known is not None and not taken_back(known):
            continue
        effects[key] = effect = _effect(decision, key, now, assume)
        if effect.done_at is not None:
            order = _facts(order, decision, rules, now)
        if decision.kind is ActionKind.COMPENSATION:
            claims = (*claims, _claim(decision, now))
    if verdict.claims:
        moved = {(move.shipment, move.attempt): move.after for move in verdict.claims}
        claims = tuple([replace(each, state=moved.get((each.shipment, each.attempt), each.state)) for each in claims])
    if verdict.day0 and assume.messages:
        shipments = tuple([replace(each, day0=verdict.day0.get(each.number, each.day0)) for each in shipments])
    return replace(
        dossier, order=order, shipments=shipments, effects=tuple(effects.values()), claims=claims, version=dossier.version + 1
    )


def _withdraw(effect: Effect) -> Effect:
    if not withdrawable(effect):
        return effect
    return replace(effect, task=TaskState.DROPPED) if effect.task is not None else replace(effect, state=OutboxState.CANCELLED)


def _effect(decision: Decision, key: str, now: datetime, assume: Assume) -> Effect:
    """The outbox row of a decision, as the sweep and the people behind it are taken to leave it."""
    state, task, done = OutboxState.SENT, None, False
    match decision.kind:
        case ActionKind.MESSAGE:
            state, done = (OutboxState.SENT, True) if assume.messages else (OutboxState.PENDING, False)
        case ActionKind.EXTENSION:
            done = assume.extensions
            task = TaskState.DONE if done else TaskState.OPEN
        case ActionKind.REFUND:
            state, task, done = (OutboxState.SENT, TaskState.DONE, True) if assume.refunds else (OutboxState.HELD, None, False)
        case ActionKind.COMPENSATION:
            done = True
        case _:
            task = TaskState.OPEN
    return Effect(
        key=key,
        subject=decision.subject,
        intent=decision.intent,
        occasion=decision.occasion,
        kind=decision.kind,
        state=state,
        reason=decision.reason,
        created_at=now,
        shipment=decision.shipment,
        amount=decision.amount,
        currency=decision.currency,
        task=task,
        decided_at=now if task is TaskState.DONE else None,
        done_at=now if done else None,
    )


def _facts(order: Order, decision: Decision, rules: Rules, now: datetime) -> Order:
    """What a finished task writes into the order: the new end of the window, the refund."""
    if decision.kind is ActionKind.EXTENSION and decision.deadline is not None:
        days = rules.marketplace(order.platform).extension.days[0]
        count = 0 if order.window is None else order.window.extensions
        end = decision.deadline + days * DAY
        return replace(order, window=Window(end=end, source=WindowSource.TYPED, extensions=count + 1))
    if decision.kind is ActionKind.REFUND:
        paid = (order.refunded_amount or Decimal(0)) + (decision.amount or Decimal(0))
        return replace(order, refunded_at=now, refunded_amount=paid)
    return order


def _claim(decision: Decision, now: datetime) -> Claim:
    facts = decision.evidence
    return Claim(
        shipment=decision.shipment or "",
        attempt=int(decision.occasion),
        state=ClaimState.DRAFT,
        rule=decision.rule,
        phase=Phase(facts["phase"]),
        cause=decision.reason.value,
        earliest_on=_day(facts["earliest_on"]),
        latest_on=_day(facts["latest_on"]),
        payable=decision.amount,
        currency=decision.currency,
        opened_at=now,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
