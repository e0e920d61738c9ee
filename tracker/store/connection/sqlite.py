"""One connection, one transaction at a time, run inline: short, immediate where it writes, patient where it is locked.

SQLite is called inline from `async def` (facts/engine.md section 4): a thread would cost 15-45 % more CPU. So nothing is awaited
inside a transaction, and the daemon's busy timeout is short: a long one would stand still with the whole loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from tracker.clock import Clock
from tracker.store.connection.base import Database, Tx
from tracker.store.connection.values import Record, bound, marks
from tracker.store.errors import Damaged, EpochLost, Locked, StoreError, Unwritable

T = TypeVar("T")

DAEMON_BUSY_MS = 250
COMMAND_BUSY_MS = 30_000
_PAGES_KIB = 32_768
"""Page cache of the connection: the due index and the tables' upper pages of a million parcels fit."""

_CLASSES: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (Locked, "is locked by another process; try again, or find it with: fuser {path}"),
    sqlite3.SQLITE_LOCKED: (Locked, "is locked by another process; try again, or find it with: fuser {path}"),
    sqlite3.SQLITE_CORRUPT: (Damaged, "is damaged. Stop the daemon and put a backup back: tracker db restore FILE"),
    sqlite3.SQLITE_NOTADB: (
        Damaged,
        "is no SQLite database; look at database.url in tracker.toml. If it was one: tracker db restore FILE",
    ),
    sqlite3.SQLITE_FULL: (Unwritable, "cannot grow: the disk is full. Free some space; nothing was written"),
    sqlite3.SQLITE_IOERR: (Unwritable, "could not be read or written: is the disk full? Look at it, and at the system's log"),
    sqlite3.SQLITE_READONLY: (Unwritable, "may not be written: look at the rights of the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: (Unwritable, "cannot be opened: look at the rights of the file and its folder"),
}
"""Primary result code -> our error, and the sentence after the path."""


def explained(error: DBAPIError | sqlite3.Error, path: Path) -> StoreError | None:
    """Our error for a driver's, or None where it is a mistake of ours that must not be dressed up."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    known = _CLASSES.get(code & 0xFF) if isinstance(code, int) else None
    if known is None:
        return None
    kind, sentence = known
    return kind(f"The database {path} {sentence.format(path=path)} ({cause})")


class SqliteTx(Tx):
    """A transaction of the file's one connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._driver = driver(connection)

    def rows(self, sql: str, *values: object) -> Sequence[Record]:  # noqa: D102
        return self._driver.execute(sql, bound(values)).fetchall()

    def named(self, sql: str, values: Mapping[str, object]) -> Sequence[Record]:  # noqa: D102
        return self._driver.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:  # noqa: D102
        return self._driver.execute(sql, bound(values)).rowcount

    def many(self, sql: str, tuples: Sequence[tuple[object, ...]]) -> int:  # noqa: D102
        return self._driver.executemany(sql, tuples).rowcount if tuples else 0

    def among(self, sql: str, keys: Sequence[object], *values: object) -> Sequence[Record]:  # noqa: D102
        if not keys:
            return ()
        return self.rows(sql.replace("??", marks(len(keys))), *values, *keys)

    def run_among(self, sql: str, keys: Sequence[object], *values: object) -> int:  # noqa: D102
        return self.run(sql.replace("??", marks(len(keys))), *values, *keys) if keys else 0


class SqliteDatabase(Database):
    """The connection and its manners. `epoch` is a daemon's: then every write checks first that it is still the last."""

    def __init__(self, path: Path, clock: Clock, *, daemon: bool) -> None:
        """Connect. Raises Damaged, Unwritable, Locked."""
        super().__init__(str(path), clock)
        self.path = path
        self._tried = False
        self._engine = open_engine(path, DAEMON_BUSY_MS if daemon else COMMAND_BUSY_MS)
        with told(path):
            self._connection = self._engine.connect()
        self._file = _identity(path)

    def _still_there(self) -> bool:
        """Whether our path still leads to the file that is open: one that was deleted takes every write, and keeps none."""
        return _identity(self.path) == self._file

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one snapshot."""
        return await self._patiently(lambda: self._in_transaction("BEGIN", work))

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one immediate transaction and commit it; with a daemon's epoch, check that first.

        Raises EpochLost, Locked (after 30 s), Unwritable, Damaged, and whatever `work` raises (then nothing was written).
        """
        return await self._patiently(lambda: self._in_transaction("BEGIN IMMEDIATE", self._fenced(work)))

    def _fenced(self, work: Callable[[Tx], T]) -> Callable[[Tx], T]:
        if self.epoch is None:
            return self._in_service(work)

        def checked(tx: Tx) -> T:
            if not self._still_there():
                raise Damaged(
                    f"{self.path} was removed or replaced while the daemon ran; what is written now would be lost. "
                    "Put it back from a backup, then start again."
                )
            if tx.value("SELECT epoch FROM daemon WHERE id = 1") != self.epoch:
                raise EpochLost(f"Another daemon has taken over {self.path}; this one stops and writes nothing more.")
            return work(tx)

        return checked

    def _in_service(self, work: Callable[[Tx], T]) -> Callable[[Tx], T]:
        """A command's write, or the daemon's first one: not to a retired database."""

        def checked(tx: Tx) -> T:
            if tx.value("SELECT 1 FROM meta WHERE key = 'retired'") is not None:
                from tracker.store.retiring import refuse_retired

                refuse_retired(tx, self.path)
            return work(tx)

        return checked

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[None]:
        """One transaction around all reads and writes within, taken back at the end. Raises Locked, after the busy timeout."""
        with told(self.path), transaction(self._connection, "BEGIN IMMEDIATE", keep=False):
            self._tried = True
            try:
                yield
            finally:
                self._tried = False

    def _in_transaction(self, begin: str, work: Callable[[Tx], T]) -> T:
        scope = savepoint(self._connection) if self._tried else transaction(self._connection, begin)
        with told(self.path), scope:
            return work(SqliteTx(self._connection))

    async def _patiently(self, attempt: Callable[[], T]) -> T:
        # The common case costs nothing; a retrying wrapper around every transaction would (facts/performance.md section 5).
        try:
            return attempt()
        except Locked:
            pass

        async def once_more() -> T:
            return attempt()

        return await self.again(once_more)

    async def close(self) -> None:
        """Close the connection; SQLite folds the write-ahead log back when it is the last."""
        self._connection.close()
        self._engine.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("the store's connection is a SQLite one")
    return raw


@contextmanager
def transaction(connection: Connection, begin: str, *, keep: bool = True) -> Iterator[None]:
    """Begin, and commit; take everything back on any error, and where it is not to be kept."""
    raw = driver(connection)
    raw.execute(begin)
    try:
        yield
        raw.execute("COMMIT" if keep else "ROLLBACK")
    finally:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        # Built statements have made SQLAlchemy believe in a transaction of its own.
        connection.rollback()


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """A transaction within one: kept until the outer one ends, taken back on any error."""
    raw = driver(connection)
    raw.execute("SAVEPOINT inner_work")
    try:
        yield
    except BaseException:
        raw.execute("ROLLBACK TO inner_work")
        raise
    finally:
        raw.execute("RELEASE inner_work")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        reason = explained(error, path)
        if reason is None:
            raise
        raise reason from error


def open_engine(path: Path, busy_ms: int) -> Engine:
    """An engine with one connection whose transactions we begin: a deferred one that turns to writing fails as "locked"."""
    engine = create_engine(
        f"sqlite:///{path}", poolclass=StaticPool, hide_parameters=True, connect_args={"timeout": busy_ms / 1000}
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={busy_ms}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size=-{_PAGES_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def plain(path: Path, *, write: bool = False) -> Iterator[Tx]:
    """One transaction outside any store: creation (`write`), checks (beside anyone who writes)."""
    engine = open_engine(path, COMMAND_BUSY_MS)
    try:
        with told(path), engine.connect() as connection, transaction(connection, "BEGIN IMMEDIATE" if write else "BEGIN"):
            yield SqliteTx(connection)
    finally:
        engine.dispose()
