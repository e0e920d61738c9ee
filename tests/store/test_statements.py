"""SQL is text of ours and bound values: what is set into a statement is a constant of the program (fault 30).

ruff's S608 is the first gate. Where it was told to be silent, a reason stands beside it; and here every statement that is put
together, silenced or not, is taken apart: each piece must be a constant, a number, or a mark for a bound value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "tracker" / "store").rglob("*.py"))
_SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|CREATE|DROP|ALTER|PRAGMA|VACUUM|ATTACH|COPY|LISTEN|NOTIFY|SET)\b"
)
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_SILENT = re.compile(r"# noqa: .*S608(?P<reason>.*)")
_NUMBERS = {"int", "float"}


class Statements(ast.NodeVisitor):
    """The f-strings of one module that are SQL, with those of their pieces that come from anywhere but the program itself."""

    def __init__(self, source: str) -> None:
        self.found: list[tuple[int, list[str]]] = []
        self._tree = ast.parse(source)
        self._functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        self.visit(self._tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._functions.append(node)
        self.generic_visit(node)
        self._functions.pop()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._functions.append(node)
        self.generic_visit(node)
        self._functions.pop()

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        if _SQL.search("".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))):
            pieces = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            self.found.append((node.lineno, [ast.unparse(piece) for piece in pieces if not self._ours(piece)]))
        self.generic_visit(node)

    def _ours(self, piece: ast.expr) -> bool:
        match piece:
            case ast.Constant() | ast.Call(func=ast.Name(id="marks" | "len")):
                return True
            case ast.Name(id=name):
                return bool(_CONSTANT.fullmatch(name)) or self._known(name)
            case ast.JoinedStr(values=values):
                return all(self._ours(part.value) for part in values if isinstance(part, ast.FormattedValue))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return all(map(self._ours, parts))
            case ast.BinOp(left=left, right=right):
                return self._ours(left) and (self._ours(right) or isinstance(right, ast.Call))
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[part]) | ast.GeneratorExp(elt=part):
                return self._ours(part)
        return False

    def _known(self, name: str) -> bool:
        """A variable that runs over constants, a parameter that is a number, or one that the module itself always fills in."""
        scope = self._functions[-1] if self._functions else self._tree
        sources = [*_walked_over(scope, name)]
        if sources:
            return all(map(self._ours, sources))
        return any(self._filled_in(function, name) for function in self._functions)

    def _filled_in(self, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
        names = [each.arg for each in function.args.args]
        if name not in names:
            return False
        told = function.args.args[names.index(name)].annotation
        if isinstance(told, ast.Name) and told.id in _NUMBERS:
            return True
        place = names.index(name) - (names[0] == "self")
        calls = [
            call
            for call in ast.walk(self._tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == function.name
        ]
        private = function.name.startswith("_")
        return private and bool(calls) and all(len(call.args) > place and self._ours(call.args[place]) for call in calls)


def _walked_over(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(scope):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield node.iter


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT / "tracker").as_posix())
def test_nothing_from_outside_is_set_into_a_statement(module: Path) -> None:
    """Fault 30."""
    strange = [(line, pieces) for line, pieces in Statements(module.read_text()).found if pieces]
    assert strange == []


@pytest.mark.parametrize(
    ("source", "strange"),
    [
        ("def f(name):\n return f'SELECT {name}'", ["name"]),
        ("def f(row):\n return f'DELETE FROM {row.table}'", ["row.table"]),
        ("def f(names):\n return f\"SELECT {', '.join(names)} FROM x\"", ["', '.join(names)"]),
        ("def f(names):\n return [f'DROP TABLE {name}' for name in names]", ["name"]),
        ("def _f(t):\n return f'UPDATE {t}'\n_f('a')\ndef g(x):\n _f(x)", ["t"]),
        ("def f(n: int):\n return f'PRAGMA busy={n}'", []),
        ("def _f(t):\n return f'UPDATE {t}'\n_f('a')\n_f('b')", []),
        ("for t in ('a', 'b'):\n x = f'UPDATE {t} SET a = ? WHERE id IN ({marks(2)})'", []),
        ("A = 'x'\nB = f\"SELECT {', '.join(A)} FROM {A}\"", []),
    ],
)
def test_the_gate_sees_what_comes_from_outside(source: str, strange: list[str]) -> None:
    """Fault 30: the gate itself is tried."""
    [(_, pieces)] = Statements(source).found
    assert pieces == strange


def test_there_are_statements_to_look_at() -> None:
    """Fault 30: a gate that finds nothing to look at is no gate."""
    assert sum(len(Statements(module.read_text()).found) for module in MODULES) > 15


def test_a_silenced_warning_says_why() -> None:
    """Fault 30: `noqa: S608` stands with a reason, in tracker/store alone."""
    silenced = [
        (path.relative_to(ROOT).as_posix(), found["reason"])
        for path in sorted((ROOT / "tracker").rglob("*.py"))
        for line in path.read_text().splitlines()
        if (found := _SILENT.search(line))
    ]
    assert silenced
    assert [path for path, reason in silenced if not re.match(r" -+ \w+ \w+", reason)] == []
    assert {path.split("/")[1] for path, _ in silenced} == {"store"}
