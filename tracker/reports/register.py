"""The register: every loss written down at once, item and amount, for the month end (R86; facts/compensation.md section 5).

The net loss of a line = item cost + freight + what the buyer was paid back - what the carrier paid, in the base currency. The
buyer's refund counts at what was paid back, because the sale's own revenue stands in the books of sales; of a split order it is
the parcel's share (D23). Coupons are no cash, and money that the carrier took back did not come: neither lessens the loss. A part
that is not known leaves it empty, and the line says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker import compensation
from tracker.model import Claim, ClaimChange, ClaimState, Dossier, Order, OrderItem, Settlement, Shipment
from tracker.phrases import Phrases
from tracker.rates import Rates
from tracker.reports.register_cells import COLUMNS, cells
from tracker.reports.sheet import Sheet
from tracker.rules import CompensationRule, Store

NO_RATES = Rates()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with its parcel, the orders in it, and what was in them where a file told that."""

    claim: Claim
    shipment: Shipment
    orders: tuple[Order, ...]
    items: tuple[OrderItem, ...] = ()
    parcels: int = 1
    """In how many parcels the (last) order travels: of a split one the refund is the parcel's share (D23)."""
    terms: CompensationRule | None = None

    @property
    def lacking(self) -> tuple[str, ...]:
        """Codes of the documents that are missing."""
        return tuple(each.code for each in compensation.checklist(self.claim, self.terms, self.shipment) if not each.there)

    @property
    def refunded(self) -> Order | None:
        """The order that was paid back; with several orders in one parcel no amount is one order's."""
        return self.orders[0] if len(self.orders) == 1 and self.orders[0].refunded_at else None

    @property
    def paid_back(self) -> Decimal | None:
        """What of the refund is this parcel's."""
        return None if self.refunded is None else paid_back(self.refunded, self.shipment, self.parcels)


def paid_back(order: Order, shipment: Shipment, parcels: int) -> Decimal | None:
    """What of an order's refund is one parcel's: of a split order in proportion to its share (D23). None: nobody knows."""
    back, share = order.refunded_amount, shipment.share
    if back is None or parcels == 1:
        return back
    if share is None or not order.amount or order.currency is None:
        return None
    return compensation.rounded(back * share / order.amount, order.currency)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a register is made of. `items` by order id; `terms` by rule id."""

    dossiers: Sequence[Dossier]
    changes: Sequence[ClaimChange] = ()
    items: Mapping[int, tuple[OrderItem, ...]] = {}
    terms: Mapping[str, CompensationRule] = {}
    rates: Rates = NO_RATES


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """Claims of one carrier in one state: how many, and what the carrier owes for them, by currency."""

    carrier: str | None
    state: ClaimState
    count: int
    payable: Mapping[str, str]


def register_sheet(source: Source, stores: Mapping[str, Store], phrases: Phrases, *, month: str | None = None) -> Sheet:
    """One line a claim, oldest first, with headings and words in the operators' language.

    `month` (YYYY-MM, UTC) keeps the claims that were opened, or had a posting, in it; None keeps all. A parcel of two orders is
    one claim and one line: both orders stand in it.
    """
    found = lines(source, month)
    name = phrases.say("register_value.sheet", month=month or phrases.say("register_value.all"))
    columns = tuple(replace(column, title=phrases.word("register", column.title)) for column in COLUMNS)
    rows = tuple(cells(line, stores, phrases, net_loss(line, source.rates)) for line in found)
    return Sheet(name=name, columns=columns, rows=rows, frozen=1)


def lines(source: Source, month: str | None = None) -> list[Line]:
    """The lines of a month, oldest first."""
    touched = {each.claim for each in source.changes if each.month == month}
    found = [
        line
        for line in _joined(source)
        if month is None or f"{line.claim.opened_at.astimezone(UTC):%Y-%m}" == month or line.claim.id in touched
    ]
    return sorted(found, key=lambda line: (line.claim.opened_at, line.claim.shipment, line.claim.attempt))


def totals(source: Source, *, month: str | None = None) -> tuple[Total, ...]:
    """The register's claims added up: what expired unfiled stands beside what may still be filed."""
    groups: dict[tuple[str, ClaimState], list[Line]] = {}
    for line in lines(source, month):
        groups.setdefault((line.shipment.carrier or "", line.claim.state), []).append(line)
    return tuple(
        Total(carrier=carrier or None, state=state, count=len(mine), payable=_payable(mine))
        for (carrier, state), mine in sorted(groups.items())
    )


def net_loss(line: Line, rates: Rates) -> tuple[Decimal | None, str | None, str]:
    """The net loss in the base currency, that currency, and what is missing where it is not known."""
    claim, base = line.claim, rates.base
    if base is None:
        return None, None, "no rates in fx.toml"
    opened = claim.opened_at.astimezone(UTC).date()
    refund = line.refunded
    paid_back: list[tuple[str, Decimal | None, str | None, date]] = []
    if refund is not None and refund.refunded_at is not None:
        paid_back.append(("refund", line.paid_back, refund.currency, refund.refunded_at.astimezone(UTC).date()))
    costs = [
        ("item cost", claim.item_cost, claim.item_cost_currency, opened),
        ("freight", line.shipment.freight, line.shipment.freight_currency, opened),
        *paid_back,
    ]
    total = Decimal(0)
    for name, amount, currency, on in costs:
        if amount is None or currency is None:
            return None, base, f"{name} is not known"
        found = compensation.to_base(amount, currency, on, rates)
        if found.base is None or found.into != base:
            return None, base, found.why or f"{name}: the base currency was {found.into} then"
        total += found.base
    for payment in claim.payments:
        if claim.reversed_on is not None or payment.how is Settlement.COUPON:
            continue
        came = payment.exchange
        if came is None or came.base is None or came.into != base:
            return None, base, "a payment has no rate" if came is None else came.why or "the base currency has changed"
        total -= came.base
    return total, base, ""


def _payable(found: Iterable[Line]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for claim in (line.claim for line in found):
        if claim.payable is not None and claim.currency is not None:
            sums[claim.currency] = sums.get(claim.currency, Decimal(0)) + claim.payable
    return {currency: str(amount) for currency, amount in sorted(sums.items())}


def _joined(source: Source) -> Iterable[Line]:
    found: dict[tuple[str, int], Line] = {}
    for dossier in source.dossiers:
        parcels = {shipment.number: shipment for shipment in dossier.shipments}
        items = source.items.get(dossier.order.id, ())
        for claim in dossier.claims:
            identity = (claim.shipment, claim.attempt)
            known = found.get(identity)
            found[identity] = Line(
                claim=claim,
                shipment=parcels[claim.shipment],
                orders=(*(known.orders if known else ()), dossier.order),
                items=(*(known.items if known else ()), *items),
                parcels=len(dossier.shipments),
                terms=source.terms.get(claim.rule),
            )
    return found.values()
