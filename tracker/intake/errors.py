"""What can be wrong with a file, a row, or the format table."""

from __future__ import annotations


class FileError(Exception):
    """The whole file cannot be taken. The message says what is wrong and how to mend it."""


class RowError(Exception):
    """One row cannot be taken; its message is the reason in the rejected file."""


class FormatsError(Exception):
    """formats.toml contradicts itself."""
