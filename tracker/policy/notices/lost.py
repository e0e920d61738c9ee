"""The carrier confirms the loss: the offer goes out with the approved recommendation, never before (R37, D11)."""

from __future__ import annotations

from tracker.model import DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.view import View


def lost(view: View, voice: Voice) -> None:
    """Once a parcel, while the money is still to be paid: after that `refund_issued` speaks (D13)."""
    for effect in view.effects(Intent.REFUND):
        if effect.reason is not DecisionReason.CARRIER_SAYS_LOST:
            continue
        if effect.rejected or effect.decided_at is None or effect.done_at is not None or not effect.open:
            continue
        parcel = next((each for each in view.expected if each.shipment.number == effect.shipment and each.lost), None)
        if parcel is not None and view.over is None:
            voice.say(
                Word(
                    intent=Intent.LOST,
                    template="lost",
                    reason=DecisionReason.LOSS_APPROVED,
                    occasion=parcel.shipment.number,
                    parcel=parcel,
                    since=effect.decided_at,
                    fresh=False,
                    facts={"refund": effect.key},
                )
            )
