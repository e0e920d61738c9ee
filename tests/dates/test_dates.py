"""Day 0, ages, windows, seasons, working days: D1, D8, D19, and the bounds of unknown instants (facts/transit.md)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from tests.policy.build import CARNIVAL, CNY, PEAK, day, order, parcel, scan
from tracker.dates import (
    calendar_known,
    day0,
    day0_bounds,
    posting_dates,
    season_days,
    whole_days,
    window_end,
    working_days_after,
)
from tracker.model import Order, Scan, Shipment, Window, WindowSource

SHIPPED = day(-1)


def shipment(first: Scan | None, **change: object) -> Shipment:
    return replace(parcel(last=None), first_scan=first, shipped_at=SHIPPED, **change)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(scan(2), day(2), id="the first scan at origin"),
        pytest.param(scan(2, country=None), day(2), id="a scan without a country counts as origin"),
        pytest.param(scan(5, country="BR"), SHIPPED, id="first scan in the destination: shipped"),
        pytest.param(scan(6.5), SHIPPED, id="more than 7 days after shipping: shipped"),
        pytest.param(scan(6), day(6), id="7 days after shipping is not more than 7"),
        pytest.param(None, SHIPPED, id="never scanned: shipped"),
    ],
)
def test_d1_day_0(first: Scan | None, expected: datetime) -> None:
    """D1: the first scan at origin; in the destination or more than 7 days late: shipped."""
    assert day0(order(), shipment(first)) == expected


@pytest.mark.parametrize(
    ("told", "first", "expected"),
    [
        (order(shipped_at=None), None, day(-2)),
        (order(shipped_at=None, paid_at=None), scan(20, country="BR"), day(20)),
        (order(shipped_at=None, paid_at=None), None, None),
    ],
)
def test_d1_paid_is_the_last_resort_and_never_the_creation(told: Order, first: Scan | None, expected: datetime | None) -> None:
    """D1: else paid; never the order's creation (boleto)."""
    assert day0(told, replace(shipment(first), shipped_at=None)) == expected


def test_d1_a_domestic_parcel_starts_with_its_scan() -> None:
    assert day0(order(country="CN"), shipment(scan(2), country="CN")) == day(2)


def test_d1_day_0_moves_earlier_never_later_once_a_stage_acted() -> None:
    """D1: a stage that acted keeps its day 0; a better first scan may only make it earlier."""
    acted = shipment(scan(2), day0=day(1))
    assert day0(order(), acted) == day(1)
    assert day0(order(), replace(acted, first_scan=scan(0))) == day(0)
    assert day0(order(shipped_at=None, paid_at=None), replace(acted, first_scan=None, shipped_at=None)) == day(1)


def test_day_0_of_an_unknown_instant_has_bounds() -> None:
    """facts/transit.md section 3: what costs money counts from the later bound, a deadline from the earlier one."""
    vague = replace(scan(0), latest=day(1.08))
    assert day0_bounds(order(), shipment(vague)) == (day(0), day(1.08))
    assert day0(order(), shipment(vague)) == day(1.08)
    late = replace(scan(5.5), latest=day(6.6))
    assert day0(order(), shipment(late)) == day(6.6), "only a scan that is certainly late is set aside"


def test_age_counts_whole_days_of_24_hours() -> None:
    assert whole_days(day(0), day(29.99)) == 29
    assert whole_days(day(0), day(30)) == 30
    assert whole_days(day(1), day(0)) == 0


def test_a_window_is_told_or_estimated_from_day_0() -> None:
    """R7: api > typed in or file > estimated (day 0 + guarantee)."""
    told = Window(end=day(90), source=WindowSource.API)
    assert window_end(order(window=told), day(0), 120) == told
    assert window_end(order(), day(0), 120) == Window(end=day(120), source=WindowSource.ESTIMATED)
    assert window_end(order(), None, 120) is None


# ----------------------------------------------------------------------------------------------------------------- seasons


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        pytest.param("CN", 10, id="still in China: the new year, and the peak, never their sum"),
        pytest.param("BR", 7, id="in Brazil: the longer of peak and Carnival"),
        pytest.param("NL", 10, id="on its way between: either leg"),
        pytest.param(None, 10, id="nobody says where: either leg"),
    ],
)
def test_d19_the_longest_season_on_the_leg_counts(country: str | None, expected: int) -> None:
    """D19: on the leg and place concerned, the longest, never summed."""
    assert season_days((CNY, PEAK, CARNIVAL), parcel(), scan(5, country=country), 25) == expected


def test_d19_a_season_counts_only_where_it_touches_the_silence() -> None:
    assert season_days((CNY,), parcel(), scan(21), 25) == 0
    assert season_days((PEAK,), parcel(), scan(0), 9) == 0
    assert season_days((PEAK,), parcel(), scan(0), 10) == 7
    assert season_days((CNY,), parcel(origin="HK"), scan(5, country="HK"), 25) == 0
    assert season_days((CARNIVAL,), parcel(country="US"), scan(15, country="US"), 25) == 0
    assert season_days((), parcel(), scan(0), 25) == 0


# ------------------------------------------------------------------------------------------------------------ working days


def test_d8_china_works_on_swapped_saturdays() -> None:
    """D8, R8: Saturday 14 February 2026 is worked, the new year's week is not."""
    friday = datetime(2026, 2, 13, 2, 0, tzinfo=UTC)
    assert working_days_after(friday, 1, "CN") == datetime(2026, 2, 14, 2, 0, tzinfo=UTC)
    assert working_days_after(friday, 2, "CN").date() == date(2026, 2, 24)


def test_working_days_keep_the_wall_clock_of_the_place() -> None:
    """Friday 23:00 UTC is Saturday in Shanghai: the count starts there."""
    late = datetime(2026, 4, 17, 23, 0, tzinfo=UTC)
    assert working_days_after(late, 1, "CN") == datetime(2026, 4, 19, 23, 0, tzinfo=UTC)
    assert working_days_after(late, 1, "XX") == datetime(2026, 4, 20, 23, 0, tzinfo=UTC)
    assert working_days_after(late, 0, None) == late


def test_a_posting_day_is_local_to_the_origin() -> None:
    """facts/compensation.md section 2: day 0 of a claim is the local date at origin; an unknown zone widens it."""
    evening = datetime(2026, 4, 1, 20, 0, tzinfo=UTC)
    assert posting_dates(evening, evening, "CN") == (date(2026, 4, 2), date(2026, 4, 2))
    assert posting_dates(evening, evening, None) == (date(2026, 4, 1), date(2026, 4, 2))


def test_a_year_without_a_published_calendar_is_told() -> None:
    """China announces its swapped Saturdays each November: before that, counting is a guess and config check warns."""
    assert calendar_known("CN", 2026)
    assert not calendar_known("CN", 2031)
    assert calendar_known("BR", 2031)
    assert not calendar_known("XX", 2026)


@pytest.mark.parametrize("transition", [date(2026, 3, 8), date(2026, 11, 1)])
def test_ages_do_not_know_daylight_saving(transition: date) -> None:
    """D9, faults row 14: a day is 24 hours of UTC, also where the clocks change."""
    before = datetime(transition.year, transition.month, transition.day, tzinfo=UTC) - timedelta(days=15)
    assert whole_days(before, before + timedelta(days=30)) == 30
