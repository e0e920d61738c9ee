"""How a value is written in a language: dates in words, amounts in its number format, days in its plural form.

Months, digits and plural categories are Babel's; the words around a number are ours (`[days]` of words.toml): Babel would write
45 days as "2 months".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from tracker.messages.clean import clean

Value = str | int | Decimal | date

DATE = "date"
"""The word that names a date's pattern where the language's long form does not read well inside a sentence."""

DAYS = "days."
_LONGEST = 366
"""Days up to which a number may be told to a buyer: a text never promises years."""


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Babel's locale of a language tag; English where Babel knows none."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=64)
def plural_forms(language: str) -> tuple[str, ...]:
    """The plural categories that whole numbers of days have in a language, sorted: ("few", "many", "one") in Russian."""
    plural = locale_of(language).plural_form
    return tuple(sorted({plural(count) for count in range(1, _LONGEST + 1)}))


def days(count: int, language: str, words: Mapping[str, str]) -> str:
    """A number of days: "15 dias", "3 дня". ValueError names the plural form that the language's words.toml lacks."""
    form = locale_of(language).plural_form(count)
    pattern = words.get(DAYS + form)
    if pattern is None:
        raise ValueError(f'the words of {language} lack the plural form "{form}" under [days], for "{count} days"')
    return pattern.replace("{count}", str(count))


def write(name: str, value: Value, language: str, currency: str | None, words: Mapping[str, str]) -> str | int:
    """A value as it stands in the text; dates are written out (no 03/04), amounts have the digits of their currency."""
    if isinstance(value, str):
        return clean(name, value)
    if isinstance(value, int):
        return value
    locale = locale_of(language)
    if isinstance(value, Decimal):
        if currency is None:
            return format_decimal(value, locale=locale)
        return format_currency(value, currency, format="#,##0.00", locale=locale)
    return format_date(value, format=words.get(DATE, "long"), locale=locale)
