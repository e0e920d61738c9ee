"""The register: every loss written down at once, item and amount, for the month end (facts/compensation.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.model import Claim, ClaimState, Dossier, Order, Shipment
from tracker.phrases import Phrases
from tracker.reports.sheet import Cell, Column, Sheet
from tracker.rules import Store

_COLUMNS = (
    Column(title="claim_no", width=18),
    Column(title="opened_on", width=11),
    Column(title="shop", width=16),
    Column(title="platform", width=12),
    Column(title="order_id", width=20),
    Column(title="tracking_no", width=18),
    Column(title="carrier", width=14),
    Column(title="service", width=14),
    Column(title="destination", width=11),
    Column(title="shipped_on", width=11),
    Column(title="last_scan_on", width=20),
    Column(title="last_scan_text", width=40, wrap=True),
    Column(title="cause", width=24),
    Column(title="phase", width=10),
    Column(title="buyer_outcome", width=13),
    Column(title="buyer_amount", width=12),
    Column(title="buyer_currency", width=8),
    Column(title="buyer_on", width=11),
    Column(title="declared_value", width=12),
    Column(title="declared_currency", width=8),
    Column(title="freight", width=10),
    Column(title="freight_currency", width=8),
    Column(title="rule_id", width=24),
    Column(title="earliest_on", width=11),
    Column(title="latest_on", width=11),
    Column(title="attempt", width=8),
    Column(title="payable", width=12),
    Column(title="payable_currency", width=8),
    Column(title="status", width=14),
)


class _Line(msgspec.Struct, frozen=True):
    claim: Claim
    shipment: Shipment
    orders: tuple[Order, ...]


def register_sheet(
    dossiers: Iterable[Dossier], stores: Mapping[str, Store], phrases: Phrases, *, month: str | None = None
) -> Sheet:
    """One line a claim, oldest first, with headings and words in the operators' language.

    `month` (YYYY-MM, UTC) keeps the claims opened in it; None keeps all.

    A parcel of two orders is one claim and one line: both orders stand in it.
    """
    lines = _of_month(dossiers, month)
    lines.sort(key=lambda line: (line.claim.opened_at, line.claim.shipment, line.claim.attempt))
    name = phrases.say("register_value.sheet", month=month or phrases.say("register_value.all"))
    columns = tuple(replace(column, title=phrases.word("register", column.title)) for column in _COLUMNS)
    return Sheet(name=name, columns=columns, rows=tuple(_cells(line, stores, phrases) for line in lines))


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """Claims of one carrier in one state: how many, and what the carrier owes for them, by currency."""

    carrier: str | None
    state: ClaimState
    count: int
    payable: Mapping[str, str]


def totals(dossiers: Iterable[Dossier], *, month: str | None = None) -> tuple[Total, ...]:
    """The register's claims added up: what expired unfiled stands beside what may still be filed."""
    groups: dict[tuple[str, ClaimState], list[_Line]] = {}
    for line in _of_month(dossiers, month):
        groups.setdefault((line.shipment.carrier or "", line.claim.state), []).append(line)
    return tuple(
        Total(carrier=carrier or None, state=state, count=len(lines), payable=_payable(lines))
        for (carrier, state), lines in sorted(groups.items())
    )


def _payable(lines: Iterable[_Line]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for claim in (line.claim for line in lines):
        if claim.payable is not None and claim.currency is not None:
            sums[claim.currency] = sums.get(claim.currency, Decimal(0)) + claim.payable
    return {currency: str(amount) for currency, amount in sorted(sums.items())}


def _of_month(dossiers: Iterable[Dossier], month: str | None) -> list[_Line]:
    return [line for line in _joined(dossiers) if month in (None, line.claim.opened_at.astimezone(UTC).strftime("%Y-%m"))]


def _joined(dossiers: Iterable[Dossier]) -> Iterable[_Line]:
    found: dict[tuple[str, int], _Line] = {}
    for dossier in dossiers:
        parcels = {shipment.number: shipment for shipment in dossier.shipments}
        for claim in dossier.claims:
            identity = (claim.shipment, claim.attempt)
            known = found.get(identity)
            orders = (*(known.orders if known else ()), dossier.order)
            found[identity] = _Line(claim, parcels[claim.shipment], orders)
    return found.values()


def _cells(line: _Line, stores: Mapping[str, Store], phrases: Phrases) -> tuple[Cell, ...]:
    claim, parcel, scan = line.claim, line.shipment, line.shipment.last_scan
    order = line.orders[0]
    # With several orders in one parcel, what was refunded is not one amount in one currency.
    refunded = order if len(line.orders) == 1 and order.refunded_at else None
    return (
        f"{claim.shipment}-{claim.attempt}",
        _day(claim.opened_at),
        stores[order.store].name if order.store in stores else order.store,
        order.platform,
        " ".join(each.number for each in line.orders),
        claim.shipment,
        parcel.carrier,
        parcel.service,
        parcel.country or order.country,
        _day(parcel.shipped_at or order.shipped_at),
        scan.local_time if scan and scan.local_time else (scan.latest if scan else None),
        scan.description if scan else None,
        phrases.word("register_value", claim.cause),
        phrases.word("phase", claim.phase),
        phrases.word("register_value", "refund" if any(each.refunded_at for each in line.orders) else "none"),
        refunded.refunded_amount if refunded else None,
        refunded.currency if refunded else None,
        _day(refunded.refunded_at) if refunded else None,
        parcel.declared_value,
        parcel.declared_currency,
        parcel.freight,
        parcel.freight_currency,
        claim.rule,
        claim.earliest_on,
        claim.latest_on,
        claim.attempt,
        claim.payable,
        claim.currency,
        phrases.word("claim", claim.state),
    )


def _day(at: datetime | None) -> date | None:
    return at.astimezone(UTC).date() if at else None
