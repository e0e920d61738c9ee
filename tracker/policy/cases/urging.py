"""When a case makes the refund of a parcel urgent: for the recommendations, which alone speak of money (R9, R41, D6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from tracker.model import Case, CaseAdvice, CaseReason, DecisionReason
from tracker.policy.cases.weighing import concerned, weigh, without_trace
from tracker.policy.remedies import cost_of_dispute, early
from tracker.policy.view import PLATFORM, Parcel, View

_LOST_ANYWAY = frozenset({CaseAdvice.AGREE, CaseAdvice.PROPOSE})
"""Advice with which the case will cost money: for cheap goods a fight costs more (R41)."""


_NOT_RECEIVED = frozenset({CaseReason.NOT_RECEIVED, CaseReason.TRACKING_INVALID, CaseReason.UNKNOWN})
"""What the platform settles itself where it says so."""


class Urge(msgspec.Struct, frozen=True, kw_only=True):
    """Why a case wants this parcel refunded, and since when."""

    reason: DecisionReason
    rule: str
    urgent: bool
    since: datetime
    evidence: Mapping[str, str]


def urged(view: View, parcel: Parcel) -> Urge | None:
    """Whether an open case makes the refund of this parcel due; None: it does not.

    "Cannot find tracking information", and our own sources, which did answer, have never seen it: refund at once, because a
    ruling closes the shop (R9). Goods so cheap that a fight costs more, in a case that will be lost: refund early (R41). Both are
    recommended only (D11).
    """
    if not view.dossier.cases:
        return None
    cases = list(_about(view, parcel))
    for case in cases:
        if case.reason is CaseReason.TRACKING_INVALID and without_trace(view, [parcel]):
            facts = _facts(case) | {"cost_of_a_dispute": cost_of_dispute(view)}
            return _urge(DecisionReason.DISPUTED_WITHOUT_TRACKING, "refund.disputed", case, facts, urgent=True)
    amount, currency = view.order.amount, view.order.currency
    for case in cases:
        if not early(case.amount or amount, case.currency or currency, view.rules, view.now.date()):
            continue
        if parcel.shipment.settled_by == PLATFORM and case.reason in _NOT_RECEIVED:
            # The platform pays the loss there, but not to who has refunded before it has ruled (D14).
            continue
        if weigh(view, case, view.rules.cases.rule(case, view.order.platform)).advice in _LOST_ANYWAY:
            return _urge(DecisionReason.CASE_CHEAPER_REFUNDED, "refund.case", case, _facts(case), urgent=False)
    return None


def _about(view: View, parcel: Parcel) -> Iterator[Case]:
    """The open cases about money that concern this parcel."""
    for case in view.dossier.cases:
        if case.closed_at is None and case.kind.contested and parcel in concerned(view, case):
            yield case


def _urge(reason: DecisionReason, rule: str, case: Case, facts: Mapping[str, str], *, urgent: bool) -> Urge:
    return Urge(reason=reason, rule=rule, urgent=urgent, since=case.opened_at, evidence=facts)


def _facts(case: Case) -> dict[str, str]:
    return {"case": case.id, "case_kind": case.kind.value, "case_reason": case.reason.value}
