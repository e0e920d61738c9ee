"""The workers of a fleet: their signs of life, and the server's time, by which all of them go (facts/engine.md 2.9)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tracker.clock import epoch, instant
from tracker.store.connection import Database, Tx, required


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: `since` when this run of it lives, when it gave its last sign. Times are aware UTC."""

    name: str
    epoch: int
    owner: str
    since: datetime
    seen_at: datetime


class Workers:
    """The store's methods about workers. With one daemon there are none."""

    _db: Database

    async def sign_of_life(self, now: datetime) -> None:
        """Say that this worker lives. Raises EpochLost, SchemaMoved, Gone: then it must stop."""
        name = self._db.worker
        if name is None:
            return
        await self._db.still_standing()
        await self._db.write_beside(lambda tx: tx.run("UPDATE worker SET seen_at = ? WHERE name = ?", epoch(now), name))

    async def workers(self) -> list[Worker]:
        """All that ever were, by name."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT name, epoch, owner, since, seen_at FROM worker ORDER BY name"))
        return [Worker(name=row[0], epoch=row[1], owner=row[2], since=required(row[3]), seen_at=instant(row[4])) for row in rows]

    async def server_time(self) -> datetime | None:
        """What the database server's clock says (aware UTC); None where it is this machine's own."""
        if not self._db.fleet:
            return None

        def look(tx: Tx) -> float:
            return float(tx.value("SELECT extract(epoch FROM clock_timestamp())"))

        return datetime.fromtimestamp(await self._db.read(look), UTC)
