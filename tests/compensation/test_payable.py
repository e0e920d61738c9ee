"""R86: what the carrier owes. min(loss, basis, cap) + postage; what is not recorded is unknown, never 0."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.compensation.build import POSTED, order, shipment, terms
from tracker.compensation import Known, Payable, payable
from tracker.rates import Month, Rates

D = Decimal
DECLARED = {"declared_value": D("12"), "declared_currency": "USD"}
FREIGHT = {"freight": D("3.20"), "freight_currency": "USD"}


@pytest.mark.parametrize(
    ("rule", "facts", "amount", "arithmetic"),
    [
        ("yanwen-c-in-transit", DECLARED, "0", "these terms pay nothing"),
        ("4px-not-in-warehouse", DECLARED, "12.00", "min(declared 12 USD, cap 100 USD) = 12.00 USD"),
        (
            "4px-not-in-warehouse",
            {"declared_value": D("180"), "declared_currency": "USD"},
            "100.00",
            "min(declared 180 USD, cap 100 USD) = 100.00 USD",
        ),
        (
            "4px-not-in-warehouse",
            {**DECLARED, "share": D("9.90")},
            "9.90",
            "min(declared 12 USD, cap 100 USD, loss 9.90 USD) = 9.90 USD",
        ),
        (
            "4px-pre-scan",
            {"declared_value": D("180"), "declared_currency": "USD", **FREIGHT},
            "103.20",  # the cap does not limit the freight
            "min(declared_plus_freight 180 USD, cap 100 USD) + freight 3.20 USD = 103.20 USD",
        ),
        ("cn-registered-aliexpress-online", {"share": D("9.90")}, None, "payable unknown: no rate between 300 CNY and 9.90 USD"),
        ("cn-epacket-pre-scan", FREIGHT, "9.60", "postage_multiple 6.40 USD + freight 3.20 USD = 9.60 USD"),
        ("upu-registered", FREIGHT, None, "payable unknown: no rate between 3.20 USD and 30 XDR"),
        ("upu-parcel", FREIGHT, None, "payable unknown: the parcel's weight is not recorded"),
        ("upu-insured", FREIGHT, None, "payable unknown: insured value missing"),
        ("dhl-express", FREIGHT, None, "payable unknown: the parcel's weight is not recorded"),
        ("yanwen-c-pre-scan", FREIGHT, None, "payable unknown: declared value missing"),
        ("4px-pre-scan", DECLARED, None, "payable unknown: freight missing"),
        ("yanwen-c-pre-scan", {**DECLARED, **FREIGHT}, None, "payable unknown: no rate between 100 CNY and 12 USD"),
        ("aliexpress-standard", {}, None, "payable unknown: the parcel's share of the order's amount is missing"),
        ("russian-post", {}, None, "payable unknown: no rate between 30 XDR and USD"),
    ],
)
def test_the_arithmetic(rule: str, facts: dict[str, Any], amount: str | None, arithmetic: str) -> None:
    """R86: the number, and how it came about."""
    owed = payable(terms(rule), shipment(**facts), order())
    assert (owed.amount, owed.arithmetic) == (amount and D(amount), arithmetic)


def test_an_item_price_is_the_parcels_share() -> None:
    """D23: of a split order only this parcel's share counts."""
    owed = payable(terms("aliexpress-standard"), shipment(share=D("40")), order(currency="CNY"))
    assert owed == Payable(
        amount=D("40.00"), currency="CNY", arithmetic="min(item_price 40 CNY, cap 800 CNY, loss 40 CNY) = 40.00 CNY"
    )


@pytest.mark.parametrize(("currency", "amount"), [("CLP", "1235"), ("JPY", "1235"), ("USD", "1234.57"), ("BRL", "1234.57")])
def test_rounded_once_to_the_minor_unit(currency: str, amount: str) -> None:
    """R86: CLP and JPY have no decimals; half a cent goes up."""
    capless = replace(terms("usps-pmi"), cap_amount=None, cap_currency=None)
    parcel = shipment(declared_value=D("1234.565"), declared_currency=currency)
    assert payable(capless, parcel, order()).amount == D(amount)


MONEY = st.decimals(min_value=0, max_value=1000, places=2)


@given(declared=MONEY, freight=MONEY, share=MONEY)
def test_never_more_than_any_limit(declared: Decimal, freight: Decimal, share: Decimal) -> None:
    """R86: neither the loss, nor the label, nor the cap is exceeded, freight apart."""
    parcel = shipment(declared_value=declared, declared_currency="USD", freight=freight, freight_currency="USD", share=share)
    owed = payable(terms("4px-pre-scan"), parcel, order()).amount
    assert owed is not None
    assert owed - freight == min(declared, share, D(100))


def test_r86_a_limit_in_xdr_is_asked_for_in_a_currency_that_can_be_paid() -> None:
    """facts/compensation.md 2: XDR is a cap currency only; converted once, at the end, by the month's rate."""
    rates = Rates(months=(Month(id="2026-06", base="CNY", rates={"USD": D("0.14"), "XDR": D("0.10")}),))
    owed = payable(terms("russian-post"), shipment(), order(), Known(rates=rates, on=POSTED.date()))
    assert (owed.amount, owed.currency) == (D("42.00"), "USD")


def test_r86_nothing_is_rounded_before_the_end() -> None:
    """facts/compensation.md 7: 5.0048 EUR and freight of 0.0042 EUR are 5.01, not 5.00."""
    rates = Rates(months=(Month(id="2026-06", base="EUR", rates={"CNY": D("7.10")}),))
    rule = replace(terms("laposte"), refund_postage=True)
    parcel = shipment(freight=D("0.03"), freight_currency="CNY")
    owed = payable(rule, parcel, order(currency=None), Known(weight_kg=D("0.2176"), rates=rates, on=POSTED.date()))
    assert owed.amount == D("5.01")
