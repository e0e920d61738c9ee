"""What a person is handed: title, facts, link, text with twin, until when, and what closing it must tell (D17)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tracker.channels.task import build
from tracker.config import english
from tracker.model import (
    ActionKind,
    Channel,
    DecisionReason,
    Intent,
    Mode,
    Order,
    OutboxRow,
    OutboxState,
    Remedy,
    Window,
    WindowSource,
)
from tracker.rules import Extension, Marketplace, Store

ENGLISH = english()
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
END = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
MARKET = Marketplace(
    id="aliexpress",
    channel=Channel.TASK,
    own_shop=False,
    zone="America/Los_Angeles",
    extension=Extension(mode="manual", trigger_days=10, days=(15,), max_extensions=2),
    grouped=frozenset({"stage1"}),
    order_url="https://market.example/order?id={order}",
)
STORE = Store(id="lume", platform="aliexpress", name="Lume", zone="America/Los_Angeles", currency="USD", mode=Mode.LIVE)
ORDER = Order(id=1, store="lume", platform="aliexpress", number="817-1", country="BR", buyer_name="Ana", currency="USD")


def _row(intent: Intent, **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "id": 5,
        "key": f"order/lume/817-1:{intent.value}:0",
        "subject": "order/lume/817-1",
        "intent": intent,
        "occasion": "0",
        "kind": ActionKind.MESSAGE,
        "state": OutboxState.PENDING,
        "channel": Channel.TASK,
        "reason": DecisionReason.STAGE_DUE,
        "rule": "br-ladder",
        "order_id": 1,
        "store": "lume",
        "created_at": NOW,
        "not_before": NOW,
    }
    return OutboxRow(**(values | changes))


def test_an_extension_names_the_window_and_wants_its_new_end() -> None:
    """R7: a task with text and deadline, closed with the new end."""
    order = Order(
        **{name: getattr(ORDER, name) for name in ORDER.__struct_fields__} | {"window": Window(end=END, source=WindowSource.FILE)}
    )
    row = _row(Intent.EXTENSION, kind=ActionKind.EXTENSION, reason=DecisionReason.WINDOW_CLOSES_SOON, deadline=END)
    task = build(row, order, STORE, MARKET, ENGLISH, now=NOW, text="Prazo estendido", twin="Window extended")
    assert task.title == "Extend the delivery window of order 817-1"
    assert (task.wants, task.deadline, task.valid_until) == (("window_end",), END, END)
    assert (task.text, task.twin) == ("Prazo estendido", "Window extended")
    assert task.url == "https://market.example/order?id=817-1"
    assert (task.facts["window_end"], task.facts["window_source"]) == ("2026-03-10", "file")


def test_an_estimated_window_is_looked_up_first() -> None:
    """DESIGN "Words": an estimated end leads to a task only."""
    row = _row(Intent.EXTENSION, kind=ActionKind.EXTENSION, reason=DecisionReason.WINDOW_ESTIMATED_CLOSES_SOON)
    assert "only an estimate" in build(row, ORDER, STORE, MARKET, ENGLISH, now=NOW).title


def test_a_refund_names_the_amount_and_wants_the_reference() -> None:
    """D13: the buyer is told when the task is closed with reference and amount."""
    row = _row(
        Intent.REFUND,
        kind=ActionKind.REFUND,
        amount=Decimal("12.50"),
        currency="USD",
        reason=DecisionReason.STAGE3_NOT_ARRIVED,
        evidence={"last_scan": "2026-01-02 Curitiba"},
    )
    task = build(row, ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert task.title == "Refund 12.50 USD of order 817-1"
    assert task.wants == ("amount", "reference")
    assert task.facts == {
        "reason": "stage3_not_arrived",
        "country": "BR",
        "buyer": "Ana",
        "amount": "12.50",
        "currency": "USD",
        "last_scan": "2026-01-02 Curitiba",
    }


@pytest.mark.parametrize(
    ("intent", "kind", "group"),
    [
        (Intent.STAGE1, ActionKind.MESSAGE, "stage1:lume:2026-02-28"),  # 03:00 UTC is the evening before in Los Angeles (D9)
        (Intent.STAGE2, ActionKind.MESSAGE, None),
        (Intent.EXTENSION, ActionKind.EXTENSION, None),
        (Intent.RELEASE_FUNDS, ActionKind.TASK, "release_funds:lume:2026-02-28"),
        (Intent.CERTIFICATE, ActionKind.TASK, "certificate:lume:2026-02-28"),
        (Intent.VIP, ActionKind.TASK, "vip:lume:2026-02-28"),
        (Intent.VIP, ActionKind.MESSAGE, None),
        (Intent.CHECK_ADDRESS, ActionKind.TASK, "check_address:lume:2026-02-28"),
        (Intent.DO_NOT_SHIP, ActionKind.TASK, "do_not_ship:lume:2026-02-28"),
        (Intent.SHIP_LATE, ActionKind.TASK, "ship_late:lume:2026-02-28"),
        (Intent.CONFIRM_SHIPMENT, ActionKind.TASK, "confirm_shipment:lume:2026-02-28"),
        (Intent.WINDOW_OPENS, ActionKind.TASK, "window_opens:lume:2026-02-28"),
    ],
)
def test_r20_r30_r46_r60_r62_r91_what_is_grouped_per_store_and_local_day(
    intent: Intent, kind: ActionKind, group: str | None
) -> None:
    """D17: 324 parcels a day reach their first stage; that is one worksheet, not 324 tasks."""
    task = build(_row(intent, kind=kind), ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert task.group == group
    assert ("817-1" in task.title) is (group is None), "a group is not named after one of its orders"


@pytest.mark.parametrize("intent", [Intent.CHECK_ADDRESS, Intent.DO_NOT_SHIP, Intent.SHIP_LATE])
def test_r46_r60_what_is_not_sent_yet_stays_on_the_list_past_its_last_day(intent: Intent) -> None:
    """R16, R46, R60: the parcel still lies in the shop; an alert that ends with its deadline would hide the late ones."""
    task = build(_row(intent, kind=ActionKind.TASK, deadline=END), ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert (task.deadline, task.valid_until) == (END, None)
    confirm = build(_row(Intent.CONFIRM_SHIPMENT, kind=ActionKind.TASK, deadline=END), ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert confirm.valid_until == END, "then the order is cancelled: nothing to confirm any more (R61)"


@pytest.mark.parametrize("intent", [Intent.CASE_ANSWER, Intent.CASE_EVIDENCE, Intent.CASE_CLOSE])
def test_r33_r82_what_was_not_answered_in_time_still_wants_its_answer(intent: Intent) -> None:
    """R33: an overdue case stays in the queue until it closes; R82: one with five minutes would be gone before anybody looks."""
    task = build(_row(intent, kind=ActionKind.TASK, deadline=END), ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert (task.deadline, task.valid_until) == (END, None)


@pytest.mark.parametrize("remedy", [None, Remedy.FULL_REFUND, Remedy.RESHIP, Remedy.FORWARD])
def test_r3_d13_what_was_approved_is_owed_past_its_deadline(remedy: Remedy | None) -> None:
    """R3, D13, D17: an approved refund never ends by itself: the buyer was promised nothing yet, and a person said yes."""
    row = _row(Intent.REFUND, kind=ActionKind.REFUND, remedy=remedy, deadline=END)
    task = build(row, ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert (task.deadline, task.valid_until) == (END, None)


@pytest.mark.parametrize("intent", list(Intent))
def test_whatever_is_decided_can_be_handed_to_a_person(intent: Intent) -> None:
    """A lint hit or a failing channel turns any row into a task: every intent has a title a person understands."""
    task = build(_row(intent, shipment="RB123456785CN"), ORDER, STORE, MARKET, ENGLISH, now=NOW)
    assert "{" not in task.title
    assert task.title != intent.value
    assert task.kind == intent.value
