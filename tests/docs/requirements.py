"""docs/requirements.md: every business rule, the tests that prove it, where it lives: read from the tests and the docstrings.

A test proves what its name (`test_r7_…`, `test_d14_…`) or its docstring names; a class or module docstring of tests only says
what they are about. A rule lives in the modules of tracker/ and carriers/ whose docstrings name it.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).with_name("requirements.toml")
SHOWN = 3
"""Tests that the page names; the rest is counted."""

_WORD = re.compile(r"\b([RD])(\d{1,3})[ab]?\b")
_SPAN = re.compile(r"\b([RD])(\d{1,3})-(?:[RD])?(\d{1,3})\b")
_NAME = re.compile(r"(?<=_)([rd])(\d{1,3})(?=_|$)")

HEAD = """\
# Requirements

Every business rule, the tests that prove it, and where it lives. Written by `make docs` from the tests themselves; a core rule
without a test fails the build. **core**: the product does it. **task**: it opens a task with the facts and a deadline.
**config**: a value or text of `config/`. **out**: not logistics, not built.
"""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}):
    """One rule in a line."""

    theme: str
    kind: str
    rule: str
    config: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    theme: dict[str, str]
    rule: dict[str, Requirement]


@cache
def themes() -> Mapping[str, str]:
    """Their headings, in order."""
    return _read().theme


@cache
def requirements() -> Mapping[str, Requirement]:
    """Every rule by its id."""
    return _read().rule


def _read() -> _File:
    return msgspec.convert(tomllib.loads(RULES.read_text(encoding="utf-8")), _File)


@cache
def proofs() -> Mapping[str, tuple[str, ...]]:
    """Rule -> the tests that name it, as `tests/policy/test_ladder.py::test_…`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT).as_posix()
        for name, ids in _tests(path):
            for each in ids:
                found.setdefault(each, []).append(f"{place}::{name}")
    return {each: tuple(tests) for each, tests in found.items()}


@cache
def homes() -> Mapping[str, tuple[str, ...]]:
    """Rule -> the modules whose docstrings name it."""
    found: dict[str, list[str]] = {}
    for top in ("tracker", "carriers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            for each in sorted(_docstring_ids(path), key=_order):
                found.setdefault(each, []).append(place)
    return {each: tuple(places) for each, places in found.items()}


def page() -> str:
    """docs/requirements.md."""
    lines = [HEAD]
    for theme, heading in themes().items():
        lines += [f"## {heading}", "", "| id | class | rule | proved by | lives in |", "|---|---|---|---|---|"]
        lines += [_line(id_, each) for id_, each in requirements().items() if each.theme == theme]
        lines.append("")
    return "\n".join(lines)


def _line(id_: str, each: Requirement) -> str:
    proved = "" if each.kind == "out" else _told(proofs().get(id_, ()))
    lives = "" if each.kind == "out" else _told(homes().get(id_, ()) or ((f"config/{each.config}",) if each.config else ()))
    return f"| {id_} | {each.kind} | {each.rule} | {proved} | {lives} |"


def _told(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more


def _tests(path: Path) -> Iterator[tuple[str, set[str]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            ids = ids_in(ast.get_docstring(node) or "") | {f"{kind.upper()}{number}" for kind, number in _NAME.findall(node.name)}
            if ids:
                yield node.name, ids


def _docstring_ids(path: Path) -> set[str]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, documented):
            found |= ids_in(ast.get_docstring(node) or "")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= ids_in(node.value.value)
    return found


def ids_in(text: str) -> set[str]:
    """The rules that a text names; `R10-R13` and `D20-25` are all between."""
    found = {f"{kind}{int(number)}" for kind, number in _WORD.findall(text)}
    for kind, first, last in _SPAN.findall(text):
        found |= {f"{kind}{number}" for number in range(int(first), int(last) + 1)}
    return found & requirements().keys()


def _order(id_: str) -> tuple[str, int]:
    return id_[0], int(id_[1:])
