"""Files of a forwarder as rows: CSV, TSV, XLSX, XLS; the header row, the encoding and the separator are found."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from carriers import codes
from carriers.drop import DropFile
from carriers.errors import CarrierError, ErrorKind
from carriers.sheet import size

_HEADER_WITHIN = 20
"""Rows in which a header may stand: titles and notes come before it."""

_MOST_INFLATED = 256 * 1024 * 1024
_SEPARATORS = "\t;,"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_WHOLE = 1e15
"""A number in a cell from here on has lost digits: it is no tracking number any more."""

Cell = str | float | bool | date | datetime | timedelta | Any


class Row(msgspec.Struct, omit_defaults=True, order=True):
    """One scan of the sheet, as texts. `linked` is the last-mile number, `reason` why the parcel is held or not delivered."""

    number: str
    time: str = ""
    code: str = ""
    text: str = ""
    location: str = ""
    zone: str = ""
    country: str = ""
    reason: str = ""
    linked: str = ""


@cache
def _headers() -> dict[str, str]:
    return {row["header"]: row["field"] for row in codes.rows("sheet_headers")}


def rows(file: DropFile) -> Iterator[Row]:
    """All scans of one file. Raises CarrierError(bad_response) for a file that is no such sheet."""
    if file.problem is not None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, file.problem)
    cells = iter(_workbook(file.body) if file.body.startswith(_WORKBOOKS) else _text(file.body))
    columns = _find_header(cells)
    for line in cells:
        fields = {field: _plain(line[at]) for field, at in columns.items() if at < len(line)}
        numbers = fields.pop("number", "")
        for number in numbers.translate(_BETWEEN_NUMBERS).split():
            yield Row(number, **fields)


_LONGEST_CELL = 131_072
"""Characters. The csv module has such a limit too, but one for the whole process, which others may have moved."""

_BETWEEN_NUMBERS = str.maketrans(dict.fromkeys("\n,;、/", " "))
"""Several numbers may stand in one cell."""


def _find_header(lines: Iterator[Sequence[Cell]]) -> dict[str, int]:
    for _, line in zip(range(_HEADER_WITHIN), lines, strict=False):
        columns: dict[str, int] = {}
        for at, cell in enumerate(line):
            field = _headers().get(" ".join(_plain(cell).lstrip("*").replace("_", " ").replace(".", " ").split()).casefold())
            if field is not None:
                columns.setdefault(field, at)
        if "number" not in columns and "linked" in columns:
            # The last-mile number is the only one there: then it is the parcel's.
            columns["number"] = columns.pop("linked")
        if "number" in columns and columns.keys() & {"time", "code", "text"}:
            return columns
    raise CarrierError(
        ErrorKind.BAD_RESPONSE, "no header row with a tracking number and a time, code or text (运单号, 时间, 描述)"
    )


def _text(body: bytes) -> Iterator[Sequence[Cell]]:
    text = _decode(body)
    first = "\n".join(text.split("\n", 6)[:5])
    separator = max(_SEPARATORS, key=first.count)
    lines = io.StringIO(text, newline="")
    # Tabs are pasted from spreadsheets: a quote in them is a quote.
    reader = (
        csv.reader(lines, "excel-tab", quoting=csv.QUOTE_NONE) if separator == "\t" else csv.reader(lines, delimiter=separator)
    )
    try:
        for line in reader:
            if any(len(cell) > _LONGEST_CELL for cell in line):
                break
            yield line
        else:
            return
    except csv.Error:
        pass
    raise CarrierError(ErrorKind.BAD_RESPONSE, f"line {reader.line_num} is no line of a table")


def _decode(body: bytes) -> str:
    encodings = ["utf-16"] if body.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise CarrierError(ErrorKind.BAD_RESPONSE, "neither a workbook nor a text in UTF-8, UTF-16 or GB18030")


def _workbook(body: bytes) -> Iterator[Sequence[Cell]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if body.startswith(_WORKBOOKS[0]):
            if size.inflated(body) > _MOST_INFLATED:
                raise CarrierError(ErrorKind.BAD_RESPONSE, f"a workbook larger than {_MOST_INFLATED} bytes when unpacked")
            if size.cells(body) > size.MOST_CELLS:
                raise CarrierError(ErrorKind.BAD_RESPONSE, f"a sheet of more than {size.MOST_CELLS} cells, empty ones included")
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
            if sheet:
                return iter(sheet)
    except (CalamineError, zipfile.BadZipFile, RuntimeError, ValueError, OSError):
        raise CarrierError(ErrorKind.BAD_RESPONSE, "a workbook that cannot be opened") from None
    raise CarrierError(ErrorKind.BAD_RESPONSE, "an empty workbook")


def _plain(cell: Cell) -> str:
    """A cell as text: whole numbers without their `.0`, dates in ISO form, nothing for a number that has lost digits."""
    if isinstance(cell, float):
        if abs(cell) >= _WHOLE:
            return ""
        return str(int(cell)) if cell.is_integer() else str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip().removeprefix('="').removesuffix('"').removeprefix("'").strip()
