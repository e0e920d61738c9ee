"""The columns of the register, and what stands in each of a line's cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from tracker.compensation import gain
from tracker.phrases import Phrases
from tracker.reports.sheet import Cell, Column
from tracker.rules import Store

if TYPE_CHECKING:
    from tracker.reports.register import Line

_WIDTHS: Mapping[str, int] = {
    "claim_no": 18, "opened_on": 11, "shop": 16, "platform": 12, "order_id": 20, "sku": 16, "product": 28, "qty": 6,
    "tracking_no": 18, "carrier": 14, "service": 14, "destination": 11, "shipped_on": 11, "last_scan_on": 20,
    "last_scan_text": 40, "loss_type": 12, "cause": 24, "phase": 10, "liable": 10, "buyer_outcome": 13, "buyer_amount": 12,
    "buyer_currency": 8, "buyer_on": 11, "item_cost": 10, "item_cost_currency": 8, "declared_value": 12, "declared_currency": 8,
    "freight": 10, "freight_currency": 8, "rule_id": 24, "rule_version": 10, "earliest_on": 11, "latest_on": 11,
    "evidence_missing": 28, "attempt": 8, "payable": 12, "payable_currency": 8, "inquiry_ref": 14, "filed_on": 11,
    "carrier_ref": 14, "claimed": 12, "claimed_currency": 8, "approved": 12, "approved_currency": 8, "paid": 12,
    "paid_currency": 8, "paid_on": 11, "settlement": 10, "statement_ref": 18, "fx_rate": 10, "fx_date": 10, "fx_source": 12,
    "base_amount": 12, "base_currency": 8, "fx_gain": 10, "net_loss": 12, "net_loss_note": 26, "status": 14, "owner": 12,
    "note": 30,
}  # fmt: skip
_WRAPPED = frozenset({"last_scan_text", "evidence_missing", "note", "net_loss_note", "product"})

COLUMNS = tuple(Column(title=name, width=width, wrap=name in _WRAPPED) for name, width in _WIDTHS.items())
"""From left to right; titles are keys of the phrases' table `register`."""


def cells(
    line: Line, stores: Mapping[str, Store], phrases: Phrases, net: tuple[Decimal | None, str | None, str]
) -> tuple[Cell, ...]:
    """One line. `net`: the net loss, its currency, and what is missing of it."""
    told = {**_identity(line, stores, phrases), **_buyer(line, phrases), **_course(line), **_settlement(line, phrases)}
    told |= {"net_loss": net[0], "net_loss_note": net[2] or None, "status": phrases.word("claim", line.claim.state)}
    told |= {"base_currency": told["base_currency"] or net[1]}
    return tuple(told[name] for name in _WIDTHS)


def _identity(line: Line, stores: Mapping[str, Store], phrases: Phrases) -> dict[str, Cell]:
    claim, parcel, scan = line.claim, line.shipment, line.shipment.last_scan
    order = line.orders[0]
    return {
        "claim_no": claim.number,
        "opened_on": _day(claim.opened_at),
        "shop": stores[order.store].name if order.store in stores else order.store,
        "platform": order.platform,
        "order_id": " ".join(each.number for each in line.orders),
        "sku": _each(item.sku for item in line.items),
        "product": _each(item.title for item in line.items),
        "qty": sum(item.quantity for item in line.items) if line.items else None,
        "tracking_no": claim.shipment,
        "carrier": parcel.carrier,
        "service": parcel.service,
        "destination": parcel.country or order.country,
        "shipped_on": _day(parcel.shipped_at or order.shipped_at),
        "last_scan_on": scan.local_time if scan and scan.local_time else (scan.latest if scan else None),
        "last_scan_text": scan.description if scan else None,
        "loss_type": phrases.word("loss_type", claim.loss_type),
        "cause": phrases.word("why", claim.cause) if phrases.knows(f"why.{claim.cause}") else claim.cause,
        "phase": phrases.word("phase", claim.phase),
        "liable": phrases.word("liable_short", claim.liable),
        "declared_value": parcel.declared_value,
        "declared_currency": parcel.declared_currency,
        "freight": parcel.freight,
        "freight_currency": parcel.freight_currency,
        "item_cost": claim.item_cost,
        "item_cost_currency": claim.item_cost_currency,
        "owner": claim.owner,
        "note": claim.note,
    }


def _buyer(line: Line, phrases: Phrases) -> dict[str, Cell]:
    refunded = line.refunded
    paid_back = any(each.refunded_at for each in line.orders)
    return {
        "buyer_outcome": phrases.word("register_value", "refund" if paid_back else "none"),
        "buyer_amount": line.paid_back,
        "buyer_currency": refunded.currency if refunded else None,
        "buyer_on": _day(refunded.refunded_at) if refunded else None,
    }


def _course(line: Line) -> dict[str, Cell]:
    claim = line.claim
    return {
        "rule_id": claim.rule,
        "rule_version": claim.rule_version or None,
        "earliest_on": claim.earliest_on,
        "latest_on": claim.latest_on,
        "evidence_missing": ", ".join(line.lacking) or None,
        "attempt": claim.attempt,
        "payable": claim.payable,
        "payable_currency": claim.currency,
        "inquiry_ref": claim.inquiry_ref,
        "filed_on": claim.filed_on,
        "carrier_ref": claim.carrier_ref,
        "claimed": claim.claimed,
        "claimed_currency": claim.claimed_currency,
        "approved": claim.approved,
        "approved_currency": claim.claimed_currency if claim.approved is not None else None,
    }


def _settlement(line: Line, phrases: Phrases) -> dict[str, Cell]:
    """What came, and the rate frozen at the approval. Payments in several currencies are told one by one, never added up."""
    claim = line.claim
    payments, booked = claim.payments, claim.exchange
    currencies = {each.currency for each in payments}
    paid: Cell = None
    if payments:
        total = sum((each.amount for each in payments), Decimal(0))
        paid = total if len(currencies) == 1 else _each(f"{each.amount} {each.currency}" for each in payments)
    gains = [found for each in payments if (found := gain(booked, each)) is not None]
    return {
        "paid": paid,
        "paid_currency": currencies.pop() if len(currencies) == 1 else None,
        "paid_on": max((each.on for each in payments), default=None),
        "settlement": _each(dict.fromkeys(phrases.word("settlement", each.how) for each in payments)),
        "statement_ref": _each(each.reference for each in payments),
        "fx_rate": None if booked is None or booked.rate is None else f"{booked.rate:f}",
        "fx_date": None if booked is None else booked.month,
        "fx_source": None if booked is None else booked.source or booked.why,
        "base_amount": None if booked is None else booked.base,
        "base_currency": None if booked is None else booked.into,
        "fx_gain": sum(gains, Decimal(0)) if gains and len(gains) == len(payments) else None,
    }


def _each(values: Iterable[str | None]) -> str | None:
    return ", ".join(value for value in values if value) or None


def _day(at: datetime | None) -> date | None:
    return at.astimezone(UTC).date() if at else None
