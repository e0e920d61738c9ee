"""What the shapes of all files share: no unknown keys, and the kinds of text that have to be more than text."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import is_currency
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tracker.config.problem import meant

SECRET = re.compile(r"(file|env|credential):.+", re.DOTALL)


class Shape(BaseModel):
    """A table of a configuration file. A key that it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Entry(Shape):
    """An entry of an array of tables: it merges with the shipped one of the same id."""

    id: str
    evidence_of_rule: str | None = None
    """verified | mixed | unverified: how sure the shipped figures are."""
    note: str = ""


class Versioned(Shape):
    """A file of rules. `schema` is the version of its form."""

    form: Annotated[int, Field(alias="schema", ge=1, le=1)] = 1


def zone(name: str) -> str:
    """The name of an IANA zone as it is. Raises ValueError with the nearest ones."""
    try:
        _place(name)
    except (KeyError, ValueError, OSError) as error:
        city = name.rpartition("/")[2].casefold()
        near = [zone for zone in available_timezones() if zone.rpartition("/")[2].casefold() == city]
        raise ValueError("no such time zone" + meant(name, near or available_timezones())) from error
    return name


@cache
def _place(name: str) -> ZoneInfo:
    """A zone that is named stays in memory: by itself ZoneInfo keeps eight, and reads the file of a ninth at every look."""
    return ZoneInfo(name)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'not a regular expression: {error} (got "{text}")') from error
    return text


def _reference(text: str) -> str:
    if not SECRET.fullmatch(text):
        raise ValueError(
            'a secret never stands in the file: name where it lies (allowed "file:/path", "env:NAME" or "credential:NAME")'
        )
    return text


def _address(text: str) -> str:
    """Never repeated: it may hold a password."""
    if not re.match("sqlite|postgresql", text):
        raise ValueError("has to begin with sqlite:/// (one machine) or postgresql:// (many)")
    return text


def _country(text: str) -> str:
    if text != "*" and not re.fullmatch(r"[A-Z]{2}", text):
        raise ValueError(f'has to be a country by its two capital letters, or "*" (got "{text}")')
    return text


def _currency(text: str) -> str:
    if text != "XDR" and not is_currency(text):
        raise ValueError(f'no currency of ISO 4217, nor XDR (got "{text}")')
    return text


def _none_of_empty(value: object) -> object:
    return None if value == "" else value


Zone = Annotated[str, AfterValidator(zone)]
Regex = Annotated[str, AfterValidator(_pattern)]
Reference = Annotated[str, AfterValidator(_reference)]
Address = Annotated[str, AfterValidator(_address)]
Country = Annotated[str, AfterValidator(_country)]
Currency = Annotated[str, AfterValidator(_currency)]
Optional = BeforeValidator(_none_of_empty)
"""`key = ""` means: none."""

Days = Annotated[int, Field(ge=0, le=3650)]
Positive = Annotated[int, Field(ge=1)]
Hours = Annotated[int, Field(ge=1, le=24 * 365)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
