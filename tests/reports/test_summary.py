"""The summary counts what was done, by what and why; nothing is counted twice and nothing doubtful is hidden."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tracker.model import ActionKind, Channel, DecisionReason, HoldReason, Intent, OutboxRow, OutboxState, TaskState
from tracker.reports.summary import Line, summarise
from tracker.store.rows import OrderRef, OutboxView, TaskView

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDER = OrderRef(id=1, store="lume", platform="own", number="A-1", country="BR", version=3)


def _row(intent: Intent, state: OutboxState, **changes: Any) -> OutboxView:
    rejected = changes.pop("rejected", False)
    values: dict[str, Any] = {
        "id": 1,
        "key": f"order/lume/A-1:{intent.value}:0",
        "subject": "order/lume/A-1",
        "intent": intent,
        "occasion": "0",
        "kind": ActionKind.MESSAGE,
        "state": state,
        "channel": Channel.MAILDIR,
        "reason": DecisionReason.STAGE_DUE,
        "rule": "br-ladder",
        "order_id": 1,
        "store": "lume",
        "created_at": NOW,
        "not_before": NOW,
    }
    return OutboxView(row=OutboxRow(**(values | changes)), order=ORDER, rejected=rejected)


def _refund(amount: str, currency: str, reason: DecisionReason, state: OutboxState = OutboxState.HELD) -> OutboxView:
    changes = {"kind": ActionKind.REFUND, "amount": Decimal(amount), "currency": currency, "channel": Channel.TASK}
    hold = HoldReason.MONEY_NEEDS_APPROVAL if state is OutboxState.HELD else None
    return _row(Intent.REFUND, state, reason=reason, hold=hold, **changes)


def _counted(
    *rows: OutboxView, tasks: tuple[TaskView, ...] = (), considered: dict[str, int] | None = None
) -> dict[str, tuple[Line, ...]]:
    return {section.title: section.lines for section in summarise(rows, tasks, considered or {})}


def test_messages_are_counted_by_text_when_they_left() -> None:
    counted = _counted(
        _row(Intent.STAGE1, OutboxState.SENT, template="stage1"),
        _row(Intent.STAGE1, OutboxState.SENT, template="stage1_noscan"),
        _row(Intent.STAGE1, OutboxState.PENDING, template="stage1"),
        _row(Intent.STAGE2, OutboxState.SENT, template="stage2", channel=Channel.TASK),
    )
    assert {line.what: line.count for line in counted["Sent to buyers"]} == {"stage1": 1, "stage1_noscan": 1}


def test_recommended_money_is_added_per_currency_with_its_reasons() -> None:
    """Never a sum across currencies (facts/compensation.md section 7)."""
    counted = _counted(
        _refund("12.50", "USD", DecisionReason.STAGE3_NOT_ARRIVED),
        _refund("7.50", "USD", DecisionReason.NOT_FOUND_CONFIRMED),
        _refund("30", "BRL", DecisionReason.NOT_FOUND_CONFIRMED),
    )
    [line] = counted["Refunds recommended"]
    assert line.money == {"BRL": "30", "USD": "20.00"}
    assert line.why == {"not_found_confirmed": 2, "stage3_not_arrived": 1}
    [held] = counted["Held back"]
    assert (held.what, held.count) == ("refund: money_needs_approval", 3)


def test_doubtful_and_withdrawn_effects_stand_apart() -> None:
    counted = _counted(
        _row(Intent.STAGE1, OutboxState.UNKNOWN),
        _row(Intent.STAGE2, OutboxState.CANCELLED),
        _row(Intent.REFUND, OutboxState.CANCELLED, kind=ActionKind.REFUND, rejected=True),
    )
    assert [line.what for line in counted["Doubtful or failed"]] == ["stage1: unknown"]
    assert [line.what for line in counted["Given up, because the facts changed"]] == ["stage2: cancelled"]


def test_tasks_and_orders_left_alone_are_counted() -> None:
    task = TaskView(id=1, kind="extension", title="x", store="lume", order="A-1", state=TaskState.DONE, created_at=NOW, items=())
    counted = _counted(tasks=(task, task), considered={"not_yet_due": 2, "delivered": 9})
    assert counted["Handed to a person"] == (Line(what="extension: done", count=2),)
    assert [line.what for line in counted["Left alone at some time, orders by reason"]] == ["delivered", "not_yet_due"]


def test_nothing_to_tell_is_no_section() -> None:
    assert _counted() == {}
