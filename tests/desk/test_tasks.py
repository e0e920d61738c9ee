"""Tasks: taken once, closed with what they want to know, doubtful when the clerk cannot say (D17)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.desk.world import NOW, World
from tracker.desk import Refused, effects, tasks
from tracker.model import Intent, OutboxState, Task, TaskState, WindowSource
from tracker.store import Conflict, TaskResult, TaskView

NEW_END = NOW + timedelta(days=30)


async def _done(world: World, task: int, by: str = "Mei", **result: Any) -> TaskView:
    return await tasks.done(world.store, task, TaskResult(**result), by=by, now=NOW)


async def test_a_task_in_hand_is_a_lock_with_a_name(world: World) -> None:
    task = await world.task(await world.order())
    assert (await tasks.take(world.store, task, by="Mei", now=NOW)).taken_by == "Mei"
    with pytest.raises(Conflict, match="in the hands of Mei"):
        await _done(world, task, by="Lin")
    assert (await _done(world, task)).state is TaskState.DONE
    assert await tasks.listed(world.store) == []


async def test_an_extension_is_closed_with_the_new_end(world: World) -> None:
    """R7: the new end becomes the order's window, typed in by a person, one extension more."""
    order = await world.order()
    task = await world.task(order, Intent.EXTENSION, "window_end")
    await _done(world, task, window_end=NEW_END)
    [dossier] = await world.store.load_dossiers([order])
    window = dossier.order.window
    assert window is not None
    assert (window.end, window.source, window.extensions) == (NEW_END, WindowSource.TYPED, 1)


async def test_a_refund_is_closed_with_amount_and_reference(world: World) -> None:
    """D13: only now the refund is a fact, of which the buyer may be told."""
    order = await world.order()
    task = await world.task(order, Intent.REFUND, "amount", "reference")
    await _done(world, task, amount=Decimal("12.50"), reference="R-4711")
    [dossier] = await world.store.load_dossiers([order])
    assert (dossier.order.refunded_amount, dossier.order.refund_reference) == (Decimal("12.50"), "R-4711")


@pytest.mark.parametrize(
    ("intent", "wants", "result", "kind", "says"),
    [
        (Intent.EXTENSION, ("window_end",), {}, "missing_value", "--window-end"),
        (Intent.EXTENSION, ("window_end",), {"window_end": NOW - timedelta(days=1)}, "bad_value", "has passed"),
        (Intent.EXTENSION, ("window_end",), {"window_end": NOW + timedelta(days=401)}, "bad_value", "is the year right"),
        (Intent.REFUND, ("amount", "reference"), {"amount": Decimal(5)}, "missing_value", "--ref"),
        (Intent.REFUND, ("amount", "reference"), {"reference": "R-1"}, "missing_value", "--amount"),
        (Intent.REFUND, ("amount", "reference"), {"amount": Decimal(0), "reference": "R-1"}, "bad_value", "no amount"),
        (Intent.REFUND, ("amount", "reference"), {"amount": Decimal("NaN"), "reference": "R-1"}, "bad_value", "no amount"),
        (Intent.STAGE2, (), {"amount": Decimal(5)}, "unexpected_value", "has no use for --amount"),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_the_task_open(
    world: World, intent: Intent, wants: tuple[str, ...], result: dict[str, Any], kind: str, says: str
) -> None:
    task = await world.task(await world.order(), intent, *wants)
    with pytest.raises(Refused, match=says) as refused:
        await _done(world, task, **result)
    assert refused.value.kind == kind
    assert [each.id for each in await tasks.listed(world.store)] == [task]


@pytest.mark.parametrize(("end", "hint"), [("dropped", True), ("done", False)])
async def test_d13_a_payment_after_the_task_was_closed_is_told_of_the_order(world: World, end: str, hint: bool) -> None:
    """D13: money that was paid is a fact wherever the task went; one that noted it already asks for nothing."""
    task = await world.task(await world.order(), Intent.REFUND, "amount", "reference")
    paid: dict[str, Any] = {"amount": Decimal("12.50"), "reference": "R-1"}
    if end == "done":
        await _done(world, task, **paid)
    else:
        await tasks.drop(world.store, task, by="Mei", reason="he called", now=NOW)
    with pytest.raises(Conflict, match=f"is closed: {end}") as refused:
        await _done(world, task, **paid)
    assert ("tracker order set A-1 --refunded AMOUNT --ref R" in str(refused.value)) is hint


async def test_more_than_was_paid_cannot_have_been_refunded(world: World) -> None:
    """I7."""
    task = await world.task(await world.order(), Intent.REFUND, "amount", "reference")
    with pytest.raises(Conflict, match="exceed"):
        await _done(world, task, amount=Decimal("12.51"), reference="R-1")


async def test_r7_a_forced_end_and_d13_another_amount_with_its_note_are_taken(world: World) -> None:
    """R7, D13: who insists on a far end, or says why another amount was paid than approved (D18), is believed."""
    end = await world.task(await world.order("A-1"), Intent.EXTENSION, "window_end")
    result = TaskResult(window_end=NOW + timedelta(days=401))
    assert (await tasks.done(world.store, end, result, by="Mei", now=NOW, force=True)).state is TaskState.DONE
    row = await world.effect(await world.order("A-2"), Intent.REFUND)
    view = await world.store.outbox_view(row)
    facts, wants = {"amount": "10.00", "currency": "USD"}, ("amount", "reference")
    task = Task(kind="refund", title="Refund", store=view.row.store, order="A-2", facts=facts, wants=wants)
    money = await world.store.open_task(row, task, version=view.order.version, now=NOW)
    assert money is not None
    with pytest.raises(Refused, match=r"10\.00 USD was approved, 12\.50 paid: --note") as refused:
        await _done(world, money, amount=Decimal("12.50"), reference="R-1")
    assert refused.value.kind == "missing_reason"
    assert (await _done(world, money, amount=Decimal("12.50"), reference="R-1", note="shipping too")).state is TaskState.DONE


async def test_did_i_paste_it_becomes_doubtful_and_not_open_again(world: World) -> None:
    """D17: nobody is written to twice because a clerk could not remember."""
    task = await world.task(await world.order(), Intent.STAGE2)
    await _done(world, task, unsure=True)
    [view] = await effects.listed(world.store, states=[OutboxState.UNKNOWN])
    assert view.row.intent is Intent.STAGE2
    assert await tasks.listed(world.store) == []


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2026, 3, 7), "America/Los_Angeles", datetime(2026, 3, 8, 7, 59, 59, tzinfo=UTC)),
        (date(2026, 3, 8), "America/Los_Angeles", datetime(2026, 3, 9, 6, 59, 59, tzinfo=UTC)),
        (date(2026, 3, 8), "Asia/Shanghai", datetime(2026, 3, 8, 15, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_day_read_on_a_marketplaces_page_is_its_own_day(day: date, zone: str, end: datetime) -> None:
    """D9: with daylight saving, never a fixed -8; 2026-03-08 is a change-over date."""
    assert tasks.end_of_day(day, zone) == end


async def test_dropping_wants_a_reason(world: World) -> None:
    task = await world.task(await world.order())
    with pytest.raises(Refused, match="--reason"):
        await tasks.drop(world.store, task, by="Mei", reason=" ", now=NOW)
    dropped = await tasks.drop(world.store, task, by="Mei", reason="buyer cancelled", now=NOW)
    assert (dropped.state, dropped.result) == (TaskState.DROPPED, {"reason": "buyer cancelled"})
    with pytest.raises(Conflict, match="is closed"):
        await _done(world, task)
