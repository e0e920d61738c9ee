"""The merged configuration with the origin of each value, and the form of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from tracker.config.load import MAIN, SHAPES, Loaded
from tracker.config.merge import Section
from tracker.config.shape import SECRET
from tracker.config.shape_market import StoreFile

_SECRETIVE = ("password", "secret", "token", "key")
MASK = "***"
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One value: the file (its stem), the key's dotted path, the value, and its origin: `default`, `file:line`, a variable."""

    section: str
    key: str
    value: Any
    origin: str


def show(loaded: Loaded) -> tuple[Setting, ...]:
    """Every value in the order of the files. A secret is shown as the reference it is."""
    return tuple(setting for name, section in loaded.sections.items() for setting in _settings(name, section, section.data, ()))


def _settings(name: str, section: Section, data: object, path: tuple[str, ...]) -> Iterator[Setting]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _settings(name, section, value, (*path, key))
    elif len(path) == 1 and isinstance(data, list) and data and all(isinstance(each, dict) for each in data):
        for each in data:
            inner = {key: value for key, value in each.items() if key != "id"}
            yield from _settings(name, section, inner, (*path, each["id"]))
    else:
        value = MASK if hidden(path[-1], data) else without_password(data)
        yield Setting(section=name, key=section.shown(path), value=value, origin=str(section.origin(path)))


def hidden(key: str, value: object) -> bool:
    """Whether this value may not be shown: a secret that stands where only a reference to it should."""
    return isinstance(value, str) and key.rpartition("_")[2] in _SECRETIVE and not SECRET.fullmatch(value)


def without_password(value: object) -> object:
    """An address whose password is not shown; anything else as it is."""
    return _PASSWORD.sub(rf"\1:{MASK}@", value) if isinstance(value, str) else value


@cache
def schema(name: str = MAIN) -> Mapping[str, Any]:
    """JSON Schema of a file (`tracker`, `destinations` ..., `store`), for editors. KeyError for an unknown name."""
    shape = StoreFile if name == "store" else SHAPES[name]
    return shape.model_json_schema()
