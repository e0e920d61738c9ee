"""A copy of the database that can be trusted: written beside the daemon, checked, synced, then given its name (fault 4).

`VACUUM INTO` reads one snapshot while others go on writing; of a PostgreSQL, every row of one snapshot is copied into a file of
the same kind. What the copy says about itself stands in its `meta`: when it was
taken, and the newest line of every send journal then, so that a restore knows which lines are newer (fault 36).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from tracker.crashpoint import fault
from tracker.store.connection import COMMAND_BUSY_MS, Database, Tx, is_postgres, place, required, sqlite_path, stored, told
from tracker.store.copying import filled, pour
from tracker.store.errors import BackupRefused, StoreError, Unwritable
from tracker.store.outside import outside
from tracker.store.schema import existing, require_current

PARTIAL = ".partial"
"""The suffix of a copy that is not finished: worthless, and removed by the next one."""

MODE = 0o640

_KNOWN = "journal:"
_TAKEN = "backup_at"
_MARKS = "backup_journals"
_LAST = "last_backup_at"

OLDEST_OF = "oldest_backup:"
"""Of each worker's host, when the oldest backup there was taken; the worker's name follows."""

_COUNTED = ("dossier", "outbox", "task", "claim", "audit")
"""Tables that only grow, so that a copy's counts lie between those before and after it was made."""

_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})

_SPOILT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_OLDEST = "SELECT value FROM meta WHERE key LIKE 'oldest_backup:%'"

_META = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class JournalMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker's send journal had come: its newest line then, None when it had none."""

    worker: str
    path: str
    newest: str | None


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A finished, checked copy. `rows` counts the rows of its main tables."""

    path: str
    taken_at: datetime
    bytes: int
    schema: str
    rows: Mapping[str, int]


class Journals:
    """The store's methods for knowing whose send journals belong to this database."""

    _db: Database

    async def journals(self) -> dict[str, str]:
        """Worker -> path of its send journal."""
        return await self._db.read(known_journals)

    async def last_backup(self) -> datetime | None:
        """When the last copy of this database was finished; None: never."""
        return await self._db.read(last_backup)

    async def know_journal(self, worker: str, path: str) -> None:
        """Remember where a worker's send journal lies: a restore wants those of all workers."""
        if (await self.journals()).get(worker) != path:
            await self._db.write(lambda tx: tx.run(_META, _KNOWN + worker, path))

    async def oldest_backup(self, worker: str, here: datetime | None) -> datetime | None:
        """When the oldest backup on any worker's host was taken, now that the oldest one of this host is `here` (None: none is).

        Each host has a folder of its own, and a restore of what lies in any of them wants the journals of all.
        """

        def note(tx: Tx) -> datetime | None:
            if here is None:
                tx.run("DELETE FROM meta WHERE key = ?", OLDEST_OF + worker)
            else:
                tx.run(_META, OLDEST_OF + worker, stored(here))
            return min((required(row[0]) for row in tx.rows(_OLDEST)), default=None)

        return await self._db.write(note)


def journals_of(url: str) -> dict[str, str]:
    """Worker -> path of its send journal, asked without opening a store. Raises DatabaseMissing, Damaged."""
    with outside(url) as tx:
        return known_journals(tx)


def known_journals(tx: Tx) -> dict[str, str]:
    """Worker -> path of its send journal, as the database knows them."""
    rows = tx.rows("SELECT key, value FROM meta WHERE key LIKE 'journal:%' ORDER BY key")
    return {row[0].removeprefix(_KNOWN): row[1] for row in rows}


def taken_at(tx: Tx) -> datetime | None:
    """When this copy was taken; None for a database that is no copy of ours."""
    found = tx.value("SELECT value FROM meta WHERE key = ?", _TAKEN)
    return None if found is None else required(found)


def noted_marks(tx: Tx) -> tuple[JournalMark, ...]:
    """How far the send journals had come when this copy was taken."""
    found = tx.value("SELECT value FROM meta WHERE key = ?", _MARKS)
    return () if found is None else msgspec.json.decode(found, type=tuple[JournalMark, ...])


def no_copy_any_more(tx: Tx) -> None:
    """From here on it is a database of its own: what it said about being a copy is gone."""
    tx.run("DELETE FROM meta WHERE key IN (?, ?)", _TAKEN, _MARKS)


def back_up(url: str, target: Path, marks: Sequence[JournalMark], now: datetime) -> Backup:
    """Copy the database at `url` into the new file `target`. `marks` must have been read before this call.

    Raises DatabaseMissing, Damaged, Locked; Unwritable when there is no room, BackupRefused when `target` exists or the copy does
    not stand the check. Then there is no file.
    """
    if target.exists():
        raise BackupRefused(f"There is a file at {target} already; a backup overwrites nothing. Name another one.")
    partial = target.with_name(target.name + PARTIAL)
    partial.unlink(missing_ok=True)
    with _nothing_half_done(place(url), partial):
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE))
        (_copy_rows if is_postgres(url) else _copy_pages)(url, partial, now)
        with _of_the_copy():
            rows, schema = _finish(partial, marks, now)
        sync(partial)
        fault("backup_written")
        partial.rename(target)
        sync(target.parent)
    _note(url, now)
    return Backup(path=str(target), taken_at=now, bytes=target.stat().st_size, schema=schema, rows=rows)


def last_backup(tx: Tx) -> datetime | None:
    """When the last copy of this database was finished; None: never."""
    found = tx.value("SELECT value FROM meta WHERE key = ?", _LAST)
    return None if found is None else required(found)


def _copy_pages(url: str, partial: Path, _now: datetime) -> None:
    """Of a file: as it is."""
    before, after = copy(existing(sqlite_path(url)), partial)
    with closing(connect(partial)) as connection, _of_the_copy():
        _compare(count(connection), before, after, partial)


def _copy_rows(url: str, partial: Path, now: datetime) -> None:
    """Of a PostgreSQL: every row of one snapshot, and the proof; what comes of it is a file like any other backup.

    Raises SchemaTooOld: the tables of another version are copied by that one.
    """
    require_current(url)
    with outside(url) as source:
        try:
            with filled(partial, now) as target:
                pour(source, target)
        finally:
            for side in ("-wal", "-shm"):
                partial.with_name(partial.name + side).unlink(missing_ok=True)
    partial.chmod(MODE)


def _note(url: str, now: datetime) -> None:
    """Remember the last backup's age; a retired database is left as it is, a locked or full one has its copy anyway."""
    with suppress(StoreError), outside(url, write=True) as tx:
        if tx.value("SELECT 1 FROM meta WHERE key = 'retired'") is None:
            tx.run(_META, _LAST, stored(now))


def copy(source: Path, target: Path) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """One snapshot into an empty file; the rows counted before and after, between which the copy's lie."""
    with closing(connect(source)) as connection:
        _room(connection, target)
        before = count(connection)
        connection.execute("VACUUM INTO ?", (str(target),))
        return before, count(connection)


def _room(connection: sqlite3.Connection, target: Path) -> None:
    """Say it before a disk is filled to the brim, which would hurt the database beside it as well."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    wanted, there = (pages - free) * size, shutil.disk_usage(target.parent).free
    if there < wanted:
        raise _no_room(target, f"the copy wants about {wanted:,} bytes, {there:,} are free")


def connect(path: Path) -> sqlite3.Connection:
    """A plain connection that changes nothing about the file by itself."""
    return sqlite3.connect(path, isolation_level=None, timeout=COMMAND_BUSY_MS / 1000)


def count(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The rows of the tables that only grow."""
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED}  # noqa: S608 - our own names


def sync(path: Path) -> None:
    """File or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finish(partial: Path, marks: Sequence[JournalMark], now: datetime) -> tuple[Mapping[str, int], str]:
    with closing(connect(partial)) as connection:
        # A file that stands alone: no -wal beside it, readable from a folder that may not be written.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_META, (_TAKEN, stored(now)))
        connection.execute(_META, (_MARKS, msgspec.json.encode(marks).decode()))
        connection.execute("COMMIT")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _bad_copy(found)
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        return count(connection), schema


@contextmanager
def _of_the_copy() -> Iterator[None]:
    """A backup's disk that gives back something else than was written is no damage of the database: the daemon works on."""
    try:
        yield
    except sqlite3.Error as error:
        if (error.sqlite_errorcode or 0) & 0xFF in _SPOILT:
            raise _bad_copy(error) from error
        raise


def _bad_copy(found: object) -> BackupRefused:
    return BackupRefused(
        f"The copy did not stand its check ({found}); it was removed. Look at the database (tracker db check) and at the disk of "
        "[backup] dir"
    )


def _compare(rows: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int], partial: Path) -> None:
    short = [table for table, found in rows.items() if not before[table] <= found <= max(after[table], before[table])]
    if short:
        raise BackupRefused(f"The copy {partial} lacks rows of {', '.join(short)}; it was removed. Try again: tracker db backup")


@contextmanager
def _nothing_half_done(source: str, partial: Path) -> Iterator[None]:
    """Whatever goes wrong, no half file stays; a disk without room is told as such."""
    try:
        with told(Path(source)):
            try:
                yield
            except sqlite3.Error as error:
                if (error.sqlite_errorcode or 0) & 0xFF in _DISK:
                    raise _no_room(partial, str(error)) from error
                raise
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _no_room(partial, error.strerror or str(error)) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _no_room(partial: Path, why: str) -> Unwritable:
    return Unwritable(
        f"The backup could not be written to {partial.parent} ({why}): look at its rights and its free space. "
        "The database is untouched, and no half file was left."
    )
