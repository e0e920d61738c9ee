"""Doubtful sends are settled by people and never sent again; holds are released, approvals are not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.world import NOW, World
from tracker.desk import Refused, effects
from tracker.model import HoldReason, Intent, OutboxState
from tracker.store import Conflict


async def test_a_doubtful_send_is_settled_once_with_how_one_knows(world: World) -> None:
    """Promise 1: a doubtful send is shown to a person, never repeated."""
    row = await world.doubtful(await world.order())
    with pytest.raises(Refused, match="how you know"):
        await effects.resolve(world.store, row, to="sent", by="Mei", reason="", now=NOW)
    settled = await effects.resolve(world.store, row, to="sent", by="Mei", reason="the buyer answered it", now=NOW)
    assert settled.row.state is OutboxState.SENT
    with pytest.raises(Conflict, match="not unknown"):
        await effects.resolve(world.store, row, to="failed", by="Mei", reason="changed my mind", now=NOW)
    assert await world.store.due_rows(NOW + timedelta(days=99), 10) == []


async def test_a_released_row_goes_on_and_an_approval_is_not_a_release(world: World) -> None:
    """D22: first start holds what was due before; money wants more than a release."""
    order = await world.order()
    held = await world.effect(order, Intent.STAGE1, hold=HoldReason.FIRST_START)
    money = await world.refund(order)
    assert [view.row.id for view in await effects.held(world.store)] == [held]
    assert await effects.held(world.store, of_store="other") == []
    released = await effects.release(world.store, held, by="Mei", reason="", now=NOW)
    assert released.row.state is OutboxState.PENDING
    with pytest.raises(Conflict, match="tracker review show"):
        await effects.release(world.store, money, by="Mei", reason="", now=NOW)


async def test_the_outbox_is_listed_by_state_and_store_newest_first(world: World) -> None:
    order = await world.order()
    first, second = await world.effect(order, Intent.STAGE1), await world.doubtful(order, Intent.STAGE2)
    assert [view.row.id for view in await effects.listed(world.store)] == [second, first]
    assert [view.row.id for view in await effects.listed(world.store, states=[OutboxState.UNKNOWN])] == [second]
    assert [view.row.id for view in await effects.listed(world.store, of_store="lume", limit=1)] == [second]
    assert await effects.listed(world.store, of_store="other") == []
