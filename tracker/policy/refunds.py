"""Refund advice: recommended with amount, reason and evidence; a person decides (D2, D11, D14, D23, R3, R8, R37).

One recommendation per parcel at a time. It lapses after 7 days without an answer and is made again while it is still true (D2).
One that a person rejected is not made again for the same reason, unless the parcel was scanned after the rejection and the
reason came true anew; another reason that costs money is news and is put before him again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from tracker import times
from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Case, Decision, DecisionReason, Effect, HoldReason, Intent, OutboxState, Remedy, TaskState
from tracker.policy.cases import urged
from tracker.policy.cases.weighing import concerned
from tracker.policy.cutover import before, danger_from, left_behind, pressing, told
from tracker.policy.findings import Findings
from tracker.policy.ladder import evidence
from tracker.policy.liability import fault
from tracker.policy.opening import openings
from tracker.policy.patience import patience
from tracker.policy.problems import PROBLEMS, Problem
from tracker.policy.problems import RULE as PROBLEM_RULE
from tracker.policy.remedies import cost_of_dispute, cost_of_refund, options, propose
from tracker.policy.shares import Purse, share_of
from tracker.policy.untrackable import Trace
from tracker.policy.view import PLATFORM, Parcel, View, standing
from tracker.policy.window import closes_at
from tracker.rules import STAGES

RULE = "refund"
STAGE3_REASONS = frozenset({DecisionReason.STAGE3_NOT_ARRIVED, DecisionReason.WINDOW_CLOSES_UNARRIVED})
"""Reasons whose refund speaks with the text `stage3`; every other one with `refund_issued` (D13)."""

_STAGE3 = STAGES.index(Intent.STAGE3)


class Advice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the facts say about one parcel's money: refund it (`due`), or why not, and when time alone can change that."""

    reason: DecisionReason
    rule: str = RULE
    due: bool = False
    urgent: bool = False
    since: datetime | None = None
    again: datetime | None = None
    deadline: datetime | None = None
    detail: str = ""
    evidence: Mapping[str, str] = {}


def recommend(view: View, out: Findings, traces: Mapping[str, Trace]) -> None:
    """Decide the recommendations of all parcels. `traces` has those that are still on their way."""
    past = view.effects(Intent.REFUND)
    if view.over is not None:
        out.nothing(RULE, view.over)
        out.take_back(past, view.over)
        return
    hold = view.order.hold_until
    if hold is not None and hold > view.now:
        out.nothing(RULE, DecisionReason.ON_HOLD, again=hold)
        return
    _lapse(view, out, past)
    purse = Purse(view, [effect for effect in past if not out.taken_back(effect)])
    made = 0
    for parcel in view.parcels:
        mine = [effect for effect in past if effect.shipment in {parcel.shipment.number, None}]
        advice = _advise(view, out, parcel, traces.get(parcel.shipment.number), mine)
        made += _settle(view, out, parcel, advice, mine, purse, len(past) + made)


def _lapse(view: View, out: Findings, past: list[Effect]) -> None:
    """What nobody answered in 7 days, or before a case came, is taken back; `_settle` makes it again while it is true (D2, R9).

    What a restore holds does neither: under a new key nobody would look whether it was paid already (faults row 36). In a case
    the other ones are urgent, and wanted before the answer: the same advice, with another date.
    """
    for effect in past:
        if effect.state is OutboxState.HELD and not effect.rejected and effect.hold is not HoldReason.RESTORED:
            opened = [case.opened_at for case in view.dossier.cases if _contested(case) and case.opened_at > effect.created_at]
            if opened and min(opened) <= view.now:
                out.take_back([effect], DecisionReason.DISPUTE_OPEN)
                continue
            out.again(min(opened, default=None))
            lapses = effect.created_at + view.rules.manners.recommendation_days * DAY
            if lapses <= view.now:
                out.take_back([effect], DecisionReason.LAPSED)
            else:
                out.again(lapses)


# ------------------------------------------------------------------------------------------------------------------ advice


def _advise(view: View, out: Findings, parcel: Parcel, found: Trace | None, mine: list[Effect]) -> Advice:
    """The strongest reason that holds, top down: the carrier's own word, untrackable, age.

    A problem on the way that somebody has answered, or that was old at the cut-over, hides no reason that comes after it.
    """
    if parcel.gone is DecisionReason.RETURNED_TO_SENDER:
        return _returned(view, parcel)
    if parcel.gone is not None or found is None:
        return Advice(reason=parcel.gone or DecisionReason.NOT_YET_DUE)
    if parcel.shipment.suspect is not None:
        return Advice(reason=DecisionReason.SUSPECT_NUMBER)
    if parcel.lost:
        return _lost(view, parcel)
    problem = PROBLEMS.get(parcel.shipment.reason) if parcel.shipment.reason is not None else None
    if problem is not None:
        advice = _problem(view, parcel, problem)
        answered = _answered(out, mine, advice.reason, parcel)
        if advice.due and answered is None:
            return advice
        out.nothing(advice.rule, answered or advice.reason, parcel.shipment.number, advice.detail, again=advice.again)
    if found.proven:
        return Advice(
            reason=found.reason,
            rule="refund.untrackable",
            due=True,
            urgent=True,
            since=found.proven_at if before(view, found.proven_at) else None,
            evidence=_untrackable(view, parcel, found),
        )
    out.nothing("refund.untrackable", found.reason, parcel.shipment.number, again=found.again)
    if found.waits:
        out.wait()
    urge = urged(view, parcel)
    if urge is not None:
        return Advice(reason=urge.reason, rule=urge.rule, due=True, urgent=urge.urgent, since=urge.since, evidence=urge.evidence)
    return _by_age(view, parcel)


def _lost(view: View, parcel: Parcel) -> Advice:
    """The carrier's own word (R37). What was lost before the cut-over is due since then: a take-over is no mass change (D25)."""
    scan = parcel.shipment.last_scan
    came = None if scan is None else scan.latest
    return Advice(
        reason=DecisionReason.CARRIER_SAYS_LOST,
        rule="refund.lost",
        due=True,
        urgent=True,
        since=came if before(view, came) else None,
        evidence={"stock": "take it off sale: it is not coming back"},
    )


def _returned(view: View, parcel: Parcel) -> Advice:
    """It came back."""
    rule = "refund.returned"
    return _old(view, parcel, rule) or Advice(reason=DecisionReason.RETURNED_TO_SENDER, rule=rule, due=True)


def _problem(view: View, parcel: Parcel, problem: Problem) -> Advice:
    """A problem on the way, to be solved within 48 hours: send on, send again, or give back by value (R83, R84, R85)."""
    rule = PROBLEM_RULE
    facts = {"advice": problem.advice, "liable": fault(parcel.shipment, view.rules).told}
    if problem.stock:
        facts["stock"] = problem.stock
    if problem.checklist:
        facts["checklist"] = problem.checklist
    return _old(view, parcel, rule) or Advice(
        reason=problem.reason,
        rule=rule,
        due=True,
        urgent=True,
        deadline=view.now + timedelta(hours=view.rules.manners.problem_hours),
        evidence=facts,
    )


def _old(view: View, parcel: Parcel, rule: str) -> Advice | None:
    """What happened before the cut-over was somebody's business then, unless danger is alive."""
    scan = parcel.shipment.last_scan
    came = None if scan is None else scan.latest
    if not before(view, came) or pressing(view):
        return None
    return Advice(reason=DecisionReason.BEFORE_CUTOVER, rule=rule, again=danger_from(view), detail=told(view, came))


def _untrackable(view: View, parcel: Parcel, found: Trace) -> dict[str, str]:
    """A parcel that is proven untrackable overrides the platform's settling; both costs are shown (D6, D14)."""
    facts = dict(found.evidence)
    if not parcel.shipment.matched:
        facts["service"] = "not matched"
    if parcel.shipment.settled_by is not None:
        facts["settled_by"] = parcel.shipment.settled_by
        facts["cost_of_a_refund"] = cost_of_refund(view, parcel, share_of(view, parcel).amount)
    if view.market.freeze_days:
        facts["cost_of_a_dispute"] = cost_of_dispute(view)
    return facts


def _by_age(view: View, parcel: Parcel) -> Advice:
    """Day 60, or the destination's own (R3): unless it moves, is in the last mile, or the platform settles it (D2, D14)."""
    rule = f"{parcel.profile.id}.{Intent.STAGE3.value}"
    due = parcel.dues[_STAGE3]
    if due is None or due > view.now:
        reason = DecisionReason.NO_DAY_ZERO if parcel.started is None else DecisionReason.NOT_YET_DUE
        return Advice(reason=reason, rule=rule, again=due)
    if parcel.shipment.settled_by == PLATFORM:
        worth = share_of(view, parcel).amount
        costs = f"refund: {cost_of_refund(view, parcel, worth)}; dispute: {cost_of_dispute(view)}"
        return Advice(reason=DecisionReason.SETTLED_BY_PLATFORM, rule=rule, detail=costs)
    left = left_behind(view, _STAGE3, due)
    if left is not None and not pressing(view):
        return Advice(reason=left.reason, rule=rule, again=danger_from(view), detail=left.detail)
    waits, until = patience(view, parcel)
    if waits is not None:
        closes = closes_at(view)
        last_call = None if closes is None else closes - view.rules.manners.refund_before_window_days * DAY
        if last_call is not None and view.now >= last_call:
            return Advice(reason=DecisionReason.WINDOW_CLOSES_UNARRIVED, rule=rule, due=True, urgent=True, since=last_call)
        return Advice(reason=waits, rule=rule, again=min((at for at in (until, last_call) if at is not None), default=None))
    if left is not None and not view.dossier.dispute_open:
        return Advice(reason=DecisionReason.WINDOW_CLOSES_UNARRIVED, rule=rule, due=True, urgent=True, since=danger_from(view))
    return Advice(reason=DecisionReason.STAGE3_NOT_ARRIVED, rule=rule, due=True, since=due)


# ------------------------------------------------------------------------------------------------------- recommendation


def _settle(view: View, out: Findings, parcel: Parcel, advice: Advice, mine: list[Effect], purse: Purse, count: int) -> int:
    """Bring the advice and the recommendations made so far together. Returns how many were made now.

    An approved refund is only stopped by facts that end the matter; an unanswered one by any that speak against it.
    """
    number = parcel.shipment.number
    alive = [effect for effect in mine if not out.taken_back(effect) and effect.task is not TaskState.EXPIRED]
    used = standing(alive)
    if not advice.due:
        out.nothing(advice.rule, advice.reason, number, advice.detail, again=advice.again)
        out.take_back((effect for effect in alive if effect.state is OutboxState.HELD or parcel.gone is not None), advice.reason)
    elif used is not None and used.open:
        out.nothing(advice.rule, DecisionReason.RECOMMENDATION_OPEN, number, advice.reason.value)
    elif used is not None and not used.rejected and not _another_matter(used, advice.reason, parcel):
        out.nothing(advice.rule, DecisionReason.MONEY_SETTLED if used.acted else DecisionReason.ALREADY_DONE, number)
    elif any(_refused(effect, advice.reason, parcel) for effect in alive):
        out.nothing(advice.rule, DecisionReason.RECOMMENDATION_REJECTED, number, advice.reason.value)
    elif purse.empty:
        out.nothing(advice.rule, DecisionReason.NOTHING_LEFT_TO_PAY, number)
    elif not view.fresh(parcel, view.rules.manners.facts_age_money_hours):
        out.wait_for_facts(advice.rule, parcel, "money needs facts of the last 24 hours")
    else:
        out.act(_recommendation(view, parcel, advice, purse, count))
        if advice.reason in STAGE3_REASONS:
            out.keep_day0(parcel)
        return 1
    return 0


def _answered(out: Findings, mine: list[Effect], reason: DecisionReason, parcel: Parcel) -> DecisionReason | None:
    """How a person has answered this very matter: by a no, or by sending the parcel on; None: not yet."""
    for effect in mine:
        if out.taken_back(effect) or not _same_matter(effect, reason, parcel):
            continue
        if effect.rejected:
            return DecisionReason.RECOMMENDATION_REJECTED
        if effect.acted and effect.remedy is Remedy.FORWARD:
            return DecisionReason.MONEY_SETTLED
    return None


def _refused(effect: Effect, reason: DecisionReason, parcel: Parcel) -> bool:
    """Whether a person's no still covers this advice (see the module's head)."""
    return effect.rejected and _same_matter(effect, reason, parcel)


def _same_matter(effect: Effect, reason: DecisionReason, parcel: Parcel) -> bool:
    if effect.reason is not reason:
        return effect.reason in STAGE3_REASONS and reason is DecisionReason.STAGE3_NOT_ARRIVED
    scan = parcel.shipment.last_scan
    return scan is None or effect.decided_at is None or scan.earliest <= effect.decided_at


def _another_matter(effect: Effect, reason: DecisionReason, parcel: Parcel) -> bool:
    """It was sent on and something else has come since: the money of that parcel is not settled yet (R84)."""
    return effect.acted and effect.remedy is Remedy.FORWARD and not _same_matter(effect, reason, parcel)


def _contested(case: Case) -> bool:
    return case.closed_at is None and case.kind.contested


def _answers_due(view: View, parcel: Parcel) -> Iterator[datetime]:
    """Until when the open cases about this parcel's money want an answer: the money is decided before it (R9, R33, D3)."""
    for case in view.dossier.cases:
        if _contested(case) and case.answered_at is None and parcel in concerned(view, case):
            due = times.case_due(case, view.dossier, view.rules)
            if due is not None and not due.hint:
                yield due.at


def _recommendation(view: View, parcel: Parcel, advice: Advice, purse: Purse, count: int) -> Decision:
    share = share_of(view, parcel)
    remedy, sum_ = propose(view, advice.reason, share.amount)
    amount = purse.take(sum_)
    closes = closes_at(view)
    facts = evidence(parcel) | dict(advice.evidence) | {"share": share.why}
    if share.amount is not None:
        facts["worth"] = str(share.amount)
    facts |= options(view, parcel, advice.reason, share.amount, closes)
    opens = next((each.opens for each in openings(view.dossier, view.rules) if each.opens > view.now and not each.hint), None)
    if advice.urgent and opens is not None:
        facts["case_opens_at"] = utc_text(opens)
    if closes is not None:
        facts["window_end"] = utc_text(closes)
    if advice.since is not None:
        facts["due_at"] = utc_text(advice.since)
    return Decision(
        kind=ActionKind.REFUND,
        reason=advice.reason,
        rule=advice.rule,
        subject=view.order.subject,
        intent=Intent.REFUND,
        occasion=str(count),
        shipment=parcel.shipment.number,
        not_before=advice.since,
        deadline=min(
            (at for at in (advice.deadline, closes, *_answers_due(view, parcel)) if at is not None and at > view.now),
            default=None,
        ),
        amount=amount,
        remedy=remedy,
        currency=view.order.currency,
        urgent=advice.urgent or view.dossier.dispute_open,
        evidence=facts,
    )
