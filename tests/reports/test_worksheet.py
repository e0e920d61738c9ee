"""The worksheet of tasks: all a clerk needs in one line, and room for the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl

from tracker.model import TaskState
from tracker.reports.sheet import write_xlsx
from tracker.reports.worksheet import COLUMNS, task_sheet
from tracker.store.rows import TaskItem, TaskView

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def _item(order: str, **changes: Any) -> TaskItem:
    values: dict[str, Any] = {
        "row_id": 1,
        "key": f"order/lume/{order}:stage1:0",
        "order_id": 1,
        "order": order,
        "facts": {"reason": "stage_due", "buyer": "Ana", "amount": "12.50", "currency": "USD"},
        "text": "Olá",
        "twin": "Hello",
        "url": f"https://shop.example/{order}",
    }
    return TaskItem(**(values | changes))


def _task(*items: TaskItem, **changes: Any) -> TaskView:
    values: dict[str, Any] = {
        "id": 7,
        "kind": "stage1",
        "title": "Send the first text",
        "store": "lume",
        "order": "A-1",
        "state": TaskState.OPEN,
        "created_at": NOW,
        "items": items,
    }
    return TaskView(**(values | changes))


def test_a_clerk_finds_order_link_text_and_twin_in_one_line(tmp_path: Path) -> None:
    """D17: id, deadline, store, order link, amount, reason, text and its twin, decision, note (facts/daily-operations.md)."""
    write_xlsx(tmp_path / "a.xlsx", [task_sheet([_task(_item("A-1"), deadline=NOW)])], created=NOW)
    page = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    titles = [cell.value for cell in page[1]]
    line = dict(zip(titles, [cell.value for cell in page[2]], strict=True))
    wanted = {
        "id": 7,
        "deadline (UTC)": datetime(2026, 3, 1, 12, 30),  # noqa: DTZ001 - a cell has no zone
        "order": "A-1",
        "order link": "https://shop.example/A-1",
        "amount": 12.5,
        "currency": "USD",
        "reason": "stage_due",
        "facts": "buyer: Ana",
        "text for the buyer": "Olá",
        "the same for you": "Hello",
        "decision": None,
        "note": None,
    }
    assert {name: line[name] for name in wanted} == wanted
    [choices] = page.data_validations.dataValidation
    assert choices.formula1 == '"done,drop,unsure"'


def test_a_grouped_task_is_a_line_an_order_without_those_dropped() -> None:
    """D17: one worksheet of stage 1 a day per store; an order whose facts moved on is not pasted any more."""
    sheet = task_sheet([_task(_item("A-1"), _item("A-2", dropped=True), _item("A-3"))])
    assert [(row[0], row[3]) for row in sheet.rows] == [(7, "A-1"), (7, "A-3")]
    assert all(len(row) == len(COLUMNS) for row in sheet.rows)
