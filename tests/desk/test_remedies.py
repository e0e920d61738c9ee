"""A person chooses what is done: another remedy than was proposed, a second parcel, a parcel that goes on (R37, R84, R85, D7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.desk.world import NOW, PAID, RULES, World
from tracker.desk import Refused, orders, review, tasks
from tracker.model import DecisionReason, HoldReason, Intent, OutboxState, Remedy, Task, TaskState
from tracker.policy import decide
from tracker.store import Conflict, OrderPatch, OutboxView
from tracker.store.rows import TaskResult

EVIDENCE = {"worth": "12.50"}


async def _recommended(world: World, remedy: Remedy = Remedy.FULL_REFUND, **change: Any) -> int:
    order = await world.order("A-1", "LP00000001")
    values: dict[str, Any] = {"remedy": remedy, "shipment": "LP00000001", "evidence": EVIDENCE}
    return await world.refund(order, **(values | change))


async def _as(world: World, row: int, remedy: Remedy, amount: str | None = None, by: str = "Mei") -> OutboxView:
    sum_ = None if amount is None else Decimal(amount)
    return await review.approve_as(
        world.store, row, remedy=remedy, amount=sum_, by=by, reason="agreed", seen=None, rules=RULES, now=NOW
    )


async def _task(world: World, row: int, kind: str) -> int:
    """The task that dispatch makes of an approved row."""
    view = await world.store.outbox_view(row)
    task = Task(
        kind=kind,
        title=kind,
        store=view.row.store,
        order=view.order.number,
        facts={"shipment": "LP00000001"},
        wants=("tracking_number",),
    )
    made = await world.store.open_task(row, task, version=view.order.version, now=NOW)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("remedy", "amount", "expected"),
    [
        (Remedy.FULL_REFUND, None, PAID),
        (Remedy.PARTIAL_REFUND, "4", Decimal(4)),
        (Remedy.PARTIAL_REFUND, None, Decimal("7.50")),
        (Remedy.RESHIP, None, PAID),
        (Remedy.FORWARD, None, PAID),
    ],
)
async def test_r40_a_person_chooses_another_remedy(world: World, remedy: Remedy, amount: str | None, expected: Decimal) -> None:
    """D7: without a sum the part is the configured one for its value; what is sent counts by its worth."""
    view = await _as(world, await _recommended(world), remedy, amount)
    assert (view.row.state, view.row.remedy, view.row.amount, view.row.approved_by) == (
        OutboxState.PENDING,
        remedy,
        expected,
        "Mei",
    )


async def test_waiting_is_a_no_that_says_so(world: World) -> None:
    """D11: it is kept as what he chose."""
    view = await _as(world, await _recommended(world), Remedy.WAIT)
    assert (view.row.state, view.rejected, view.row.remedy) == (OutboxState.CANCELLED, True, Remedy.WAIT)


@pytest.mark.parametrize(("remedy", "amount"), [(Remedy.RESHIP, "3"), (Remedy.WAIT, "3"), (Remedy.PARTIAL_REFUND, "0")])
async def test_a_sum_belongs_to_what_pays(world: World, remedy: Remedy, amount: str) -> None:
    row = await _recommended(world)
    with pytest.raises(Refused):
        await _as(world, row, remedy, amount)
    assert (await world.store.outbox_view(row)).row.state is OutboxState.HELD


async def test_i7_another_sum_never_exceeds_what_was_paid(world: World) -> None:
    row = await _recommended(world)
    with pytest.raises(Conflict, match="would exceed"):
        await _as(world, row, Remedy.FULL_REFUND, "12.51")
    assert (await world.store.outbox_view(row)).row.amount == PAID, "both or neither"


async def test_i7_all_of_it_is_what_is_left_of_it(world: World) -> None:
    """I7: a part was paid back outside; "full" is the rest, and not refused."""
    row = await _recommended(world, Remedy.RESHIP)
    patch = OrderPatch(refunded=Decimal("2.50"), reference="R-1")
    await orders.tell(world.store, "A-1", patch, by="Mei", reason=None, now=NOW)
    view = await _as(world, row, Remedy.FULL_REFUND)
    assert (view.row.state, view.row.amount) == (OutboxState.PENDING, Decimal(10))


async def test_a_message_has_no_remedy(world: World) -> None:
    row = await world.effect(await world.order(), Intent.STAGE1, hold=HoldReason.MESSAGE_NEEDS_APPROVAL)
    with pytest.raises(Refused, match="recommends no money"):
        await _as(world, row, Remedy.RESHIP)


async def test_d23_a_large_parcel_sent_again_wants_two_people(world: World) -> None:
    """D23: goods are money; both say the same remedy."""
    order = await world.order("A-1", "LP00000001", amount=Decimal(80))
    row = await world.refund(order, Decimal(80), remedy=Remedy.FULL_REFUND, shipment="LP00000001", evidence={"worth": "80"})
    first = await _as(world, row, Remedy.RESHIP)
    assert (first.row.state, first.first_approved_by, first.row.remedy) == (OutboxState.HELD, "Mei", Remedy.RESHIP)
    assert (await _as(world, row, Remedy.RESHIP, by="Lin")).row.state is OutboxState.PENDING


async def test_d23_another_remedy_wants_a_first_yes_again(world: World) -> None:
    order = await world.order("A-1", "LP00000001", amount=Decimal(80))
    row = await world.refund(order, Decimal(80), remedy=Remedy.FULL_REFUND, shipment="LP00000001", evidence={"worth": "80"})
    await _as(world, row, Remedy.FULL_REFUND)
    changed = await _as(world, row, Remedy.RESHIP, by="Lin")
    assert (changed.row.state, changed.first_approved_by) == (OutboxState.HELD, "Lin")


async def test_a_changed_sum_is_a_part_and_says_so(world: World) -> None:
    row = await _recommended(world)
    part = await review.edit(world.store, row, amount=Decimal(5), by="Mei", reason="half of it came", seen=None, now=NOW)
    assert part.row.remedy is Remedy.PARTIAL_REFUND
    whole = await review.edit(world.store, row, amount=PAID, by="Mei", reason="none of it came", seen=None, now=NOW)
    assert whole.row.remedy is Remedy.FULL_REFUND


async def test_the_sum_of_what_is_sent_again_cannot_be_edited(world: World) -> None:
    row = await _recommended(world, Remedy.RESHIP)
    with pytest.raises(Conflict, match="--as partial_refund"):
        await review.edit(world.store, row, amount=Decimal(5), by="Mei", reason="cheaper", seen=None, now=NOW)


# ------------------------------------------------------------------------------------------------------------ the second parcel


async def _sent(world: World, number: str, remedy: Remedy = Remedy.RESHIP) -> int:
    row = await _recommended(world, remedy)
    await _as(world, row, remedy)
    task = await _task(world, row, remedy.value)
    await tasks.done(world.store, task, TaskResult(tracking_number=number), by="Mei", now=NOW)
    return row


async def test_r85_the_second_parcel_joins_the_order_and_is_followed(world: World) -> None:
    """R37, R85: its number closes the task; it carries the first one's part of the money."""
    await _sent(world, " lp 0000-000 2 ")
    [dossier] = await world.store.load_dossiers([(await world.store.order_ref("A-1")).id])
    first, second = dossier.shipments
    assert (first.number, second.number, second.service, second.country) == (
        "LP00000001",
        "LP00000002",
        first.service,
        first.country,
    )
    assert (first.share, second.share, second.shipped_at) == (PAID, PAID, NOW)
    due = await world.store.due_shipments(NOW, 10)
    assert "LP00000002" in {each.number for each in due}
    gone = [each for each in decide(dossier, RULES, NOW).considered if each.reason is DecisionReason.REPLACED]
    assert gone, "the first one is not waited for any more"


async def _by_now(world: World, row: int) -> None:
    """Approved as sent again, and LP00000002 is what travels now."""
    await _as(world, row, Remedy.RESHIP)
    task = await _task(world, row, "reship")
    await tasks.done(world.store, task, TaskResult(tracking_number="LP00000002"), by="Mei", now=NOW)


async def test_a_file_may_have_brought_the_second_parcel_before(world: World) -> None:
    """R85: under an order of its own that the ERP made for the same buyer, or beside the first one; each is worth all of it."""
    for number, buyer in (("A-1", "Ana"), ("A-9", "ana")):
        await world.order(number, "LP00000001" if number == "A-1" else "LP00000002", buyer_name=buyer)
    order = (await world.store.order_ref("lume/A-1")).id
    await _by_now(world, await world.refund(order, remedy=Remedy.RESHIP, shipment="LP00000001", evidence=EVIDENCE))
    [dossier] = await world.store.load_dossiers([order])
    assert [(each.number, each.share) for each in dossier.shipments] == [("LP00000001", PAID), ("LP00000002", PAID)]


async def test_r85_a_file_that_named_both_parcels_takes_no_half_away(world: World) -> None:
    order = await world.order("A-1", "LP00000001", "LP00000002")
    await _by_now(world, await world.refund(order, remedy=Remedy.RESHIP, shipment="LP00000001", evidence=EVIDENCE))
    [dossier] = await world.store.load_dossiers([order])
    assert [(each.number, each.share) for each in dossier.shipments] == [("LP00000001", PAID), ("LP00000002", PAID)]


async def test_r85_another_buyers_parcel_is_refused(world: World) -> None:
    """R85: a slip of the finger ties no stranger's parcel to the order."""
    row = await _recommended(world, Remedy.RESHIP)
    await world.order("A-9", "LP00000002", buyer_name="Bia")
    with pytest.raises(Conflict, match="another buyer's"):
        await _by_now(world, row)
    [dossier] = await world.store.load_dossiers([(await world.store.order_ref("lume/A-1")).id])
    assert [each.number for each in dossier.shipments] == ["LP00000001"]


@pytest.mark.parametrize("number", ["", "LP00000001"])
async def test_the_second_parcel_needs_a_number_of_its_own(world: World, number: str) -> None:
    with pytest.raises((Refused, Conflict)):
        await _sent(world, number)
    [open_] = await tasks.listed(world.store)
    assert open_.kind == "reship"


async def test_r84_what_goes_on_keeps_its_story_under_the_new_number(world: World) -> None:
    """R84: the same goods; the old number still finds them, and so does what was decided."""
    row = await _sent(world, "EE00000002", Remedy.FORWARD)
    order = await world.store.order_ref("LP00000001")
    [dossier] = await world.store.load_dossiers([order.id])
    [only] = dossier.shipments
    assert (only.number, only.carrier) == ("EE00000002", None)
    assert (await world.store.outbox_view(row)).row.shipment == "EE00000002"
    assert [each.number for each in await world.store.due_shipments(NOW, 10)] == ["EE00000002"]


async def test_r84_every_order_in_the_parcel_knows_its_new_number(world: World) -> None:
    """R84, D12: two orders in one parcel: what was decided for the other one is found under the new number, too."""
    row = await _recommended(world, Remedy.FORWARD)
    other = await world.order("A-9", "LP00000001")
    theirs = await world.refund(other, remedy=Remedy.FULL_REFUND, shipment="LP00000001", evidence=EVIDENCE)
    await _as(world, row, Remedy.FORWARD)
    task = await _task(world, row, "forward")
    before = (await world.store.outbox_view(theirs)).order.version
    await tasks.done(world.store, task, TaskResult(tracking_number="EE00000002"), by="Mei", now=NOW)
    after = await world.store.outbox_view(theirs)
    assert (after.row.shipment, after.order.version) == ("EE00000002", before + 1)


async def test_r84_it_may_go_on_under_the_same_number(world: World) -> None:
    await _sent(world, "lp00000001", Remedy.FORWARD)
    [dossier] = await world.store.load_dossiers([(await world.store.order_ref("A-1")).id])
    assert [each.number for each in dossier.shipments] == ["LP00000001"]


async def test_r84_another_parcels_number_is_refused(world: World) -> None:
    await world.order("A-9", "LP00000009")
    with pytest.raises(Conflict, match="another parcel's number"):
        await _sent(world, "LP00000009", Remedy.FORWARD)


async def test_a_refund_does_not_want_a_number(world: World) -> None:
    task = await world.task(await world.order(), Intent.REFUND, "amount", "reference", amount=PAID, currency="USD")
    result = TaskResult(amount=PAID, reference="R-1", tracking_number="LP00000002")
    with pytest.raises(Refused, match="no use for --tracking-number"):
        await tasks.done(world.store, task, result, by="Mei", now=NOW)


@pytest.mark.parametrize("number", ["hello world", "LP 12-34", "ABCDEFGH1234", "1" * 41, "RB123456785CN;"])
async def test_r85_words_are_no_tracking_number(world: World, number: str) -> None:
    """R84, R85: 8 to 40 letters and digits, at least 5 digits; what no carrier can know would be asked about for ever."""
    with pytest.raises(Refused, match="is no tracking number: 8 to 40"):
        await _sent(world, number)
    assert [each.state for each in await tasks.listed(world.store)] == [TaskState.OPEN]
