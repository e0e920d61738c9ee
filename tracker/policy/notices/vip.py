"""A buyer to look after, once a month: a personal text where it is switched on, else a person's task (R91; not on Amazon)."""

from __future__ import annotations

from datetime import UTC, datetime

from tracker.model import ActionKind, DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.slots import OUTLASTS, allowed, people_stop
from tracker.policy.view import View

_GOES_ON = frozenset({None, DecisionReason.FINISHED, DecisionReason.RECEIVED_BY_BUYER})


def care(view: View, voice: Voice) -> None:
    """Its occasion is the month (UTC). Amazon forbids marketing: there neither text nor task.

    Once a buyer, not once an order: of several orders of his that are marked in one store the oldest speaks.
    """
    if not view.order.vip:
        return
    month = view.now.astimezone(UTC)
    template = Intent.VIP.value
    if template in view.market.messages_off:
        voice.nothing(Intent.VIP, DecisionReason.SWITCHED_OFF)
        return
    if view.order.vip_with is not None:
        voice.nothing(
            Intent.VIP, DecisionReason.ALREADY_DONE, detail=f"the buyer is looked after with order {view.order.vip_with}"
        )
        return
    reason, until = _stop(view)
    if reason is not None and reason in OUTLASTS:
        voice.later(Intent.VIP, reason, f"{month:%Y-%m}", again=until)
    elif reason is not None:
        voice.nothing(Intent.VIP, reason)
    else:
        voice.say(
            Word(
                intent=Intent.VIP,
                template=template,
                reason=DecisionReason.VIP_MONTH,
                occasion=f"{month:%Y-%m}",
                deadline=_next_month(month),
                fresh=False,
                kind=ActionKind.MESSAGE if allowed(view, template) else ActionKind.TASK,
            )
        )
        voice.again(_next_month(month))


def _stop(view: View) -> tuple[DecisionReason | None, datetime | None]:
    """Why nobody writes, and until when where time ends it. A courtesy never follows a refund (I4)."""
    if view.order.refunded_at is not None:
        return DecisionReason.REFUNDED, None
    return (view.over, None) if view.over not in _GOES_ON else people_stop(view) or (None, None)


def _next_month(month: datetime) -> datetime:
    ahead = month.year * 12 + month.month
    return datetime(ahead // 12, ahead % 12 + 1, 1, tzinfo=UTC)
