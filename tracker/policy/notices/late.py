"""The parcel came after the refund: most buyers pay again when they are asked politely (R4, D23)."""

from __future__ import annotations

from tracker.dates import utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Intent
from tracker.policy.findings import Findings
from tracker.policy.searching import arrival
from tracker.policy.slots import allowed
from tracker.policy.view import View, standing


def late_arrival(view: View, out: Findings) -> None:
    """Delivered after the refund; off on marketplaces by default (D23)."""
    refunded = view.order.refunded_at
    if refunded is None:
        return
    rule = Intent.LATE_ARRIVAL.value
    late = [parcel for parcel in view.parcels if (scan := arrival(parcel)) is not None and scan.earliest > refunded]
    if not late:
        return
    past = view.effects(Intent.LATE_ARRIVAL)
    if standing(past) is not None:
        out.nothing(rule, DecisionReason.ALREADY_DONE)
    elif view.dossier.dispute_open:
        out.nothing(rule, DecisionReason.DISPUTE_OPEN)
    elif not allowed(view, rule) or not (view.market.own_shop or rule in view.market.tasks_for):
        out.nothing(rule, DecisionReason.SWITCHED_OFF)
    else:
        out.act(
            Decision(
                kind=ActionKind.MESSAGE,
                reason=DecisionReason.DELIVERED_AFTER_REFUND,
                rule=rule,
                subject=view.order.subject,
                intent=Intent.LATE_ARRIVAL,
                shipment=late[0].shipment.number,
                template=rule,
                currency=view.order.currency,
                evidence={"refunded_at": utc_text(refunded)},
            )
        )
