"""Facts from outside: what a clerk did in the marketplace's own pages, and no file tells."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.desk.world import NOW, World
from tracker.desk import Refused
from tracker.desk.orders import tell
from tracker.intake.taxes import valid
from tracker.model import Intent, Order
from tracker.store import Conflict, NotThere, NotUnique, OrderPatch

TAX = partial(valid, kinds={"BR": ("cpf", "cnpj")})
LADDER = {Intent.STAGE1: 40, Intent.STAGE2: 55, Intent.STAGE3: 70}


async def _told(world: World, order: int, **patch: Any) -> Order:
    await tell(world.store, "A-1", OrderPatch(**patch), by="Mei", reason="seen on the order's page", now=NOW, tax=TAX)
    [dossier] = await world.store.load_dossiers([order])
    return dossier.order


async def test_a_refund_made_by_hand_is_a_fact_with_its_reference(world: World) -> None:
    """Daily operations section 1; the dossier is decided again at once, on a newer version of its facts."""
    order = await world.order()
    before = (await world.store.order_ref("A-1")).version
    told = await _told(world, order, refunded=Decimal("12.50"), reference="R-1")
    assert (told.refunded_amount, told.refund_reference, told.refunded_at) == (Decimal("12.50"), "R-1", NOW)
    assert (await world.store.order_ref("A-1")).version > before
    assert (order in [due for _, due in await world.store.due_dossiers(NOW, 10)]) is True


@pytest.mark.parametrize(
    ("patch", "fact", "value"),
    [
        ({"received_at": NOW - timedelta(days=1)}, "received_at", NOW - timedelta(days=1)),
        ({"hold_until": NOW + timedelta(days=3)}, "hold_until", NOW + timedelta(days=3)),
        ({"opted_out": True}, "opted_out", True),
        ({"vip": True}, "vip", True),
        ({"note": "asked for the blue one"}, "note", "asked for the blue one"),
        ({"waiting_since": NOW}, "waiting_since", NOW),
        ({"payment": "boleto"}, "payment", "boleto"),
        ({"tax_number": "390.533.447-05"}, "tax_number_known", True),
        ({"ship_by": NOW + timedelta(days=2)}, "ship_by", NOW + timedelta(days=2)),
        ({"confirmed_at": NOW}, "confirmed_at", NOW),
        ({"unread_since": NOW}, "unread_since", NOW),
        ({"reviewed_at": NOW}, "reviewed_at", NOW),
        ({"risky": True}, "risky", True),
        ({"stages": LADDER}, "stages", LADDER),
    ],
)
async def test_every_fact_is_kept(world: World, patch: dict[str, Any], fact: str, value: object) -> None:
    """R15, R16, R25, R49, R60, R61 among them; of the tax number the dossier learns only that it is there."""
    assert getattr(await _told(world, await world.order(), **patch), fact) == value


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ({}, "nothing_told"),
        ({"refunded": Decimal(5)}, "missing_value"),
        ({"reference": "R-1"}, "unexpected_value"),
        ({"refunded": Decimal(-5), "reference": "R-1"}, "bad_value"),
        ({"refunded": Decimal("Infinity"), "reference": "R-1"}, "bad_value"),
        ({"received_at": NOW + timedelta(days=1)}, "bad_value"),
        ({"hold_until": NOW}, "bad_value"),
        ({"confirmed_at": NOW + timedelta(days=1)}, "bad_value"),
        ({"reviewed_at": NOW + timedelta(days=1)}, "bad_value"),
        ({"stages": {Intent.STAGE1: 40, Intent.STAGE2: 40}}, "bad_value"),
        ({"stages": {Intent.STAGE1: 0, Intent.STAGE2: 40}}, "bad_value"),
        ({"stages": {}}, "bad_value"),
        ({"waiting_since": NOW + timedelta(hours=1)}, "bad_value"),
        ({"ship_by": NOW + timedelta(days=366)}, "bad_value"),
        ({"ship_by": NOW - timedelta(days=366)}, "bad_value"),
        ({"tax_number": "390.533.447-06"}, "bad_value"),
        ({"tax_number": "12345"}, "bad_value"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, patch: dict[str, Any], kind: str) -> None:
    with pytest.raises(Refused) as refused:
        await _told(world, await world.order(), **patch)
    assert refused.value.kind == kind


async def test_a_second_refund_beyond_what_was_paid_is_refused(world: World) -> None:
    """I7."""
    order = await world.order()
    await _told(world, order, refunded=Decimal(10), reference="R-1")
    with pytest.raises(Conflict, match="exceed"):
        await _told(world, order, refunded=Decimal(10), reference="R-2")


async def test_an_order_is_found_by_number_or_parcel_and_must_be_one(world: World) -> None:
    await world.order("A-1", "RB123456785CN")
    await world.order("A-2", "RB123456785CN")
    await tell(world.store, "lume/A-2", OrderPatch(vip=True), by="Mei", reason=None, now=NOW)
    with pytest.raises(NotUnique, match="lume/A-1, lume/A-2"):
        await tell(world.store, "RB123456785CN", OrderPatch(vip=True), by="Mei", reason=None, now=NOW)
    with pytest.raises(NotThere, match="'nobody'"):
        await tell(world.store, "nobody", OrderPatch(vip=True), by="Mei", reason=None, now=NOW)


@pytest.mark.parametrize("days", [pytest.param(-365, id="last year"), pytest.param(2_000, id="a year mistyped")])
async def test_an_end_of_the_window_that_cannot_be_wants_force(world: World, days: int) -> None:
    """R7: such an end would raise, or silence, every deadline of the order."""
    order, end = await world.order(), NOW + timedelta(days=days)
    with pytest.raises(Refused, match="is the year right"):
        await _told(world, order, window_end=end)
    told = await tell(world.store, "A-1", OrderPatch(window_end=end), by="Mei", reason=None, now=NOW, force=True)
    [dossier] = await world.store.load_dossiers([told.id])
    assert dossier.order.window is not None
    assert dossier.order.window.end == end
    yesterday = NOW - timedelta(days=1)
    window = (await _told(world, order, window_end=yesterday)).window
    assert window is not None
    assert window.end == yesterday


@pytest.mark.parametrize("number", ["1234567", "no number"])
async def test_r16_a_tax_number_of_another_country_has_digits_and_a_length(world: World, number: str) -> None:
    order = await world.order(country="DE")
    with pytest.raises(Refused, match="8 characters at least"):
        await _told(world, order, tax_number=number)
    assert (await _told(world, order, tax_number="DE12345678")).tax_number_known is True
