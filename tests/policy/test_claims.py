"""The life of a registered claim: opened and expired by the calendar, withdrawn or reversed by the parcel (R86, R87)."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import RULES, day, delivered, dossier, parcel
from tracker.model import Claim, ClaimMove, ClaimState, DecisionReason, Dossier, Phase, Shipment
from tracker.policy import decide
from tracker.rules import Rules

S, R = ClaimState, DecisionReason
OPENS, CLOSES = date(2026, 4, 10), date(2026, 5, 30)
"""Days 9 and 59 of the parcel."""


def claim(state: ClaimState, phase: Phase = Phase.IN_TRANSIT) -> Claim:
    return Claim(
        shipment="LP1",
        attempt=1,
        state=state,
        rule="yanwen-after",
        phase=phase,
        cause="lost",
        earliest_on=OPENS,
        latest_on=CLOSES,
        payable=None,
        currency=None,
        opened_at=day(5),
    )


def moves(when: float, of: Claim, shipment: Shipment | None = None, rules: Rules = RULES) -> tuple[ClaimMove, ...]:
    told = dossier(replace(shipment or parcel(last=5), last_answer_at=day(when - 0.04)))
    return decide(Dossier(order=told.order, shipments=told.shipments, claims=(of,)), rules, day(when)).claims


@pytest.mark.parametrize(
    ("when", "state", "after", "reason"),
    [
        (8, S.DRAFT, None, None),
        (9, S.DRAFT, S.READY, R.CLAIM_WINDOW_OPENED),
        (30, S.READY, None, None),
        (59, S.READY, None, None),
        (60, S.READY, S.EXPIRED, R.CLAIM_WINDOW_CLOSED),
        (60, S.DRAFT, S.EXPIRED, R.CLAIM_WINDOW_CLOSED),
        (60, S.INQUIRY_OPEN, S.EXPIRED, R.CLAIM_WINDOW_CLOSED),
        (60, S.FILED, None, None),
        (200, S.EXPIRED, None, None),
    ],
)
def test_the_calendar_opens_a_claim_and_lets_it_expire_unfiled(
    when: float, state: ClaimState, after: ClaimState | None, reason: DecisionReason | None
) -> None:
    """facts/compensation.md section 4: "expired unfiled" is the leak that everybody must see."""
    moved = moves(when, claim(state))
    assert [(move.before, move.after, move.reason) for move in moved] == ([(state, after, reason)] if after else [])


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (S.DRAFT, S.WITHDRAWN),
        (S.READY, S.WITHDRAWN),
        (S.FILED, S.WITHDRAWN),
        (S.APPROVED, S.WITHDRAWN),
        (S.PAID, S.REVERSED),
        (S.CLOSED, S.REVERSED),
        (S.WITHDRAWN, None),
        (S.WRITTEN_OFF, None),
        (S.EXPIRED, None),
    ],
)
def test_a_parcel_that_arrives_ends_its_claim(state: ClaimState, after: ClaimState | None) -> None:
    """Before the money it is withdrawn, after it the carrier wants it back (clawback)."""
    assert [move.after for move in moves(20, claim(state), delivered(parcel(last=5), 18))] == ([after] if after else [])


def test_a_damaged_parcel_keeps_its_claim_though_it_was_delivered() -> None:
    """R85, R88: it arrived, and not as it should."""
    broken = replace(delivered(parcel(last=5), 18), reason=TrackingReason.DAMAGED)
    assert moves(20, claim(S.READY), broken) == ()


def test_the_first_scan_ends_a_claim_under_the_terms_of_before_it() -> None:
    """facts/compensation.md section 2: a parcel whose phase changes is matched again."""
    (move,) = moves(20, claim(S.READY, Phase.PRE_SCAN), parcel(last=5))
    assert (move.after, move.reason) == (S.WITHDRAWN, R.SCANNED_AT_LAST)


def test_a_claim_of_a_parcel_that_left_the_order_is_left_alone() -> None:
    assert moves(60, replace(claim(S.READY), shipment="LP9")) == ()


def test_the_dossier_looks_again_when_the_window_opens_and_closes() -> None:
    told = dossier(replace(parcel(last=5, status=TrackingStatus.EXCEPTION, reason=TrackingReason.LOST), last_answer_at=day(6)))
    verdict = decide(Dossier(order=told.order, shipments=told.shipments, claims=(claim(S.DRAFT),)), RULES, day(6.5))
    assert verdict.next_at is not None
    assert verdict.next_at.date() <= OPENS


@pytest.mark.parametrize("state", [S.DRAFT, S.READY, S.FILED])
def test_a_parcel_that_comes_back_to_the_seller_ends_its_claim(state: ClaimState) -> None:
    """facts/compensation.md section 4: found before the money; the seller has his goods again."""
    back = replace(parcel(last=20), status=TrackingStatus.RETURNED)
    [moved] = moves(30, claim(state), back)
    assert (moved.after, moved.reason) == (S.WITHDRAWN, R.RETURNED_TO_SENDER)
