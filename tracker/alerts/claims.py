"""Claims that must be filed before their window closes, and those that nobody filed (facts/compensation.md 1.2 and 6).

Told 14 and 5 days before the close, grouped; at once where the window closes before the buyer's ladder comes to its next stage.
What expired unfiled is the leak that everybody sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from tracker.model import ClaimState, Liable
from tracker.model.alerts import AlertKind
from tracker.store.alerts import Raised
from tracker.store.claims import ClaimView

TOLD_FOR = timedelta(days=7)
"""So long after its window closed an unfiled claim is told, once."""

TO_FILE = (ClaimState.DRAFT, ClaimState.READY, ClaimState.INQUIRY_OPEN)
WATCHED = (*TO_FILE, ClaimState.EXPIRED)
"""The states whose claims are looked at."""


def closing(view: ClaimView, warn_days: set[int], told_until: datetime, now: datetime) -> Iterator[Raised]:
    """One alert for each warning whose time has come; the last one alone where several have."""
    claim = view.claim
    if claim.state not in TO_FILE or claim.latest_on is None or claim.liable is not Liable.CARRIER:
        return
    if claim.state is ClaimState.INQUIRY_OPEN and claim.payable == 0:
        return  # these terms only search: the inquiry was all there is to file
    end = datetime.combine(claim.latest_on, time.max, UTC).replace(microsecond=0)
    due = [days for days in warn_days if end - timedelta(days=days) <= told_until]
    if not due and not claim.closes_first:
        return
    warning = f"{min(due)}d" if due else "closes_first"
    yield Raised(
        key=f"{AlertKind.CLAIM_CLOSES.value}/{view.store}/{claim.number}/{claim.latest_on}/{warning}",
        kind=AlertKind.CLAIM_CLOSES.value,
        subject=claim.shipment,
        store=view.store,
        facts=_facts(view),
        deadline=end,
        deliver_at=now,
    )


def expired(view: ClaimView, now: datetime) -> Iterator[Raised]:
    """The claim that expired with nothing filed."""
    claim = view.claim
    if claim.state is ClaimState.EXPIRED and claim.latest_on is not None and claim.latest_on >= (now - TOLD_FOR).date():
        yield Raised(
            key=f"{AlertKind.CLAIM_EXPIRED.value}/{claim.id}",
            kind=AlertKind.CLAIM_EXPIRED.value,
            subject=claim.shipment,
            store=view.store,
            facts=_facts(view),
            deliver_at=now,
        )


def _facts(view: ClaimView) -> Mapping[str, str]:
    owed = "" if view.claim.payable is None else f"{view.claim.payable} {view.claim.currency or ''}".strip()
    return {name: value for name, value in {"carrier": view.carrier or "", "amount": owed}.items() if value}
