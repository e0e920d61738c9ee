"""How large a workbook becomes once it is read: told before it is.

Whoever reads a sheet lays out the whole rectangle from its first to its last cell, and ends the process where that does not fit
into memory: two cells in opposite corners, in a file of five kilobytes, are seventeen billion cells.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

MOST_CELLS = 5_000_000
"""Of one sheet, from its first to its last one: some 40 bytes each."""

_CHUNK = 1 << 20
_TAG = re.compile(rb"""<(?:[^\s<>/:"']+:)?(row|c)((?:\s+[^\s=<>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/?)>""")
_CUT = re.compile(rb"<(?:[^\s<>/]*$|(?:[^\s<>/:]*:)?(?:row|c)\s)")
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
    except (zlib.error, EOFError, RuntimeError, KeyError) as error:
        raise zipfile.BadZipFile(str(error)) from None


def _rectangle(file: IO[bytes]) -> int:
    """Rows times columns as far as cells with a content reach. A cell without a place stands behind the one before it."""
    row = column = last_row = last_column = 0
    for tag in _tags(file):
        place = _PLACE.search(tag[2])
        if tag[1] == b"row":
            row, column = int(place[2]) if place is not None else row + 1, 0
            continue
        row, column = (int(place[2]), _column(place[1])) if place is not None else (row, column + 1)
        if not tag[3]:
            last_row, last_column = max(last_row, row), max(last_column, column)
    return last_row * last_column


def _tags(file: IO[bytes]) -> Iterator[re.Match[bytes]]:
    """The opening tags of rows and cells. One that a chunk cuts in two is found with the next chunk."""
    chunk, rest = b"-", b""
    while chunk:
        chunk = file.read(_CHUNK)
        text = rest + chunk
        last = text.rfind(b"<")
        end = last if chunk and last >= 0 and _CUT.match(text, last) else len(text)
        if len(text) - end > _CHUNK:
            raise zipfile.BadZipFile("a tag without an end")
        yield from _TAG.finditer(text, 0, end)
        rest = text[end:]


def _column(letters: bytes) -> int:
    """`A` is 1, `XFD` is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
