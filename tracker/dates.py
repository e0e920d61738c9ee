"""Dates: day 0, ages, windows, seasons, working days, zones, bounds of an unknown instant. Pure; holidays come from `holidays`.

Instants are aware UTC. Age and silence are whole days of 24 hours. An instant whose zone is unknown has bounds: whatever costs
money counts from the later one, a deadline of our own from the earlier one (facts/transit.md section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from tracker.model import Order, Scan, Shipment, Window, WindowSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holidays import HolidayBase

DAY = timedelta(days=1)
FIRST_SCAN_LATE = 7 * DAY
"""A first scan later than this after shipping is no start of the journey: day 0 is then shipped (D1)."""

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


def utc_text(instant: datetime) -> str:
    """An aware instant as it stands in evidence and in every JSON document: UTC with `Z`, to the second."""
    if instant.tzinfo is UTC:
        return _utc_text(instant)
    return f"{instant.astimezone(UTC).isoformat()[:19]}Z"


@lru_cache(maxsize=4096)
def _utc_text(instant: datetime) -> str:
    """Remembered, because the evidence of one decision tells the same instant several times, and writing it out is dear.

    In UTC alone: elsewhere two instants an hour apart are equal when the clocks go back.
    """
    return f"{instant.isoformat()[:19]}Z"


# ------------------------------------------------------------------------------------------------------------ day 0 and ages


def day0_bounds(order: Order, shipment: Shipment) -> tuple[datetime, datetime] | None:
    """Day 0 of a parcel with the bounds of its instant (D1); None while nothing says that it left.

    The first scan at origin; if that lies in the destination country or more than 7 days after shipping: shipped; else paid.
    Never the order's creation. Where only a scan in the destination country is known, it stands in: later than the truth, never
    earlier. Once a stage has acted, day 0 may move earlier, never later.
    """
    found = _day0(order, shipment)
    kept = shipment.day0
    if kept is not None and (found is None or kept < found[1]):
        return kept, kept
    return found


def day0(order: Order, shipment: Shipment) -> datetime | None:
    """Day 0 by the later bound of its instant: what ages, refunds and stages count from."""
    found = day0_bounds(order, shipment)
    return None if found is None else found[1]


def _day0(order: Order, shipment: Shipment) -> tuple[datetime, datetime] | None:
    shipped = shipment.shipped_at or order.shipped_at
    scan = shipment.first_scan
    if scan is not None:
        abroad = _in_destination(scan, order, shipment)
        late = shipped is not None and scan.earliest - shipped > FIRST_SCAN_LATE
        if not abroad and not late:
            return scan.earliest, scan.latest
    instant = shipped or order.paid_at
    if instant is not None:
        return instant, instant
    return None if scan is None else (scan.earliest, scan.latest)


def _in_destination(scan: Scan, order: Order, shipment: Shipment) -> bool:
    destination = shipment.country or order.country
    return scan.country is not None and scan.country == destination and destination != shipment.origin


def whole_days(since: datetime, until: datetime) -> int:
    """Whole days of 24 hours from `since` to `until`; 0 where `until` is the earlier one."""
    return max((until - since) // DAY, 0)


def window_end(order: Order, started: datetime | None, guarantee_days: int) -> Window | None:
    """The delivery window: as the order has it, else estimated as `started` (the earlier bound of day 0) + guarantee."""
    if order.window is not None:
        return order.window
    if started is None:
        return None
    return Window(end=started + guarantee_days * DAY, source=WindowSource.ESTIMATED)


# ----------------------------------------------------------------------------------------------------------------- seasons


class SeasonDays(Protocol):
    """What a season must tell (tracker.rules.Season): inclusive local dates, leg origin | destination | any."""

    @property
    def leg(self) -> str:
        """Leg of the journey."""
        ...

    @property
    def country(self) -> str | None:
        """Country of the leg; None = any."""
        ...

    @property
    def start(self) -> date:
        """First day."""
        ...

    @property
    def end(self) -> date:
        """Last day."""
        ...

    @property
    def add_days(self) -> int:
        """Days that silence and loss verdicts gain."""
        ...


def season_days(seasons: Iterable[SeasonDays], shipment: Shipment, since: Scan, days: int) -> int:
    """Days that a limit of `days` of silence gains, counted from the scan `since` (D19).

    The longest season that touches the silence on its leg and place; they are never summed. Where the scan's country is not
    told, the parcel may be on either leg: both count.
    """
    start, end = since.earliest.date(), (since.latest + days * DAY).date()
    return max(
        (
            season.add_days
            for season in seasons
            if season.start <= end and season.end >= start and on_leg(season, shipment, since)
        ),
        default=0,
    )


def on_leg(season: SeasonDays, shipment: Shipment, since: Scan | None) -> bool:
    """Whether a season speaks of the leg and the place that the parcel is on, by its newest scan.

    Before the first scan it is at its origin. Where the scan's country is not told, it may be on either leg.
    """
    country = shipment.origin if since is None else since.country
    if season.leg == "origin":
        return (country is None or country != shipment.country) and season.country in {None, shipment.origin}
    if season.leg == "destination":
        return (country is None or country != shipment.origin) and season.country in {None, shipment.country}
    return season.country in {None, shipment.origin, shipment.country}


# ------------------------------------------------------------------------------------------------------------ working days


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


@lru_cache(maxsize=4096)
def add_working_days(day: date, count: int, country: str | None) -> date:
    """The `count`-th working day after `day` in `country`; `day` itself for 0."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day, country)
    return day


@lru_cache(maxsize=4096)
def working_days_before(day: date, count: int, country: str | None) -> date:
    """The `count`-th working day before `day` in `country`; `day` itself for 0."""
    while count > 0:
        day -= timedelta(days=1)
        count -= is_working_day(day, country)
    return day


def working_days_after(instant: datetime, count: int, country: str | None) -> datetime:
    """The same wall clock on the `count`-th working day after `instant`, in `country`'s zone where it is known, else in UTC."""
    zone = _POSTING_ZONES.get(country or "")
    local = instant if zone is None else instant.astimezone(ZoneInfo(zone))
    day = add_working_days(local.date(), count, country)
    return datetime.combine(day, local.time(), local.tzinfo).astimezone(UTC)


@lru_cache(maxsize=64)
def calendar_known(country: str, year: int) -> bool:
    """Whether the holidays of that year are published: China announces its swapped Saturdays each November."""
    calendar = _holidays(country)
    if calendar is None:
        return False
    calendar.get(date(year, 1, 1))  # the library fills a year at the first question about it
    return country != "CN" or any(day.year == year for day in calendar.weekend_workdays)


def posting_dates(earliest: datetime, latest: datetime, country: str | None) -> tuple[date, date]:
    """The local dates between which something happened in the country of posting, from the bounds of its instant (aware).

    Both are the same day for a known instant in a country whose zone is known; else the zones of the whole world widen them.
    """
    zone = _POSTING_ZONES.get(country or "")
    if zone is None:
        return earliest.astimezone(_WEST).date(), latest.astimezone(_EAST).date()
    return earliest.astimezone(ZoneInfo(zone)).date(), latest.astimezone(ZoneInfo(zone)).date()
