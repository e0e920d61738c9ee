"""Layouts of which no sample is at hand: small files of their known columns (facts/file-formats.md section 3), and traps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.intake.conftest import Read
from tests.intake.sheets import SHOPS, book, delimited, rules
from tracker.model import ImportBatch, OrderState

Cells = dict[str, Any]

AMAZON: Cells = {
    "amazon-order-id": "112-9739103-0000002",
    "purchase-date": "2026-09-10T09:15:00+00:00",
    "order-status": "Shipped",
    "fulfillment-channel": "Merchant",
    "product-name": '19" lamp',
    "sku": "LAMP",
    "quantity": "1",
    "currency": "MXN",
    "item-price": "199.00",
    "shipping-price": "",
    "item-promotion-discount": "",
    "ship-country": "MX",
}
EBAY_DE: Cells = {
    "Verkaufsprotokollnummer": "17",
    "Bestellnummer": "23-12345-12345",
    "Nutzername des Käufers": "kaeufer",
    "Name des Käufers": "Jörg Größe",
    "Versand nach Land": "Österreich",
    "Artikelnummer": "220000000009",
    "Angebotstitel": "Lampe",
    "Anzahl": "1",
    "Gesamtbetrag": "EUR 1.090,00",
    "Verkauft am": "10-Dez-25",
    "Zahlungsdatum": "11-Mär-26",
}
EBAY_FR: Cells = {
    "Numéro de vente": "9",
    "Numéro de commande": "05-10000-00009",
    "Pseudo de l’acheteur": "acheteur",
    "Numéro de l'objet": "220000000010",
    "Intitulé de l'objet": "Lampe",
    "Quantité": "1",
    "Vendu pour": "1 234,50 €",
    "Livraison et manutention": "0,00 €",
    "Date de vente": "05-oct.-26",
}
EBAY_UK: Cells = {
    "Sales record number": "5",
    "Order number": "07-10000-00005",
    "Buyer username": "buyer",
    "Post to name": "Ann Example",
    "Post to country": "United Kingdom",
    "Custom label": "LAMP",
    "Postage and packaging": "£0.00",
    "Total price": "£12.50",
    "Sale date": "26-Sept-26",
    "Maximum estimated delivery date": "02-Nov-26",
    "Dispatched on date": "28-Sep-26",
    "Delivery service": "Standard Delivery from outside UK",
    "Tracking number\t": "LV204567891CN",
}
ETSY: Cells = {
    "Sale Date": "09/25/26",
    "Order ID": "3935000001",
    "Buyer User ID": "ann",
    "Full Name": "Ann Example",
    "Date Shipped": "09/27/26",
    "Ship Country": "Germany",
    "Currency": "EUR",
    "Order Value": "82.27",
    "Order Total": "90.00",
    "Status": "Shipped",
}
TIKTOK: Cells = {
    "Order ID": "576460000000000001\t",
    "Order Status": "Shipped",
    "Order Substatus": "In transit",
    "Cancelation/Return Type": "",
    "Quantity": "1",
    "Order Amount": "12.50",
    "Order Refund Amount": "0",
    "Created Time": "09/25/2026 3:04:05 PM\t",
    "Paid Time": "09/25/2026 3:05:00 PM\t",
    "Cancelled Time": "\t",
    "Fulfillment Type": "Fulfillment by seller",
    "Tracking ID": "LV204567891CN\t",
    "Shipping Provider Name": "Yanwen",
    "Recipient": "Ann Example",
    "Country": "United States",
}
SHOPEE: Cells = {
    "ID do pedido": "260901ABCDEF01",
    "Status do pedido": "Enviado",
    "Status da Devolução / Reembolso": "",
    "Data de criação do pedido": "2026-09-01 10:00",
    "Nome do Produto": "Luminária",
    "Quantidade": 1,
    "Total global": 129.9,
    "Número de rastreamento": "LV204567891CN",
}
ERP: Cells = {
    "订单ID": "12-34567-89012",
    "买家邮箱": "x1@members.ebay.example",
    "SKU": "LAMP",
    "发货方式": "燕文航空挂号",
    "跟踪号": "UM305678905YP",
    "销售时间": "2026-09-05 10:00",
    "付款时间": "2026-09-05 10:01",
    "平台账号": "EB-01",
    "扫描时间": "2026-09-06 20:00",
    "收货国家缩写": "RU",
    "收货国家全称": "Russian Federation",
    "退款金额": 0.0,
}
LOGISTICS: Cells = {
    "订单ID": "E000123",
    "跟踪号": "UM305678905YP",
    "收件人": "Ivan",
    "收货国家缩写": "RU",
    "SKU": "LAMP",
    "内件名称": "灯",
    "内件英文名称": "lamp",
}
WMS: Cells = {
    "配货单号": "PH001",
    "订单号": "W0001",
    "电商单号": "8170000000000011",
    "来源平台": "速卖通",
    "来源店铺": "AE-01",
    "收件人姓名": "张三丰",
    "收件人国家": "巴西",
    "发货物流": "燕文航空挂号",
    "物流单号": "UM305678905YP",
}


def table(*rows: Cells, separator: str = ",", encoding: str = "utf-8") -> bytes:
    return delimited(tuple(rows[0]), *(tuple(row.values()) for row in rows), separator=separator, encoding=encoding)


def taken(read: Read, data: bytes, name: str = "orders.csv", **wish: Any) -> ImportBatch:
    batch = read(data, name, rules(*SHOPS), **wish)
    assert [rejected.reason for rejected in batch.rejected] == []
    return batch


@pytest.mark.parametrize(
    ("format_id", "data", "order", "money", "parcels"),
    [
        ("ebay_orders_de", table(EBAY_DE, separator=";"), ("23-12345-12345", "AT"), ("1090.00", "EUR"), []),
        ("ebay_orders_de", table(EBAY_DE, separator=";", encoding="cp1252"), ("23-12345-12345", "AT"), ("1090.00", "EUR"), []),
        ("ebay_orders_fr", table(EBAY_FR, separator=";"), ("05-10000-00009", None), ("1234.50", "EUR"), []),
        ("ebay_orders_uk", table(EBAY_UK), ("07-10000-00005", "GB"), ("12.50", "GBP"), ["LV204567891CN"]),
        ("etsy_sold_orders", table(ETSY), ("3935000001", "DE"), ("90.00", "EUR"), []),
        ("tiktok_shop_orders", table(TIKTOK), ("576460000000000001", "US"), ("12.50", "USD"), ["LV204567891CN"]),
        (
            "shopee_orders_br",
            book(tuple(SHOPEE), tuple(SHOPEE.values())),
            ("260901ABCDEF01", None),
            ("129.90", "BRL"),
            ["LV204567891CN"],
        ),
        ("cn_erp_orders", book(tuple(ERP), tuple(ERP.values())), ("12-34567-89012", "RU"), ("None", None), ["UM305678905YP"]),
        ("cn_wms_pick_list", table(WMS, encoding="gb18030"), ("8170000000000011", "BR"), ("None", None), ["UM305678905YP"]),
    ],
)
def test_a_layout_is_recognised_by_its_known_columns(
    read: Read, format_id: str, data: bytes, order: tuple[str, str | None], money: tuple[str, str | None], parcels: Sequence[str]
) -> None:
    batch = taken(read, data)
    (one,) = batch.orders
    assert batch.format == format_id
    assert (one.number, one.country) == order
    assert (str(one.amount), one.currency) == money
    assert [parcel.number for parcel in batch.shipments] == parcels


def test_months_have_the_names_of_the_sites_language(read: Read) -> None:
    """`10-Dez-25`, `05-oct.-26`, `26-Sept-26`: by locale, never guessed."""
    (german,) = taken(read, table(EBAY_DE, separator=";")).orders
    (french,) = taken(read, table(EBAY_FR, separator=";")).orders
    (british,) = taken(read, table(EBAY_UK)).orders
    found = (german.ordered_at, german.paid_at, french.ordered_at, british.ordered_at, british.promised_at)
    assert found == (
        datetime(2025, 12, 10, 8, tzinfo=UTC),
        datetime(2026, 3, 11, 7, tzinfo=UTC),
        datetime(2026, 10, 5, 7, tzinfo=UTC),
        datetime(2026, 9, 26, 7, tzinfo=UTC),
        datetime(2026, 11, 2, 8, tzinfo=UTC),
    ), "midnight in Los Angeles"


@pytest.mark.parametrize("written", ["05-11-26", "11-Foo-26", "Sep-26-26"])
def test_a_date_of_another_site_rejects_the_row(read: Read, written: str) -> None:
    (rejected,) = read(table(EBAY_UK | {"Sale date": written}), rules=rules(*SHOPS)).rejected
    assert f"'{written}' is not a date" in rejected.reason


def test_item_rows_find_their_order_by_the_sales_record(read: Read) -> None:
    """facts/file-formats.md 2.2: the summary row has the number, the country and the total; the item rows the parcel."""
    item = dict.fromkeys(EBAY_UK, "") | {"Sales record number": "5", "Tracking number\t": "LV204567891CN"}
    batch = taken(read, table(EBAY_UK | {"Tracking number\t": ""}, item, item | {"Tracking number\t": "LX400100119CN"}))
    assert [order.number for order in batch.orders] == ["07-10000-00005"]
    assert [(parcel.order, parcel.number) for parcel in batch.shipments] == [
        ("07-10000-00005", "LV204567891CN"),
        ("07-10000-00005", "LX400100119CN"),
    ]


def test_the_footer_names_the_store_and_is_no_row(read: Read) -> None:
    two = rules(
        *SHOPS, *(SHOPS[1].__class__(id="other", platform="ebay", name="Other", zone="UTC", currency=None, mode=SHOPS[1].mode),)
    )
    data = table(EBAY_UK) + b"\n1,record(s) downloaded, from 26-Sep-26 to 27-Sep-26\nSeller ID : Seller-Test\n"
    batch = read(data, rules=two)
    assert (batch.rows, [order.store for order in batch.orders]) == (1, ["lights-ebay"])
    (rejected,) = read(table(EBAY_UK), rules=two).rejected
    assert "the file does not say which store this is" in rejected.reason


def test_orders_that_amazon_ships_are_skipped(read: Read) -> None:
    """R54: `fulfillment-channel` Amazon."""
    batch = taken(
        read, table(AMAZON, AMAZON | {"amazon-order-id": "112-9739103-0000003", "fulfillment-channel": "Amazon"}, separator="\t")
    )
    assert [order.number for order in batch.orders] == ["112-9739103-0000002"]
    assert batch.warnings == ("skipped: the platform ships this order itself (row 3)",)


def test_orders_that_tiktok_ships_are_skipped(read: Read) -> None:
    """R54."""
    assert taken(read, table(TIKTOK | {"Fulfillment Type": "Fulfillment by TikTok Shop"})).orders == ()


def test_the_row_that_explains_tiktoks_columns_is_no_order(read: Read) -> None:
    explained = dict.fromkeys(TIKTOK, "What this is.") | {"Order ID": "Platform unique order ID."}
    assert taken(read, table(explained, TIKTOK)).rows == 1


def test_prices_of_an_orders_items_are_added_up(read: Read) -> None:
    """A row an item: what the buyer paid is all of them, with shipping, without discounts."""
    further = {"item-price": "1.50", "shipping-price": "10.00", "item-promotion-discount": "-0.50"}
    batch = taken(read, table(AMAZON, AMAZON | further, separator="\t"))
    assert [str(order.amount) for order in batch.orders] == ["210.00"]
    assert batch.warnings == ()


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Pending", OrderState.UNPAID),
        ("Unshipped", OrderState.PAID),
        ("Shipped - Out for Delivery", OrderState.SHIPPED),
        ("Shipped - Delivered to Buyer", OrderState.FINISHED),
        ("Cancelled", OrderState.CANCELLED),
        ("Shipped - Somehow", OrderState.UNKNOWN),
    ],
)
def test_amazons_status_words(read: Read, word: str, state: OrderState) -> None:
    """R29; an unknown word is never read as shipped."""
    assert taken(read, table(AMAZON | {"order-status": word}, separator="\t")).orders[0].state is state


def test_ship_confirm_below_its_template_line(read: Read) -> None:
    """facts/file-formats.md 2.3: TemplateType and a localised line come first; code Other means the carrier's name."""
    lines = (
        "TemplateType=OrderFulfillment\tVersion=2011.1102",
        "Bestellnummer\tPosition\tMenge\tVersanddatum\tCode\tName\tNummer\tVersandart",
        "order-id\torder-item-id\tquantity\tship-date\tcarrier-code\tcarrier-name\ttracking-number\tship-method",
        "112-9739103-0000001\t\t1\t2026-09-12\tOther\tChina Post\tRB123456785CN\t",
        "112-9739103-0000002\t\t1\t2026-09-12\tYanwen\t\tUM305678905YP\t",
    )
    batch = taken(read, "\r\n".join(lines).encode())
    assert batch.format == "amazon_ship_confirm"
    assert [(parcel.service_text, parcel.carrier) for parcel in batch.shipments] == [
        ("China Post", "china_post"),
        ("Yanwen", "yanwen"),
    ]


def test_amazons_orders_report_promises_a_delivery(read: Read) -> None:
    row = {
        "order-id": "503-0000000-0000001",
        "order-item-id": "1",
        "purchase-date": "2026-09-10T09:15:00+09:00",
        "buyer-name": "山田",
        "quantity-purchased": "1",
        "currency": "JPY",
        "item-price": "1990",
        "shipping-price": "210",
        "ship-country": "JP",
        "delivery-end-date": "2026-10-10T00:00:00+09:00",
    }
    batch = taken(read, table(row, separator="\t", encoding="cp932"))
    (order,) = batch.orders
    assert (batch.format, str(order.amount), order.currency, order.buyer_name) == ("amazon_orders_report", "2200", "JPY", "山田")
    assert order.promised_at == datetime(2026, 10, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "state", "refunded"),
    [
        ({"Financial Status": "paid", "Fulfillment Status": "unfulfilled"}, OrderState.PAID, None),
        ({"Financial Status": "pending", "Fulfillment Status": "unfulfilled"}, OrderState.UNPAID, None),
        ({"Financial Status": "paid", "Fulfillment Status": "partial"}, OrderState.SHIPPED, None),
        (
            {"Financial Status": "refunded", "Fulfillment Status": "fulfilled", "Refunded Amount": "20.00"},
            OrderState.CANCELLED,
            "20.00",
        ),
        ({"Financial Status": "paid", "Cancelled at": "2026-09-03 10:00:00 -0300"}, OrderState.CANCELLED, None),
        (
            {"Financial Status": "partially_refunded", "Fulfillment Status": "fulfilled", "Refunded Amount": "5.00"},
            OrderState.SHIPPED,
            "5.00",
        ),
    ],
)
def test_shopify_closes_a_case_by_refund_and_cancellation(
    read: Read, cells: Cells, state: OrderState, refunded: str | None
) -> None:
    """facts/file-formats.md 2.4: Refunded Amount, Cancelled at and Financial Status; the more telling status counts."""
    row = {
        "Name": "#1002",
        "Financial Status": "",
        "Paid at": "2026-09-01 10:00:00 -0300",
        "Fulfillment Status": "",
        "Currency": "USD",
        "Total": "20.00",
        "Lineitem name": "Lamp",
        "Shipping Country": "BR",
        "Refunded Amount": "0.00",
        "Cancelled at": "",
        "Notes": "gift",
        "Note Attributes": "CPF: 39053344705",
    }
    (order,) = taken(read, table(row | cells)).orders
    assert (order.number, order.state) == ("1002", state)
    assert refunded == (None if order.refunded_amount is None else str(order.refunded_amount))
    assert order.tax_number == "39053344705", "the note and the attributes are both looked through"


def test_a_logistics_export_joins_by_tracking_number_alone(read: Read) -> None:
    """facts/file-formats.md section 3: its 订单ID is the ERP's own number; taken for an order it would double the case."""
    batch = taken(read, book(tuple(LOGISTICS), tuple(LOGISTICS.values())))
    assert (batch.format, batch.orders) == ("cn_logistics_export", ())
    assert [(parcel.order, parcel.number, parcel.country) for parcel in batch.shipments] == [(None, "UM305678905YP", "RU")]


def test_the_short_aliexpress_template_has_neither_dates_nor_numbers(read: Read) -> None:
    row = {
        "订单号": "8170000000000055",
        "买家邮箱": "ana@shop.example",
        "产品总金额": "US $15.00",
        "订单金额": "US $17.10",
        "产品信息_（双击单元格展开所有产品信息！）": "【1】Lamp",
        "收货国家": "Brazil",
        "手机": "1",
        "买家选择物流": "AliExpress Standard Shipping",
    }
    batch = taken(read, table(row, encoding="utf-8-sig"))
    assert batch.format == "aliexpress_seller_zh"
    assert (batch.orders[0].buyer_email, batch.orders[0].paid_at, batch.shipments) == ("ana@shop.example", None, ())
