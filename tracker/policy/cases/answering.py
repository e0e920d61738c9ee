"""What a person has to do about open cases: answer in time, give evidence, ask the buyer to close it (R13, R33, R40, R42).

One task a case and purpose. Its occasion names the date and the advice: where one of them changes, the task is taken back and a
new one says what holds now, unless somebody has it in hand. Everything is taken back when the case closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tracker import times
from tracker.dates import utc_text
from tracker.model import ActionKind, Case, CaseKind, Decision, DecisionReason, Effect, Intent, Remedy
from tracker.policy.cases.waiting import escalate
from tracker.policy.cases.weighing import Weighed, concerned, weigh
from tracker.policy.findings import Findings
from tracker.policy.remedies import by_value
from tracker.policy.searching import snippet
from tracker.policy.view import View, standing, withdrawable
from tracker.rules import CaseRule

RULE = "case"
TASKS = (Intent.CASE_ANSWER, Intent.CASE_EVIDENCE, Intent.CASE_CLOSE)
"""The kinds of work that a case makes."""

_LISTED = ", "


def answer(view: View, out: Findings) -> None:
    """Open what is to be done about each open case, and take back what no case wants any more."""
    escalate(view, out)
    if not view.dossier.cases:
        return
    for case in view.dossier.cases:
        if case.closed_at is None:
            _work(view, out, case)
    open_ids = {case.id for case in view.dossier.cases if case.closed_at is None}
    for intent in TASKS:
        gone = [effect for effect in view.effects(intent) if case_id(effect) not in open_ids]
        out.take_back(gone, DecisionReason.CASE_CLOSED)


def facts_of(view: View, case: Case) -> dict[str, str]:
    """What a person should know about a case before he answers: its date, the advice, the options (evidence of its task)."""
    rule = view.rules.cases.rule(case, view.order.platform)
    dated = _dated(times.case_due(case, view.dossier, view.rules))
    return _facts(case) | dated | dict(_advised(view, case, rule, weigh(view, case, rule)))


def case_id(effect: Effect) -> str:
    """The case that a task of `TASKS` is about: its occasion without date and advice. An id may hold slashes itself."""
    return effect.occasion.rsplit("/", 2)[0]


def _work(view: View, out: Findings, case: Case) -> None:
    rule, due = view.rules.cases.rule(case, view.order.platform), times.case_due(case, view.dossier, view.rules)
    told, deadline = weigh(view, case, rule), None if due is None else due.at
    solved = _solved(view, case)
    out.again(told.again)
    if rule is not None or case.evidence_due_at is not None:
        _evidence(view, out, case, rule)
    if solved is not None:
        facts = _facts(case) | solved
        wanted = _task(view, case, Intent.CASE_CLOSE, DecisionReason.SOLUTION_CARRIED_OUT, deadline, "solved", facts)
        _settle(view, out, case, wanted)
        out.take_back(_of(view, Intent.CASE_ANSWER, case), DecisionReason.SOLUTION_CARRIED_OUT)
    elif case.answered_at is not None:
        out.nothing(f"{RULE}.{case.kind.value}", DecisionReason.CASE_ANSWERED, detail=case.id)
        out.take_back(_of(view, Intent.CASE_ANSWER, case), DecisionReason.CASE_ANSWERED)
    else:
        facts = _facts(case) | _dated(due) | dict(_advised(view, case, rule, told))
        wanted = _task(view, case, Intent.CASE_ANSWER, DecisionReason.CASE_WANTS_ANSWER, deadline, told.advice.value, facts)
        _settle(view, out, case, wanted)


def _solved(view: View, case: Case) -> dict[str, str] | None:
    """What was carried out since the case opened (R40): only then is the buyer asked to close it."""
    if not case.kind.contested:
        return None
    if view.order.refunded_at is not None and view.order.refunded_at >= case.opened_at:
        return {"refunded_at": utc_text(view.order.refunded_at)}
    sent = [effect for effect in view.effects(Intent.RESHIP) if effect.acted and effect.done_at is not None]
    again = next((effect.done_at for effect in sent if effect.done_at is not None and effect.done_at >= case.opened_at), None)
    return None if again is None else {"sent_again_at": utc_text(again)}


def _evidence(view: View, out: Findings, case: Case, rule: CaseRule | None) -> None:
    """R13: until when the platform wants evidence, as it said itself, else three days after its notice by the table."""
    by = case.evidence_due_at
    if by is None and rule is not None and rule.evidence is not None:
        by = _clock(view, case, rule.evidence)
    if by is None:
        return
    facts = _facts(case) | {"evidence_by": utc_text(by)}
    if rule is not None and rule.checklist:
        facts["checklist"] = _LISTED.join(rule.checklist)
    _settle(view, out, case, _task(view, case, Intent.CASE_EVIDENCE, DecisionReason.CASE_WANTS_EVIDENCE, by, "evidence", facts))


def _clock(view: View, case: Case, rule_id: str) -> datetime | None:
    """The date of one time rule for this case."""
    country = times.country_of(view.order, view.rules)
    rule = times.find(view.rules, rule_id, country, view.order.store)
    if rule is None:
        return None
    anchors = times.case_anchors(case, view.dossier)
    moment = times.when(rule, anchors, rules=view.rules, country=country)
    return None if moment is None else moment.at


# ------------------------------------------------------------------------------------------------------------------ one task


def _task(
    view: View, case: Case, intent: Intent, reason: DecisionReason, deadline: datetime | None, word: str, facts: dict[str, str]
) -> Decision:
    stamp = "-" if deadline is None else f"{deadline.astimezone(UTC):%Y-%m-%dT%H%M}"
    return Decision(
        kind=ActionKind.TASK,
        reason=reason,
        rule=f"{RULE}.{case.kind.value}",
        subject=view.order.subject,
        intent=intent,
        occasion=f"{case.id}/{stamp}/{word}",
        shipment=case.shipment,
        template=snippet(view, case) if intent is Intent.CASE_ANSWER else None,
        deadline=deadline,
        amount=case.amount,
        currency=case.currency,
        urgent=ranks_high(case.kind),
        evidence=facts,
    )


def _settle(view: View, out: Findings, case: Case, wanted: Decision) -> None:
    """Bring what is wanted and what is there together: one task at a time, never one under somebody's hands."""
    mine = list(_of(view, wanted.intent, case))
    others = [effect for effect in mine if effect.occasion != wanted.occasion]
    out.take_back(others, wanted.reason)
    busy = any(effect.open and not withdrawable(effect) for effect in others)
    if busy or standing([effect for effect in mine if effect.occasion == wanted.occasion]) is not None:
        out.nothing(wanted.rule, DecisionReason.ALREADY_DONE, detail=f"{wanted.intent.value} {case.id}")
    else:
        out.act(wanted)


def _of(view: View, intent: Intent, case: Case) -> Iterable[Effect]:
    return [effect for effect in view.effects(intent) if case_id(effect) == case.id]


def ranks_high(kind: CaseKind) -> bool:
    """Whether it goes before what buyers merely write: the platform's own matters come first and fast (R42, R43)."""
    return rank(kind) < rank(CaseKind.BUYER_MESSAGE)


def rank(kind: CaseKind) -> int:
    """Which comes first on one day: the account, contested money, requests, then messages and reviews (R42, R43)."""
    if kind is CaseKind.ACCOUNT_ALERT:
        return 0
    if kind.contested:
        return 1
    return 2 if kind in {CaseKind.RETURN_REQUEST, CaseKind.CANCEL_REQUEST} else 3


# --------------------------------------------------------------------------------------------------------------------- facts


def _facts(case: Case) -> dict[str, str]:
    return {
        "case": case.id,
        "case_kind": case.kind.value,
        "case_reason": case.reason.value,
        "opened_at": utc_text(case.opened_at),
    }


def _dated(due: times.Due | None) -> dict[str, str]:
    """Until when, and whose word that is (D3); a doubtful figure is told as one."""
    if due is None:
        return {}
    doubt = " (a doubtful figure)" if due.hint else ""
    return {"answer_by": f"{utc_text(due.at)}{doubt}", "answer_by_source": due.source.value}


def _advised(view: View, case: Case, rule: CaseRule | None, told: Weighed) -> Iterator[tuple[str, str]]:
    yield "advice", told.advice.value
    if told.because:
        yield "advised_because", told.because
    yield from told.facts.items()
    if rule is not None:
        risky = ("appeal_or_step_in",) if view.order.risky else ()
        yield "options", _LISTED.join((*risky, *rule.options))
        if rule.checklist:
            yield "checklist", _LISTED.join(rule.checklist)
        clocks = ((clock, _clock(view, case, clock)) for clock in rule.clocks)
        if known := _LISTED.join(f"{clock} {utc_text(at)}" for clock, at in clocks if at is not None):
            yield "other_clocks", known
    if view.order.risky:
        yield "risky_buyer", "yes"
    if case.reason in view.rules.cases.logistic:
        yield "logistics_cause", "yes"
    if case.kind.contested:
        yield from _money(view, case)
    yield from _travelled(view, case)


def _money(view: View, case: Case) -> Iterator[tuple[str, str]]:
    """What is claimed, and the remedy that the table proposes for the value (R40)."""
    amount, currency = case.amount or view.order.amount, case.currency or view.order.currency
    if case.amount is not None:
        yield "claimed", f"{case.amount} {case.currency or ''}".strip()
    remedy = by_value(case.reason.value, amount, currency, view.rules, view.now.date())
    if remedy is not Remedy.WAIT:
        yield "proposes", remedy.value


def _travelled(view: View, case: Case) -> Iterator[tuple[str, str]]:
    """How far the parcel is, in a line."""
    parcels = concerned(view, case)
    if not parcels:
        return
    oldest = max(parcels, key=lambda parcel: parcel.age)
    if oldest.started is not None:
        yield "age_days", str(oldest.age)
    shipment = oldest.shipment
    yield "status", shipment.status.value
    if shipment.last_scan is not None:
        yield "last_scan_at", utc_text(shipment.last_scan.latest)
