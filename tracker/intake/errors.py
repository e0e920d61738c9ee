"""What can be wrong with a file, a row, or the format table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracker.config.problem import Problem

if TYPE_CHECKING:
    from tracker.intake.sheets import Sheet


class FileError(Exception):
    """The whole file cannot be taken. The message says what is wrong and how to mend it."""


class UnknownLayoutError(FileError):
    """No format knows the layout. `sheet` and `header` (index of its line) are what a mapping can be proposed from."""

    def __init__(self, message: str, sheet: Sheet, header: int) -> None:
        super().__init__(message)
        self.sheet = sheet
        self.header = header


class RowError(Exception):
    """One row cannot be taken; its message is the reason in the rejected file."""


class FormatsError(Exception):
    """formats.toml, or a profile, cannot be used. `problems` are all that is wrong with them, warnings included."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
