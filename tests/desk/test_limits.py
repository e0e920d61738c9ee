"""How much one person decides alone: own limits, two people above a sum, many small ones at once (D23)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.desk.world import NOW, PAID, RULES, World, new_world
from tracker.clock import FixedClock
from tracker.desk import Refused, bulk, limits, review
from tracker.model import DecisionReason, HoldReason, Intent, OutboxState
from tracker.rates import Month, Rates
from tracker.rules import Rules
from tracker.store import Conflict, OrderPatch, OutboxView, open_store
from tracker.team import Person, Team

MEI = Person(id="mei", name="Mei", approve_up_to={"USD": Decimal(20), "CNY": Decimal(140)})
LIN = Person(id="lin", name="Lin", approve_up_to={"USD": Decimal(500)})
BO = Person(id="bo", name="Bo")
RATES = Rates(months=(Month(id="2026-02", base="USD", rates={"SEK": Decimal(10), "CNY": Decimal(7)}),))
NOT_FOUND = DecisionReason.NOT_FOUND_CONFIRMED


def ours(*people: Person, rates: Rates = Rates()) -> Rules:  # noqa: B008 - a frozen value
    return replace(RULES, team=Team(people=people), rates=rates)


async def _yes(world: World, row: int, by: str, rules: Rules = RULES, seen: int | None = None) -> OutboxView:
    return await review.decide(world.store, row, approve=True, by=by, reason="checked", seen=seen, rules=rules, now=NOW)


async def _large(world: World, number: str = "A-1", amount: str = "80") -> int:
    return await world.refund(await world.order(number, amount=Decimal(amount)), Decimal(amount))


async def test_d23_a_large_refund_wants_two_people(world: World) -> None:
    """The first yes is kept, the row stays held; the second has to be somebody else's."""
    row = await _large(world)
    first = await _yes(world, row, "Mei")
    assert (first.row.state, first.row.hold) == (OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL)
    assert (first.first_approved_by, first.row.approved_by) == ("Mei", None)
    [waits] = await world.store.waiting_second()
    assert (waits.view.row.id, waits.since) == (row, NOW)
    with pytest.raises(Conflict, match="waits for a second person: Mei has approved it already"):
        await _yes(world, row, " MEI ")
    second = await _yes(world, row, "Lin")
    assert (second.row.state, second.row.approved_by, second.first_approved_by) == (OutboxState.PENDING, "Lin", "Mei")
    assert await world.store.waiting_second() == []
    said = [(each.who, each.what) for each in await world.store.audit_of(second.order.id) if each.what.startswith("review")]
    assert sorted(said) == [("Lin", "review_approved"), ("Mei", "review_first_approved")]


@pytest.mark.parametrize(
    ("amount", "currency", "two"),
    [
        ("50", "USD", False),
        ("50.01", "USD", True),
        ("260", "BRL", False),
        ("261", "BRL", True),
        ("500", "SEK", False),
        ("501", "SEK", True),
        ("1", "NOK", True),
    ],
)
async def test_d23_which_refunds_are_large(world: World, amount: str, currency: str, *, two: bool) -> None:
    """Other currencies go by fx.toml; one that nobody can compare wants two."""
    order = await world.order(amount=Decimal(amount), currency=currency)
    row = await world.refund(order, Decimal(amount), currency=currency)
    view = await _yes(world, row, "Mei", replace(RULES, rates=RATES))
    assert (view.row.state is OutboxState.HELD) is two


async def test_d23_an_amount_that_nobody_knows_wants_two_people(world: World) -> None:
    """D23: it may be a large one; where no sum wants two, one is enough who has no limit of his own."""
    row = await world.refund(await world.order("A-1", amount=None), None)
    other = await world.refund(await world.order("A-2", amount=None), None)
    assert (await _yes(world, row, "bo", ours(MEI, BO))).row.state is OutboxState.HELD
    assert (await _yes(world, row, "mei", ours(MEI, BO))).row.state is OutboxState.PENDING
    alone = replace(ours(MEI, BO), manners=replace(RULES.manners, second_person_above={}))
    assert (await _yes(world, other, "mei", alone)).row.state is OutboxState.HELD
    third = await world.refund(await world.order("A-3", amount=None), None)
    assert (await _yes(world, third, "bo", alone)).row.state is OutboxState.PENDING


async def test_above_the_own_limit_somebody_else_is_named(world: World) -> None:
    row = await _large(world, amount="30")
    with pytest.raises(Refused, match=r"30 USD is more than Mei may approve \(20 USD, 140 CNY\)\. Ask Lin, Bo\.") as refused:
        await _yes(world, row, "mei", ours(MEI, LIN, BO))
    assert refused.value.kind == "above_limit"
    with pytest.raises(Refused, match="Nobody of the team may: raise approve_up_to"):
        await _yes(world, row, "mei", ours(MEI))
    assert (await _yes(world, row, "lin", ours(MEI, LIN))).row.state is OutboxState.PENDING


@pytest.mark.parametrize("order", [("lin", "mei"), ("mei", "lin")])
async def test_d23_of_two_people_one_has_to_be_allowed_the_amount(world: World, order: tuple[str, str]) -> None:
    """D23: whoever comes first, the one vouches for the sum and the other looks at it."""
    row, team = await _large(world), ours(MEI, LIN)
    first = await _yes(world, row, order[0], team)
    assert (first.row.state, first.first_approved_by) == (OutboxState.HELD, order[0])
    with pytest.raises(Conflict, match="waits for a second person"):
        await _yes(world, row, order[0], team)
    second = await _yes(world, row, order[1], team)
    assert (second.row.state, second.row.approved_by) == (OutboxState.PENDING, order[1])


async def test_d23_two_who_may_not_are_refused(world: World) -> None:
    """D23: the second is told who may; where nobody may, the first yes is not taken either."""
    row, ana = await _large(world), Person(id="ana", name="Ana", approve_up_to={"USD": Decimal(40)})
    with pytest.raises(Refused, match="Nobody of the team may"):
        await _yes(world, row, "mei", ours(MEI, ana))
    team = ours(MEI, ana, LIN)
    await _yes(world, row, "mei", team)
    with pytest.raises(Refused, match=r"more than Ana may approve \(40 USD\)\. Ask Lin") as refused:
        await _yes(world, row, "ana", team)
    assert refused.value.kind == "above_limit"
    assert (await world.store.outbox_view(row)).first_approved_by == "mei"
    assert (await _yes(world, row, "lin", team)).row.state is OutboxState.PENDING


async def test_d23_another_amount_takes_the_first_word_with_it(world: World) -> None:
    """D23: who may not approve the new amount cannot lean on a yes to the old one."""
    row, team = await _large(world), ours(MEI, LIN)
    seen = (await _yes(world, row, "lin", team)).order.version
    mine = await review.approve_amount(
        world.store, row, amount=Decimal(70), by="mei", reason="shipping stays", seen=seen, rules=team, now=NOW
    )
    assert (mine.row.state, mine.first_approved_by) == (OutboxState.HELD, "mei")


async def test_a_limit_in_another_currency_is_converted(world: World) -> None:
    small = await world.refund(await world.order("A-1", amount=Decimal(200), currency="SEK"), Decimal(200), currency="SEK")
    large = await world.refund(await world.order("A-2", amount=Decimal(201), currency="SEK"), Decimal(201), currency="SEK")
    team = ours(MEI, LIN, rates=RATES)
    assert (await _yes(world, small, "mei", team)).row.state is OutboxState.PENDING
    with pytest.raises(Refused, match="201 SEK is more than Mei may approve"):
        await _yes(world, large, "mei", team)
    assert (await _yes(world, large, "mei", ours(MEI, LIN))).first_approved_by == "mei", "no rate: a second person decides too"


async def test_anybody_may_say_no(world: World) -> None:
    row = await _large(world, amount="30")
    view = await review.decide(
        world.store, row, approve=False, by="mei", reason="moves again", seen=None, rules=ours(MEI), now=NOW
    )
    assert view.rejected


async def test_two_who_approve_at_once_are_two_people(tmp_path: Path) -> None:
    """Both saw the same facts: whoever comes first is the first, and the refund goes on once."""
    async with new_world(tmp_path / "tracker.db") as world:
        row = await _large(world)
        seen = (await world.store.outbox_view(row)).order.version
        beside = await open_store(f"sqlite:///{tmp_path / 'tracker.db'}", clock=FixedClock(NOW))
        try:
            said = await asyncio.gather(_yes(world, row, "Mei", seen=seen), _yes(World(beside), row, "Lin", seen=seen))
        finally:
            await beside.close()
        assert {view.row.state for view in said} == {OutboxState.HELD, OutboxState.PENDING}
        end = await world.store.outbox_view(row)
        assert {end.first_approved_by, end.row.approved_by} == {"Mei", "Lin"}


async def test_the_second_person_decides_on_the_facts_of_now(world: World) -> None:
    row = await _large(world)
    first = await _yes(world, row, "Mei")
    await world.store.set_order_facts(first.order.id, OrderPatch(note="called"), by="Mei", reason="", now=NOW)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await _yes(world, row, "Lin", seen=first.order.version)


async def test_a_changed_amount_wants_both_words_again(world: World) -> None:
    row = await _large(world)
    await _yes(world, row, "Mei")
    edited = await review.edit(world.store, row, amount=Decimal(70), by="Lin", reason="shipping stays", seen=None, now=NOW)
    assert (edited.row.amount, edited.first_approved_by) == (Decimal(70), None)
    assert (await _yes(world, row, "Mei")).first_approved_by == "Mei"
    entry = next(each for each in await world.store.audit_of(edited.order.id) if each.what == "review_edited")
    assert (entry.before, entry.after, entry.reason) == ({"amount": "80"}, {"amount": "70"}, "shipping stays")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1.234"])
async def test_an_amount_that_cannot_be_paid_is_refused(world: World, amount: str) -> None:
    row = await world.refund(await world.order())
    with pytest.raises(Refused, match="no amount that can be paid in USD"):
        await review.edit(world.store, row, amount=Decimal(amount), by="Mei", reason="so", seen=None, now=NOW)


async def test_i7_an_amount_is_never_raised_above_what_is_left(world: World) -> None:
    """I7: paid less what is refunded and approved."""
    order = await world.order()
    row, other = await world.refund(order, Decimal(4)), await world.refund(order, Decimal(5), "1")
    await _yes(world, other, "Mei")
    with pytest.raises(Conflict, match=r"would exceed what order lume/A-1 paid: 12\.50"):
        await review.edit(world.store, row, amount=Decimal("7.51"), by="Mei", reason="so", seen=None, now=NOW)
    assert (await review.edit(world.store, row, amount=Decimal("7.50"), by="Mei", reason="so", seen=None, now=NOW)).row.amount
    message = await world.effect(order, Intent.STAGE1, hold=HoldReason.MESSAGE_NEEDS_APPROVAL)
    with pytest.raises(Refused, match="is no refund"):
        await review.edit(world.store, message, amount=PAID, by="Mei", reason="so", seen=None, now=NOW)


# -------------------------------------------------------------------------------------------------------------------- snooze


async def test_what_is_put_off_leaves_the_list_until_then(world: World) -> None:
    row = await world.refund(await world.order())
    until = NOW + timedelta(days=2)
    await review.snooze(world.store, row, until=until, by="Mei", reason="asks his post office", seen=None, now=NOW)
    assert await review.waiting(world.store, now=NOW) == []
    assert [view.snoozed_until for view in await review.waiting(world.store, now=NOW, snoozed=True)] == [until]
    assert [view.row.id for view in await review.waiting(world.store, now=until)] == [row]


@pytest.mark.parametrize(("days", "says"), [(0, "has passed"), (5, "its deadline"), (9, "its deadline")])
async def test_never_past_the_deadline_and_never_into_the_past(world: World, days: int, says: str) -> None:
    order = await world.order()
    row = await world.effect(order, Intent.STAGE1, hold=HoldReason.MESSAGE_NEEDS_APPROVAL, deadline=NOW + timedelta(days=5))
    with pytest.raises(Refused, match=says):
        await review.snooze(world.store, row, until=NOW + timedelta(days=days), by="Mei", reason="later", seen=None, now=NOW)


# ---------------------------------------------------------------------------------------------------------------- many at once


async def test_d23_small_refunds_of_one_reason_are_approved_at_once(world: World) -> None:
    """Identical reason, up to the limit, the total before; what is larger goes one by one, what is put off stays away."""
    small = [await world.refund(await world.order(f"A-{n}"), Decimal(n)) for n in (3, 5, 7)]
    large = await world.refund(await world.order("A-9"), Decimal(9))
    other = await world.refund(await world.order("A-4"), Decimal(4), reason=DecisionReason.NEVER_SCANNED)
    later = await world.refund(await world.order("A-2"), Decimal(2))
    await review.snooze(world.store, later, until=NOW + timedelta(days=1), by="Mei", reason="so", seen=None, now=NOW)
    found = await bulk.gather(world.store, reason=NOT_FOUND, up_to=Decimal(10), of_store=None, rules=RULES, now=NOW)
    assert [view.row.id for view in found.rows] == small
    assert [view.row.id for view in found.above] == [large]
    assert found.totals == {"USD": Decimal(15)}
    assert (
        found.rows
        == (await bulk.gather(world.store, reason=NOT_FOUND, up_to=Decimal(7), of_store="lume", rules=RULES, now=NOW)).rows
    )
    assert not (await bulk.gather(world.store, reason=NOT_FOUND, up_to=Decimal(7), of_store="nova", rules=RULES, now=NOW)).rows
    done = await bulk.approve(world.store, found, by="Mei", note="checked the list", rules=RULES, now=NOW)
    assert [each.refused for each in done] == [None] * 3
    assert [view.row.id for view in await review.waiting(world.store)] == [large, other, later]


async def test_one_that_moved_meanwhile_is_refused_the_others_go_on(world: World) -> None:
    moves, stays = [await world.refund(await world.order(f"A-{n}"), Decimal(n)) for n in (3, 5)]
    found = await bulk.gather(world.store, reason=NOT_FOUND, up_to=Decimal(8), of_store=None, rules=RULES, now=NOW)
    order = (await world.store.outbox_view(moves)).order.id
    await world.store.set_order_facts(order, OrderPatch(waiting_since=NOW), by="Lin", reason="", now=NOW)
    refused, done = await bulk.approve(world.store, found, by="Mei", note="list", rules=RULES, now=NOW)
    assert (refused.id, done.id, done.refused) == (moves, stays, None)
    assert "have moved" in (refused.refused or "")


async def test_totals_are_told_by_currency(world: World) -> None:
    for number, currency in (("A-1", "USD"), ("A-2", "BRL"), ("A-3", "USD"), ("A-4", None)):
        await world.refund(await world.order(number, currency=currency), Decimal(2), currency=currency)
    assert limits.totals(await review.waiting(world.store)) == {"?": Decimal(2), "BRL": Decimal(2), "USD": Decimal(4)}


async def test_a_released_refund_still_wants_its_word(world: World) -> None:
    """D11: releasing a guard's hold lets it come before those who approve, never past them."""
    order = await world.order()
    row = await world.refund(order, hold=HoldReason.RESTORED)
    view = await world.store.release_hold(row, by="Mei", reason="looked through", now=NOW)
    assert (view.row.state, view.row.hold, view.row.approved_by) == (OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL, None)
    assert [each.row.id for each in await review.waiting(world.store)] == [row]
