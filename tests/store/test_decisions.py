"""Decisions by rule, configuration and time; and taking back those of a wrong rule, as far as anybody can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.build import DAY, NOW, decided, decision, given, held, order, parcel, pending, tasked
from tracker.model import Channel, HoldReason, Intent, OutboxState, TaskState
from tracker.store import Store, TaskResult
from tracker.store.decisions import CANCELLED, DROPPED, IN_HAND, REGISTERED, TOLD, DecisionFilter, Withdrawn

ALL = DecisionFilter(store="shop")


async def found(store: Store, **wanted: Any) -> list[str]:
    return [each.view.row.key for each in await store.decisions(DecisionFilter(**wanted), limit=50)]


async def withdraw(store: Store, wanted: DecisionFilter = ALL, *, dry_run: bool = False) -> Withdrawn:
    return await store.withdraw_decisions(wanted, by="Mei", reason="ten days early", now=NOW + DAY, dry_run=dry_run)


async def fates(store: Store) -> dict[Intent, str | None]:
    return {each.view.row.intent: each.fate for each in await store.decisions(ALL, limit=50)}


@pytest.fixture
async def shop(store: Store) -> Store:
    """One decision in every state that people meet."""
    await given(store, order(), order("8002"), parcel(), parcel("LX002CN", "8002"))
    await decided(store, held(decision(Intent.REFUND)), pending(decision(Intent.STAGE1)))
    await decided(store, held(decision(Intent.BUYER_WAITING), HoldReason.RULES_WAIT))
    await tasked(store, decision(Intent.STAGE2), text="Dear Ana,\nyour parcel ...")
    in_hand = await tasked(store, decision(Intent.EXTENSION))
    await store.take_task(in_hand, by="Mei", now=NOW)
    done = await tasked(store, decision(Intent.EXTENDED), text="Dear Ana, your protection ...")
    await store.take_task(done, by="Mei", now=NOW)
    await store.done_task(done, TaskResult(), by="Mei", now=NOW)
    return store


async def test_decisions_are_found_by_every_column(shop: Store) -> None:
    other = decision(Intent.STAGE1, "order/shop/8002", rule="br-standard.stage1")
    await decided(shop, pending(other), order_id=2, now=NOW + 2 * DAY)
    assert await found(shop, since=NOW + DAY) == [other.key]
    assert await found(shop, rule="br-standard") == [other.key], "a family"
    assert await found(shop, rule="br-standard.stage1") == [other.key]
    assert await found(shop, rule="br-stand") == []
    assert await found(shop, intent=Intent.STAGE1) == [other.key, "order/shop/8001:stage1:0"]
    assert len(await found(shop, config="c1")) == len(await found(shop, config="c")) == 7
    assert await found(shop, config="c2") == []
    assert await shop.decisions(DecisionFilter(store="elsewhere"), limit=5) == []
    assert not DecisionFilter().named
    assert DecisionFilter(config="c1").named


async def test_what_nobody_has_seen_is_taken_back_and_the_rest_is_listed(shop: Store) -> None:
    """Pending and held are cancelled, tasks that nobody took dropped; in hand and done stay, with their texts (D17)."""
    done = await withdraw(shop)
    assert (done.cancelled, done.dropped, done.versions) == (3, 1, frozenset({"c1"}))
    assert [(each.view.row.intent, each.fate, each.taken_by, each.text) for each in done.left] == [
        (Intent.EXTENSION, IN_HAND, "Mei", None),
        (Intent.EXTENDED, TOLD, "Mei", "Dear Ana, your protection ..."),
    ]
    after = {each.view.row.intent: each for each in await shop.decisions(ALL, limit=50)}
    for intent in (Intent.REFUND, Intent.STAGE1, Intent.BUYER_WAITING):
        assert (after[intent].view.row.state, after[intent].view.row.hold) == (OutboxState.CANCELLED, None)
        assert not after[intent].view.rejected, "nobody said no: better rules may decide it"
    assert after[Intent.STAGE2].task is TaskState.DROPPED
    again = await withdraw(shop)
    assert (again.cancelled, again.dropped, len(again.left)) == (0, 0, 2), "twice changes nothing"


async def test_the_right_rule_may_decide_it_later(shop: Store) -> None:
    """The slot is free, and the order is looked at again."""
    await withdraw(shop)
    assert 1 in [order_id for _, order_id in await shop.due_dossiers(NOW + DAY, 10)]
    for intent in (Intent.STAGE1, Intent.STAGE2, Intent.REFUND):
        await decided(shop, pending(decision(intent)))
    assert (await fates(shop))[Intent.STAGE1] == (await fates(shop))[Intent.STAGE2] == CANCELLED
    audit = [(line.who, line.what, line.reason) for line in await shop.audit_of(1) if line.who == "Mei" and line.reason]
    assert audit.count(("Mei", "effect_withdrawn", "ten days early")) == 3
    assert audit.count(("Mei", "task_dropped", "ten days early")) == 1


async def test_a_dry_run_says_the_same_and_does_nothing(shop: Store) -> None:
    before = await fates(shop)
    assert before[Intent.STAGE2] == DROPPED
    dry = await withdraw(shop, dry_run=True)
    assert await fates(shop) == before
    assert dry == await withdraw(shop)


async def test_only_what_fits_is_taken_back(shop: Store) -> None:
    done = await withdraw(shop, DecisionFilter(config="c1", intent=Intent.STAGE1))
    assert (done.cancelled, done.dropped, done.left) == (1, 0, ())
    assert (await fates(shop))[Intent.REFUND] == CANCELLED, "it still waits, and could still be taken back"


async def test_a_claim_that_stands_in_the_register_is_listed(store: Store) -> None:
    await given(store)
    await decided(store, pending(decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1"), Channel.REGISTER))
    assert (await fates(store))[Intent.COMPENSATION] == CANCELLED
    [row] = await store.due_rows(NOW, 5)
    assert await store.claim_row(row.id, who="t", version=(await store.load_dossiers([1]))[0].version, now=NOW)
    await store.finish_row(row.id, OutboxState.SENT, NOW)
    assert (await fates(store))[Intent.COMPENSATION] == REGISTERED


async def test_many_are_taken_back_in_several_transactions(store: Store) -> None:
    """400 a transaction: the daemon works beside it."""
    await given(store, *(order(str(number)) for number in range(401)))
    for number in range(401):
        await decided(store, pending(decision(Intent.STAGE1, f"order/shop/{number}", shipment=None)), order_id=number + 1)
    done = await withdraw(store, DecisionFilter(intent=Intent.STAGE1))
    assert done.cancelled == 401
