"""The refund was paid: one text a refund, after it is done (D13, R3, R67)."""

from __future__ import annotations

from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent
from tracker.policy.findings import Findings
from tracker.policy.refunds import STAGE3_REASONS
from tracker.policy.shares import pays
from tracker.policy.slots import allowed
from tracker.policy.view import View, standing


def refunded(view: View, out: Findings) -> None:
    """`stage3` or `refund_issued` by the reason it was recommended for, never both (D13).

    A refund that a person made outside, without a recommendation of ours, is told by whoever made it.
    """
    if view.order.refunded_at is None:
        return
    paid = [effect for effect in view.effects(Intent.REFUND) if effect.acted and effect.done_at is not None and pays(effect)]
    for effect in paid:
        intent = Intent.STAGE3 if effect.reason in STAGE3_REASONS else Intent.REFUND_ISSUED
        if standing([each for each in view.effects(intent) if each.occasion == effect.occasion]) is not None:
            out.nothing(intent.value, DecisionReason.ALREADY_DONE)
        elif (at := view.order.contacted.get(intent)) is not None:
            out.nothing(intent.value, DecisionReason.ALREADY_DONE, detail=f"contacted outside on {at:%Y-%m-%d}")
        elif not allowed(view, intent.value):
            out.nothing(intent.value, DecisionReason.SWITCHED_OFF)
        else:
            out.act(_told(view, effect, intent, alone=len(paid) == 1))


def _told(view: View, effect: Effect, intent: Intent, *, alone: bool) -> Decision:
    order = view.order
    parcel = next((each for each in view.parcels if each.shipment.number == effect.shipment), None)
    amount = order.refunded_amount if alone else effect.amount
    return Decision(
        kind=ActionKind.MESSAGE,
        reason=DecisionReason.REFUND_WAS_PAID,
        rule=intent.value,
        subject=order.subject,
        intent=intent,
        occasion=effect.occasion,
        shipment=None if parcel is None else parcel.shipment.number,
        template=intent.value,
        currency=order.currency,
        evidence={"refund": effect.key, "reference": order.refund_reference or "", "amount": str(amount or "")},
    )
