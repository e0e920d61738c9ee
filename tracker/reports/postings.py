"""The postings of a month, as Chinese practice has them: debit, credit, amount, the day of the event (facts/compensation.md 6).

The receivable stands in the books from the approval on, never from the filing. Each claim's history is told again from its first
row, so that what is undone (an appeal, a parcel that turned up, a cost that was mistyped) is booked backwards: the receivable is
what the carrier has accepted and not paid, and a loss that is decided is no longer pending. A carrier that takes its money back
gets the payment's postings backwards, in the open month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.compensation import gain, rounded, to_base
from tracker.compensation.ledger import ACCEPTED
from tracker.model import ClaimChange, ClaimState, Exchange, Payment, Settlement
from tracker.rates import Rates
from tracker.store.claims import ClaimView

S = ClaimState
_DECIDED = ACCEPTED | {S.PAID, S.OFFSET, S.CLOSED, S.REVERSED, S.REJECTED, S.EXPIRED, S.WRITTEN_OFF}
"""States in which it is known what the carrier bears: the rest of the cost is the seller's."""

_NOTHING = Decimal(0)


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One line: accounts are keys of the phrases' table `account`. `base` None where no rate is known, and `why` says so.

    `late`: the closed month that it belongs to.
    """

    on: date
    claim: str
    carrier: str
    event: str
    debit: str
    credit: str
    amount: Decimal
    currency: str
    base: Decimal | None
    base_currency: str | None
    why: str = ""
    late: str | None = None


class _Books(msgspec.Struct, frozen=True, kw_only=True):
    """What the books hold of one claim after a row of its history."""

    state: ClaimState = S.DRAFT
    cost: Decimal | None = None
    cost_currency: str | None = None
    approved: Decimal = _NOTHING
    currency: str | None = None
    exchange: Exchange | None = None
    payments: tuple[Payment, ...] = ()

    @property
    def pending(self) -> tuple[Decimal, str] | None:
        """The cost of the goods that are lost; goods that turned up are not."""
        if self.cost is None or self.cost_currency is None or self.state is S.WITHDRAWN:
            return None
        return self.cost, self.cost_currency

    @property
    def settled(self) -> Decimal:
        return sum((each.settles for each in self.payments), _NOTHING)

    @property
    def owed(self) -> Decimal:
        """The receivable."""
        return self.approved - self.settled if self.state in ACCEPTED else _NOTHING

    @property
    def own_part(self) -> Decimal:
        """What the seller bears of the cost; below 0 a surplus. Only where cost and compensation are in one currency."""
        recovered, cost = self.owed + self.settled, self.pending
        if cost is None or self.state not in _DECIDED or (recovered and cost[1] != self.currency):
            return _NOTHING
        return cost[0] - recovered


def postings(views: Sequence[ClaimView], changes: Iterable[ClaimChange], month: str, rates: Rates) -> tuple[Posting, ...]:
    """Every posting of the month, in the order of the events. `changes` is the whole history, oldest first."""
    known = {view.claim.id: view for view in views}
    books: dict[int, _Books] = {}
    found: list[Posting] = []
    for change in changes:
        if change.claim not in known:
            continue
        before = books.get(change.claim, _Books())
        after = books[change.claim] = _after(before, change)
        if change.month == month:
            found += _of(change, known[change.claim], before, after, rates)
    return tuple(sorted(found, key=lambda each: (each.on, each.claim, each.event)))


def _after(before: _Books, change: ClaimChange) -> _Books:
    told = {name: new for name, (_, new) in change.fields.items()}
    found: dict[str, object] = {"state": change.after}
    if "item_cost" in told:
        found["cost"] = Decimal(told["item_cost"]) if told["item_cost"] else None
    if "approved" in told:
        found["approved"] = Decimal(told["approved"] or 0)
    if "payments" in told:
        found["payments"] = msgspec.json.decode(told["payments"] or "[]", type=tuple[Payment, ...])
    if "exchange" in told:
        found["exchange"] = msgspec.json.decode(told["exchange"], type=Exchange) if told["exchange"] else None
    for name, ours in (("item_cost_currency", "cost_currency"), ("claimed_currency", "currency")):
        if name in told:
            found[ours] = told[name] or None
    return replace(before, **found)


def _of(change: ClaimChange, view: ClaimView, before: _Books, after: _Books, rates: Rates) -> Iterator[Posting]:
    yield from _cost(change, view, before, after, rates)
    yield from _receivable(change, view, before, after)
    yield from _own_part(change, view, before, after, rates)
    for payment in after.payments[len(before.payments) :]:
        yield from _paid(change, view, after, payment)
    if change.after is S.REVERSED and change.before is not S.REVERSED:
        for payment in after.payments:
            for each in _paid(change, view, after, payment):
                yield replace(each, debit=each.credit, credit=each.debit, on=change.on)


def _cost(change: ClaimChange, view: ClaimView, before: _Books, after: _Books, rates: Rates) -> Iterator[Posting]:
    """The loss is established when its cost is known; a cost that is corrected, or goods that turned up, go back first."""
    if before.pending == after.pending:
        return
    if before.pending is not None:
        booked = to_base(*before.pending, change.on, rates)
        yield _line(change, view, "inventory", "loss_pending", *before.pending, booked)
    if after.pending is not None:
        yield _line(change, view, "loss_pending", "inventory", *after.pending, to_base(*after.pending, change.on, rates))


def _receivable(change: ClaimChange, view: ClaimView, before: _Books, after: _Books) -> Iterator[Posting]:
    """What the carrier accepts beyond what it has accepted so far; less where it was appealed, withdrawn or falls short."""
    more = after.owed + after.settled - before.owed - before.settled
    currency = after.currency
    if not more or currency is None:
        return
    sides = ("receivable", "loss_pending") if more > 0 else ("loss_pending", "receivable")
    yield _line(change, view, *sides, abs(more), currency, _at(after.exchange if more > 0 else before.exchange, abs(more)))


def _at(frozen: Exchange | None, amount: Decimal) -> Exchange | None:
    """An amount by the rate that was frozen at the approval."""
    if frozen is None or frozen.rate is None or frozen.into is None:
        return frozen
    return replace(frozen, base=rounded(amount / frozen.rate, frozen.into))


def _own_part(change: ClaimChange, view: ClaimView, before: _Books, after: _Books, rates: Rates) -> Iterator[Posting]:
    """What the carrier bears less, or more, than the goods cost."""
    old, new = before.own_part, after.own_part
    same_side = old * new >= 0 and before.cost_currency == after.cost_currency
    for books, by in ((after, new - old),) if same_side else ((before, -old), (after, new)):
        side, currency = books.own_part or old, books.cost_currency
        if not by or currency is None:
            continue
        sides = ("shortfall", "loss_pending") if side > 0 else ("loss_pending", "surplus")
        grows = (by > 0) == (side > 0)
        debit, credit = sides if grows else sides[::-1]
        yield _line(change, view, debit, credit, abs(by), currency, to_base(abs(by), currency, change.on, rates))


def _paid(change: ClaimChange, view: ClaimView, books: _Books, payment: Payment) -> Iterator[Posting]:
    account = _ACCOUNTS[payment.how]
    yield _line(change, view, account, "receivable", payment.settles, books.currency or payment.currency, payment.exchange)
    found = gain(books.exchange, payment)
    into = None if payment.exchange is None else payment.exchange.into
    if found and into is not None:
        sides = ("receivable", "exchange_gain") if found > 0 else ("exchange_loss", "receivable")
        same = Exchange(base=abs(found), into=into, rate=None, month=None, source=None)
        yield _line(change, view, *sides, abs(found), into, same)


_ACCOUNTS: Mapping[Settlement, str] = {
    Settlement.CASH: "bank",
    Settlement.OFFSET: "freight_payable",
    Settlement.COUPON: "coupons",
}


def _line(
    change: ClaimChange, view: ClaimView, debit: str, credit: str, amount: Decimal, currency: str, booked: Exchange | None
) -> Posting:
    return Posting(
        on=change.on,
        claim=view.claim.number,
        carrier=view.carrier or "",
        event=change.event,
        debit=debit,
        credit=credit,
        amount=amount,
        currency=currency,
        base=None if booked is None else booked.base,
        base_currency=None if booked is None else booked.into,
        why="" if booked is None else booked.why,
        late=change.late,
    )
