"""The order's number where a row does not have it: by the record that holds the rows together (facts/file-formats.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from tracker.intake.cells import order_number
from tracker.intake.errors import RowError
from tracker.intake.profiles import Field
from tracker.intake.record import Record

PROVISIONAL = "SRN-"


class OrderNumbers:
    """The order numbers of one file. `records` are all its rows: a summary row may name what its item rows leave out."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_record: dict[str, str] = {}
        for record in records:
            with suppress(RowError):
                if (sale := self._sale(record)) and (number := record.order_number()):
                    self._by_record.setdefault(sale, number)

    def of(self, record: Record) -> str | None:
        """The order's number; the one of the same record; a provisional one of the record alone; None. Raises RowError."""
        if number := record.order_number():
            return number
        sale = self._sale(record)
        if sale is None:
            return None
        if sale not in self._by_record:
            record.note(
                f"an order without a number, old or not yet paid: {PROVISIONAL}<sales record> stands for it, provisionally"
            )
        return self._by_record.get(sale, PROVISIONAL + sale)

    @staticmethod
    def _sale(record: Record) -> str | None:
        if Field.RECORD not in record.layout.columns:
            return None
        return order_number(record.cell(Field.RECORD)) or None
