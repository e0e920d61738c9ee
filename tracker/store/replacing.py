"""`tracker db restore` on PostgreSQL: the rows of a readied file in the place of all that is there, in one transaction.

The file went through the same replay as one that takes a database's name (`tracker.store.restoring`). A crash leaves the old
rows.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tracker.crashpoint import fault
from tracker.store import copying
from tracker.store.connection import place, plain
from tracker.store.outside import alone, outside, refuse_workers
from tracker.store.restoring import Present, present
from tracker.store.schema import SchemaVerdict, create, require_current, schema_state
from tracker.store.workers import forget_epoch, forgotten_epoch

_EPOCHS = "SELECT name, epoch, owner, since, seen_at FROM worker"

_FENCE = """
    INSERT INTO worker (name, epoch, owner, since, seen_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET epoch = greatest(worker.epoch, excluded.epoch)"""


def look(url: str) -> Present | None:
    """What stands there now; None where there are no tables. Raises AnotherDaemon while a worker lives, SchemaTooOld, Gone."""
    state = schema_state(url)
    if state.verdict is SchemaVerdict.EMPTY:
        return None
    require_current(url)
    with outside(url) as tx:
        refuse_workers(tx, place(url))
        return present(tx)


def replace_rows(url: str, file: Path, now: datetime) -> None:
    """Put the rows of `file` in the place of all rows at `url`; every worker's epoch is raised, above that of forgotten ones too.

    Raises AnotherDaemon while a worker lives, BackupRefused when the copy does not stand the check, Locked, Gone; then everything
    is as it was.
    """
    if schema_state(url).verdict is SchemaVerdict.EMPTY:
        create(url, rehearsal=False, now=now)
    with plain(file) as source, alone(url) as target:
        known, forgotten = target.rows(_EPOCHS), forgotten_epoch(target)
        copying.clear(target)
        copying.pour(source, target)
        copying.let_go(target)
        target.many(_FENCE, [tuple(row) for row in known])
        forget_epoch(target, forgotten)
        target.run("UPDATE worker SET epoch = greatest(epoch, ?) + 1", forgotten_epoch(target))
        fault("restore_before_commit")
