"""Delimited text (.csv, .txt, .tsv): which encoding, which separator, which rows.

The encoding is the one whose header row has most alias hits, not the first that decodes: gb18030 decodes cp932 and many
cp1252 bytes silently. Where an English header fits several, the words of the body decide.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from tracker.intake.errors import FileError
from tracker.intake.headers import find_header
from tracker.intake.sheets import Line, Sheet

ENCODINGS = ("utf-8-sig", "gb18030", "cp932", "cp1252")
SEPARATORS = "\t;,"
_SAMPLE_LINES = 200
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# A Western name read as Chinese (`M黮ler`), Chinese read as Western (`ÖÐÎÄ`): three such letters in a row are no Portuguese word.
_ODD_ASIAN = re.compile(r"[A-Za-z][\u3040-\u30ff\u3400-\u9fff\uff61-\uff9f]")
_CHINESE, _HALF_WIDTH = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[\uff61-\uff9f]")
_ODD_WESTERN = re.compile(r"[\u0080-\u00ff\u0152-\u0192\u2013-\u2122]{3,}")

_LONGEST_CELL = 1024 * 1024
"""Characters: a product cell of many items is longer than the csv module takes by default."""

_MOST_COLUMNS, _MOST_CELLS = 16_384, 6_000_000
"""A spreadsheet's columns, and the cells that a workbook may hold: separators alone would take all memory (fault 10)."""


def read_delimited(data: bytes, aliases: Iterable[str]) -> Sheet:
    """The rows of a text file; empty lines keep their number.

    Raises:
        FileError: not text, or in no encoding that sellers' tools write.
    """
    if data.startswith(_UTF16_MARKS):
        return _sheet(_decoded(data, "utf-16"), "utf-16")
    if b"\0" in data:
        raise FileError("the file is neither a workbook nor text: export it as .xlsx or .csv")
    known = frozenset(aliases)
    candidates = [(text, encoding) for encoding in ENCODINGS if (text := _decoded(data, encoding)) is not None]
    if not candidates:
        raise FileError(f"the file's encoding is none of {', '.join(ENCODINGS)}: save it as UTF-8")
    best = max(candidates, key=lambda candidate: _fit(candidate, known))
    return _sheet(*best)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _fit(candidate: tuple[str, str], aliases: frozenset[str]) -> tuple[int, bool, int]:
    text, encoding = candidate
    sample = "\n".join(text[: 2 * _LONGEST_CELL].splitlines()[:_SAMPLE_LINES])
    _, hits = find_header(_sheet(sample, encoding).rows(), aliases)
    return hits, encoding == "utf-8-sig", -_odd(sample, encoding)


def _odd(sample: str, encoding: str) -> int:
    """How many signs nobody would write there.

    Japanese read as Chinese is full of signs that GB2312 left out, Chinese read as Japanese full of half-width letters.
    """
    if encoding == "cp1252":
        return len(_ODD_WESTERN.findall(sample))
    odd = len(_ODD_ASIAN.findall(sample))
    if encoding == "gb18030":
        signs = "".join(_CHINESE.findall(sample))
        odd += len(signs) - len(signs.encode("gb2312", "ignore")) // 2
    return odd + (len(_HALF_WIDTH.findall(sample)) if encoding == "cp932" else 0)


def _sheet(text: str | None, encoding: str) -> Sheet:
    if text is None:
        raise FileError(f"the file says it is {encoding} and is not: save it as UTF-8")
    separator = _separator(text)
    # Marketplaces' TAB files know no quoting: a quote sign in a product name is a plain character (facts/file-formats.md 2.3).
    csv.field_size_limit(_LONGEST_CELL)  # of the whole process: there is no other
    lines_in = io.StringIO(text, newline="")
    if separator == "\t":
        reader = csv.reader(lines_in, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines_in, delimiter=separator)
    lines, number, room = [], 1, _MOST_CELLS
    try:
        for row in reader:
            room -= 1 + len(row)
            if room < 0 or len(row) > _MOST_COLUMNS:
                raise FileError("the file holds too many lines or columns: export a shorter period, or the columns that matter")
            if row:
                lines.append(Line(number, tuple(row)))
            number = reader.line_num + 1
    except csv.Error as error:
        raise FileError(f"line {reader.line_num} cannot be read as separated text: {error}") from error
    name = {"\t": "TAB"}.get(separator, separator)
    return Sheet(how=f"{encoding}, separated by {name}", lines=tuple(lines))


def _separator(text: str) -> str:
    """The most frequent one of the first five lines."""
    head = "\n".join(text[: 2 * _LONGEST_CELL].splitlines()[:5])
    return max(SEPARATORS, key=head.count) if any(mark in head for mark in SEPARATORS) else ","
