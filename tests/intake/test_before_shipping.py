"""What a file tells of an order before it travels: payment, last day to ship, address, goods (R15, R32, R46, R54, R60, R86)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.intake.conftest import Read
from tests.intake.sheets import delimited, rules
from tests.intake.sheets import store as shop
from tracker import config
from tracker.intake.profiles import Field, Formats
from tracker.model import OrderItem
from tracker.store.opening import Store

SHEET = (
    *("order", "platform", "store", "country", "paid", "payment", "ship by"),
    *("phone", "address", "city", "zip", "sku", "product", "qty", "unit price", "currency"),
)
ROW: dict[str, object] = {
    "order": "A-1",
    "platform": "独立站",
    "store": "lampshop",
    "country": "BR",
    "paid": "2026-09-01",
    "payment": "Boleto Bancário",
    "ship by": "2026-09-04",
    "phone": "+55 11 91234-5678",
    "address": "Rua das Flores 12",
    "city": "São Paulo",
    "zip": "01310-100",
    "sku": "LAMP-1",
    "product": "Lamp",
    "qty": "2",
    "unit price": "7.50",
    "currency": "USD",
}


def sheet(*rows: Mapping[str, object]) -> bytes:
    return delimited(SHEET, *[list((ROW | dict(row)).values()) for row in rows])


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Boleto Bancário", "boleto"),
        ("EBANX101", "boleto"),
        ("PayPal Express Checkout", "paypal"),
        ("Credit card", "card"),
        ("Bank transfer (SEPA)", "bank_transfer"),
        ("Lemon Way", "lemon way"),
        ("Lemon Way (ana.silva@example.com)", "lemon way"),  # no personal data in a dossier
        ("Elo **** 4242", "elo"),
        ("4111-1111-1111-4242", None),
        ("", None),
    ],
)
def test_r15_r32_a_payment_is_one_word(read: Read, said: str, word: str | None) -> None:
    """R15, R32: as the policy knows it; what nobody knows stays as it is written."""
    assert read(sheet({"payment": said})).orders[0].payment == word


def test_r60_the_last_day_to_ship_is_read_in_the_zone_of_the_store(read: Read) -> None:
    """R60, D9."""
    assert read(sheet({})).orders[0].ship_by == datetime(2026, 9, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, ()),
        ({"phone": ""}, ("missing_phone",)),
        ({"address": "", "city": "-"}, ("missing_address", "missing_city")),
        ({"zip": ""}, ("missing_postcode",)),
        ({"zip": "", "country": "HK"}, ()),  # no postal codes there
        ({"zip": "1310"}, ("bad_postcode",)),
        ({"zip": "01310-100", "country": "GB"}, ("bad_postcode",)),
        ({"zip": "SW1A 1AA", "country": "GB"}, ()),
        ({"zip": 10115.0, "country": "DE"}, ()),
        ({"phone": "12345"}, ("bad_phone",)),
        ({"phone": "00000000000"}, ("bad_phone",)),
        ({"phone": "+55 11 9****-5678"}, None),  # the marketplace masks it
        ({"phone": "", "address": "", "city": "", "zip": ""}, None),
    ],
)
def test_r46_what_an_address_lacks(read: Read, change: dict[str, object], problems: tuple[str, ...] | None) -> None:
    """R46: words only, nothing of the address itself; a row without an address says nothing."""
    whole = {"order": "A-2"}
    first = next(each for each in read(sheet(change, whole)).orders if each.number == "A-1")
    assert first.address_problems == problems


def test_r46_a_column_that_is_empty_throughout_says_nothing(read: Read) -> None:
    """R46, D17: a marketplace that never tells the telephone would make a task of every order."""
    batch = read(sheet({"phone": ""}, {"order": "A-2", "phone": ""}))
    assert [each.address_problems for each in batch.orders] == [(), ()]


def test_r86_the_goods_of_an_order_in_the_order_of_the_file(read: Read) -> None:
    """R86: a row an item; what is no count of pieces is one."""
    rows: tuple[dict[str, object], ...] = (
        {},
        {"sku": "CAP", "product": "Cap", "qty": "many", "unit price": ""},
        {"sku": "", "product": ""},
    )
    [order] = read(sheet(*rows)).orders
    assert order.items == (
        OrderItem(sku="LAMP-1", title="Lamp", quantity=2, price=Decimal("7.50"), currency="USD"),
        OrderItem(sku="CAP", title="Cap"),
    )


@pytest.mark.parametrize(
    "format_id",
    ["dianxiaomi_orders", "amazon_unshipped_orders", "amazon_all_orders", "amazon_orders_report", "tiktok_shop_orders"],
)
def test_r54_every_layout_that_tells_who_ships_knows_the_platforms_words(formats: Formats, format_id: str) -> None:
    """R54: Amazon's AFN, TikTok's and the ERP's own words; `tests/intake/test_every_layout.py` reads a file of each."""
    one = formats.by_id(format_id)
    assert one is not None
    assert one.columns[Field.FULFILLED_BY]
    assert {"amazon_": "afn", "dianxia": "fba", "tiktok_": "fbt"}[format_id[:7]] in one.platform_fulfilled


def test_r54_of_a_sellers_own_sheet_too(read: Read) -> None:
    """R54: only what he ships himself is followed."""
    header = (*SHEET, "fulfilled by")
    batch = read(delimited(header, [*ROW.values(), "FBA"], [*(ROW | {"order": "A-2"}).values(), "me"]))
    assert [each.number for each in batch.orders] == ["A-2"]
    assert "the platform ships this order itself" in " ".join(batch.warnings)


def test_r54_an_amazon_file_with_both_kinds_keeps_the_sellers_own(read: Read) -> None:
    """R54: AFN is Amazon's, MFN the seller's; R86: its goods."""
    row = {
        "amazon-order-id": "112-1",
        "purchase-date": "2026-09-01T10:00:00+00:00",
        "order-status": "Unshipped",
        "fulfillment-channel": "Amazon",
        "sku": "S",
        "asin": "B0",
        "quantity": "1",
        "currency": "USD",
        "item-price": "10",
        "item-status": "Unshipped",
        "product-name": "Lamp",
        "sales-channel": "Amazon.com",
        "ship-country": "US",
    }
    mine = row | {"amazon-order-id": "112-2", "fulfillment-channel": "Merchant"}
    data = delimited(tuple(row), list(row.values()), list(mine.values()), separator="\t")
    batch = read(data, name="orders.txt", rules=rules(shop("us", "amazon")))
    assert [each.number for each in batch.orders] == ["112-2"]
    assert batch.orders[0].items == (OrderItem(sku="S", title="Lamp"),)


async def test_saved_facts_reach_the_dossier_and_a_file_takes_its_own_word_back(read: Read, store: Store) -> None:
    """R15, R46, R60, R86: the address that was mended is no problem any more; the goods are found by order."""
    now = datetime(2026, 9, 2, tzinfo=UTC)

    async def import_(*rows: Mapping[str, object]) -> Any:
        await store.save_import(read(sheet(*rows, {"order": "A-2"})), now)
        found = await store.order_ref("A-1")
        [dossier] = await store.load_dossiers([found.id])
        return dossier.order, (await store.items_of([found.id]))[found.id]

    order, items = await import_({"phone": ""})
    assert (order.payment, order.address_problems) == ("boleto", ("missing_phone",))
    assert order.ship_by == datetime(2026, 9, 3, 16, tzinfo=UTC)
    assert [each.sku for each in items] == ["LAMP-1"]
    order, items = await import_({"sku": "LAMP-2"}, {"sku": "CAP"})
    assert order.address_problems == ()
    assert order.buyer_phone == "+55 11 91234-5678"
    assert [each.sku for each in items] == ["LAMP-2", "CAP"]
    assert await store.items_of([]) == {}


def test_every_word_for_a_payment_is_known_to_the_policy(formats: Formats) -> None:
    """R15: what [preparing] calls delayed is what files are folded to."""
    delayed = config.load(None, environ={}).rules.preparing.delayed_payments
    assert delayed <= formats.payments.keys()
