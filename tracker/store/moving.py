"""`tracker db copy`: a whole shop from one database to another one, in either direction (fault 36).

Nobody works on either of the two meanwhile. The rows are exactly the same afterwards; only what a daemon had in hand when it was
killed is let go of. The send journals are files, and stay where they are: whoever moves has to bring them along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from tracker.crashpoint import fault
from tracker.store import copying
from tracker.store.backup import known_journals, sync
from tracker.store.connection import Tx, is_postgres, place, sqlite_path
from tracker.store.errors import Conflict
from tracker.store.outside import alone
from tracker.store.restoring import remove
from tracker.store.retiring import refuse_retired
from tracker.store.schema import SchemaVerdict, create, require_current, schema_state
from tracker.store.sharing import share_file

_UNFINISHED = ".copying"
"""The suffix of a file that is not whole yet: worthless, and removed by the next copy."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied and found again in the target: table -> rows. `journals`: worker -> path of its send journal."""

    source: str
    target: str
    tables: Mapping[str, int]
    journals: Mapping[str, str]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(self.tables.values())


def move(source: str, target: str, now: datetime) -> Moved:
    """Copy all rows of the database at `source` into the empty one at `target`, and prove that they are there.

    A file is made; a PostgreSQL database must be there, with or without our tables. Raises DatabaseMissing, SchemaTooOld,
    SchemaTooNew, Retired (the source), Conflict (the target is not empty), AnotherDaemon while anybody works on either,
    BackupRefused when the copy does not stand the check, Locked, Unwritable, Gone; then the target is as empty as it was.
    """
    if place(source) == place(target):
        raise Conflict(f"{place(source)} is both: name two databases.")
    require_current(source)
    _refuse_used(target)
    with alone(source) as from_:
        refuse_retired(from_, place(source))
        with _emptied(target, now) as into:
            tables = copying.pour(from_, into)
            copying.let_go(into)
            fault("copy_before_commit")
        return Moved(source=place(source), target=place(target), tables=tables, journals=known_journals(from_))


def _refuse_used(target: str) -> None:
    """Before the source is read for hours. Raises Conflict, SchemaTooOld, SchemaTooNew, Damaged."""
    if not is_postgres(target):
        path = sqlite_path(target)
        if path.exists() and path.stat().st_size > 0:
            raise Conflict(f"There is a file at {path} already; a copy overwrites nothing. Name another one, or move it away.")
    elif schema_state(target).verdict is not SchemaVerdict.EMPTY:
        require_current(target)


@contextmanager
def _emptied(target: str, now: datetime) -> Iterator[Tx]:
    """A transaction on the target, whose tables are there and have no row. It is kept as a whole or not at all."""
    if not is_postgres(target):
        with _new_file(sqlite_path(target), now) as tx:
            yield tx
        return
    if schema_state(target).verdict is SchemaVerdict.EMPTY:
        create(target, rehearsal=False, now=now)
    with alone(target) as tx:
        if not copying.is_empty(tx):
            raise Conflict(f"{place(target)} is not empty; a copy overwrites nothing. Make a new one: createdb")
        copying.clear(tx)
        yield tx


@contextmanager
def _new_file(path: Path, now: datetime) -> Iterator[Tx]:
    partial = path.with_name(path.name + _UNFINISHED)
    remove(partial)
    try:
        with copying.filled(partial, now) as tx:
            yield tx
        sync(partial)
        partial.rename(path)
        sync(path.parent)
        share_file(path)
    finally:
        remove(partial)
