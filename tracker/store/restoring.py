"""Putting a backup in the database's place: everything is done on a copy beside it, which then takes the name in one step.

Until that step the old database is what it was, after it the new one is whole: a crash leaves one of the two (fault 36).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import Attempt
from tracker.store.backup import (
    JournalMark,
    connect,
    copy,
    known_journals,
    no_copy_any_more,
    noted_marks,
    sync,
    taken_at,
)
from tracker.store.connection import Tx, instant_of, plain, stored, told
from tracker.store.errors import BackupRefused, Locked, SchemaTooNew, StoreError, Unwritable
from tracker.store.lock import DaemonLock
from tracker.store.records import audit
from tracker.store.replay import BEHIND, Settled, hold_pending, replay
from tracker.store.schema import REVISIONS, SchemaVerdict, file_state, migrate
from tracker.store.taking_back import ASK_FIRST
from tracker.store.workers import LAST_EPOCH

RESTORED_UNTIL = "restored_until"
"""The mark by which release() knows what came due since the backup: epoch seconds."""

_SIDES = ("-wal", "-shm")

_FOLD_MS = 5_000
"""How long a command that has the old database open may take to end."""

_NEWEST = """
    SELECT max(at) FROM (
        SELECT max(at) AS at FROM audit UNION ALL SELECT max(created_at) FROM outbox
        UNION ALL SELECT max(last_at) FROM import_batch UNION ALL SELECT value FROM meta WHERE key = 'created_at') AS known"""

_EPOCH = f"""
    SELECT max(epoch) FROM (SELECT epoch FROM daemon UNION ALL SELECT epoch FROM worker UNION ALL {LAST_EPOCH}) AS known"""  # noqa: S608 - our own words
"""Of the daemon that was the last, or of any worker of a fleet, also of those that were forgotten."""

LAST_SEND = """
    SELECT dedup_key FROM outbox WHERE state = 'sent' AND attempts > 0 AND (provider_id IS NOT NULL OR task_id IS NOT NULL)
    ORDER BY sent_at DESC, id DESC LIMIT 1"""

_ASK_FIRST = """
    UPDATE task_item SET facts = json_set(facts, ?, ?)
    WHERE NOT dropped AND task_id IN (SELECT id FROM task WHERE state IN ('open', 'in_hand'))"""

_MARK = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """The database that is to be replaced, as far as it can be read. Epoch 0: no daemon has ever worked on it."""

    rehearsal: bool
    epoch: int
    journals: dict[str, str]
    retired: bool


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A checked copy of the backup, at `path`. `marks` is None for a file that is no backup of ours (copied by hand).

    `upgraded_from` is the older schema it had; `last_send` the key of its newest finished send.
    """

    path: Path
    taken_at: datetime
    upgraded_from: str | None
    rehearsal: bool
    retired: bool
    epoch: int
    journals: dict[str, str]
    marks: tuple[JournalMark, ...] | None
    last_send: str | None


class Readied(msgspec.Struct, frozen=True, kw_only=True):
    """What the replay did to the copy."""

    settled: tuple[Settled, ...]
    held: int
    open_tasks: int
    epoch: int


def lock(database: Path) -> DaemonLock:
    """Keep daemons out while the database is replaced. Raises AnotherDaemon, Unwritable."""
    if not database.parent.is_dir():
        raise Unwritable(
            f"There is no folder {database.parent} to put the database into. Look at database.url: tracker config show"
        )
    return DaemonLock(database)


def look(database: Path) -> Present | None:
    """What stands there now; None where there is nothing, or nothing that can be read any more."""
    if not database.is_file() or database.stat().st_size == 0:
        return None
    try:
        with told(database), plain(database) as tx:
            return present(tx)
    except (StoreError, sqlite3.Error):
        return None


def present(tx: Tx) -> Present:
    """What a database says about itself that is to be replaced."""
    return Present(rehearsal=_is_rehearsal(tx), epoch=tx.value(_EPOCH) or 0, journals=known_journals(tx), retired=_is_retired(tx))


def prepare(file: Path, database: Path, known: Present | None) -> Candidate:
    """A checked copy of `file` beside `database`, with this code's schema. `file` is only read.

    Raises BackupRefused (missing, damaged, foreign, a rehearsal in a real one's place), SchemaTooNew, Unwritable; then no copy is
    left.
    """
    target = database.with_name(database.name + ".restoring")
    remove(target)
    try:
        _fetch(file, database, target)
        _check(target, file)
        found = _candidate(target, file)
        _keep_apart(found, file, known)
    except BaseException:
        remove(target)
        raise
    return found


def ready(
    copy_: Candidate, attempts: dict[str, Attempt], *, epoch_: int, until: datetime, by: str, reason: str, now: datetime
) -> Readied:
    """Replay the journals on the copy, hold what was on its way, raise the epoch to `epoch_`, and note all that."""
    with plain(copy_.path, write=True) as tx:
        settled = replay(tx, attempts, now)
        held = hold_pending(tx, now)
        tx.run(_MARK, RESTORED_UNTIL, str(epoch(until)))
        tx.run(_MARK, "restored_at", stored(now))
        tx.run(_MARK, "restored_from", stored(copy_.taken_at))
        tx.run("DELETE FROM meta WHERE key = ?", BEHIND)
        no_copy_any_more(tx)
        tx.run("UPDATE daemon SET epoch = ?, owner = 'restore', since = ? WHERE id = 1", epoch_, now)
        audit(tx, now, who=by, what="database_restored", order_id=None, subject="database", reason=reason)
        tasks = tx.value("SELECT count(*) FROM task WHERE state IN ('open', 'in_hand')")
        tx.run(_ASK_FIRST, f"$.{ASK_FIRST}", f"{copy_.taken_at:%Y-%m-%d %H:%MZ}")
    with closing(connect(copy_.path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sync(copy_.path)
    return Readied(settled=tuple(settled), held=held, open_tasks=tasks, epoch=epoch_)


def put_in_place(ready_: Path, database: Path, aside: Path) -> Path | None:
    """Give the copy the database's name, in one step; the old one keeps living as `aside`. None: there was no old one.

    Raises Locked while a command has the old one open, Unwritable.
    """
    fault("restore_ready")
    kept = _set_aside(database, ready_, aside) if database.exists() else None
    with nullcontext() if kept is None else _alone(database, kept):
        _clear_sides(database, aside)
        fault("restore_aside")
        ready_.replace(database)
    sync(database.parent)
    fault("restore_in_place")
    return kept


def _keep_apart(found: Candidate, file: Path, known: Present | None) -> None:
    if known is not None and known.rehearsal is not found.rehearsal:
        ours, theirs = ("a rehearsal", "a real database") if known.rehearsal else ("a real database", "a rehearsal")
        raise BackupRefused(
            f"{file} is a copy of {theirs}, and what stands here is {ours}: they are kept apart. Nothing was changed."
        )


def remove(target: Path) -> None:
    """A copy that is not wanted, with what SQLite laid beside it."""
    for path in (target, *(target.with_name(target.name + side) for side in (*_SIDES, "-journal"))):
        path.unlink(missing_ok=True)


def _fetch(file: Path, database: Path, target: Path) -> None:
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}. The backups lie in the folder of [backup] dir: tracker config show")
    try:
        if database.exists() and file.samefile(database):
            # The database itself, put back by hand: read as a database, because a command may be writing.
            target.touch(mode=0o640)
            with told(file):
                copy(file, target)
            return
        shutil.copyfile(file, target)
        with suppress(FileNotFoundError):
            shutil.copyfile(file.with_name(file.name + "-wal"), target.with_name(target.name + "-wal"))
    except OSError as error:
        raise Unwritable(f"{file} could not be copied to {target.parent} ({error.strerror}). Nothing was changed.") from error


def _check(target: Path, file: Path) -> None:
    try:
        with closing(connect(target)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise BackupRefused(f"{file} is damaged or no database ({found}). Nothing was changed; take another backup.")


def _candidate(target: Path, file: Path) -> Candidate:
    state = file_state(target)
    if state.verdict is SchemaVerdict.FOREIGN:
        raise BackupRefused(f"{file} is a SQLite file, but not one of Tracker's. Nothing was changed.")
    if state.verdict is SchemaVerdict.TOO_NEW:
        raise SchemaTooNew(
            f"{file} has schema {state.found}, which this version (up to {state.needed}) does not know. Nothing was changed; "
            "install the version that wrote it."
        )
    if state.verdict is SchemaVerdict.TOO_OLD:
        migrate(target, REVISIONS[-1])
    with plain(target) as tx:
        taken = taken_at(tx)
        return Candidate(
            path=target,
            taken_at=taken or _newest(tx),
            upgraded_from=state.found if state.verdict is SchemaVerdict.TOO_OLD else None,
            rehearsal=_is_rehearsal(tx),
            retired=_is_retired(tx),
            epoch=tx.value(_EPOCH) or 0,
            journals=known_journals(tx),
            marks=None if taken is None else noted_marks(tx),
            last_send=tx.value(LAST_SEND),
        )


def _is_rehearsal(tx: Tx) -> bool:
    return bool(tx.value("SELECT value = 'yes' FROM meta WHERE key = 'rehearsal'"))


def _is_retired(tx: Tx) -> bool:
    return tx.value("SELECT 1 FROM meta WHERE key = 'retired'") is not None


def _newest(tx: Tx) -> datetime:
    """The newest instant that a copy made by hand knows of."""
    found = instant_of(tx.value(_NEWEST))
    if found is None:
        raise BackupRefused("The file says nothing about its age, so it cannot be put back.")
    return found


def _set_aside(database: Path, ready_: Path, aside: Path) -> Path:
    """The old file under another name as well: until the last step both names lead to it."""
    _fold(database)
    old = database.stat()
    ready_.chmod(old.st_mode & 0o777)
    with suppress(PermissionError):
        os.chown(ready_, old.st_uid, old.st_gid)
    try:
        aside.hardlink_to(database)
    except FileExistsError as error:
        raise Unwritable(f"There is a file at {aside} already. Nothing was changed; try again.") from error
    except OSError:
        _copy_aside(database, aside)
    return aside


def _copy_aside(database: Path, aside: Path) -> None:
    """On a file system without links."""
    try:
        shutil.copy2(database, aside)
        sync(aside)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Unwritable(f"{database} could not be kept as {aside} ({error.strerror}). Nothing was changed.") from error


def _clear_sides(database: Path, aside: Path) -> None:
    """What lies beside a file that is gone or too damaged to be folded must not be laid over the new one."""
    for side in _SIDES:
        with suppress(FileNotFoundError):
            database.with_name(database.name + side).rename(aside.with_name(aside.name + side))
    sync(database.parent)


def _fold(database: Path) -> None:
    """Fold the write-ahead log into the file, so that nothing of the old one lies beside the new one. Raises Locked."""
    with _unless_damaged(database), closing(connect(database)) as connection:
        connection.execute(f"PRAGMA busy_timeout={_FOLD_MS}")
        connection.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _alone(database: Path, aside: Path) -> Iterator[None]:
    """Nobody opens the old file until the new one has its name: a log that a command began now would be laid over the new one.

    Raises Locked; then `aside` is gone again.
    """
    with closing(connect(database)) as connection:
        try:
            with _unless_damaged(database):
                connection.execute(f"PRAGMA busy_timeout={_FOLD_MS}")
                # Both, because somebody may have begun a log since the last fold.
                connection.execute("PRAGMA journal_mode=DELETE")
                connection.execute("BEGIN EXCLUSIVE")
                if connection.execute("PRAGMA journal_mode").fetchone()[0] != "delete":
                    raise _in_use(database)
        except Locked:
            aside.unlink(missing_ok=True)
            raise
        yield


@contextmanager
def _unless_damaged(database: Path) -> Iterator[None]:
    """A database that cannot be read is nobody's to wait for. Raises Locked."""
    try:
        yield
    except sqlite3.Error as error:
        if (error.sqlite_errorcode or 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise _in_use(database) from error


def _in_use(database: Path) -> Locked:
    return Locked(f"Another tracker command has {database} open. Nothing was changed; let it end, then restore again.")
