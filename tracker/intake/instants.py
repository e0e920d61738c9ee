"""Dates and times as files write them: by the format's list and zone, out as aware UTC. Day and month are never guessed.

Forms are strptime's, with two readings of our own: `%b` is a month's name in any length, in the language of the format
(`Sep`, `05-oct.-26`, `21 de agosto`); a form without a year takes the year of the sale (facts/file-formats.md 2.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale

from tracker.intake.cells import Cell, line
from tracker.intake.errors import RowError

# Year first is the one order that cannot be mistaken; a workbook's own dates arrive in this form too.
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?")


_SHORTEST_NAME = 3


def instant(
    cell: Cell, formats: tuple[str, ...], zone: ZoneInfo, *, locale: str = "en_US", sold: datetime | None = None
) -> datetime | None:
    """The instant in UTC; None for an empty cell. A date without a time is the beginning of that day in `zone`.

    `locale` is the language of months' names; `sold` (aware) the sale, before which a date without a year does not lie.

    Raises:
        RowError: the value contradicts the formats.
    """
    written = line(cell)
    if not written:
        return None
    if isinstance(cell, str):
        if _ISO.fullmatch(written) and (found := _from_iso(written)):
            return _utc(found, zone)
        for form in formats:
            if (found := _read(written, form, zone, locale, sold)) is not None:
                return found
    allowed = ", ".join(dict.fromkeys(("YYYY-MM-DD HH:MM", *formats)))
    raise RowError(f"{written!r} is not a date as this file writes them ({allowed})")


def _read(written: str, form: str, zone: ZoneInfo, locale: str, sold: datetime | None) -> datetime | None:
    if "%b" in form:
        written, named = _names(locale).subn(lambda name: f"{_months(locale)[name[1].casefold()]:02d}", written)
        if named != 1:
            return None  # digits alone would leave day and month to guessing
        form = form.replace("%b", "%m")
    for text, dated in _with_a_year(written, form, zone, sold):
        try:
            found = datetime.strptime(text, dated)  # noqa: DTZ007 -- the zone follows in _utc
        except ValueError:
            continue
        if text is written or sold is None or found.date() >= sold.astimezone(zone).date():
            return _utc(found, zone)
    return None


def _with_a_year(written: str, form: str, zone: ZoneInfo, sold: datetime | None) -> Iterator[tuple[str, str]]:
    """The text and its form; with the year of the sale, and the next one, where the form has none."""
    if "%y" in form.casefold():
        yield written, form
    elif sold is not None:
        year = sold.astimezone(zone).year
        yield from ((f"{each} {written}", f"%Y {form}") for each in (year, year + 1))


@cache
def _months(locale: str) -> Mapping[str, int]:
    """Every way to write a month in CLDR, with and without its dot, and its first three letters where they are one month's."""
    months = Locale.parse(locale).months
    names = {
        name.casefold().removesuffix("."): month
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for month, name in months[context][width].items()
    }
    begins: dict[str, set[int]] = {}
    for name, month in names.items():
        begins.setdefault(name[:_SHORTEST_NAME], set()).add(month)
    return {**{begin: min(meant) for begin, meant in begins.items() if len(meant) == 1}, **names}


@cache
def _names(locale: str) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _months(locale)), key=len, reverse=True))
    return re.compile(rf"(?<!\w)({names})(?!\w)\.?", re.IGNORECASE)


def _from_iso(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r" (?=[Z+-])", "", written))
    except ValueError:
        return None


def _utc(found: datetime, zone: ZoneInfo) -> datetime:
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise RowError(f"{found.isoformat()} is no date of this world") from error
