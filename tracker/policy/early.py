"""Claim windows that close before the silence proves anything: a person is asked, once, in the 14-day warning.

Terms of 30 or 45 days end before a slow line's silence reaches `investigate` (facts/compensation.md 1.2). Asked about is only
what pays, and what is silent enough to be watched: of 30,000 parcels a month most are merely between two scans (D17).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from tracker import compensation
from tracker.compensation.matching import ANY_CARRIER
from tracker.dates import DAY
from tracker.model import ActionKind, Decision, DecisionReason, Dossier, Intent, Shipment
from tracker.policy.findings import Findings
from tracker.policy.follow_ups import CLOSES_FIRST
from tracker.policy.ladder import evidence
from tracker.policy.untrackable import Trace
from tracker.policy.view import PLATFORM, Parcel, View, look, standing
from tracker.rules import Rules

_NOTHING = "none"


def warn(view: View, out: Findings, parcel: Parcel, found: Trace | None) -> bool:
    """Ask about this parcel where its claim window closes first; whether that is wanted now."""
    last = parcel.shipment.last_scan
    if found is None or last is None or found.reason is not DecisionReason.SILENCE_WITHIN_LIMIT:
        return False
    posted = parcel.shipment.shipped_at or view.order.shipped_at
    shortest = view.rules.shortest_claims
    days = shortest.get(parcel.shipment.carrier or "", shortest[ANY_CARRIER])
    if posted is None or days is None or found.again is None or found.again <= posted + (days - 1) * DAY:
        return False  # no window of this carrier closes before the silence is long enough
    watched = max(last.latest + view.silence(parcel).watch * DAY, posted + (days - 1 - _warning(view)) * DAY)
    if view.now < watched:
        out.again(watched)
        return False
    return _closes_first(view, out, parcel, found)


def _warning(view: View) -> int:
    return max(view.rules.timing.warn_days, default=0)


def _closes_first(view: View, out: Findings, parcel: Parcel, found: Trace) -> bool:
    shipment = parcel.shipment
    terms = compensation.match(shipment, view.rules)
    proof = found.quiet_at or found.again
    if terms is None or terms.basis == _NOTHING or PLATFORM in {terms.settled_by, shipment.settled_by} or proof is None:
        return False
    span = compensation.window(terms, shipment, view.order)
    _, today = compensation.origin_days(view.now, shipment.origin)
    if span.latest_on is None or not span.known or span.is_over(today) or proof.date() <= span.latest_on:
        return False
    begins = datetime.combine(span.latest_on - timedelta(days=_warning(view)), time(), UTC)
    if view.now < begins:
        out.again(begins)
        return False
    subject = shipment.subject
    past = [each for each in view.effects(Intent.CLAIM_INQUIRY, subject) if each.occasion == CLOSES_FIRST]
    if standing(past) is None:
        out.act(
            Decision(
                kind=ActionKind.TASK,
                reason=DecisionReason.CLAIM_CLOSES_FIRST,
                rule=terms.id,
                subject=subject,
                intent=Intent.CLAIM_INQUIRY,
                occasion=CLOSES_FIRST,
                shipment=shipment.number,
                deadline=datetime.combine(span.latest_on, time.max, UTC).replace(microsecond=0),
                evidence=evidence(parcel)
                | {"carrier": shipment.carrier or "", "latest_on": span.latest_on.isoformat(), "window": span.why},
            )
        )
    return True


def closes_first(dossier: Dossier, shipment: Shipment, latest_on: date | None, rules: Rules, now: datetime) -> bool:
    """Whether a claim's window closes before the ladder's next stage: who waits for that stage loses the money."""
    if latest_on is None:
        return False
    mine = (each for each in look(dossier, rules, now).parcels if each.shipment.number == shipment.number)
    coming = [due for parcel in mine for due in parcel.dues if due is not None and due > now]
    return bool(coming) and latest_on < min(coming).date()
