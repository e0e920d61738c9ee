"""What can be said about a database without changing it: structure, references, marks, what the journal knows better."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from tracker.model import Attempt
from tracker.store.backup import last_backup
from tracker.store.connection import Tx, required
from tracker.store.errands import ErrandDone, errands
from tracker.store.outside import outside
from tracker.store.replay import forgotten
from tracker.store.restoring import LAST_SEND
from tracker.store.retiring import Retirement, retirement

_MOST = 5
"""Findings of one kind that are shown."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `structure` and `references` are empty when all is well, `forgotten` are keys that only a journal knows."""

    structure: tuple[str, ...]
    references: tuple[str, ...]
    forgotten: tuple[str, ...]
    last_send: str | None
    """Key of the newest finished send: a journal that does not know it is not this database's, or was lost."""
    retired: Retirement | None
    rehearsal: bool
    created_at: datetime
    last_backup: datetime | None
    backup_errand: ErrandDone | None


_LAST_OF = LAST_SEND.replace("WHERE", "WHERE who IN (??) AND", 1)

_INVALID = "SELECT CAST(indexrelid AS regclass)::text FROM pg_index WHERE NOT indisvalid LIMIT 5"

_UNPROVED = "SELECT conname FROM pg_constraint WHERE NOT convalidated LIMIT 5"


def examine(url: str, attempts: Mapping[str, Attempt], ours: Collection[str] | None = None) -> Examined:
    """Look at a database of this code's schema on one snapshot; `attempts` must be read before. Raises Damaged, Locked.

    `ours` are the workers whose sends `last_send` is about; None: all.
    """
    with outside(url) as tx:
        structure, references = (_of_server if tx.fleet else _of_file)(tx)
        return Examined(
            structure=structure,
            references=references,
            forgotten=tuple(forgotten(tx, attempts)),
            last_send=_last_send(tx, ours),
            retired=retirement(tx),
            rehearsal=bool(tx.value("SELECT value = 'yes' FROM meta WHERE key = 'rehearsal'")),
            created_at=required(tx.value("SELECT value FROM meta WHERE key = 'created_at'")),
            last_backup=last_backup(tx),
            backup_errand=errands(tx).get("backup"),
        )


def _last_send(tx: Tx, ours: Collection[str] | None) -> str | None:
    found = tx.row(LAST_SEND) if ours is None else next(iter(tx.among(_LAST_OF, list(ours))), None)
    return None if found is None else str(found[0])


def _of_file(tx: Tx) -> tuple[tuple[str, ...], tuple[str, ...]]:
    structure = [row[0] for row in tx.rows(f"PRAGMA quick_check({_MOST})")]
    references = tx.rows("PRAGMA foreign_key_check")
    return (
        tuple(structure) if structure != ["ok"] else (),
        tuple(f"{row[0]} row {row[1]} names a row of {row[2]} that is not there" for row in references[:_MOST]),
    )


def _of_server(tx: Tx) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A server keeps its references itself and reads no page that is not asked for: what it knows to be unfinished."""
    return (
        tuple(f"the index {row[0]} is not valid (REINDEX)" for row in tx.rows(_INVALID)),
        tuple(f"the constraint {row[0]} was never proved (VALIDATE CONSTRAINT)" for row in tx.rows(_UNPROVED)),
    )
