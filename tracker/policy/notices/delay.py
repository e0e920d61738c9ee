"""Parcels are slow there for a while: an advisory, a season; or stage 3 of a platform that knows no extension (R35, D2, D19)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from carriers.model import TrackingStatus
from tracker.model import DecisionReason, Intent
from tracker.policy.findings import Findings
from tracker.policy.notices.voice import Voice, Word, going, oldest
from tracker.policy.patience import patience
from tracker.policy.slots import allowed
from tracker.policy.slowdown import Slowdown, slowdowns_on
from tracker.policy.view import Parcel, View
from tracker.policy.window import NO_EXTENSION
from tracker.rules import STAGES

_TEMPLATE = "delay"
_STAGE3 = STAGES.index(Intent.STAGE3)
_AT_HIS_PLACE = TrackingStatus.AVAILABLE_FOR_PICKUP
"""It waits for him to fetch it: "delayed" would be untrue, and he has a text of his own."""
_MOVES = (DecisionReason.STILL_MOVING, DecisionReason.IN_LAST_MILE)
"""Waiting for the buyer's own payment or papers has its own text."""


def slowed(view: View, out: Findings) -> bool:
    """Whether there may be anything to tell; the quiet order ends here."""
    if view.dossier.advisories:
        return True
    if not allowed(view, _TEMPLATE):
        return False
    if view.market.extension.mode == NO_EXTENSION:
        for parcel in view.expected:
            due = parcel.dues[_STAGE3]
            if due is not None and due > view.now:
                out.again(due)
    return any(parcel.reached >= _STAGE3 or slowdowns_on(view, parcel) for parcel in view.expected)


def slow(view: View, voice: Voice) -> None:
    """Tell the buyer whose promised date falls inside of the longest slowdown on his parcel's leg (D19).

    In the place of `extended` where the platform has no extension: at stage 3, for a parcel that still moves (D2).
    """
    parcels = tuple(
        parcel for parcel in going(view) if parcel.started is not None and parcel.shipment.status is not _AT_HIS_PLACE
    )
    if not parcels:
        return
    if view.dossier.dispute_open:
        voice.nothing(Intent.DELAY, DecisionReason.DISPUTE_OPEN)
        return
    found = [(each, parcel) for parcel in parcels for each in slowdowns_on(view, parcel)]
    today = view.now.astimezone(UTC).date()
    now = [(each, parcel) for each, parcel in found if each.start <= today <= each.end]
    for each, _ in found:
        voice.again(_midnight(each.start) if each.start > today else _midnight(each.end + timedelta(days=1)))
    if now:
        _say(voice, *max(now, key=lambda pair: (pair[0].add_days, pair[0].occasion)))
    if view.market.extension.mode == NO_EXTENSION:
        _in_place_of_extended(view, voice, tuple(parcel for parcel in parcels if parcel.reached >= _STAGE3))


def _in_place_of_extended(view: View, voice: Voice, parcels: tuple[Parcel, ...]) -> None:
    moving = tuple(parcel for parcel in parcels if patience(view, parcel)[0] in _MOVES)
    if not moving:
        return
    lead = oldest(moving)
    for parcel in moving:
        voice.again(patience(view, parcel)[1])
    voice.say(
        Word(
            intent=Intent.DELAY,
            template=_TEMPLATE,
            reason=patience(view, lead)[0] or DecisionReason.STILL_MOVING,
            occasion=Intent.STAGE3.value,
            parcel=lead,
            since=lead.dues[_STAGE3],
            within=view.rules.notices.state_days,
            stage=_STAGE3,
        )
    )


def _say(voice: Voice, slowdown: Slowdown, parcel: Parcel) -> None:
    """It came about when it began, was made known, or took in this parcel, whichever is latest.

    One that had begun before a cut-over, or before the shop came to us, was for somebody else to tell of the parcels of then.
    """
    begun = max(at for at in (_midnight(slowdown.start), slowdown.made_at, parcel.day0) if at is not None)
    voice.say(
        Word(
            intent=Intent.DELAY,
            template=_TEMPLATE,
            reason=slowdown.reason,
            occasion=slowdown.occasion,
            parcel=parcel,
            since=begun,
            deadline=datetime.combine(slowdown.end, time(23, 59, 59), UTC),
            facts={"extra_days": str(slowdown.add_days), **_causes(slowdown)},
        )
    )


def _causes(slowdown: Slowdown) -> dict[str, str]:
    """`cause_pt-BR` and the like: the text takes that of its own language, and its default where there is none."""
    return {f"cause_{language}": words for language, words in slowdown.causes.items()}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
