"""The buyer writes that a delivered parcel is not there: which message, which parcel, and who answers him (R38)."""

from __future__ import annotations

from tracker.model import Case, CaseKind, CaseReason, DecisionReason, Scan
from tracker.policy.slots import allowed
from tracker.policy.view import Parcel, View

TEMPLATE = "delivered_not_found"


def searching(view: View) -> Case | None:
    """The buyer's unanswered message that he has nothing."""
    return next((case for case in view.dossier.cases if _searches(case)), None)


def missing(view: View, case: Case) -> Parcel | None:
    """The delivered parcel that he misses: he wrote after it came; none where the money is settled."""
    if view.over not in {None, DecisionReason.FINISHED}:
        return None
    for parcel in view.parcels:
        came = arrival(parcel)
        named = case.shipment in {None, parcel.shipment.number}
        if named and parcel.gone is DecisionReason.DELIVERED and (came is None or case.opened_at >= came.earliest):
            return parcel
    return None


def snippet(view: View, case: Case) -> str | None:
    """The text for the task of his message, where a person writes the answer and the type is not a message of its own (D17)."""
    off = TEMPLATE in view.rules.messages_off or TEMPLATE in view.market.messages_off
    if off or not _searches(case) or allowed(view, TEMPLATE) or missing(view, case) is None:
        return None
    return TEMPLATE


def arrival(parcel: Parcel) -> Scan | None:
    """The delivery; where the source only says the word, its newest scan."""
    shipment = parcel.shipment
    return shipment.delivered_scan or shipment.last_scan if shipment.delivered else None


def _searches(case: Case) -> bool:
    mine = case.kind is CaseKind.BUYER_MESSAGE and case.reason is CaseReason.NOT_RECEIVED
    return mine and case.closed_at is None and case.answered_at is None
