"""What a backtest adds up, one order at a time: memory follows days, templates and odd rows, never the orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tracker.backtest.past import PastOrder
from tracker.backtest.replay import Outcome

OPEN_DAYS = (30, 45, 60, 90)
COST_DAYS = (0, 7, 14, 20, 30, 35, 40, 45, 50, 60, 75, 90)
"""Days since hand-over of the two tables (facts/transit.md section 6)."""

FOLLOW_UP = timedelta(days=150)
"""Whether a parcel never arrived is known only of one that had so long to do so."""


class Counts:
    """All figures of one set of rules over one file."""

    def __init__(self, as_of: datetime) -> None:
        self._as_of = as_of
        self.orders = self.shipped = self.extensions = self.claims = self.recommended = self.later_delivered = self.visits = 0
        self.open_longer = dict.fromkeys(OPEN_DAYS, 0)
        self.messages: dict[str, int] = {}
        self.refunded: dict[str, Decimal] = {}
        self._judged = dict.fromkeys(COST_DAYS, 0)
        self._never = dict.fromkeys(COST_DAYS, 0)
        self._cost_orders = dict.fromkeys(COST_DAYS, 0)
        self._cost_arrived = dict.fromkeys(COST_DAYS, 0)
        self._cost: dict[int, dict[str, Decimal]] = {day: {} for day in COST_DAYS}

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
        for day in OPEN_DAYS:
            self.open_longer[day] += took > timedelta(days=day)
        for day in COST_DAYS:
            if took <= timedelta(days=day):
                break
            self._judged[day] += judged
            self._never[day] += judged and not arrived
            self._cost_orders[day] += 1
            self._cost_arrived[day] += arrived
            _plus(self._cost[day], past.amount, past.currency)

    def document(self) -> dict[str, Any]:
        """The figures, as the contract names them (DESIGN, Commands)."""
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
                str(day): round(self._never[day] / judged, 4) if judged else None for day, judged in self._judged.items()
            },
            "judged_by_day": {str(day): judged for day, judged in self._judged.items()},
            "refund_cost_by_day": {
                str(day): {
                    "orders": count,
                    "later_delivered": self._cost_arrived[day],
                    "amounts": _sums(self._cost[day]),
                }
                for day, count in self._cost_orders.items()
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
