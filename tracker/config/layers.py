"""One file, or the environment, as a layer of the configuration: its data, and the line of each key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tomlkit import parse
from tomlkit.exceptions import ParseError, TOMLKitError

from tracker.config.linemap import Path as KeyPath
from tracker.config.linemap import line_map
from tracker.config.problem import ConfigError, Problem

ENVIRONMENT = "environment"
PREFIX = "TRACKER__"


class Layer:
    """Where values come from. `shipped` marks the product's own defaults."""

    def __init__(self, file: str, data: Mapping[str, Any], text: str, *, shipped: bool = False) -> None:
        self.file = file
        self.data = data
        self.shipped = shipped
        self.text = text

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        return line_map(self.text)

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest table around it. Costs a second parse: asked only when something is to be told."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


def read_layer(file: Path, *, shipped: bool = False) -> Layer:
    """Read one TOML file. Raises ConfigError with one problem: unreadable, not UTF-8, or a syntax error with its line."""
    text = read_text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, message = _syntax(text, str(error))
        raise ConfigError([Problem(file=str(file), line=line, key="", message=f"not valid TOML: {message}")]) from error
    return Layer(str(file), data, text, shipped=shipped)


def require_access(file: Path) -> None:
    """A folder that may not be entered is one problem, not one for each file in it. Raises ConfigError."""
    try:
        file.stat()
    except PermissionError as error:
        raise ConfigError([_unreadable(file, error)]) from error
    except OSError:
        return


def read_text(file: Path) -> str:
    """The text of a file. Raises ConfigError with one problem."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(file=str(file), line=line, key="", message="not UTF-8: save the file with that encoding")
        raise ConfigError([problem]) from error
    except FileNotFoundError as error:
        raise ConfigError([Problem(file=str(file), line=None, key="", message="there is no such file")]) from error
    except OSError as error:
        raise ConfigError([_unreadable(file, error)]) from error


def _unreadable(file: Path, error: OSError) -> Problem:
    who = _who_may(file) if isinstance(error, PermissionError) else ""
    return Problem(file=str(file), line=None, key="", message=f"cannot be read: {error.strerror}{who}")


def _who_may(file: Path) -> str:
    """Whose folder it is: a server's configuration is shown to one group."""
    try:
        group = file.parent.group()
    except (OSError, KeyError):
        return ""
    return f"; members of the group {group} may (usermod -aG {group} NAME, then log in again)"


def _syntax(text: str, fallback: str) -> tuple[int | None, str]:
    """Where the standard library has the line only in its words, tomlkit knows it."""
    try:
        parse(text)
    except ParseError as error:
        return error.line, str(error).partition(" at line ")[0]
    except TOMLKitError:
        pass
    return None, fallback


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """`TRACKER__LOG__FORMAT=json` as `log.format` of tracker.toml; a value is read as TOML, else taken as text."""
    data: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX):
            continue
        *tables, key = name.removeprefix(PREFIX).lower().split("__")
        inner = data
        for table in tables:
            inner = inner.setdefault(table, {}) if isinstance(inner.get(table, {}), dict) else {}
        inner[key] = _value(value)
    return Layer(ENVIRONMENT, data, "")


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
