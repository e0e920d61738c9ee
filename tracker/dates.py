"""Dates: working days, and the zone in which a parcel was posted. Pure; the holidays come from the `holidays` library."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5

_CATEGORIES: Mapping[str, tuple[str, ...]] = {"BR": ("public", "optional")}
"""Brazil's Carnival and Corpus Christi are `optional` in the library, and no post office works then (facts/transit.md, 7)."""

_POSTING_ZONES: Mapping[str, str] = {
    "BR": "America/Sao_Paulo",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "HK": "Asia/Hong_Kong",
    "NL": "Europe/Amsterdam",
    "RU": "Europe/Moscow",
    "SG": "Asia/Singapore",
    "US": "America/New_York",
}
"""Where parcels are posted (origins of compensation.toml); a country of several zones goes by the one of its sellers."""

_EAST, _WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


@lru_cache(maxsize=64)
def _holidays(country: str) -> HolidayBase | None:
    from holidays import country_holidays

    try:
        return country_holidays(country, categories=_CATEGORIES.get(country, ("public",)))
    except NotImplementedError:
        return None


def is_working_day(day: date, country: str | None) -> bool:
    """Whether `country` (ISO 3166) works on `day`, swapped Saturdays included; Monday to Friday where it is not known."""
    calendar = _holidays(country) if country else None
    return day.weekday() < SATURDAY if calendar is None else calendar.is_working_day(day)


def add_working_days(day: date, count: int, country: str | None) -> date:
    """The `count`-th working day after `day` in `country`; `day` itself for 0."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day, country)
    return day


def posting_dates(earliest: datetime, latest: datetime, country: str | None) -> tuple[date, date]:
    """The local dates between which something happened in the country of posting, from the bounds of its instant (aware).

    Both are the same day for a known instant in a country whose zone is known; else the zones of the whole world widen them.
    """
    zone = _POSTING_ZONES.get(country or "")
    if zone is None:
        return earliest.astimezone(_WEST).date(), latest.astimezone(_EAST).date()
    return earliest.astimezone(ZoneInfo(zone)).date(), latest.astimezone(ZoneInfo(zone)).date()
