"""How much a carrier owes: min(actual loss, basis, cap), plus the postage where it is paid back (facts/compensation.md, 2).

`Decimal` throughout, rounded once at the end to the currency's minor unit. Amounts in different currencies are never compared:
without a rate the answer is "unknown", not 0 and not 1:1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from tracker.compensation.exchange import converted, rounded
from tracker.model import Order, Shipment
from tracker.rates import Rates
from tracker.rules import CompensationRule


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """What can be claimed. `amount` None means unknown, and `arithmetic` says what is missing; else it shows the calculation."""

    amount: Decimal | None
    currency: str | None
    arithmetic: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a person knows of the parcel beside its files (weight in kg, insured value), and by which month's rates to convert.

    Without `on` nothing is converted.
    """

    weight_kg: Decimal | None = None
    insured: Decimal | None = None
    insured_currency: str | None = None
    rates: Rates = Rates()
    on: date | None = None


class Money(msgspec.Struct, frozen=True):
    """An amount in a currency (ISO 4217, or XDR)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """`12.50 USD`."""
        return f"{self.amount} {self.currency}"


class _Case(msgspec.Struct, frozen=True):
    """Everything one calculation reads."""

    rule: CompensationRule
    shipment: Shipment
    order: Order
    known: Known


class _UnknownError(Exception):
    """A figure that the calculation needs is not recorded."""


NOTHING_KNOWN = Known()


def payable(rule: CompensationRule, shipment: Shipment, order: Order, known: Known = NOTHING_KNOWN) -> Payable:
    """What the carrier owes for this parcel under `rule`."""
    if rule.basis == "none":
        currency = rule.cap_currency or shipment.declared_currency or order.currency
        return Payable(amount=Decimal(0), currency=currency, arithmetic="these terms pay nothing")
    try:
        return _calculate(_Case(rule, shipment, order, known))
    except _UnknownError as missing:
        return Payable(amount=None, currency=None, arithmetic=f"payable unknown: {missing}")


def _calculate(case: _Case) -> Payable:
    rule, shipment = case.rule, case.shipment
    basis = _BASIS[rule.basis](case)
    terms = [f"{rule.basis} {basis}"]
    cap = _cap(rule)
    if cap is not None:
        terms.append(f"cap {cap}")
        basis = _least(basis, cap, case)
    loss = _money(shipment.share, case.order.currency)
    if loss is not None and _comparable(loss, basis, case):
        terms.append(f"loss {loss}")
        basis = _least(basis, loss, case)
    shown = f"min({', '.join(terms)})" if len(terms) > 1 else terms[0]
    total = basis.amount
    if rule.basis == "declared_plus_freight" or rule.refund_postage:
        freight = _freight(case)
        basis, added = _together(basis, freight, case)
        total = basis.amount + added
        shown += f" + freight {freight}"
    if basis.currency == "XDR":
        basis, total = _out_of_xdr(total, case)
    amount = rounded(total, basis.currency)
    return Payable(amount=amount, currency=basis.currency, arithmetic=f"{shown} = {amount} {basis.currency}")


def _out_of_xdr(total: Decimal, case: _Case) -> tuple[Money, Decimal]:
    """XDR is a currency of limits only: what is asked for is in the label's, the order's, or that of the books."""
    wanted = case.shipment.declared_currency or case.order.currency or case.known.rates.base
    amount = None if wanted is None else _in(Money(total, "XDR"), wanted, case)
    if wanted is None or amount is None:
        raise _UnknownError(f"no rate between {total} XDR and {wanted or 'a currency that can be asked for'}")
    return Money(amount, wanted), amount


def _declared(case: _Case) -> Money:
    """The value on the label: a low declaration caps the claim for ever."""
    return _known(_money(case.shipment.declared_value, case.shipment.declared_currency), "declared value missing")


def _item_price(case: _Case) -> Money:
    return _known(_money(case.shipment.share, case.order.currency), "the parcel's share of the order's amount is missing")


def _postage(case: _Case) -> Money:
    freight = _freight(case)
    return Money(freight.amount * (case.rule.multiple or 1), freight.currency)


def _fixed(case: _Case) -> Money:
    """A limit per parcel and kilogram: without a recorded weight only a limit per parcel is known."""
    rule, weight = case.rule, case.known.weight_kg
    if rule.cap_per_kg is None:
        return _known(_money(rule.cap_amount, rule.cap_currency), "the terms name no amount")
    if weight is None:
        raise _UnknownError("the parcel's weight is not recorded")
    amount = (rule.cap_amount or Decimal(0)) + rule.cap_per_kg * weight
    return _known(_money(amount, rule.cap_currency), "the terms name no currency")


def _insured(case: _Case) -> Money:
    return _known(_money(case.known.insured, case.known.insured_currency), "insured value missing")


_BASIS: Mapping[str, Callable[[_Case], Money]] = {
    "declared": _declared,
    "declared_plus_freight": _declared,
    "item_price": _item_price,
    "postage_multiple": _postage,
    "sdr": _fixed,
    "per_kg": _fixed,
    "insured": _insured,
}


def _cap(rule: CompensationRule) -> Money | None:
    if rule.basis in {"sdr", "per_kg"}:
        return None
    return _money(rule.cap_amount, rule.cap_currency)


def _freight(case: _Case) -> Money:
    return _known(_money(case.shipment.freight, case.shipment.freight_currency), "freight missing")


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _known(money: Money | None, missing: str) -> Money:
    if money is None:
        raise _UnknownError(missing)
    return money


def _in(money: Money, currency: str, case: _Case) -> Decimal | None:
    """The amount in another currency, by the rates of the decision's month."""
    if money.currency == currency:
        return money.amount
    on = case.known.on
    return None if on is None else converted(money.amount, money.currency, currency, on, case.known.rates)


def _comparable(one: Money, other: Money, case: _Case) -> bool:
    return _in(one, other.currency, case) is not None


def _together(one: Money, other: Money, case: _Case) -> tuple[Money, Decimal]:
    """Both in one currency: nobody can be asked for XDR, so a limit in it becomes the other's currency."""
    if one.currency == "XDR":
        amount = _in(one, other.currency, case)
        if amount is not None:
            return Money(amount, other.currency), other.amount
    added = _in(other, one.currency, case)
    if added is None:
        raise _UnknownError(f"no rate between {other} and {one}")
    return one, added


def _least(one: Money, other: Money, case: _Case) -> Money:
    compared = _in(other, one.currency, case)
    if compared is None:
        raise _UnknownError(f"no rate between {other} and {one}")
    return one if one.amount <= compared else other
