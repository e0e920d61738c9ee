"""Monthly rates: of the month, else of the newest before it, else nobody knows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tracker.rates import Month, Rates

RATES = Rates(
    months=(
        Month(id="2026-03", base="USD", rates={"CNY": Decimal(7), "BRL": Decimal(5)}),
        Month(id="2026-01", base="USD", rates={"CNY": Decimal("7.5")}),
    )
)


@pytest.mark.parametrize(
    ("amount", "currency", "into", "on", "found"),
    [
        ("70", "CNY", "USD", date(2026, 3, 31), "10"),
        ("75", "CNY", "USD", date(2026, 2, 28), "10"),
        ("10", "USD", "CNY", date(2026, 5, 1), "70"),
        ("70", "CNY", "BRL", date(2026, 3, 1), "50"),
        ("3", "EUR", "EUR", date(2020, 1, 1), "3"),
        ("3", "EUR", "USD", date(2026, 3, 1), None),
        ("3", "BRL", "USD", date(2026, 2, 1), None),
        ("3", "CNY", "USD", date(2025, 12, 31), None),
    ],
)
def test_converted(amount: str, currency: str, into: str, on: date, found: str | None) -> None:
    assert RATES.convert(Decimal(amount), currency, into, on) == (None if found is None else Decimal(found))
