"""A table as .xlsx or .csv. Numbers stay numbers, text stays text: no cell of ours ever becomes a formula (faults row 29)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tracker.messages.cells import disarmed, like_a_formula

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


class Link(msgspec.Struct, frozen=True):
    """An address that a click opens."""

    url: str


Cell = str | int | Decimal | date | datetime | Link | None

CELL_LIMIT = 32_767
"""Characters a cell of a workbook holds."""

_LONGEST_LINK = 2_079
_MOST_LINKS = 65_530
"""Of a workbook, as its readers have it; an address beyond them is plain text."""
_A4 = 9


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its heading, its width in characters, and what may be chosen in it where a person is to fill it in.

    `own`: a person's to fill in, shown in colour; `form` is the number format of its empty cells (`@` keeps what is typed).
    """

    title: str
    width: int = 14
    choices: tuple[str, ...] = ()
    wrap: bool = False
    own: bool = False
    form: str = ""
    hidden: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of a sheet as bars, below its rows: a bar a row for each of the columns `values`, named by the column `labels`."""

    title: str
    labels: int
    values: tuple[int, ...]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One table. `rows` have as many cells as there are columns; aware instants are shown in UTC, naive ones as they are.

    The heading and the first `frozen` columns stay in sight.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Sequence[Cell], ...]
    frozen: int = 0
    charts: tuple[Chart, ...] = ()


def write_xlsx(path: Path, sheets: Sequence[Sheet], *, created: datetime) -> None:
    """Write a workbook. `created` is its date, so that the same facts give the same bytes. Raises OSError."""
    path.write_bytes(xlsx_bytes(sheets, created=created))


def xlsx_bytes(sheets: Sequence[Sheet], *, created: datetime) -> bytes:
    """A workbook as it lies in its file."""
    import xlsxwriter

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
    looks = _Looks(book)
    for sheet in sheets:
        page = book.add_worksheet(sheet.name[:31])
        _fill(page, sheet, looks)
        for place, chart in enumerate(sheet.charts):
            _draw(book, page, sheet, chart, place)
    book.close()
    return made.getvalue()


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write RFC 4180 with a byte order mark, by which Excel knows that it is UTF-8. Raises OSError."""
    path.write_bytes(csv_bytes(sheet))


def csv_bytes(sheet: Sheet) -> bytes:
    """A table as it lies in its .csv."""
    file = io.StringIO(newline="")
    out = csv.writer(file, lineterminator="\r\n")
    shown = [at for at, column in enumerate(sheet.columns) if not column.hidden]
    out.writerow([sheet.columns[at].title for at in shown])
    out.writerows([[plain(row[at]) for at in shown] for row in sheet.rows])
    return file.getvalue().encode("utf-8-sig")


def write_both(folder: Path, name: str, sheet: Sheet, *others: Sheet, created: datetime) -> tuple[Path, Path]:
    """Write a table as `name.xlsx` (`others` are further sheets of it) and `name.csv` into a folder, which is made if missing.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    book, text = folder / f"{name}.xlsx", folder / f"{name}.csv"
    write_xlsx(book, [sheet, *others], created=created)
    write_csv(text, sheet)
    return book, text


def plain(cell: Cell) -> str:
    """A cell as CSV text: numbers and dates as they are, text that a spreadsheet would take for a formula with a leading `'`."""
    match cell:
        case None:
            return ""
        case datetime() if cell.tzinfo is None:
            return cell.isoformat(" ", "minutes")
        case datetime():
            return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return cell.isoformat()
        case str():
            return disarmed(cell)
        case Link():
            return plain(cell.url)
        case _:
            return str(cell)


class _Looks:
    """The formats of a workbook, each made once."""

    _KINDS: Mapping[str, Mapping[str, object]] = {
        "head": {"bold": True, "bottom": 1, "text_wrap": True},
        "date": {"num_format": "yyyy-mm-dd"},
        "time": {"num_format": "yyyy-mm-dd hh:mm"},
        "money": {"num_format": "#,##0.00"},
        "link": {"font_color": "#0563C1", "underline": 1},
        "text": {},
    }

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[object, ...], Format] = {}

    def of(self, kind: str, column: Column, *, quoted: bool = False, form: str = "") -> Format:
        """The look of one kind of cell in this column. `quoted`: text that no key press turns into a formula."""
        key = (kind, column.wrap, column.own, quoted, form)
        if key not in self._made:
            look = {"valign": "top", **self._KINDS[kind]}
            look |= {"text_wrap": True} if column.wrap else {}
            look |= {"bg_color": "#FFF8DC", "border": 1, "border_color": "#D9D9D9"} if column.own else {}
            look |= {"quote_prefix": True} if quoted else {}
            look |= {"num_format": form} if form else {}
            self._made[key] = self._book.add_format(look)
        return self._made[key]


def _fill(page: Worksheet, sheet: Sheet, looks: _Looks) -> None:
    from xlsxwriter.utility import xl_range

    last, width = len(sheet.rows), len(sheet.columns)
    page.freeze_panes(1, sheet.frozen)
    _for_paper(page)
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width, None, {"hidden": True} if column.hidden else {})
        page.write_string(0, at, column.title, looks.of("head", column))
        if column.choices and last:
            # A warning, not a stop: the same words in another language are understood as well.
            page.data_validation(1, at, last, at, {"validate": "list", "source": list(column.choices), "error_type": "warning"})
    for line, row in enumerate(sheet.rows, start=1):
        for at, (column, cell) in enumerate(zip(sheet.columns, row, strict=True)):
            _write(page, line, at, cell, looks, column)
    if last:
        page.autofilter(0, 0, last, width - 1)
        page.ignore_errors({"number_stored_as_text": xl_range(1, 0, last, width - 1)})


def _draw(book: Workbook, page: Worksheet, sheet: Sheet, chart: Chart, place: int) -> None:
    """Bars below the rows. Of several charts each stands beside the one before."""
    last = len(sheet.rows)
    drawn = book.add_chart({"type": "column"})
    for at in chart.values:
        drawn.add_series(
            {
                "name": [sheet.name[:31], 0, at],
                "categories": [sheet.name[:31], 1, chart.labels, last, chart.labels],
                "values": [sheet.name[:31], 1, at, last, at],
            }
        )
    drawn.set_title({"name": chart.title})
    page.insert_chart(last + 2, place * 8, drawn)


def _for_paper(page: Worksheet) -> None:
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_footer("&C&P / &N")


def _write(page: Worksheet, line: int, at: int, cell: Cell, looks: _Looks, column: Column) -> None:
    match cell:
        case None:
            page.write_blank(line, at, None, looks.of("text", column, form=column.form))
        case datetime():
            shown = cell if cell.tzinfo is None else cell.astimezone(UTC).replace(tzinfo=None)
            page.write_datetime(line, at, shown, looks.of("time", column))
        case date():
            page.write_datetime(line, at, cell, looks.of("date", column))
        case Decimal():
            page.write_number(line, at, cell, looks.of("money", column))
        case int():
            page.write_number(line, at, cell, looks.of("text", column))
        case Link() if len(cell.url) <= _LONGEST_LINK and line <= _MOST_LINKS and cell.url.startswith(("https://", "http://")):
            page.write_url(line, at, cell.url, looks.of("link", column), cell.url)
        case Link():
            _write(page, line, at, cell.url, looks, column)
        case _:
            look = looks.of("text", column, quoted=like_a_formula(cell), form=column.form)
            page.write_string(line, at, cell[:CELL_LIMIT], look)
