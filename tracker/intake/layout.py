"""Which format a file is, and which column means what. Named by its full header set, never by its file name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from tracker.intake.cells import Cell, line, text
from tracker.intake.errors import FileError, UnknownLayoutError
from tracker.intake.headers import FEWEST_HITS, ROWS_SEARCHED, Header, find_header, matches
from tracker.intake.profiles import Field, Format, Formats
from tracker.intake.sheets import Line, Sheet

FOOTER_CELLS = 3
_SHOWN = 25


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A recognised table: its format, header, what each column means (first choice first), and the lines below the header.

    `store` is what a footer calls the store.
    """

    format: Format
    header: Header
    columns: Mapping[Field, tuple[int, ...]]
    lines: tuple[Line, ...]
    how: str
    store: str | None = None


def recognise(sheets: Sequence[Sheet], formats: Formats, forced: str | None = None) -> Layout:
    """The format of the sheet whose header row says most.

    Raises:
        UnknownLayoutError: a layout that no format knows; it lists the headers, the nearest format and what is missing.
        FileError: no header row, or a layout that is known not to be an order file.
    """
    if not sheets:
        raise FileError("the workbook has no visible sheet with rows")
    aliases = formats.header_names()
    found = [(sheet, *find_header(sheet.rows(), aliases)) for sheet in sheets]
    sheet, at, hits = max(found, key=lambda candidate: candidate[2])
    if hits < FEWEST_HITS:
        raise _no_header(sheet, max((one for one, *_ in found), key=lambda each: len(each.lines)))
    header = Header.of(sheet.rows()[at])
    chosen = _chosen(header, formats, forced)
    if chosen is None:
        raise UnknownLayoutError(_unknown(header, formats), sheet, at)
    if chosen.refused:
        raise FileError(f"no order file ({chosen.title}): {chosen.refused}")
    if also := [other.how for other, top, _ in found if other is not sheet and _tells_more(other, top, chosen)]:
        raise FileError(
            f"the workbook holds more than one table ({', '.join((sheet.how, *also))}): save each as a file of its own"
        )
    columns = {field: at_ for field, names in chosen.columns.items() if (at_ := _columns(header, names))}
    lines = sheet.lines[at + 1 :]
    return Layout(format=chosen, header=header, columns=columns, lines=lines, how=sheet.how, store=_store_said(lines, chosen))


def _tells_more(sheet: Sheet, at: int, chosen: Format) -> bool:
    """Whether another sheet has rows below a header of the same format: reading one of them loses the other in silence."""
    header = Header.of(sheet.lines[at].cells if sheet.lines else ())
    return fits(header, chosen) and any(any(map(text, line.cells)) for line in sheet.lines[at + 1 :])


def likely_header(sheet: Sheet, rows: int) -> int | None:
    """The row that looks like a header where no alias knows it: the one with most labels, with something below it."""
    best, most = None, 1
    for at, row in enumerate(sheet.lines[:rows]):
        filled = [cell for cell in row.cells if text(cell)]
        labels = [cell for cell in filled if isinstance(cell, str) and not any(map(str.isdecimal, line(cell)))]
        if len(labels) == len(filled) > most and at + 1 < len(sheet.lines):
            best, most = at, len(labels)
    return best


def fits(header: Header, one: Format) -> bool:
    """Whether a header is of this format: what it requires is there, and enough of the rest belongs to it."""
    seen = sum(map(bool, header.keys))
    return not _missing(header, one) and header.hits(one.names()) >= one.coverage * seen


def row_text(row: Line) -> str:
    """The first filled cells of a row, as footers are told by them."""
    return " ".join(islice(filter(None, map(text, row.cells)), FOOTER_CELLS))


def _store_said(lines: Sequence[Line], chosen: Format) -> str | None:
    if chosen.seller is None:
        return None
    return next((said for row in reversed(lines) if (said := chosen.store_said(row_text(row))) is not None), None)


def _columns(header: Header, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(at for name in names if (at := header.find(name)) is not None))


def _no_header(read: Sheet, largest: Sheet) -> FileError:
    first = next((_shown(line.cells) for line in read.lines if any(map(str, line.cells))), "nothing")
    said = f"no header row within the first {ROWS_SEARCHED} rows (read as {read.how}); the first row says: {first}"
    at = likely_header(largest, ROWS_SEARCHED)
    if at is None:
        return FileError(f"{said}. Export the file again, with a row of headers above the data")
    return UnknownLayoutError(said, largest, at)


def _chosen(header: Header, formats: Formats, forced: str | None) -> Format | None:
    if forced is not None:
        chosen = formats.by_id(forced)
        if chosen is None:
            raise FileError(f"format {forced!r} is not known: it is one of {', '.join(one.id for one in formats.format)}")
        if missing := _missing(header, chosen):
            raise FileError(f"not a file of format {forced}: no column {', '.join(missing)} among {_shown(header.cells)}")
        return chosen
    fitting = [one for one in formats.format if fits(header, one)]
    return max(fitting, key=lambda one: header.hits(one.names()), default=None)


def _missing(header: Header, one: Format) -> list[str]:
    return [" or ".join(group) for group in one.requires if not any(header.find(name) is not None for name in group)]


def _unknown(header: Header, formats: Formats) -> str:
    nearest = max(formats.format, key=lambda one: (header.hits(one.names()), -len(_missing(header, one))))
    missing = _missing(header, nearest)
    strange = [cell for cell, key in zip(header.cells, header.keys, strict=True) if key and not _belongs(key, nearest)]
    lacks = f"missing there: {'; '.join(missing)}" if missing else f"it does not know {_shown(strange)}"
    return (
        f"unknown layout. Headers seen: {_shown(header.cells)}. The nearest format is {nearest.id} ({nearest.title}): {lacks}. "
        f"Name the format with --format, or the columns in a profile"
    )


def _belongs(key: str, one: Format) -> bool:
    return any(matches(name, key) for name in one.names())


def _shown(cells: Sequence[Cell]) -> str:
    names = [name for name in map(line, cells) if name]
    return " | ".join(names[:_SHOWN]) + (f" | … {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
