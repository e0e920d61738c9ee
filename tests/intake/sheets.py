"""Files written for one test: workbooks and delimited text of given rows, and what the seller has configured."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from tracker.model import Capability, Channel, Intent, Mode, Phase
from tracker.rules import (
    CompensationRule,
    Extension,
    Manners,
    Marketplace,
    Profile,
    Rules,
    Service,
    Silence,
    Store,
    Timing,
    Untrackable,
)

Row = Sequence[Any]

ALIEXPRESS: tuple[str, ...] = (
    *("订单号", "订单状态", "买家名称", "下单时间", "付款时间", "订单金额", "产品信息\n（双击单元格展开所有产品信息！）"),
    *("订单备注", "收货国家", "实际发货物流:运单号", "发货时间"),
)
DIANXIAOMI: tuple[str, ...] = (
    *("平台渠道", "店铺账号", "订单号", "包裹号", "订单状态", "国家二字码", "收货人国家", "收货人税号", "订单金额", "币种缩写"),
    *("付款时间", "发货时间", "物流方式", "运单号"),
)
FORWARDER = ("客户", "系统单号", "服务商", "服务商单号", "运单号", "转单号", "渠道", "收件国家", "运费", "币种", "发货时间")
OWN = ("order", "store", "country", "paid", "shipped", "amount", "currency", "email", "window_end", "tracking", "service")


def aliexpress(**cells: Any) -> list[Any]:
    """A row of ALIEXPRESS: a shipped order to Brazil, with the given cells changed (by short names)."""
    row = {
        "order": "8180000000000017",
        "state": "等待买家收货",
        "buyer": "Ana Teste",
        "ordered": "2026-08-20 03:11",
        "paid": "2026-08-20 03:12",
        "amount": "US $17.10",
        "product": "【1】Lamp",
        "remark": "",
        "country": "Brazil",
        "tracked": "China Post Registered Air Mail:RB123456785CN",
        "shipped": "2026-08-24 10:00",
    }
    return list((row | cells).values())


def own(**cells: Any) -> list[Any]:
    """A row of OWN: a paid and shipped order of the own shop, with the given cells changed."""
    row = {
        "order": "1001",
        "store": "lampshop",
        "country": "BR",
        "paid": "2026-08-20 08:00",
        "shipped": "2026-08-21 08:00",
        "amount": "25.00",
        "currency": "USD",
        "email": "ana@shop.example",
        "window_end": "",
        "tracking": "RB123456785CN",
        "service": "China Post registered",
    }
    return list((row | cells).values())


def book(*rows: Row, name: str = "Sheet1", extra: Sequence[Row] = ()) -> bytes:
    """An .xlsx of the rows: text as text, numbers as numbers, datetimes as dates; `extra` fills a second sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        date = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for title, lines in ((name, rows), ("Notes", extra)):
            sheet = workbook.add_worksheet(title)
            for at, row in enumerate(lines):
                for column, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(at, column, value, date)
                    elif isinstance(value, str):
                        sheet.write_string(at, column, value)
                    else:
                        sheet.write_number(at, column, value)
    return out.getvalue()


def delimited(*rows: Row, separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Text of the rows; cells that hold the separator, quotes or line breaks are quoted (not with TAB)."""
    return ("\r\n".join(separator.join(_quoted(str(cell), separator) for cell in row) for row in rows) + "\r\n").encode(encoding)


def _quoted(cell: str, separator: str) -> str:
    if separator == "\t" or not set(cell) & {separator, '"', "\n", "\r"}:
        return cell
    return '"' + cell.replace('"', '""') + '"'


def store(
    id_: str,
    platform: str,
    *,
    names: tuple[str, ...] = (),
    currency: str | None = "USD",
    zone: str = "Asia/Shanghai",
    country: str | None = None,
) -> Store:
    """A configured store; `country` is where its orders go that do not say it."""
    return Store(
        id=id_,
        platform=platform,
        name=id_.title(),
        zone=zone,
        currency=currency,
        mode=Mode.LIVE,
        names=names,
        default_country=country,
    )


# A seller of many platforms, one shop on each.
SHOPS = (
    store("lights", "aliexpress", names=("AE-01",)),
    store("lights-ebay", "ebay", names=("EB-01", "seller-test"), currency=None, zone="America/Los_Angeles"),
    store("lights-amazon", "amazon", currency=None, zone="UTC"),
    store("lampshop", "shopify"),
    store("lamps", "woocommerce", currency="MXN", zone="America/Mexico_City"),
    store("luzes", "mercadolibre"),
    store("crafts", "etsy", zone="America/New_York"),
    store("clips", "tiktok"),
    store("luzes-shopee", "shopee"),
)


def rules(*stores: Store) -> Rules:
    """What the seller has configured; without stores: one of each of three platforms."""
    none_of_it = Extension(mode="none", trigger_days=0, days=(), max_extensions=0)
    places = [("aliexpress", ("速卖通",)), ("ebay", ("eBay",)), ("own_shop", ("独立站",)), ("amazon", ("亚马逊",))]
    listed = stores or (
        store("lights", "aliexpress", names=("AE-01",)),
        store("lights-ebay", "ebay", names=("EB-01",)),
        store("lampshop", "own_shop"),
    )
    silence = Silence(watch=10, investigate=20, probable_loss=40)
    stages = {Intent.STAGE1: 30, Intent.STAGE2: 45, Intent.STAGE3: 60}
    return Rules(
        version="test",
        profiles=(),
        fallback=Profile(
            id="*",
            country="*",
            service="standard",
            p50=20,
            p90=40,
            p99=60,
            promise_days=45,
            guarantee_days=60,
            stages=stages,
            silence=silence,
        ),
        untrackable=Untrackable(
            pre_scan_task_biz=5,
            pre_scan_verdict_biz=10,
            two_sources_answers=3,
            two_sources_days=3,
            one_source_answers=5,
            one_source_days=7,
            fresh_not_found_hours=48,
        ),
        seasons=(),
        services=(
            _service("yanwen", r"燕文|yanwen", "yanwen", Capability.END_TO_END),
            _service("china-post", r"china post|邮政", "china_post", None),
            _service("4px", r"递四方|4px", "4px", Capability.ARRIVAL_AND_DELIVERY),
        ),
        marketplaces={
            id_: Marketplace(
                id=id_, names=names, channel=Channel.TASK, own_shop=id_ == "own_shop", zone="UTC", extension=none_of_it
            )
            for id_, names in places
        },
        stores={each.id: each for each in listed},
        compensation=(),
        compensation_default=CompensationRule(id="default", carriers=(), phase=Phase.ANY, clock="posting", earliest_days=1),
        timing=Timing(),
        manners=Manners(),
    )


def _service(id_: str, pattern: str, carrier: str, capability: Capability | None) -> Service:
    return Service(id=id_, patterns=(re.compile(pattern),), carrier=carrier, service="standard", capability=capability)
