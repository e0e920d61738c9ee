"""docs/faults.md: what can go wrong, what is done about it, the tests that prove it: read from the tests themselves.

A test proves what its own name or docstring names, as in tests/docs/requirements.py: `fault 7`, `faults 6, 7`, `faults row 7`,
`test_fault_7_…`; and an invariant by its id, `I3`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from tests.docs.markdown import code, table

ROOT = Path(__file__).parents[2]
CATALOGUE = Path(__file__).with_name("faults.toml")
SHOWN = 3
"""Tests that the page links; the rest is counted."""

_NUMBERS = r"\d{1,2}(?:-\d{1,2})?"
_SAID = re.compile(
    rf"\bfaults?(?:\.md)?:?(?:,? rows?)? ({_NUMBERS}(?:(?:, and |, | and ){_NUMBERS})*)(?!\d|%|\.\d)", re.IGNORECASE
)
_NAMED = re.compile(r"(?<=_)faults?_(?:rows?_)?(\d{1,2}(?:_\d{1,2})*)(?=_|$)")
_HOLDS = re.compile(r"\bI([1-7])(?:-I?([1-7]))?\b")
_HELD = re.compile(r"(?<=_)i([1-7])(?=_|$)")

HEAD = """\
# Faults

What can go wrong, what is done about it, the tests that prove it, and where it lives. Written by `make docs` from the tests
themselves; a fault or an invariant without a test fails the build.

"""

PROMISE = """\
Messages to buyers go out at most once, and every doubtful send is shown to a person. Polls, alerts and ledger rows happen at
least once, and the second time changes nothing. Exit codes are those of `tracker run`.

`make chaos` ends daemons and commands by SIGKILL, at every named point and at random instants, while orders come in and people
work; PostgreSQL is restarted under its workers. Afterwards it counts what mail server, carrier and marketplace saw beside what
the database says. A thousand kills over four shops on files and two fleets (seed 1, fifteen minutes on two cores): 2,376 orders,
1,085 mails, nothing lost, nothing done twice, 219 sends in doubt and all of them shown.

Not produced by any test: packets lost below TCP, two real hosts whose clocks drift apart, a failover to a standby server.

"""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the catalogue; `lives` names modules and packages."""

    name: str
    handling: str
    lives: tuple[str, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    invariant: dict[str, str]
    fault: dict[str, Fault]


@cache
def _read() -> _File:
    return msgspec.convert(tomllib.loads(CATALOGUE.read_text(encoding="utf-8")), _File)


@cache
def faults() -> Mapping[int, Fault]:
    """Every row by its number."""
    return {int(number): each for number, each in _read().fault.items()}


@cache
def invariants() -> Mapping[int, str]:
    """What holds whatever happens, by its number."""
    return {int(number): text for number, text in _read().invariant.items()}


@cache
def proofs() -> Mapping[int, tuple[str, ...]]:
    """Fault -> the tests that name it, as `tests/store/test_locking.py::test_…`."""
    return _found(faults_in)


@cache
def guards() -> Mapping[int, tuple[str, ...]]:
    """Invariant -> the tests that name it."""
    return _found(invariants_in)


def _found(reads: Callable[[str], set[int]]) -> Mapping[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for test, words in _tests():
        for each in sorted(reads(words)):
            found.setdefault(each, []).append(test)
    return {each: tuple(tests) for each, tests in found.items()}


@cache
def _tests() -> tuple[tuple[str, str], ...]:
    """Every test with its name and docstring."""
    return tuple(each for path in sorted((ROOT / "tests").rglob("test_*.py")) for each in _tests_of(path))


def _tests_of(path: Path) -> Iterator[tuple[str, str]]:
    place = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(node):
            yield f"{place}::{node.name}", f"{node.name} {' '.join((ast.get_docstring(node) or '').split())}"


def _is_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A test, or what a state machine checks after every step."""
    checks = {ast.unparse(each).partition("(")[0].rpartition(".")[2] for each in node.decorator_list}
    return node.name.startswith("test_") or "invariant" in checks


def faults_in(words: str) -> set[int]:
    """The faults that a name or a docstring names; `faults 6-9` are all between."""
    told = [each for said in _SAID.findall(words) for each in re.findall(_NUMBERS, said)]
    named = [each for said in _NAMED.findall(words) for each in said.split("_")]
    return {number for each in (*told, *named) for number in _between(each)} & faults().keys()


def invariants_in(words: str) -> set[int]:
    """The invariants that a name or a docstring names."""
    told = {number for first, last in _HOLDS.findall(words) for number in range(int(first), int(last or first) + 1)}
    return told | {int(each) for each in _HELD.findall(words)}


def _between(span: str) -> range:
    first, _, last = span.partition("-")
    return range(int(first), int(last or first) + 1)


def page() -> str:
    """docs/faults.md."""
    rows = [
        (str(number), each.name, each.handling, _linked(proofs().get(number, ())), _homes(each.lives))
        for number, each in faults().items()
    ]
    kept = [(f"I{number}", text, _linked(guards().get(number, ()))) for number, text in invariants().items()]
    return (
        HEAD
        + PROMISE
        + "## Faults\n\n"
        + table(("#", "fault", "what is done", "proved by", "lives in"), rows)
        + "\n## What holds whatever happens\n\n"
        + table(("id", "invariant", "proved by"), kept)
    )


def _linked(tests: tuple[str, ...]) -> str:
    """One of each file first, so that the few that are shown tell of different rooms."""
    first = {test.partition("::")[0]: test for test in reversed(tests)}
    shown = sorted(first.values())[:SHOWN]
    shown += [test for test in tests if test not in shown][: SHOWN - len(shown)]
    more = f" and {len(tests) - len(shown)} more" if len(tests) > len(shown) else ""
    return ", ".join(f"[{test.partition('::')[2]}](../{test.partition('::')[0]})" for test in shown) + more


def _homes(modules: tuple[str, ...]) -> str:
    return ", ".join(code(home(each)) for each in modules)


def home(module: str) -> str:
    """Where a module or a package lies. Raises FileNotFoundError where it is neither."""
    place = module.replace(".", "/")
    for path in (f"{place}.py", f"{place}/"):
        if (ROOT / path).exists():
            return path
    raise FileNotFoundError(f"tests/docs/faults.toml: {module}")
