"""What people are asked about claims in the register: overdue answers, papers, appeals, money, the week's inquiries (R87, R88).

All of it is grouped by carrier: what goes there is one list (D17). Whatever the facts no longer want is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from tracker import compensation
from tracker.compensation import PaperState
from tracker.compensation.papers import FROM_BUYER
from tracker.model import ActionKind, Claim, ClaimState, Decision, DecisionReason, Effect, Intent
from tracker.policy.findings import Findings
from tracker.policy.view import Parcel, View, standing
from tracker.rules import CompensationRule

R = DecisionReason
CLOSES_FIRST = "closes_first"
"""Occasion of the warning about a window that closes before the silence proves anything (tracker.policy.losses)."""

_AWAITED = frozenset({ClaimState.INQUIRY_OPEN, ClaimState.FILED, ClaimState.ACKNOWLEDGED, ClaimState.APPEALED})
_REFUSED = frozenset({ClaimState.REJECTED, ClaimState.APPROVED_PARTIAL})
_ACCEPTED = frozenset({ClaimState.APPROVED, ClaimState.APPROVED_PARTIAL})
_PREPARED = frozenset({ClaimState.DRAFT, ClaimState.READY, ClaimState.INQUIRY_OPEN})


class _Wish(msgspec.Struct, frozen=True):
    """One thing to ask a person. `since` lies ahead where it is not due yet; `deadline` is the last day it makes sense."""

    reason: DecisionReason
    occasion: str
    since: date
    deadline: date | None = None
    intent: Intent = Intent.CLAIM_FOLLOW_UP
    detail: str = ""


def remind(view: View, out: Findings, claim: Claim, parcel: Parcel, terms: CompensationRule | None, *, moves: bool) -> None:
    """Ask for what the claim wants now. A claim that `moves` is looked at again in its new state first."""
    today, _ = compensation.origin_days(view.now, parcel.shipment.origin)
    wishes = [] if moves else list(_wishes(claim, parcel, terms, today))
    subject = parcel.shipment.subject
    past = [*view.effects(Intent.CLAIM_FOLLOW_UP, subject), *view.effects(Intent.CLAIM_INQUIRY, subject)]
    for wish in wishes:
        if wish.since > today:
            out.again(_begins(wish.since))
        elif _asked(past, wish) is None:
            out.act(_decision(claim, parcel, wish))
    wanted = {(wish.intent, wish.occasion) for wish in wishes if wish.since <= today}
    mine = [each for each in past if each.occasion != CLOSES_FIRST and _of(each, claim)]
    out.take_back([each for each in mine if (each.intent, each.occasion) not in wanted], R.CLAIM_OPEN)


def _of(effect: Effect, claim: Claim) -> bool:
    return effect.occasion.split("-")[0] == str(claim.attempt)


def _asked(past: list[Effect], wish: _Wish) -> Effect | None:
    return standing([each for each in past if (each.intent, each.occasion) == (wish.intent, wish.occasion)])


def _wishes(claim: Claim, parcel: Parcel, terms: CompensationRule | None, today: date) -> Iterator[_Wish]:
    state, number = claim.state, claim.attempt
    if state in _AWAITED and claim.answer_due_on is not None:
        due = claim.answer_due_on
        yield _Wish(R.ANSWER_OVERDUE, f"{number}-answer-{due}", due + timedelta(days=1), detail=f"due {due}")
    if state in _REFUSED and claim.appeal_until is not None and claim.appeal_until >= today:
        yield _Wish(R.APPEAL_OPEN, f"{number}-appeal-{claim.appeal_until}", today, claim.appeal_until)
    if state in _ACCEPTED and claim.payout_due_on is not None:
        due = claim.payout_due_on
        yield _Wish(R.PAYOUT_OVERDUE, f"{number}-payout-{due}", due + timedelta(days=1), detail=f"due {due}")
    if state is ClaimState.WITHDRAWN and (claim.filed_on or claim.inquiry_on):
        yield _Wish(R.CLAIM_TO_WITHDRAW, f"{number}-withdraw", today)
    if state is ClaimState.REVERSED:
        yield _Wish(R.CLAWBACK_DUE, f"{number}-clawback", today)
    if state is ClaimState.READY and terms is not None and terms.inquiry_only:
        yield _week(claim, today)
    yield from _papers(claim, parcel, terms, today)


def _papers(claim: Claim, parcel: Parcel, terms: CompensationRule | None, today: date) -> Iterator[_Wish]:
    """What lacks: the carrier's own wish, the proof of damage (R88), the buyer's statement once its date counts."""
    if claim.state is ClaimState.WAITING_DOCUMENTS:
        yield _Wish(
            R.PAPERS_WANTED,
            f"{claim.attempt}-papers-{claim.papers_wanted_on or ''}".rstrip("-"),
            today,
            detail=_listed(claim, parcel, terms),
        )
    elif claim.state in _PREPARED and (terms is None or not terms.inquiry_only):
        lacking = [each for each in compensation.checklist(claim, terms, parcel.shipment) if not each.there]
        if claim.loss_type.arrives and lacking:
            yield _Wish(R.PAPERS_WANTED, f"{claim.attempt}-proof", today, claim.latest_on, detail=_codes(lacking))
        statements = [each for each in lacking if each.code in FROM_BUYER and not claim.loss_type.arrives]
        if statements and claim.state is not ClaimState.DRAFT:
            since = max(each.acceptable_from or today for each in statements)
            yield _Wish(R.STATEMENT_WANTED, f"{claim.attempt}-statement", since, claim.latest_on, detail=_codes(statements))


def _listed(claim: Claim, parcel: Parcel, terms: CompensationRule | None) -> str:
    return _codes([each for each in compensation.checklist(claim, terms, parcel.shipment) if not each.there])


def _codes(papers: list[PaperState]) -> str:
    return ", ".join(each.code for each in papers)


def _week(claim: Claim, today: date) -> _Wish:
    """Inquiries that pay nothing wait for the week's list, unless their window closes before."""
    opened = max(claim.opened_at.date(), claim.earliest_on or claim.opened_at.date())
    monday = opened + timedelta(days=-opened.weekday() % 7)
    since = monday if claim.latest_on is None or monday <= claim.latest_on else today
    return _Wish(R.INQUIRY_DUE, str(claim.attempt), since, claim.latest_on, Intent.CLAIM_INQUIRY)


def _decision(claim: Claim, parcel: Parcel, wish: _Wish) -> Decision:
    amount, currency = (claim.claimed, claim.claimed_currency) if claim.claimed is not None else (claim.payable, claim.currency)
    facts = {
        "carrier": parcel.shipment.carrier or "",
        "claim": str(claim.id),
        "carrier_ref": claim.carrier_ref or claim.inquiry_ref or "",
        "filed_on": "" if claim.filed_on is None else claim.filed_on.isoformat(),
        "latest_on": "" if claim.latest_on is None else claim.latest_on.isoformat(),
        "papers": wish.detail,
    }
    return Decision(
        kind=ActionKind.TASK,
        reason=wish.reason,
        rule=claim.rule,
        subject=parcel.shipment.subject,
        intent=wish.intent,
        occasion=wish.occasion,
        shipment=parcel.shipment.number,
        deadline=None if wish.deadline is None else _ends(wish.deadline),
        amount=amount or None,
        currency=currency if amount else None,
        evidence={name: value for name, value in facts.items() if value},
    )


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _ends(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC).replace(microsecond=0)
