"""Tasks: opened with their row, taken in hand, closed with facts (D13, D17, R7, I7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.store.build import DAY, NOW, decided, decision, dossier, given, only_row, order, parcel, pending, tasked
from tracker.dates import utc_text
from tracker.model import Channel, Intent, OutboxState, Task, TaskState, WindowSource
from tracker.store import Conflict, NotThere, OrderPatch, Store, TaskResult

REFUND = decision(Intent.REFUND, amount=Decimal("30.00"), currency="USD")


async def test_row_and_task_stand_in_one_transaction(store: Store) -> None:
    await given(store)
    task_id = await tasked(store, decision(), text="Hello", twin="你好", facts={"window": "closes soon"}, deadline=NOW + DAY)
    task = await store.task(task_id)
    assert (task.state, task.deadline, task.order) == (TaskState.OPEN, NOW + DAY, "8001")
    (item,) = task.items
    assert (item.text, item.twin, item.facts) == ("Hello", "你好", {"window": "closes soon"})
    view = await store.outbox_view(item.row_id)
    assert (view.row.state, view.task_id) == (OutboxState.SENT, task_id)
    (effect,) = (await dossier(store)).effects
    assert effect.open
    assert not effect.acted


async def test_no_task_is_opened_on_older_facts(store: Store) -> None:
    await given(store)
    told = await decided(store, pending(decision(), Channel.TASK))
    row = await only_row(store)
    await store.wake([1], NOW)
    assert (
        await store.open_task(row.id, Task(kind="k", title="t", store="shop", order="8001"), version=told.version, now=NOW)
        is None
    )
    assert await store.tasks() == []


async def test_grouped_tasks_join_the_open_one_of_their_day(store: Store) -> None:
    """D17: stage1 is one worksheet a day and store; one that was taken in hand is not added to."""
    await given(store, *(order(str(n)) for n in range(3)), *(parcel(f"LX{n}CN", str(n)) for n in range(3)))
    opened = []
    for order_id in (1, 2, 3):
        told = await decided(store, pending(decision(subject=f"order/shop/{order_id - 1}"), Channel.TASK), order_id=order_id)
        row = await only_row(store)
        deadline = NOW + (4 - order_id) * DAY
        task = Task(kind="stage1", title="Write", store="shop", order=told.order.number, group="stage1:shop:d", deadline=deadline)
        opened.append(await store.open_task(row.id, task, version=told.version, now=NOW))
        if order_id == 2:
            await store.take_task(opened[0] or 0, by="Mei", now=NOW)
    assert opened[0] == opened[1] != opened[2]
    first, second = sorted(await store.tasks(), key=lambda task: task.id)
    assert [item.order for item in first.items] == ["0", "1"]
    assert first.deadline == NOW + 2 * DAY
    assert [item.order for item in second.items] == ["2"]
    await store.done_task(first.id, TaskResult(), by="Mei", now=NOW)
    assert (await dossier(store, 1)).effects[0].acted
    assert (await dossier(store, 2)).effects[0].done_at == NOW
    assert not (await dossier(store, 3)).effects[0].acted


async def test_taking_in_hand_is_a_lock_with_a_name(store: Store) -> None:
    await given(store)
    task_id = await tasked(store, decision())
    assert (await store.take_task(task_id, by="Mei", now=NOW)).taken_by == "Mei"
    assert (await store.take_task(task_id, by="Mei", now=NOW + DAY)).taken_at == NOW
    for refused in (
        store.take_task(task_id, by="Li", now=NOW),
        store.done_task(task_id, TaskResult(), by="Li", now=NOW),
        store.drop_task(task_id, by="Li", reason="no", now=NOW),
    ):
        with pytest.raises(Conflict, match="in the hands of Mei"):
            await refused
    assert (await store.done_task(task_id, TaskResult(), by="Mei", now=NOW)).state is TaskState.DONE
    with pytest.raises(Conflict, match="is closed: done"):
        await store.done_task(task_id, TaskResult(), by="Mei", now=NOW)
    with pytest.raises(NotThere, match="tracker tasks list"):
        await store.task(99)


async def test_a_done_extension_writes_the_new_window(store: Store) -> None:
    """R7: the window is typed in, one extension more; the dossier is decided again, so that the buyer is told."""
    await given(store, order(window_end=NOW + 5 * DAY), parcel())
    wanted = decision(Intent.EXTENSION, occasion="2026-09-06")
    task_id = await tasked(store, wanted, wants=("window_end",))
    with pytest.raises(Conflict, match="wants window_end"):
        await store.done_task(task_id, TaskResult(), by="Mei", now=NOW)
    before = await dossier(store)
    await store.done_task(task_id, TaskResult(window_end=NOW + 20 * DAY), by="Mei", now=NOW)
    after = await dossier(store)
    assert after.order.window is not None
    assert (after.order.window.end, after.order.window.source, after.order.window.extensions) == (
        NOW + 20 * DAY,
        WindowSource.TYPED,
        1,
    )
    assert after.version > before.version
    assert "window_extended" in {entry.what for entry in await store.audit_of(1)}


async def test_a_done_refund_writes_amount_and_reference(store: Store) -> None:
    """D13: a refund is spoken of as done only when the task is closed with reference and amount."""
    await given(store)
    task_id = await tasked(store, REFUND, wants=("amount", "reference"))
    with pytest.raises(Conflict, match="wants reference"):
        await store.done_task(task_id, TaskResult(amount=Decimal(30)), by="Mei", now=NOW)
    await store.done_task(task_id, TaskResult(amount=Decimal("30.00"), reference="R-1"), by="Mei", now=NOW)
    paid = (await dossier(store)).order
    assert (paid.refunded_amount, paid.refund_reference, paid.refunded_at) == (Decimal("30.00"), "R-1", NOW)
    assert paid.paid_left == 0
    assert (await store.task(task_id)).result == {"amount": "30.00", "reference": "R-1"}


async def test_refunds_never_exceed_what_was_paid(store: Store) -> None:
    """I7: nothing is written, the task stays open."""
    await given(store)
    task_id = await tasked(store, REFUND, wants=("amount", "reference"))
    with pytest.raises(Conflict, match=r"would exceed what order shop/8001 paid: 30.00 USD"):
        await store.done_task(task_id, TaskResult(amount=Decimal("30.01"), reference="R-1"), by="Mei", now=NOW)
    assert (await store.task(task_id)).state is TaskState.OPEN
    assert (await dossier(store)).order.refunded_amount is None


async def test_a_refund_that_a_file_told_first_is_not_counted_twice(store: Store) -> None:
    await given(store)
    task_id = await tasked(store, REFUND, wants=("amount", "reference"))
    await given(store, order(refunded_amount=Decimal(30)), digest="d2")
    await store.done_task(task_id, TaskResult(amount=Decimal(30), reference="R-1"), by="Mei", now=NOW)
    paid = (await dossier(store)).order
    assert (paid.refunded_amount, paid.refund_reference) == (Decimal(30), "R-1")


async def test_who_cannot_say_whether_he_pasted_it_makes_the_row_unknown(store: Store) -> None:
    """D17: "did I paste it?" becomes unknown, not open again; a person who finds out resolves it."""
    await given(store)
    task_id = await tasked(store, decision())
    await store.done_task(task_id, TaskResult(unsure=True), by="Mei", now=NOW)
    (effect,) = (await dossier(store)).effects
    assert (effect.state, effect.acted, effect.open) == (OutboxState.UNKNOWN, True, False)
    row = (await store.outbox(states=(OutboxState.UNKNOWN,)))[0].row
    await store.resolve_row(row.id, OutboxState.SENT, by="Mei", reason="it stands in the chat", now=NOW + DAY)
    (effect,) = (await dossier(store)).effects
    assert (effect.acted, effect.task, effect.done_at) == (True, TaskState.DONE, NOW + DAY)


async def test_a_task_given_up_is_not_done_again_by_itself(store: Store) -> None:
    await given(store)
    task_id = await tasked(store, decision())
    await store.drop_task(task_id, by="Mei", reason="buyer called", now=NOW)
    (effect,) = (await dossier(store)).effects
    assert (effect.task, effect.rejected, effect.acted) == (TaskState.DROPPED, True, False)
    entry = (await store.audit_of(1))[-1]
    assert (entry.who, entry.what, entry.reason) == ("Mei", "task_dropped", "buyer called")


async def test_a_task_ends_with_its_validity(store: Store) -> None:
    await given(store)
    task_id = await tasked(store, decision(), valid_until=NOW + DAY)
    assert (await store.next_due()).tasks is not None
    assert await store.expire_tasks(NOW) == 0
    assert await store.expire_tasks(NOW + DAY) == 1
    assert (await store.task(task_id)).state is TaskState.EXPIRED
    assert (await store.next_due()).tasks is None
    assert len(await store.tasks(states=(TaskState.EXPIRED,), store="shop")) == 1
    assert await store.tasks(store="other") == []
    assert [task.id for task in await store.tasks_of(1)] == [task_id]


async def test_a_window_can_be_taken_back(store: Store) -> None:
    await given(store, order(window_end=NOW), parcel())
    await store.set_order_facts(1, OrderPatch(window_end=None), by="Mei", reason="typing error", now=NOW)
    assert (await dossier(store)).order.window is None


@pytest.mark.parametrize("how", ["done", "dropped"])
async def test_d15_a_buyer_who_was_answered_waits_no_more(store: Store, how: str) -> None:
    """D15, R56: the task about his waiting ends it, answered or not needed; else outreach would stop for ever."""
    await given(store)
    await store.set_order_facts(1, OrderPatch(waiting_since=NOW), by="Lin", reason="", now=NOW)
    wanted = decision(Intent.BUYER_WAITING, occasion="a")
    task_id = await tasked(store, wanted, kind="buyer_waiting", facts={"waiting_since": utc_text(NOW)})
    if how == "done":
        await store.done_task(task_id, TaskResult(), by="Mei", now=NOW + DAY)
    else:
        await store.drop_task(task_id, by="Mei", reason="no answer needed", now=NOW + DAY)
    assert (await dossier(store)).order.waiting_since is None


async def test_d15_of_a_newer_message_he_waits_still(store: Store) -> None:
    """D15: he wrote again while the task about the first message was in hand; and who cannot say has answered nothing."""
    await given(store)
    await store.set_order_facts(1, OrderPatch(waiting_since=NOW + DAY), by="Lin", reason="", now=NOW + DAY)
    for occasion, since, result in (("a", NOW, TaskResult()), ("b", NOW + DAY, TaskResult(unsure=True))):
        wanted = decision(Intent.BUYER_WAITING, occasion=occasion)
        task_id = await tasked(store, wanted, kind="buyer_waiting", facts={"waiting_since": utc_text(since)})
        await store.done_task(task_id, result, by="Mei", now=NOW + DAY)
        assert (await dossier(store)).order.waiting_since == NOW + DAY
