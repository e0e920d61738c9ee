"""What a backtest adds up, one order at a time: memory follows days, templates and odd rows, never the orders."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from tracker.backtest.past import PastOrder
from tracker.backtest.replay import Outcome

OPEN_DAYS = (30, 45, 60, 90)
COST_DAYS = (0, 7, 14, 20, 30, 35, 40, 45, 50, 60, 75, 90)
"""Days since hand-over of the two tables (facts/transit.md section 6)."""

FOLLOW_UP = timedelta(days=150)
"""Whether a parcel never arrived is known only of one that had so long to do so."""


_COST_SPANS = tuple(timedelta(days=day) for day in COST_DAYS)
_OPEN_SPANS = tuple((day, timedelta(days=day)) for day in OPEN_DAYS)


class _Longest(msgspec.Struct, gc=False):
    """Parcels by the last day of COST_DAYS on which they were still open."""

    judged: int = 0
    never: int = 0
    orders: int = 0
    arrived: int = 0
    cost: dict[str, Decimal] = {}


class Counts:
    """All figures of one set of rules over one file."""

    def __init__(self, as_of: datetime) -> None:
        self._as_of = as_of
        self.orders = self.shipped = self.extensions = self.claims = self.recommended = self.later_delivered = self.visits = 0
        self.open_longer = dict.fromkeys(OPEN_DAYS, 0)
        self.messages: dict[str, int] = {}
        self.refunded: dict[str, Decimal] = {}
        self._longest = [_Longest() for _ in range(len(COST_DAYS) + 1)]

    def add(self, past: PastOrder, outcome: Outcome) -> None:
        """One more order."""
        self.orders += 1
        self.visits += outcome.visits
        self.extensions += outcome.extensions
        self.claims += outcome.claims
        for template in outcome.messages:
            self.messages[template] = self.messages.get(template, 0) + 1
        for refund in outcome.refunds:
            self.recommended += 1
            self.later_delivered += refund.later_delivered
            _plus(self.refunded, refund.amount, refund.currency)
        if past.handed_over_at is not None and past.handed_over_at <= self._as_of:
            self._travel(past, past.handed_over_at)

    def _travel(self, past: PastOrder, handed_over_at: datetime) -> None:
        self.shipped += 1
        arrived = past.delivered_at is not None and past.delivered_at <= self._as_of
        took = (past.delivered_at if arrived and past.delivered_at is not None else self._as_of) - handed_over_at
        judged = self._as_of - handed_over_at >= FOLLOW_UP
        for day, span in _OPEN_SPANS:
            if took <= span:
                break
            self.open_longer[day] += 1
        here = self._longest[bisect_left(_COST_SPANS, took)]
        here.judged += judged
        here.never += judged and not arrived
        here.orders += 1
        here.arrived += arrived
        _plus(here.cost, past.amount, past.currency)

    def _open_on(self, place: int) -> _Longest:
        """All that were still open after the day at this place: those that took longer, however much."""
        found = _Longest()
        for each in self._longest[place + 1 :]:
            found.judged += each.judged
            found.never += each.never
            found.orders += each.orders
            found.arrived += each.arrived
            for currency, amount in each.cost.items():
                _plus(found.cost, amount, currency)
        return found

    def document(self) -> dict[str, Any]:
        """The figures, as the contract names them (DESIGN, Commands)."""
        open_on = {str(day): self._open_on(place) for place, day in enumerate(COST_DAYS)}
        return {
            "orders": self.orders,
            "shipped": self.shipped,
            "never_shipped": self.orders - self.shipped,
            "open_longer_than": {str(day): count for day, count in self.open_longer.items()},
            "messages": dict(sorted(self.messages.items())),
            "extensions": self.extensions,
            "refunds": {
                "recommended": self.recommended,
                "later_delivered": self.later_delivered,
                "amounts": _sums(self.refunded),
            },
            "compensation": {"opened": self.claims},
            "never_arrived_by_day": {
                day: round(each.never / each.judged, 4) if each.judged else None for day, each in open_on.items()
            },
            "judged_by_day": {day: each.judged for day, each in open_on.items()},
            "refund_cost_by_day": {
                day: {"orders": each.orders, "later_delivered": each.arrived, "amounts": _sums(each.cost)}
                for day, each in open_on.items()
            },
        }


def _plus(sums: dict[str, Decimal], amount: Decimal | None, currency: str | None) -> None:
    if amount is not None and currency is not None:
        sums[currency] = sums.get(currency, Decimal(0)) + amount


def _sums(sums: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in sorted(sums.items())}


def compared(now: Counts, other: Counts) -> dict[str, dict[str, Any]]:
    """Figure -> what these rules do, what the others do, and the difference; figures on which both agree included."""
    mine, theirs = _figures(now), _figures(other)
    found: dict[str, dict[str, Any]] = {}
    for name in sorted({*mine, *theirs}):
        one, two = mine.get(name, 0), theirs.get(name, 0)
        values = (str(one), str(two), str(two - one)) if name.startswith("refunds.amount.") else (one, two, two - one)
        found[name] = dict(zip(("this", "other", "difference"), values, strict=True))
    return found


def _figures(counts: Counts) -> dict[str, Any]:
    return {
        **{f"messages.{template}": count for template, count in counts.messages.items()},
        "extensions": counts.extensions,
        "refunds.recommended": counts.recommended,
        "refunds.later_delivered": counts.later_delivered,
        "compensation.opened": counts.claims,
        **{f"refunds.amount.{currency}": amount for currency, amount in counts.refunded.items()},
    }
