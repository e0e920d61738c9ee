"""What people and their spreadsheets write into a cell: words, amounts, days. Floats for ids, full-width digits, dates as text.

Day and month are never guessed: a day is written with the year first (DESIGN, "Unknown stays unknown").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from tracker.desk.worksheet.problem import NotTaken
from tracker.team import folded

Cell = str | float
"""A cell as it was read: text, or a number of a workbook; its dates come as ISO text."""

_EMPTY = frozenset({"-", "—", "/"})
_IN_BRACKETS = re.compile(r"[(（\[].*$")
_AMOUNT = re.compile(r"(?:([A-Z]{3})\s*)?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\d+,\d{1,2})(?:\s*([A-Z]{3}))?")
_DAY = re.compile(
    r"(\d{4})(?:\s*[-/.年]\s*)(\d{1,2})(?:\s*[-/.月]\s*)(\d{1,2})\s*日?(?:[ T]+(\d{1,2}):(\d\d)(?::\d\d(?:\.\d+)?)?)?"
)
_DIGITS_DAY = re.compile(r"(20\d\d)(\d\d)(\d\d)")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day count has no zone
_SERIAL = range(40_000, 80_000)
"""2009 to 2119: what a date is when its format was lost."""
_MOST_WHOLE = 1e15
_NOISE = 6
_AS_SHOWN = 5e-3
"""A number shown as 8.17E+15 has kept three digits."""


def text(cell: Cell) -> str:
    """The cell as a person would write it; `""` where it is empty, or holds a dash."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    found = " ".join(cell.split())
    return "" if found in _EMPTY else found


def prose(cell: Cell) -> str:
    """Text that is kept: spaces trimmed, lines as they are."""
    return cell.strip() if isinstance(cell, str) else text(cell)


def heading(title: str) -> str:
    """A heading without what stands in brackets behind it, case, width and spare spaces."""
    return folded(_IN_BRACKETS.sub("", unicodedata.normalize("NFKC", title)))


def whole(cell: Cell) -> int | None:
    """A whole number, also as `57.0`; None for anything else."""
    found = unicodedata.normalize("NFKC", text(cell)).removesuffix(".0")
    return int(found) if found.isascii() and found.isdigit() else None


def same(cell: Cell, number: str) -> bool:
    """Whether the cell still shows this number (an order's, an id): also one that a spreadsheet has rounded."""
    shown = unicodedata.normalize("NFKC", text(cell)).removeprefix("'")
    if shown.casefold() == " ".join(number.split()).casefold():
        return True
    rounded = isinstance(cell, float) or "E+" in shown.upper() or shown.endswith(".0")
    try:
        return rounded and math.isclose(float(shown), float(number), rel_tol=_AS_SHOWN if "E+" in shown.upper() else 1e-9)
    except ValueError:
        return False


def decision(cell: Cell, words: Mapping[str, frozenset[str]]) -> str | None:
    """Which decision it is, in whatever language; None for an empty cell. Raises `NotTaken` for a word that is none."""
    said = text(cell)
    if not said:
        return None
    for word, ways in words.items():
        if folded(said) in {folded(way) for way in ways}:
            return word
    raise NotTaken("unknown_word", text=said, words=" ".join(words))


def amount(cell: Cell, currency: str | None) -> Decimal | None:
    """An amount of money, with or without its currency; None for an empty cell.

    Raises `NotTaken` for what is no amount, or one in another currency.
    """
    if isinstance(cell, float):
        if not math.isfinite(cell):
            raise NotTaken("no_amount", text=text(cell))
        return _in_full(Decimal(repr(round(cell, _NOISE))), currency)
    said = text(cell)
    if not said:
        return None
    found = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", said).upper().removeprefix("'"))
    if found is None:
        raise NotTaken("no_amount", text=said)
    named = found[1] or found[3]
    if named and currency and named != currency:
        raise NotTaken("wrong_currency", currency=currency, text=named)
    digits = found[2]
    decimal_comma = "," in digits and not re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits)
    return _in_full(Decimal(digits.replace(",", "." if decimal_comma else "")), currency)


def _in_full(value: Decimal, currency: str | None) -> Decimal:
    """The amount with the decimals of its currency, where that loses nothing: a workbook holds 12.5 of 12.50."""
    exact = value.quantize(Decimal(1).scaleb(-get_currency_precision(currency or "USD")))
    return exact if exact == value else value


def day(cell: Cell) -> date | None:
    """A calendar day; None for an empty cell. Raises `NotTaken`."""
    at = _local(cell)
    return None if at is None else at.date()


def instant(cell: Cell, zone: str) -> datetime | None:
    """A time in `zone` as an aware UTC instant, a day as its beginning there; None for an empty cell. Raises `NotTaken`."""
    at = _local(cell)
    return None if at is None else at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _local(cell: Cell) -> datetime | None:
    said = text(cell)
    if not said:
        return None
    plain = unicodedata.normalize("NFKC", said).removeprefix("'")
    found = _DAY.fullmatch(plain) or _DIGITS_DAY.fullmatch(plain)
    try:
        if found is not None:
            year, month, of_month, hour, minute = [int(part or 0) for part in (*found.groups(), None, None)][:5]
            return datetime.combine(date(year, month, of_month), time(hour, minute))
        if isinstance(cell, float) and int(cell) in _SERIAL:
            return _DAY_ZERO + timedelta(days=cell)
    except ValueError:
        pass
    raise NotTaken("no_day", text=said)


def destroyed(cell: Cell) -> bool:
    """Whether a spreadsheet has made a number of what was a name, and lost digits of it."""
    return isinstance(cell, float) and abs(cell) >= _MOST_WHOLE
