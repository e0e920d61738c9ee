"""The buyer has opened a case: he hears that we saw it, and that evidence and proposal stand in it (R10-R13, R33)."""

from __future__ import annotations

from tracker.model import CaseKind, DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.view import Parcel, View


def disputes(view: View, voice: Voice) -> None:
    """Once a case. Of a chargeback the bank is the one who asks: its evidence goes there, not to the buyer."""
    for case in view.dossier.cases:
        if case.closed_at is not None or not case.kind.contested or case.kind is CaseKind.CHARGEBACK:
            continue
        voice.say(
            Word(
                intent=Intent.DISPUTE,
                template="dispute_opened",
                reason=DecisionReason.CASE_OPENED,
                occasion=case.id,
                parcel=_about(view, case.shipment),
                since=case.opened_at,
                urgent=True,
                fresh=False,
                facts={"case_kind": case.kind.value, "case_reason": case.reason.value},
            )
        )


def _about(view: View, number: str | None) -> Parcel | None:
    """The parcel that somebody named, else the most delayed one."""
    named = [parcel for parcel in view.parcels if parcel.shipment.number == number]
    waiting = named or view.expected or view.parcels
    return max(waiting, key=lambda parcel: (parcel.reached, parcel.age, parcel.shipment.number), default=None)
