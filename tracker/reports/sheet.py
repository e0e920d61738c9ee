"""A table as .xlsx or .csv. Numbers stay numbers, text stays text: no cell of ours ever becomes a formula (faults row 29)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | Decimal | date | datetime | None

CELL_LIMIT = 32_767
"""Characters a cell of a workbook holds."""

_FORMULA_STARTS = frozenset("=+-@\t\r\n\0")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its heading, its width in characters, and what may be chosen in it where a person is to fill it in."""

    title: str
    width: int = 14
    choices: tuple[str, ...] = ()
    wrap: bool = False


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One table. `rows` have as many cells as there are columns; instants are shown in UTC."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Sequence[Cell], ...]


def write_xlsx(path: Path, sheets: Sequence[Sheet], *, created: datetime) -> None:
    """Write a workbook. `created` is its date, so that the same facts give the same bytes. Raises OSError."""
    import xlsxwriter

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
    looks = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"valign": "top"}),
        "wrap": book.add_format({"valign": "top", "text_wrap": True}),
        "date": book.add_format({"valign": "top", "num_format": "yyyy-mm-dd"}),
        "time": book.add_format({"valign": "top", "num_format": "yyyy-mm-dd hh:mm"}),
        "money": book.add_format({"valign": "top", "num_format": "#,##0.00"}),
    }
    for sheet in sheets:
        _fill(book.add_worksheet(sheet.name[:31]), sheet, looks)
    book.close()
    path.write_bytes(made.getvalue())


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write RFC 4180 with a byte order mark, by which Excel knows that it is UTF-8. Raises OSError."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow([column.title for column in sheet.columns])
        out.writerows([[plain(cell) for cell in row] for row in sheet.rows])


def write_both(folder: Path, name: str, sheet: Sheet, *, created: datetime) -> tuple[Path, Path]:
    """Write a table as `name.xlsx` and `name.csv` into a folder, which is made where it is missing. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    book, text = folder / f"{name}.xlsx", folder / f"{name}.csv"
    write_xlsx(book, [sheet], created=created)
    write_csv(text, sheet)
    return book, text


def plain(cell: Cell) -> str:
    """A cell as CSV text: numbers and dates as they are, text that a spreadsheet would take for a formula with a leading `'`."""
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return cell.isoformat()
        case str():
            # NFKC: spreadsheets of Chinese and Japanese users take the full-width signs for the plain ones.
            return f"'{cell}" if unicodedata.normalize("NFKC", cell[:1])[:1] in _FORMULA_STARTS and cell else cell
        case _:
            return str(cell)


def _fill(page: Worksheet, sheet: Sheet, looks: Mapping[str, Any]) -> None:
    page.freeze_panes(1, 0)
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width)
        page.write_string(0, at, column.title, looks["head"])
        if column.choices and sheet.rows:
            page.data_validation(1, at, len(sheet.rows), at, {"validate": "list", "source": list(column.choices)})
    for line, row in enumerate(sheet.rows, start=1):
        for at, (column, cell) in enumerate(zip(sheet.columns, row, strict=True)):
            _write(page, line, at, cell, looks, wrap=column.wrap)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)


def _write(page: Worksheet, line: int, at: int, cell: Cell, looks: Mapping[str, Any], *, wrap: bool) -> None:
    match cell:
        case None:
            page.write_blank(line, at, None, looks["text"])
        case datetime():
            page.write_datetime(line, at, cell.astimezone(UTC).replace(tzinfo=None), looks["time"])
        case date():
            page.write_datetime(line, at, cell, looks["date"])
        case Decimal():
            page.write_number(line, at, cell, looks["money"])
        case int():
            page.write_number(line, at, cell, looks["text"])
        case _:
            page.write_string(line, at, cell[:CELL_LIMIT], looks["wrap" if wrap else "text"])
