"""Effects without a call: tasks and lines of the register, each in one transaction with its row (R7, R8, R86, D11, D17)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from tests import house
from tests.conftest import Lines
from tests.dispatch.conftest import DAY, Office, slow
from tests.house import SHOP, START
from tracker import journal
from tracker.demo.standin import ScriptedEvent, ScriptedParcel
from tracker.model import Channel, ClaimState, HoldReason, LossType, OutboxState, TaskState
from tracker.store import TaskResult
from tracker.team import Person, Team


def on_aliexpress(office: Office) -> None:
    shop = house.shop(platform="aliexpress")
    office.rules = replace(office.rules, stores={SHOP: shop})


async def bring_one(office: Office, **facts: Any) -> None:
    order = house.order("1001", platform="aliexpress", **facts)
    await house.bring(office.store, [order], [house.parcel("LZ000000001CN", "1001")], START)


async def test_a_window_that_closes_soon_becomes_a_task_with_its_deadline(office: Office, log_lines: Lines) -> None:
    """R7: extend for everyone whose window nears its end; on AliExpress by hand."""
    on_aliexpress(office)
    end = START + 40 * DAY
    await bring_one(office, window_end=end)
    await office.follow(slow(), until=29.9)
    await office.dispatch(days=0.5)
    await office.sweep()
    await office.dispatch()
    (task,) = [task for task in await office.store.tasks(states=(TaskState.OPEN,)) if task.kind == "extension"]
    assert task.wants == ("window_end",)
    assert task.deadline is not None
    assert task.deadline <= end
    row = next(view.row for view in await office.rows(OutboxState.SENT) if view.row.intent.value == "extension")
    assert row.occasion == end.date().isoformat()
    marks = [(entry.mark, entry.channel) for entry in journal.read(office.journal.path) if entry.key == row.key]
    assert marks == [("begin", Channel.TASK), ("end", Channel.TASK)]
    assert "outbox.task_opened" in {line["event"] for line in log_lines()}


async def test_a_new_task_is_assigned_to_whose_work_it_is(office: Office) -> None:
    """Daily operations, "People": who looks after the store; nobody's where no team is named."""
    on_aliexpress(office)
    office.rules = replace(
        office.rules, team=Team(people=(Person(id="lin", name="Lin"), Person(id="mei", name="Mei", stores=(SHOP,))))
    )
    await bring_one(office, window_end=START + 40 * DAY)
    await office.follow(slow(), until=29.9)
    await office.dispatch(days=0.5)
    await office.sweep()
    await office.dispatch()
    assert {task.assigned_to for task in await office.store.tasks(states=(TaskState.OPEN,))} == {"mei"}


async def test_a_refund_waits_for_approval_then_becomes_a_task(office: Office) -> None:
    """D11, R8: nothing about money moves before a person said so. D2: unanswered for 7 days it lapses and is made again."""
    await house.bring_parcels(office.store, 1)
    number = house.numbers(1)[0]
    for day in range(20):
        await office.follow(ScriptedParcel(number=number, known=False), until=day + 0.9)
    held = await office.only(OutboxState.HELD)
    assert (held.key, held.hold, held.amount) == (
        "order/lamps/100000:refund:1",
        HoldReason.MONEY_NEEDS_APPROVAL,
        Decimal("40.00"),
    )
    lapsed = await office.only(OutboxState.CANCELLED, "refund")
    assert (lapsed.key, lapsed.result) == ("order/lamps/100000:refund:0", "lapsed")
    await office.dispatch()
    assert [task for task in await office.store.tasks(states=(TaskState.OPEN,)) if task.kind == "refund"] == []
    (dossier,) = await office.store.load_dossiers([1])
    now = office.clock.now()
    await office.store.decide_row(held.id, dossier.version, approve=True, by="ana", reason="looked at it", now=now)
    await office.dispatch()
    (task,) = [task for task in await office.store.tasks(states=(TaskState.OPEN,)) if task.kind == "refund"]
    assert task.wants == ("amount", "reference")
    await office.store.done_task(task.id, TaskResult(amount=Decimal("40.00"), reference="R-1"), by="ana", now=now)
    (dossier,) = await office.store.load_dossiers([1])
    assert dossier.order.refunded_amount == Decimal("40.00")


async def test_a_loss_is_written_into_the_register_with_its_two_days(office: Office, log_lines: Lines) -> None:
    """R86: every loss is registered while the window is open, and no person is needed for that."""
    await house.bring_parcels(office.store, 1)
    number = house.numbers(1)[0]
    lost = ScriptedParcel(
        number=number,
        events=(
            ScriptedEvent(at=START + DAY, sub_status="InTransit_PickedUp", description="Accepted", country="CN"),
            ScriptedEvent(at=START + 20 * DAY, sub_status="Exception_Lost", description="Lost", country="CN"),
        ),
    )
    await office.follow(lost, until=21)
    await office.dispatch()
    (dossier,) = await office.store.load_dossiers([1])
    (claim,) = dossier.claims
    assert claim.shipment == number
    assert (claim.cause, claim.loss_type) == ("carrier_says_lost", LossType.LOST)
    assert claim.state in {ClaimState.DRAFT, ClaimState.READY}
    assert claim.latest_on is not None
    assert claim.latest_on > (START + timedelta(days=21)).date()
    (line,) = [line for line in log_lines() if line["event"] == "outbox.claim_opened"]
    assert line["latest_on"] == claim.latest_on.isoformat()
    await office.sweep()
    assert await office.dispatch(days=0.1) == 0


async def test_tasks_whose_time_has_passed_close_themselves(office: Office) -> None:
    """D17: a task carries valid-until."""
    on_aliexpress(office)
    await bring_one(office, window_end=START + 40 * DAY)
    await office.follow(slow(), until=35)
    await office.dispatch()
    assert await office.store.tasks(states=(TaskState.OPEN,))
    await office.dispatch(days=10)
    kinds = {task.kind for task in await office.store.tasks(states=(TaskState.EXPIRED,))}
    assert "extension" in kinds
