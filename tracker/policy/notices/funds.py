"""The marketplace keeps the money until the buyer confirms: after a verified delivery a person asks for it (R20)."""

from __future__ import annotations

from tracker.dates import DAY
from tracker.model import ActionKind, DecisionReason, Intent, WindowSource
from tracker.policy.notices.delivered import came_at, confirmed
from tracker.policy.notices.voice import Voice, Word
from tracker.policy.view import View


def release_funds(view: View, voice: Voice) -> None:
    """One line of a grouped worksheet, days after the delivery; it ends by itself when he confirms, or the window closes.

    Not for old deliveries: most buyers have confirmed by then, or the marketplace has, and no file says so (D17).
    """
    days = view.market.release_funds_days
    last = None if days is None else confirmed(view)
    came = None if last is None else came_at(last)
    if days is None or last is None or came is None:
        return
    window = view.order.window
    ends = None if window is None or window.source is WindowSource.ESTIMATED else window.end
    due = came + days * DAY
    if view.over is not None or view.dossier.dispute_open:
        voice.nothing(Intent.RELEASE_FUNDS, view.over or DecisionReason.DISPUTE_OPEN, last)
    elif ends is not None and ends <= max(view.now, due):
        voice.nothing(Intent.RELEASE_FUNDS, DecisionReason.WINDOW_OVER, last)
    elif view.now < due:
        voice.nothing(Intent.RELEASE_FUNDS, DecisionReason.NOT_YET_DUE, last, again=due)
    else:
        voice.again(ends)
        voice.say(
            Word(
                intent=Intent.RELEASE_FUNDS,
                template=Intent.RELEASE_FUNDS.value,
                reason=DecisionReason.DELIVERY_CONFIRMED,
                parcel=last,
                since=due,
                deadline=ends,
                within=view.rules.notices.news_days,
                fresh=False,
                kind=ActionKind.TASK,
            )
        )
