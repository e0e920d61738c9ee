"""A line of the worksheet of tasks: done with what it wants to know, given up, or unsure. Each line by itself (D17)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tracker.desk import people, tasks
from tracker.desk.errors import Refused
from tracker.desk.worksheet.became import Acted, Asking, Ready, Same
from tracker.desk.worksheet.cells import amount, day, text
from tracker.desk.worksheet.lines import note_of, row_of, unused, wanted, word_of
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.model import OutboxState, TaskState
from tracker.store.rows import OutboxView, TaskItem, TaskResult, TaskView

VALUES = {
    "window_end": "window_end",
    "amount": "amount_paid",
    "reference": "reference",
    "tracking_number": "tracking_number",
}
"""What a task wants to know -> the column in which it stands."""


class Closing:
    """Looks at the lines of one file; a grouped task is read once for all of its lines."""

    def __init__(self) -> None:
        self._tasks: dict[int, TaskView] = {}

    async def look(self, asking: Asking, filled: Filled) -> Ready | Same | None:
        """What a line wants, looked at on today's facts; None: it is silent. Raises `NotTaken`."""
        word = word_of(asking, filled, VALUES.values())
        if word is None:
            return None
        view = await row_of(asking, filled)
        task = await self._task(asking, view)
        item = next((each for each in task.items if each.row_id == view.row.id), None)
        if item is None:
            raise NotTaken("other_row")
        result = _result(asking, filled, task, item, word)
        if _same(word, result, view, task):
            return Same(order_id=view.order.id, word=word, steps=1)
        if not item.dropped:
            _open(asking, task)
        elif word == "drop" or view.row.state is not OutboxState.SENT or view.order.version != filled.version:
            # Who knows today's facts, and says that he did it before they took it back, is believed: the buyer has it (I1).
            raise NotTaken("gone")
        if result.window_end is not None and result.window_end <= asking.now:
            raise NotTaken("past", text=filled.text("window_end"))
        if result.window_end is not None and result.window_end - asking.now > tasks.FAR_AHEAD:
            raise NotTaken("far_ahead", text=filled.text("window_end"))
        approved = tasks.approved_amount(item)
        if result.amount is not None and approved not in {None, result.amount} and not result.note:
            raise NotTaken("other_amount", approved=approved, text=filled.text("amount_paid"))
        return Ready(
            order_id=view.order.id,
            version=view.order.version,
            word=word,
            act=_Act(asking, view.row.id, word, result),
            locked=task.state is TaskState.IN_HAND,
        )

    async def _task(self, asking: Asking, view: OutboxView) -> TaskView:
        if view.task_id is None:
            raise NotTaken("other_row")
        if view.task_id not in self._tasks:
            self._tasks[view.task_id] = await asking.store.task(view.task_id)
        return self._tasks[view.task_id]


class _Act:
    """Writes one line's word."""

    def __init__(self, asking: Asking, row: int, word: str, result: TaskResult) -> None:
        self._asking, self._row, self._word, self._result = asking, row, word, result

    async def __call__(self, seen: int) -> Acted:
        store, by, now = self._asking.store, self._asking.by, self._asking.now
        if self._word == "drop":
            closed = await tasks.drop_item(store, self._row, by=by, reason=self._result.note or "", now=now, seen=seen)
        else:
            closed = await tasks.done_item(store, self._row, self._result, by=by, now=now, seen=seen)
        return Acted(version=next(item.version for item in closed.items if item.row_id == self._row))


def _result(asking: Asking, filled: Filled, task: TaskView, item: TaskItem, word: str) -> TaskResult:
    """What the line tells of the closing. Raises `NotTaken` for what is missing, unreadable or of no use here."""
    note = note_of(filled)
    if word == "drop" and not note:
        raise NotTaken("no_reason", column="note")
    wants = task.wants if word == "done" else ()
    unused(filled, (column for name, column in VALUES.items() if name not in wants))
    return TaskResult(
        window_end=_end(asking, filled, task) if "window_end" in wants else None,
        amount=_paid(filled, item) if "amount" in wants else None,
        reference=wanted(filled, "reference") if "reference" in wants else None,
        tracking_number=_number(filled) if "tracking_number" in wants else None,
        note=note or None,
        unsure=word == "unsure",
    )


def _number(filled: Filled) -> str:
    said = wanted(filled, "tracking_number")
    try:
        return tasks.tracking_number(said)
    except Refused:
        raise NotTaken("no_tracking_number", text=said) from None


def _end(asking: Asking, filled: Filled, task: TaskView) -> datetime:
    end = day(filled.cells.get("window_end", ""))
    if end is None:
        raise NotTaken("no_value", column="window_end")
    return tasks.end_of_day(end, asking.zone_of(task.store))


def _paid(filled: Filled, item: TaskItem) -> Decimal:
    currency = item.facts.get("currency")
    shown = text(filled.cells.get("currency", "")).upper()
    if currency and shown and shown != currency:
        raise NotTaken("wrong_currency", currency=currency, text=shown)
    paid = amount(filled.cells.get("amount_paid", ""), currency)
    if paid is None:
        raise NotTaken("no_value", column="amount_paid")
    if paid <= 0:
        raise NotTaken("no_amount", text=filled.text("amount_paid"))
    return paid


def _same(word: str, result: TaskResult, view: OutboxView, task: TaskView) -> bool:
    """Whether just this was said before, by whomever."""
    if word == "unsure":
        return view.row.state is OutboxState.UNKNOWN
    if word == "drop":
        return task.state is TaskState.DROPPED and view.rejected
    told = {name: task.result.get(name) for name in VALUES}
    known_amount = None if told["amount"] is None else Decimal(told["amount"])
    end = None if result.window_end is None else result.window_end.isoformat()
    return task.state is TaskState.DONE and (
        told["window_end"],
        known_amount,
        told["reference"],
        told["tracking_number"],
    ) == (end, result.amount, result.reference, result.tracking_number)


def _open(asking: Asking, task: TaskView) -> None:
    """It has to be open still, and in nobody else's hands."""
    if task.state not in tasks.OPEN:
        who = people.name_of(task.closed_by, asking.rules.team)
        raise NotTaken("closed", state=task.state.value, who=who or "-", task=task.id)
    if task.state is TaskState.IN_HAND and task.taken_by != asking.by:
        raise NotTaken("in_hands", who=people.name_of(task.taken_by, asking.rules.team) or "-")
