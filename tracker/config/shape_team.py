"""The shapes of team.toml (who works here) and fx.toml (monthly rates)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tracker.config.shape import Currency, Shape, Zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)")
_MIDNIGHT = 24 * 60


def minutes(hours: str) -> tuple[int, int]:
    """Begin and end of `09:00-18:00` in minutes from midnight. ValueError where it is none."""
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise ValueError(f'has to be hours like "09:00-18:00" (got "{hours}")')
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if begin >= _MIDNIGHT or end > begin + _MIDNIGHT:
        raise ValueError(f'begins within the day and lasts 24 hours at most (got "{hours}")')
    if end <= begin:
        night = f"{found[1]}:{found[2]}-{int(found[3]) + 24}:{found[4]}"
        raise ValueError(f'ends before it begins (got "{hours}"); a night shift counts on past midnight: "{night}"')
    return begin, end


def _hours(text: str) -> str:
    minutes(text)
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"mail:\S+@\S+|apprise:\S+", text):
        raise ValueError(f'has to be "mail:ADDRESS" or "apprise:NAME" (got "{text}")')
    return text


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f'has to be a month like "2026-11" (got "{text}")')
    return text


YearMonth = Annotated[str, AfterValidator(_month)]
Hours = Annotated[str, AfterValidator(_hours)]
Address = Annotated[str, AfterValidator(_address)]
Limit = Annotated[Decimal, Field(ge=0)]
Rate = Annotated[Decimal, Field(gt=0)]


class Leave(Shape):
    """Days off."""

    from_: Annotated[date, Field(alias="from")]
    to: date


class Person(Shape):
    """A [[person]]."""

    id: str
    note: str = ""
    name: Annotated[str, Field(min_length=1)]
    zone: Zone
    stores: tuple[str, ...] = ()
    hours: Hours = "09:00-18:00"
    days: tuple[Weekday, ...] = WEEKDAYS[:5]
    leave: tuple[Leave, ...] = ()
    deputy: str | None = None
    approve_up_to: Mapping[Currency, Limit] = {}
    address: Address | None = None
    language: str | None = None


class TeamFile(Shape):
    """team.toml."""

    person: tuple[Person, ...] = ()


class Month(Shape):
    """A [[month]]."""

    id: YearMonth
    note: str = ""
    base: Currency
    rates: Mapping[Currency, Rate]
    source: Annotated[str, Field(min_length=1)] = "fx.toml"


class FxFile(Shape):
    """fx.toml."""

    month: tuple[Month, ...] = ()
