"""Problems on the way that want a person: exceptions, damage, customs, "delivered" that is not (R14, R38, R39, R83-R88).

What can be proposed with a sum or with goods is a recommendation (tracker.policy.refunds, from `PROBLEMS`); the rest is a task
with a clock of 48 hours. One task a parcel and problem; it takes itself back when the facts change (D17).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from carriers.model import TrackingReason, TrackingStatus
from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Case, CaseKind, CaseReason, Decision, DecisionReason, Intent
from tracker.policy.cutover import before, danger_from, pressing, told
from tracker.policy.findings import Findings
from tracker.policy.ladder import evidence
from tracker.policy.liability import CUSTOMS, fault
from tracker.policy.view import Parcel, View, standing


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed when the carrier reports a problem: the reason of the recommendation, and what its task says."""

    reason: DecisionReason
    advice: str
    stock: str = ""
    checklist: str = ""


RULE = "refund.problem"
"""Of a recommendation about a problem on the way."""

DAMAGE_PROOFS = "photos of the parcel and of the goods; the delivery man's certificate; weight on the shipping slip"
"""What a claim for damage wants, and the platform too (R87, R88)."""

PROBLEMS: Mapping[TrackingReason, Problem] = {
    TrackingReason.ADDRESS_PROBLEM: Problem(
        reason=DecisionReason.ADDRESS_UNREACHABLE,
        advice="agree with the carrier: send on by another carrier with the right address, or return and send again",
    ),
    TrackingReason.MISDELIVERED: Problem(
        reason=DecisionReason.CARRIER_SAYS_MISDELIVERED,
        advice="ask the carrier to fetch it back; else send again",
        stock="take one off sale for the second parcel",
    ),
    TrackingReason.DAMAGED: Problem(
        reason=DecisionReason.CARRIER_SAYS_DAMAGED,
        advice="send again; the broken one is claimed from the carrier",
        stock="take one off sale for the second parcel",
        checklist=DAMAGE_PROOFS,
    ),
}
"""Reasons of a parcel that is not at the buyer's yet, and that wants goods or money (R84, R85)."""


_EXCEPTION = frozenset({None, TrackingReason.REFUSED, TrackingReason.SECURITY, TrackingReason.CANCELLED})
"""Reasons of an exception for which no text, recommendation or certificate has a way of its own."""

_NOT_RECEIVED = frozenset({CaseReason.NOT_RECEIVED, CaseReason.TRACKING_INVALID, CaseReason.UNKNOWN})


class _Task(msgspec.Struct, frozen=True):
    """What a person is asked to solve."""

    intent: Intent
    occasion: str
    reason: DecisionReason
    deadline: datetime | None
    since: datetime | None
    """When it began; None: nothing tells it."""
    evidence: Mapping[str, str]


def solve(view: View, out: Findings) -> None:
    """Open the tasks about the problems of all parcels, and take back those that are none any more."""
    cases, effects = view.dossier.cases, view.dossier.effects
    for parcel in view.parcels:
        shipment = parcel.shipment
        if shipment.reason is None and shipment.status is not TrackingStatus.EXCEPTION and not cases and not effects:
            continue
        wanted = {(each.intent, each.occasion): each for each in _found(view, out, parcel)}
        for intent in (Intent.PROBLEM, Intent.CERTIFICATE):
            past = view.effects(intent, shipment.subject)
            gone = parcel.gone or view.over or DecisionReason.NO_LOSS
            out.take_back((each for each in past if (intent, each.occasion) not in wanted), gone)
        for task in wanted.values():
            _open(view, out, parcel, task)


def _found(view: View, out: Findings, parcel: Parcel) -> Iterator[_Task]:
    if view.over is None or parcel.damaged:
        found = _damaged(view, parcel) or _exception(view, parcel) or _at_customs(view, out, parcel)
        if found is not None:
            yield found
    yield from _not_there(view, parcel)


def _damaged(view: View, parcel: Parcel) -> _Task | None:
    """It reached the buyer broken (R39): what a claim wants from him is the carrier's proof as well (R87, R88)."""
    if not parcel.damaged or parcel.gone is not DecisionReason.DELIVERED:
        return None
    facts = {
        "advice": "ask the buyer how it looks, agree on a part or on all of the money, then have the case closed",
        "checklist": DAMAGE_PROOFS,
        "liable": fault(parcel.shipment, view.rules).told,
    }
    return _Task(Intent.PROBLEM, "damaged", DecisionReason.CARRIER_SAYS_DAMAGED, _clock(view), _scanned(parcel), facts)


def _exception(view: View, parcel: Parcel) -> _Task | None:
    """The carrier reports an exception and nobody else of us acts on it (R83)."""
    reason = parcel.shipment.reason
    if parcel.gone is not None or parcel.shipment.status is not TrackingStatus.EXCEPTION or reason not in _EXCEPTION:
        return None
    facts = {"advice": "ask the carrier what happened and what he needs", "liable": fault(parcel.shipment, view.rules).told}
    occasion = "exception" if reason is None else reason.value
    return _Task(Intent.PROBLEM, occasion, DecisionReason.PARCEL_EXCEPTION, _clock(view), _scanned(parcel), facts)


def _at_customs(view: View, out: Findings, parcel: Parcel) -> _Task | None:
    """Customs have closed the matter, a dispute about it is open, or they have kept it too long (R14).

    The platform asks for proof then, and who bears it follows from the cause: the carrier's certificate tells it.
    """
    shipment = parcel.shipment
    if parcel.gone is not None or shipment.reason not in CUSTOMS:
        return None
    about = (each for each in view.dossier.cases if each.closed_at is None and each.reason is CaseReason.CUSTOMS)
    disputed, since = next(about, None), _scanned(parcel)
    if disputed is not None:
        since = disputed.opened_at
    elif shipment.reason is TrackingReason.CUSTOMS_HOLD:
        since = _kept_until(view, parcel)
        if since is None or since > view.now:
            out.again(since)
            return None
        if shipment.last_answer_at is None or shipment.last_answer_at < since:
            # Only an answer from after it says that they still keep it.
            out.wait()
            return None
    found = fault(shipment, view.rules)
    facts = {
        "cause": found.cause,
        "liable": found.told,
        "advice": "ask the carrier for the customs' official certificate; the platform asks the buyer for his part of the proof",
    }
    due = None if disputed is None else disputed.evidence_due_at or disputed.due_at
    return _Task(Intent.CERTIFICATE, "0", DecisionReason.CUSTOMS_WANTS_PROOF, due, since, facts)


def _kept_until(view: View, parcel: Parcel) -> datetime | None:
    """How long customs may keep a parcel in silence."""
    since = _scanned(parcel)
    return None if since is None else since + view.rules.untrackable.customs_hold_days * DAY


def _scanned(parcel: Parcel) -> datetime | None:
    return None if parcel.shipment.last_scan is None else parcel.shipment.last_scan.latest


def _not_there(view: View, parcel: Parcel) -> Iterator[_Task]:
    """Delivered, but a case says that it never came: the carrier has the proof of whom it was handed to (R38)."""
    if parcel.gone is not DecisionReason.DELIVERED or parcel.damaged:
        return
    for case in view.dossier.cases:
        if case.closed_at is None and _says_not_received(case) and case.shipment in {None, parcel.shipment.number}:
            facts = {
                "advice": "ask the carrier for the proof of delivery: signature, place, photo",
                "case": case.id,
            }
            if parcel.shipment.delivered_scan is not None:
                facts["delivered_at"] = utc_text(parcel.shipment.delivered_scan.latest)
            due = case.evidence_due_at or case.due_at or _clock(view)
            yield _Task(Intent.PROBLEM, f"proof {case.id}", DecisionReason.DELIVERED_NOT_RECEIVED, due, case.opened_at, facts)


def _says_not_received(case: Case) -> bool:
    contested = case.kind.contested and case.reason in _NOT_RECEIVED and case.kind is not CaseKind.NOT_AS_DESCRIBED
    return contested or case.reason is CaseReason.NOT_RECEIVED


def _clock(view: View) -> datetime:
    return view.now + timedelta(hours=view.rules.manners.problem_hours)


def _history(view: View, task: _Task) -> bool:
    """Old when it is first seen: orders that came in with their past want no clock of 48 hours each (D17, D22)."""
    old = task.since is not None and view.now - task.since > view.rules.manners.problem_days * DAY
    return old and not pressing(view)


def _open(view: View, out: Findings, parcel: Parcel, task: _Task) -> None:
    shipment = parcel.shipment
    past = [each for each in view.effects(task.intent, shipment.subject) if each.occasion == task.occasion]
    if standing(past) is not None:
        out.nothing(task.intent.value, DecisionReason.ALREADY_DONE, shipment.number, task.occasion)
    elif before(view, task.since) and not pressing(view):
        reason, again = DecisionReason.BEFORE_CUTOVER, danger_from(view)
        out.nothing(task.intent.value, reason, shipment.number, f"{task.occasion}; {told(view, task.since)}", again)
    elif _history(view, task):
        out.nothing(task.intent.value, DecisionReason.NO_LONGER_NEWS, shipment.number, task.occasion, danger_from(view))
    else:
        out.act(
            Decision(
                kind=ActionKind.TASK,
                reason=task.reason,
                rule=task.intent.value,
                subject=shipment.subject,
                intent=task.intent,
                occasion=task.occasion,
                shipment=shipment.number,
                deadline=task.deadline,
                urgent=True,
                evidence=evidence(parcel) | dict(task.evidence),
            )
        )
