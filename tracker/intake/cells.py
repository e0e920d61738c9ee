"""One cell: what is empty, what is text, what is a name made of digits, several numbers in one (facts/file-formats.md section 5).

A cell is what the file gave: text, or a float from a workbook (calamine gives `2.0` for 2; dates come as ISO text).
"""

from __future__ import annotations

import re
import unicodedata

from carriers.numbers import normalise as written_form
from tracker.intake.errors import RowError

Cell = str | float

EMPTY = frozenset({"", "-", "--", "n/a"})
LONGEST_LINE = 200
_LONGEST_EMPTY = max(map(len, EMPTY))
# The largest whole number of which a spreadsheet keeps every digit has 15 of them.
_SAFE = 1e15
_DIGITS_KEPT = 15

_FORMULA_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?E\+\d+|[+-]?\d+[.,]\d+E\d+", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"(\d+)\.0+")
_ORDER_NUMBER = re.compile(r"\w[\w .\-/]{0,63}")
_TRACKING_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9-]{3,48}[A-Z0-9]")
_BETWEEN_NUMBERS = re.compile(r"[\r\n,;、/]+")
_SHORTEST_OF_SEVERAL = 8


def text(cell: Cell) -> str:
    """The cell as a person would write it: without text markers (leading `'`, `="..."`, trailing TAB); `""` where it is empty."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    found = cell.strip()
    if found.startswith("=") and (marked := _FORMULA_TEXT.fullmatch(found)):
        found = marked[1].strip()
    found = found.removeprefix("'").strip()
    return "" if len(found) <= _LONGEST_EMPTY and found.casefold() in EMPTY else found


def line(cell: Cell) -> str:
    """Text for one line: NFC, no control or direction characters, white space collapsed (names reach mail headers)."""
    spaced = " ".join(unicodedata.normalize("NFC", text(cell)).split())
    if not spaced.isprintable():
        spaced = "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cf"})
    return spaced[:LONGEST_LINE]


def identity(cell: Cell) -> str:
    """A number that is a name (order, tracking, tax number): text, every digit of it.

    Raises:
        RowError: a spreadsheet has turned it into a number and lost digits.
    """
    if isinstance(cell, float) and (abs(cell) >= _SAFE or not cell.is_integer()):
        raise _destroyed(repr(cell))
    found = line(cell)
    if _EXPONENT.fullmatch(found):
        raise _destroyed(found)
    if whole := _WHOLE_FLOAT.fullmatch(found):
        if len(whole[1]) > _DIGITS_KEPT:
            raise _destroyed(found)
        return whole[1]
    return found


def order_number(cell: Cell) -> str:
    """The order's number within its store, without the `#` that shops print before it; `""` where the cell is empty."""
    found = identity(cell).removeprefix("#").strip()
    if found and not _ORDER_NUMBER.fullmatch(found):
        raise RowError(f"{found!r} is not an order number: letters, digits, '-', '.' and '/' only, at most 64")
    return found


def tracking_numbers(cell: Cell) -> tuple[str, ...]:
    """Every tracking number of a cell, upper case and without spaces, in their order, each once.

    White space separates only where each part is long enough to be a number: `RB 123 456 785 CN` is one.
    """
    return tuple(dict.fromkeys(_tracking_number(part) for part in _parts(identity_lines(cell))))


def identity_lines(cell: Cell) -> str:
    """Like `identity`, but the line breaks of a cell that lists several numbers are kept."""
    if isinstance(cell, float):
        return identity(cell)
    return "\n".join(filter(None, (identity(part) for part in text(cell).splitlines())))


def _parts(listed: str) -> list[str]:
    parts: list[str] = []
    for part in _BETWEEN_NUMBERS.split(unicodedata.normalize("NFKC", listed)):
        words = part.split()
        several = len(words) > 1 and all(len(word) >= _SHORTEST_OF_SEVERAL for word in words)
        parts += words if several else [part]
    return [part for part in parts if text(part)]


def _tracking_number(part: str) -> str:
    found = written_form(identity(part))
    if not _TRACKING_NUMBER.fullmatch(found):
        raise RowError(f"{part.strip()!r} is not a tracking number: letters and digits, 5 to 50 of them")
    return found


def _destroyed(seen: str) -> RowError:
    return RowError(f"the spreadsheet destroyed this number: {seen}. Format the column as text and export the file again")
