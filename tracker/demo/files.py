"""The order files of the demo's shops, as a seller has them: the ERP's export for two of them, sheets of the seller's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter

from tracker.demo.cast import Cast, Parcel, Sale

SHANGHAI = ZoneInfo("Asia/Shanghai")

ERP = {"panda-ali": "速卖通", "lotus-ebay": "eBay"}
"""Stores whose orders come out of the ERP (店小秘), with its word for the marketplace."""

_IN_YUAN = "燕文"
"""Whose terms are in yuan: what is declared to them is, too."""

_ERP_HEADERS = (
    "下单时间",
    "付款时间",
    "发货时间",
    "买家姓名",
    "国家二字码",
    "币种缩写",
    "订单金额",
    "包裹号",
    "订单号",
    "订单状态",
    "平台渠道",
    "店铺账号",
    "物流方式",
    "运单号",
)
_SHEET_HEADERS = (
    "order",
    "store",
    "status",
    "buyer",
    "email",
    "country",
    "amount",
    "currency",
    "paid",
    "shipped",
    "window_end",
    "tracking",
    "service",
    "declared value",
    "declared currency",
    "freight",
    "freight currency",
)


def write_erp_export(cast: Cast, path: Path) -> None:
    """The ERP's .xlsx: one row a parcel, text cells throughout (a number would lose digits)."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "in_memory": True}) as book:
        sheet = book.add_worksheet("订单")
        sheet.write_row(0, 0, _ERP_HEADERS)
        rows = ((sale, parcel) for sale, parcel in _pairs(cast) if sale.store in ERP)
        for at, (sale, parcel) in enumerate(rows, start=1):
            for column, cell in enumerate(_erp_row(cast, sale, parcel, at)):
                sheet.write_string(at, column, cell)


def write_own_sheet(cast: Cast, path: Path, *, stores: frozenset[str]) -> None:
    """A sheet of the seller's own (.csv): also carries what the marketplace's page shows, the end of the delivery window."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_SHEET_HEADERS)
        for sale, parcel in _pairs(cast):
            if sale.store in stores:
                writer.writerow(_sheet_row(cast, sale, parcel))


def _pairs(cast: Cast) -> Iterator[tuple[Sale, Parcel]]:
    sales = {sale.number: sale for sale in cast.sale}
    for parcel in cast.parcel:
        for number in parcel.orders:
            yield sales[number], parcel


def _erp_row(cast: Cast, sale: Sale, parcel: Parcel, at: int) -> tuple[str, ...]:
    return (
        _local(cast.at(-1.2)),
        _local(cast.at(-1.1)),
        _local(cast.at(parcel.shipped)),
        sale.buyer,
        sale.country,
        sale.currency,
        str(sale.amount),
        f"DXM{at:06d}",
        sale.number,
        "已发货",
        ERP[sale.store],
        sale.store,
        parcel.service,
        parcel.number,
    )


def _sheet_row(cast: Cast, sale: Sale, parcel: Parcel) -> tuple[str, ...]:
    return (
        sale.number,
        sale.store,
        "shipped",
        sale.buyer,
        sale.email or "",
        sale.country,
        str(sale.amount),
        sale.currency,
        _local(cast.at(-1.1)),
        _local(cast.at(parcel.shipped)),
        _local(cast.at(sale.window)) if sale.window is not None else "",
        parcel.number,
        parcel.service,
        *_value(sale, parcel),
    )


def _value(sale: Sale, parcel: Parcel) -> tuple[str, str, str, str]:
    """Declared value and freight, with their currencies: what a claim can be worth."""
    if parcel.service.startswith(_IN_YUAN):
        return str((sale.amount * 4).quantize(Decimal("0.01"))), "CNY", "23.50", "CNY"
    return str((sale.amount / 2).quantize(Decimal("0.01"))), "USD", "3.30", "USD"


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
