"""A buyer who waits for an answer longer than a day is a person's task (D15)."""

from __future__ import annotations

from datetime import UTC, timedelta

from tracker.dates import utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Intent
from tracker.policy.findings import Findings
from tracker.policy.view import View, standing

RULE = "buyer_waiting"


def escalate(view: View, out: Findings) -> None:
    """Escalate a buyer's message that nobody has answered; one task a message."""
    past = view.effects(Intent.BUYER_WAITING)
    since = view.order.waiting_since
    if since is None:
        out.take_back(past, DecisionReason.ALREADY_DONE)
        return
    instance = f"{since.astimezone(UTC):%Y-%m-%dT%H%M}"
    out.take_back((effect for effect in past if effect.occasion != instance), DecisionReason.ALREADY_DONE)
    late = since + timedelta(hours=view.rules.manners.buyer_waiting_hours)
    if late > view.now:
        out.nothing(RULE, DecisionReason.NOT_YET_DUE, again=late)
    elif standing([effect for effect in past if effect.occasion == instance]) is not None:
        out.nothing(RULE, DecisionReason.ALREADY_DONE)
    else:
        out.act(
            Decision(
                kind=ActionKind.TASK,
                reason=DecisionReason.BUYER_WAITS_TOO_LONG,
                rule=RULE,
                subject=view.order.subject,
                intent=Intent.BUYER_WAITING,
                occasion=instance,
                urgent=True,
                evidence={"waiting_since": utc_text(since)},
            )
        )
