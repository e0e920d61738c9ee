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
from tracker.store.rows import TaskResult, TaskView
from tracker.store.tables import TASK
from tracker.store.tasks import finish, give_up, open_task

_TAKE_ITEM = "UPDATE task_item SET task_id = ? WHERE task_id = ? AND row_id = ?"

_TAKE_ROW = "UPDATE outbox SET task_id = ? WHERE id = ?"

_KEPT = ("kind", "title", "store", "created_at", "deadline", "valid_until", "group_key", "wants", "assigned_to")


class Items:
    """The store's methods for single lines of tasks, by the outbox row that each stands for."""

    _db: Database

    async def done_item(self, row_id: int, version: int, result: TaskResult, *, by: str, now: datetime) -> TaskView:
        """Close one line of a task with its result, as `done_task` closes a whole one; the task that it closed.

        `version` is the facts version that the person saw; of what he has in hand it does not matter: that is kept as it is.
        Raises NotThere; Conflict as `done_task`, and where the facts have moved or want it no longer.
        """
        return await self._db.write(lambda tx: finish(tx, _mine(tx, row_id, version, by, now), result, by, now))

    async def drop_item(self, row_id: int, version: int, *, by: str, reason: str, now: datetime) -> TaskView:
        """Give one line of a task up. Raises NotThere; Conflict as `done_item`."""
        return await self._db.write(lambda tx: give_up(tx, _mine(tx, row_id, version, by, now), reason, by, now))


def _mine(tx: Tx, row_id: int, version: int, by: str, now: datetime) -> TaskView:
    """The task that holds this row alone, split off where it holds others as well."""
    view = outbox_view(tx, row_id)
    if view.task_id is None:
        raise Conflict(f"Row {row_id} is no task. See: tracker outbox show {row_id}")
    task = open_task(tx, view.task_id, by)
    if row_id not in {item.row_id for item in task.live}:
        raise Conflict(f"The facts no longer want row {row_id} of task {task.id}. See: tracker tasks show {task.id}")
    if task.state is TaskState.OPEN and view.order.version != version:
        raise Conflict(
            f"The facts of order {view.order.store}/{view.order.number} have moved since you looked "
            f"(version {version}, now {view.order.version}). Look again: tracker tasks show {task.id}"
        )
    return task if len(task.live) == 1 else _split(tx, task, row_id, by, now)


def _split(tx: Tx, task: TaskView, row_id: int, by: str, now: datetime) -> TaskView:
    """The row in a task of its own, in the hands of who closes it. There is one open task a group, and it stays that one."""
    row = tx.select(TASK.select().where(TASK.c.id == task.id))[0]._mapping  # noqa: SLF001 - SQLAlchemy's public name of the row as a mapping
    kept = {name: row[name] for name in _KEPT}
    part = tx.insert(TASK, **kept, state="in_hand", taken_by=by, taken_at=task.taken_at or now, result="{}")
    tx.run(_TAKE_ITEM, part, task.id, row_id)
    tx.run(_TAKE_ROW, part, row_id)
    return task_view(tx, part)
