"""After three rounds of messages without a solution a person decides: refund, or something else (R45)."""

from __future__ import annotations

from tracker.model import ActionKind, Decision, DecisionReason, Intent
from tracker.policy.findings import Findings
from tracker.policy.ladder import evidence, rounds
from tracker.policy.slots import OUTLASTS, outreach_stop
from tracker.policy.view import View, standing

RULE = "rounds"


def count_rounds(view: View, out: Findings) -> None:
    """Ask a person once the rounds of this issue are used up; an open recommendation asks him already."""
    if not view.dossier.effects and not view.order.contacted:
        return
    past, stop, used = view.effects(Intent.ROUNDS_OVER), outreach_stop(view), rounds(view)
    if stop is not None:
        out.take_back(() if stop[0] in OUTLASTS else past, stop[0])
    elif used < view.rules.manners.rounds:
        out.take_back(past, DecisionReason.NOT_YET_DUE)
    elif _asked(view, out):
        out.nothing(RULE, DecisionReason.RECOMMENDATION_OPEN)
        out.take_back(past, DecisionReason.RECOMMENDATION_OPEN)
    elif standing(past) is not None:
        out.nothing(RULE, DecisionReason.ALREADY_DONE)
    else:
        lead = max(view.expected, key=lambda parcel: (parcel.age, parcel.shipment.number))
        out.act(
            Decision(
                kind=ActionKind.TASK,
                reason=DecisionReason.ROUNDS_USED_UP,
                rule=RULE,
                subject=view.order.subject,
                intent=Intent.ROUNDS_OVER,
                shipment=lead.shipment.number,
                evidence=evidence(lead) | {"rounds": str(used)},
            )
        )


def _asked(view: View, out: Findings) -> bool:
    """Whether a recommendation puts the order before a person already."""
    waiting = any(effect.open for effect in view.effects(Intent.REFUND))
    return waiting or any(decision.intent is Intent.REFUND for decision in out.decided)
