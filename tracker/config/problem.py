"""What is wrong in a configuration, said so that it can be mended: where, which key, what, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

import msgspec

Level = Literal["error", "warning"]

_SHOWN = 12


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `file` is a path or a variable's name, `line` counts from 1 (None: no single line), `key` a dotted path."""

    file: str
    line: int | None
    key: str
    message: str
    level: Level = "error"

    def __str__(self) -> str:
        """`file:line: key: message`; a warning says so."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        mark = "warning: " if self.level == "warning" else ""
        return ": ".join(part for part in (where, self.key, mark + self.message) if part)


class ConfigError(Exception):
    """A configuration that cannot be used. `problems` are all of them, warnings included, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (each.file, each.line or 0)))
        super().__init__("\n".join(map(str, self.problems)))


def meant(got: str, allowed: Iterable[str]) -> str:
    """` (got "x", did you mean "y")`, or the names that are allowed when none is near."""
    names = sorted(map(str, allowed))
    near = get_close_matches(got, names, n=1)
    if near:
        return f' (got "{got}", did you mean "{near[0]}")'
    shown = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
    return f' (got "{got}", allowed: {shown or "nothing"})'
