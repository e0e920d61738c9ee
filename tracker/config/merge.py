"""Lay files over each other: tables merge key by key, arrays of tables by `id`, `enabled = false` removes one (DESIGN, Config).

Every value keeps its origin, so that `config check` can name the line that set it last and `config show` where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from tracker.config.layers import ENVIRONMENT, PREFIX, Layer
from tracker.config.linemap import Path
from tracker.config.problem import Level, Problem

Merged = tuple[str, ...]
"""A path in the merged configuration: entries of an array of tables go by their id."""


class Origin(msgspec.Struct, frozen=True):
    """Who set a value: a layer, and the path of the key there."""

    layer: Layer
    path: Path

    @property
    def file(self) -> str:
        """The file, or the variable's name."""
        if self.layer.file != ENVIRONMENT:
            return self.layer.file
        return "__".join([PREFIX.rstrip("_"), *map(str, self.path)]).upper()

    def __str__(self) -> str:
        """`default`, `file:line`, or the variable's name."""
        if self.layer.shipped:
            return "default"
        line = self.layer.line(self.path)
        return self.file if line is None else f"{self.file}:{line}"


class Section:
    """One file of the configuration, merged. `name` is its stem; a store's section is `stores/<id>`."""

    def __init__(self, name: str, layers: Sequence[Layer]) -> None:
        self.name = name
        self.data: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._layers = layers
        self._origins: dict[Merged, Origin] = {}
        for layer in layers:
            self._lay(self.data, layer.data, layer, (), ())

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were laid over each other."""
        return tuple(layer.file for layer in self._layers if layer.file != ENVIRONMENT)

    def origin(self, path: Merged) -> Origin | None:
        """Who set the value at `path`, or the table around it, or where there is none the first value inside it."""
        around = path
        while around:
            if around in self._origins:
                return self._origins[around]
            around = around[:-1]
        inside = next((origin for at, origin in self._origins.items() if path and at[: len(path)] == path), None)
        if inside is not None:
            return inside
        return Origin(self._layers[-1], ()) if self._layers else None

    def problem(self, path: Merged, message: str, level: Level = "error") -> Problem:
        """A problem at the line that set `path` last; where a shipped value and an operator's do not fit, at the operator's."""
        origin = self.origin(path)
        if origin and origin.layer.shipped:
            origin = self._own(path) or origin
        file, line = (origin.file, origin.layer.line(origin.path)) if origin else (self.name, None)
        return Problem(file=file, line=line, key=self.shown(path), message=message, level=level)

    def _own(self, path: Merged) -> Origin | None:
        """The first value below or beside `path`, in the same entry or table, that the shipped file does not set."""
        for end in range(len(path), 0, -1):
            if isinstance(self.data.get(path[0]), list) and end < 2:  # noqa: PLR2004 - (table, id): another entry is not beside it
                return None
            beside = ((at, origin) for at, origin in self._origins.items() if at[:end] == path[:end] and at[-1] != "id")
            own = (origin for _, origin in beside if not origin.layer.shipped)
            if (found := next(own, None)) is not None:
                return found
        return None

    def shown(self, path: Merged) -> str:
        """`profile[br-standard].stage_days.stage2`."""
        parts: list[str] = []
        value: object = self.data
        for step in path:
            if isinstance(value, list):
                parts[-1] += f"[{step}]"
                value = next((each for each in value if isinstance(each, dict) and each.get("id") == step), None)
            else:
                parts.append(step)
                value = value.get(step) if isinstance(value, dict) else None
        return ".".join(parts)

    def _lay(self, base: dict[str, Any], over: Mapping[str, Any], layer: Layer, merged: Merged, path: Path) -> None:
        for key, value in over.items():
            here, there = (*merged, key), (*path, key)
            if not merged and _is_tables(value) and _may_be_tables(base.get(key)):
                base[key] = self._lay_tables(base.get(key, []), value, layer, here)
            elif isinstance(value, dict) and isinstance(base.get(key), dict):
                self._lay(base[key], value, layer, here, there)
            else:
                base[key] = deepcopy(value)
                # Of tables in a list, the line of the first one is theirs.
                self._note(value, layer, here, (*there, 0) if _is_tables(value) else there)

    def _lay_tables(self, base: list[Any], over: Iterable[dict[str, Any]], layer: Layer, merged: Merged) -> list[Any]:
        """The entries of both; new ones come first, so that an operator's service beats a shipped one for the same text."""
        entries = {each.get("id"): each for each in base}
        added: list[dict[str, Any]] = []
        for index, entry in enumerate(over):
            known = entry.get("id")
            path: Path = (merged[0], index)
            if not isinstance(known, str) or not known:
                self._complain(layer, path, merged[0], 'every entry needs a text `id = "..."` of its own')
            elif entry.get("enabled") is False:
                if entries.pop(known, None) is None:
                    self._complain(layer, path, f"{merged[0]}[{known}]", "enabled = false removes nothing: no such id", "warning")
            else:
                self._lay_entry(entries, added, entry, layer, (merged[0], known), path)
        return added + list(entries.values())

    def _lay_entry(
        self,
        entries: dict[Any, Any],
        added: list[dict[str, Any]],
        entry: dict[str, Any],
        layer: Layer,
        merged: Merged,
        path: Path,
    ) -> None:
        known = merged[-1]
        if any(each["id"] == known for each in added):
            self._complain(layer, path, f"{merged[0]}[{known}]", "this id stands twice in the file")
            return
        over = {key: value for key, value in entry.items() if key != "enabled"}
        if known in entries:
            self._lay(entries[known], over, layer, merged, path)
        else:
            added.append(deepcopy(over))
            self._note(over, layer, merged, path)

    def _note(self, value: object, layer: Layer, merged: Merged, path: Path) -> None:
        self._origins[merged] = Origin(layer, path)
        if isinstance(value, dict):
            for key, inner in value.items():
                self._note(inner, layer, (*merged, key), (*path, key))

    def _complain(self, layer: Layer, path: Path, key: str, message: str, level: Level = "error") -> None:
        problem = Problem(file=layer.file, line=layer.line(path), key=key, message=message, level=level)
        self.problems.append(problem)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _may_be_tables(known: object) -> bool:
    """Whether a list of tables may be laid over what is known: over a table, or a list of words, it is told as wrong."""
    return known is None or known == [] or _is_tables(known)
