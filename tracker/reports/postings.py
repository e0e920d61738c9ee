"""The postings of a month, as Chinese practice has them: debit, credit, amount, the day of the event (facts/compensation.md 6).

The receivable stands in the books from the approval on, never from the filing. A carrier that takes its money back gets the
payment's postings backwards, in the open month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from tracker.compensation import gain, to_base
from tracker.model import Claim, ClaimChange, ClaimState, Exchange, Payment, Settlement
from tracker.rates import Rates
from tracker.store.claims import OPENED, ClaimView

S = ClaimState
_ENDS_SHORT = frozenset({S.REJECTED, S.EXPIRED, S.WRITTEN_OFF})


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


def postings(views: Sequence[ClaimView], changes: Iterable[ClaimChange], month: str, rates: Rates) -> tuple[Posting, ...]:
    """Every posting of the month, in the order of the events."""
    known = {view.claim.id: view for view in views}
    found: list[Posting] = []
    for change in changes:
        if change.month == month and change.claim in known:
            found += _of(change, known[change.claim], rates)
    return tuple(sorted(found, key=lambda each: (each.on, each.claim, each.event)))


def _of(change: ClaimChange, view: ClaimView, rates: Rates) -> Iterator[Posting]:
    claim = view.claim
    if change.event == OPENED and claim.item_cost is not None and claim.item_cost_currency is not None:
        cost = to_base(claim.item_cost, claim.item_cost_currency, change.on, rates)
        yield _line(change, view, "loss_pending", "inventory", claim.item_cost, claim.item_cost_currency, cost)
    if change.after in {S.APPROVED, S.APPROVED_PARTIAL} and "approved" in change.fields and claim.claimed_currency is not None:
        approved = Decimal(change.fields["approved"][1] or "0")
        booked = _exchange(change)
        yield _line(change, view, "receivable", "loss_pending", approved, claim.claimed_currency, booked)
        yield from _difference(change, view, claim, approved, rates)
    if change.after in _ENDS_SHORT and change.after is not change.before and change.before is not S.REJECTED:
        yield from _difference(change, view, claim, Decimal(0), rates)
    if "payments" in change.fields:
        for payment in _new_payments(change):
            yield from _paid(change, view, payment)
    if change.after is S.REVERSED and change.before is not S.REVERSED:
        for payment in claim.payments:
            for each in _paid(change, view, payment):
                yield msgspec.structs.replace(each, debit=each.credit, credit=each.debit, on=change.on)


def _paid(change: ClaimChange, view: ClaimView, payment: Payment) -> Iterator[Posting]:
    currency = view.claim.claimed_currency or payment.currency
    account = _ACCOUNTS[payment.how]
    yield _line(change, view, account, "receivable", payment.settles, currency, payment.exchange)
    found = gain(view.claim, payment)
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


def _difference(change: ClaimChange, view: ClaimView, claim: Claim, approved: Decimal, rates: Rates) -> Iterator[Posting]:
    """What the carrier bears less, or more, than the goods cost; only where both are known in one currency."""
    cost, currency = claim.item_cost, claim.item_cost_currency
    if cost is None or currency is None or (approved and currency != claim.claimed_currency):
        return
    short = cost - approved
    if short:
        sides = ("shortfall", "loss_pending") if short > 0 else ("loss_pending", "surplus")
        yield _line(change, view, *sides, abs(short), currency, to_base(abs(short), currency, change.on, rates))


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


def _exchange(change: ClaimChange) -> Exchange | None:
    text = change.fields.get("exchange", ("", ""))[1]
    return msgspec.json.decode(text, type=Exchange) if text else None


def _new_payments(change: ClaimChange) -> tuple[Payment, ...]:
    old, new = (msgspec.json.decode(text or "[]", type=tuple[Payment, ...]) for text in change.fields["payments"])
    return new[len(old) :]
