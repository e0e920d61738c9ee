"""PostgreSQL over psycopg's async connection: several workers, each with a pool; the same statements and texts for times.

A transaction's `work` is a plain function, as on SQLite. It runs in a greenlet (SQLAlchemy's own way) that gives way to the loop
at every statement, so nothing blocks.

On SQLite there is one writer. Here polls and sweeps write beside each other (`write_beside`): their rows are claimed, and locked
before they are decided upon. Every other write takes the same advisory lock alone, for its few milliseconds: whatever it reads
stays true until it commits, exactly as on SQLite, and no statement needs a second thought.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Loader
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from tracker.clock import Clock
from tracker.store.connection.address import dsn, place
from tracker.store.connection.base import PATIENCE_SECONDS, Database, Tx
from tracker.store.connection.postgres_errors import told
from tracker.store.connection.values import Record, bound
from tracker.store.errors import (
    AnotherDaemon,
    EpochLost,
    Locked,
    SchemaMoved,
)

T = TypeVar("T")

POOL = 12
"""Connections of one worker at most: its lanes, the queue's jobs, and the signs of life beside them."""

IDLE_SECONDS = 20
"""How long a transaction may say nothing: less than others wait for its locks."""

CONNECT_SECONDS = 5

LOCKS = 7_821_001
"""First key of our advisory locks; the second says what for."""

WRITERS, UPGRADE = 1, 2

WORKERS = 7_821_002
"""First key of the locks that workers hold by name; the second is the name's hash."""

KEEPALIVE: Mapping[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "tracker",
    # A prepared statement would not survive PgBouncer, and each of ours is planned in less than it takes to send.
    "prepare_threshold": None,
}

_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET statement_timeout = '60s'",
    f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'",
    f"SET lock_timeout = '{PATIENCE_SECONDS}s'",
    # A claim that was committed must outlive a crash of the server: the call that follows cannot be taken back.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
    "SET tcp_keepalives_idle = 15",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
"""Of every connection: nobody waits for ever, and a worker that vanished lets go of its locks before the others lose patience."""


class _Instant(Loader):
    """A time as SQLite keeps it: UTC, six digits of a second, no zone."""

    def load(self, data: Buffer) -> str:
        text = bytes(data).decode().removesuffix("+00")
        seconds, _, fraction = text.partition(".")
        return f"{seconds}.{fraction:0<6}"


class _Text(Loader):
    """A date as it is written."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _Whole(Loader):
    """A sum of whole numbers is `numeric` here; it is a whole number."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


def _taught(adapters: AdaptersMap) -> None:
    adapters.register_loader("timestamptz", _Instant)
    adapters.register_loader("date", _Text)
    adapters.register_loader("numeric", _Whole)


class PostgresTx(Tx):
    """A transaction of one connection. `wait` runs a coroutine of the driver to its end; a plain connection needs none."""

    fleet = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        raw = connection.connection.driver_connection
        if isinstance(raw, psycopg.AsyncConnection):
            self.raw: Any = raw
            self._wait: Callable[[Any], Any] = await_only
            # The client binds: a value's type is the column's, as on SQLite, and a list is one value.
            self._cursor: Any = psycopg.AsyncClientCursor(raw)
            self._bulk: Any = psycopg.AsyncCursor(raw)
        else:
            self.raw = raw
            self._wait = _done
            self._cursor = psycopg.ClientCursor(raw)  # type: ignore[arg-type]
            self._bulk = psycopg.Cursor(raw)  # type: ignore[arg-type]
        _taught(self._cursor.adapters)

    def rows(self, sql: str, *values: object) -> Sequence[Record]:  # noqa: D102
        return self._rows(translated(sql), _ready(values))

    def named(self, sql: str, values: Mapping[str, object]) -> Sequence[Record]:  # noqa: D102
        return self._rows(translated(sql), values)

    def run(self, sql: str, *values: object) -> int:  # noqa: D102
        self._wait(self._cursor.execute(translated(sql), _ready(values)))
        changed: int = self._cursor.rowcount
        return changed

    def many(self, sql: str, tuples: Sequence[tuple[object, ...]]) -> int:  # noqa: D102
        if not tuples:
            return 0
        self._wait(self._bulk.executemany(translated(sql), [_ready(values) for values in tuples]))
        changed: int = self._bulk.rowcount
        return changed

    def among(self, sql: str, keys: Sequence[object], *values: object) -> Sequence[Record]:  # noqa: D102
        return self._rows(translated(sql), (*_ready(values), list(_ready(keys)))) if keys else ()

    def run_among(self, sql: str, keys: Sequence[object], *values: object) -> int:  # noqa: D102
        if not keys:
            return 0
        self._wait(self._cursor.execute(translated(sql), (*_ready(values), list(_ready(keys)))))
        changed: int = self._cursor.rowcount
        return changed

    def script(self, sql: str) -> None:
        """Statements as PostgreSQL has them, many at once, without values."""
        self._wait(self._bulk.execute(sql))

    def streamed(self, sql: str) -> psycopg.ServerCursor[Any]:
        """The rows of a SELECT without values, fetched as they are wanted; of a plain connection. To be closed."""
        cursor: psycopg.ServerCursor[Any] = psycopg.ServerCursor(self.raw, "tracker_streamed")
        _taught(cursor.adapters)
        cursor.execute(sql)
        return cursor

    def enqueue(self, job: Callable[[Any], Any]) -> None:
        """Run a job of the queue on this very connection: it is committed with the rest, or not at all."""
        self._wait(job(self.raw))

    def _rows(self, sql: str, values: object) -> Sequence[Record]:
        self._wait(self._cursor.execute(sql, values))
        found: Sequence[Record] = self._wait(self._cursor.fetchall()) if self._cursor.description else ()
        return found


def _done(result: T) -> T:
    return result


_AS_IT_IS = frozenset({int, bytes, float, bool, type(None), datetime})


def _ready(values: Sequence[object]) -> tuple[object, ...]:
    """As SQLite takes them, but a time stays one, and the one character is left out that PostgreSQL keeps in no text."""
    return tuple([value if type(value) in _AS_IT_IS else _kept(value) for value in values])


def _kept(value: object) -> object:
    (found,) = (value,) if type(value) is str else bound((value,))
    return found.replace("\0", "") if isinstance(found, str) and "\0" in found else found


_LIST = re.compile(r"\b(NOT\s+)?IN\s*\(\?\?\)")
_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=2048)
def translated(sql: str) -> str:
    """Our text in the driver's words: `?` and `:name` become its placeholders, `IN (??)` one list."""
    text = _LIST.sub(lambda found: "<> ALL(?)" if found[1] else "= ANY(?)", sql.replace("%", "%%"))
    return _NAME.sub(r"%(\1)s", text.replace("?", "%s")) if "?" in text or ":" in text else text


class PostgresDatabase(Database):
    """The pool of one process. `worker` is a daemon's name: it is held by a lock for as long as this process lives."""

    fleet = True

    def __init__(self, url: str, clock: Clock, *, revision: str, worker: str | None = None) -> None:
        """`revision` of the schema that this code writes. Nothing is connected yet."""
        super().__init__(place(url), clock)
        self.worker = worker
        self._url = url
        self._revision = revision
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=PATIENCE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=dict(KEEPALIVE),
        )
        event.listen(self._engine.sync_engine, "connect", _settle)
        self._tried: AsyncConnection | None = None
        self._standing: psycopg.AsyncConnection[Any] | None = None

    async def read(self, work: Callable[[Tx], T]) -> T:  # noqa: D102
        return await self._patiently(lambda: self._once(work, snapshot=True))

    async def write(self, work: Callable[[Tx], T]) -> T:  # noqa: D102
        return await self._patiently(lambda: self._once(self._checked(work, "pg_advisory_xact_lock")))

    async def write_beside(self, work: Callable[[Tx], T]) -> T:  # noqa: D102
        return await self._patiently(lambda: self._once(self._checked(work, "pg_advisory_xact_lock_shared")))

    def _checked(self, work: Callable[[Tx], T], lock: str) -> Callable[[Tx], T]:
        """In line first; then the same checks as on SQLite: in service, still the last of our name, still our schema."""
        statement = f"""
            SELECT {lock}(?, ?), (SELECT epoch FROM worker WHERE name = ?), (SELECT version_num FROM alembic_version),
                EXISTS (SELECT 1 FROM meta WHERE key = 'retired')"""  # noqa: S608 - one of two functions, named above

        def checked(tx: Tx) -> T:
            _, epoch, revision, retired = tx.row(statement, LOCKS, WRITERS, self.worker or "")
            if self.epoch is not None and epoch != self.epoch:
                why = "was forgotten" if epoch is None else "has begun anew, and is another one"
                raise EpochLost(f"Worker {self.worker} {why} at {self.place}; this process stops.")
            if revision != self._revision:
                raise SchemaMoved(f"The schema at {self.place} is {revision} now, this process writes {self._revision} and stops")
            if retired and self.epoch is None:
                from tracker.store.retiring import refuse_retired

                refuse_retired(tx, self.place)
            return work(tx)

        return checked

    async def _once(self, work: Callable[[Tx], T], *, snapshot: bool = False) -> T:
        with told(self.place):
            if self._tried is not None:
                async with self._tried.begin_nested():
                    return await self._tried.run_sync(lambda connection: work(PostgresTx(connection)))
            async with self._engine.connect() as connection:
                if snapshot:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                async with connection.begin():
                    return await connection.run_sync(lambda plain_: work(PostgresTx(plain_)))

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[None]:  # noqa: D102
        with told(self.place):
            async with self._engine.connect() as connection, connection.begin() as outer:
                self._tried = connection
                try:
                    yield
                finally:
                    self._tried = None
                    await outer.rollback()

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await attempt()
        except Locked:
            return await self.again(attempt)

    async def stand(self) -> None:
        """Hold the worker's name for as long as this process lives. Raises AnotherDaemon, Gone."""
        with told(self.place):
            url = dsn(self._url)
            options = {key: value for key, value in KEEPALIVE.items() if key != "prepare_threshold"}
            standing = await psycopg.AsyncConnection.connect(url, autocommit=True, **options)
            try:
                for statement in (*_SESSION, "SET idle_session_timeout = 0"):
                    await standing.execute(statement)
                cursor = await standing.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (WORKERS, self.worker))
                row = await cursor.fetchone()
            except BaseException:
                await standing.close()
                raise
        if row is None or not row[0]:
            await standing.close()
            raise AnotherDaemon(
                f"A worker called {self.worker} is at {self.place} already. Every worker has a name of its own: "
                "the unit gives it (tracker@NAME), or TRACKER_WORKER"
            )
        self._standing = standing

    async def still_standing(self) -> None:
        """Whether the connection that holds our name lives. Raises Gone."""
        if self._standing is not None:
            with told(self.place):
                await self._standing.execute("SELECT 1")

    async def close(self) -> None:  # noqa: D102
        if self._standing is not None:
            await self._standing.close()
            self._standing = None
        await self._engine.dispose()


def _settle(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for statement in _SESSION:
        cursor.execute(statement)
    cursor.close()
    connection.commit()


@contextmanager
def plain(url: str) -> Iterator[PostgresTx]:
    """One transaction outside any store, over a connection of its own: creation, checks, upgrades. Raises StoreError."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=dict(KEEPALIVE),
    )
    event.listen(engine, "connect", _settle)
    try:
        with told(place(url)), engine.connect() as connection, connection.begin():
            yield PostgresTx(connection)
    finally:
        engine.dispose()
