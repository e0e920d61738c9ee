"""Review, holds, doubtful sends, facts from outside: conditional on what the person saw, audited (D2, D11, I6, I7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.store.build import (
    DAY,
    NOW,
    change,
    decided,
    decision,
    dossier,
    given,
    held,
    order,
    parcel,
    pending,
    polled,
    scan,
    sending,
    tasked,
)
from tracker.model import Case, CaseKind, Channel, HoldReason, Intent, OutboxState, Task
from tracker.store import Conflict, NotThere, NotUnique, OrderPatch, Store, TaskResult

SHARE = decision(Intent.REFUND, amount=Decimal("20.00"), currency="USD")


async def test_money_and_messages_in_mode_approve_wait_in_the_review_all_else_in_the_holds(store: Store) -> None:
    await given(store)
    await decided(
        store,
        held(SHARE),
        held(decision(Intent.STAGE1), HoldReason.MESSAGE_NEEDS_APPROVAL, Channel.SMTP),
        held(decision(Intent.STAGE2), HoldReason.STORE_OBSERVES, Channel.SMTP),
    )
    assert [view.row.intent for view in await store.reviews()] == [Intent.REFUND, Intent.STAGE1]
    assert [view.row.intent for view in await store.holds()] == [Intent.STAGE2]
    counts = await store.status(NOW)
    assert (counts.reviews, counts.holds) == (2, {"store_observes": 1})


async def test_an_approved_recommendation_goes_on_and_says_who_approved(store: Store) -> None:
    await given(store)
    told = await decided(store, held(SHARE))
    (view,) = await store.reviews()
    assert view.order.version == told.version
    done = await store.decide_row(view.row.id, view.order.version, approve=True, by="Mei", reason="never scanned", now=NOW + DAY)
    assert (done.row.state, done.row.approved_by, done.decided_at) == (OutboxState.PENDING, "Mei", NOW + DAY)
    assert await store.reviews() == []
    entry = (await store.audit_of(1))[-1]
    assert (entry.who, entry.what, entry.reason) == ("Mei", "review_approved", "never scanned")
    assert (entry.before, entry.after) == ({"state": "held"}, {"state": "pending"})


async def test_whoever_let_the_money_out_of_a_hold_is_not_asked_again_and_the_one_who_approved_stays(store: Store) -> None:
    """D25, D11: neither the brake nor a retry in between makes a second question of it."""
    await given(store)
    told = await decided(store, held(SHARE))
    (view,) = await store.reviews()
    row = view.row.id
    await store.decide_row(row, told.version, approve=True, by="Mei", reason="never scanned", now=NOW)
    assert await store.hold_row(row, HoldReason.PLAUSIBILITY, "plausibility", NOW)
    await store.release_hold(row, by="Li", reason="the carrier says so, too", now=NOW)
    assert await store.defer_row(row, NOW + DAY, "paused: strike", NOW)
    after = await store.row(row)
    assert after is not None
    assert (after.answered, after.approved_by) == (HoldReason.PLAUSIBILITY, "Mei")


async def test_a_rejected_recommendation_is_remembered_as_rejected(store: Store) -> None:
    await given(store)
    told = await decided(store, held(SHARE))
    row_id = (await store.reviews())[0].row.id
    done = await store.decide_row(row_id, told.version, approve=False, by="Mei", reason="she has it", now=NOW)
    assert (done.row.state, done.rejected, done.row.result) == (OutboxState.CANCELLED, True, "she has it")
    assert (await dossier(store)).effects[0].rejected


async def test_a_decision_on_older_facts_is_refused(store: Store) -> None:
    """A row whose facts moved is refused and shown again: the person has to look first."""
    await given(store)
    told = await decided(store, held(SHARE))
    row_id = (await store.reviews())[0].row.id
    await store.write_poll(polled(change(1, "LX001CN", scan("a"))))
    with pytest.raises(Conflict, match=r"have moved since you looked.*tracker review show 1"):
        await store.decide_row(row_id, told.version, approve=True, by="Mei", reason="r", now=NOW)
    assert (await store.outbox_view(row_id)).row.state is OutboxState.HELD


async def test_a_row_is_decided_once_and_at_the_right_desk(store: Store) -> None:
    await given(store)
    told = await decided(store, held(SHARE), held(decision(), HoldReason.FIRST_START, Channel.SMTP))
    money, first_start = (view.row.id for view in (*await store.reviews(), *await store.holds()))
    with pytest.raises(Conflict, match="tracker review show"):
        await store.release_hold(money, by="Mei", reason="r", now=NOW)
    with pytest.raises(Conflict, match="tracker hold show"):
        await store.decide_row(first_start, told.version, approve=True, by="Mei", reason="r", now=NOW)
    assert (await store.release_hold(first_start, by="Mei", reason="r", now=NOW)).row.approved_by == "Mei"
    with pytest.raises(Conflict, match="waits for nobody any more: it is pending"):
        await store.release_hold(first_start, by="Li", reason="r", now=NOW)
    with pytest.raises(NotThere, match="tracker outbox list"):
        await store.release_hold(99, by="Li", reason="r", now=NOW)


async def test_approved_refunds_together_never_exceed_what_was_paid(store: Store) -> None:
    """I7: open and approved refunds of an order never exceed what was paid, whatever the state of the approved one is."""
    await given(store)
    again = decision(Intent.REFUND, amount=Decimal("20.00"), currency="USD", occasion="1")
    await decided(store, held(SHARE), held(again))
    first, second = [view.row.id for view in await store.reviews()]

    async def approve(row_id: int) -> None:
        version = (await dossier(store)).version
        await store.decide_row(row_id, version, approve=True, by="Mei", reason="r", now=NOW)

    await approve(first)
    with pytest.raises(Conflict, match=r"20\.00 approved and open"):
        await approve(second)
    task = Task(kind="refund", title="Refund", store="shop", order="8001", wants=("amount", "reference"))
    task_id = await store.open_task(first, task, version=(await dossier(store)).version, now=NOW)
    assert task_id is not None
    with pytest.raises(Conflict, match=r"20\.00 approved and open"):
        await approve(second)
    await store.done_task(task_id, TaskResult(amount=Decimal(20), reference="R"), by="Mei", now=NOW)
    with pytest.raises(Conflict, match="20 refunded"):
        await approve(second)


async def test_a_refund_in_another_currency_is_not_compared_by_number(store: Store) -> None:
    await given(store, order(currency="BRL"), parcel())
    told = await decided(store, held(SHARE))
    with pytest.raises(Conflict, match="paid in BRL, not in USD"):
        await store.decide_row(1, told.version, approve=True, by="Mei", reason="r", now=NOW)


async def test_an_order_whose_amount_nobody_told_leaves_the_check_to_the_person(store: Store) -> None:
    await given(store, order(amount=None), parcel())
    told = await decided(store, held(SHARE))
    done = await store.decide_row(1, told.version, approve=True, by="Mei", reason="r", now=NOW)
    assert done.row.state is OutboxState.PENDING


async def test_a_doubtful_send_is_settled_by_a_person_alone(store: Store) -> None:
    row = await sending(store)
    await store.finish_row(row.id, OutboxState.UNKNOWN, NOW, result="timeout after DATA")
    for no_answer in (OutboxState.PENDING, OutboxState.CANCELLED):
        with pytest.raises(Conflict, match="not unknown"):
            await store.resolve_row(row.id, no_answer, by="Mei", reason="r", now=NOW)
    done = await store.resolve_row(row.id, OutboxState.FAILED, by="Mei", reason="not in the log", now=NOW)
    assert (done.row.state, done.row.result) == (OutboxState.FAILED, "not in the log")
    with pytest.raises(Conflict, match="is failed, not unknown"):
        await store.resolve_row(row.id, OutboxState.SENT, by="Mei", reason="r", now=NOW)


# ------------------------------------------------------------------------------------------------------------------ orders


async def test_facts_from_outside_wake_the_order_and_are_audited(store: Store) -> None:
    await given(store)
    before = await decided(store)
    patch = OrderPatch(received_at=NOW, opted_out=True, vip=True, hold_until=NOW + DAY, waiting_since=NOW, note="rang")
    after = await store.set_order_facts(1, patch, by="Mei", reason="on the phone", now=NOW)
    told = (await dossier(store)).order
    assert (told.received_at, told.opted_out, told.vip, told.hold_until, told.note) == (NOW, True, True, NOW + DAY, "rang")
    assert after.version > before.version
    assert (await store.next_due()).decide == int(NOW.timestamp())
    entry = (await store.audit_of(1))[-1]
    assert (entry.who, entry.what, entry.before["opted_out"], entry.after["opted_out"]) == ("Mei", "order_facts_set", False, True)
    await store.set_order_facts(1, OrderPatch(hold_until=None), by="Mei", reason="", now=NOW)
    assert (await dossier(store)).order.hold_until is None


async def test_refunds_typed_in_add_up_and_keep_their_references(store: Store) -> None:
    await given(store)
    for amount, reference in ((Decimal("10.00"), "A"), (Decimal("20.00"), "B")):
        patch = OrderPatch(refunded=amount, reference=reference)
        await store.set_order_facts(1, patch, by="Mei", reason="", now=NOW)
    paid = (await dossier(store)).order
    assert (paid.refunded_amount, paid.refund_reference) == (Decimal("30.00"), "A, B")
    with pytest.raises(Conflict, match="would exceed"):
        await store.set_order_facts(1, OrderPatch(refunded=Decimal("0.01")), by="Mei", reason="", now=NOW)


async def test_an_order_is_found_by_any_of_its_numbers(store: Store) -> None:
    await given(
        store, order(), order(store="other"), parcel(), parcel("LX002CN", aliases=("YT1",)), parcel("LX003CN", store="other")
    )
    for name in ("shop/8001", "order/shop/8001", "lx002cn", " yt1 ", "shipment/LX001CN"):
        assert (await store.order_ref(name)).store == "shop"
    assert (await store.order_ref("8001", "other")).id == 2
    with pytest.raises(NotUnique, match="shop/8001, other/8001"):
        await store.order_ref("8001")
    with pytest.raises(NotThere, match="in store 'shop'"):
        await store.order_ref("LX003CN", "shop")


async def test_an_open_case_stands_in_the_dossier_until_it_is_closed(store: Store) -> None:
    """D15: a dispute stops outreach."""
    await given(store)
    case = Case(id="INR-1", kind=CaseKind.INQUIRY, opened_at=NOW, due_at=NOW + 3 * DAY)
    await store.save_case(1, case, NOW)
    assert (await dossier(store)).dispute_open
    await store.save_case(1, Case(id="INR-1", kind=CaseKind.INQUIRY, opened_at=NOW, closed_at=NOW + DAY), NOW + DAY)
    assert not (await dossier(store)).dispute_open


async def test_status_counts_what_waits(store: Store) -> None:
    await given(store, order(), order("8002"), parcel(), parcel("LX9CN", "7777"))
    await decided(store, pending(decision(), Channel.SMTP))
    await tasked(store, decision(Intent.STAGE2))
    counts = await store.status(NOW)
    assert (counts.orders, counts.shipments, counts.orphans) == (2, 2, 1)
    assert (counts.due_to_ask, counts.due_to_decide) == (1, 2)
    assert counts.shipments_by_status == {"unknown": 2}
    assert counts.outbox == {"pending": 1, "sent": 1}
    assert counts.tasks == {"open": 1}
    assert counts.daemon_since == NOW
    assert counts.rehearsal
    due = await store.next_due()
    assert due.first == due.dispatch == due.decide == int(NOW.timestamp())
    assert [view.row.intent for view in await store.rows_of(1)] == [Intent.STAGE1, Intent.STAGE2]


async def test_r91_a_buyer_of_several_orders_is_looked_after_with_the_oldest(store: Store) -> None:
    """R91: by mail address or telephone, within a store; a stranger and another store's buyer have their own care."""
    same = {"buyer_email": "ana@mail.example"}
    await given(
        store,
        *(order("1", **same), order("2", **same), order("3", buyer_email="bo@mail.example")),
        *(order("4", store="mall", **same), order("5", **same)),
    )
    for order_id in (1, 2, 3, 4):
        await store.set_order_facts(order_id, OrderPatch(vip=True), by="Lin", reason="", now=NOW)
    told = [(each.order.vip, each.order.vip_with) for each in await store.load_dossiers([1, 2, 3, 4, 5])]
    assert told == [(True, None), (True, "1"), (True, None), (True, None), (False, None)]
    paid_back = OrderPatch(refunded=Decimal(30), reference="R-1")
    await store.set_order_facts(1, paid_back, by="Lin", reason="", now=NOW)
    assert (await dossier(store, 2)).order.vip_with is None, "a courtesy never follows a refund; the next order takes over"
