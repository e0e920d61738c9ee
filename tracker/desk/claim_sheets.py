"""Files that come from a carrier: its answers, its statement. Which columns they have, and what their lines say.

A heading that no [[sheet]] of compensation.toml knows stops the file with its place, and nothing of it is applied: a carrier that
moves its columns must never be read by guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from babel.numbers import is_currency

from tracker.desk.errors import Refused
from tracker.desk.worksheet.cells import Cell, amount, day, destroyed, heading, text
from tracker.desk.worksheet.problem import NotTaken
from tracker.model import ClaimState
from tracker.rules import ClaimSheet

Lines = Sequence[tuple[int, Sequence[Cell]]]
"""A sheet: the number of each line in the file, and its cells."""

_LOOK_AT = 30
"""Lines within which the heading stands: above it carriers write titles."""

_NEEDED: Mapping[str, tuple[frozenset[str], ...]] = {
    "answers": (frozenset({"tracking_no", "claim_no", "carrier_ref"}), frozenset({"result"})),
    "statement": (frozenset({"tracking_no"}), frozenset({"amount"})),
}
"""Of each of these groups a file of this kind has at least one column."""


class BadLine(Exception):  # noqa: N818 - an answer to a person, not a fault of ours
    """One line cannot be read; the message says why."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: its number in the file, and its cells by our field."""

    at: int
    cells: Mapping[str, Cell]

    def text(self, field: str) -> str:
        """A cell as a person would write it."""
        return text(self.cells.get(field, ""))

    def number(self, field: str) -> str:
        """A parcel's or claim's number: upper case, no spaces. Raises BadLine where a spreadsheet has cut its digits."""
        cell = self.cells.get(field, "")
        if destroyed(cell):
            raise BadLine(f"{text(cell)} lost digits in the spreadsheet: format the column as text and export again")
        return "".join(text(cell).upper().removeprefix("'").split())

    def amount(self, field: str, currency: str | None) -> Decimal | None:
        """An amount; a leading minus is taken back money. Raises BadLine."""
        cell = self.cells.get(field, "")
        said = cell.strip() if isinstance(cell, str) else cell
        minus = isinstance(said, str) and said.startswith("-") and len(said) > 1
        try:
            found = amount(said[1:] if minus and isinstance(said, str) else said, currency)
        except NotTaken as problem:
            raise BadLine(_told(problem)) from problem
        return -found if minus and found is not None else found

    def currency(self) -> str:
        """The currency that it names, upper case; "" where it names none. Raises BadLine."""
        said = self.text("currency").upper()
        if said and said != "XDR" and not is_currency(said):
            raise BadLine(f"{said!r} is no currency; write USD")
        return said

    def day(self, field: str) -> date | None:
        """A calendar day. Raises BadLine."""
        cell = self.cells.get(field, "")
        said = text(cell)
        try:
            return day(said[:10] if "T" in said else cell)
        except NotTaken as problem:
            raise BadLine(f"{said!r} is no day; write the year first, as in 2026-10-30") from problem


def read(name: str, sheets: Iterable[Lines], layouts: Sequence[ClaimSheet], kind: str) -> tuple[ClaimSheet, list[Line]]:
    """The layout that a file follows, and its lines. Raises `Refused` where none does; `name` is the file's."""
    nearest: tuple[int, str] | None = None
    for lines in sheets:
        for layout in layouts:
            for at, (number, cells) in enumerate(lines[:_LOOK_AT]):
                columns, unknown = _columns(cells, layout)
                if not columns:
                    continue
                missing = [group for group in _NEEDED[kind] if not group & columns.keys()]
                if not missing and not unknown:
                    return layout, list(_filled(lines[at + 1 :], columns))
                said = _said(name, number, layout, missing, unknown)
                if nearest is None or len(columns) > nearest[0]:
                    nearest = (len(columns), said)
    raise Refused("unknown_columns", nearest[1] if nearest else _nothing(name, layouts))


def layouts_for(sheets: Iterable[ClaimSheet], kind: str, carrier: str) -> list[ClaimSheet]:
    """The layouts of a carrier for a kind of file: its own first, then those for every carrier."""
    mine = [each for each in sheets if each.kind == kind and {carrier, "*"} & set(each.carriers)]
    return sorted(mine, key=lambda each: carrier not in each.carriers)


def state_of(word: str, layout: ClaimSheet) -> ClaimState:
    """What a carrier's word means for a claim. Raises BadLine."""
    for state, words in layout.words.items():
        if heading(word) in {heading(each) for each in words}:
            return state
    known = ", ".join(each for words in layout.words.values() for each in words)
    raise BadLine(f'nobody knows what "{word}" means for a claim: add it to [sheet.words] of {layout.id} (known: {known})')


def _columns(cells: Sequence[Cell], layout: ClaimSheet) -> tuple[dict[str, int], list[tuple[int, str]]]:
    names = {heading(title): field for field, titles in layout.columns.items() for title in titles}
    ignored = {heading(title) for title in layout.ignore}
    found: dict[str, int] = {}
    unknown = []
    for at, cell in enumerate(cells):
        title = text(cell)
        field = names.get(heading(title))
        if field is not None:
            found.setdefault(field, at)
        elif title and heading(title) not in ignored:
            unknown.append((at, title))
    return found, unknown


def _filled(lines: Lines, columns: Mapping[str, int]) -> Iterable[Line]:
    for number, cells in lines:
        named = {field: cells[at] for field, at in columns.items() if at < len(cells)}
        if any(text(cell) for cell in named.values()):
            yield Line(at=number, cells=named)


def _said(name: str, line: int, layout: ClaimSheet, missing: Sequence[frozenset[str]], unknown: Sequence[tuple[int, str]]) -> str:
    said = f"{name}, line {line}: "
    if missing:
        titles = [sorted({layout.columns[field][0] for field in group & layout.columns.keys()}) for group in missing]
        wanted = "; ".join(" or ".join(each) for each in titles)
        said += f"the column {wanted} is missing. "
    if unknown:
        places = ", ".join(f'"{title}" (column {_letter(at)})' for at, title in unknown)
        said += f"nobody knows the column {places}. "
    return said + (
        f'Nothing was applied. Add the heading to columns, or to ignore, of [[sheet]] id = "{layout.id}" in compensation.toml'
    )


def _nothing(name: str, layouts: Sequence[ClaimSheet]) -> str:
    known = ", ".join(title for layout in layouts for titles in layout.columns.values() for title in titles)
    return f"{name}: no line has a heading that is known (known: {known}). Nothing was applied"


def _letter(at: int) -> str:
    """The column's letter in a spreadsheet."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _told(problem: NotTaken) -> str:
    if problem.key == "wrong_currency":
        return f"the amount is in {problem.values['text']}, the claim in {problem.values['currency']}"
    return f"{problem.values.get('text')!r} is no amount of money; write 12.50"
