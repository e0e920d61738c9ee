"""The rows of a file, whatever it is: `Sheet`s of cells with their line numbers."""

from __future__ import annotations

import msgspec

from tracker.intake.cells import Cell


class Line(msgspec.Struct, frozen=True):
    """One row: its number in the file (1 = first line) and its cells."""

    number: int
    cells: tuple[Cell, ...]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a file. `how` tells a person how it was read (encoding and separator, or the workbook's sheet)."""

    how: str
    lines: tuple[Line, ...]

    def rows(self) -> list[tuple[Cell, ...]]:
        """The cells alone."""
        return [line.cells for line in self.lines]
