"""How the size of a shop is felt: a database with far more parcels than are due, and the claim of what is due in it.

The sleepers are copies of imported rows under other ids, written by SQL: as many parcels, orders, aliases and memories as there
are meant to be, with rows as long as real ones. Of their scans none is kept: no poll and no claim reads another parcel's.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.bench.product import FIRST_AT, BenchClock
from tracker.clock import epoch
from tracker.store import open_store
from tracker.store.rows import DueShipment

CHUNK = 400
"""Parcels claimed at once."""

_FAR = 400 * 86_400
_COPIED = 1000

_FIRST = {
    "shipment": "id <= {template}",
    "dossier": "id <= {template}",
    "order_shipment": "order_id <= {template}",
    "alias": "shipment_id <= {template}",
    "answer": "number IN (SELECT s.number FROM shipment s WHERE s.id <= {template})",
}
"""Table -> which of its rows are copied."""

_OTHER = {
    "shipment": {"id": "id + {by}", "number": "'S' || (id + {by})", "next_poll_at": "CASE id % 2 WHEN 0 THEN {far} + id END"},
    "dossier": {"id": "id + {by}", "number": "'S' || (id + {by})", "next_decide_at": "CASE id % 2 WHEN 0 THEN {far} + id END"},
    "order_shipment": {"order_id": "order_id + {by}", "shipment_id": "shipment_id + {by}"},
    "alias": {"number": "'S' || (shipment_id + {by})", "shipment_id": "shipment_id + {by}"},
    "answer": {"number": "'S' || ((SELECT s.id FROM shipment s WHERE s.number = answer.number) + {by})"},
}
"""Table -> what is another one in a copy; half of them are finished, the others due in a year."""


def enlarge(path: Path, asleep: int, *, whole: bool) -> dict[str, float]:
    """Add `asleep` parcels (in whole thousands), of which none is due; how many there are in all.

    `whole`: with their orders, aliases and memories; else alone, which is all that a claim can see.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {pragma}")
        template = min(_COPIED, connection.execute("SELECT count(*) FROM shipment").fetchone()[0])
        highest = connection.execute("SELECT max(id) FROM shipment").fetchone()[0]
        connection.execute("BEGIN")
        for copy in range(asleep // template):
            for table in _OTHER if whole else ("shipment",):
                connection.execute(_copy(connection, table, highest + copy * template, template))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        return {"parcels": float(connection.execute("SELECT count(*) FROM shipment").fetchone()[0])}


def _copy(connection: sqlite3.Connection, table: str, by: int, template: int) -> str:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    other = {name: how.format(by=by, far=epoch(FIRST_AT) + _FAR) for name, how in _OTHER[table].items()}
    taken, first = ", ".join(other.get(name, name) for name in columns), _FIRST[table].format(template=template)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table} WHERE {first}"  # noqa: S608 - our own words


async def measure(path: Path, rounds: int) -> dict[str, float]:
    """CPU microseconds of one claim of 400 due parcels: the median (`p50`) and the 95th of a hundred (`p95`)."""
    clock = BenchClock(FIRST_AT)
    store = await open_store(f"sqlite:///{path}", clock=clock, daemon=True)
    spent: list[float] = []
    found: list[DueShipment] = []
    for _ in range(rounds + 1):
        started = time.process_time()
        found = await store.due_shipments(clock.now(), CHUNK)
        spent.append((time.process_time() - started) * 1e6)
    await store.close()
    if not found:
        raise RuntimeError("nothing was due")
    ordered = sorted(spent[1:])
    return {"p50": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)], "found": float(len(found))}
