"""The forecast of a source's quota: "4100 left, 1050 a day, ends on the 24th" (daily-operations, Quota)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.store.build import DAY
from tracker.store import Store
from tracker.store.quota import Forecast, Quota, forecast

TODAY = date(2026, 9, 20)


def days(*used: int, today: int | None = None) -> dict[date, int]:
    """The whole days before today, the oldest first; and today."""
    past = {TODAY - timedelta(days=len(used) - at): each for at, each in enumerate(used)}
    return past if today is None else past | {TODAY: today}


def test_what_is_left_at_the_pace_of_two_weeks() -> None:
    seen = forecast("17track", days(*[1050] * 14), Quota(left=4100 + 14 * 1050), TODAY)
    assert seen == Forecast(source="17track", used_today=0, left=4100, mean=1050, ends_on=date(2026, 9, 23))
    assert seen.said() == "4100 left, 1050 a day, ends on 2026-09-23"


def test_a_plan_is_counted_from_the_day_it_was_looked_up() -> None:
    used = days(500, 500, 100, 100, today=50)
    assert forecast("a", used, Quota(left=1000, since=TODAY - timedelta(days=2)), TODAY).left == 750
    assert forecast("a", used, Quota(left=1000), TODAY).left == 0, "from the first day that was counted"


@pytest.mark.parametrize(
    ("used", "quota", "wanted", "ends_in"),
    [
        (days(10, 10), Quota(left=20 + 100), 0, 9),
        (days(10, 10), Quota(left=20 + 100), 50, 4),
        (days(10, 10), Quota(left=20 + 100), 100, 0),
        (days(10, 10), Quota(left=0), 0, 0),
        (days(100, 100), Quota(left=200 + 100, a_day=10), 0, 9),
        (days(today=0), Quota(left=100), 0, None),
        (days(0, 0), Quota(left=100), 5, None),
        (days(1), Quota(left=10**7), 0, None),
    ],
    ids=["pace", "a file takes a part", "a file takes all", "nothing left", "the daily limit", "unused", "quiet", "in ages"],
)
def test_when_it_ends(used: dict[date, int], quota: Quota, wanted: int, ends_in: int | None) -> None:
    """The last day is the one on which the rest is used up; today takes its share first."""
    found = forecast("a", used, quota, TODAY, wanted=wanted).ends_on
    assert found == (None if ends_in is None else TODAY + timedelta(days=ends_in))


@pytest.mark.parametrize(
    ("used", "mean"),
    [
        (days(70, 70, today=1), 70),
        (days(today=40), 40),
        ({TODAY - timedelta(days=10): 100}, 10),
        ({TODAY - timedelta(days=40): 1400, TODAY - timedelta(days=1): 3}, 3),
        ({}, 0),
    ],
    ids=["whole days", "the first day", "a day without any is a day", "what is long ago does not count", "nothing"],
)
def test_the_mean_of_a_day(used: dict[date, int], mean: int) -> None:
    assert forecast("a", used, Quota(), TODAY).mean == mean


def test_a_daily_limit_alone_and_none_at_all() -> None:
    assert forecast("a", days(5, today=3), Quota(a_day=10), TODAY).said() == "5 a day, 7 left today"
    assert forecast("a", {}, Quota(), TODAY).said() == "0 used today, no limit is configured"


async def test_every_day_is_kept_and_a_refused_request_is_not_counted(store: Store) -> None:
    today = TODAY
    assert await store.use_quota("a", today, 60, 100)
    assert not await store.use_quota("a", today, 60, 100)
    assert await store.use_quota("a", today + DAY, 7, None), "without a limit it is counted all the same"
    await store.give_back_quota("a", today, 20)
    assert await store.quota_days() == {"a": {today: 40, today + DAY: 7}}
    await store.give_back_quota("a", today + DAY, 2)
    assert await store.use_quota("a", today + DAY, 95, 100), "what was given back can be taken again"
