"""The parcel waits for the buyer: for his payment, or to be collected before it goes back (R14, R36, R38, R105)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from carriers.model import TrackingReason, TrackingStatus
from tracker.dates import DAY
from tracker.model import DecisionReason, Intent
from tracker.policy.notices.voice import Voice, Word, going, oldest, seen_at
from tracker.policy.view import Parcel, View, standing


def pay_duties(view: View, voice: Voice) -> None:
    """Import tax or a handling fee: until it is paid the carrier does not move the parcel (facts/transit.md section 2)."""
    waiting = tuple(parcel for parcel in going(view) if parcel.shipment.reason is TrackingReason.DUTIES_UNPAID)
    if waiting:
        lead = oldest(waiting)
        reason = DecisionReason.DUTIES_AWAIT_PAYMENT
        voice.say(
            Word(
                intent=Intent.DUTIES,
                template="duties_unpaid",
                reason=reason,
                parcel=lead,
                since=seen_at(lead),
                urgent=True,
                within=view.rules.notices.state_days,
            )
        )


def collect(view: View, voice: Voice) -> None:
    """Each parcel on its own: where it waits; and once more when its last day is near, instead of the first where both are."""
    for parcel in going(view):
        shipment = parcel.shipment
        expiring = shipment.reason is TrackingReason.STORAGE_EXPIRING
        if not expiring and shipment.status is not TrackingStatus.AVAILABLE_FOR_PICKUP:
            continue
        last = _last_day(view, voice, parcel, expiring=expiring)
        if last is not None:
            _warn(voice, parcel, *last)
        if last is None or standing(voice.past(Intent.PICKUP, shipment.number)) is not None:
            _waiting(view, voice, parcel)
        else:
            voice.nothing(Intent.PICKUP, DecisionReason.SUPERSEDED_BY_LATER_STAGE, parcel)


def _waiting(view: View, voice: Voice, parcel: Parcel) -> None:
    voice.say(
        Word(
            intent=Intent.PICKUP,
            template="pickup_waiting",
            reason=DecisionReason.WAITS_TO_BE_COLLECTED,
            occasion=parcel.shipment.number,
            parcel=parcel,
            since=seen_at(parcel),
            within=view.rules.notices.state_days,
        )
    )


def _warn(voice: Voice, parcel: Parcel, last: date, since: datetime) -> None:
    voice.say(
        Word(
            intent=Intent.STORAGE,
            template="storage_expiring",
            reason=DecisionReason.STORAGE_ENDS_SOON,
            occasion=parcel.shipment.number,
            parcel=parcel,
            since=since,
            deadline=datetime.combine(last, time(23, 59, 59), UTC),
            urgent=True,
            facts={"due_date": last.isoformat()},
        )
    )


def _last_day(view: View, voice: Voice, parcel: Parcel, *, expiring: bool) -> tuple[date, datetime] | None:
    """The last day to collect it, once it is near, and since when it is.

    Nobody tells it: the short end of what posts keep counts from the first sight.
    A source that says "storage ends soon" is believed: then it is tomorrow at the earliest. What it said long ago is over.
    """
    days, today = view.rules.notices, view.now.astimezone(UTC).date()
    seen = [effect.created_at for effect in voice.past(Intent.PICKUP, parcel.shipment.number)]
    first = min([*seen, *filter(None, [seen_at(parcel)])], default=view.now)
    last = first.astimezone(UTC).date() + timedelta(days=days.pickup_kept_days)
    if expiring:
        said = seen_at(parcel) or view.now
        if view.now - said > days.pickup_kept_days * DAY:
            return None
        return max(min(last, today + timedelta(days=days.storage_warn_days)), today + timedelta(days=1)), said
    near = last - timedelta(days=days.storage_warn_days)
    if today < near:
        voice.again(datetime.combine(near, time(), UTC))
        return None
    if today >= last:
        # It may lie there for weeks yet, or be on its way back: a date would be invented.
        return None
    voice.again(datetime.combine(last, time(), UTC))
    return last, datetime.combine(near, time(), UTC)
