"""Rows to orders and parcels: merging, several parcels, states, services, skips, destroyed and strange values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.intake.conftest import Read
from tests.intake.sheets import ALIEXPRESS, DIANXIAOMI, FORWARDER, OWN, aliexpress, book, delimited, own
from tracker.model import OrderState

DXM = [
    "速卖通",
    "AE-01",
    "8180000000000017",
    "P1",
    "已发货",
    "BR",
    "",
    "",
    17.1,
    "USD",
    "2026-08-20 10:00",
    "2026-08-21 10:00",
    "燕文",
    "UM305678905YP",
]


def dxm(**cells: object) -> list[object]:
    """A row of DIANXIAOMI with some cells changed (by header)."""
    return list((dict(zip(DIANXIAOMI, DXM, strict=True)) | cells).values())


def test_a_row_an_item_is_one_order_and_a_parcel_each(read: Read) -> None:
    rows = [
        dxm(),
        dxm(包裹号="P2", 运单号="RB123456785CN", 订单状态="待发货", 收货人税号="390.533.447-05"),
        dxm(包裹号="P2", 运单号="RB123456785CN", 国家二字码=""),
    ]
    batch = read(book(DIANXIAOMI, *rows))
    assert (batch.rows, len(batch.orders)) == (3, 1)
    assert batch.orders[0].tax_number == "390.533.447-05", "the second row tells what the first left open"
    assert batch.orders[0].state is OrderState.SHIPPED, "one parcel is out"
    assert [parcel.number for parcel in batch.shipments] == ["UM305678905YP", "RB123456785CN"]


def test_rows_that_contradict_each_other_are_told(read: Read) -> None:
    batch = read(book(DIANXIAOMI, dxm(), dxm(订单金额=99.0)))
    assert batch.orders[0].amount == Decimal("17.10")
    assert batch.warnings == ("the rows of order 8180000000000017 differ in amount: the first one counts (row 3)",)


def test_two_orders_in_one_parcel_stay_two_links_of_one_number(read: Read) -> None:
    batch = read(book(DIANXIAOMI, dxm(), dxm(订单号="8180000000000018")))
    assert [(parcel.order, parcel.number) for parcel in batch.shipments] == [
        ("8180000000000017", "UM305678905YP"),
        ("8180000000000018", "UM305678905YP"),
    ]


def test_a_number_of_a_whole_bag_unites_no_parcels(read: Read) -> None:
    def row(system: str, number: str) -> list[object]:
        return ["客户A", system, "燕文", "BAG000012345", number, "", "燕文航空挂号", "智利", "", "", ""]

    batch = read(book(FORWARDER, row("ATR1001", "UM305678905YP"), row("ATR1002", "LV204567891CN")))
    assert [parcel.aliases for parcel in batch.shipments] == [("ATR1001",), ("ATR1002",)]
    assert batch.warnings == (
        "BAG000012345 stands beside several parcels: not taken for a number of any of them (2 rows, first row 2)",
    )


@pytest.mark.parametrize(
    ("tracked", "parcels"),
    [
        ("Yanwen: Economy:UM305678905YP", [("UM305678905YP", "Yanwen: Economy")]),
        ("RB123456785CN", [("RB123456785CN", None)]),
        ("邮政：RB123456785CN\n燕文：UM305678905YP", [("RB123456785CN", "邮政"), ("UM305678905YP", "燕文")]),
        ("邮政:RB123456785CN，LV204567891CN", [("RB123456785CN", "邮政"), ("LV204567891CN", "邮政")]),
        ("", []),
    ],
)
def test_logistics_and_number_are_split_on_the_last_colon(
    read: Read, tracked: str, parcels: list[tuple[str, str | None]]
) -> None:
    batch = read(book(ALIEXPRESS, aliexpress(tracked=tracked)))
    assert [(parcel.number, parcel.service_text) for parcel in batch.shipments] == parcels
    assert len(batch.orders) == 1, "R29: shipped without a number yet is a state of its own"


@pytest.mark.parametrize(
    ("word", "paid", "shipped", "state"),
    [
        ("等待买家付款", "", "", OrderState.UNPAID),
        ("等待您发货", "2026-08-20 03:12", "", OrderState.PAID),
        ("等待您发货", "", "", OrderState.UNPAID),
        ("等待买家收货", "2026-08-20 03:12", "2026-08-24 10:00", OrderState.SHIPPED),
        ("订单结束", "2026-08-20 03:12", "2026-08-24 10:00", OrderState.FINISHED),
        ("订单关闭", "", "", OrderState.CANCELLED),
        ("", "2026-08-20 03:12", "", None),
    ],
)
def test_status_words(read: Read, word: str, paid: str, shipped: str, state: OrderState | None) -> None:
    batch = read(book(ALIEXPRESS, aliexpress(state=word, paid=paid, shipped=shipped)))
    assert batch.orders[0].state is state


def test_an_unknown_status_is_kept_and_told_once_never_read_as_shipped(read: Read) -> None:
    rows = [aliexpress(order=f"81800000000000{at}", state="含纠纷的订单") for at in (17, 18, 19)]
    batch = read(book(ALIEXPRESS, *rows))
    assert [(order.state, order.raw_state) for order in batch.orders] == [(OrderState.UNKNOWN, "含纠纷的订单")] * 3
    assert batch.warnings == ("status '含纠纷的订单' is not known: kept as it is, never read as shipped (3 rows, first row 2)",)


def test_a_changed_number_is_an_alias_and_the_newest_is_asked(read: Read) -> None:
    """facts/file-formats.md 2.8: 转单号 replaces the first number; freight and ship date come along."""
    row = [
        "客户A",
        "ATR26090001",
        "燕文",
        "YW000012345",
        "UM305678905YP",
        "LV204567891CN",
        "燕文航空挂号",
        "智利",
        23.5,
        "CNY",
        "2026-09-02 10:00",
    ]
    batch = read(book(FORWARDER, row, ["客户A", "ATR26090002", "", "", "", "", "", "巴西", "", "CNY", ""]))
    first, second = batch.shipments
    assert (first.number, first.aliases) == ("LV204567891CN", ("UM305678905YP", "YW000012345", "ATR26090001"))
    assert (first.carrier, first.country, first.freight, first.freight_currency) == ("yanwen", "CL", Decimal("23.50"), "CNY")
    assert first.shipped_at == datetime(2026, 9, 2, 2, tzinfo=UTC)
    assert second.number == "ATR26090002"


def test_a_wrong_s10_check_digit_is_a_warning_only(read: Read) -> None:
    batch = read(book(ALIEXPRESS, aliexpress(tracked="RB123456784CN")))
    assert batch.rejected == ()
    assert batch.shipments[0].warnings
    assert "RB123456784CN: the check digit is wrong" in batch.warnings[0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (aliexpress(order=8170000000000011.0), "the spreadsheet destroyed this number"),
        (aliexpress(order="8.17E+15"), "the spreadsheet destroyed this number"),
        (aliexpress(tracked="Yanwen:1.23E+15"), "the spreadsheet destroyed this number"),
        (aliexpress(tracked="邮政:无"), "is not a tracking number"),
        (aliexpress(country="Atlantis"), "'Atlantis' is not a country"),
        (aliexpress(paid="22/08/2026"), "'22/08/2026' is not a date"),
        (aliexpress(amount="viel"), "'viel' is not an amount"),
        (aliexpress(order="", tracked=""), "neither an order number nor a tracking number"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_next_is_taken(read: Read, row: list[object], reason: str) -> None:
    batch = read(book(ALIEXPRESS, row, aliexpress()))
    assert [(rejected.row, reason in rejected.reason) for rejected in batch.rejected] == [(2, True)]
    assert (batch.rows, [order.row for order in batch.orders]) == (2, [3])
    assert batch.rejected[0].cells == tuple(str(cell) for cell in row), "nothing is lost"


def test_native_dates_and_numbers_of_a_workbook(read: Read) -> None:
    row = own(paid=datetime(2026, 8, 20, 8), amount=25.0, order=1001.0)  # noqa: DTZ001 -- a workbook knows no zone
    (order,) = read(book(OWN, row), "orders.xlsx").orders
    assert (order.number, order.paid_at, str(order.amount)) == ("1001", datetime(2026, 8, 20, tzinfo=UTC), "25.00")


def test_the_sellers_own_sheet_carries_the_window_end_and_the_address(read: Read) -> None:
    """R7: no export knows the end of the delivery window; a sheet of the seller's own may."""
    (order,) = read(delimited(OWN, own(window_end="2026-11-20"))).orders
    assert order.window_end == datetime(2026, 11, 19, 16, tzinfo=UTC), "the beginning of that day in the store's zone"
    assert (order.store, order.platform, order.buyer_email) == ("lampshop", "own_shop", "ana@shop.example")


def test_the_sellers_own_sheet_in_chinese(read: Read) -> None:
    header = ("平台", "店铺", "订单号", "国家", "付款时间", "发货时间", "金额", "币种", "运单号", "物流方式", "收货截止")
    row = (
        "eBay",
        "EB-01",
        "12-34567-89012",
        "智利",
        "2026-08-20",
        "2026/8/21",
        "12.5",
        "EUR",
        "UM305678905YP",
        "燕文",
        "2026-11-20",
    )
    batch = read(delimited(header, row, encoding="gb18030"))
    assert (batch.format, batch.rejected) == ("order_sheet", ())
    assert (batch.orders[0].store, batch.orders[0].currency, batch.orders[0].country) == ("lights-ebay", "EUR", "CL")


def test_orders_that_the_platform_ships_are_not_ours(read: Read) -> None:
    """R54."""
    batch = read(delimited((*OWN, "fulfilled by"), [*own(), "Amazon"], [*own(order="1002"), "seller"]))
    assert [order.number for order in batch.orders] == ["1002"]
    assert batch.warnings == ("skipped: the platform ships this order itself (row 2)",)


def test_an_address_that_is_none_and_a_wrong_tax_number_reject_nothing(read: Read) -> None:
    batch = read(delimited((*OWN, "cpf"), [*own(email="ana@shop\nBcc: x"), "390.533.447-06"]))
    (order,) = batch.orders
    assert (order.buyer_email, order.tax_number) == (None, "390.533.447-06")
    assert [warning.split(" (")[0] for warning in batch.warnings] == [
        "an e-mail address that is none was left out",
        "a tax number whose check digits are wrong was kept: ask the buyer for the right one",
    ]


def test_a_channel_nobody_knows_is_kept_raw(read: Read) -> None:
    (parcel,) = read(delimited(OWN, own(service="Pigeon Express", tracking="ABC12345"))).shipments
    assert (parcel.matched, parcel.service_text, parcel.carrier, parcel.capability) == (False, "Pigeon Express", None, None)


def test_the_cut_over_and_the_digest_travel_with_the_batch(read: Read) -> None:
    """D21: aged orders of a first import must not cause messages."""
    cutover = datetime(2026, 9, 1, tzinfo=UTC)
    batch = read(delimited(OWN, own()), cutover=cutover)
    assert (batch.cutover_at, len(batch.digest)) == (cutover, 64)


def test_only_the_table_of_a_workbook_is_read(read: Read) -> None:
    batch = read(book(OWN, own(), extra=[["note"], ["call Ana"]]), "orders.xlsx")
    assert (batch.format, len(batch.orders)) == ("order_sheet", 1)
