"""The register of claims: every loss a line, at once, item and amount (facts/compensation.md section 5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker.config import english, load
from tracker.model import (
    Claim,
    ClaimState,
    Dossier,
    Exchange,
    Mode,
    Order,
    Payment,
    Phase,
    Scan,
    Settlement,
    Shipment,
)
from tracker.rates import Month, Rates
from tracker.reports.register import Source, Total, _joined, net_loss, register_sheet, totals
from tracker.rules import Store

DAY = datetime(2026, 2, 10, 8, tzinfo=UTC)
STORE = Store(id="lume", platform="aliexpress", name="Lume Store", zone="UTC", currency="USD", mode=Mode.LIVE)

LOST = Scan(earliest=DAY, latest=DAY, local_time="2026-02-09T10:00:00", description="Lost", status=TrackingStatus.EXCEPTION)


def _claim(number: str = "RB123456785CN", **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "shipment": number,
        "attempt": 1,
        "state": ClaimState.READY,
        "rule": "china-post-in-transit",
        "phase": Phase.IN_TRANSIT,
        "cause": "carrier_says_lost",
        "earliest_on": date(2026, 2, 10),
        "latest_on": date(2026, 6, 1),
        "payable": Decimal("9.90"),
        "currency": "USD",
        "opened_at": DAY,
    }
    return Claim(**(values | changes))


def _dossier(number: str, *claims: Claim, **order: Any) -> Dossier:
    parcels = tuple(
        Shipment(
            id=1,
            number=claim.shipment,
            carrier="china_post",
            service="registered",
            country="BR",
            shipped_at=DAY - timedelta(days=60),
            declared_value=Decimal("9.90"),
            declared_currency="USD",
            last_scan=LOST,
        )
        for claim in claims
    )
    told = Order(id=1, store="lume", platform="aliexpress", number=number, **order)
    return Dossier(order=told, shipments=parcels, claims=claims)


def _lines(*dossiers: Dossier, month: str | None = None) -> list[dict[str, Any]]:
    sheet = register_sheet(Source(dossiers=dossiers), {"lume": STORE}, english(), month=month)
    titles = [column.title for column in sheet.columns]
    return [dict(zip(titles, row, strict=True)) for row in sheet.rows]


def test_a_loss_is_a_line_with_item_and_amount() -> None:
    """R87: which parcel, which carrier, how much, from when until when it can be filed."""
    [line] = _lines(_dossier("8170000000000011", _claim(), refunded_at=DAY, refunded_amount=Decimal("12.50"), currency="USD"))
    wanted = {
        "claim_no": "RB123456785CN-1",
        "shop": "Lume Store",
        "order_id": "8170000000000011",
        "tracking_no": "RB123456785CN",
        "carrier": "china_post",
        "destination": "BR",
        "shipped_on": date(2025, 12, 12),
        "last_scan_on": "2026-02-09T10:00:00",
        "buyer_outcome": "refund",
        "buyer_amount": Decimal("12.50"),
        "earliest_on": date(2026, 2, 10),
        "latest_on": date(2026, 6, 1),
        "payable": Decimal("9.90"),
        "status": "ready",
    }
    assert {name: line[name] for name in wanted} == wanted


def test_one_parcel_of_two_orders_is_one_claim() -> None:
    """The carrier pays a parcel once: one line, both orders in it, and no amount that would be only one order's."""
    first = _dossier("A-1", _claim(), refunded_at=DAY, refunded_amount=Decimal(5), currency="USD")
    [line] = _lines(first, _dossier("A-2", _claim()))
    assert (line["order_id"], line["buyer_outcome"], line["buyer_amount"]) == ("A-1 A-2", "refund", None)


def test_the_month_is_that_of_the_claim() -> None:
    """Every posting carries the date of its event; what is unknown stays empty, never zero."""
    january = _claim("LX000000007CN", opened_at=DAY - timedelta(days=20), payable=None, currency=None)
    dossier = _dossier("A-1", _claim(), january)
    assert [line["claim_no"] for line in _lines(dossier)] == ["LX000000007CN-1", "RB123456785CN-1"]
    [line] = _lines(dossier, month="2026-01")
    assert (line["claim_no"], line["payable"]) == ("LX000000007CN-1", None)
    assert _lines(dossier, month="2025-12") == []


def test_the_register_speaks_the_operators_language() -> None:
    """Headings and the house's words are Chinese; numbers, names and what the carrier said stay as they are."""
    chinese = load(None, environ={}).languages["zh-CN"]
    claim = _claim(cause="carrier_says_lost")
    sheet = register_sheet(Source(dossiers=[_dossier("A-1", claim)]), {"lume": STORE}, chinese, month="2026-02")
    line = dict(zip((column.title for column in sheet.columns), sheet.rows[0], strict=True))
    assert line["运单号"] == claim.shipment
    assert (line["异常类型"], line["运输环节"], line["买家处理结果"], line["状态"]) == ("丢失", "运输中", "未退款", "可提交")
    assert (line["物流商"], line["最近扫描内容"], line["应赔金额"]) == ("china_post", "Lost", Decimal("9.90"))
    assert len(line) == len(sheet.columns), "no two columns share a heading"
    assert sheet.name == "理赔 2026-02"


def test_what_expired_unfiled_is_added_up_beside_what_may_still_be_filed() -> None:
    """facts/daily-operations.md section 3: "expired unfiled" in plain view, by carrier, never two currencies in one sum."""
    first, second = _claim(payable=Decimal("9.90")), _claim("LX000000001CN", payable=Decimal(5))
    late = _claim("LX000000002CN", state=ClaimState.EXPIRED, payable=Decimal(30), currency="CNY")
    unknown = _claim("LX000000003CN", state=ClaimState.EXPIRED, payable=None, currency=None)
    earlier = _claim("LX000000004CN", opened_at=DAY - timedelta(days=40))
    dossiers = [_dossier("1", first, second), _dossier("2", late, unknown, earlier), _dossier("3", first)]
    assert totals(Source(dossiers=dossiers), month="2026-02") == (
        Total(carrier="china_post", state=ClaimState.EXPIRED, count=2, payable={"CNY": "30"}),
        Total(carrier="china_post", state=ClaimState.READY, count=2, payable={"USD": "14.90"}),
    )
    assert totals(Source(dossiers=[]), month="2026-02") == ()


RATES = Rates(months=(Month(id="2026-02", base="USD", rates={}),))


def _paid(how: Settlement) -> Payment:
    amount = Decimal("5.00")
    same = Exchange(base=amount, into="USD", rate=Decimal(1), month="2026-02", source="x")
    return Payment(on=date(2026, 2, 11), amount=amount, currency="USD", settles=amount, how=how, exchange=same)


def test_d23_the_refund_of_a_split_order_is_the_parcels_share() -> None:
    """D23: two parcels of 30.00 and 20.00, 50.00 paid back: the register holds 50.00 of it, not 100.00."""
    claims = (_claim("RB1", item_cost=Decimal(1), item_cost_currency="USD"), _claim("RB2"))
    known = _dossier("A-1", *claims, refunded_at=DAY, amount=Decimal("50.00"), refunded_amount=Decimal("50.00"), currency="USD")
    parcels = [replace(each, share=share) for each, share in zip(known.shipments, (Decimal(30), Decimal(20)), strict=True)]
    found = _lines(replace(known, shipments=tuple(parcels)))
    assert [line["buyer_amount"] for line in found] == [Decimal(30), Decimal(20)]
    [line, _] = _joined(Source(dossiers=[replace(known, shipments=tuple(parcels))]))
    costly = replace(line, shipment=replace(line.shipment, freight=Decimal(2), freight_currency="USD"))
    assert net_loss(costly, RATES)[0] == Decimal(33)
    assert [line["buyer_amount"] for line in _lines(known)] == [None, None]


def test_r86_a_coupon_is_no_cash_and_money_that_went_back_did_not_come() -> None:
    """facts/compensation.md 5: neither lessens the net loss."""
    known = _dossier("A-1", _claim("RB1", item_cost=Decimal(10), item_cost_currency="USD"))
    [line] = _joined(Source(dossiers=[known]))
    line = replace(line, shipment=replace(line.shipment, freight=Decimal(2), freight_currency="USD"))
    for changes, loss in (
        ({"payments": (_paid(Settlement.CASH),)}, 7),
        ({"payments": (_paid(Settlement.COUPON),)}, 12),
        ({"payments": (_paid(Settlement.CASH),), "reversed_on": date(2026, 2, 20)}, 12),
    ):
        assert net_loss(replace(line, claim=replace(line.claim, **changes)), RATES)[0] == Decimal(loss)
