"""What the month brought: cash, what was avoided and seen afterwards, what is only estimated, and what was lost. Never added up.

Cash is money that came: compensation (R86), late arrivals paid again (R4). Avoided is a fact of afterwards: a refund was proposed
or the window extended, and the parcel was delivered unrefunded (R7). Estimated is a refund before a dispute, which nobody can
prove (R8, D6). The other side stands beside it: refunds of parcels that came later, losses whose window closed unfiled. A line a
kind and currency, with its orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.model import ActionKind, Claim, ClaimState, DecisionReason, Dossier, Intent, LossType, Settlement, Shipment
from tracker.reports.register import paid_back
from tracker.store import Store
from tracker.store.recoveries import Recovery

PAGE = 400

PROVEN = frozenset(
    {
        DecisionReason.CARRIER_SAYS_LOST,
        DecisionReason.NEVER_SCANNED,
        DecisionReason.NOT_FOUND_CONFIRMED,
        DecisionReason.SILENT_BEYOND_LIMIT,
    }
)
"""Reasons of a refund that a dispute could have forestalled."""

CASH, SEEN, ESTIMATED, LOST = "cash", "avoided_and_seen", "estimated", "lost"
"""The four books, in the order in which they are told."""

BOOKS = (CASH, SEEN, ESTIMATED, LOST)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One order's part: `amount` None where nobody knows it."""

    book: str
    kind: str
    store: str
    order: str
    on: date
    amount: Decimal | None
    currency: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind in one currency: `count` orders or parcels, their sum as text; `unknown` of them have no known amount."""

    book: str
    kind: str
    currency: str | None
    count: int
    amount: str
    unknown: int
    orders: tuple[str, ...]


class Savings(msgspec.Struct, frozen=True, kw_only=True):
    """A month's lines; sums are never added across books, kinds or currencies. `registrations` is what the sources were asked."""

    month: str
    lines: tuple[Line, ...]
    registrations: dict[str, int]


async def savings(store: Store, month: str) -> Savings:
    """The month `2026-11`, in UTC."""
    first, after = bounds(month)
    items = [_recovered(each) for each in await store.recoveries(first, after)]
    last, told = 0, set[int]()
    while ids := await store.orders_with_effects(last, PAGE):
        for dossier in await store.load_dossiers(ids):
            items += items_of(_once(dossier, told), first, after)
        last = ids[-1]
    used = {
        source: sum(count for day, count in days.items() if first.date() <= day < after.date())
        for source, days in (await store.quota_days()).items()
    }
    return Savings(month=month, lines=lines(items), registrations={source: count for source, count in used.items() if count})


def _once(dossier: Dossier, told: set[int]) -> Dossier:
    """Without the claims that an order before has told: a parcel of two orders is claimed once."""
    mine = tuple(each for each in dossier.claims if each.id not in told)
    told.update(each.id for each in mine)
    return dossier if len(mine) == len(dossier.claims) else replace(dossier, claims=mine)


def bounds(month: str) -> tuple[datetime, datetime]:
    """Its first instant, and that of the next one."""
    year, number = (int(part) for part in month.split("-"))
    return datetime(year, number, 1, tzinfo=UTC), datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def lines(items: Iterable[Item]) -> tuple[Line, ...]:
    """The items by book, kind and currency."""
    groups: dict[tuple[int, str, str], list[Item]] = {}
    for each in items:
        groups.setdefault((BOOKS.index(each.book), each.kind, each.currency or ""), []).append(each)
    return tuple(_line(groups[key]) for key in sorted(groups))


def _line(items: Sequence[Item]) -> Line:
    known = [each.amount for each in items if each.amount is not None]
    return Line(
        book=items[0].book,
        kind=items[0].kind,
        currency=items[0].currency,
        count=len(items),
        amount=f"{sum(known, Decimal(0)):f}",
        unknown=len(items) - len(known),
        orders=tuple(sorted({f"{each.store}/{each.order}" for each in items})),
    )


def items_of(dossier: Dossier, first: datetime, after: datetime) -> Iterator[Item]:
    """What one order brought or cost in the time from `first` on, before `after`."""
    for shipment in dossier.shipments:
        yield from _arrived(dossier, shipment, first, after)
    for claim in dossier.claims:
        yield from _claimed(dossier, claim, first, after)
    yield from _before_a_dispute(dossier, first, after)


def _recovered(each: Recovery) -> Item:
    return Item(
        book=CASH,
        kind="paid_again",
        store=each.store,
        order=each.order,
        on=each.at.date(),
        amount=each.amount,
        currency=each.currency,
    )


def _arrived(dossier: Dossier, shipment: Shipment, first: datetime, after: datetime) -> Iterator[Item]:
    """Delivered in the month: waited for with success, or refunded too early."""
    scan, order = shipment.delivered_scan, dossier.order
    if scan is None or not shipment.delivered or not first <= scan.latest < after:
        return
    proposed = [each for each in dossier.effects if each.intent is Intent.REFUND and each.shipment in {shipment.number, None}]
    extended = [each for each in dossier.effects if each.intent is Intent.EXTENSION and each.acted]
    before = [each for each in proposed if each.created_at < scan.latest]
    whole = order.amount if len(dossier.shipments) == 1 else None
    worth = shipment.share if shipment.share is not None else whole
    if order.refunded_at is None and before and not any(each.acted for each in proposed):
        yield _of(dossier, SEEN, "waited_and_delivered", scan.latest, worth)
    elif order.refunded_at is None and any(each.done_at is not None and each.done_at < scan.latest for each in extended):
        yield _of(dossier, SEEN, "extended_and_delivered", scan.latest, worth)
    elif order.refunded_at is not None and order.refunded_at < scan.earliest:
        yield _of(dossier, LOST, "refunded_and_delivered", scan.latest, paid_back(order, shipment, len(dossier.shipments)))


def _claimed(dossier: Dossier, claim: Claim, first: datetime, after: datetime) -> Iterator[Item]:
    """Money of a carrier that came in the month; a coupon is no cash. A window that closed with nothing filed is the leak."""
    for payment in claim.payments:
        if first.date() <= payment.on < after.date():
            kind = "coupon" if payment.how is Settlement.COUPON else "compensation"
            yield _of(dossier, CASH, kind, payment.on, payment.amount, payment.currency)
    closed = claim.latest_on
    if claim.state is ClaimState.EXPIRED and closed is not None and first.date() <= closed < after.date():
        yield _of(dossier, LOST, "expired_unfiled", closed, claim.payable, claim.currency)
    if claim.reversed_on is not None and first.date() <= claim.reversed_on < after.date() and claim.loss_type is LossType.LOST:
        yield _of(dossier, LOST, "paid_back_to_carrier", claim.reversed_on, claim.settled, claim.currency)


def _before_a_dispute(dossier: Dossier, first: datetime, after: datetime) -> Iterator[Item]:
    """A proven loss that was refunded while no case was open: whether a dispute would have come, nobody knows (R8, D6)."""
    order = dossier.order
    if order.refunded_at is None or not first <= order.refunded_at < after:
        return
    if any(case.kind.contested and case.opened_at <= order.refunded_at for case in dossier.cases):
        return
    refunds = [each for each in dossier.effects if each.kind is ActionKind.REFUND and each.acted and each.reason in PROVEN]
    if refunds:
        yield _of(dossier, ESTIMATED, "refunded_before_a_dispute", order.refunded_at, order.refunded_amount)


def _of(dossier: Dossier, book: str, kind: str, on: datetime | date, amount: Decimal | None, currency: str | None = None) -> Item:
    order = dossier.order
    return Item(
        book=book,
        kind=kind,
        store=order.store,
        order=order.number,
        on=on.date() if isinstance(on, datetime) else on,
        amount=amount,
        currency=currency or order.currency,
    )
