"""A carrier's batch form of the claims that can be filed: generic columns, or the carrier's own as data (compensation.toml)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime

import msgspec

from tracker.compensation import PaperState
from tracker.model import Claim, Order, Shipment
from tracker.phrases import Phrases
from tracker.reports.sheet import Cell, Column, Sheet
from tracker.rules import ClaimSheet

_WIDE = frozenset({"last_scan_text", "products", "papers", "note"})


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One claim that is to be filed, with its parcel, order and papers; `products` tells what was in it, where that is known."""

    claim: Claim
    shipment: Shipment
    order: Order
    papers: tuple[PaperState, ...] = ()
    products: str = ""


def form(filings: Iterable[Filing], layout: ClaimSheet, phrases: Phrases) -> Sheet:
    """The sheet for the carrier: one line a claim, the columns as the layout has them."""
    columns = tuple(
        Column(title=titles[0], width=40 if field in _WIDE else 18, wrap=field in _WIDE)
        for field, titles in layout.columns.items()
    )
    rows = tuple(tuple(FIELDS[field](each, phrases) for field in layout.columns) for each in filings)
    return Sheet(name=layout.id, columns=columns, rows=rows)


FIELDS: Mapping[str, Callable[[Filing, Phrases], Cell]] = {
    "claim_no": lambda it, _: it.claim.number,
    "tracking_no": lambda it, _: it.claim.shipment,
    "order_id": lambda it, _: it.order.number,
    "carrier": lambda it, _: it.shipment.carrier,
    "service": lambda it, _: it.shipment.service_text or it.shipment.service,
    "destination": lambda it, _: it.shipment.country or it.order.country,
    "shipped_on": lambda it, _: _day(it.shipment.shipped_at or it.order.shipped_at),
    "first_scan_on": lambda it, _: _day(None if it.shipment.first_scan is None else it.shipment.first_scan.latest),
    "last_scan_on": lambda it, _: _day(None if it.shipment.last_scan is None else it.shipment.last_scan.latest),
    "last_scan_text": lambda it, _: None if it.shipment.last_scan is None else it.shipment.last_scan.description,
    "loss_type": lambda it, phrases: phrases.word("loss_type", it.claim.loss_type),
    "phase": lambda it, phrases: phrases.word("phase", it.claim.phase),
    "declared_value": lambda it, _: it.shipment.declared_value,
    "declared_currency": lambda it, _: it.shipment.declared_currency,
    "freight": lambda it, _: it.shipment.freight,
    "freight_currency": lambda it, _: it.shipment.freight_currency,
    "amount": lambda it, _: it.claim.payable,
    "currency": lambda it, _: it.claim.currency,
    "carrier_ref": lambda it, _: it.claim.carrier_ref or it.claim.inquiry_ref,
    "earliest_on": lambda it, _: it.claim.earliest_on,
    "latest_on": lambda it, _: it.claim.latest_on,
    "papers": lambda it, _: ", ".join(f"{each.code}: {each.paper.file}" for each in it.papers if each.there and each.paper),
    "products": lambda it, _: it.products or None,
    "note": lambda it, _: it.claim.note,
}
"""What a form can hold: our field -> its cell."""


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(UTC).date()
