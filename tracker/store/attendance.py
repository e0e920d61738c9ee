"""Who works on the database now: the one daemon of a file, by its lock; the workers of a fleet, each by the lock of its name."""

from __future__ import annotations

from tracker.store.connection import Database, SqliteDatabase, Tx
from tracker.store.lock import daemon_runs

_ALIVE = """
    SELECT w.name FROM worker w JOIN pg_locks l ON l.objid = CAST(CAST(hashtext(w.name) AS bigint) & 4294967295 AS oid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ? AND l.objsubid = 2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class Attendance:
    """The store's methods for who is at work."""

    _db: Database

    async def alive(self) -> frozenset[str]:
        """The names of the workers whose connections live; none on SQLite."""
        return await self._db.read(_alive) if self._db.fleet else frozenset()

    async def runs(self) -> bool | None:
        """Whether a daemon is at work now, any of them; None where the lock file may not be read."""
        if isinstance(self._db, SqliteDatabase):
            return daemon_runs(self._db.path)
        return bool(await self.alive())


def _alive(tx: Tx) -> frozenset[str]:
    from tracker.store.connection.postgres import WORKERS

    return frozenset(row[0] for row in tx.rows(_ALIVE, WORKERS))
