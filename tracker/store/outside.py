"""One transaction outside any open store, on either database: for what commands do to a database as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracker.store import fleet_schema
from tracker.store.connection import Tx, is_postgres, place, plain, sqlite_path
from tracker.store.errors import AnotherDaemon
from tracker.store.lock import DaemonLock
from tracker.store.schema import existing

_WORKING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = ? AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@contextmanager
def outside(url: str, *, write: bool = False) -> Iterator[Tx]:
    """One transaction: a snapshot to read, or with `write` the only one that writes, committed at the end.

    Raises DatabaseMissing, UnsupportedDatabase, Damaged, Locked, Gone.
    """
    if not is_postgres(url):
        with plain(existing(sqlite_path(url)), write=write) as tx:
            yield tx
        return
    fleet_schema.imported()
    from tracker.store.connection import postgres

    with postgres.plain(url) as tx:
        if write:
            tx.rows("SELECT pg_advisory_xact_lock(?, ?)", postgres.LOCKS, postgres.WRITERS)
        else:
            tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield tx


@contextmanager
def alone(url: str) -> Iterator[Tx]:
    """The same, with `write`, while no daemon works on the database, and none can begin. Raises AnotherDaemon."""
    if is_postgres(url):
        with outside(url, write=True) as tx:
            # A worker that begins now waits for our lock with its first write.
            refuse_workers(tx, place(url))
            yield tx
        return
    path = existing(sqlite_path(url))
    lock = DaemonLock(path)
    try:
        with plain(path, write=True) as tx:
            yield tx
    finally:
        lock.release()


def refuse_workers(tx: Tx, where: str) -> None:
    """Raises AnotherDaemon while a worker lives: its connection holds a lock by its name."""
    from tracker.store.connection.postgres import WORKERS

    if tx.value(_WORKING, WORKERS):
        raise AnotherDaemon(
            f"Workers are at {where}. Stop them all first, on every host (systemctl stop tracker.target). "
            "Who they are: tracker status"
        )
