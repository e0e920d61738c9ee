"""Single lines of a grouped task: what is done is done, the others stay (D17); and trials that leave nothing behind."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.store.build import DAY, NOW, decided, decision, dossier, given, held, only_row, order, parcel, pending
from tracker.model import ActionKind, Channel, DecisionReason, Intent, OutboxState, Task, TaskState
from tracker.store import Conflict, NotThere, OrderPatch, Store, TaskResult

GROUP = "stage1:shop:2026-09-01"


async def _grouped(store: Store, count: int = 3) -> list[int]:
    """One task with that many lines; the rows they stand for. Orders are called 1, 2, 3, and so are their ids."""
    numbers = [str(number) for number in range(1, count + 1)]
    await given(store, *(order(number) for number in numbers), *(parcel(f"LX{number}CN", number) for number in numbers))
    return [await _line(store, int(number)) for number in numbers]


async def _line(store: Store, order_id: int) -> int:
    told = await decided(store, pending(decision(subject=f"order/shop/{order_id}"), Channel.TASK), order_id=order_id)
    row = await only_row(store)
    task = Task(kind="stage1", title="Write", store="shop", order=told.order.number, group=GROUP, text="Olá")
    assert await store.open_task(row.id, task, version=told.version, now=NOW)
    return row.id


async def _version(store: Store, order_id: int) -> int:
    return (await dossier(store, order_id)).version


async def test_a_line_is_done_and_the_others_stay_open_in_their_task(store: Store) -> None:
    """D17: a stage counts by task.done, line by line."""
    first, second, third = await _grouped(store)
    [before] = await store.tasks()
    assert [item.version for item in before.items] == [await _version(store, number) for number in (1, 2, 3)]
    closed = await store.done_item(second, await _version(store, 2), TaskResult(note="pasted"), by="Mei", now=NOW + DAY)
    assert (closed.state, closed.closed_by, closed.result, closed.order) == (TaskState.DONE, "Mei", {"note": "pasted"}, "2")
    assert closed.group == GROUP
    [left] = await store.tasks((TaskState.OPEN, TaskState.IN_HAND))
    assert (left.id, [item.row_id for item in left.items]) == (before.id, [first, third])
    assert [(await dossier(store, number)).effects[0].acted for number in (1, 2, 3)] == [False, True, False]
    assert (await dossier(store, 2)).effects[0].done_at == NOW + DAY
    assert (await store.outbox_view(second)).task_id == closed.id
    assert [entry.what for entry in await store.audit_of(2)][-1] == "task_done"


async def test_the_last_line_closes_the_task_itself(store: Store) -> None:
    first, second = await _grouped(store, 2)
    [task] = await store.tasks()
    split = await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)
    last = await store.done_item(second, await _version(store, 2), TaskResult(), by="Mei", now=NOW)
    assert split.id != task.id == last.id
    assert {each.state for each in await store.tasks()} == {TaskState.DONE}


async def test_newcomers_still_join_the_task_whose_lines_were_closed(store: Store) -> None:
    """One open task a group: what was closed does not stand in the way of tomorrow's."""
    first, _ = await _grouped(store, 2)
    await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)
    await given(store, order("9"), parcel("LX9CN", "9"), digest="d2")
    new = (await store.order_ref("shop/9")).id
    told = await decided(store, pending(decision(subject="order/shop/9"), Channel.TASK), order_id=new)
    row = await only_row(store)
    joined = await store.open_task(
        row.id, Task(kind="stage1", title="Write", store="shop", order="9", group=GROUP), version=told.version, now=NOW
    )
    [task] = await store.tasks((TaskState.OPEN,))
    assert (task.id, [item.order for item in task.items]) == (joined, ["2", "9"])


async def test_unsure_and_dropped_are_said_of_one_line(store: Store) -> None:
    first, second, third = await _grouped(store)
    await store.done_item(first, await _version(store, 1), TaskResult(unsure=True), by="Mei", now=NOW)
    await store.drop_item(second, await _version(store, 2), by="Mei", reason="buyer called", now=NOW)
    states = [(await store.outbox_view(row)).row.state for row in (first, second, third)]
    assert states == [OutboxState.UNKNOWN, OutboxState.SENT, OutboxState.SENT]
    assert [(await store.outbox_view(row)).rejected for row in (first, second, third)] == [False, True, False]
    await store.resolve_row(first, OutboxState.SENT, by="Mei", reason="seen", now=NOW)
    assert [(await dossier(store, number)).effects[0].acted for number in (1, 2, 3)] == [True, False, False]


async def test_a_line_on_facts_that_moved_is_not_closed(store: Store) -> None:
    first, second = await _grouped(store, 2)
    seen = await _version(store, 1)
    await store.set_order_facts(1, OrderPatch(note="moved"), by="Lin", reason="", now=NOW)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await store.done_item(first, seen, TaskResult(), by="Mei", now=NOW)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await store.drop_item(first, seen, by="Mei", reason="r", now=NOW)
    assert [item.row_id for item in (await store.tasks())[0].items] == [first, second], "nothing was split off"


async def test_what_is_in_hand_is_closed_whatever_has_moved(store: Store) -> None:
    """D17: in hand is a lock; the text may be pasted already, and only its clerk knows."""
    first, _ = await _grouped(store, 2)
    seen = await _version(store, 1)
    [task] = await store.tasks()
    await store.take_task(task.id, by="Mei", now=NOW)
    await store.set_order_facts(1, OrderPatch(note="moved"), by="Lin", reason="", now=NOW)
    with pytest.raises(Conflict, match="in the hands of Mei"):
        await store.done_item(first, seen, TaskResult(), by="Lin", now=NOW)
    assert (await store.done_item(first, seen, TaskResult(), by="Mei", now=NOW)).state is TaskState.DONE
    assert (await store.task(task.id)).state is TaskState.IN_HAND


async def test_what_is_no_line_of_an_open_task_is_refused(store: Store) -> None:
    first, second = await _grouped(store, 2)
    with pytest.raises(NotThere):
        await store.done_item(99, 0, TaskResult(), by="Mei", now=NOW)
    await _taken_back(store, first)
    with pytest.raises(Conflict, match="no longer want"):
        await store.drop_item(first, await _version(store, 1), by="Mei", reason="r", now=NOW)
    await store.done_item(second, await _version(store, 2), TaskResult(), by="Mei", now=NOW)
    with pytest.raises(Conflict, match="is closed: done"):
        await store.done_item(second, await _version(store, 2), TaskResult(), by="Mei", now=NOW)
    await decided(store, held(decision(Intent.REFUND, amount=Decimal(5), currency="USD")), order_id=1)
    [refund] = await store.reviews()
    with pytest.raises(Conflict, match="is no task"):
        await store.done_item(refund.row.id, refund.order.version, TaskResult(), by="Mei", now=NOW)


async def _taken_back(store: Store, row: int) -> None:
    key = (await store.outbox_view(row)).row.key
    await decided(store, order_id=1, withdraw=((key, DecisionReason.DELIVERED),))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("result", "state"), [(TaskResult(), OutboxState.SENT), (TaskResult(unsure=True), OutboxState.UNKNOWN)])
async def test_what_was_pasted_before_the_facts_took_it_back_counts(
    store: Store, count: int, result: TaskResult, state: OutboxState
) -> None:
    """I1: the buyer has it. It never goes again, although the facts could want it again ("delivered" revoked, D15)."""
    first = (await _grouped(store, count))[0]
    seen = await _version(store, 1)
    await _taken_back(store, first)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await store.done_item(first, seen - 1, result, by="Mei", now=NOW)
    await store.done_item(first, await _version(store, 1), result, by="Mei", now=NOW)
    assert (await dossier(store, 1)).effects[0].acted
    assert (await store.outbox_view(first)).row.state is state
    wanted = pending(decision(subject="order/shop/1"), Channel.TASK)
    await decided(store, wanted, order_id=1)
    assert await store.due_rows(NOW, 10) == [], "the same slot is not used again"
    assert len(await store.tasks((TaskState.OPEN,))) == count - 1


async def test_what_is_wanted_again_cannot_be_said_of_its_first_try(store: Store) -> None:
    [first] = await _grouped(store, 1)
    await _taken_back(store, first)
    await decided(store, pending(decision(subject="order/shop/1"), Channel.TASK), order_id=1)
    with pytest.raises(Conflict, match="is no task"):
        await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)


async def test_an_amount_is_changed_and_approved_or_neither(store: Store) -> None:
    """I7 holds for the amount that is approved; what is refused leaves no half of it."""
    await given(store)
    await decided(store, held(decision(Intent.REFUND, amount=Decimal("30.00"), currency="USD")))
    [view] = await store.reviews()
    row, seen = view.row.id, view.order.version
    with pytest.raises(Conflict, match="exceed"):
        await store.approve_amount(row, seen, Decimal("30.01"), by="Mei", reason="r", now=NOW, second=False)
    first = await store.approve_amount(row, seen, Decimal(20), by="Mei", reason="half", now=NOW, second=True)
    assert (first.row.state, first.first_approved_by, first.row.amount) == (OutboxState.HELD, "Mei", Decimal(20))
    with pytest.raises(Conflict, match="have moved"):
        await store.approve_amount(row, seen, Decimal(20), by="Lin", reason="half", now=NOW, second=True)
    done = await store.approve_amount(row, first.order.version, Decimal(20), by="Lin", reason="half", now=NOW, second=False)
    assert (done.row.state, done.row.approved_by, done.row.amount, done.row.kind) == (
        OutboxState.PENDING,
        "Lin",
        Decimal(20),
        ActionKind.REFUND,
    )


async def test_a_trial_sees_what_it_writes_and_leaves_nothing(store: Store) -> None:
    first, second = await _grouped(store, 2)
    async with store.trial():
        await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)
        with pytest.raises(Conflict, match="is closed"):
            await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)
        await store.done_item(second, await _version(store, 2), TaskResult(), by="Mei", now=NOW)
        assert await store.tasks((TaskState.OPEN,)) == []
    [task] = await store.tasks()
    assert [item.row_id for item in task.items] == [first, second]
    with pytest.raises(NotThere):  # noqa: PT012 - the second breaks off what the first began
        async with store.trial():
            await store.done_item(first, await _version(store, 1), TaskResult(), by="Mei", now=NOW)
            await store.task(99)
    assert [each.state for each in await store.tasks()] == [TaskState.OPEN]


async def test_a_database_is_known_wherever_it_is_moved(store: Store) -> None:
    identity = await store.identity()
    assert await store.identity() == identity
    assert len(identity) == 12
    assert await store.forgotten_time() is None
