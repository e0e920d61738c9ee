"""The schema on PostgreSQL: made, judged and upgraded under one advisory lock, so that ten hosts may try at once.

It is the same schema; whole numbers are 64 bits wide throughout, and the queue's tables stand beside ours. Upgrades expand first:
a new revision adds what the code before it does not know, so that it runs while workers work; what nothing reads any more is
removed by the revision after. Workers notice at their next write, drain, and start again with their new code (fault 22).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Connection, DefaultClause, Integer, MetaData, String, text
from sqlmodel import AutoString

from tracker.store.connection import place, stored
from tracker.store.errors import Conflict, UnsupportedDatabase
from tracker.store.tables import METADATA

if TYPE_CHECKING:
    from tracker.store.connection.postgres import PostgresTx

QUEUE = "procrastinate_jobs"
"""A table that tells whether the queue's schema is there."""

LOCK_PATIENCE = "5s"


def imported() -> None:
    """Raises UnsupportedDatabase where the extra is not installed."""
    try:
        import procrastinate  # noqa: F401
        import psycopg  # noqa: F401
    except ImportError:
        raise UnsupportedDatabase(
            "database.url names a PostgreSQL, and the extra for it is not installed. In the checkout: make install, or pip "
            "install '.[fleet]'"
        ) from None


def wide() -> MetaData:
    """The tables as PostgreSQL has them: what is a whole number on SQLite has 64 bits here too, and texts sort by their bytes.

    In the order of a language, lists would differ from those on SQLite, and an index would be wrong after the server's C library
    was renewed.
    """
    found = MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.sorted_tables:
        copy = table.to_metadata(found)
        for column in copy.columns:
            if type(column.type) is Integer:
                column.type = BigInteger()
            if isinstance(column.type, String | AutoString):
                column.type = String(collation="C")
            if isinstance(column.type, Boolean) and column.server_default is not None:
                column.server_default = DefaultClause(text("false"))
    return found


def create(url: str, revision: str, *, rehearsal: bool, now: datetime) -> None:
    """Make the tables in an empty database. Raises Conflict when there are some already."""
    imported()
    from tracker.store.connection import postgres

    with postgres.plain(url) as tx:
        _alone(tx)
        if _has(tx, "alembic_version"):
            raise Conflict(f"There is a Tracker at {place(url)} already; it was left as it is.")
        if _has(tx, "dossier") or _has(tx, "meta"):
            raise Conflict(f"{place(url)} holds tables that are not Tracker's. Make a database of its own: createdb tracker")
        wide().create_all(tx.connection)
        tx.run("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)")
        tx.run("INSERT INTO alembic_version (version_num) VALUES (?)", revision)
        mark = "yes" if rehearsal else "no"
        tx.run("INSERT INTO meta (key, value) VALUES ('created_at', ?), ('rehearsal', ?)", stored(now), mark)
        tx.run("INSERT INTO daemon (id, epoch, owner, since) VALUES (1, 0, 'nobody', ?)", now)
        _queue(tx)


def found(url: str) -> tuple[str | None, bool]:
    """(the schema's revision, whether the database is empty). Raises DatabaseMissing, Gone."""
    imported()
    from tracker.store.connection import postgres

    with postgres.plain(url) as tx:
        if _has(tx, "alembic_version"):
            return tx.value("SELECT version_num FROM alembic_version"), False
        others = tx.value("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
        return None, others == 0


def migrate(url: str, revision: str, run: Callable[[Connection, str], None]) -> str | None:
    """Bring the schema to `revision` by `run` (connection, revision), unless somebody else just did; what it was before."""
    imported()
    from tracker.store.connection import postgres

    with postgres.plain(url) as tx:
        _alone(tx)
        before: str | None = tx.value("SELECT version_num FROM alembic_version")
        if before != revision:
            # A statement that waits for a lock makes everybody behind it wait too: rather fail, and be tried again.
            tx.run(f"SET LOCAL lock_timeout = '{LOCK_PATIENCE}'")
            run(tx.connection, revision)
            _queue(tx)
    return before


def _alone(tx: PostgresTx) -> None:
    """Whoever upgrades at this moment goes first."""
    from tracker.store.connection.postgres import LOCKS, UPGRADE

    tx.rows("SELECT pg_advisory_xact_lock(?, ?)", LOCKS, UPGRADE)


def _queue(tx: PostgresTx) -> None:
    """The queue's own tables, where they are not there yet."""
    from procrastinate.schema import SchemaManager

    if not _has(tx, QUEUE):
        tx.script(SchemaManager.get_schema())


def _has(tx: PostgresTx, table: str) -> bool:
    found_ = tx.value("SELECT to_regclass(?) IS NOT NULL", table)
    return bool(found_)
