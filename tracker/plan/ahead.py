"""One order until a date: what would be sent, extended, claimed, proposed, and what of it a person has to do.

Nobody knows what carriers and buyers will say. What is assumed instead is named in `ASSUMED` and told with every plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from tracker.messages import base_key
from tracker.model import (
    ActionKind,
    Channel,
    Claim,
    ClaimState,
    Decision,
    DecisionReason,
    Dossier,
    Effect,
    HoldReason,
    Intent,
)
from tracker.policy.birth import Birth, birth
from tracker.rules import Rules
from tracker.timeline import Assume, Step, run
from tracker.times import case_due

ASSUMED = Assume(every=timedelta(hours=12))
"""Sources answer twice a day and see nothing new; texts go out, extensions are made, refunds are approved and paid at once."""


class Work(StrEnum):
    """What only a person can do."""

    DECIDE_REFUND = "decide_refund"
    DECIDE_MESSAGE = "decide_message"
    SEND_BY_HAND = "send_by_hand"
    SEND_WORKSHEET = "send_worksheet"
    EXTEND_BY_HAND = "extend_by_hand"
    FILE_CLAIM = "file_claim"
    ANSWER_CASE = "answer_case"
    OTHER_TASK = "other_task"


_BY_KIND = {
    ActionKind.REFUND: Work.DECIDE_REFUND,
    ActionKind.EXTENSION: Work.EXTEND_BY_HAND,
    ActionKind.TASK: Work.OTHER_TASK,
}


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One effect that would be decided at `at` (aware UTC). `hold` says that it would wait for a person first."""

    at: datetime
    store: str
    order: str
    country: str | None
    kind: ActionKind
    intent: Intent
    identity: str
    reason: DecisionReason
    rule: str
    template: str | None = None
    shipment: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    deadline: datetime | None = None
    hold: HoldReason | None = None


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """Work for a person, from `at` on; what must be done by `deadline`."""

    at: datetime
    store: str
    order: str
    work: Work
    deadline: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one order, in order of time. `steps` are the looks that decide() took."""

    effects: tuple[Planned, ...]
    chores: tuple[Chore, ...]
    steps: tuple[Step, ...]


def forecast(dossier: Dossier, rules: Rules, now: datetime, until: datetime) -> Forecast:
    """From `now` to `until`, both inclusive. KeyError: no file describes the order's store or marketplace."""
    steps = run(dossier, {}, rules, now, until, ASSUMED)
    effects: list[Planned] = []
    chores: list[Chore] = list(_standing(dossier, rules, now, until))
    for step in steps:
        for decision in step.verdict.decisions:
            begun = birth(decision, dossier, rules)
            if begun is None:
                continue
            planned = _planned(decision, dossier, begun, step.at)
            effects.append(planned)
            work = _work(planned, begun, dossier, rules)
            if work is not None:
                chores.append(_chore(planned, work))
        chores += _filings(step)
    return Forecast(effects=tuple(effects), chores=tuple(chores), steps=tuple(steps))


def identity(effect: Decision | Effect) -> str:
    """What makes two decisions the same effect under two sets of rules: the dedup key.

    A recommendation's occasion only counts those before it: there the parcel stands for it.
    """
    if effect.kind is not ActionKind.REFUND:
        return effect.key
    return f"{effect.subject}:{effect.intent.value}:{effect.shipment}"


def _planned(decision: Decision, dossier: Dossier, begun: Birth, at: datetime) -> Planned:
    order = dossier.order
    return Planned(
        at=at,
        store=order.store,
        order=order.number,
        country=order.country,
        kind=decision.kind,
        intent=decision.intent,
        identity=identity(decision),
        reason=decision.reason,
        rule=decision.rule,
        template=decision.template,
        shipment=decision.shipment,
        amount=decision.amount,
        currency=decision.currency,
        deadline=decision.deadline,
        hold=begun.hold,
    )


def _work(planned: Planned, begun: Birth, dossier: Dossier, rules: Rules) -> Work | None:
    """What a person has to do for it. A claim is filed when its window opens, which is told by its moves."""
    if planned.intent is Intent.CASE_ANSWER:
        return None  # told by its deadline, whether its task is there yet or not
    if planned.kind is not ActionKind.MESSAGE:
        return _BY_KIND.get(planned.kind)
    if begun.hold is HoldReason.STORE_OBSERVES:
        return None
    if begun.hold is HoldReason.MESSAGE_NEEDS_APPROVAL:
        return Work.DECIDE_MESSAGE
    if begun.channel is not Channel.TASK:
        return None
    grouped = base_key(planned.template or planned.intent.value) in rules.marketplace(dossier.order.platform).grouped
    return Work.SEND_WORKSHEET if grouped else Work.SEND_BY_HAND


def _chore(planned: Planned, work: Work) -> Chore:
    return Chore(
        at=planned.at,
        store=planned.store,
        order=planned.order,
        work=work,
        deadline=planned.deadline,
        amount=planned.amount,
        currency=planned.currency,
    )


def _filings(step: Step) -> Iterator[Chore]:
    """Claims whose window opens."""
    claims = {(claim.shipment, claim.attempt): claim for claim in step.dossier.claims}
    for move in step.verdict.claims:
        claim = claims.get((move.shipment, move.attempt))
        if move.after is ClaimState.READY and claim is not None:
            yield _filing(step.dossier, claim, step.at)


def _standing(dossier: Dossier, rules: Rules, now: datetime, until: datetime) -> Iterator[Chore]:
    """What is there already and must be done within the time: open cases to answer, claims to file before their window closes."""
    order = dossier.order
    for case in dossier.cases:
        due = None if case.closed_at is not None or case.answered_at is not None else case_due(case, dossier, rules)
        if due is not None and now <= due.at <= until:
            yield Chore(at=due.at, store=order.store, order=order.number, work=Work.ANSWER_CASE, deadline=due.at)
    for claim in dossier.claims:
        last = _last_instant(claim)
        if claim.state is ClaimState.READY and last is not None and now <= last <= until:
            yield _filing(dossier, claim, last)


def _filing(dossier: Dossier, claim: Claim, at: datetime) -> Chore:
    return Chore(
        at=at,
        store=dossier.order.store,
        order=dossier.order.number,
        work=Work.FILE_CLAIM,
        deadline=_last_instant(claim),
        amount=claim.payable,
        currency=claim.currency,
    )


def _last_instant(claim: Claim) -> datetime | None:
    return None if claim.latest_on is None else datetime.combine(claim.latest_on, time.max, UTC).replace(microsecond=0)
