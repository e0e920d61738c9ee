"""What people do with tasks: take in hand, close with a result, give up. Closing writes the facts that the result carries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement

from tracker.model import Intent, TaskState
from tracker.store import facts
from tracker.store.cases import answer_case
from tracker.store.connection import Database, Tx
from tracker.store.encoding import json_text, money_text
from tracker.store.errors import Conflict
from tracker.store.reading import task_view, task_views
from tracker.store.records import audit, wake
from tracker.store.rows import TaskItem, TaskResult, TaskView
from tracker.store.sending_again import on_its_way
from tracker.store.tables import TASK

_CLOSED = "Task {id} is closed: {state}. See: tracker tasks show {id}"

_PAID_ALL_THE_SAME = ". If it was paid all the same: tracker order set {order} --refunded AMOUNT --ref R"

_OPEN = frozenset({TaskState.OPEN, TaskState.IN_HAND})

_TAKE = "UPDATE task SET state = 'in_hand', taken_by = ?, taken_at = ? WHERE id = ?"

_ASSIGN = "UPDATE task SET assigned_to = ?, taken_by = CASE state WHEN 'in_hand' THEN ? END WHERE id = ?"

_CLOSE = "UPDATE task SET state = ?, closed_by = ?, closed_at = ?, result = ? WHERE id = ?"

_FIX_DAY0 = """
    UPDATE shipment SET day0 = day0_seen
    WHERE day0_seen IS NOT NULL AND (day0 IS NULL OR day0 > day0_seen)
        AND id IN (SELECT l.shipment_id FROM task_item i JOIN outbox o ON o.id = i.row_id
                   JOIN order_shipment l ON l.order_id = o.order_id
                   WHERE i.task_id = ? AND NOT i.dropped AND o.intent IN ('stage1', 'stage2', 'stage3'))"""

_DOUBTFUL = """
    UPDATE outbox SET state = 'unknown', result = ?
    WHERE state = 'sent' AND id IN (SELECT row_id FROM task_item WHERE task_id = ? AND NOT dropped)"""

_REFUSED = (
    "UPDATE outbox SET rejected = TRUE, result = ? WHERE id IN (SELECT row_id FROM task_item WHERE task_id = ? AND NOT dropped)"
)


class Tasks:
    """The store's methods for tasks."""

    _db: Database

    async def tasks(self, states: Collection[TaskState] = (), store: str | None = None) -> list[TaskView]:
        """Tasks, nearest deadline first; of these states and this store only, where they are named."""
        where: list[ColumnElement[bool]] = [TASK.c.state.in_([state.value for state in states])] if states else []
        if store is not None:
            where.append(TASK.c.store == store)
        return await self._db.read(lambda tx: task_views(tx, *where))

    async def task(self, task_id: int, row_id: int | None = None) -> TaskView:
        """One task, with `row_id` the line of that outbox row only. Raises NotThere."""
        return await self._db.read(lambda tx: task_view(tx, task_id, row_id))

    async def take_task(self, task_id: int, *, by: str, now: datetime) -> TaskView:
        """From open to in_hand: a lock with a name (D17). Taking it twice changes nothing. Raises NotThere, Conflict."""

        def take(tx: Tx) -> TaskView:
            task = open_task(tx, task_id, by)
            if task.state is TaskState.IN_HAND:
                return task
            tx.run(_TAKE, by, now, task_id)
            _record(tx, task, "task_taken", by, "", now)
            return task_view(tx, task_id)

        return await self._db.write(take)

    async def done_task(self, task_id: int, result: TaskResult, *, by: str, now: datetime, seen: int | None = None) -> TaskView:
        """Close a task with its result.

        A `window_end` becomes the order's window (typed, one extension more); amount and reference become its refund (I7
        checked); the answer to a case is noted there. `unsure` makes the rows `unknown`: whether the text was pasted is for a
        person to find out, it is never handed out again. `seen` is how many items the person saw: what joined since is nobody's
        word. Raises NotThere; Conflict when it is closed, another person has it in hand, it has grown, a wanted value is missing,
        or I7 would break.
        """

        def close(tx: Tx) -> TaskView:
            task = open_task(tx, task_id, by)
            _check_seen(task, seen)
            return finish(tx, task, result, by, now)

        return await self._db.write(close)

    async def drop_task(self, task_id: int, *, by: str, reason: str, now: datetime, seen: int | None = None) -> TaskView:
        """Give a task up: what it was for is not done again by itself. Raises NotThere; Conflict as `done_task`."""

        def drop(tx: Tx) -> TaskView:
            task = open_task(tx, task_id, by)
            _check_seen(task, seen)
            return give_up(tx, task, reason, by, now)

        return await self._db.write(drop)

    async def assign_task(self, task_id: int, to: str, *, by: str, now: datetime) -> TaskView:
        """Say whose work an open task is; one in hand changes hands. Raises NotThere, Conflict (closed)."""

        def assign(tx: Tx) -> TaskView:
            task = task_view(tx, task_id)
            if task.state not in _OPEN:
                raise Conflict(_closed(task))
            tx.run(_ASSIGN, to, to, task_id)
            whose = {"assigned_to": task.assigned_to, "taken_by": task.taken_by}
            _record(tx, task, "task_assigned", by, "", now, before=whose, after={"assigned_to": to})
            return task_view(tx, task_id)

        return await self._db.write(assign)


def open_task(tx: Tx, task_id: int, by: str) -> TaskView:
    """A task that this person may close or give up. Raises NotThere; Conflict where it is closed, or in other hands."""
    task = task_view(tx, task_id)
    check_open(task, by)
    return task


def check_open(task: TaskView, by: str) -> None:
    """Raises Conflict where it is closed, or in other hands."""
    if task.state not in _OPEN:
        raise Conflict(_closed(task))
    if task.state is TaskState.IN_HAND and task.taken_by != by:
        raise Conflict(f"Task {task.id} is in the hands of {task.taken_by}. Ask there, or: tracker tasks list")


def _closed(task: TaskView) -> str:
    """That it is closed; of a refund that no task notes any more, where its payment is told (D13)."""
    unpaid = task.kind == Intent.REFUND.value and task.state is not TaskState.DONE
    return _CLOSED.format(id=task.id, state=task.state.value) + (_PAID_ALL_THE_SAME.format(order=task.order) if unpaid else "")


def finish(tx: Tx, task: TaskView, result: TaskResult, by: str, now: datetime) -> TaskView:
    """Close a task with its result, and write the facts that it carries. Raises Conflict."""
    if result.unsure:
        tx.run(_DOUBTFUL, result.note or "the clerk cannot say", task.id)
        state, what = TaskState.DROPPED, "task_unsure"
    else:
        _require(task, result)
        _write_facts(tx, task, result, by, now)
        _end_waiting(tx, task, result.note or "", by, now)
        tx.run(_FIX_DAY0, task.id)
        state, what = TaskState.DONE, "task_done"
    tx.run(_CLOSE, state, by, now, json_text(_result_texts(result)), task.id)
    _record(tx, task, what, by, result.note or "", now)
    wake(tx, [item.order_id for item in task.items], now)
    return task_view(tx, task.id)


def give_up(tx: Tx, task: TaskView, reason: str, by: str, now: datetime) -> TaskView:
    """Close a task that will not be done; its effects are refused, not withdrawn: they do not come again by themselves."""
    tx.run(_REFUSED, reason, task.id)
    _end_waiting(tx, task, reason, by, now)
    tx.run(_CLOSE, TaskState.DROPPED, by, now, json_text({"reason": reason}), task.id)
    _record(tx, task, "task_dropped", by, reason, now)
    wake(tx, [item.order_id for item in task.items], now)
    return task_view(tx, task.id)


def _check_seen(task: TaskView, seen: int | None) -> None:
    """Nobody closes what he has not seen: a grouped task that nobody has taken grows under the eyes (D17)."""
    count = len(task.live)
    if seen is not None and seen != count:
        raise Conflict(
            f"Task {task.id} has {count} items now, not {seen}. Look again: tracker tasks show {task.id}; "
            f"tracker tasks take {task.id} keeps it as it is."
        )
    added = sum(item.added_at is not None and item.added_at > task.created_at for item in task.live)
    if seen is None and added and task.state is TaskState.OPEN and task.group is not None:
        raise Conflict(
            f"{added} of the {count} items of task {task.id} were added since it was opened. Take it first: "
            f"tracker tasks take {task.id}; or say how many you saw: --items {count}"
        )


def _require(task: TaskView, result: TaskResult) -> None:
    given = {want: getattr(result, want) for want in task.wants}
    missing = [want for want in task.wants if given.get(want) in {None, ""}]
    if missing:
        raise Conflict(f"Task {task.id} wants {' and '.join(missing)}. See: tracker tasks show {task.id}")


def _end_waiting(tx: Tx, task: TaskView, reason: str, by: str, now: datetime) -> None:
    """He was answered, or a person says that he needs no answer (R56): else nothing would ever be said to him again (D15)."""
    if task.kind != Intent.BUYER_WAITING.value:
        return
    for item in task.live:
        facts.waits_no_more(tx, item.order_id, item.facts.get("waiting_since", ""), by=by, reason=reason, now=now)


def _write_facts(tx: Tx, task: TaskView, result: TaskResult, by: str, now: datetime) -> None:
    for item in task.items:
        if item.dropped:
            continue
        if result.window_end is not None:
            facts.extend_window(tx, item.order_id, result.window_end, by=by, now=now)
        if task.kind == Intent.CASE_ANSWER.value and "case" in item.facts:
            answer_case(tx, item.facts["case"], by=by, reason=result.note or "", now=now)
        if result.amount is not None:
            _refund(tx, item, result.amount, result.reference, by, now)
        if result.tracking_number is not None:
            on_its_way(tx, item.row_id, result.tracking_number, by=by, now=now)


def _refund(tx: Tx, item: TaskItem, amount: Decimal, reference: str | None, by: str, now: datetime) -> None:
    facts.add_refund(tx, item.order_id, amount, reference, by=by, now=now, row_id=item.row_id)


def _result_texts(result: TaskResult) -> dict[str, str]:
    texts = {
        "window_end": None if result.window_end is None else result.window_end.isoformat(),
        "amount": money_text(result.amount),
        "reference": result.reference,
        "tracking_number": result.tracking_number,
        "note": result.note,
        "unsure": "yes" if result.unsure else None,
    }
    return {name: text for name, text in texts.items() if text is not None}


def _record(
    tx: Tx,
    task: TaskView,
    what: str,
    by: str,
    reason: str,
    now: datetime,
    *,
    before: Mapping[str, str | None] | None = None,
    after: Mapping[str, str] | None = None,
) -> None:
    now_so = {"task": task.id, **(after or {})}
    was = {name: value for name, value in (before or {}).items() if value is not None}
    for item in task.live:
        audit(tx, now, who=by, what=what, order_id=item.order_id, subject=item.key, reason=reason, before=was, after=now_so)
