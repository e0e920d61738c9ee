"""The next date of each parcel that people or money must meet: near it, polling asks oftener (facts/carriers.md 1).

Three kinds of date: the end of the order's delivery window while the parcel is under way; when an open case wants its answer or
its evidence; the last day of a claim that nobody has filed. A date that has passed is nothing that an answer could still change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from carriers.model import TrackingStatus
from tracker import times
from tracker.model import ClaimState, Dossier, OrderState, Shipment
from tracker.rules import Rules

Dates = tuple[tuple[int, int | None], ...]
"""(Parcel's id, its next date in epoch seconds or None)."""

_ARRIVED = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
_OVER = frozenset({OrderState.FINISHED, OrderState.CANCELLED})
_UNFILED = frozenset({ClaimState.DRAFT, ClaimState.READY})


def moved_deadlines(dossier: Dossier, rules: Rules, now: datetime) -> Dates:
    """The parcels whose next date is another one than polling knows. Nearly always none."""
    window = _window(dossier, now)
    work = bool(dossier.cases or dossier.claims)
    moved: Dates = ()
    for parcel in dossier.shipments:
        found = None if parcel.status in _ARRIVED else window
        if work:
            found = _nearest(dossier, parcel, found, rules, now)
        if found != parcel.deadline_at:
            moved = (*moved, (parcel.id, found))
    return moved


def _window(dossier: Dossier, now: datetime) -> int | None:
    order = dossier.order
    if order.window is None or order.received_at is not None or order.refunded_at is not None or order.state in _OVER:
        return None
    return int(order.window.end.timestamp()) if order.window.end >= now else None


def _nearest(dossier: Dossier, parcel: Shipment, window: int | None, rules: Rules, now: datetime) -> int | None:
    ahead = [int(at.timestamp()) for at in _work(dossier, parcel, rules) if at >= now]
    if window is not None:
        ahead.append(window)
    return min(ahead, default=None)


def _work(dossier: Dossier, parcel: Shipment, rules: Rules) -> Iterator[datetime]:
    for case in dossier.cases:
        if case.closed_at is None and case.shipment in {None, parcel.number}:
            due = None if case.answered_at is not None else times.case_due(case, dossier, rules)
            if due is not None:
                yield due.at
            if case.evidence_due_at is not None:
                yield case.evidence_due_at
    for claim in dossier.claims:
        if claim.shipment == parcel.number and claim.state in _UNFILED and claim.latest_on is not None:
            yield datetime.combine(claim.latest_on, time(), UTC) + timedelta(days=1)
