"""One row of a recognised table, asked by meaning instead of by position."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tracker.intake.cells import Cell, line, order_number, text
from tracker.intake.countries import country
from tracker.intake.errors import RowError
from tracker.intake.headers import normalise
from tracker.intake.instants import instant
from tracker.intake.layout import Layout
from tracker.intake.money import currency, money, rounded
from tracker.intake.notes import Notes
from tracker.intake.profiles import STORES_ZONE, Field, Format, Formats
from tracker.intake.sheets import Line
from tracker.rules import Rules, Store


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A row with the layout that explains it. Every method may raise RowError."""

    row: Line
    layout: Layout
    formats: Formats
    rules: Rules
    notes: Notes
    filled: frozenset[Field] = frozenset()
    """Fields that hold something in any row of the file: a column that is empty throughout says nothing of a row."""

    @property
    def format(self) -> Format:
        """The format of the file."""
        return self.layout.format

    def note(self, sentence: str) -> None:
        """Warn about this row."""
        self.notes.add(sentence, self.row.number)

    def cells(self, field: Field) -> Iterator[Cell]:
        """Every column of this meaning that holds something."""
        for at in self.layout.columns.get(field, ()):
            if at < len(self.row.cells) and text(self.row.cells[at]):
                yield self.row.cells[at]

    def cell(self, field: Field) -> Cell:
        """The first column of this meaning that holds something; `""` where none does."""
        return next(self.cells(field), "")

    def line(self, field: Field) -> str | None:
        """One line of text."""
        return line(self.cell(field)) or None

    def order_number(self) -> str | None:
        """The order's number within its store."""
        return order_number(self.cell(Field.ORDER)) or None

    def instant(self, field: Field, store: Store | None) -> datetime | None:
        """Aware UTC, read in the zone of the format or of the store."""
        named = self.format.zone
        zone = (store.zone if store else "UTC") if named == STORES_ZONE else named
        sold = self.instant(Field.ORDERED_AT, store) if self.format.yearless and field is not Field.ORDERED_AT else None
        return instant(self.cell(field), self.format.dates, ZoneInfo(zone), locale=self.format.locale, sold=sold)

    def country(self) -> str | None:
        """ISO2 of the destination: the code column beats the names (facts/file-formats.md 2.7)."""
        return self._country(Field.COUNTRY_CODE) or self._country(Field.COUNTRY)

    def origin(self) -> str | None:
        """ISO2 of where the parcel starts."""
        return self._country(Field.ORIGIN)

    def money(self, amount: Field, unit: Field, store: Store | None) -> tuple[Decimal | None, str | None]:
        """(amount, ISO currency): said by the cell, the currency column, the format, or the store, in this order."""
        return self._money(self.cell(amount), amount, unit, store)

    def price(self, store: Store | None) -> tuple[Decimal | None, str | None]:
        """(what the buyer paid, ISO currency): the amount, with the columns that go on top of it and off it."""
        value, code = self.money(Field.AMOUNT, Field.CURRENCY, store)
        if value is None:
            return None, None
        for field, sign in ((Field.AMOUNT_PLUS, 1), (Field.AMOUNT_MINUS, -1)):
            for cell in self.cells(field):
                # Reports write a discount with and without its minus.
                plain = abs(cell) if isinstance(cell, float) else text(cell).removeprefix("-")
                more, unit = self._money(plain, field, Field.CURRENCY, store)
                if more is not None and unit == code:
                    value += sign * more
        return max(value, Decimal(0)), code

    def _money(self, cell: Cell, amount: Field, unit: Field, store: Store | None) -> tuple[Decimal | None, str | None]:
        found = money(cell, self.format.locale, self.formats.currencies)
        if found is None:
            return None, None
        value, said = found
        code = said or currency(self.cell(unit)) or self.format.currency or (store.currency if store else None)
        if code is None:
            if value:  # nothing refunded is nothing in every currency
                self.note(f"{amount.value} without a currency was left out: set `currency` of the store")
            return None, None
        return rounded(value, code), code

    def store_named(self) -> tuple[str | None, str]:
        """(platform, the store's name or "") as the row has them; what the footer and the format say stands in."""
        word = self.line(Field.PLATFORM)
        platform = self.format.platform
        if word is not None:
            platform = self._platform(word)
        return platform, self.line(Field.STORE) or self.layout.store or self.format.store or ""

    def fulfilled_elsewhere(self) -> bool:
        """Whether the platform ships this order itself (R54)."""
        return normalise(text(self.cell(Field.FULFILLED_BY))) in self.format.platform_fulfilled

    def _platform(self, word: str) -> str:
        folded = normalise(word)
        for marketplace in self.rules.marketplaces.values():
            if folded in map(normalise, (marketplace.id, *marketplace.names)):
                return marketplace.id
        raise RowError(f"platform {word!r} is not known: correct it, or add the word to `names` in marketplaces.toml")

    def _country(self, field: Field) -> str | None:
        return country(self.cell(field), self.formats.countries)
