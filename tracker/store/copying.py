"""All rows of one database into another one, and the proof that they are there (facts/engine.md section 2.8).

Both databases have the same tables; only how a truth value and a time are written differs. Every row goes through memory once, a
batch at a time. What was read and what is found in the target afterwards are counted and summed up, whatever their order: the sum
of a hash of every row. The target's transaction is one: a crash leaves it as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec
from sqlalchemy import Boolean, Table, delete, func, insert, literal, select

from tracker.store.connection import Tx, plain
from tracker.store.errors import BackupRefused
from tracker.store.schema import create_file
from tracker.store.tables import METADATA

if TYPE_CHECKING:
    from tracker.store.connection.postgres import PostgresTx

BATCH = 1_000
"""Rows that are in memory at a time."""

_IN_HAND = (
    "UPDATE outbox SET epoch = NULL, lease_until = 0 WHERE state = 'sending'",
    "UPDATE outbox SET lease_until = NULL WHERE state = 'pending' AND lease_until IS NOT NULL",
    "UPDATE shipment SET lease_token = NULL, lease_until = NULL WHERE lease_token IS NOT NULL",
    "UPDATE account SET turn_token = NULL, turn_until = NULL WHERE turn_token IS NOT NULL",
)
"""Nobody works on either: what somebody had in hand is free, and a call that was cut off is found at the next start."""

_SUM = 1 << 64


class Tally(msgspec.Struct, frozen=True):
    """How many rows a table has, and what they sum up to."""

    rows: int = 0
    sum: int = 0


def pour(source: Tx, target: Tx) -> Mapping[str, int]:
    """Copy every row of `source` into the empty tables of `target`, and prove it; table -> rows. Raises BackupRefused."""
    _patient(source)
    _patient(target)
    counted = {}
    for table in METADATA.sorted_tables:
        read = _Read(source, table)
        if _is_server(target):
            _copy_in(target, table, read)
        else:
            _insert(target, table, read)
        counted[table.name] = read.tally
    for table in METADATA.sorted_tables:
        found = _Read(target, table)
        for _ in found:
            pass
        if found.tally != counted[table.name]:
            raise BackupRefused(
                f"The copy of table {table.name} differs: {counted[table.name].rows:,} rows were read, {found.tally.rows:,} were "
                "written, and they do not sum up to the same. Nothing was kept."
            )
    if target.fleet:
        for table in METADATA.sorted_tables:
            _go_on_counting(target, table)
    return {name: tally.rows for name, tally in counted.items()}


def let_go(target: Tx) -> None:
    """Nobody has anything in hand any more: for a database that changes its place while nobody works on it."""
    for statement in _IN_HAND:
        target.run(statement)


def is_empty(tx: Tx) -> bool:
    """Whether a database holds nothing but what its making wrote: two marks, and the daemon that has never been."""
    made = {"meta": 2, "daemon": 1}
    for table in METADATA.sorted_tables:
        some = select(literal(1)).select_from(table).limit(made.get(table.name, 0) + 1).subquery()
        [[rows]] = tx.select(select(func.count()).select_from(some))
        if rows > made.get(table.name, 0):
            return False
    return True


def clear(tx: Tx) -> None:
    """Take all rows out, in the same transaction as what comes instead."""
    if tx.fleet:
        from psycopg import sql

        names = [sql.Identifier(table.name) for table in METADATA.sorted_tables]
        _driver(tx).execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))
        return
    for table in reversed(METADATA.sorted_tables):
        tx.connection.execute(delete(table))


@contextmanager
def filled(file: Path, now: datetime) -> Iterator[Tx]:
    """A transaction on a new file whose tables have no row; it stands alone afterwards, without a log beside it."""
    create_file(file, rehearsal=False, now=now)
    with plain(file, write=True) as tx:
        clear(tx)
        yield tx
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


class _Read:
    """The rows of a table, in batches; counted and summed up on the way."""

    def __init__(self, tx: Tx, table: Table) -> None:
        self._tx, self._table = tx, table
        self._sum = self._rows = 0

    @property
    def tally(self) -> Tally:
        return Tally(self._rows, self._sum)

    def __iter__(self) -> Iterator[list[tuple[Any, ...]]]:
        sql = str(select(*self._table.columns))
        same = _same(self._table)
        for rows in _stream(self._tx, sql) if _is_server(self._tx) else _fetch(self._tx, sql):
            batch = [same(row) for row in rows]
            self._rows += len(batch)
            for row in batch:
                self._sum = (self._sum + int.from_bytes(blake2b(repr(row).encode(), digest_size=8).digest())) % _SUM
            yield batch


def _same(table: Table) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A row as both databases have it: truth as truth, and no text with the one character that PostgreSQL keeps in none."""
    truths = frozenset(place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean))

    def same(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            [
                bool(value) if place in truths and value is not None else value.replace("\0", "") if type(value) is str else value
                for place, value in enumerate(row)
            ]
        )

    return same


def _is_server(tx: Tx) -> TypeGuard[PostgresTx]:
    return tx.fleet


def _driver(tx: Tx) -> Any:  # noqa: ANN401 - the driver's own connection
    return tx.connection.connection.driver_connection


def _fetch(tx: Tx, sql: str) -> Iterator[list[tuple[Any, ...]]]:
    cursor = _driver(tx).execute(sql)
    while rows := cursor.fetchmany(BATCH):
        yield rows


def _insert(tx: Tx, table: Table, batches: _Read) -> None:
    statement = str(insert(table).compile(dialect=tx.connection.dialect))
    for batch in batches:
        tx.many(statement, batch)


def _stream(tx: PostgresTx, sql: str) -> Iterator[list[tuple[Any, ...]]]:
    with tx.streamed(sql) as cursor:
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _copy_in(tx: PostgresTx, table: Table, batches: _Read) -> None:
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with _driver(tx).cursor() as cursor, cursor.copy(statement) as copy:
        for batch in batches:
            for row in batch:
                copy.write_row(row)


def _patient(tx: Tx) -> None:
    """A table may take longer than any statement of a daemon may."""
    if tx.fleet:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            tx.rows("SELECT set_config(?, '0', true)", name)


def _go_on_counting(tx: Tx, table: Table) -> None:
    """The next row's number is above all that came along."""
    column = table.autoincrement_column
    if column is not None:
        sequence, last = func.pg_get_serial_sequence(table.name, column.name), func.max(column)
        tx.select(select(func.setval(sequence, func.greatest(last, 1), last.is_not(None))))
