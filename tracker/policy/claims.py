"""The life of claims that stand in the register: what the calendar and the parcel do to them (facts/compensation.md section 4).

Filing, answers and money are a person's word. By themselves claims only open, expire unfiled (the leak everybody must see), are
withdrawn when the parcel turns up (or comes back) before the money, and are reversed when it turns up after.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from tracker import compensation
from tracker.compensation import ClaimEvent, ClaimWindow
from tracker.model import Claim, ClaimMove, ClaimState, DecisionReason, Intent, Phase, TaskState
from tracker.policy.findings import Findings
from tracker.policy.follow_ups import remind
from tracker.policy.view import Parcel, View
from tracker.rules import CompensationRule

_AFTER_MONEY = frozenset({ClaimState.PAID, ClaimState.OFFSET, ClaimState.CLOSED})
_REASONS = {
    ClaimEvent.WINDOW_OPENED: DecisionReason.CLAIM_WINDOW_OPENED,
    ClaimEvent.WINDOW_CLOSED: DecisionReason.CLAIM_WINDOW_CLOSED,
}

_Event = tuple[ClaimEvent, DecisionReason]


def follow(view: View, out: Findings) -> None:
    """Move the claims of all parcels on, and ask people for what only they can do about them."""
    if not view.dossier.claims:
        return
    parcels = {parcel.shipment.number: parcel for parcel in view.parcels}
    for claim in view.dossier.claims:
        parcel = parcels.get(claim.shipment)
        if parcel is None:
            continue
        terms = compensation.terms_of(claim.rule, view.rules)
        found = _turned_up(claim, parcel, terms) or _by_the_calendar(view, out, claim, parcel, terms)
        found = found or _inquiry_sent(view, claim, parcel)
        if found is not None:
            _move(view, out, claim, terms, found)
        remind(view, out, claim, parcel, terms, moves=found is not None)


def _move(view: View, out: Findings, claim: Claim, terms: CompensationRule | None, found: _Event) -> None:
    event, reason = found
    after = compensation.advance(claim.state, event, inquiry_only=_searches_only(terms))
    due = None
    if event is ClaimEvent.INQUIRY_SENT and terms is not None:
        due = compensation.due_after(view.now.date(), terms.response_days, terms.response_day_kind, terms.country)
    out.move(
        ClaimMove(
            shipment=claim.shipment,
            attempt=claim.attempt,
            before=claim.state,
            after=after,
            reason=reason,
            answer_due_on=due,
        )
    )


def _turned_up(claim: Claim, parcel: Parcel, terms: CompensationRule | None) -> _Event | None:
    """Delivered; or scanned at last, which ends a claim under the terms of before the first scan."""
    delivered = parcel.gone is DecisionReason.DELIVERED and not _keeps_its_claim(claim, parcel)
    if claim.state in _AFTER_MONEY:
        return (ClaimEvent.DELIVERED_AFTER_PAYMENT, DecisionReason.DELIVERED) if delivered else None
    if ClaimEvent.FOUND not in compensation.events_from(claim.state, inquiry_only=_searches_only(terms)):
        return None
    if delivered:
        return ClaimEvent.FOUND, DecisionReason.DELIVERED
    if parcel.returned and not parcel.damaged:
        return ClaimEvent.FOUND, DecisionReason.RETURNED_TO_SENDER
    if claim.phase is Phase.PRE_SCAN and parcel.shipment.first_scan is not None:
        return ClaimEvent.FOUND, DecisionReason.SCANNED_AT_LAST
    return None


def _keeps_its_claim(claim: Claim, parcel: Parcel) -> bool:
    """Goods that came broken or short are owed all the same (R87, R88)."""
    return parcel.damaged or claim.loss_type.arrives


def _by_the_calendar(view: View, out: Findings, claim: Claim, parcel: Parcel, terms: CompensationRule | None) -> _Event | None:
    window = ClaimWindow(earliest_on=claim.earliest_on, latest_on=claim.latest_on, why="as registered")
    opens_by, closes_by = compensation.origin_days(view.now, parcel.shipment.origin)
    for today in (closes_by, opens_by):
        event = compensation.due_event(claim.state, window, today, inquiry_only=_searches_only(terms))
        if event is ClaimEvent.WINDOW_CLOSED or (event is not None and today == opens_by):
            return event, _REASONS[event]
    if claim.state in {ClaimState.DRAFT, ClaimState.READY, ClaimState.INQUIRY_OPEN}:
        days = (claim.earliest_on, None if claim.latest_on is None else claim.latest_on + timedelta(days=1))
        for day in days:
            if day is not None and day > opens_by:
                # A little early where the origin's day begins before ours: then it looks once more.
                out.again(max(_morning(day) - timedelta(hours=14), view.now + timedelta(hours=1)))
    return None


def _inquiry_sent(view: View, claim: Claim, parcel: Parcel) -> _Event | None:
    """A person has closed the week's task: that is the word that the inquiry went out."""
    if claim.state is not ClaimState.READY:
        return None
    asked = view.effects(Intent.CLAIM_INQUIRY, parcel.shipment.subject)
    if any(each.occasion == str(claim.attempt) and each.task is TaskState.DONE for each in asked):
        return ClaimEvent.INQUIRY_SENT, DecisionReason.INQUIRY_WAS_SENT
    return None


def _searches_only(terms: CompensationRule | None) -> bool:
    """Whether the claim's terms only search and pay nothing."""
    return terms is not None and terms.inquiry_only


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
