"""Open sums and what changed them: the arithmetic of the month end (facts/compensation.md section 6).

Open is what was filed and is neither settled nor refused. The receivable stands in the books from the approval on, never from
the filing; filed amounts are memo only.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tracker.model import Claim
from tracker.model import ClaimState as S

ASKED = frozenset({S.FILED, S.ACKNOWLEDGED, S.WAITING_DOCUMENTS, S.APPEALED})
"""Filed, and the carrier has not decided."""

ACCEPTED = frozenset({S.APPROVED, S.APPROVED_PARTIAL})

OPEN = ASKED | ACCEPTED
"""States whose sum is open: the list that the roll-forward closes with."""

AGES = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
"""Last day of a band of age, and its name; what is older is `over 90`."""


def outstanding(claim: Claim) -> Decimal:
    """What of the claim is open, in its own currency; 0 where nothing is."""
    if claim.state in ASKED:
        return (claim.claimed or Decimal(0)) - claim.settled
    if claim.state in ACCEPTED:
        return (claim.approved or Decimal(0)) - claim.settled
    return Decimal(0)


def moved(before: Claim | None, after: Claim) -> tuple[Decimal, Decimal, int]:
    """By how much a change moved the open sum, how much of that was money that came (below 0), and the count of open claims."""
    was = Decimal(0) if before is None else outstanding(before)
    came = after.settled - (Decimal(0) if before is None else before.settled)
    count = (after.state in OPEN) - (before is not None and before.state in OPEN)
    return outstanding(after) - was, -came, count


def age_band(filed_on: date, today: date) -> str:
    """The band of age of an open claim, by days since it was filed."""
    days = (today - filed_on).days
    return next((name for last, name in AGES if days <= last), "over 90")
