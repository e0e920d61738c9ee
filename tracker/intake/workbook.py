"""Workbooks (.xls, .xlsx), read in a process of their own.

A damaged workbook, a lone cell in the last row, or a zip bomb can make the reading library ask for so much memory that the
whole process is aborted: such a file in the watched folder would take the daemon down again and again. Here it takes down a
child with a limit. The same file is the child's program, so it imports no other module of the product.
"""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

MEMORY = 2 * 1024**3
SECONDS = 120
MOST_CELLS = 6_000_000
MOST_UNPACKED = 400 * 1024**2
MOST_TEXT = 128 * 1024**2

Rows = list[list[str | float]]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the child found: visible sheets by name, or `error`: protected, unreadable or too_large."""

    sheets: dict[str, Rows] = {}
    error: str | None = None


def read_workbook(data: bytes) -> Reading:
    """The visible sheets of a workbook; dates become ISO text, an empty cell `""`, rows count from the sheet's first line."""
    command = [sys.executable, "-P", str(Path(__file__))]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 -- our own program
    except subprocess.TimeoutExpired:
        return Reading(error="too_large")
    if child.returncode:
        return Reading(error="unreadable")
    return msgspec.json.decode(child.stdout, type=Reading)


def _read(data: bytes) -> Reading:
    import io
    import zipfile

    import python_calamine as calamine

    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                    return Reading(error="too_large")
        with calamine.load_workbook(io.BytesIO(data)) as book:
            visible = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            sheets: dict[str, Rows] = {}
            room = MOST_CELLS
            for name in visible:
                sheet = book.get_sheet_by_name(name)
                _, width = sheet.end or (0, 0)
                room -= sheet.total_height * (width + 1)
                if room < 0:
                    return Reading(error="too_large")
                sheets[name] = [[_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except calamine.PasswordError:
        return Reading(error="protected")
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError):
        return Reading(error="unreadable")
    return Reading(sheets=sheets)


def _plain(cell: Any) -> str | float:  # noqa: ANN401 -- whatever a workbook holds
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, bool) or not isinstance(cell, str | float | int):
        return str(cell)
    return float(cell) if isinstance(cell, int) else cell


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told = msgspec.json.encode(_read(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(told if len(told) <= MOST_TEXT else msgspec.json.encode(Reading(error="too_large")))


if __name__ == "__main__":
    _main()
