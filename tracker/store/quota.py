"""What is left of a source's quota, and until when: pure arithmetic over the days that the gate counted (`Gate.quota_days`).

A quota counts new registrations where a source wants those, else requests. A registration that failed is given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from math import ceil

import msgspec

from tracker.config import Source
from tracker.store.gate import ToldQuota

_UNTOLD: Mapping[str, ToldQuota] = {}

LOOKED_BACK = 14
"""Days whose mean is "a day": two whole weeks, so that a quiet Sunday and a busy Monday are both in it."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What a source's plan allows: so many a (UTC) day, and `left` of it in all when the day `since` began.

    Without `since` the count begins with the first day that was kept.
    """

    a_day: int | None = None
    left: int | None = None
    since: date | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One source's quota. `left_today` and `left` are None where nothing limits; `mean` is what a day has taken lately.

    `ends_on` is the day on which the whole of it is used up at that pace; None where it is not known, or nothing is used.
    """

    source: str
    used_today: int
    left_today: int | None = None
    left: int | None = None
    mean: int = 0
    ends_on: date | None = None

    def said(self) -> str:
        """`4100 left, 1050 a day, ends on 2026-09-24`; what is not known is left out."""
        parts = [
            None if self.left is None else f"{self.left} left",
            f"{self.mean} a day" if self.mean else None,
            None if self.ends_on is None else f"ends on {self.ends_on.isoformat()}",
            None if self.left_today is None else f"{self.left_today} left today",
        ]
        return ", ".join(part for part in parts if part) or f"{self.used_today} used today, no limit is configured"


def forecasts(
    sources: Iterable[Source], days: Mapping[str, Mapping[date, int]], today: date, told: Mapping[str, ToldQuota] = _UNTOLD
) -> list[Forecast]:
    """How each configured source stands that has a limit, or of which anything was ever counted.

    `days` is `Gate.quota_days`, `told` what the sources said of themselves (`Gate.told_quotas`).
    """
    plans = {source.id: plan_of(source, told.get(source.id)) for source in sources}
    return [forecast(id_, days.get(id_, {}), plan, today) for id_, plan in plans.items() if days.get(id_) or plan != Quota()]


def plan_of(source: Source, told: ToldQuota | None = None) -> Quota:
    """What is known about a source's plan: its own newest word, else what tracker.toml says."""
    if told is None or (source.quota is not None and source.quota_since is not None and source.quota_since > told.since):
        return Quota(a_day=source.daily_quota, left=source.quota, since=source.quota_since)
    return Quota(a_day=source.daily_quota or told.daily, left=told.left, since=told.since)


def forecast(source: str, days: Mapping[date, int], quota: Quota, today: date, *, wanted: int = 0) -> Forecast:
    """The forecast on `today` (UTC), before `wanted` further ones are taken; they move the end nearer.

    `days` -> what was used on each. The mean is that of the last fourteen whole days (fewer where fewer were kept, today alone
    where it is the first); a day without any counts as one.
    """
    used_today = days.get(today, 0)
    mean = _mean(days, today)
    left = None
    if quota.left is not None:
        begun = quota.since or min(days, default=today)
        left = max(quota.left - sum(used for day, used in days.items() if begun <= day <= today), 0)
    return Forecast(
        source=source,
        used_today=used_today,
        left_today=None if quota.a_day is None else max(quota.a_day - used_today, 0),
        left=left,
        mean=ceil(mean),
        ends_on=None if left is None else _end(left - wanted, mean, quota.a_day, today, used_today),
    )


def _mean(days: Mapping[date, int], today: date) -> float:
    whole = [day for day in days if today - timedelta(days=LOOKED_BACK) <= day < today]
    if not whole:
        return float(days.get(today, 0))
    return sum(days[day] for day in whole) / (today - min(whole)).days


def _end(left: int, mean: float, a_day: int | None, today: date, used_today: int) -> date | None:
    """The day on which the rest is used up: what today still takes first, then a mean day's worth each day."""
    if left <= 0:
        return today
    pace = min(mean, a_day) if a_day is not None else mean
    if not pace:
        return None
    days = ceil((left - max(pace - used_today, 0)) / pace)
    return today + timedelta(days=days) if days < _HORIZON else None


_HORIZON = 3650
