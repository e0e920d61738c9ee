"""How SQLite goes about every statement of the store: nothing is read as a whole once for each row of something else.

A shop of a hundred parcels never notices; with a hundred thousand, one such statement stands still for a minute, and the daemon
with it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.build import NOW
from tests.store.test_dialects import statements
from tracker.store import create, explain
from tracker.store.tables import METADATA

POSTGRES_ALONE = re.compile(r"FOR UPDATE|pg_|::|set_config|to_regclass|information_schema|clock_timestamp|greatest\(")

SMALL = frozenset({"account", "daemon", "worker", "meta", "ruleset", "quota_day"})
"""Tables that do not grow with the shop."""

_SCAN = re.compile(r"SCAN (\w+)")
_ALIAS = r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+AS)?\s+{}\b"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database, without statistics, as it is in life: the plans follow the indexes alone."""
    create(f"sqlite:///{tmp_path / 'tracker.db'}", rehearsal=True, now=NOW)
    with closing(sqlite3.connect(tmp_path / "tracker.db")) as opened:
        yield opened


def repeated_scans(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The tables that this statement reads as a whole, once for each row of another."""
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", sql))
    plain = sql.replace("??", "?, ?")
    steps = connection.execute(f"EXPLAIN QUERY PLAN {plain}", names or [None] * plain.count("?")).fetchall()
    texts = {step: (parent, text) for step, parent, _, text in steps}
    outer: set[int] = set()
    found = []
    for _, parent, _, text in steps:
        scan = _SCAN.match(text)
        if scan and (parent in outer or "CORRELATED" in _above(texts, parent)):
            named = re.search(_ALIAS.format(scan[1]), sql)
            found.append(named[1] if named else scan[1])
        if text.startswith(("SCAN", "SEARCH")):
            outer.add(parent)
    return [table for table in found if table in METADATA.tables and table not in SMALL]


def _above(texts: dict[int, tuple[int, str]], step: int) -> str:
    said = []
    while step:
        step, text = texts[step]
        said.append(text)
    return " ".join(said)


def test_no_statement_reads_a_table_once_for_each_row_of_another(connection: sqlite3.Connection) -> None:
    """Fault 34, the watchdog: the nightly look at what may be forgotten took twenty seconds for a thousand orders."""
    asked = {sql: module for sql, module in statements().items() if not POSTGRES_ALONE.search(sql)}
    assert len(asked) > 300
    found = {
        f"{module}: {' '.join(sql.split())[:90]}": again
        for sql, module in asked.items()
        if (again := repeated_scans(connection, sql))
    }
    assert not found, "\n".join(f"{sql}: {tables}" for sql, tables in found.items())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM shipment s WHERE s.id IN (SELECT 1) OR (SELECT count(*) FROM answer n WHERE n.number = s.number) > 1",
        "SELECT 1 FROM shipment s WHERE EXISTS (SELECT 1 FROM answer n WHERE n.number = s.number)",
    ],
)
def test_a_statement_that_does_is_found(connection: sqlite3.Connection, sql: str) -> None:
    """The gate above has teeth."""
    assert repeated_scans(connection, sql) == ["answer"]


def test_what_accounts_remember_of_a_parcel_is_found_by_their_key(connection: sqlite3.Connection) -> None:
    """DESIGN, speed: whoever explains one parcel of a million does not have the answers about all of them read."""
    steps = connection.execute(f"EXPLAIN QUERY PLAN {explain._ANSWERS}", (1, 1)).fetchall()
    reads = [text for *_, text in steps if re.search(r" answer\b", text)]
    assert any("account=? AND number=?" in text for text in reads), reads
    assert not [text for text in reads if text.startswith("SCAN")]
