"""Amounts of claims in the base currency, by the rates of their own month, frozen (facts/compensation.md section 7).

An absent or stale rate leaves the amount empty with a reason; it never becomes 1.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from tracker.model import Exchange, Payment
from tracker.rates import Rates


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the minor unit, once, at the end: CLP and JPY have none."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP)


def to_base(amount: Decimal, currency: str, on: date, rates: Rates) -> Exchange:
    """The amount in the base currency by the rates of the very month of `on`."""
    month = rates.of_month(on)
    if month is None:
        return _unknown(rates.base, f"fx.toml has no rates of {on:%Y-%m}")
    bought = month.per_base(currency)
    if bought is None:
        return _unknown(month.base, f"fx.toml has no rate for {currency} in {month.id}")
    base = rounded(amount / bought, month.base)
    return Exchange(base=base, into=month.base, rate=bought, month=month.id, source=month.source)


def converted(amount: Decimal, currency: str, into: str, on: date, rates: Rates) -> Decimal | None:
    """The amount in another currency by the rates of the very month of `on`, not rounded; None: nobody knows."""
    if currency == into:
        return amount
    month = rates.of_month(on)
    given, wanted = (None, None) if month is None else (month.per_base(currency), month.per_base(into))
    return None if given is None or wanted is None else amount * wanted / given


def gain(booked: Exchange | None, payment: Payment) -> Decimal | None:
    """Exchange gain (or loss, below 0) of one payment against `booked`, the rate frozen at the approval; in the base currency.

    None: one of the two rates is not known, or the base currency was changed between them.
    """
    came = payment.exchange
    if booked is None or came is None or booked.rate is None or came.base is None or booked.into is None:
        return None
    return came.base - rounded(payment.settles / booked.rate, booked.into) if booked.into == came.into else None


def _unknown(into: str | None, why: str) -> Exchange:
    return Exchange(base=None, into=into, rate=None, month=None, source=None, why=why)
