"""One line of a grouped task, closed by itself: 27 of 30 texts are pasted, three wait for tomorrow (D17).

What is closed leaves its group and becomes a task of its own, so "done" is said of exactly what was done: every count of
`task.done` stays right, and the others stay where they are, in the task that everybody knows.
"""

from __future__ import annotations

from datetime import datetime

from tracker.model import TaskState
from tracker.store.connection import Database, Tx
from tracker.store.errors import Conflict
from tracker.store.reading import outbox_view, task_view
from tracker.store.rows import OutboxView, TaskResult, TaskView
from tracker.store.tables import TASK
from tracker.store.tasks import check_open, finish, give_up

_TAKE_ITEM = "UPDATE task_item SET task_id = ? WHERE task_id = ? AND row_id = ?"

_TAKE_ROW = "UPDATE outbox SET task_id = ? WHERE id = ?"

_OTHERS = "SELECT count(*) FROM task_item WHERE task_id = ? AND row_id <> ? AND NOT dropped"

_KEPT = ("kind", "title", "store", "created_at", "deadline", "valid_until", "group_key", "wants", "assigned_to")


_WANTED_AGAIN = "UPDATE task_item SET dropped = FALSE WHERE task_id = ? AND row_id = ?"

_NOT_TAKEN_BACK = "UPDATE outbox SET withdrawn = FALSE, result = NULL WHERE id = ?"


class Items:
    """The store's methods for single lines of tasks, by the outbox row that each stands for."""

    _db: Database

    async def done_item(self, row_id: int, version: int, result: TaskResult, *, by: str, now: datetime) -> TaskView:
        """Close one line of a task with its result, as `done_task` closes a whole one; the task that it closed.

        `version` is the facts version that the person saw; of what he has in hand it does not matter: that is kept as it is. A
        line that the facts took back can be said to be done as well, by somebody who has seen that: what reached the buyer did.
        Raises NotThere; Conflict as `done_task`, and where the facts have moved.
        """

        def close(tx: Tx) -> TaskView:
            view, task = _line(tx, row_id)
            if task.live:
                return finish(tx, _mine(tx, view, task, version, by, now), result, by, now)
            _check_version(view, task, version)
            tx.run(_NOT_TAKEN_BACK, row_id)
            tx.run(_WANTED_AGAIN, task.id, row_id)
            return finish(tx, _alone(tx, task, row_id, by, now), result, by, now)

        return await self._db.write(close)

    async def drop_item(self, row_id: int, version: int, *, by: str, reason: str, now: datetime) -> TaskView:
        """Give one line of a task up. Raises NotThere; Conflict as `done_item`, and where the facts took it back already."""

        def drop(tx: Tx) -> TaskView:
            view, task = _line(tx, row_id)
            if not task.live:
                raise Conflict(f"The facts no longer want row {row_id} of task {task.id}. See: tracker tasks show {task.id}")
            return give_up(tx, _mine(tx, view, task, version, by, now), reason, by, now)

        return await self._db.write(drop)


def _line(tx: Tx, row_id: int) -> tuple[OutboxView, TaskView]:
    """The row, and its task with this line only: a worksheet of hundreds is closed in hundreds of transactions."""
    view = outbox_view(tx, row_id)
    if view.task_id is None:
        raise Conflict(f"Row {row_id} is no task. See: tracker outbox show {row_id}")
    return view, task_view(tx, view.task_id, row_id)


def _mine(tx: Tx, view: OutboxView, task: TaskView, version: int, by: str, now: datetime) -> TaskView:
    check_open(task, by)
    _check_version(view, task, version)
    return _alone(tx, task, view.row.id, by, now)


def _check_version(view: OutboxView, task: TaskView, version: int) -> None:
    if task.state is not TaskState.IN_HAND and view.order.version != version:
        raise Conflict(
            f"The facts of order {view.order.store}/{view.order.number} have moved since you looked "
            f"(version {version}, now {view.order.version}). Look again: tracker tasks show {task.id}"
        )


def _alone(tx: Tx, task: TaskView, row_id: int, by: str, now: datetime) -> TaskView:
    """The task, where this row is all that is left of it; else a new one with the row, in the hands of who closes it.

    There is one open task a group, and it stays that one.
    """
    if tx.value(_OTHERS, task.id, row_id) == 0:
        return task_view(tx, task.id)
    row = tx.select(TASK.select().where(TASK.c.id == task.id))[0]._mapping  # noqa: SLF001 - SQLAlchemy's public name of the row as a mapping
    kept = {name: row[name] for name in _KEPT}
    part = tx.insert(TASK, **kept, state="in_hand", taken_by=by, taken_at=task.taken_at or now, result="{}")
    tx.run(_TAKE_ITEM, part, task.id, row_id)
    tx.run(_TAKE_ROW, part, row_id)
    return task_view(tx, part)
