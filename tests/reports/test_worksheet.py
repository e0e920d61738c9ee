"""The worksheet of the queue: all a clerk needs in one line, room for the answer, and what a machine knows the line by."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tracker.config import load
from tracker.model import ActionKind, Channel, DecisionReason, HoldReason, Intent, OutboxRow, OutboxState, TaskState
from tracker.reports.sheet import write_xlsx
from tracker.reports.worksheet import (
    LAYOUT,
    MACHINE,
    REVIEW,
    TASKS,
    WORDS,
    Line,
    Setting,
    review_line,
    task_lines,
    titles,
    words,
    worksheet,
)
from tracker.store.rows import OrderRef, OutboxView, TaskItem, TaskView

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
LANGUAGES = load(None, environ={}).languages
ENGLISH, CHINESE = LANGUAGES["en"], LANGUAGES["zh-CN"]
LOCAL = datetime(2026, 3, 1, 20, 30)  # noqa: DTZ001 - a cell has no zone


def _item(order: str, row: int = 1, **changes: Any) -> TaskItem:
    values: dict[str, Any] = {
        "row_id": row,
        "key": f"order/lume/{order}:stage1:0",
        "order_id": 1,
        "order": order,
        "facts": {"reason": "stage_due", "buyer": "Ana", "amount": "12.50", "currency": "USD"},
        "text": "Olá",
        "twin": "Hello",
        "url": f"https://shop.example/{order}",
        "version": 5,
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


def _review(**changes: Any) -> OutboxView:
    values: dict[str, Any] = {
        "id": 9,
        "key": "order/lume/A-1:refund:0",
        "subject": "order/lume/A-1",
        "intent": Intent.REFUND,
        "occasion": "0",
        "kind": ActionKind.REFUND,
        "state": OutboxState.HELD,
        "channel": Channel.TASK,
        "reason": DecisionReason.NOT_FOUND_CONFIRMED,
        "rule": "refund.untrackable",
        "order_id": 1,
        "store": "lume",
        "created_at": NOW,
        "not_before": NOW,
        "deadline": NOW,
        "amount": Decimal("12.50"),
        "currency": "USD",
        "hold": HoldReason.MONEY_NEEDS_APPROVAL,
        "evidence": {"not_found_days": "7"},
    }
    order = OrderRef(id=1, store="lume", platform="aliexpress", number="A-1", country="BR", version=5)
    return OutboxView(row=OutboxRow(**(values | changes)), order=order)


def _setting(language: str = "en", **zones: str) -> Setting:
    return Setting(phrases=LANGUAGES[language], zones=zones or {"lume": "Asia/Shanghai"}, database="abc123", at=NOW)


def _page(path: Path, kind: str, lines: list[Line], setting: Setting) -> Worksheet:
    write_xlsx(path / "a.xlsx", worksheet(kind, lines, setting), created=NOW)
    page = openpyxl.load_workbook(path / "a.xlsx").worksheets[0]
    assert isinstance(page, Worksheet)
    return page


def _line(page: Worksheet, number: int = 2) -> dict[str, Any]:
    return dict(zip([str(cell.value) for cell in page[1]], [cell.value for cell in page[number]], strict=True))


def test_a_clerk_finds_order_link_text_and_twin_in_one_line(tmp_path: Path) -> None:
    """D17, facts/daily-operations.md: id, deadline, store, link, amount, advice, reason, texts, decision, note, version."""
    lines = list(task_lines([_task(_item("A-1"), deadline=NOW, valid_until=NOW)], ENGLISH, {7: "Mei"}))
    line = _line(_page(tmp_path, TASKS, lines, _setting()))
    wanted = {
        "id": 7,
        "deadline (Asia/Shanghai)": LOCAL,
        "order": "A-1",
        "order link": "https://shop.example/A-1",
        "what is advised": "Send the first text to the buyer of order A-1",
        "amount": 12.5,
        "currency": "USD",
        "reason": "this stage of the ladder is due",
        "evidence": "buyer: Ana",
        "text for the buyer": "Olá",
        "the same for you": "Hello",
        "valid until (Asia/Shanghai)": LOCAL,
        "whose": "Mei",
        "decision": None,
        "new window end": None,
        "amount paid": None,
        "reference": None,
        "note": None,
        "facts version": 5,
        "tracker:row": 1,
        "tracker:key": "order/lume/A-1:stage1:0",
        "tracker:facts": 5,
        "tracker:amount": "12.50",
        "tracker:deadline": "2026-03-01T12:30:00Z",
        "tracker:sheet": "tasks/1/abc123/1772368200000",
    }
    assert {name: line[name] for name in wanted} == wanted


def test_a_recommendation_in_the_operators_language(tmp_path: Path) -> None:
    page = _page(tmp_path, REVIEW, [review_line(_review(), CHINESE, url="https://shop.example/A-1")], _setting("zh-CN"))
    line = _line(page)
    assert line["建议"] == "退款：订单 A-1，12.50 USD"
    assert line["依据"] == "查无天数: 7"
    assert (line["金额"], line["币种"], line["决定"], line["信息版本"]) == (12.5, "USD", None, 5)
    assert line["tracker:sheet"] == "review/1/abc123/1772368200000"
    [choices] = page.data_validations.dataValidation
    assert choices.formula1 == '"批准,驳回,推迟"'
    link = page.cell(2, 1 + list(line).index("订单链接"))
    assert link.hyperlink is not None
    assert link.hyperlink.target == "https://shop.example/A-1"


@pytest.mark.parametrize("kind", [REVIEW, TASKS])
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_it_can_be_worked_with_in_a_spreadsheet_and_printed(kind: str, language: str, tmp_path: Path) -> None:
    """Heading in sight and repeated, filters, machine columns out of sight, nothing locked, landscape on one page's width."""
    review, tasks = [review_line(_review(), ENGLISH)], list(task_lines([_task(_item("A-1"))], ENGLISH))
    page = _page(tmp_path, kind, review if kind == REVIEW else tasks, _setting(language))
    at = {str(cell.value): cell.column for cell in page[1]}
    after_order = at[LANGUAGES[language].say("worksheet.order")] + 1
    assert page.freeze_panes == f"{get_column_letter(after_order)}2"
    assert page.auto_filter.ref == f"A1:{get_column_letter(len(at))}2"
    hidden = {each for wide in page.column_dimensions.values() if wide.hidden for each in range(wide.min, wide.max + 1)}
    assert {name for name, column in at.items() if column in hidden} == set(MACHINE)
    assert not page.protection.sheet
    setup = page.page_setup
    assert (setup.orientation, setup.fitToWidth or 1, setup.fitToHeight) == ("landscape", 1, 0)
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert page.print_title_rows == "$1:$1"
    [choices] = page.data_validations.dataValidation
    assert len(choices.formula1) < 255, "no longer list is valid"
    assert len(at) == len(page[1]), "no heading stands twice"
    guide = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[1]
    assert guide.max_row == 6, "a heading and five lines"


def test_a_grouped_task_is_a_line_an_order_without_those_dropped() -> None:
    """D17: one worksheet of stage 1 a day per store; an order whose facts moved on is not pasted any more."""
    task = _task(_item("A-1"), _item("A-2", 2, dropped=True), _item("A-3", 3))
    sheet, _ = worksheet(TASKS, task_lines([task], ENGLISH), _setting())
    at = [column.title for column in sheet.columns].index("order")
    assert [(row[0], row[at]) for row in sheet.rows] == [(7, "A-1"), (7, "A-3")]


def test_stores_in_several_zones_are_told_apart() -> None:
    lines = [*task_lines([_task(_item("A-1"), deadline=NOW)], ENGLISH)]
    lines += task_lines([_task(_item("B-1"), deadline=NOW, store="nova")], ENGLISH)
    sheet, _ = worksheet(TASKS, lines, _setting(lume="Asia/Shanghai", nova="America/Los_Angeles"))
    at = [column.title for column in sheet.columns]
    assert at[1:3] == ["deadline (zone beside it)", "zone"]
    assert [row[1:3] for row in sheet.rows] == [
        [LOCAL, "Asia/Shanghai"],
        [datetime(2026, 3, 1, 4, 30), "America/Los_Angeles"],  # noqa: DTZ001 - as above
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_no_cell_runs_as_a_formula(text: str, tmp_path: Path) -> None:
    """Faults row 29: a buyer's name, a reference; also after somebody has edited the cell and pressed return."""
    item = _item(text, facts={"buyer": text, "reason": "stage_due"}, text=text, twin=text)
    page = _page(tmp_path, TASKS, list(task_lines([_task(item)], ENGLISH)), _setting())
    cells = [cell for cell in page[2] if cell.value == text]
    assert len(cells) == 3
    assert {(cell.data_type, bool(cell.quotePrefix)) for cell in cells} == {("s", True)}


@pytest.mark.parametrize("kind", LAYOUT)
def test_every_column_and_word_is_said_in_every_language(kind: str) -> None:
    headed = titles(kind, LANGUAGES.values())
    assert list(headed) == list(LAYOUT[kind])
    for language in LANGUAGES.values():
        mine = titles(kind, [language])
        assert len({title for each in mine.values() for title in each}) == len(mine), "two columns would be taken for one"
        said = [word for each in words(kind, [language]).values() for word in each]
        assert len(said) == len(set(said)), "one word would mean two decisions"
    assert {"approve", "approved", "批准", "已批准"} <= words(REVIEW, LANGUAGES.values())["approve"]
    assert {word for kind in (REVIEW, TASKS) for word in WORDS[kind]} == {"approve", "reject", "snooze", "done", "drop", "unsure"}
