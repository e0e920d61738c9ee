"""What people record about a claim, and what follows from it: dates, frozen rates, what is still open (facts/compensation.md 4).

R87: opened, negotiating, paid, rejected. An illegal change is an error, the same one twice changes nothing, and whatever is
recorded later can contradict nothing that was recorded before without saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.compensation.exchange import converted, rounded, to_base
from tracker.compensation.ledger import outstanding
from tracker.compensation.states import ClaimEvent, advance
from tracker.dates import add_working_days
from tracker.model import Claim, ClaimState, Liable, Payment, Settlement
from tracker.rates import Rates
from tracker.rules import CompensationRule

E = ClaimEvent


class BadEntry(ValueError):  # noqa: N818 - said in the words of the business
    """What was said about the claim lacks something, or contradicts what is known; the message says what."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a claim on a day (local date at the origin).

    `settles` is what a payment in another currency settles in the claim's own one. `whole`: what comes short of the approved
    sum is a shortfall that nobody waits for.
    """

    event: ClaimEvent
    on: date
    why: str = ""
    reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    settles: Decimal | None = None
    how: Settlement = Settlement.CASH
    whole: bool = False


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What the entry is read against: the claim's terms (None: they are gone from the configuration) and the rates."""

    terms: CompensationRule | None
    rates: Rates


def record(claim: Claim, entry: Entry, ground: Ground) -> Claim:
    """The claim after it. The same entry again returns the claim as it is. Raises IllegalMove, BadEntry."""
    searches = ground.terms is not None and ground.terms.inquiry_only
    _in_order(claim, entry)
    if entry.event in {E.PAID, E.OFFSET}:
        return _pay(claim, entry, ground, searches=searches)
    state = advance(claim.state, entry.event, inquiry_only=searches)
    change = _CHANGES.get(entry.event, _nothing)
    after = replace(claim, **change(claim, entry, ground))
    if state is claim.state and after != claim:
        raise BadEntry(f"the claim is {state.value} already, and what is known of that differs: correct single facts instead")
    return replace(after, state=state)


_AFTER_FILING = frozenset(E) - {E.WINDOW_OPENED, E.WINDOW_CLOSED, E.INQUIRY_SENT, E.INQUIRY_FRUITLESS, E.FILED}


def _in_order(claim: Claim, entry: Entry) -> None:
    """An answer before the question would be booked in a month in which nothing was open. Raises BadEntry."""
    if claim.filed_on is not None and entry.event in _AFTER_FILING and entry.on < claim.filed_on:
        raise BadEntry(f"{entry.on} lies before {claim.filed_on}, the day on which the claim was filed")
    decided = claim.answered_on if claim.state in {ClaimState.APPROVED, ClaimState.APPROVED_PARTIAL} else None
    if decided is not None and entry.event in {E.PAID, E.OFFSET, E.APPEALED} and entry.on < decided:
        raise BadEntry(f"{entry.on} lies before {decided}, the day on which the carrier approved")


def due_after(on: date, days: int | None, kind: str, country: str | None) -> date | None:
    """The last day of a carrier's own term: calendar days, or working days of its country."""
    if days is None:
        return None
    return add_working_days(on, days, country) if kind == "biz" else on + timedelta(days=days)


Changes = Mapping[str, object]


def _nothing(_claim: Claim, _entry: Entry, _ground: Ground) -> Changes:
    return {}


def _answer_due(on: date, ground: Ground) -> date | None:
    terms = ground.terms
    return None if terms is None else due_after(on, terms.response_days, terms.response_day_kind, terms.country)


def _inquired(claim: Claim, entry: Entry, ground: Ground) -> Changes:
    return {
        "inquiry_on": entry.on,
        "inquiry_ref": entry.reference or claim.inquiry_ref,
        "answer_due_on": _answer_due(entry.on, ground),
    }


def _filed(claim: Claim, entry: Entry, ground: Ground) -> Changes:
    amount = entry.amount if entry.amount is not None else claim.claimed if claim.claimed is not None else claim.payable
    currency = entry.currency or claim.claimed_currency or claim.currency
    if amount is None or currency is None:
        raise BadEntry("what the carrier owes is not known: say the amount that was claimed and its currency")
    if rounded(amount, currency) <= 0:
        raise BadEntry(f"{amount} {currency} is no amount to claim")
    if claim.liable is not Liable.CARRIER:
        raise BadEntry(f"this loss is borne by the {claim.liable.value}, so there is nothing to claim from the carrier (R70)")
    return {
        "filed_on": entry.on,
        "carrier_ref": entry.reference or claim.carrier_ref,
        "claimed": rounded(amount, currency),
        "claimed_currency": currency,
        "answer_due_on": _answer_due(entry.on, ground),
    }


def _acknowledged(claim: Claim, entry: Entry, _ground: Ground) -> Changes:
    return {"carrier_ref": entry.reference or claim.carrier_ref}


def _documents_wanted(claim: Claim, entry: Entry, _ground: Ground) -> Changes:
    """The same wish said again keeps its day; after the papers were sent it is a new one."""
    waits = claim.state is ClaimState.WAITING_DOCUMENTS
    return {"papers_wanted_on": claim.papers_wanted_on if waits else entry.on}


def _approved(claim: Claim, entry: Entry, ground: Ground) -> Changes:
    """The receivable is recognised now: rate, its month and source are frozen."""
    claimed, currency = _asked(claim, entry)
    amount = entry.amount if entry.amount is not None else claim.approved if claim.approved is not None else claimed
    amount = rounded(amount, currency)
    if amount < claim.settled:
        raise BadEntry(f"{claim.settled} {currency} have come already: the carrier cannot approve {amount}")
    partly = entry.event is E.APPROVED_PARTLY
    if partly and (entry.amount is None and claim.approved is None):
        raise BadEntry("say how much the carrier approved")
    if partly and not 0 < amount < claimed:
        raise BadEntry(f"{amount} {currency} is not a part of the {claimed} {currency} that were claimed")
    if not partly and amount < claimed:
        raise BadEntry(f"{amount} {currency} is less than the {claimed} {currency} that were claimed: that is approved_partial")
    terms = ground.terms
    due = None if terms is None else due_after(entry.on, terms.payout_days, terms.payout_day_kind, terms.country)
    return {
        "approved": rounded(amount, currency),
        "answered_on": entry.on,
        "carrier_ref": entry.reference or claim.carrier_ref,
        "exchange": to_base(amount, currency, entry.on, ground.rates),
        "payout_due_on": due,
        "appeal_until": _appeal_until(entry.on, ground) if partly else None,
    }


def _rejected(claim: Claim, entry: Entry, ground: Ground) -> Changes:
    return {
        "answered_on": entry.on,
        "appeal_until": _appeal_until(entry.on, ground),
        "carrier_ref": entry.reference or claim.carrier_ref,
    }


def _appeal_until(on: date, ground: Ground) -> date | None:
    days = None if ground.terms is None else ground.terms.appeal_days
    return None if days is None else on + timedelta(days=days)


def _appealed(claim: Claim, entry: Entry, ground: Ground) -> Changes:
    if claim.appeal_until is not None and entry.on > claim.appeal_until:
        raise BadEntry(f"an appeal was open until {claim.appeal_until}: {entry.on} is too late")
    due = _answer_due(entry.on, ground)
    return {"approved": None, "exchange": None, "payout_due_on": None, "answer_due_on": due, "appeal_until": None}


def _reversed(_claim: Claim, entry: Entry, _ground: Ground) -> Changes:
    return {"reversed_on": entry.on}


def _given_up(claim: Claim, entry: Entry, _ground: Ground) -> Changes:
    if not entry.why and claim.state is not ClaimState.WRITTEN_OFF:
        raise BadEntry("writing a claim off wants a reason")
    return {}


_CHANGES: Mapping[ClaimEvent, Callable[[Claim, Entry, Ground], Changes]] = {
    E.INQUIRY_SENT: _inquired,
    E.FILED: _filed,
    E.ACKNOWLEDGED: _acknowledged,
    E.DOCUMENTS_WANTED: _documents_wanted,
    E.APPROVED: _approved,
    E.APPROVED_PARTLY: _approved,
    E.REJECTED: _rejected,
    E.APPEALED: _appealed,
    E.GIVEN_UP: _given_up,
    E.DELIVERED_AFTER_PAYMENT: _reversed,
}


def _asked(claim: Claim, entry: Entry) -> tuple[Decimal, str]:
    if claim.claimed is None or claim.claimed_currency is None:
        raise BadEntry("nobody has recorded what was claimed")
    if entry.currency is not None and entry.currency != claim.claimed_currency:
        raise BadEntry(f"the claim was made in {claim.claimed_currency}, not in {entry.currency}: say the amount in that one")
    return claim.claimed, claim.claimed_currency


def _pay(claim: Claim, entry: Entry, ground: Ground, *, searches: bool) -> Claim:
    """A payment, in whole or in part: the claim stays approved until what was approved has come."""
    if entry.event is E.OFFSET and not entry.reference:
        raise BadEntry("a credit on a freight bill wants its statement line: say the reference")
    currency = entry.currency or claim.claimed_currency
    amount = entry.amount if entry.amount is not None else outstanding(claim)
    amount = amount if currency is None else rounded(amount, currency)
    how = Settlement.OFFSET if entry.event is E.OFFSET else entry.how
    if _known(claim, entry, amount, currency):
        return claim
    state = advance(claim.state, entry.event, inquiry_only=searches)
    if state is claim.state:
        raise BadEntry(f"the claim is {state.value} already: nothing more is owed")
    if currency is None or amount <= 0:
        raise BadEntry(f"{amount} {currency or ''} is no payment".replace("  ", " "))
    left = outstanding(claim)
    if currency == claim.claimed_currency and entry.settles is None and amount > left + _TOO_MUCH:
        raise BadEntry(f"{amount} {currency} are more than the {left} {currency} that are open: say what of it settles the claim")
    settles = min(rounded(_settles(claim, entry, amount, currency, ground), claim.claimed_currency or currency), left)
    came = Payment(
        on=entry.on,
        amount=amount,
        currency=currency,
        settles=settles,
        how=how,
        reference=entry.reference,
        exchange=to_base(amount, currency, entry.on, ground.rates),
    )
    if settles <= 0:
        raise BadEntry(f"a payment that settles {settles} of the claim is none")
    after = replace(claim, payments=(*claim.payments, came))
    return replace(after, state=state) if entry.whole or settles >= left else after


_TOO_MUCH = Decimal("0.05")
"""By so much a payment may be over what is open: carriers round."""


def _known(claim: Claim, entry: Entry, amount: Decimal, currency: str | None) -> bool:
    """Whether this very payment was recorded before; without day, sum or reference of its own it is the last one said again."""
    paid = claim.state in {ClaimState.PAID, ClaimState.OFFSET, ClaimState.CLOSED}
    return any(
        (each.on, each.currency, each.reference) == (entry.on, currency, entry.reference)
        and (each.amount == amount or (paid and entry.amount is None))
        for each in claim.payments
    )


def _settles(claim: Claim, entry: Entry, amount: Decimal, currency: str, ground: Ground) -> Decimal:
    own = claim.claimed_currency or currency
    if entry.settles is not None:
        return entry.settles
    found = converted(amount, currency, own, entry.on, ground.rates)
    if found is None:
        raise BadEntry(
            f"{amount} {currency} for a claim in {own}, and fx.toml has no rate of {entry.on:%Y-%m} between them: "
            "say what it settles"
        )
    return found
