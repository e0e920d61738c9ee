"""Every statement of the store is one that PostgreSQL understands: planned there, with nothing in its place-holders.

SQLite forgives what PostgreSQL does not: a column that is not grouped, a truth value that is a number, a table without a name.
What only ever runs on a file says so below.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

import tracker.store
from tracker.store.connection.postgres import translated
from tracker.store.tables import METADATA

ROOT = Path(tracker.store.__file__).parent

_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s")
_PLACES = re.compile(r"(= ANY\(%s\)|<> ALL\(%s\))|%s")
_NAMES = re.compile(r"%\((\w+)\)s")

_FILES_ONLY = {
    "tracker.store.restoring": "a backup is a file, and is readied as one",
    "tracker.store.connection.sqlite": "the file's own connection",
    "tracker.store.connection.postgres": "in the driver's own words",
}
_SQLITE_WORDS = re.compile(r"\bsqlite_master\b")
_PART_OF_ANOTHER = {"SELECT 1 FROM order_shipment m JOIN shipment p ON p.id = m.shipment_id WHERE m.order_id = o.order_id"}

_FILLINGS = (None, 1, "1", datetime(2026, 3, 1, tzinfo=UTC))
"""A statement is right when one of them fits all its places; most fit nothing (NULL)."""

_MIXED = {
    "tracker.store.replay": "a state is compared and a time is set in one expression; test_replay tells it on both",
    "tracker.store.rulesets": "the same; test_rulesets tells it on both",
}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, tuple | list | set | frozenset):
        for each in value:
            yield from _texts(each)


def _written(path: Path) -> Iterator[str]:
    """Statements that stand in a function, as one text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pieces = {id(part) for each in ast.walk(tree) if isinstance(each, ast.JoinedStr) for part in each.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


def statements() -> dict[str, str]:
    """Statement -> the module where it stands."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages([str(ROOT)], "tracker.store."):
        if "migrations" in module.name or module.name in _FILES_ONLY:
            continue
        constants = [text for value in vars(importlib.import_module(module.name)).values() for text in _texts(value)]
        path = ROOT.parent.parent / (module.name.replace(".", "/") + ("/__init__.py" if module.ispkg else ".py"))
        for text in (*constants, *_written(path)):
            plain = " ".join(text.split())
            if _STATEMENT.match(text) and not _SQLITE_WORDS.search(text) and plain not in _PART_OF_ANOTHER:
                found.setdefault(text, module.name)
    return found


def _refusal(connection: psycopg.Connection[object], sql: str) -> str | None:
    """Why PostgreSQL cannot plan it; None: it can."""
    why = None
    for filling in _FILLINGS:
        values: Any = [[] if list_ else filling for list_ in _PLACES.findall(sql)]
        names: Any = dict.fromkeys(_NAMES.findall(sql), filling)
        try:
            psycopg.ClientCursor(connection).execute(f"EXPLAIN {sql}", names or values)
        except psycopg.Error as error:
            why = why or str(error).splitlines()[0]
        else:
            return None
    return why


@pytest.mark.postgres
def test_postgresql_can_plan_every_statement(postgres_url: str) -> None:
    """Names, grouping, types of expressions: of all of them, not only of those that some test reaches."""
    found = statements()
    assert len(found) > 300
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        refused = {
            f"{module}: {' '.join(sql.split())[:90]}": why
            for sql, module in found.items()
            if (why := _refusal(connection, translated(sql))) is not None
            if not (module in _MIXED and "is of type timestamp" in why)
        }
    assert not refused, "\n".join(f"{sql}: {why}" for sql, why in refused.items())


_TEXTS = """
    SELECT table_name, column_name, collation_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type IN ('character varying', 'text') AND table_name = ANY(%s)"""


@pytest.mark.postgres
def test_texts_sort_by_their_bytes_whatever_the_server_speaks(postgres_url: str) -> None:
    """The order of every list is SQLite's; and no index depends on the language tables of the server's C library."""
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute(_TEXTS, (list(METADATA.tables),)).fetchall()
    assert len(found) > 200
    assert [row for row in found if row[2] != "C"] == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    "sql", ["SELECT max(1, 2)", "SELECT store FROM dossier GROUP BY country", "SELECT sum(backlog = 'x') FROM dossier"]
)
def test_what_only_sqlite_takes_would_be_found(postgres_url: str, sql: str) -> None:
    """The gate above has teeth."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert _refusal(connection, translated(sql)) is not None
