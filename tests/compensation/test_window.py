"""R86: from when until when a claim can be made, rule by rule; month ends, working days, unknown instants, missing clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.compensation.build import POSTED, order, scan, shipment, shipped_rules, terms
from tracker.compensation import ClaimWindow, window
from tracker.compensation.window import add_months
from tracker.model import Order

SCAN = scan(datetime(2026, 6, 5, 4, 0, tzinfo=UTC))
PROMISED = order(promised_at=datetime(2026, 7, 1, 4, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rule", "opens", "closes"),
    [
        # posted on 1 June 2026, first scan on 5 June, promised for 1 July
        ("upu-registered", "2026-07-01", "2026-12-01"),
        ("upu-parcel", "2026-07-01", "2026-12-01"),
        ("upu-insured", "2026-07-01", "2026-12-01"),
        ("upu-untracked", "2026-06-01", None),
        ("cn-epacket-in-transit", "2026-06-05", None),
        ("cn-epacket-pre-scan", "2026-06-10", "2026-07-01"),  # seven working days
        ("cn-ems-intl", "2026-06-10", "2026-10-01"),
        ("cn-registered-aliexpress-online", "2026-07-06", "2026-09-29"),
        ("aliexpress-standard", "2026-06-01", None),
        ("aliexpress-premium", "2026-06-01", None),
        ("aliexpress-saver", "2026-06-01", None),
        ("yanwen-c-pre-scan", "2026-06-08", "2026-07-31"),
        ("yanwen-c-in-transit", "2026-06-11", "2026-07-31"),
        ("4px-c-ems", "2026-06-14", "2026-08-04"),  # counts from the first scan
        ("4px-pre-scan", "2026-07-01", "2026-08-30"),
        ("4px-s-ems", "2026-07-31", "2026-08-30"),
        ("4px-not-in-warehouse", "2026-06-08", "2026-07-01"),
        ("yunexpress-tracked", "2026-07-01", "2026-08-30"),
        ("generic-cn-special-line", "2026-07-01", "2026-07-16"),
        ("sf-intl-eparcel", "2026-06-21", "2026-08-30"),
        ("singpost-registered", "2026-07-01", "2026-12-01"),
        ("correios-domestic", "2026-06-01", "2026-08-30"),
        ("usps-insured", "2026-06-16", "2026-07-31"),
        ("usps-express", "2026-06-08", "2026-07-31"),
        ("usps-pmi", "2026-06-08", "2026-12-01"),
        ("usps-pmei", "2026-06-04", "2026-08-30"),
        ("ups", "2026-07-02", "2026-08-30"),  # counts from the promised day
        ("fedex-intl", "2026-06-08", "2027-03-01"),
        ("dhl-express", "2026-07-15", "2026-07-01"),  # opens after the promise, closes after the posting
        ("dhl-ecommerce-us", "2026-07-16", "2026-08-30"),
        ("royal-mail-intl", "2026-07-06", "2026-12-01"),  # 25 working days
        ("laposte", "2026-07-11", "2026-12-01"),
        ("deutsche-post", "2026-07-01", "2026-12-01"),
        ("russian-post", "2026-07-01", "2026-12-01"),
    ],
)
def test_every_rules_window(rule: str, opens: str, closes: str | None) -> None:
    """R86: the table of facts/compensation.md section 3, as dates."""
    found = window(terms(rule), shipment(first_scan=SCAN, last_scan=SCAN), PROMISED)
    assert (str(found.earliest_on), found.latest_on and str(found.latest_on)) == (opens, closes)


def test_the_table_above_knows_every_shipped_rule() -> None:
    """R86: a rule without a line above would be filed on untested dates."""
    mark = next(mark for mark in test_every_rules_window.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == {each.id for each in shipped_rules().compensation}


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),  # a leap year
        ("2026-10-31", 4, "2027-02-28"),
        ("2026-05-31", 9, "2027-02-28"),
        ("2026-12-31", 6, "2027-06-30"),
        ("2026-01-15", 6, "2026-07-15"),
    ],
)
def test_months_are_calendar_months(day: str, months: int, end: str) -> None:
    """R86: 31 August + 6 months is the last day of February."""
    assert str(add_months(date.fromisoformat(day), months)) == end


def test_chinese_holidays_are_no_working_days() -> None:
    """D8: seven working days around the Spring Festival of 2026 take more than three weeks; the swapped Saturday counts."""
    before_the_feast = shipment(shipped_at=datetime(2026, 2, 10, 4, 0, tzinfo=UTC))
    opens = window(terms("cn-epacket-pre-scan"), before_the_feast, order()).earliest_on
    assert str(opens) == "2026-02-26"


def test_day_zero_is_the_day_at_the_origin() -> None:
    """R86: 18:00 UTC is already tomorrow in Shanghai."""
    late = shipment(shipped_at=datetime(2026, 6, 1, 18, 0, tzinfo=UTC))
    assert window(terms("yanwen-c-pre-scan"), late, order()).earliest_on == date(2026, 6, 9)


def test_an_unknown_instant_opens_late_and_closes_early() -> None:
    """R86: the opening counts from the later bound, the close from the earlier one."""
    known = window(terms("4px-c-ems"), shipment(first_scan=SCAN), order())
    vague = window(terms("4px-c-ems"), shipment(first_scan=scan(SCAN.latest, zone_known=False)), order())
    assert known.earliest_on is not None
    assert known.latest_on is not None
    assert vague.earliest_on == known.earliest_on + timedelta(days=1)
    assert vague.latest_on == known.latest_on - timedelta(days=1)


def test_an_origin_without_a_known_zone_widens_the_same_way() -> None:
    """R86: where the zone of the posting is not known the whole world's zones bound its date."""
    posted = shipment(origin="VN", shipped_at=datetime(2026, 6, 1, 12, 0, tzinfo=UTC))
    found = window(terms("yanwen-c-pre-scan"), posted, order())
    assert (found.earliest_on, found.latest_on) == (date(2026, 6, 9), date(2026, 7, 31))


@pytest.mark.parametrize(
    ("rule", "facts", "missing"),
    [
        ("4px-c-ems", {}, "window unknown, because there is no first scan yet"),
        ("ups", {}, "window unknown, because no promised date is known"),
        ("yanwen-c-pre-scan", {"shipped_at": None}, "window unknown, because nobody knows when the parcel was handed over"),
    ],
)
def test_a_missing_clock_is_said_and_never_guessed(rule: str, facts: dict[str, Any], missing: str) -> None:
    """R86: "window unknown, because …", not a date."""
    found = window(terms(rule), shipment(**facts), order())
    assert (found.earliest_on, found.latest_on, found.known) == (None, None, False)
    assert found.why.startswith(missing)
    assert not found.is_open(date(2026, 7, 1))
    assert not found.is_over(date(2030, 1, 1))


def test_posted_is_handed_over_else_accepted() -> None:
    """R86: without a hand-over the first scan is the acceptance."""
    accepted = shipment(shipped_at=None, first_scan=SCAN)
    assert window(terms("yanwen-c-in-transit"), accepted, order()).earliest_on == date(2026, 6, 15)
    by_order = window(terms("yanwen-c-pre-scan"), shipment(shipped_at=None), order(shipped_at=POSTED))
    assert by_order.earliest_on == date(2026, 6, 8)


def test_a_window_that_closes_before_it_opens_is_opened_at_once() -> None:
    """R86: DHL Express with a late promise: say so, and open the inquiry at once."""
    found = window(terms("dhl-express"), shipment(), PROMISED)
    assert found.at_once
    assert found.known
    assert found.is_open(date(2026, 6, 2))
    assert not found.is_open(date(2026, 7, 2))
    assert "open the inquiry at once" in found.why


def test_one_clock_can_be_missing_while_the_other_is_known() -> None:
    """R86: DHL Express without a promise: no opening, but the last day stands."""
    found = window(terms("dhl-express"), shipment(), order())
    assert (found.earliest_on, found.latest_on) == (None, date(2026, 7, 1))
    assert found.why == "window unknown, because no promised date is known; closes 30 days after posting 2026-06-01"


@pytest.mark.parametrize(
    ("rule", "destination", "origin", "opens"),
    [
        ("royal-mail-intl", "DE", "GB", "2026-06-29"),  # 20 working days inside Europe
        ("royal-mail-intl", "BR", "GB", "2026-07-06"),
        ("dhl-ecommerce-us", "US", "US", "2026-06-22"),  # 21 days at home
        ("dhl-ecommerce-us", "BR", "US", "2026-07-16"),
    ],
)
def test_the_destination_can_change_the_opening(rule: str, destination: str, origin: str, opens: str) -> None:
    """R86: earliest_days_eu and earliest_days_domestic."""
    found = window(terms(rule), shipment(country=destination, origin=origin), order())
    assert str(found.earliest_on) == opens


def test_damage_has_its_own_last_day() -> None:
    """R86: FedEx takes a loss for nine months, damage for 21 days."""
    assert window(terms("fedex-intl"), shipment(), order(), "lost").latest_on == date(2027, 3, 1)
    assert window(terms("fedex-intl"), shipment(), order(), "damaged").latest_on == date(2026, 6, 22)


def test_what_explain_prints() -> None:
    """R86: how both days were counted."""
    assert window(terms("yanwen-c-pre-scan"), shipment(), order()).why == (
        "opens 7 days after posting 2026-06-01; closes 60 days after posting 2026-06-01"
    )
    assert window(terms("cn-epacket-pre-scan"), shipment(), order()).why == (
        "opens 7 working days of CN after posting 2026-06-01; closes 30 days after posting 2026-06-01"
    )
    assert window(terms("aliexpress-standard"), shipment(), order()).why == "opens 0 days after posting 2026-06-01; no known end"
    broken = window(terms("ups"), shipment(), order())
    assert (
        broken.why == "window unknown, because no promised date is known; its end is unknown, because no promised date is known"
    )


def test_the_last_day_belongs_to_the_window() -> None:
    """R86: both days are inclusive; a window without a known end is never over."""
    found = ClaimWindow(earliest_on=date(2026, 6, 1), latest_on=date(2026, 7, 1), why="")
    assert found.is_open(date(2026, 7, 1))
    assert found.is_over(date(2026, 7, 2))
    assert not ClaimWindow(earliest_on=None, latest_on=None, why="").is_over(date(2026, 7, 1))


@given(hours=st.integers(min_value=0, max_value=24 * 400), rule=st.sampled_from(shipped_rules().compensation))
def test_seasons_never_touch_a_claim(hours: int, rule: Any) -> None:
    """D19: the same posting a day later moves every calendar window by exactly a day; nothing else moves it."""
    if rule.day_kind == "biz" or rule.latest_months is not None:
        return
    at = POSTED + timedelta(hours=hours)

    def found(moved: timedelta) -> ClaimWindow:
        parcel = shipment(shipped_at=at + moved, first_scan=scan(at + moved), last_scan=scan(at + moved))
        buyer: Order = order(promised_at=at + moved)
        return window(replace(rule, earliest_clock=None), parcel, buyer)

    day = timedelta(days=1)
    today, tomorrow = found(timedelta()), found(day)
    assert today.earliest_on is not None
    assert tomorrow.earliest_on == today.earliest_on + day
    assert tomorrow.latest_on == (today.latest_on + day if today.latest_on else None)
