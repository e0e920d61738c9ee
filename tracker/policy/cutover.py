"""Orders that were taken over on their way: what was due before the cut-over, who was told elsewhere, what a person settled.

Of what was due before, only live danger is done by itself (facts/daily-operations.md): a window that closes within days, a claim
window that does, an open case, a parcel that is proven untrackable or lost. The rest stays where `tracker backlog` shows it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from tracker.dates import DAY
from tracker.model import DecisionReason, Dossier, Effect, Intent, Settle
from tracker.policy.view import View, look, withdrawable
from tracker.policy.window import closes_at
from tracker.rules import STAGES, Rules


class Left(msgspec.Struct, frozen=True):
    """Why a stage of the ladder is not ours to speak, with the detail that explain shows."""

    reason: DecisionReason
    detail: str


def before(view: View, moment: datetime | None) -> bool:
    """Whether something whose time came at `moment` was somebody else's business: it lay before the cut-over."""
    cut = view.order.cutover_at
    return cut is not None and moment is not None and moment < cut


def spoken(view: View, index: int) -> Left | None:
    """Whether a stage was told outside (it, or a later one), or is never to be told, because a person says so."""
    if not view.order.contacted and not view.order.settled:
        return None
    for stage in STAGES[index:]:
        at = view.order.contacted.get(stage)
        if at is not None:
            later = "" if stage is STAGES[index] else f" with {stage.value}"
            return Left(DecisionReason.ALREADY_DONE, f"contacted outside on {at:%Y-%m-%d}{later}")
    settled = view.order.settled.get(STAGES[index])
    if settled is None or settled.how is not Settle.SKIP:
        return None
    return Left(DecisionReason.SKIPPED_BY_PERSON, f"{settled.by}, {settled.at:%Y-%m-%d}")


def stage_at(dossier: Dossier, rules: Rules, at: datetime) -> Intent | None:
    """The stage of the ladder that the order had come to at that time, at least the first; None: no date tells its age."""
    started = [parcel for parcel in look(dossier, rules, at).parcels if parcel.started is not None]
    if not started:
        return None
    return STAGES[max(0, *(parcel.reached for parcel in started))]


def left_behind(view: View, index: int, due: datetime | None) -> Left | None:
    """Whether this stage is nobody's to speak any more: told outside, settled, or due before the cut-over."""
    found = spoken(view, index)
    if found is not None or not before(view, due) or sent_after_all(view, STAGES[index]) is not None:
        return found
    return Left(DecisionReason.BEFORE_CUTOVER, told(view, due))


def stands(used: Effect, left: Left | None) -> bool:
    """Whether what was decided before stays, although it is not ours to speak any more: it went out, or a person approved it.

    An approval outweighs that it was due before the cut-over, not that the buyer was told or that somebody said never.
    """
    if left is None or not withdrawable(used):
        return True
    return left.reason is DecisionReason.BEFORE_CUTOVER and used.decided_at is not None


def sent_after_all(view: View, stage: Intent) -> str | None:
    """Who said that this stage speaks after all (`tracker backlog settle --as send`)."""
    settled = view.order.settled.get(stage)
    return settled.by if settled is not None and settled.how is Settle.SEND else None


def told(view: View, moment: datetime | None) -> str:
    """Both dates of something that lay before the cut-over, as explain shows them."""
    cut = view.order.cutover_at
    return "" if cut is None or moment is None else f"due {moment:%Y-%m-%d}, taken over {cut:%Y-%m-%d}"


def danger_from(view: View) -> datetime | None:
    """Since when the delivery window makes old business urgent; None: its end is not known, or lay before the cut-over."""
    closes, cut = closes_at(view), view.order.cutover_at
    if closes is None or (cut is not None and closes <= cut):
        return None
    return closes - view.rules.manners.cutover_window_days * DAY


def pressing(view: View) -> bool:
    """Whether old business of this order is live danger: a case is open, or its window is about to close."""
    since = danger_from(view)
    return view.dossier.dispute_open or (since is not None and since <= view.now)


def claim_danger_from(view: View, latest_on: date | None) -> datetime | None:
    """Since when a claim whose cause lay before the cut-over must be made; None: its last day is not known."""
    if latest_on is None:
        return None
    return datetime.combine(latest_on - timedelta(days=view.rules.manners.cutover_claim_days), time(), UTC)
