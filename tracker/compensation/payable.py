"""How much a carrier owes: min(actual loss, basis, cap), plus the postage where it is paid back (facts/compensation.md, 2).

`Decimal` throughout, rounded once at the end to the currency's minor unit. Amounts in different currencies are never compared:
without a rate the answer is "unknown", not 0 and not 1:1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec
from babel.numbers import get_currency_precision

from tracker.model import Order, Shipment
from tracker.rules import CompensationRule


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """What can be claimed. `amount` None means unknown, and `arithmetic` says what is missing; else it shows the calculation."""

    amount: Decimal | None
    currency: str | None
    arithmetic: str


class Money(msgspec.Struct, frozen=True):
    """An amount in a currency (ISO 4217, or XDR)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """`12.50 USD`."""
        return f"{self.amount} {self.currency}"


class _UnknownError(Exception):
    """A figure that the calculation needs is not recorded."""


def payable(rule: CompensationRule, shipment: Shipment, order: Order) -> Payable:
    """What the carrier owes for this parcel under `rule`."""
    if rule.basis == "none":
        currency = rule.cap_currency or shipment.declared_currency or order.currency
        return Payable(amount=Decimal(0), currency=currency, arithmetic="these terms pay nothing")
    try:
        return _calculate(rule, shipment, order)
    except _UnknownError as missing:
        return Payable(amount=None, currency=None, arithmetic=f"payable unknown: {missing}")


def _calculate(rule: CompensationRule, shipment: Shipment, order: Order) -> Payable:
    basis = _BASIS[rule.basis](rule, shipment, order)
    terms = [f"{rule.basis} {basis}"]
    cap = _cap(rule)
    if cap is not None:
        terms.append(f"cap {cap}")
        basis = _least(basis, cap)
    loss = _money(shipment.share, order.currency)
    if loss is not None and loss.currency == basis.currency:
        terms.append(f"loss {loss}")
        basis = _least(basis, loss)
    shown = f"min({', '.join(terms)})" if len(terms) > 1 else terms[0]
    total = basis.amount
    if rule.basis == "declared_plus_freight" or rule.refund_postage:
        freight = _freight(shipment)
        total += _same_currency(freight, basis)
        shown += f" + freight {freight}"
    amount = _round(total, basis.currency)
    return Payable(amount=amount, currency=basis.currency, arithmetic=f"{shown} = {amount} {basis.currency}")


def _declared(_rule: CompensationRule, shipment: Shipment, _order: Order) -> Money:
    """The value on the label: a low declaration caps the claim for ever."""
    return _known(_money(shipment.declared_value, shipment.declared_currency), "declared value missing")


def _item_price(_rule: CompensationRule, shipment: Shipment, order: Order) -> Money:
    return _known(_money(shipment.share, order.currency), "the parcel's share of the order's amount is missing")


def _postage(rule: CompensationRule, shipment: Shipment, _order: Order) -> Money:
    freight = _freight(shipment)
    return Money(freight.amount * (rule.multiple or 1), freight.currency)


def _fixed(rule: CompensationRule, _shipment: Shipment, _order: Order) -> Money:
    """A limit per parcel and kilogram: without a recorded weight only a limit per parcel is known."""
    if rule.cap_per_kg is not None:
        raise _UnknownError("the parcel's weight is not recorded")
    return _known(_money(rule.cap_amount, rule.cap_currency), "the terms name no amount")


def _insured(_rule: CompensationRule, _shipment: Shipment, _order: Order) -> Money:
    raise _UnknownError("insured value missing")


_BASIS: Mapping[str, Callable[[CompensationRule, Shipment, Order], Money]] = {
    "declared": _declared,
    "declared_plus_freight": _declared,
    "item_price": _item_price,
    "postage_multiple": _postage,
    "sdr": _fixed,
    "per_kg": _fixed,
    "insured": _insured,
}
BASES = frozenset({"none", *_BASIS})


def _cap(rule: CompensationRule) -> Money | None:
    if rule.basis in {"sdr", "per_kg"}:
        return None
    return _money(rule.cap_amount, rule.cap_currency)


def _freight(shipment: Shipment) -> Money:
    return _known(_money(shipment.freight, shipment.freight_currency), "freight missing")


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _known(money: Money | None, missing: str) -> Money:
    if money is None:
        raise _UnknownError(missing)
    return money


def _same_currency(money: Money, other: Money) -> Decimal:
    if money.currency != other.currency:
        raise _UnknownError(f"no rate between {money} and {other}")
    return money.amount


def _least(one: Money, other: Money) -> Money:
    return one if one.amount <= _same_currency(other, one) else other


def _round(amount: Decimal, currency: str) -> Decimal:
    """To the minor unit: CLP and JPY have none."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP)
