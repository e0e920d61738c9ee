"""Cases are kept with their history; a stronger word about a date is never replaced by a weaker one (D3, I6)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.store.build import DAY, HOUR, NOW, decision, dossier, given, order, parcel, tasked
from tracker import config
from tracker.desk.case_lists import Wanted, take
from tracker.desk.cases import NewCase, add
from tracker.model import Case, CaseKind, CaseOutcome, CaseReason, DateSource, Intent
from tracker.store import CaseWrite, Conflict, NotThere, Store, TaskResult
from tracker.store.rows import CaseTold


def case(**change: Any) -> Case:
    told: dict[str, Any] = {"id": "D-1", "kind": CaseKind.DISPUTE, "opened_at": NOW, "reason": CaseReason.IN_TRANSIT}
    return Case(**(told | change))


async def test_what_a_source_does_not_tell_stays_and_the_same_twice_is_no_news(store: Store) -> None:
    """DESIGN "at least once, idempotent by key": a poll that says the same again wakes nobody and writes no line."""
    await given(store)
    assert await store.save_case(1, case(note="bring proof", shipment="LX001CN"), NOW)
    before = await dossier(store)
    assert not await store.save_case(1, case(reason=CaseReason.UNKNOWN), NOW)
    after = await dossier(store)
    assert (after.version, after.cases) == (before.version, before.cases)
    assert after.cases[0].note == "bring proof"


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (DateSource.API, DateSource.TYPED, DateSource.API),
        (DateSource.API, DateSource.FILE, DateSource.API),
        (DateSource.TYPED, DateSource.FILE, DateSource.TYPED),
        (DateSource.FILE, DateSource.TYPED, DateSource.TYPED),
        (DateSource.FILE, DateSource.API, DateSource.API),
        (DateSource.API, DateSource.API, DateSource.API),
    ],
)
async def test_d3_a_due_date_gives_way_to_a_stronger_word_only(
    store: Store, known: DateSource, told: DateSource, kept: DateSource
) -> None:
    """D3: api > typed > file, whoever comes last."""
    await given(store)
    await store.save_case(1, case(due_at=NOW + DAY, due_source=known), NOW)
    await store.save_case(1, case(due_at=NOW + 2 * DAY, due_source=told), NOW)
    found = (await store.case("D-1")).case
    assert found.due_source is kept
    assert found.due_at == (NOW + 2 * DAY if kept is told else NOW + DAY)


async def test_r10_a_later_date_after_the_answer_asks_anew(store: Store) -> None:
    """R10: with each change by the buyer the seller's clock starts again; the very same date does not."""
    await given(store)
    due = {"due_at": NOW + DAY, "due_source": DateSource.API}
    await store.save_case(1, case(**due, answered_at=NOW), NOW)
    await store.save_case(1, case(**due), NOW)
    assert (await store.case("D-1")).case.answered_at == NOW
    await store.save_case(1, case(due_at=NOW + 5 * DAY, due_source=DateSource.API), NOW + HOUR)
    assert (await store.case("D-1")).case.answered_at is None


async def test_every_change_stands_in_the_audit_with_before_and_after(store: Store) -> None:
    """I6: who changed what, when; only what changed."""
    await given(store)
    await store.save_case(1, case(), NOW)
    known = (await store.case("D-1")).case
    await store.change_case(replace(known, closed_at=NOW + DAY, outcome=CaseOutcome.WON), NOW + DAY, by="Mei", reason="ruled")
    lines = [line for line in await store.audit_of(1) if line.subject == "case/D-1"]
    assert [line.what for line in lines] == ["case_opened", "case_closed"]
    assert (lines[1].who, lines[1].reason) == ("Mei", "ruled")
    assert lines[1].after == {"closed_at": (NOW + DAY).isoformat(), "outcome": "won"}
    assert lines[1].before == {}
    assert not (await dossier(store)).dispute_open


async def test_many_cases_are_written_all_or_none(store: Store) -> None:
    """Nothing half applied: one id that belongs elsewhere takes everything back."""
    await given(store, order(), order("8002"), parcel())
    await store.save_case(2, case(id="D-9"), NOW)
    writes = [CaseWrite(order_id=1, case=case()), CaseWrite(order_id=1, case=case(id="D-9"))]
    with pytest.raises(Conflict, match="D-9 belongs to order shop/8002"):
        await store.save_cases(writes, NOW, by="Mei")
    assert [view.case.id for view in await store.cases()] == ["D-9"]
    assert await store.save_cases(writes[:1], NOW, by="Mei") == 1


async def test_lists_stand_by_their_date_and_leave_out_what_is_closed(store: Store) -> None:
    await given(store, order(), order("8002", store="other"), parcel())
    await store.save_case(1, case(id="none"), NOW)
    await store.save_case(1, case(id="late", due_at=NOW + 2 * DAY), NOW)
    await store.save_case(2, case(id="soon", due_at=NOW + DAY), NOW)
    await store.save_case(1, case(id="over", due_at=NOW, closed_at=NOW), NOW)
    assert [view.case.id for view in await store.cases()] == ["soon", "late", "none"]
    assert [view.case.id for view in await store.cases(store="shop", open_only=False)] == ["over", "late", "none"]
    with pytest.raises(NotThere, match="cases list"):
        await store.case("D-404")


async def test_a_word_on_facts_that_moved_is_refused(store: Store) -> None:
    await given(store)
    await store.save_case(1, case(), NOW)
    view = await store.case("D-1")
    await store.save_case(1, case(amount=None, note="news"), NOW)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await store.change_case(replace(view.case, closed_at=NOW), NOW, by="Mei", seen=view.order.version)


@pytest.mark.parametrize(("kind", "closed"), [(CaseKind.DISPUTE, False), (CaseKind.BUYER_MESSAGE, True)])
async def test_r55_closing_the_task_is_the_answer(store: Store, kind: CaseKind, closed: bool) -> None:
    """R55: an answered message is over; a dispute goes on until its money is settled (DESIGN)."""
    await given(store)
    await store.save_case(1, case(kind=kind), NOW)
    task = await tasked(store, decision(Intent.CASE_ANSWER), facts={"case": "D-1"})
    await store.done_task(task, TaskResult(), by="Mei", now=NOW + HOUR)
    found = (await store.case("D-1")).case
    assert (found.answered_at, found.closed_at) == (NOW + HOUR, NOW + HOUR if closed else None)


async def test_the_newest_order_stands_for_its_store(store: Store) -> None:
    """R43: an alert about the account names no order."""
    await given(store, order(), order("8002"), order("9", store="other"), parcel())
    assert (await store.newest_order("shop")).number == "8002"
    with pytest.raises(NotThere, match="No order of store 'nowhere'"):
        await store.newest_order("nowhere")


async def test_two_marketplaces_may_come_to_one_number(store: Store) -> None:
    """R33: each counts its own cases; the second one keeps its platform beside the number, in this list and in the next."""
    await given(store, order("8001"), order("9001", store="mall", platform="ebay"))
    told = CaseTold(row=2, order="8001", kind=CaseKind.DISPUTE, id="5001", due_at=NOW + DAY)
    await take(store, [told], 0, Wanted(shop="shop"), NOW)
    theirs = CaseTold(row=2, order="9001", kind=CaseKind.INQUIRY, id="5001", due_at=NOW + 2 * DAY)
    first = await take(store, [theirs], 0, Wanted(shop="mall"), NOW)
    assert (first.new, first.rejected) == (("ebay/5001",), ())
    again = await take(store, [theirs], 0, Wanted(shop="mall", complete=True), NOW)
    assert (again.new, again.changed, again.unchanged, again.closed) == ((), (), 1, ())
    ours = await take(store, [told], 0, Wanted(shop="shop", complete=True), NOW)
    assert (ours.unchanged, ours.closed) == (1, ())


async def test_a_case_by_hand_may_have_the_number_of_another_stores(store: Store) -> None:
    """R75: nobody has to invent a number for a claim whose own is taken elsewhere; within one store it is the same case."""
    await given(store, order("8001"), order("9001", store="mall", platform="ebay"), order("9002", store="mall", platform="ebay"))
    await store.save_case(1, case(id="5001"), NOW)
    rules = config.load(None, environ={}).rules
    claim = NewCase(kind=CaseKind.INQUIRY, id="5001")
    made = await add(store, rules, await store.order_ref("mall/9001"), claim, by="Lin", now=NOW)
    assert made.case.id == "ebay/5001"
    with pytest.raises(Conflict, match="belongs to order mall/9001"):
        await add(store, rules, await store.order_ref("mall/9002"), claim, by="Lin", now=NOW)
