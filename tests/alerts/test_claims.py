"""Claim windows that close, and claims that nobody filed: told to everybody (facts/compensation.md 1.2, D24)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tracker.alerts.claims import closing, expired
from tracker.model import Claim, ClaimState, Liable, Phase
from tracker.store.claims import ClaimView

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
CLAIM = Claim(
    id=7,
    shipment="LX1",
    attempt=1,
    state=ClaimState.READY,
    rule="yanwen-c-pre-scan",
    phase=Phase.PRE_SCAN,
    cause="never_scanned",
    earliest_on=date(2026, 10, 1),
    latest_on=date(2026, 11, 20),
    payable=Decimal("9.90"),
    currency="USD",
    opened_at=NOW,
)
VIEW = ClaimView(claim=CLAIM, carrier="yanwen", service="economy", store="lume", order="1", order_id=1)


def warned(view: ClaimView, days_before: int) -> list[str]:
    until = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC) - timedelta(days=days_before)
    return [each.key.rsplit("/", 1)[1] for each in closing(view, {14, 5}, until, NOW)]


@pytest.mark.parametrize(("days_before", "told"), [(15, []), (14, ["14d"]), (6, ["14d"]), (5, ["5d"]), (0, ["5d"])])
def test_a_window_is_told_14_and_5_days_before_it_closes(days_before: int, told: list[str]) -> None:
    """R86, D24: each warning once, by a key of its own; the nearer one alone where both are due."""
    assert warned(VIEW, days_before) == told


def test_a_window_that_closes_before_the_next_stage_is_told_at_once() -> None:
    """Who waits for day 60 loses the money."""
    assert warned(replace(VIEW, claim=replace(CLAIM, closes_first=True)), 40) == ["closes_first"]


def test_what_was_filed_is_not_told_any_more() -> None:
    assert warned(replace(VIEW, claim=replace(CLAIM, state=ClaimState.FILED)), 1) == []
    assert warned(replace(VIEW, claim=replace(CLAIM, latest_on=None)), 1) == []


def test_r86_an_inquiry_does_not_keep_a_window_open() -> None:
    """R86: what was only asked about expires unfiled as well; not so where the carrier searches and pays nothing."""
    asked = replace(CLAIM, state=ClaimState.INQUIRY_OPEN)
    assert warned(replace(VIEW, claim=asked), 5) == ["5d"]
    assert warned(replace(VIEW, claim=replace(asked, payable=Decimal(0))), 5) == []


def test_r70_what_the_seller_bears_wants_no_filing() -> None:
    """R70: nobody is warned of a window that nobody can use."""
    assert warned(replace(VIEW, claim=replace(CLAIM, liable=Liable.SELLER)), 5) == []


def test_r86_a_second_attempt_is_told_of_as_the_first_was() -> None:
    """R86: each has a key of its own."""
    again = replace(VIEW, claim=replace(CLAIM, attempt=2))
    until = datetime(2026, 11, 20, tzinfo=UTC)
    keys = {each.key for view in (VIEW, again) for each in closing(view, {14}, until, NOW)}
    assert len(keys) == 2


def test_the_leak_is_told_once_with_its_amount() -> None:
    """R86: expired unfiled is money that nobody asked for in time; an old one is no news."""
    gone = replace(VIEW, claim=replace(CLAIM, state=ClaimState.EXPIRED, latest_on=date(2026, 10, 31)))
    [raised] = expired(gone, NOW)
    assert (raised.key, raised.facts) == ("claim_expired/7", {"carrier": "yanwen", "amount": "9.90 USD"})
    assert list(expired(gone, NOW + timedelta(days=9))) == []
