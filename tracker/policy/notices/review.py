"""One neutral request for a review, after the delivery was verified and told (R21, R101, R104; D5b).

Never beside a refund or a case. Where the marketplace has its own window for it (Amazon), it also has its own button: the request
is a task without any text, inside that window, once (facts/messages.md section 3).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tracker import times
from tracker.dates import DAY
from tracker.model import ActionKind, DecisionReason, Intent
from tracker.policy.notices.delivered import came_at, confirmed
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.slots import OUTLASTS, allowed, people_stop
from tracker.policy.view import View

_OVER = frozenset({DecisionReason.FINISHED, DecisionReason.RECEIVED_BY_BUYER})
"""The buyer has it: the best time to ask."""


def ask_review(view: View, voice: Voice) -> None:
    """Ask when it is time; off by default."""
    last = confirmed(view)
    came = view.order.received_at if last is None else came_at(last)
    if came is None or (view.expected and view.order.received_at is None):
        return
    if not allowed(view, Intent.REVIEW.value):
        voice.nothing(Intent.REVIEW, DecisionReason.SWITCHED_OFF)
        return
    stop = _stop(view)
    if stop is not None and stop[0] in OUTLASTS:
        voice.later(Intent.REVIEW, stop[0], again=stop[1])
    elif stop is not None:
        voice.nothing(Intent.REVIEW, stop[0])
    else:
        _ask(view, voice, came)


def _stop(view: View) -> tuple[DecisionReason, datetime | None] | None:
    """What stops a courtesy here: everything that stops outreach but the delivery itself; and any refund (D5b)."""
    if view.order.reviewed_at is not None:
        return DecisionReason.ALREADY_REVIEWED, None
    if view.over is not None and view.over not in _OVER:
        return view.over, None
    if view.order.refunded_at is not None:
        return DecisionReason.REFUNDED, None
    if any(not effect.rejected and (effect.open or effect.acted) for effect in view.effects(Intent.REFUND)):
        return DecisionReason.RECOMMENDATION_OPEN, None
    if any(case.closed_at is None for case in view.dossier.cases):
        return DecisionReason.DISPUTE_OPEN, None
    return people_stop(view)


def _ask(view: View, voice: Voice, came: datetime) -> None:
    days = view.rules.notices
    has_own = _has_window(view)
    own = times.order_moment(_rule(view), view.dossier, view.rules) if has_own else None
    if has_own and own is None:
        voice.later(Intent.REVIEW, DecisionReason.NOT_YET_DUE)
        return
    asked = [effect.done_at for effect in voice.past(Intent.REVIEW, "0") if effect.done_at is not None]
    repeats = days.review_repeats and not has_own
    round_, due = ("1", asked[-1] + days.review_repeat_days * DAY) if asked and repeats else ("0", _first(view, came))
    until = came + (days.review_within_days + (days.review_repeat_days if round_ == "1" else 0)) * DAY
    if own is not None:
        due, until = max(due, own.at), min(until, own.until or until)
    if view.now < due:
        voice.later(Intent.REVIEW, DecisionReason.NOT_YET_DUE, round_, again=due)
    elif view.now > until:
        voice.nothing(Intent.REVIEW, DecisionReason.NO_LONGER_NEWS, detail=f"delivered {came:%Y-%m-%d}")
    else:
        voice.again(until)
        voice.say(
            Word(
                intent=Intent.REVIEW,
                template="review",
                reason=DecisionReason.REVIEW_DUE,
                occasion=round_,
                parcel=confirmed(view),
                since=due,
                deadline=until,
                fresh=False,
                kind=ActionKind.TASK if has_own else ActionKind.MESSAGE,
            )
        )


def _first(view: View, came: datetime) -> datetime:
    """Days after the delivery, and after it was told where that is wanted (R21)."""
    told = [effect.done_at or effect.created_at for effect in view.effects(Intent.DELIVERED)]
    due = came + view.rules.notices.review_after_days * DAY
    return max([due, *(at + timedelta(hours=view.rules.manners.quiet_hours_between) for at in told)])


def _has_window(view: View) -> bool:
    """Whether the marketplace has a window of its own for it; its dates are the promised ones."""
    country = times.country_of(view.order, view.rules)
    return times.find(view.rules, _rule(view), country, view.order.store) is not None


def _rule(view: View) -> str:
    return f"{view.market.id}.review"
