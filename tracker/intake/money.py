"""Money as files write it: Decimal and ISO currency, by the file's locale, never by guessing (facts/file-formats.md 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from babel.numbers import NumberFormatError, get_currency_precision, get_group_symbol, list_currencies, parse_decimal

from tracker.intake.cells import Cell, line
from tracker.intake.errors import RowError

_CODE = re.compile(r"([A-Z]{3})\b\s*(.*)|(.*?)\s*\b([A-Z]{3})")
_FLOAT_NOISE = 6

_BEYOND = Decimal(10) ** 15
"""No sum of an order, and more digits than a rounding can carry."""


def money(cell: Cell, locale: str, symbols: Mapping[str, str]) -> tuple[Decimal, str | None] | None:
    """(amount, ISO code or None where the cell does not say) of `US $1,050.00`, `90.00 EUR`, `17.1`; None for an empty cell.

    `symbols` maps what is written to a code, `""` where the sign alone is no currency (`$`, `¥`); longest first.
    Raises RowError for what is no amount in this notation, or a negative one.
    """
    if isinstance(cell, float):
        return _positive(Decimal(repr(round(cell, _FLOAT_NOISE))), line(cell)), None
    written = line(cell)
    if not written:
        return None
    rest, code = _without_currency(written, symbols)
    if (group := get_group_symbol(locale)).isspace():
        rest = rest.replace(" ", group)  # French groups by a narrow space of its own, and files write any
    try:
        return _positive(parse_decimal(rest, locale=locale, strict=True), written), code
    except NumberFormatError as error:
        raise RowError(f"{written!r} is not an amount as this file writes them (like {_example(locale)})") from error


def currency(cell: Cell) -> str | None:
    """The ISO code of a currency column; None where it is empty."""
    code = line(cell).upper()
    if code and code not in _codes():
        raise RowError(f"{code!r} is not a currency: write an ISO code such as USD")
    return code or None


def rounded(amount: Decimal, code: str) -> Decimal:
    """The amount in the currency's own number of decimals, where that loses nothing."""
    exact = amount.quantize(Decimal(1).scaleb(-get_currency_precision(code)))
    return exact if exact == amount else amount


def _without_currency(written: str, symbols: Mapping[str, str]) -> tuple[str, str | None]:
    for symbol, code in symbols.items():
        if written.startswith(symbol):
            return written[len(symbol) :].strip(), code or None
        if written.endswith(symbol):
            return written[: -len(symbol)].strip(), code or None
    if (found := _CODE.fullmatch(written)) and (code := found[1] or found[4]) in _codes():
        return (found[2] or found[3] or "").strip(), code
    return written, None


def _positive(amount: Decimal, written: str) -> Decimal:
    if not amount.is_finite() or amount < 0:
        raise RowError(f"{written!r} is negative, or no number at all: an amount is what the buyer paid")
    if amount >= _BEYOND:
        raise RowError(f"{written!r} is more than anybody pays: look at the column")
    return amount


def _example(locale: str) -> str:
    from babel.numbers import format_decimal

    return format_decimal(Decimal("1234.5"), locale=locale, format="#,##0.00")


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())
