"""What can be done about one parcel's money, and what each way costs (R3, R37, R40, R41, R84, R85, D6, D7, D14).

A recommendation proposes one remedy; a person may choose another one, with the costs of all of them before his eyes (D11).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from tracker import compensation
from tracker.dates import DAY, utc_text
from tracker.model import DecisionReason, Remedy
from tracker.policy.view import PLATFORM, Parcel, View
from tracker.rules import Rules, within

OPTION = "option_"
"""Evidence of a recommendation: `option_reship` says what sending again costs."""

_GONE_FOR_GOOD = frozenset({DecisionReason.CARRIER_SAYS_LOST, DecisionReason.RETURNED_TO_SENDER})
_IN_REACH = frozenset({DecisionReason.ADDRESS_UNREACHABLE, DecisionReason.CARRIER_SAYS_MISDELIVERED})
"""Reasons with which the carrier has the parcel in its hands and could send it on."""


def by_value(cause: str, amount: Decimal | None, currency: str | None, rules: Rules, on: date) -> Remedy:
    """What the table proposes for a cause (a word of DecisionReason or CaseReason) and a value (R40); else the full refund."""
    for line in rules.remedies:
        if line.fits(cause, amount, currency, rules.rates, on):
            return line.remedy
    return Remedy.FULL_REFUND


def early(amount: Decimal | None, currency: str | None, rules: Rules, on: date) -> bool:
    """Whether goods are so cheap that in a case they are refunded without a fight (R41): the platform sides with the buyer."""
    return within(rules.manners.early_below, amount, currency, rules.rates, on) is True


def partial(amount: Decimal | None, currency: str | None, rules: Rules, on: date) -> Decimal | None:
    """What a partial refund of this value proposes (D7, R40), by the table, else the share; None where a person names the sum."""
    if amount is None:
        return None
    fits = (line.share for line in rules.partials if line.fits(amount, currency, rules.rates, on))
    part = next(fits, rules.manners.partial_share)
    if part is None:
        return None
    found = (amount * part).quantize(Decimal(1).scaleb(-get_currency_precision(currency or "")), ROUND_HALF_UP)
    return found if 0 < found < amount else None


def propose(view: View, reason: DecisionReason, worth: Decimal | None) -> tuple[Remedy, Decimal | None]:
    """The remedy that is proposed, and the sum: what a refund pays, or the worth of what is sent again or on."""
    currency = view.order.currency
    remedy = by_value(reason.value, worth, currency, view.rules, view.now.date())
    if remedy is not Remedy.PARTIAL_REFUND:
        return remedy, worth
    part = partial(worth, currency, view.rules, view.now.date())
    return (Remedy.FULL_REFUND, worth) if part is None else (remedy, part)


def options(view: View, parcel: Parcel, reason: DecisionReason, worth: Decimal | None, closes: datetime | None) -> dict[str, str]:
    """Every way open to a person with its cost, as evidence: `option_<remedy>` -> what it costs."""
    found = {Remedy.FULL_REFUND: cost_of_refund(view, parcel, worth)}
    part = partial(worth, view.order.currency, view.rules, view.now.date())
    if part is not None:
        found[Remedy.PARTIAL_REFUND] = _money(view, part)
    found[Remedy.RESHIP] = _reship(view, parcel, worth)
    if reason in _IN_REACH:
        found[Remedy.FORWARD] = "the freight of another carrier"
    if reason not in _GONE_FOR_GOOD:
        found[Remedy.WAIT] = _wait(view, parcel, closes)
    return {f"{OPTION}{remedy.value}": cost for remedy, cost in found.items()}


def cost_of_refund(view: View, parcel: Parcel, worth: Decimal | None) -> str:
    """What the seller gives away who refunds before the platform has settled it (facts/compensation.md 1.7)."""
    terms = compensation.match(parcel.shipment, view.rules)
    told = "the amount is not known" if worth is None else _money(view, worth)
    if terms is None or terms.settled_by != PLATFORM or terms.cap_amount is None:
        return told
    return f"{told}, and what the platform pays for the loss (at most {terms.cap_amount} {terms.cap_currency})"


def cost_of_dispute(view: View) -> str:
    """What an untrackable parcel under dispute costs the shop (D6)."""
    days = view.market.freeze_days
    return f"{days} days of freeze" if days else "none known"


def _reship(view: View, parcel: Parcel, worth: Decimal | None) -> str:
    shipment = parcel.shipment
    goods = "goods of unknown value" if worth is None else f"goods worth {_money(view, worth)}"
    if shipment.freight is None:
        return f"{goods}; the freight is not known"
    return f"{goods}, freight {shipment.freight} {shipment.freight_currency or ''}".rstrip()


def _wait(view: View, parcel: Parcel, closes: datetime | None) -> str:
    """The days that are left, what a dispute would cost, and how many still arrive so late, where own deliveries tell."""
    told = []
    if closes is None:
        told.append("until when is not known")
    elif closes <= view.now:
        told.append("the window has closed")
    else:
        told.append(f"{(closes - view.now) // DAY} days until the window closes ({utc_text(closes)})")
    if view.market.freeze_days:
        told.append(f"a dispute: {cost_of_dispute(view)}")
    chance = _chance(view, parcel)
    return "; ".join([*told, chance] if chance else told)


def _chance(view: View, parcel: Parcel) -> str:
    """How many of the own deliveries there took longer than this parcel has; empty where there are too few of them."""
    own = view.rules.learned.get(f"{view.destination(parcel)}/{parcel.shipment.service}")
    if own is None or own.count < view.rules.manners.learn_from or not view.rules.manners.learn_from:
        return ""
    for share, days in ((1, own.p99), (5, own.p95), (10, own.p90), (20, own.p80), (50, own.p50)):
        if parcel.age >= days:
            return f"at most {share} of 100 own deliveries took longer than {parcel.age} days"
    return f"more than half of the own deliveries took longer than {parcel.age} days"


def _money(view: View, amount: Decimal) -> str:
    return f"{amount} {view.order.currency or ''}".rstrip()
