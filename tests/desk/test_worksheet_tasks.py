"""Tasks closed in a worksheet: line by line, with what they want to know, told where it cannot be (D17, D13, R7)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.desk.paper import WITH_SHOP, Paper, Value, fates, open_tasks, problem
from tests.desk.world import NOW, STORE, World
from tracker.desk import tasks
from tracker.desk.worksheet import Fate
from tracker.model import DecisionReason, Intent, OutboxState, Remedy, Task, TaskState, Verdict
from tracker.store import OrderPatch, TaskResult, VerdictWrite
from tracker.team import Person, Team

TAKEN, UNCHANGED, REFUSED = (Fate.TAKEN, None), (Fate.UNCHANGED, None), Fate.REFUSED


async def _grouped(world: World, count: int) -> tuple[int, list[int]]:
    """One worksheet of stage 1 with that many orders: the task, and the orders."""
    orders, made = [await world.order(f"G-{number}") for number in range(count)], None
    for order in orders:
        row = await world.effect(order, Intent.STAGE1)
        [dossier] = await world.store.load_dossiers([order])
        task = Task(kind="stage1", title="Paste", store=STORE, order=dossier.order.number, text="Olá", group="stage1:lume:d")
        made = await world.store.open_task(row, task, version=dossier.version, now=NOW)
    assert made is not None
    return made, orders


async def _acted(world: World, order: int) -> bool:
    [dossier] = await world.store.load_dossiers([order])
    return any(effect.acted for effect in dossier.effects)


async def test_27_of_30_are_pasted(world: World) -> None:
    """D17: done is said of each order; the three others stay in their task, for tomorrow."""
    task, orders = await _grouped(world, 30)
    paper = await open_tasks(world)
    for line in range(27):
        paper.fill(line, decision="done")
    told = await paper.decide(world)
    assert (fates(told), told.silent) == ([TAKEN] * 27, 3)
    [left] = await tasks.listed(world.store)
    assert (left.id, [item.order for item in left.live]) == (task, ["G-27", "G-28", "G-29"])
    assert [await _acted(world, order) for order in orders] == [True] * 27 + [False] * 3
    assert fates(await paper.decide(world)) == [UNCHANGED] * 27
    for line in range(30):
        paper.fill(line, decision="已完成")
    assert fates(await paper.decide(world)) == [UNCHANGED] * 27 + [TAKEN] * 3
    assert await tasks.listed(world.store) == []


async def test_what_a_task_wants_is_written_to_its_order(world: World) -> None:
    """R7, D13: the new end as the marketplace shows it (its own zone, D9), amount and reference of a refund."""
    first, second = await world.order("A-1"), await world.order("A-2")
    await world.task(first, Intent.EXTENSION, "window_end")
    await world.task(second, Intent.REFUND, "amount", "reference")
    paper = await open_tasks(world)
    paper.fill(0, decision="done", window_end="2026-05-31 00:00:00", note="page shows it")
    paper.fill(1, decision="done", amount_paid="12,5 USD", reference="R-4711")
    assert fates(await paper.decide(world)) == [TAKEN, TAKEN]
    extended, refunded = await world.store.load_dossiers([first, second])
    assert extended.order.window is not None
    assert extended.order.window.end == datetime(2026, 6, 1, 6, 59, 59, tzinfo=UTC)
    assert (refunded.order.refunded_amount, refunded.order.refund_reference) == (Decimal("12.50"), "R-4711")
    assert fates(await paper.decide(world)) == [UNCHANGED, UNCHANGED]
    paper.fill(0, window_end="2026-06-30").fill(1, reference="R-4712")
    assert fates(await paper.decide(world)) == [(REFUSED, "closed"), (REFUSED, "closed")]


async def test_r85_the_number_that_travels_now_is_told_in_the_sheet(world: World) -> None:
    """R85, D17: a second parcel joins its order from the line; a long number that a spreadsheet rounded is none."""
    order = await world.order("A-1", "LP00000001")
    await world.task(
        order, Intent.REFUND, "tracking_number", amount=Decimal("12.50"), shipment="LP00000001", remedy=Remedy.RESHIP
    )
    paper = await open_tasks(world)
    assert problem(await paper.fill(0, decision="done").decide(world)) == ("no_value", {"column": "tracking_number"})
    assert problem(await paper.fill(0, tracking_number=1.2345e17).decide(world))[0] == "destroyed"
    wrong = await paper.fill(0, tracking_number="hello world").decide(world)
    assert problem(wrong) == ("no_tracking_number", {"text": "hello world"})
    assert fates(await paper.fill(0, tracking_number="lp 0000-0002").decide(world)) == [TAKEN]
    [dossier] = await world.store.load_dossiers([order])
    assert [each.number for each in dossier.shipments] == ["LP00000001", "LP00000002"]
    assert fates(await paper.decide(world)) == [UNCHANGED]


async def test_given_up_and_unsure(world: World) -> None:
    await _grouped(world, 3)
    paper = await open_tasks(world)
    paper.fill(0, decision="drop", note="buyer called").fill(1, decision="不确定")
    assert fates(await paper.decide(world)) == [TAKEN, TAKEN]
    views = {view.order.number: view for view in await world.store.outbox()}
    assert (views["G-0"].rejected, views["G-1"].row.state) == (True, OutboxState.UNKNOWN)
    assert fates(await paper.decide(world)) == [UNCHANGED, UNCHANGED]
    assert fates(await paper.fill(0, decision="done").decide(world)) == [(REFUSED, "closed"), UNCHANGED]


WANTS_NOTHING = (Intent.STAGE2, ())
WANTS_END = (Intent.EXTENSION, ("window_end",))
WANTS_MONEY = (Intent.REFUND, ("amount", "reference"))


@pytest.mark.parametrize(
    ("task", "cells", "key", "told"),
    [
        (WANTS_NOTHING, {"decision": "approve"}, "unknown_word", {"text": "approve"}),
        (WANTS_NOTHING, {"decision": "drop"}, "no_reason", {"column": "note"}),
        (WANTS_NOTHING, {"decision": "done", "reference": "R-1"}, "no_use", {"column": "reference"}),
        (WANTS_NOTHING, {"reference": "R-1"}, "no_decision", {"column": "reference"}),
        (WANTS_NOTHING, {"decision": "done", "order": "B-9"}, "mixed_up", {"shown": "B-9"}),
        (WANTS_END, {"decision": "done"}, "no_value", {"column": "window_end"}),
        (WANTS_END, {"decision": "done", "window_end": "31/05/2026"}, "no_day", {"text": "31/05/2026"}),
        (WANTS_END, {"decision": "done", "window_end": "2026-02-28"}, "past", {"text": "2026-02-28"}),
        (WANTS_END, {"decision": "done", "window_end": "2062-06-01"}, "far_ahead", {"text": "2062-06-01"}),
        (WANTS_END, {"decision": "unsure", "window_end": "2026-05-31"}, "no_use", {"column": "window_end"}),
        (WANTS_MONEY, {"decision": "done", "reference": "R-1"}, "no_value", {"column": "amount_paid"}),
        (WANTS_MONEY, {"decision": "done", "amount_paid": 5.0}, "no_value", {"column": "reference"}),
        (WANTS_MONEY, {"decision": "done", "amount_paid": "five", "reference": "R-1"}, "no_amount", {"text": "five"}),
        (WANTS_MONEY, {"decision": "done", "amount_paid": 0.0, "reference": "R-1"}, "no_amount", {"text": "0"}),
        (WANTS_MONEY, {"decision": "done", "amount_paid": 5.0, "reference": 4.711e15}, "destroyed", {"column": "reference"}),
        (WANTS_MONEY, {"decision": "done", "amount_paid": 12.51, "reference": "R-1"}, "other", {}),
    ],
)
async def test_what_cannot_be_taken_is_told_and_left(
    world: World, task: tuple[Intent, tuple[str, ...]], cells: dict[str, Value], key: str, told: dict[str, Any]
) -> None:
    intent, wants = task
    id_ = await world.task(await world.order("A-1"), intent, *wants)
    found, values = problem(await (await open_tasks(world)).fill(0, **cells).decide(world))
    assert found == key
    assert told.items() <= values.items()
    assert (await world.store.task(id_)).state is TaskState.OPEN


async def test_a_refund_in_another_currency_is_no_refund_of_this_order(world: World) -> None:
    order = await world.order()
    row = await world.effect(order, Intent.REFUND)
    [dossier] = await world.store.load_dossiers([order])
    facts = {"amount": "12.50", "currency": "USD"}
    task = Task(kind="refund", title="t", store=STORE, order="A-1", facts=facts, wants=("amount", "reference"))
    await world.store.open_task(row, task, version=dossier.version, now=NOW)
    paper = (await open_tasks(world)).fill(0, decision="done", amount_paid="12.50 EUR", reference="R-1")
    assert problem(await paper.decide(world)) == ("wrong_currency", {"currency": "USD", "text": "EUR"})
    paper.fill(0, amount_paid=12.5, currency="EUR")
    assert problem(await paper.decide(world))[0] == "wrong_currency"
    assert fates(await paper.fill(0, currency="usd").decide(world)) == [TAKEN]


async def test_facts_that_moved_are_looked_at_again_unless_it_is_in_hand(world: World) -> None:
    """Taking in hand keeps a task as it is (D17): who pasted the text is believed, whatever has come in since."""
    task, [first, second] = await _grouped(world, 2)
    paper = (await open_tasks(world)).fill(0, decision="done").fill(1, decision="done")
    await world.store.set_order_facts(first, OrderPatch(note="news"), by="Lin", reason="", now=NOW)
    told = await paper.decide(world)
    assert fates(told) == [(REFUSED, "moved"), TAKEN]
    assert [await _acted(world, order) for order in (first, second)] == [False, True]
    await tasks.take(world.store, task, by="Mei", now=NOW)
    assert fates(await paper.decide(world)) == [TAKEN, UNCHANGED]


async def test_what_somebody_else_has_in_hand_is_his(world: World) -> None:
    task = await world.task(await world.order())
    paper = (await open_tasks(world)).fill(0, decision="done")
    await tasks.take(world.store, task, by="lin", now=NOW)
    rules = msgspec.structs.replace(WITH_SHOP, team=Team(people=(Person(id="lin", name="Lin Hao"),)))
    assert problem(await paper.decide(world, rules=rules)) == ("in_hands", {"who": "Lin Hao"})


async def test_what_the_facts_no_longer_want_is_told(world: World) -> None:
    """Delivered meanwhile: the line says so. Who has seen that, and had pasted the text before, is believed."""
    _, [first, _] = await _grouped(world, 2)
    paper = (await open_tasks(world)).fill(0, decision="done")
    await world.store.set_order_facts(first, OrderPatch(received_at=NOW), by="Lin", reason="", now=NOW)
    [dossier] = await world.store.load_dossiers([first])
    gone = Verdict(withdraw=((dossier.effects[0].key, DecisionReason.DELIVERED),))
    await world.store.write_verdicts([VerdictWrite(order_id=first, version=dossier.version, verdict=gone)], NOW)
    assert problem(await paper.decide(world)) == ("gone", {})
    [dossier] = await world.store.load_dossiers([first])
    again = paper.fill(0, **{"tracker:facts": float(dossier.version)})
    assert problem(await again.fill(0, decision="drop", note="so").decide(world)) == ("gone", {})
    assert fates(await again.fill(0, decision="done").decide(world)) == [TAKEN]
    assert fates(await again.decide(world)) == [UNCHANGED]
    assert await _acted(world, first)


async def test_closed_meanwhile_is_told_unless_it_is_the_same(world: World) -> None:
    task = await world.task(await world.order())
    paper = (await open_tasks(world)).fill(0, decision="drop", note="so")
    await tasks.done(world.store, task, TaskResult(), by="Lin", now=NOW)
    assert problem(await paper.decide(world)) == ("closed", {"state": "done", "who": "Lin", "task": task})
    assert fates(await paper.fill(0, decision="done").decide(world)) == [UNCHANGED]


async def test_tasks_of_one_order_do_not_stand_in_each_others_way(world: World) -> None:
    order = await world.order()
    await world.task(order, Intent.STAGE2)
    await world.task(order, Intent.EXTENSION, "window_end")
    paper = (await open_tasks(world)).fill(0, decision="done").fill(1, decision="done", window_end="2026-05-31")
    assert fates(await paper.decide(world)) == [TAKEN, TAKEN]
    assert fates(await paper.decide(world)) == [UNCHANGED, UNCHANGED]


async def test_a_row_of_another_life_is_none_of_ours(world: World) -> None:
    """After a backup was put back, an id may mean something else: the key tells (faults row 36)."""
    refund = await world.refund(await world.order("A-1"))
    await world.task(await world.order("A-2"))
    paper = (await open_tasks(world)).fill(0, decision="done")
    key = (await world.store.outbox_view(refund)).row.key
    paper.fill(0, **{"tracker:row": float(refund)})
    assert problem(await paper.decide(world))[0] == "other_row"
    paper.fill(0, **{"tracker:key": key, "order": "A-1"})
    assert problem(await paper.decide(world))[0] == "other_row", "a recommendation is no task"


async def test_an_empty_worksheet_decides_nothing(world: World) -> None:
    told = await Paper("tasks", []).decide(world)
    assert (told.lines, told.silent) == ([], 0)
