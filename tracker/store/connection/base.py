"""What the store's rooms are given: an open transaction, and the database that begins one. Each database has its own of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, insert, update
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from tracker.clock import Clock
from tracker.store.connection.values import Record
from tracker.store.errors import Locked

T = TypeVar("T")

PATIENCE_SECONDS = 30
"""How long work waits for other processes in all (fault 3)."""


class Tx(ABC):
    """An open transaction. Statements are plain text with `?`, values always bound; times may be aware datetimes.

    They go straight to the driver: SQLAlchemy's result machinery costs 20 us a statement. It builds only what is not hot.
    """

    fleet = False
    """Whether several workers may be at it: rows that are decided upon are locked first, and claimed by a lease."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @abstractmethod
    def rows(self, sql: str, *values: object) -> Sequence[Record]:
        """All rows of a SELECT, or of a RETURNING."""

    @abstractmethod
    def named(self, sql: str, values: Mapping[str, object]) -> Sequence[Record]:
        """All rows of a SELECT with `:name` in the place of values, driver-ready ones (no datetimes)."""

    @abstractmethod
    def run(self, sql: str, *values: object) -> int:
        """Change rows; how many were."""

    @abstractmethod
    def many(self, sql: str, tuples: Sequence[tuple[object, ...]]) -> int:
        """One statement for many tuples of driver-ready values (no datetimes); how many rows changed."""

    @abstractmethod
    def among(self, sql: str, keys: Sequence[object], *values: object) -> Sequence[Record]:
        """Rows of a statement whose `IN (??)` stands for the list of `keys`; `values` fill the `?` before it."""

    @abstractmethod
    def run_among(self, sql: str, keys: Sequence[object], *values: object) -> int:
        """Change rows by a statement whose `IN (??)` stands for the list of `keys`; `values` fill the `?` before it."""

    def row(self, sql: str, *values: object) -> Record:
        """The first row, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def value(self, sql: str, *values: object) -> Record:
        """The first column of the first row, or None."""
        row = self.row(sql, *values)
        return None if row is None else row[0]

    def select(self, statement: Select[Any]) -> Sequence[Record]:
        """Rows of a built SELECT; its columns come back typed (aware times, dates)."""
        return self.connection.execute(statement).all()

    def insert(self, table: Table, **values: object) -> int:
        """Add one row to a table with an `id`; returns it."""
        key = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        return 0 if key is None else int(key[0])

    def enqueue(self, job: Callable[[Any], Any]) -> None:
        """Run a job of the queue on this very connection: it is committed with the rest, or not at all."""
        raise TypeError(f"only a database with several workers has a queue, for {job!r}")

    def update(self, table: Table, row_id: int, **values: object) -> None:
        """Set columns of the row with this `id`."""
        self.connection.execute(update(table).where(table.c.id == row_id).values(**values))


class Database(ABC):
    """The connection and its manners. `epoch` is a daemon's: then every write checks first that it is still the last."""

    fleet = False
    """Whether several workers share it."""

    def __init__(self, place: str, clock: Clock) -> None:
        self.place = place
        self.clock = clock
        self.epoch: int | None = None
        self.worker: str | None = None
        """A daemon's name on a database with several."""
        self.in_hand: set[int] = set()
        """Parcels whose answers are on their way, where one daemon has the database to itself."""

    @abstractmethod
    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one snapshot."""

    @abstractmethod
    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction and commit it: nobody else writes meanwhile. With a daemon's epoch, check that first.

        `work` may be run again where the database asked for it: it must do nothing but statements.

        Raises EpochLost, Locked (after 30 s), Unwritable, Damaged, Gone, and whatever `work` raises (then nothing was written).
        """

    async def write_beside(self, work: Callable[[Tx], T]) -> T:
        """The same beside other such writes: for polls and sweeps, which claim their rows and lock what they decide upon.

        SQLite has one writer anyway.
        """
        return await self.write(work)

    async def still_standing(self) -> None:
        """Whether a worker's name is still held: always, where there are none. Raises Gone."""
        return

    @abstractmethod
    def trial(self) -> AbstractAsyncContextManager[None]:
        """One transaction around all reads and writes within, taken back at the end. Raises Locked, after the busy timeout."""

    async def again(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try once more what was locked, for `PATIENCE_SECONDS` in all, without the loop standing still (fault 3)."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Locked),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            stop=stop_after_delay(PATIENCE_SECONDS),
            sleep=self.clock.sleep,
            reraise=True,
        )
        async for trial in retrying:
            with trial:
                return await attempt()
        raise AssertionError("unreachable: tenacity returns or raises")

    @abstractmethod
    async def close(self) -> None:
        """Let go of the database. Twice changes nothing."""
