"""The buyer has opened a case: he hears that we saw it, and that evidence and proposal stand in it (R10-R13, R33).

The text says that both were put into the case. A person who pastes it does so with his answer, so his task comes at once; what a
channel sends by itself waits until somebody has answered: nothing is said that is not true yet.
"""

from __future__ import annotations

from tracker.model import Case, CaseKind, DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.slots import by_hand
from tracker.policy.view import Parcel, View, standing

_TEMPLATE = "dispute_opened"


def disputes(view: View, voice: Voice) -> None:
    """Once a case. Of a chargeback the bank is the one who asks: its evidence goes there, not to the buyer."""
    for case in view.dossier.cases:
        if case.closed_at is not None or not case.kind.contested or case.kind is CaseKind.CHARGEBACK:
            continue
        against = _against(view, voice, case)
        if against is not None:
            voice.nothing(Intent.DISPUTE, against, detail=case.id)
            continue
        voice.say(
            Word(
                intent=Intent.DISPUTE,
                template=_TEMPLATE,
                reason=DecisionReason.CASE_OPENED,
                occasion=case.id,
                parcel=_about(view, case.shipment),
                since=case.opened_at,
                urgent=True,
                within=view.rules.notices.state_days,
                fresh=False,
                facts={"case_kind": case.kind.value, "case_reason": case.reason.value},
            )
        )


def _against(view: View, voice: Voice, case: Case) -> DecisionReason | None:
    """Why nothing is said of this case: its money is settled, it has no answer yet, or somebody gave one without our text."""
    refunded = view.order.refunded_at
    if refunded is not None and refunded >= case.opened_at and not view.order.paid_left:
        return DecisionReason.REFUNDED
    pasted = by_hand(view.rules, view.market, view.order.store, _TEMPLATE)
    if case.answered_at is None:
        return None if pasted else DecisionReason.CASE_WANTS_ANSWER
    return DecisionReason.CASE_ANSWERED if pasted and standing(voice.past(Intent.DISPUTE, case.id)) is None else None


def _about(view: View, number: str | None) -> Parcel | None:
    """The parcel that somebody named, else the most delayed one."""
    named = [parcel for parcel in view.parcels if parcel.shipment.number == number]
    waiting = named or view.expected or view.parcels
    return max(waiting, key=lambda parcel: (parcel.reached, parcel.age, parcel.shipment.number), default=None)
