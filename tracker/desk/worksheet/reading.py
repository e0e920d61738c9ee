"""The lines of a worksheet that came back, whatever was done to it: columns moved, added or renamed, rows sorted or deleted.

A column is known by its heading in any language; one that was renamed by its place between those that are known. A line is known
by its hidden cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from tracker.desk.errors import Refused
from tracker.desk.worksheet.cells import Cell, heading, text, whole

_LOOK_AT = 30
"""Lines within which the heading stands: above it people write titles."""

_NEEDED = "decision"
_MARK = re.compile(r"(\w+)/(\d+)/(\w+)/(\d+)")


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What the worksheet looks like that is expected. The column `mark` has `kind`/`version`/`database`/epoch ms of export.

    `lost`: from when until when the database lost what it knew (aware UTC), and with it what was exported then. `layout` are the
    columns from left to right, those in `sometimes` not always; `titles` how they are headed, in every language.
    """

    kind: str
    version: int
    database: str
    lost: tuple[datetime, datetime] | None
    mark: str
    layout: Sequence[str]
    sometimes: frozenset[str]
    titles: Mapping[str, frozenset[str]]


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it came back: its number in the file, and its cells by column."""

    at: int
    cells: Mapping[str, Cell]

    def text(self, name: str) -> str:
        """A cell as a person would write it; empty where the column is gone."""
        return text(self.cells.get(name, ""))

    @property
    def row(self) -> int | None:
        """The outbox row that it stands for."""
        return whole(self.cells.get("tracker:row", ""))

    @property
    def key(self) -> str:
        """The row's dedup key: ids of a database that was put back may mean something else."""
        return self.text("tracker:key")

    @property
    def version(self) -> int | None:
        """The facts version that the person saw."""
        return whole(self.cells.get("tracker:facts", ""))


Lines = Sequence[tuple[int, Sequence[Cell]]]
"""A sheet: the number of each line in the file, and its cells."""


def read(sheets: Iterable[Lines], form: Form) -> list[Filled]:
    """The filled lines of the one sheet that is a worksheet. Raises `Refused` where the file as a whole cannot be taken."""
    found = [(lines, at) for lines in sheets if (at := _head(lines, form)) is not None]
    if not found:
        raise Refused(
            "no_worksheet",
            f"this is no worksheet of tracker {form.kind} export: its hidden columns are missing. Fill in the file as exported",
        )
    if len(found) > 1:
        raise Refused("two_worksheets", "the file holds two worksheets: delete the copy, then import it again")
    [(lines, at)] = found
    columns = _columns(lines[at][1], form)
    if _NEEDED not in columns:
        raise Refused("no_decision_column", f'the column "{_NEEDED}" is missing or its heading was changed: write it back')
    return list(_filled(lines[at + 1 :], columns, form))


def _head(lines: Lines, form: Form) -> int | None:
    return next((at for at, (_, cells) in enumerate(lines[:_LOOK_AT]) if form.mark in map(text, cells)), None)


def _filled(lines: Lines, columns: Mapping[str, int], form: Form) -> Iterator[Filled]:
    for number, cells in lines:
        named = {name: cells[at] for name, at in columns.items() if at < len(cells)}
        mark = text(named.get(form.mark, ""))
        line = Filled(at=number, cells=named)
        if mark:
            _check(mark, form, number)
        elif not line.text(_NEEDED):
            continue  # a sum, a remark: no line of ours
        yield line


def _check(mark: str, form: Form, number: int) -> None:
    found = _MARK.fullmatch(mark)
    if found is None or int(found[2]) > form.version:
        raise Refused("newer_worksheet", f"line {number} was exported by another version of Tracker: export it again")
    kind, _, database, at = found.groups()
    again = f"Export a new one: tracker {form.kind} export FILE"
    if kind != form.kind:
        raise Refused("other_kind", f"this is a worksheet of {kind}: tracker {kind} import FILE --by NAME")
    if database != form.database:
        raise Refused("other_database", f"line {number} comes from another database. {again}")
    if form.lost is not None and form.lost[0] < datetime.fromtimestamp(int(at) / 1000, UTC) < form.lost[1]:
        raise Refused("older_life", f"line {number} was exported after the backup was made that was put back since. {again}")


def _columns(head: Sequence[Cell], form: Form) -> dict[str, int]:
    """Where each column stands: by its heading; renamed ones by their place between the others."""
    names = {heading(title): name for name, titles in form.titles.items() for title in titles}
    found: dict[str, int] = {}
    for at, cell in enumerate(head):
        name = names.get(heading(text(cell)))
        if name is not None:
            found.setdefault(name, at)
    taken = set(found.values())
    for missing, low, high in _gaps(form.layout, found, len(head)):
        strange = [at for at in range(low, high) if at not in taken and text(head[at])]
        for run in (missing, [name for name in missing if name not in form.sometimes]):
            if len(run) == len(strange):
                found |= dict(zip(run, strange, strict=True))
                break
    return found


def _gaps(layout: Sequence[str], found: Mapping[str, int], width: int) -> Iterator[tuple[list[str], int, int]]:
    """Columns that are missing side by side, and between which columns of the file they ought to stand."""
    missing: list[str] = []
    low = 0
    for name in [*layout, ""]:
        if name in found or not name:
            if missing:
                yield missing, low, found.get(name, width)
            missing, low = [], found.get(name, width) + 1
        else:
            missing.append(name)
