"""Held by customs: what the buyer has to do, and by when (R14, R36)."""

from __future__ import annotations

from datetime import UTC

from carriers.model import TrackingReason
from tracker.dates import DAY
from tracker.model import DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word, going, oldest, seen_at
from tracker.policy.view import View

HELD = (TrackingReason.CUSTOMS_HOLD, TrackingReason.DOCUMENTS_MISSING)
"""Refused or seized is past the buyer's help: that is a case, or a loss."""


def clear(view: View, voice: Voice) -> None:
    """Tell of the parcel that customs have held the longest. The certificate of the carrier is a person's task (R14)."""
    held = tuple(parcel for parcel in going(view) if parcel.shipment.reason in HELD)
    if not held:
        return
    lead = oldest(held)
    answer = view.now.astimezone(UTC) + view.rules.notices.customs_answer_days * DAY
    voice.say(
        Word(
            intent=Intent.CUSTOMS,
            template="customs_hold",
            reason=DecisionReason.HELD_BY_CUSTOMS,
            parcel=lead,
            since=seen_at(lead),
            urgent=True,
            within=view.rules.notices.state_days,
            facts={"due_date": answer.date().isoformat()},
        )
    )
