"""Monthly rates of exchange (fx.toml): for the books, and for limits that people look at; never for what a buyer is paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One [[month]]: `id` is `2026-11`, `rates` tell how much of each currency a unit of `base` buys, `source` whose they are."""

    id: str
    base: str
    rates: Mapping[str, Decimal]
    source: str = "fx.toml"

    def per_base(self, currency: str) -> Decimal | None:
        """How much of a currency one unit of the base buys; None where the month does not tell."""
        return Decimal(1) if currency == self.base else self.rates.get(currency)


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """All months, the newest first."""

    months: tuple[Month, ...] = ()

    @property
    def base(self) -> str | None:
        """The currency of the books: the base of the newest month; None where no month is written down."""
        return self.months[0].base if self.months else None

    def of_month(self, on: date) -> Month | None:
        """The very month of a day: the books take no other one's rates."""
        return next((month for month in self.months if month.id == f"{on:%Y-%m}"), None)

    def convert(self, amount: Decimal, currency: str, into: str, on: date) -> Decimal | None:
        """An amount in another currency by the rates of its month, else of the newest month before; None: nobody knows."""
        if currency == into:
            return amount
        for month in self.months:
            given, wanted = month.per_base(currency), month.per_base(into)
            if month.id <= f"{on:%Y-%m}" and given is not None and wanted is not None:
                return amount * wanted / given
        return None
