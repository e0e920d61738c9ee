"""What the values of a column look like: numbers of parcels, dates, money, countries, addresses. A share of 0 to 1 each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec
from babel.numbers import list_currencies

from carriers.numbers import hint, s10
from tracker.intake import countries, instants
from tracker.intake import money as amounts
from tracker.intake.cells import Cell, line, order_number, text, tracking_numbers
from tracker.intake.errors import RowError

SAMPLED = 60
"""Filled cells of a column that are looked at: enough to tell, quick for a sheet of a hundred columns."""

_LOCALES = ("en_US", "de_DE", "fr_FR")
"""How the thousands and the decimals of an amount are marked: 1,234.50, 1.234,50 and 1 234,50."""

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LIKE_A_DATE = re.compile(r".*\d.*[./\- ].*\d.*")
_LONGEST_DATE = 40
_SHORTEST_TRACKING = 8
_UTC = ZoneInfo("UTC")

_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


class Family(msgspec.Struct, frozen=True):
    """Ways to write a date that agree in the order of day and month: the forms of strptime, the language of months' names."""

    order: str
    forms: tuple[str, ...]
    locale: str = "en_US"


def _family(order: str, days: Iterable[str], locale: str = "en_US") -> Family:
    return Family(order, tuple(day + time for day in days for time in _TIMES), locale)


FAMILIES = (
    _family("year first", ("%Y/%m/%d", "%Y.%m.%d")),
    *(_family("day first", (f"%d{mark}%m{mark}%Y", f"%d{mark}%m{mark}%y")) for mark in "./-"),
    *(_family("month first", (f"%m{mark}%d{mark}%Y", f"%m{mark}%d{mark}%y")) for mark in "/-"),
    *(
        _family(
            "month by name", ("%d-%b-%y", "%d-%b-%Y", "%b-%d-%y", "%d %b %Y", "%d. %b %Y", "%b %d, %Y", "%d de %b de %Y"), each
        )
        for each in ("en_US", "de_DE", "fr_FR", "pt_BR", "es_ES", "it_IT", "ru_RU")
    ),
)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a file that nobody knows: its place, header, key, the filled cells looked at, and the tests made of them."""

    at: int
    name: str
    key: str
    values: tuple[Cell, ...]

    def share(self, looks_like: Callable[[Cell], bool]) -> float:
        """How many of the values look so; 0 where there are none."""
        return sum(map(looks_like, self.values)) / len(self.values) if self.values else 0.0

    @property
    def distinct(self) -> float:
        """How many different values there are, as a share."""
        return len(set(self.values)) / len(self.values) if self.values else 0.0


def columns_of(names: Sequence[str], keys: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[Column]:
    """The columns that have a header."""
    kept: list[list[Cell]] = [[] for _ in names]
    for row in islice(rows, 5 * SAMPLED):
        for at, cell in enumerate(row[: len(names)]):
            if len(kept[at]) < SAMPLED and text(cell):
                kept[at].append(cell)
    return [
        Column(at=at, name=line(name), key=keys[at], values=tuple(kept[at])) for at, name in enumerate(names) if keys[at].strip()
    ]


def is_mail(cell: Cell) -> bool:
    """An e-mail address."""
    return isinstance(cell, str) and _MAIL.fullmatch(text(cell)) is not None


def is_country(cell: Cell, aliases: Mapping[str, tuple[str, ...]]) -> bool:
    """A country, by code or by name."""
    try:
        return countries.country(cell, aliases) is not None
    except RowError:
        return False


def is_currency(cell: Cell) -> bool:
    """An ISO code of a currency."""
    return line(cell).upper() in list_currencies()


def is_order_number(cell: Cell) -> bool:
    """A number that names an order: with a digit in it, and no date."""
    try:
        found = order_number(cell)
    except RowError:
        return False
    return any(map(str.isdecimal, found)) and not is_date(cell) and " " not in found


def is_tracking_number(cell: Cell) -> bool:
    """Each number of the cell could be a parcel's: long enough, with digits in it."""
    try:
        found = tracking_numbers(cell)
    except RowError:
        return False
    return bool(found) and all(len(each) >= _SHORTEST_TRACKING and any(map(str.isdecimal, each)) for each in found)


def is_known_tracking_number(cell: Cell) -> bool:
    """A postal number whose check digit is right, or one of a likely carrier: a column of those needs no header."""
    return is_tracking_number(cell) and all(
        s10(each).check_digit_ok or (not each.isdecimal() and any(found.confidence == "likely" for found in hint(each)))
        for each in tracking_numbers(cell)
    )


def is_date(cell: Cell) -> bool:
    """A date in any of the known forms."""
    return _reads_iso(cell) or any(forms_that_read(family, cell) for family in FAMILIES)


def families_of(values: Sequence[Cell]) -> list[Family]:
    """The families that read every one of these dates, each with the forms it takes; none for year-first ISO ones alone."""
    strange = [value for value in values if not _reads_iso(value)]
    found = []
    for family in FAMILIES if strange else ():
        taken = [forms_that_read(family, value) for value in strange]
        if all(taken):
            used = dict.fromkeys(form for form in family.forms for each in taken if form == each[0])
            found.append(msgspec.structs.replace(family, forms=tuple(used)))
    return found


def forms_that_read(family: Family, cell: Cell) -> tuple[str, ...]:
    """The forms of the family that read this cell."""
    written = line(cell) if isinstance(cell, str) else ""
    if len(written) > _LONGEST_DATE or not _LIKE_A_DATE.fullmatch(written):
        return ()
    return tuple(form for form in family.forms if _reads(written, form, family.locale))


def money_locales(values: Sequence[Cell], symbols: Mapping[str, str]) -> list[str]:
    """The notations in which every one of these amounts can be read."""
    return [locale for locale in _LOCALES if all(_amount(value, locale, symbols) for value in values)]


def is_money(cell: Cell, symbols: Mapping[str, str]) -> bool:
    """An amount in any notation."""
    return any(_amount(cell, locale, symbols) for locale in _LOCALES)


def _amount(cell: Cell, locale: str, symbols: Mapping[str, str]) -> bool:
    try:
        return amounts.money(cell, locale, symbols) is not None
    except RowError:
        return False


def _reads_iso(cell: Cell) -> bool:
    return isinstance(cell, str) and _reads(line(cell), None, "en_US")


@lru_cache(maxsize=65_536)
def _reads(written: str, form: str | None, locale: str) -> bool:
    try:
        return instants.instant(written, () if form is None else (form,), _UTC, locale=locale) is not None
    except RowError:
        return False
