"""A marketplace's list of cases (.csv, .txt, .xls, .xlsx), as far as it tells: for `tracker cases import FILE --store S`.

Times without a zone are the marketplace's (D9), of a day without a time its end: so a page shows a last day. A wrong row is
rejected whole, with its column; a column that nobody knows refuses the file, because a deadline may stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tracker.intake.case_words import ANSWERED, CLOSED, COLUMNS, KINDS, LEFT_OUT, OUTCOMES, REASONS, STATES
from tracker.intake.cells import Cell, identity, line, order_number, text, tracking_numbers
from tracker.intake.errors import FileError, RowError
from tracker.intake.files import read_contents
from tracker.intake.headers import Header, find_header, normalise
from tracker.intake.instants import instant
from tracker.intake.money import currency, money
from tracker.intake.reading import sheets_of
from tracker.intake.rejected import WHY, refuse_rejected
from tracker.intake.sheets import Line, Sheet
from tracker.model import CaseKind, CaseReason, Rejected
from tracker.store.rows import CaseTold

T = TypeVar("T")

_DATES = ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y年%m月%d日")
_EPOCH, _EPOCH_MS = re.compile(r"1\d{9}"), re.compile(r"1\d{12}")
_NO_DATE = frozenset({"0", "null", "none"})
"""How an API says that there is no deadline (Shopee: 0; Mercado Libre: null)."""
_NAMES = frozenset(name for names in COLUMNS.values() for name in names)


class CaseList(msgspec.Struct, frozen=True, kw_only=True):
    """A whole list: its header as it stands, the rows that can be read, the others. `ignored` are columns that nobody knows."""

    file: str
    header: tuple[str, ...]
    told: tuple[tuple[Line, CaseTold], ...]
    rejected: tuple[Rejected, ...]
    ignored: tuple[str, ...] = ()


def read_cases(path: Path, zone: ZoneInfo, *, kind: CaseKind | None = None, ignore_columns: bool = False) -> CaseList:
    """Read such a list. `zone` is the marketplace's, `kind` that of rows which name none.

    Raises:
        FileError: it cannot be read, has no column of order numbers or of kinds, or (unless ignored) one that nobody knows.
    """
    refuse_rejected(path)
    sheet, at, header = _table(path, sheets_of(read_contents(path).data, _NAMES))
    columns = _columns(header)
    strange = [(place, header.cells[place]) for place, key in enumerate(header.keys) if _strange(key)]
    if strange and not ignore_columns:
        raise FileError(_unknown(path, sheet.lines[at].number, strange))
    if kind is None and "kind" not in columns:
        raise FileError(f"{path} does not say what sort of cases these are: add a column kind, or name it: --kind dispute")
    told: list[tuple[Line, CaseTold]] = []
    rejected: list[Rejected] = []
    for row in sheet.lines[at + 1 :]:
        if not any(map(text, row.cells)):
            continue
        try:
            told.append((row, _told(_Row(row, header, columns), zone, kind)))
        except RowError as error:
            rejected.append(rejected_row(row, str(error)))
    ignored = tuple(name for _, name in strange)
    return CaseList(file=path.name, header=header.cells, told=tuple(told), rejected=tuple(rejected), ignored=ignored)


def rejected_row(row: Line, reason: str) -> Rejected:
    """A row that could not be taken, with all its cells."""
    return Rejected(row=row.number, reason=reason, cells=tuple(map(str, row.cells)))


def _table(path: Path, sheets: Sequence[Sheet]) -> tuple[Sheet, int, Header]:
    for sheet in sheets:
        at, _ = find_header(sheet.rows(), _NAMES)
        header = Header.of(sheet.lines[at].cells if sheet.lines else ())
        if "order" in _columns(header):
            return sheet, at, header
    raise FileError(f"{path} has no column of order numbers: call it order (订单号); the others are {', '.join(COLUMNS)}")


def _columns(header: Header) -> dict[str, int]:
    found = {column: _place(header, names) for column, names in COLUMNS.items()}
    return {column: at for column, at in found.items() if at is not None}


def _place(header: Header, names: tuple[str, ...]) -> int | None:
    return next((at for at, key in enumerate(header.keys) if key in names), None)


def _strange(key: str) -> bool:
    """Whether nobody knows a column. The last one of rejected rows says why they were: it is ours."""
    name = key.partition("#")[0]
    return bool(name) and name not in _NAMES | LEFT_OUT | {WHY}


def _unknown(path: Path, row: int, strange: Sequence[tuple[int, str]]) -> str:
    shown = []
    for place, name in strange[:5]:
        near = get_close_matches(normalise(name), _NAMES, n=1, cutoff=0.7)
        meant = f' (did you mean "{near[0]}")' if near else ""
        shown.append(f'column {_letter(place)} "{name}"{meant}')
    more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""  # noqa: PLR2004 - as many as are shown
    return (
        f"{path}, row {row}: nobody knows {', '.join(shown)}{more}; nothing was taken. Rename or delete them, or leave them out "
        f"with --ignore-columns. Known are {', '.join(COLUMNS)}, and the marketplaces' own names (docs/how-to/cases.md)"
    )


def _letter(place: int) -> str:
    """How a spreadsheet calls the column."""
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)  # noqa: PLR2004 - letters


class _Row:
    """A row, asked by the name of a column; what is wrong is told with the column's place."""

    def __init__(self, row: Line, header: Header, columns: Mapping[str, int]) -> None:
        self.row = row
        self._header = header
        self._columns = columns

    def cell(self, column: str) -> Cell:
        at = self._columns.get(column)
        found = "" if at is None or at >= len(self.row.cells) else self.row.cells[at]
        return "" if text(found).casefold() in _NO_DATE - {"0"} else found

    def line(self, column: str) -> str | None:
        return line(self.cell(column)) or None

    def where(self, column: str) -> str:
        at = self._columns.get(column)
        return column if at is None else f'column {_letter(at)} "{self._header.cells[at].strip()}"'

    def word(self, column: str, words: Mapping[str, T]) -> T | None:
        """What the cell's word means. Raises RowError for a word that nobody knows."""
        said = normalise(text(self.cell(column)))
        if not said:
            return None
        if said in words:
            return words[said]
        numbered = said.rstrip("0123456789")  # Mercado Libre: PNR9501
        if numbered in words:
            return words[numbered]
        near = get_close_matches(said, words, n=1, cutoff=0.6)
        meant = f"did you mean {near[0]!r}" if near else f"it is one of {', '.join(_own(words))}"
        raise RowError(f"{self.where(column)}: {text(self.cell(column))!r} is not known; {meant}")

    def at(self, column: str, zone: ZoneInfo, *, last: bool = False) -> datetime | None:
        """The instant; `last`: of a day without a time the last second."""
        cell = self.cell(column)
        said = text(cell)
        if not said or said in _NO_DATE:
            return None
        if _EPOCH.fullmatch(said) or _EPOCH_MS.fullmatch(said):
            return datetime.fromtimestamp(int(said[:10]), UTC)
        try:
            found = instant(cell, _DATES, zone)
        except RowError as error:
            raise RowError(f"{self.where(column)}: {error}") from error
        if found is None or not last or ":" in said:
            return found
        local = found.astimezone(zone)
        whole = local.time() == time() and not isinstance(cell, float)
        return (local + timedelta(days=1, seconds=-1)).astimezone(UTC) if whole else found


def _own(words: Mapping[str, object]) -> list[str]:
    """Our own words among all that mean the same: the first of each."""
    first: dict[object, str] = {}
    for word, meant in words.items():
        first.setdefault(meant, word)
    return list(first.values())


def _told(row: _Row, zone: ZoneInfo, kind: CaseKind | None) -> CaseTold:
    number = order_number(row.cell("order"))
    if not number:
        raise RowError(f"{row.where('order')}: the row has no order number")
    named = row.word("kind", KINDS) or kind
    if named is None:
        raise RowError(f"{row.where('kind')}: the row does not say what sort of case it is: one of {', '.join(CaseKind)}")
    amount, unit = _money(row)
    state, outcome = row.word("status", STATES) or ("", None)
    parcels = tracking_numbers(row.cell("parcel"))
    return CaseTold(
        row=row.row.number,
        order=number,
        kind=named,
        id=identity(row.cell("case")) or None,
        reason=row.word("reason", REASONS) or CaseReason.UNKNOWN,
        opened_at=row.at("opened", zone),
        due_at=row.at("due", zone, last=True),
        evidence_due_at=row.at("evidence_due", zone, last=True),
        amount=amount,
        currency=unit,
        shipment=parcels[0] if parcels else None,
        note=row.line("note"),
        answered=state == ANSWERED,
        closed=state == CLOSED,
        outcome=row.word("outcome", OUTCOMES) or outcome,
    )


def _money(row: _Row) -> tuple[Decimal | None, str | None]:
    """The amount with its currency: one without the other is neither."""
    try:
        found = money(row.cell("amount"), "en_US", {})
        unit = currency(row.cell("currency"))
    except RowError as error:
        raise RowError(f"{row.where('amount')}: {error}") from error
    if found is None:
        return None, None
    unit = found[1] or unit
    if unit is None:
        raise RowError(
            f"{row.where('amount')}: {text(row.cell('amount'))!r} has no currency: write 12.50 USD, or add a column currency"
        )
    return found[0], unit
