"""The worksheet of tasks: what a clerk works through, one line an order, with the columns to fill in beside it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tracker.reports.sheet import Cell, Column, Sheet
from tracker.store.rows import TaskItem, TaskView

COLUMNS = (
    Column(title="id", width=7),
    Column(title="deadline (UTC)", width=17),
    Column(title="store"),
    Column(title="order", width=22),
    Column(title="order link", width=30),
    Column(title="kind"),
    Column(title="what to do", width=40, wrap=True),
    Column(title="amount", width=12),
    Column(title="currency", width=8),
    Column(title="reason", width=24),
    Column(title="facts", width=40, wrap=True),
    Column(title="text for the buyer", width=60, wrap=True),
    Column(title="the same for you", width=60, wrap=True),
    Column(title="valid until (UTC)", width=17),
    Column(title="in hand", width=12),
    Column(title="decision", width=12, choices=("done", "drop", "unsure")),
    Column(title="new window end", width=15),
    Column(title="amount paid", width=12),
    Column(title="reference", width=20),
    Column(title="note", width=30),
)
"""The last five are empty: a person's own."""

_OWN = 5


def task_sheet(tasks: Iterable[TaskView]) -> Sheet:
    """One line for each order of each task; a grouped task repeats its id. Items that the facts no longer want are left out."""
    lines = tuple(_line(task, item) for task in tasks for item in task.items if not item.dropped)
    return Sheet(name="tasks", columns=COLUMNS, rows=lines)


def _line(task: TaskView, item: TaskItem) -> tuple[Cell, ...]:
    facts = dict(item.facts)
    reason, amount, currency = facts.pop("reason", None), facts.pop("amount", None), facts.pop("currency", None)
    told: tuple[Cell, ...] = (
        task.id,
        item.deadline or task.deadline,
        task.store,
        item.order,
        item.url,
        task.kind,
        task.title,
        Decimal(amount) if amount else None,
        currency,
        reason,
        "\n".join(f"{name}: {value}" for name, value in facts.items()),
        item.text,
        item.twin,
        task.valid_until,
        task.taken_by,
    )
    return told + (None,) * _OWN
