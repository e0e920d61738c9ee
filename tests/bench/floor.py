"""The floor: what no program can save. Typed decode of the same bytes, and raw SQLite statements for the same rows.

No HTTP, no comparison, no decision, no checks, and of a scan only what the answer tells (the product also keeps its wall clock,
our status and reason, whose word it is and since when). The pragmas are the product's own, 400 parcels a transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.bench.answers import BATCH, batches, body, numbers

A_TRANSACTION = 400

_TABLES = """
CREATE TABLE event (shipment_id INTEGER NOT NULL, key BLOB NOT NULL, time INTEGER, offset_minutes INTEGER, code TEXT,
    description TEXT, location TEXT, PRIMARY KEY (shipment_id, key)) WITHOUT ROWID;
CREATE TABLE shipment (id INTEGER PRIMARY KEY, number TEXT NOT NULL, next_poll_at INTEGER, last_answer_at INTEGER,
    status TEXT, moved_at INTEGER, fingerprints BLOB, digest BLOB);
CREATE INDEX shipment_due ON shipment (next_poll_at) WHERE next_poll_at IS NOT NULL;
"""


class _Event(msgspec.Struct, gc=False):
    time_iso: datetime
    description: str
    location: str
    sub_status: str


class _Provider(msgspec.Struct, gc=False):
    events: list[_Event]


class _Tracking(msgspec.Struct, gc=False):
    providers: list[_Provider]


class _Status(msgspec.Struct, gc=False):
    status: str


class _Info(msgspec.Struct, gc=False):
    latest_status: _Status
    tracking: _Tracking


class _Item(msgspec.Struct, gc=False):
    number: str
    track_info: _Info

    @property
    def events(self) -> list[_Event]:
        return self.track_info.tracking.providers[0].events


class _Data(msgspec.Struct, gc=False):
    accepted: list[_Item]


class _Body(msgspec.Struct, gc=False):
    data: _Data


_DECODER = msgspec.json.Decoder(_Body)
_INSERT = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"
_UPDATE = "UPDATE shipment SET next_poll_at=?, last_answer_at=?, status=?, moved_at=?, fingerprints=?, digest=? WHERE id=?"
_KEYS = [index.to_bytes(8, "big") for index in range(64)]


def measure(path: Path, shipments: int) -> dict[str, float]:
    """CPU microseconds a parcel: `first` (all scans new), `same` (nothing new), `one` (one new scan each)."""
    ids = {one: index + 1 for index, one in enumerate(numbers(shipments))}
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32768"):
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(_TABLES)
    connection.executemany("INSERT INTO shipment (id, number, next_poll_at) VALUES (?, ?, 0)", [(i, n) for n, i in ids.items()])
    figures = {}
    for name, write in (("first", _first), ("same", _same), ("one", _one)):
        bodies = [body(asked, datetime.now(UTC), news=name == "one") for asked in batches(list(ids))]
        groups = [bodies[at : at + A_TRANSACTION // BATCH] for at in range(0, len(bodies), A_TRANSACTION // BATCH)]
        started = time.process_time()
        for group in groups:
            items = [item for one in group for item in _DECODER.decode(one).data.accepted]
            connection.execute("BEGIN IMMEDIATE")
            write(connection, ids, items)
            connection.execute("COMMIT")
        figures[name] = (time.process_time() - started) * 1e6 / shipments
    connection.close()
    return figures


def _first(connection: sqlite3.Connection, ids: dict[str, int], items: Sequence[_Item]) -> None:
    connection.executemany(_INSERT, _scans(ids, items))
    connection.executemany(_UPDATE, _parcels(ids, items))


def _one(connection: sqlite3.Connection, ids: dict[str, int], items: Sequence[_Item]) -> None:
    news = [(ids[item.number], item.events[0]) for item in items]
    rows = [
        (shipment, _KEYS[-1], int(event.time_iso.timestamp()), 480, event.sub_status, event.description, event.location)
        for shipment, event in news
    ]
    connection.executemany(_INSERT, rows)
    connection.executemany(_UPDATE, _parcels(ids, items))


def _scans(ids: dict[str, int], items: Sequence[_Item]) -> list[tuple[object, ...]]:
    return [
        (shipment, key, int(event.time_iso.timestamp()), 480, event.sub_status, event.description, event.location)
        for item in items
        for shipment in (ids[item.number],)
        for key, event in zip(_KEYS, item.events, strict=False)
    ]


def _parcels(ids: dict[str, int], items: Sequence[_Item]) -> Iterator[tuple[object, ...]]:
    for item in items:
        events = item.events
        moved_at = int(events[0].time_iso.timestamp())
        yield 2, 1, item.track_info.latest_status.status, moved_at, b"".join(_KEYS[: len(events)]), _KEYS[0], ids[item.number]


def _same(connection: sqlite3.Connection, ids: dict[str, int], items: Sequence[_Item]) -> None:
    rows = [(3, 2, ids[item.number]) for item in items]
    connection.executemany("UPDATE shipment SET next_poll_at=?, last_answer_at=? WHERE id=?", rows)
