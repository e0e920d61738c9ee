"""Creating, checking and upgrading the schema. Alembic costs 0.3 s and 48 MiB: only an upgrade imports it.

A new database is made from the tables themselves and stamped with the newest revision; a test holds that the migrations lead to
the same.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from tracker.store import fleet_schema
from tracker.store.connection import COMMAND_BUSY_MS, is_postgres, open_engine, place, plain, sqlite_path, stored, told
from tracker.store.errors import Conflict, Damaged, DatabaseMissing, SchemaTooNew, SchemaTooOld
from tracker.store.lock import DaemonLock
from tracker.store.sharing import share_file
from tracker.store.tables import METADATA

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every revision this code knows, oldest first; the last one is what it needs."""

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaVerdict(StrEnum):
    """How a database's schema stands to this code."""

    CURRENT = "current"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    FOREIGN = "foreign"
    EMPTY = "empty"
    """A PostgreSQL database without any table."""


class SchemaState(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, what is needed."""

    found: str | None
    needed: str
    verdict: SchemaVerdict


def create(url: str, *, rehearsal: bool, now: datetime) -> None:
    """Make a new, empty database with the mark of what it is for. Raises Conflict when there is one already.

    On PostgreSQL the (empty) database itself must be there: `createdb`.
    """
    if is_postgres(url):
        fleet_schema.create(url, REVISIONS[-1], rehearsal=rehearsal, now=now)
    else:
        create_file(sqlite_path(url), rehearsal=rehearsal, now=now)


def create_file(path: Path, *, rehearsal: bool, now: datetime) -> None:
    """The same in a file. Raises Conflict."""
    if path.exists() and path.stat().st_size > 0:
        raise Conflict(f"There is a database at {path} already; it was left as it is. To start anew, move the file away first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with plain(path, write=True) as tx:
        METADATA.create_all(tx.connection)
        tx.run("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)")
        tx.run("INSERT INTO alembic_version (version_num) VALUES (?)", REVISIONS[-1])
        tx.run(
            "INSERT INTO meta (key, value) VALUES ('created_at', ?), ('rehearsal', ?)", stored(now), "yes" if rehearsal else "no"
        )
        tx.run("INSERT INTO daemon (id, epoch, owner, since) VALUES (1, 0, 'nobody', ?)", now)
    share_file(path)


def schema_state(url: str) -> SchemaState:
    """How the schema at `url` stands to this code. Raises DatabaseMissing, Damaged, Gone."""
    if is_postgres(url):
        found, empty = fleet_schema.found(url)
        return SchemaState(found=found, needed=REVISIONS[-1], verdict=SchemaVerdict.EMPTY if empty else _judge(found))
    return file_state(existing(sqlite_path(url)))


def file_state(path: Path) -> SchemaState:
    """How the schema of a file stands to this code. Raises Damaged."""
    with plain(path) as tx:
        has_version = tx.value("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        found = tx.value("SELECT version_num FROM alembic_version") if has_version else None
    return SchemaState(found=found, needed=REVISIONS[-1], verdict=_judge(found))


def require_current(url: str) -> None:
    """Refuse a schema that is not this code's, naming the command that helps."""
    state = schema_state(url)
    where = place(url)
    if state.verdict is SchemaVerdict.EMPTY:
        raise DatabaseMissing(f"The database {where} has no tables yet. Make them with: tracker db upgrade")
    if state.verdict is SchemaVerdict.TOO_OLD:
        raise SchemaTooOld(
            f"The database {where} has schema {state.found}, this version needs {state.needed}. Run: tracker db upgrade"
        )
    if state.verdict is SchemaVerdict.TOO_NEW:
        raise SchemaTooNew(
            f"The database {where} has schema {state.found}, which this version (up to {state.needed}) does not know. "
            "Install the version that wrote it, or a newer one; `tracker db upgrade` cannot go back."
        )
    if state.verdict is SchemaVerdict.FOREIGN:
        raise Damaged(
            f"{where} is a database, but not one of Tracker's. Look at database.url; a new one is made by: tracker init"
        )


def require_sound(path: Path) -> None:
    """Read through the file's structure once, at a daemon's start (fault 4). Raises Damaged."""
    with plain(path) as tx:
        found = tx.value("PRAGMA quick_check(1)")
    if found != "ok":
        raise Damaged(f"The database {path} is damaged ({found}). Stop here, keep the file, and put a backup back.")


def upgrade(url: str, now: datetime) -> tuple[str | None, str]:
    """Bring the schema to this code's revision: (from, to); equal when there was nothing to do. An empty PostgreSQL gets tables.

    Raises DatabaseMissing, SchemaTooNew, Damaged; on SQLite AnotherDaemon while a daemon works on it: a PostgreSQL is upgraded
    while workers run.
    """
    before = schema_state(url)
    if before.verdict is SchemaVerdict.EMPTY:
        try:
            create(url, rehearsal=False, now=now)
        except Conflict:
            require_current(url)  # somebody else was quicker, this very moment
            return REVISIONS[-1], REVISIONS[-1]
        return None, REVISIONS[-1]
    if before.verdict is not SchemaVerdict.TOO_OLD:
        require_current(url)
        return before.found, before.needed
    if is_postgres(url):
        return fleet_schema.migrate(url, REVISIONS[-1], run_alembic), REVISIONS[-1]
    path = existing(sqlite_path(url))
    lock = DaemonLock(path)
    try:
        migrate(path, REVISIONS[-1])
    finally:
        lock.release()
    return before.found, REVISIONS[-1]


def migrate(path: Path, revision: str) -> None:
    """Bring a file to `revision` in one transaction: it is there as a whole or not at all."""
    engine = open_engine(path, COMMAND_BUSY_MS)
    try:
        with told(path), engine.connect() as connection:
            # Batch mode copies tables; the copies must not trip over references while they are half done.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            run_alembic(connection, revision)
            connection.commit()
    finally:
        engine.dispose()


def run_alembic(connection: Connection, revision: str) -> None:
    """The migrations up to `revision`, on an open transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def existing(path: Path) -> Path:
    """The path, or DatabaseMissing."""
    if not path.is_file() or path.stat().st_size == 0:
        raise DatabaseMissing(
            f"There is no database at {path}. Was there one? tracker db restore FILE brings it back. Make one with: tracker init"
        )
    return path


def _judge(found: str | None) -> SchemaVerdict:
    if found is None:
        return SchemaVerdict.FOREIGN
    if found == REVISIONS[-1]:
        return SchemaVerdict.CURRENT
    return SchemaVerdict.TOO_OLD if found in REVISIONS else SchemaVerdict.TOO_NEW
