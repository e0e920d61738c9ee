"""A late arrival that the buyer pays again is counted as recovered (R4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.desk.world import NOW, World
from tracker.desk import Refused, orders
from tracker.store import Conflict, OrderPatch, Store


async def _refunded(store: Store) -> int:
    order = await World(store).order("A-1", "LP1")
    await orders.tell(store, "A-1", OrderPatch(refunded=Decimal("12.50"), reference="R-1"), by="Mei", reason=None, now=NOW)
    return order


async def _again(store: Store, amount: str, reference: str = "P-1") -> None:
    patch = OrderPatch(paid_again=Decimal(amount), reference=reference)
    await orders.tell(store, "A-1", patch, by="Mei", reason="paid by the platform's link", now=NOW)


async def test_r4_what_is_paid_again_is_recovered(store: Store) -> None:
    """R4: with its reference, in the order's currency; the refund itself stays what it was."""
    order = await _refunded(store)
    await _again(store, "10")
    [found] = await store.recoveries(NOW, NOW + timedelta(days=1))
    assert (found.order, found.amount, found.currency, found.reference, found.by) == ("A-1", Decimal(10), "USD", "P-1", "Mei")
    [dossier] = await store.load_dossiers([order])
    assert dossier.order.refunded_amount == Decimal("12.50")
    assert "paid_again" in {each.what for each in await store.audit_of(order)}
    assert await store.recoveries(NOW - timedelta(days=1), NOW) == []


async def test_r4_the_same_payment_twice_counts_once(store: Store) -> None:
    await _refunded(store)
    await _again(store, "10")
    await _again(store, "10")
    assert len(await store.recoveries(NOW, NOW + timedelta(days=1))) == 1


async def test_r4_no_more_comes_back_than_was_refunded(store: Store) -> None:
    await _refunded(store)
    await _again(store, "10")
    with pytest.raises(Conflict, match="more than is left"):
        await _again(store, "2.51", "P-2")
    await _again(store, "2.50", "P-2")


async def test_r4_nothing_comes_back_that_was_not_refunded(store: Store) -> None:
    await World(store).order("A-1", "LP1")
    with pytest.raises(Conflict, match="Nothing was refunded"):
        await _again(store, "10")


@pytest.mark.parametrize(
    "patch",
    [
        OrderPatch(paid_again=Decimal(5)),
        OrderPatch(paid_again=Decimal(0), reference="P-1"),
        OrderPatch(paid_again=Decimal(5), refunded=Decimal(5), reference="P-1"),
    ],
    ids=["no-reference", "nothing", "both"],
)
async def test_what_cannot_be_is_refused(store: Store, patch: OrderPatch) -> None:
    await _refunded(store)
    with pytest.raises(Refused):
        await orders.tell(store, "A-1", patch, by="Mei", reason=None, now=NOW)
