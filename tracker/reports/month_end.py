"""The month end: roll-forward, ageing, recovery, the leak, postings (facts/compensation.md section 6).

Everything is made of the claims' history, whose rows carry the month they are posted in: so a month that is told again says the
same, and what comes late stands in the open month with a reference to the old one. Currencies are never added up.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from tracker.compensation import age_band, outstanding
from tracker.model import Claim, ClaimChange, ClaimState
from tracker.store.claims import ClaimView

S = ClaimState
KINDS = ("filed", "reopened", "paid", "refused", "withdrawn", "written_off", "corrected")
"""What moves the open sum, in the order of the roll-forward."""


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """How many claims, and how much."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def plus(self, count: int, amount: Decimal) -> Moves:
        """More of it."""
        return Moves(count=self.count + count, amount=self.amount + amount)


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """The roll-forward of one carrier in one currency: opening + what moved = closing."""

    carrier: str
    currency: str
    opening: Moves
    moves: Mapping[str, Moves]
    closing: Moves


class OpenClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that is open at the month's end. `overdue`: the carrier's own term to answer or to pay has passed."""

    claim: Claim
    carrier: str
    open: Decimal
    currency: str
    filed_on: date | None
    age: str
    overdue: bool


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """Paid / claimed of the claims filed so far, by carrier, service and currency. Coupons are no cash and stand apart."""

    carrier: str
    service: str
    currency: str
    claimed: Decimal
    paid: Decimal
    coupons: Decimal

    @property
    def rate(self) -> Decimal | None:
        """Paid / claimed, to the tenth of a percent; None where nothing was claimed."""
        return None if not self.claimed else (self.paid / self.claimed).quantize(Decimal("0.001"))


class MonthEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one month but the register itself. `leak`: claims that expired unfiled in it, with their cause.

    `astray`: claims whose history does not tell what is open of them, where nothing was posted after the month.
    """

    month: str
    rolls: tuple[Roll, ...]
    open: tuple[OpenClaim, ...]
    astray: tuple[str, ...]
    recovery: tuple[Recovery, ...]
    leak: tuple[ClaimView, ...]


def month_end(views: Sequence[ClaimView], changes: Sequence[ClaimChange], month: str) -> MonthEnd:
    """The month end of `month` (YYYY-MM)."""
    known = {view.claim.id: view for view in views}
    mine = [each for each in changes if each.claim in known and each.month <= month]
    expired = {each.claim for each in mine if each.month == month and each.after is S.EXPIRED}
    carriers = _carriers(mine, known)
    later = {each.claim for each in changes if each.month > month}
    return MonthEnd(
        month=month,
        rolls=_rolls(mine, carriers, month),
        open=_open(mine, known, carriers, month),
        astray=tuple(_astray(mine, [view for view in views if view.claim.id not in later])),
        recovery=_recovery(views),
        leak=tuple(view for view in views if view.claim.id in expired),
    )


def kind_of(change: ClaimChange) -> str:
    """What sort of move a change is; the part of it that was money is always `paid`."""
    kinds = {
        S.WITHDRAWN: "withdrawn",
        S.WRITTEN_OFF: "written_off",
        S.APPEALED: "reopened",
        S.APPROVED: "refused",
        S.APPROVED_PARTIAL: "refused",
        S.REJECTED: "refused",
        S.PAID: "refused",
        S.OFFSET: "refused",
    }
    if change.after is S.FILED and change.before is not S.FILED:
        return "filed"
    return "corrected" if change.before is change.after else kinds.get(change.after, "corrected")


def _carriers(changes: Sequence[ClaimChange], known: Mapping[int, ClaimView]) -> dict[int, str]:
    """Whose claim each is: the carrier it was filed with, whoever the parcel is said to be with later."""
    found: dict[int, str] = {}
    for change in changes:
        if change.count or change.amount:
            found.setdefault(change.claim, change.carrier or known[change.claim].carrier or "")
    return found


def _astray(changes: Sequence[ClaimChange], views: Sequence[ClaimView]) -> Iterator[str]:
    """Claims of which the register says another open sum than their history does."""
    sums: dict[tuple[int, str], Decimal] = {}
    for change in changes:
        key = (change.claim, change.currency or "?")
        sums[key] = sums.get(key, Decimal(0)) + change.amount
    left: dict[int, dict[str, Decimal]] = {}
    for (claim_id, currency), amount in sums.items():
        if amount:
            left.setdefault(claim_id, {})[currency] = amount
    for view in views:
        claim = view.claim
        stands = outstanding(claim)
        if left.get(claim.id, {}) != ({claim.claimed_currency or "?": stands} if stands else {}):
            yield claim.number


def _rolls(changes: Sequence[ClaimChange], carriers: Mapping[int, str], month: str) -> tuple[Roll, ...]:
    opening: dict[tuple[str, str], Moves] = {}
    moves: dict[tuple[str, str], dict[str, Moves]] = {}
    for change in changes:
        if not change.amount and not change.count and not change.settled:
            continue
        key = (carriers.get(change.claim, ""), change.currency or "?")
        if change.month < month:
            opening[key] = opening.get(key, Moves()).plus(change.count, change.amount)
            continue
        mine = moves.setdefault(key, {})
        rest, paid = change.amount - change.settled, change.settled
        if paid:
            mine["paid"] = mine.get("paid", Moves()).plus(change.count, paid)
        if rest or (change.count and not paid):
            kind = kind_of(change)
            mine[kind] = mine.get(kind, Moves()).plus(0 if paid else change.count, rest)
    found = []
    for key in sorted({*opening, *moves}):
        begin, mine = opening.get(key, Moves()), moves.get(key, {})
        end = begin
        for each in mine.values():
            end = end.plus(each.count, each.amount)
        found.append(Roll(carrier=key[0], currency=key[1], opening=begin, moves=mine, closing=end))
    return tuple(found)


def _open(
    changes: Sequence[ClaimChange], known: Mapping[int, ClaimView], carriers: Mapping[int, str], month: str
) -> tuple[OpenClaim, ...]:
    """The list that the roll-forward closes with: each claim's own balance, from its history."""
    first = date.fromisoformat(f"{month}-01")
    end = first.replace(day=monthrange(first.year, first.month)[1])
    balances: dict[int, dict[str, Decimal]] = {}
    counts: dict[int, int] = {}
    for change in changes:
        if change.amount:
            mine = balances.setdefault(change.claim, {})
            mine[change.currency or "?"] = mine.get(change.currency or "?", Decimal(0)) + change.amount
        counts[change.claim] = counts.get(change.claim, 0) + change.count
    found = []
    for claim_id, count in counts.items():
        mine = {currency: amount for currency, amount in balances.get(claim_id, {}).items() if amount}
        if not mine and count:
            mine = {known[claim_id].claim.claimed_currency or "?": Decimal(0)}
        found += [_aged(known[claim_id], carriers[claim_id], amount, currency, end) for currency, amount in mine.items()]
    return tuple(sorted(found, key=lambda each: (each.carrier, each.filed_on or end, each.claim.id)))


def _aged(view: ClaimView, carrier: str, amount: Decimal, currency: str, end: date) -> OpenClaim:
    claim = view.claim
    due = claim.payout_due_on if claim.approved is not None else claim.answer_due_on
    return OpenClaim(
        claim=claim,
        carrier=carrier,
        open=amount,
        currency=currency,
        filed_on=claim.filed_on,
        age=age_band(claim.filed_on or end, end),
        overdue=due is not None and due < end,
    )


def _recovery(views: Sequence[ClaimView]) -> tuple[Recovery, ...]:
    sums: dict[tuple[str, str, str], list[Decimal]] = {}
    for view in views:
        claim = view.claim
        if claim.claimed is None:
            continue
        key = (view.carrier or "", view.service or "", claim.claimed_currency or "?")
        mine = sums.setdefault(key, [Decimal(0), Decimal(0), Decimal(0)])
        mine[0] += claim.claimed
        for payment in () if claim.reversed_on else claim.payments:
            mine[2 if payment.how.value == "coupon" else 1] += payment.settles
    return tuple(
        Recovery(carrier=key[0], service=key[1], currency=key[2], claimed=mine[0], paid=mine[1], coupons=mine[2])
        for key, mine in sorted(sums.items())
    )


def closes(end: MonthEnd) -> bool:
    """Whether every roll-forward closes with the list of open claims, to the cent, and that list with the register."""
    sums: dict[tuple[str, str], Decimal] = {}
    for each in end.open:
        key = (each.carrier, each.currency)
        sums[key] = sums.get(key, Decimal(0)) + each.open
    rolls = {(roll.carrier, roll.currency): roll.closing.amount for roll in end.rolls}
    told = all(rolls.get(key, Decimal(0)) == sums.get(key, Decimal(0)) for key in {*rolls, *sums})
    return told and not end.astray
