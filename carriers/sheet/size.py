"""How large a workbook becomes once it is read: told before it is.

Whoever reads a sheet lays out the whole rectangle from its first to its last cell, and ends the process where that does not fit
into memory: two cells in opposite corners, in a file of five kilobytes, are seventeen billion cells.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import IO

MOST_CELLS = 5_000_000
"""Of one sheet, from its first to its last one: some 40 bytes each."""

_CHUNK = 1 << 20
_TAG = re.compile(rb"""<(?:[^\s<>/:"']+:)?(row|c)((?:\s+[^\s=<>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]{1,9})["']""")


def inflated(body: bytes) -> int:
    """Bytes of a zipped workbook when it is unpacked, as it says itself. Raises zipfile.BadZipFile."""
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return sum(entry.file_size for entry in packed.infolist())


def cells(body: bytes) -> int:
    """Cells of the largest sheet of an XLSX, empty ones between others included.

    Raises zipfile.BadZipFile for what is broken, or another kind of workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            names = {name.casefold() for name in packed.namelist()}
            if "xl/workbook.xml" not in names or names & {"xl/workbook.bin", "content.xml"}:
                raise zipfile.BadZipFile("no XLSX")
            # Any file may be a sheet: which ones are, is told in another one.
            return max(_rectangle(packed.open(name)) for name in packed.namelist())
    except (zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise zipfile.BadZipFile(str(error)) from None


def _rectangle(file: IO[bytes]) -> int:
    """Rows times columns as far as cells with a content reach. A cell without a place stands behind the one before it."""
    row = column = last_row = last_column = 0
    rest = b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        # A tag that the chunk cuts in two is read with the next one.
        end = text.rfind(b"<") if len(rest) < _CHUNK else len(text)
        end = end if end > 0 else len(text)
        for tag in _TAG.finditer(text, 0, end):
            place = _PLACE.search(tag[2])
            if tag[1] == b"row":
                row, column = int(place[2]) if place is not None else row + 1, 0
                continue
            row, column = (int(place[2]), _column(place[1])) if place is not None else (row, column + 1)
            if not tag[3]:
                last_row, last_column = max(last_row, row), max(last_column, column)
        rest = text[end:]
    return last_row * last_column


def _column(letters: bytes) -> int:
    """`A` is 1, `XFD` is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
