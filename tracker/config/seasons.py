"""Seasons of calendar.toml as dates: around moveable feasts, or the same days every year (D19)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache

from tracker.config.shape_rules import Season as SeasonShape
from tracker.rules import Season

YEARS = range(2015, 2046)
"""Years that the seasons are laid out for: past orders of a backtest, and as far ahead as any parcel travels."""

_FEASTS: Mapping[str, tuple[str, str]] = {
    # feast: country, name in the library's English; the Chinese new year's first day, the carnival's Tuesday
    "spring_festival": ("CN", "Chinese New Year (Spring Festival)"),
    "carnival": ("BR", "Carnival"),
}


def seasons(shape: SeasonShape) -> tuple[Season, ...]:
    """One season a year."""
    return tuple(
        Season(
            id=shape.id,
            leg=shape.leg,
            country=shape.country,
            start=start,
            end=end,
            add_days=shape.add_days,
            causes=dict(shape.causes),
        )
        for start, end in (_around(shape) if shape.feast else _yearly(shape))
    )


def _around(shape: SeasonShape) -> Iterator[tuple[date, date]]:
    for day in _feast(shape.feast or ""):
        yield day + timedelta(days=shape.start_days), day + timedelta(days=shape.end_days)


def _yearly(shape: SeasonShape) -> Iterator[tuple[date, date]]:
    for year in YEARS:
        start = date.fromisoformat(f"{year}-{shape.start}")
        over_new_year = (shape.end or "") < (shape.start or "")
        yield start, date.fromisoformat(f"{year + over_new_year}-{shape.end}")


@cache
def _feast(name: str) -> tuple[date, ...]:
    """The feast's day in every year: the first of the new year's days, the last of the carnival's."""
    from holidays import country_holidays

    country, title = _FEASTS[name]
    days = country_holidays(
        country, years=YEARS, categories=("public", "optional") if country == "BR" else None, language="en_US"
    )
    by_year: dict[int, list[date]] = {}
    for day, what in sorted(days.items()):
        if title in what:
            by_year.setdefault(day.year, []).append(day)
    return tuple(found[-1] if name == "carnival" else found[0] for found in by_year.values())
