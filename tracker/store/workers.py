"""The workers of a fleet: their signs of life, and the server's time, by which all of them go (facts/engine.md 2.9)."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import msgspec

from tracker.clock import epoch, instant
from tracker.store.backup import OLDEST_OF, known_journals
from tracker.store.connection import Database, Tx, required
from tracker.store.errands import JOURNAL_OF
from tracker.store.errors import Conflict, NotThere
from tracker.store.records import audit

_STOPPED = "stopped"

_WORKERS = "SELECT name, epoch, owner, since, seen_at FROM worker"

_LAST_EPOCH = """
    INSERT INTO meta (key, value) VALUES ('forgotten_epoch', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"""

LAST_EPOCH = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'forgotten_epoch'"
"""The highest epoch of all workers that were forgotten: one of their names begins above it, should it be given again."""


def owned(host: str, who: str = _STOPPED) -> str:
    """Who has a worker's name, as its row keeps it: `tokyo, process 4711`, or `tokyo, stopped` after a clean stop."""
    return f"{host}, {who}"


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: `since` when this run of it lives, when it gave its last sign. Times are aware UTC.

    `owner` is as `owned` writes it.
    """

    name: str
    epoch: int
    owner: str
    since: datetime
    seen_at: datetime

    @property
    def host(self) -> str:
        """Where it ran last."""
        return self.owner.rpartition(", ")[0]

    @property
    def stopped(self) -> bool:
        """Whether it said itself that it ends; else it works, or is away."""
        return self.owner == owned(self.host)


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that will not come back, and where its send journal lies: a restore wants that all the same. None: it has none."""

    worker: Worker
    journal: str | None


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

    async def sign_off(self, now: datetime) -> None:
        """Say that this worker stops because it was asked to. Raises EpochLost, SchemaMoved, Gone: then it is away."""
        name, stopped = self._db.worker, "UPDATE worker SET owner = ?, seen_at = ? WHERE name = ?"
        if name is not None:
            await self._db.write_beside(lambda tx: tx.run(stopped, owned(hostname()), epoch(now), name))

    async def workers(self) -> list[Worker]:
        """All that ever were and are not forgotten, by name."""
        return await self._db.read(known_workers)

    async def forget_worker(self, name: str, *, by: str, reason: str, now: datetime) -> Forgotten:
        """It will not come back: its row goes, and what the schedule remembers of it. Raises NotThere; Conflict while it lives.

        Where its send journal lies stays known. Comes a process of that name all the same, it begins anew; one that slept
        meanwhile writes nothing more (fault 21).
        """

        def forget(tx: Tx) -> Forgotten:
            found = {worker.name: worker for worker in known_workers(tx)}.get(name)
            if found is None:
                raise NotThere(f"No worker is called {name}. Who there is: tracker status")
            if tx.fleet and not _stands_still(tx, name):
                raise Conflict(f"Worker {name} is at work ({found.owner}). Stop it first: systemctl disable --now tracker@{name}")
            forget_epoch(tx, found.epoch)
            tx.run("DELETE FROM worker WHERE name = ?", name)
            tx.run("DELETE FROM errand WHERE name = ?", JOURNAL_OF + name)
            tx.run("DELETE FROM meta WHERE key = ?", OLDEST_OF + name)
            audit(tx, now, who=by, what="worker_forgotten", order_id=None, subject=f"worker/{name}", reason=reason)
            return Forgotten(worker=found, journal=known_journals(tx).get(name))

        return await self._db.write(forget)

    async def server_time(self) -> datetime | None:
        """What the database server's clock says (aware UTC); None where it is this machine's own."""
        if not self._db.fleet:
            return None

        def look(tx: Tx) -> float:
            return float(tx.value("SELECT extract(epoch FROM clock_timestamp())"))

        return datetime.fromtimestamp(await self._db.read(look), UTC)


def forgotten_epoch(tx: Tx) -> int:
    """See `LAST_EPOCH`; 0: nobody was forgotten."""
    return int(tx.value(LAST_EPOCH) or 0)


def forget_epoch(tx: Tx, epoch_: int) -> None:
    """No worker that begins from here on has this epoch, or one below."""
    highest = max(epoch_, forgotten_epoch(tx))
    if highest:
        tx.run(_LAST_EPOCH, str(highest))


def known_workers(tx: Tx) -> list[Worker]:
    """See `Workers.workers`."""
    return [
        Worker(name=row[0], epoch=row[1], owner=row[2], since=required(row[3]), seen_at=instant(row[4]))
        for row in tx.rows(f"{_WORKERS} ORDER BY name")
    ]


def hostname() -> str:
    """This host; the name of a worker that was given none."""
    return socket.gethostname().partition(".")[0] or "worker"


def _stands_still(tx: Tx, name: str) -> bool:
    """Whether nobody holds the name; until the end of this transaction nobody can take it."""
    from tracker.store.connection.postgres import WORKERS

    return bool(tx.value("SELECT pg_try_advisory_xact_lock(?, hashtext(?))", WORKERS, name))
