"""The parcel came after the refund: most buyers pay again when they are asked politely (R4, D23)."""

from __future__ import annotations

from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Intent
from tracker.policy.cutover import before, told
from tracker.policy.findings import Findings
from tracker.policy.searching import arrival
from tracker.policy.slots import allowed
from tracker.policy.view import View, standing
from tracker.rules import within


def late_arrival(view: View, out: Findings) -> None:
    """Delivered after the refund; off on marketplaces by default, and for little money everywhere (D23).

    What came long ago, or before the order was taken over, is told to nobody. A dispute takes back what still waits.
    """
    refunded = view.order.refunded_at
    if refunded is None:
        return
    rule = Intent.LATE_ARRIVAL.value
    late = [parcel for parcel in view.parcels if (scan := arrival(parcel)) is not None and scan.earliest > refunded]
    if not late:
        return
    past, came = view.effects(Intent.LATE_ARRIVAL), max(scan.latest for parcel in late if (scan := arrival(parcel)) is not None)
    if view.dossier.dispute_open:
        out.nothing(rule, DecisionReason.DISPUTE_OPEN)
        out.take_back(past, DecisionReason.DISPUTE_OPEN)
    elif standing(past) is not None:
        out.nothing(rule, DecisionReason.ALREADY_DONE)
    elif not allowed(view, rule) or not (view.market.own_shop or rule in view.market.tasks_for):
        out.nothing(rule, DecisionReason.SWITCHED_OFF)
    elif before(view, came):
        out.nothing(rule, DecisionReason.BEFORE_CUTOVER, detail=told(view, came))
    elif view.now - came > view.rules.notices.state_days * DAY:
        out.nothing(rule, DecisionReason.NO_LONGER_NEWS, detail=f"since {came:%Y-%m-%d}")
    elif _little(view):
        out.nothing(rule, DecisionReason.TOO_LITTLE_TO_ASK)
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
                evidence={"refunded_at": utc_text(refunded), "due_at": utc_text(came)},
            )
        )


def _little(view: View) -> bool:
    """Whether what was paid back is less than a person's time is worth; what cannot be compared is not little."""
    paid, currency = view.order.refunded_amount or view.order.amount, view.order.currency
    return within(view.rules.notices.late_arrival_above, paid, currency, view.rules.rates, view.now.date()) is True
