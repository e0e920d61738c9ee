"""Plans of many orders added up, one order at a time: memory follows days, stores and templates, never the orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tracker.model import ActionKind, Intent
from tracker.plan.ahead import Chore, Planned, Work
from tracker.plan.compare import Change, Changed
from tracker.rules import Rules

COUNTED: Mapping[ActionKind, str] = {
    ActionKind.MESSAGE: "messages",
    ActionKind.EXTENSION: "extensions",
    ActionKind.REFUND: "refund_proposals",
    ActionKind.COMPENSATION: "claims",
    ActionKind.TASK: "tasks",
}
"""What a plan calls the kinds of effects."""

EXAMPLES = 3


class Total(msgspec.Struct, kw_only=True):
    """A running count with sums by currency; `held` of them would wait for a person first. `examples` are orders."""

    count: int = 0
    held: int = 0
    amounts: dict[str, Decimal] = {}
    examples: list[str] = []

    def add(self, order: str, amount: Decimal | None, currency: str | None, *, held: bool = False) -> None:
        """One more."""
        self.count += 1
        self.held += held
        if amount is not None:
            name = currency or "?"
            self.amounts[name] = self.amounts.get(name, Decimal(0)) + amount
        if len(self.examples) < EXAMPLES and order not in self.examples:
            self.examples.append(order)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan: what happens in a store on a day (the store's own date)."""

    day: date
    store: str
    what: str
    intent: Intent
    template: str | None
    total: Total


class ChoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one kind in a store on a day. `first_deadline` is the earliest of it."""

    day: date
    store: str
    work: Work
    total: Total
    first_deadline: datetime | None


def local_day(rules: Rules, store: str, at: datetime) -> date:
    """The date at `at` in the store's zone; in UTC for a store that no file describes any more."""
    known = rules.stores.get(store)
    return at.date() if known is None else at.astimezone(ZoneInfo(known.zone)).date()


class Tally:
    """A plan: lines by day, store and template, and totals by kind."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._lines: dict[tuple[date, str, str, str, str], Total] = {}
        self.totals: dict[str, Total] = {name: Total() for name in COUNTED.values()}

    def add(self, effects: Iterable[Planned]) -> None:
        """What is planned for one more order."""
        for effect in effects:
            day = local_day(self._rules, effect.store, effect.at)
            what = COUNTED[effect.kind]
            line = self._lines.setdefault((day, effect.store, what, effect.intent.value, effect.template or ""), Total())
            for total in (line, self.totals[what]):
                total.add(effect.order, effect.amount, effect.currency, held=effect.hold is not None)

    def lines(self) -> list[Line]:
        """By day, store and kind."""
        return [
            Line(day=day, store=store, what=what, intent=Intent(intent), template=template or None, total=total)
            for (day, store, what, intent, template), total in sorted(self._lines.items())
        ]


class Chores:
    """What needs a person within a span of days (inclusive, the stores' own dates)."""

    def __init__(self, rules: Rules, first: date, last: date) -> None:
        self._rules = rules
        self._first, self._last = first, last
        self._lines: dict[tuple[date, str, Work], Total] = {}
        self._deadlines: dict[tuple[date, str, Work], datetime] = {}
        self.totals: dict[str, Total] = {}

    def add(self, chores: Iterable[Chore]) -> None:
        """The work of one more order."""
        for chore in chores:
            day = local_day(self._rules, chore.store, chore.at)
            if not self._first <= day <= self._last:
                continue
            key = (day, chore.store, chore.work)
            for total in (self._lines.setdefault(key, Total()), self.totals.setdefault(chore.work.value, Total())):
                total.add(chore.order, chore.amount, chore.currency)
            if chore.deadline is not None:
                self._deadlines[key] = min(chore.deadline, self._deadlines.get(key, chore.deadline))

    def lines(self) -> list[ChoreLine]:
        """By day, store and kind of work."""
        return [
            ChoreLine(day=key[0], store=key[1], work=key[2], total=total, first_deadline=self._deadlines.get(key))
            for key, total in sorted(self._lines.items())
        ]


class Comparison:
    """The differences between two sets of rules, added up by kind of difference and of effect."""

    def __init__(self) -> None:
        self.totals: dict[tuple[Changed, str, Intent], Total] = {}
        self.orders = 0
        self.orders_touched = 0

    def add(self, changes: Iterable[Change]) -> None:
        """The differences for one more order."""
        self.orders += 1
        found = list(changes)
        self.orders_touched += bool(found)
        for change in found:
            effect = change.effect
            total = self.totals.setdefault((change.how, COUNTED[effect.kind], effect.intent), Total())
            total.add(effect.order, effect.amount, effect.currency, held=effect.hold is not None)

    def count(self, how: Changed, what: str) -> int:
        """How many effects of a kind differ that way."""
        return sum(total.count for (one, kind, _), total in self.totals.items() if (one, kind) == (how, what))
