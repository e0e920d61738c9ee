"""Key path -> line of a TOML text, from tomlkit's lossless body (no library does this; facts/dependencies.md section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Table

Path = tuple[str | int, ...]


def line_map(text: str) -> dict[Path, int]:
    """Every key of a valid TOML text with its line, counted from 1; tables of an array carry their index."""
    return _Walk(text).lines


class _Walk:
    """A cursor that follows the items of the document through its text: what was passed is never found again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.lines: dict[Path, int] = {}
        self._body(tomlkit.parse(text).body, ())

    def _body(self, body: Iterable[tuple[Any, Any]], prefix: Path) -> None:
        for key, item in body:
            if key is None:
                self._pass(item.as_string())
            elif isinstance(item, AoT):
                for index, table in enumerate(item.body):
                    self._table(key.key, table, (*prefix, key.key, index))
            elif isinstance(item, Table | InlineTable):
                self._table(key.key, item, (*prefix, key.key))
            else:
                self._name(key.key, (*prefix, key.key))
                self._pass(item.as_string())
                self._pass(item.trivia.comment)

    def _table(self, name: str, table: Table | InlineTable, path: Path) -> None:
        self._name(name, path)
        self._pass(table.trivia.comment if isinstance(table, Table) else "")
        self._body(table.value.body, path)

    def _name(self, name: str, path: Path) -> None:
        self._pass(name)
        self.lines[path] = self._text.count("\n", 0, self._at) + 1

    def _pass(self, passage: str) -> None:
        found = self._text.find(passage, self._at)
        if found >= 0:
            self._at = found + len(passage)
