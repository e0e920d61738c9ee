"""The life of claims that stand in the register: what the calendar and the parcel do to them (facts/compensation.md section 4).

Filing, answers and money are a person's word. By themselves claims only open, expire unfiled (the leak everybody must see), are
withdrawn when the parcel turns up (or comes back) before the money, and are reversed when it turns up after.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from tracker import compensation
from tracker.compensation import ClaimEvent, ClaimWindow
from tracker.model import Claim, ClaimMove, ClaimState, DecisionReason, Phase
from tracker.policy.findings import Findings
from tracker.policy.view import Parcel, View

_AFTER_MONEY = frozenset({ClaimState.PAID, ClaimState.OFFSET, ClaimState.CLOSED})
_REASONS = {
    ClaimEvent.WINDOW_OPENED: DecisionReason.CLAIM_WINDOW_OPENED,
    ClaimEvent.WINDOW_CLOSED: DecisionReason.CLAIM_WINDOW_CLOSED,
}


def follow(view: View, out: Findings) -> None:
    """Move the claims of all parcels on."""
    parcels = {parcel.shipment.number: parcel for parcel in view.parcels}
    for claim in view.dossier.claims:
        parcel = parcels.get(claim.shipment)
        if parcel is None:
            continue
        found = _turned_up(view, claim, parcel) or _by_the_calendar(view, out, claim)
        if found is not None:
            event, reason = found
            after = compensation.advance(claim.state, event, inquiry_only=_searches_only(view, claim))
            out.move(ClaimMove(shipment=claim.shipment, attempt=claim.attempt, before=claim.state, after=after, reason=reason))


def _turned_up(view: View, claim: Claim, parcel: Parcel) -> tuple[ClaimEvent, DecisionReason] | None:
    """Delivered; or scanned at last, which ends a claim under the terms of before the first scan."""
    delivered = parcel.gone is DecisionReason.DELIVERED and not parcel.damaged
    if claim.state in _AFTER_MONEY:
        return (ClaimEvent.DELIVERED_AFTER_PAYMENT, DecisionReason.DELIVERED) if delivered else None
    if ClaimEvent.FOUND not in compensation.events_from(claim.state, inquiry_only=_searches_only(view, claim)):
        return None
    if delivered:
        return ClaimEvent.FOUND, DecisionReason.DELIVERED
    if parcel.returned and not parcel.damaged:
        return ClaimEvent.FOUND, DecisionReason.RETURNED_TO_SENDER
    if claim.phase is Phase.PRE_SCAN and parcel.shipment.first_scan is not None:
        return ClaimEvent.FOUND, DecisionReason.SCANNED_AT_LAST
    return None


def _by_the_calendar(view: View, out: Findings, claim: Claim) -> tuple[ClaimEvent, DecisionReason] | None:
    window = ClaimWindow(earliest_on=claim.earliest_on, latest_on=claim.latest_on, why="as registered")
    today = view.now.astimezone(UTC).date()
    event = compensation.due_event(claim.state, window, today, inquiry_only=_searches_only(view, claim))
    if event is not None:
        return event, _REASONS[event]
    if claim.state in {ClaimState.DRAFT, ClaimState.READY, ClaimState.INQUIRY_OPEN}:
        days = (claim.earliest_on, None if claim.latest_on is None else claim.latest_on + timedelta(days=1))
        for day in days:
            if day is not None and day > today:
                out.again(_morning(day))
    return None


def _searches_only(view: View, claim: Claim) -> bool:
    """Whether the claim's terms only search and pay nothing."""
    return next((rule.inquiry_only for rule in view.rules.compensation if rule.id == claim.rule), False)


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
