"""Savings: cash, avoided and seen, estimated, lost; each with its orders, never added up (R4, R7, R8, R86, D6)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import DAY0, day, delivered, dossier, effect, parcel, refund
from tests.store.build import NOW, given
from tracker.clock import FixedClock
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    Claim,
    ClaimState,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    OutboxState,
    Payment,
    Phase,
    Settlement,
    TaskState,
)
from tracker.reports.savings import _once, bounds, items_of, lines, savings
from tracker.store import create, open_store

JUNE = bounds("2026-06")
IN_JUNE = (datetime(2026, 6, 10, tzinfo=UTC) - DAY0).total_seconds() / 86_400
PAID = Decimal("30.00")


def extended(at: float) -> Effect:
    return effect(Intent.EXTENSION, at, kind=ActionKind.EXTENSION, task=TaskState.DONE, occasion="2026-06-20")


def claim(**change: object) -> Claim:
    told = Claim(
        shipment="LP1",
        attempt=1,
        state=ClaimState.DRAFT,
        rule="r",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=date(2026, 5, 1),
        latest_on=date(2026, 6, 12),
        payable=Decimal(20),
        currency="CNY",
        opened_at=DAY0,
    )
    return replace(told, **change)


def told(found: Dossier) -> list[tuple[str, str, Decimal | None, str | None]]:
    return [(each.book, each.kind, each.amount, each.currency) for each in items_of(found, *JUNE)]


COME = delivered(parcel(last=20), IN_JUNE)
PROPOSED = refund(60, state=OutboxState.HELD)
BACK: dict[str, Any] = {"refunded_at": day(62), "refunded_amount": PAID, "refund_reference": "R"}
DONE = refund(61, DecisionReason.NEVER_SCANNED, state=OutboxState.SENT, task=TaskState.DONE)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (dossier(COME), []),
        (dossier(COME, effects=(PROPOSED,)), [("avoided_and_seen", "waited_and_delivered", PAID, "USD")]),
        (dossier(COME, effects=(extended(50),)), [("avoided_and_seen", "extended_and_delivered", PAID, "USD")]),
        (dossier(COME, effects=(extended(IN_JUNE + 1),)), []),  # extended after it came: that saved nothing
        (dossier(COME, effects=(DONE,), **BACK), [
            ("lost", "refunded_and_delivered", PAID, "USD"),
            ("estimated", "refunded_before_a_dispute", PAID, "USD"),
        ]),
        (dossier(parcel(), effects=(DONE,), cases=(Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(50)),), **BACK), []),
        (dossier(parcel(), effects=(DONE,), cases=(Case(id="1", kind=CaseKind.BAD_REVIEW, opened_at=day(50)),), **BACK), [
            ("estimated", "refunded_before_a_dispute", PAID, "USD"),
        ]),
    ],
)  # fmt: skip
def test_r7_r8_what_was_avoided_is_what_was_seen_to_arrive(found: Dossier, expected: list[object]) -> None:
    """A refund before a dispute is only an estimate (D6); what arrived unrefunded is a fact."""
    assert told(found) == expected


def test_r86_money_of_carriers_is_cash_and_a_coupon_is_not() -> None:
    money = Payment(on=date(2026, 6, 3), amount=Decimal(12), currency="USD", settles=Decimal(80), how=Settlement.CASH)
    coupon = replace(money, how=Settlement.COUPON)
    late = replace(money, on=date(2026, 7, 1))
    found = replace(dossier(parcel()), claims=(claim(state=ClaimState.PAID, payments=(money, coupon, late)),))
    assert told(found) == [("cash", "compensation", Decimal(12), "USD"), ("cash", "coupon", Decimal(12), "USD")]


def test_r86_a_window_that_closed_unfiled_is_the_leak() -> None:
    assert told(replace(dossier(parcel()), claims=(claim(state=ClaimState.EXPIRED),))) == [
        ("lost", "expired_unfiled", Decimal(20), "CNY")
    ]
    assert told(replace(dossier(parcel()), claims=(claim(state=ClaimState.EXPIRED, latest_on=date(2026, 5, 31)),))) == []


def test_i5_a_parcel_of_two_orders_is_compensated_once() -> None:
    """I5: one claim, one payment, whichever orders lie in the parcel."""
    seen = set[int]()
    mine = replace(dossier(parcel()), claims=(claim(id=7),))
    assert [len(_once(mine, seen).claims) for _ in range(2)] == [1, 0]


def test_nothing_is_added_up_across_books_kinds_or_currencies() -> None:
    one = list(items_of(dossier(COME, effects=(PROPOSED,)), *JUNE))
    other = [replace(each, currency="BRL", order="8002") for each in one]
    blind = [replace(each, amount=None, order="8003") for each in one]
    found = lines([*one, *one, *other, *blind])
    assert [(each.currency, each.count, each.amount, each.unknown) for each in found] == [
        ("BRL", 1, "30.00", 0),
        ("USD", 3, "60.00", 1),
    ]
    assert found[1].orders == ("jade/8001", "jade/8003")


@pytest.mark.parametrize(("month", "after"), [("2026-11", "2026-12-01"), ("2026-12", "2027-01-01"), ("2028-02", "2028-03-01")])
def test_a_month_ends_where_the_next_begins(month: str, after: str) -> None:
    assert bounds(month)[1].date().isoformat() == after


async def test_r4_what_was_paid_again_is_cash(tmp_path: Path) -> None:
    """R4: a late arrival that the buyer paid again."""
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=False, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW))
    try:
        from tracker.store.rows import OrderPatch

        await given(store)
        await store.set_order_facts(1, OrderPatch(refunded=PAID, reference="R", refunded_at=NOW), by="m", reason="", now=NOW)
        await store.set_order_facts(1, OrderPatch(paid_again=Decimal(10), reference="P"), by="m", reason="", now=NOW)
        (line,) = (await savings(store, f"{NOW:%Y-%m}")).lines
        assert (line.book, line.kind, line.amount, line.orders) == ("cash", "paid_again", "10", ("shop/8001",))
    finally:
        await store.close()
