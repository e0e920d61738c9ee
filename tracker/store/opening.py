"""Opening a store: the checks before the first statement, the daemon's lock and epoch, the one class with all methods."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from tracker.clock import Clock, epoch
from tracker.store.advisories import Advisories
from tracker.store.alerts import Alerts
from tracker.store.attendance import Attendance
from tracker.store.backlog import Backlog
from tracker.store.backup import Journals
from tracker.store.brake import Brake
from tracker.store.capabilities import Capabilities
from tracker.store.cases import Cases
from tracker.store.claims import Claims
from tracker.store.connection import Database, SqliteDatabase, Tx, is_postgres, required, sqlite_path
from tracker.store.corrections import Corrections
from tracker.store.decisions import Decisions
from tracker.store.desk import Desk
from tracker.store.dispatch import Dispatch
from tracker.store.errands import Errands
from tracker.store.errors import NotARehearsal
from tracker.store.explain import Explain
from tracker.store.gate import Gate
from tracker.store.goods import Goods
from tracker.store.handing import Handing
from tracker.store.holds import Holds
from tracker.store.intake import Intake
from tracker.store.items import Items
from tracker.store.leases import Leases
from tracker.store.lock import DaemonLock
from tracker.store.orders import Orders
from tracker.store.polling import Polling
from tracker.store.pushes import Pushes
from tracker.store.recoveries import Recoveries
from tracker.store.replay import Agreement
from tracker.store.retention import Retention
from tracker.store.retiring import Retirement, retirement
from tracker.store.review import Review
from tracker.store.rulesets import Rulesets
from tracker.store.schema import REVISIONS, require_current, require_sound
from tracker.store.status import Status
from tracker.store.stuck import Stuck
from tracker.store.sweep import Sweep
from tracker.store.tasks import Tasks
from tracker.store.transit import Transit
from tracker.store.unmapped import UnmappedCodes
from tracker.store.windows import Windows
from tracker.store.workers import Workers, forgotten_epoch, hostname, owned

_WORKER = """
    INSERT INTO worker (name, epoch, owner, since, seen_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE
    SET epoch = worker.epoch + 1, owner = excluded.owner, since = excluded.since, seen_at = excluded.seen_at
    RETURNING epoch"""

_TAKE_OVER = "UPDATE daemon SET epoch = epoch + 1, owner = ?, since = ? WHERE id = 1 RETURNING epoch"

_IDENTITY = "SELECT value FROM meta WHERE key IN ('created_at', 'rehearsal') ORDER BY key"

_RESTORED = """
    SELECT taken.value, done.value FROM meta taken JOIN meta done ON done.key = 'restored_at' WHERE taken.key = 'restored_from'"""


class Store(
    Intake,
    Polling,
    Leases,
    Pushes,
    Gate,
    Sweep,
    Dispatch,
    Handing,
    Desk,
    Brake,
    Holds,
    Review,
    Tasks,
    Recoveries,
    Stuck,
    Goods,
    Items,
    Orders,
    Cases,
    Claims,
    Status,
    Explain,
    Errands,
    Alerts,
    Rulesets,
    Decisions,
    Corrections,
    Advisories,
    Backlog,
    Agreement,
    Journals,
    Retention,
    Windows,
    Capabilities,
    Transit,
    UnmappedCodes,
    Workers,
    Attendance,
):
    """All that the product does with its database; `tracker.store` lists the methods."""

    def __init__(self, database: Database, lock: DaemonLock | None = None) -> None:
        """Use `open_store`."""
        self._db = database
        self._lock = lock

    @property
    def epoch(self) -> int | None:
        """The daemon's epoch; None for a command."""
        return self._db.epoch

    @property
    def worker(self) -> str | None:
        """A daemon's name on a database with several; None with one, and for a command."""
        return self._db.worker

    @property
    def fleet(self) -> bool:
        """Whether several workers may share this database."""
        return self._db.fleet

    async def take_over(self, owner: str, now: datetime) -> None:
        """Raise the epoch: from here on every write of this store checks that it is still the newest daemon's."""
        name = self._db.worker
        if name is None:
            self._db.epoch = await self._db.write(lambda tx: tx.value(_TAKE_OVER, owner, now))
        else:
            self._db.epoch = await self._db.write(lambda tx: _stood(tx, name, owned(hostname(), owner), now))

    async def is_rehearsal(self) -> bool:
        """Whether the database was made for rehearsals (`tracker demo`, `tracker init --rehearsal`): the mark stays."""
        mark: str | None = await self._db.read(lambda tx: tx.value("SELECT value FROM meta WHERE key = 'rehearsal'"))
        return mark == "yes"

    async def identity(self) -> str:
        """What tells this database from every other, also after a move: ids and versions mean something only within it."""
        rows = await self._db.read(lambda tx: tx.rows(_IDENTITY))
        return hashlib.blake2b(repr([tuple(row) for row in rows]).encode(), digest_size=6).hexdigest()

    async def forgotten_time(self) -> tuple[datetime, datetime] | None:
        """From when until when this database lost what it knew, because a backup was put back (aware UTC); None: never."""
        row = await self._db.read(lambda tx: tx.row(_RESTORED))
        return None if row is None else (required(row[0]), required(row[1]))

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[None]:
        """Try for real and take everything back at the end (a dry run): what is written inside is seen inside only."""
        async with self._db.trial():
            yield

    async def retirement(self) -> Retirement | None:
        """The mark of a database that was put out of service (`tracker db retire`); None: it is in service."""
        return await self._db.read(retirement)

    async def require_rehearsal(self) -> None:
        """Refuse a real database: only a rehearsal may be written to at another time than now (`--at`). Raises NotARehearsal."""
        if not await self.is_rehearsal():
            raise NotARehearsal(
                f"{self._db.place} holds real orders: --at with a command that writes works on a rehearsal database only. "
                "Make one with: tracker init --rehearsal"
            )

    async def close(self) -> None:
        """Let go of the database, and of the daemon's lock. Twice changes nothing."""
        await self._db.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


async def open_store(url: str, *, clock: Clock, daemon: bool = False, owner: str = "tracker", worker: str | None = None) -> Store:
    """Open a database that exists and has this code's schema.

    A `daemon` (also `run --once`) takes the lock beside the file, has its structure checked, and raises the epoch: from then on
    an older daemon writes nothing more, even where the lock did not hold (fault 21). `owner` is shown by `status`. Commands work
    beside it.

    On PostgreSQL there may be many daemons: each is a `worker` with a name of its own (by default the host's), and what is said
    above holds for those of one name.

    Raises UnsupportedDatabase, DatabaseMissing, SchemaTooOld, SchemaTooNew, Damaged, AnotherDaemon, Locked, Unwritable, Gone.
    """
    require_current(url)
    if is_postgres(url):
        return await _open_fleet(url, clock, (worker or hostname()) if daemon else None, owner)
    path = sqlite_path(url)
    if not daemon:
        return Store(SqliteDatabase(path, clock, daemon=False))
    lock = DaemonLock(path)
    try:
        require_sound(path)
        store = Store(SqliteDatabase(path, clock, daemon=True), lock)
    except BaseException:
        lock.release()
        raise
    try:
        await store.take_over(owner, clock.now())
    except BaseException:
        await store.close()
        raise
    return store


async def _open_fleet(url: str, clock: Clock, worker: str | None, owner: str) -> Store:
    from tracker.store.connection.postgres import PostgresDatabase

    database = PostgresDatabase(url, clock, revision=REVISIONS[-1], worker=worker)
    store = Store(database)
    if worker is None:
        return store
    try:
        await database.stand()
        await store.take_over(owner, clock.now())
    except BaseException:
        await store.close()
        raise
    return store


def _stood(tx: Tx, name: str, owner: str, now: datetime) -> int:
    """The epoch of a worker that begins now."""
    return int(tx.value(_WORKER, name, forgotten_epoch(tx) + 1, owner, now, epoch(now)))
