"""Recommendations decided in a worksheet: the same rules as one by one, on the facts that the person saw, told line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.desk.paper import LANGUAGES, Paper, Value, fates, only, problem, reviews
from tests.desk.world import NOW, RULES, World
from tracker.desk import review
from tracker.desk.worksheet import Fate
from tracker.model import HoldReason, Intent, OutboxState
from tracker.store import Conflict, OrderPatch
from tracker.team import Person, Team

TAKEN, UNCHANGED, REFUSED = (Fate.TAKEN, None), (Fate.UNCHANGED, None), Fate.REFUSED


async def _moved(world: World, order: int) -> None:
    await world.store.set_order_facts(order, OrderPatch(note="news"), by="Lin", reason="", now=NOW)


async def _state(world: World, row: int) -> OutboxState:
    return (await world.store.outbox_view(row)).row.state


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_approved_rejected_put_off_and_left_alone(world: World, language: str) -> None:
    """Whatever the language of the sheet, words of any language decide."""
    rows = [await world.refund(await world.order(f"A-{number}")) for number in range(4)]
    paper = await reviews(world, language)
    paper.fill(0, decision="approve", note="carrier confirms")
    paper.fill(1, decision="驳回", note="buyer waits")
    paper.fill(2, decision="推迟", until="2026-03-03", note="asks his post office")
    told = await paper.decide(world)
    assert fates(told) == [TAKEN] * 3
    assert (told.silent, told.refunds, told.approves) == (1, 1, {"USD": Decimal("12.50")})
    assert [await _state(world, row) for row in rows] == [
        OutboxState.PENDING,
        OutboxState.CANCELLED,
        OutboxState.HELD,
        OutboxState.HELD,
    ]
    put_off = await world.store.outbox_view(rows[2])
    assert put_off.snoozed_until == datetime(2026, 3, 2, 16, 0, tzinfo=UTC), "the day begins where the store is"
    assert (await world.store.outbox_view(rows[0])).row.approved_by == "Mei"


async def test_the_same_file_twice_changes_nothing(world: World) -> None:
    """Unchanged is no error, whoever imports it; the audit has each word once."""
    orders = [await world.order(f"A-{number}") for number in range(3)]
    for order in orders:
        await world.refund(order)
    paper = await reviews(world)
    paper.fill(0, decision="approve", note="so", amount=9.0)
    paper.fill(1, decision="reject", note="so")
    paper.fill(2, decision="snooze", note="so", until="2026-03-05")
    assert fates(await paper.decide(world)) == [TAKEN] * 3
    audits = [await world.store.audit_of(order) for order in orders]
    assert fates(await paper.decide(world)) == [UNCHANGED] * 3
    assert fates(await paper.decide(world, by="Lin")) == [UNCHANGED] * 3
    assert [await world.store.audit_of(order) for order in orders] == audits


async def test_lines_whose_facts_moved_are_refused_the_others_go(world: World) -> None:
    """facts/daily-operations.md "Desk": rows whose facts moved are refused and listed again."""
    first, second = await world.order("A-1"), await world.order("A-2")
    rows = [await world.refund(first), await world.refund(second)]
    paper = (await reviews(world)).fill(0, decision="approve", note="so").fill(1, decision="approve", note="so")
    await _moved(world, first)
    told = await paper.decide(world)
    assert fates(told) == [(REFUSED, "moved"), TAKEN]
    assert told.approves == {"USD": Decimal("12.50")}, "only what will be approved is summed up"
    assert await _state(world, rows[0]) is OutboxState.HELD
    again = (await reviews(world)).fill(0, decision="approve", note="so")
    assert fates(await again.decide(world)) == [TAKEN]


async def _split(world: World) -> tuple[int, Paper]:
    """Two refunds of one order: a split order's parcels."""
    order = await world.order("A-1", "RB1", "RB2")
    for occasion, parcel in enumerate(("RB1", "RB2")):
        await world.refund(order, Decimal(5), str(occasion), shipment=parcel)
    paper = await reviews(world)
    for line in (0, 1):
        paper.fill(line, decision="approve", note="so")
    return order, paper


async def test_two_lines_of_one_order_do_not_stand_in_each_others_way(world: World) -> None:
    """A split order has a refund a parcel (D23): the person's own first word is no news to him."""
    _, paper = await _split(world)
    assert fates(await paper.decide(world)) == [TAKEN, TAKEN]
    assert fates(await paper.decide(world)) == [UNCHANGED, UNCHANGED]


async def test_what_broke_off_between_two_lines_of_an_order_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, paper = await _split(world)
    decide = review.decide
    calls: list[int] = []

    async def broken(*args: Any, **values: Any) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError
        return await decide(*args, **values)

    with monkeypatch.context() as patched:
        patched.setattr(review, "decide", broken)
        with pytest.raises(RuntimeError):
            await paper.decide(world)
    assert fates(await paper.decide(world)) == [UNCHANGED, TAKEN]


async def test_what_broke_off_is_refused_where_the_order_moved_meanwhile(world: World) -> None:
    order, paper = await _split(world)
    first = Paper.decide
    one = paper.rows.pop()
    assert fates(await first(paper, world)) == [TAKEN]
    await _moved(world, order)
    paper.rows.append(one)
    assert fates(await paper.decide(world)) == [UNCHANGED, (REFUSED, "moved")]


async def test_together_no_more_than_was_paid(world: World) -> None:
    """I7: 5 and 10 of an order of 12.50."""
    order = await world.order("A-1")
    await world.refund(order, Decimal(5), "0")
    await world.refund(order, Decimal(10), "1")
    paper = await reviews(world)
    for line in (0, 1):
        paper.fill(line, decision="approve", note="so")
    told = await paper.decide(world)
    assert fates(told) == [TAKEN, (REFUSED, "other")]
    assert "would exceed what order lume/A-1 paid" in str(told.lines[1].problem and told.lines[1].problem.values["message"])


@pytest.mark.parametrize(
    ("cells", "key", "told"),
    [
        ({"decision": "maybe", "note": "so"}, "unknown_word", {"text": "maybe"}),
        ({"decision": "approve"}, "no_reason", {"column": "note"}),
        ({"decision": "reject", "note": "  "}, "no_reason", {"column": "note"}),
        ({"decision": "snooze", "note": "so"}, "no_value", {"column": "until"}),
        ({"decision": "snooze", "note": "so", "until": "soon"}, "no_day", {"text": "soon"}),
        ({"decision": "snooze", "note": "so", "until": "2026-02-28"}, "past", {"text": "2026-02-28"}),
        ({"decision": "snooze", "note": "so", "until": "2026-03-31"}, "too_late", {"text": "2026-03-11 12:30Z"}),
        ({"decision": "approve", "note": "so", "until": "2026-03-05"}, "no_use", {"column": "until"}),
        ({"until": "2026-03-05"}, "no_decision", {"column": "until"}),
        ({"amount": 9.0}, "no_decision", {"column": "amount"}),
        ({"amount": "nine"}, "no_decision", {"column": "amount"}),
        ({"decision": "approve", "amount": 9.0}, "no_reason", {"column": "note"}),
        ({"decision": "reject", "amount": 9.0, "note": "so"}, "no_use", {"column": "amount"}),
        ({"decision": "approve", "amount": "nine", "note": "so"}, "no_amount", {"text": "nine"}),
        ({"decision": "approve", "amount": -1.0, "note": "so"}, "no_amount", {"text": "-1"}),
        ({"decision": "approve", "amount": "9 EUR", "note": "so"}, "wrong_currency", {"text": "EUR", "currency": "USD"}),
        ({"decision": "approve", "currency": "EUR", "note": "so"}, "wrong_currency", {"text": "EUR", "currency": "USD"}),
        ({"decision": "approve", "amount": "", "note": "so"}, "amount_gone", {"text": "12.50 USD"}),
        ({"decision": "approve", "amount": 9.999, "note": "so"}, "other", {}),
        ({"decision": "approve", "note": "so", "tracker:row": 99.0}, "other_row", {}),
        ({"decision": "approve", "note": "so", "tracker:key": "order/lume/A-1:refund:7"}, "other_row", {}),
        ({"decision": "approve", "note": "so", "tracker:key": ""}, "no_machine", {}),
        ({"decision": "approve", "note": "so", "order": "A-2"}, "mixed_up", {"shown": "A-2", "known": "A-1"}),
    ],
)
async def test_what_cannot_be_taken_is_told_and_left(
    world: World, cells: dict[str, Value], key: str, told: dict[str, Any]
) -> None:
    """Nothing is rejected in silence, and no amount edited by a slip."""
    row = await world.refund(await world.order("A-1"), deadline=NOW + timedelta(days=10))
    paper = (await reviews(world)).fill(0, **cells)
    found, values = problem(await paper.decide(world))
    assert found == key
    assert told.items() <= values.items()
    view = await world.store.outbox_view(row)
    assert (view.row.state, view.row.amount, view.snoozed_until) == (OutboxState.HELD, Decimal("12.50"), None)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_problems_name_the_column_in_the_language(world: World, language: str) -> None:
    await world.refund(await world.order())
    told = await (await reviews(world)).fill(0, decision="approve").decide(world)
    found = only(told).problem
    assert found is not None
    said = {"en": 'the reason is missing: write it into "note"', "zh-CN": "缺少理由：请填写“备注”"}
    assert found.said(LANGUAGES[language]) == said[language]


async def test_another_amount_is_an_edit_and_an_approval_at_once(world: World) -> None:
    order = await world.order()
    row = await world.refund(order)
    told = await (await reviews(world)).fill(0, decision="approve", amount="9.90", note="half arrived").decide(world)
    assert told.approves == {"USD": Decimal("9.90")}
    view = await world.store.outbox_view(row)
    assert (view.row.state, view.row.amount) == (OutboxState.PENDING, Decimal("9.90"))
    audit = [(entry.what, entry.reason) for entry in await world.store.audit_of(order) if entry.what.startswith("review_")]
    assert audit == [("review_edited", "half arrived"), ("review_approved", "half arrived")]


async def test_another_amount_is_refused_where_the_approval_is(world: World) -> None:
    row = await world.refund(await world.order())
    told = await (await reviews(world)).fill(0, decision="approve", amount=12.51, note="so").decide(world)
    assert fates(told) == [(REFUSED, "other")]
    assert (await world.store.outbox_view(row)).row.amount == Decimal("12.50")


async def test_decided_meanwhile_is_told(world: World) -> None:
    row = await world.refund(await world.order())
    paper = (await reviews(world)).fill(0, decision="approve", note="so")
    await review.decide(world.store, row, approve=False, by="Lin", reason="no", seen=None, rules=RULES, now=NOW)
    assert problem(await paper.decide(world)) == ("decided", {"state": "rejected", "row": row})


async def test_a_large_refund_wants_two_people_and_two_imports(world: World) -> None:
    """D23: the first import is kept as the first yes; the same person's second changes nothing; another's is the second."""
    row = await world.refund(await world.order(amount=Decimal(90)), Decimal(60))
    paper = (await reviews(world)).fill(0, decision="approve", note="so")
    first = only(await paper.decide(world))
    assert (first.fate, first.first) == (Fate.TAKEN, "Mei")
    again = only(await paper.decide(world, by="MEI"))
    assert (again.fate, again.first) == (Fate.UNCHANGED, "Mei")
    assert await _state(world, row) is OutboxState.HELD
    second = only(await paper.decide(world, by="Lin"))
    assert (second.fate, second.first) == (Fate.TAKEN, None)
    assert (await world.store.outbox_view(row)).row.approved_by == "Lin"


async def test_above_the_own_limit(world: World) -> None:
    """team.toml: the limit holds for the amount as it was edited, too."""
    mei = Person(id="mei", name="Mei", approve_up_to={"USD": Decimal(10)})
    rules = msgspec.structs.replace(RULES, team=Team(people=(mei, Person(id="lin", name="Lin"))))
    await world.refund(await world.order())
    paper = (await reviews(world)).fill(0, decision="approve", note="so")
    key, values = problem(await paper.decide(world, by="mei", rules=rules))
    assert key == "above_limit"
    assert "Ask Lin" in values["message"]
    assert fates(await paper.fill(0, amount=9.5).decide(world, by="mei", rules=rules)) == [TAKEN]


async def test_a_row_that_stands_twice(world: World) -> None:
    """The same word is said once; two words are none."""
    row = await world.refund(await world.order())
    paper = (await reviews(world)).fill(0, decision="approve", note="so")
    paper.rows.append(list(paper.rows[0]))
    paper.fill(1, decision="reject")
    assert fates(await paper.decide(world)) == [(REFUSED, "twice"), (REFUSED, "twice")]
    paper.fill(1, decision="Approve")
    assert fates(await paper.decide(world)) == [TAKEN, UNCHANGED]
    assert await _state(world, row) is OutboxState.PENDING


async def test_a_message_that_waits_for_approval_is_decided_like_money(world: World) -> None:
    """D22, mode approve: without an amount, and without any sum."""
    row = await world.effect(await world.order(), Intent.STAGE2, hold=HoldReason.MESSAGE_NEEDS_APPROVAL)
    told = await (await reviews(world)).fill(0, decision="approve", note="reads well").decide(world)
    assert (fates(told), told.refunds, told.approves) == ([TAKEN], 0, {})
    assert await _state(world, row) is OutboxState.PENDING


async def test_an_amount_that_no_file_told_can_be_written(world: World) -> None:
    row = await world.refund(await world.order(amount=None), None)
    told = await (await reviews(world)).fill(0, decision="approve", note="as the page shows", amount=7.0).decide(world)
    assert fates(told) == [TAKEN]
    assert (await world.store.outbox_view(row)).row.amount == Decimal("7.00")


async def test_somebody_quicker_between_look_and_word_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.refund(await world.order())

    async def late(*_: Any, **__: Any) -> object:
        raise Conflict("somebody else was quicker")

    monkeypatch.setattr(review, "decide", late)
    told = await (await reviews(world)).fill(0, decision="reject", note="so").decide(world)
    assert problem(told) == ("other", {"message": "somebody else was quicker"})
