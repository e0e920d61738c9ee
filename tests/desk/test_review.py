"""The review queue: a person decides about money, on the facts he saw, once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.desk.world import NOW, RULES, World
from tracker.desk import Refused, each, review
from tracker.model import HoldReason, Intent, OutboxState, Remedy
from tracker.store import Conflict, NotThere, OrderPatch, OutboxView


async def _decide(
    world: World, row: int, *, approve: bool = True, reason: str = "checked", seen: int | None = None
) -> OutboxView:
    return await review.decide(world.store, row, approve=approve, by="Mei", reason=reason, seen=seen, rules=RULES, now=NOW)


async def test_an_approved_refund_goes_on_under_the_name_of_who_approved_it(world: World) -> None:
    """D11: a person decides; the daemon acts on that word."""
    row = await world.refund(await world.order())
    assert [view.row.id for view in await review.waiting(world.store)] == [row]
    approved = await _decide(world, row, reason="checked")
    assert (approved.row.state, approved.row.approved_by) == (OutboxState.PENDING, "Mei")
    assert await review.waiting(world.store) == []


@pytest.mark.parametrize("approve", [True, False])
@pytest.mark.parametrize("reason", ["", "  "])
async def test_a_decision_without_a_reason_is_refused(world: World, reason: str, *, approve: bool) -> None:
    """The next recommendation, and whoever explains it, read the reason."""
    row = await world.refund(await world.order())
    with pytest.raises(Refused, match="--reason") as refused:
        await _decide(world, row, approve=approve, reason=reason)
    assert refused.value.kind == "missing_reason"
    assert len(await review.waiting(world.store)) == 1


async def test_a_rejection_is_kept_with_its_reason(world: World) -> None:
    order = await world.order()
    rejected = await _decide(world, await world.refund(order), approve=False, reason="buyer agreed to wait")
    assert (rejected.row.state, rejected.rejected) == (OutboxState.CANCELLED, True)
    assert [(entry.who, entry.reason) for entry in await world.store.audit_of(order) if entry.what == "review_rejected"] == [
        ("Mei", "buyer agreed to wait")
    ]


async def test_a_decision_on_facts_that_moved_is_not_taken(world: World) -> None:
    """Operator experience section 8: written with the facts that the person saw, else shown again."""
    order = await world.order()
    row = await world.refund(order)
    [view] = await review.waiting(world.store)
    await world.store.set_order_facts(order, OrderPatch(waiting_since=NOW), by="Lin", reason="", now=NOW)
    with pytest.raises(Conflict, match="have moved since you looked"):
        await _decide(world, row, seen=view.order.version)


async def test_the_same_row_is_decided_once(world: World) -> None:
    row = await world.refund(await world.order())
    await _decide(world, row)
    with pytest.raises(Conflict, match="waits for nobody any more"):
        await _decide(world, row, approve=False, reason="too late")


async def test_approved_refunds_never_exceed_what_was_paid(world: World) -> None:
    """I7."""
    order = await world.order()
    first, second = await world.refund(order, Decimal(8)), await world.refund(order, Decimal(8), "1")
    await _decide(world, first)
    with pytest.raises(Conflict, match=r"would exceed what order lume/A-1 paid: 12\.50"):
        await _decide(world, second)


@pytest.mark.parametrize("remedy", [Remedy.FORWARD, Remedy.WAIT])
async def test_r37_d11_what_is_not_on_offer_cannot_be_chosen(world: World, remedy: Remedy) -> None:
    """R37, D11: what is lost is neither sent on nor waited for; the answer names the ways that are open."""
    offered = {"worth": "12.50", "option_full_refund": "12.50 USD", "option_reship": "goods worth 12.50 USD"}
    row = await world.refund(await world.order(), remedy=Remedy.FULL_REFUND, evidence=offered)
    said: dict[str, Any] = {"by": "Mei", "reason": "agreed", "seen": None, "rules": RULES, "now": NOW}
    with pytest.raises(Refused, match=f"does not offer {remedy.value}: choose --as full_refund, reship$") as refused:
        await review.approve_as(world.store, row, remedy=remedy, **said)
    assert refused.value.kind == "bad_value"
    assert (await world.store.outbox_view(row)).row.state is OutboxState.HELD
    part = await review.approve_as(world.store, row, remedy=Remedy.PARTIAL_REFUND, amount=Decimal(4), **said)
    assert part.row.amount == Decimal(4), "D7: a person may name a part that no rule knows"


async def test_a_held_message_of_a_store_in_mode_approve_waits_here_too(world: World) -> None:
    """D22; what a guard holds is no matter of approval."""
    order = await world.order()
    mine = await world.effect(order, Intent.STAGE1, hold=HoldReason.MESSAGE_NEEDS_APPROVAL)
    guards = await world.effect(order, Intent.STAGE2, hold=HoldReason.FIRST_START)
    assert [view.row.id for view in await review.waiting(world.store)] == [mine]
    with pytest.raises(Conflict, match="tracker hold show"):
        await _decide(world, guards)


async def test_the_nearest_deadline_comes_first_and_stores_can_be_told_apart(world: World) -> None:
    order = await world.order()
    last = await world.effect(order, Intent.STAGE1, hold=HoldReason.MESSAGE_NEEDS_APPROVAL)
    later = await world.effect(order, Intent.STAGE2, hold=HoldReason.MESSAGE_NEEDS_APPROVAL, deadline=NOW + timedelta(days=9))
    soon = await world.effect(order, Intent.STAGE3, hold=HoldReason.MESSAGE_NEEDS_APPROVAL, deadline=NOW + timedelta(days=2))
    assert [view.row.id for view in await review.waiting(world.store)] == [soon, later, last]
    assert await review.waiting(world.store, of_store="other") == []


async def test_one_refused_id_does_not_stop_the_others(world: World) -> None:
    row = await world.refund(await world.order())
    done, missing = await each([row, 999, row], lambda row_id: _decide(world, row_id))
    assert (done.id, done.refused) == (row, None)
    assert missing.view is None
    assert "999" in (missing.refused or "")


async def test_an_unknown_id_is_said(world: World) -> None:
    with pytest.raises(NotThere, match="no outbox row 7"):
        await _decide(world, 7)
