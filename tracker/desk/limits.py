"""How much one person may decide alone: the own limit, the sum that wants two people, the small refunds of a bulk (D23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from tracker.desk.errors import Refused
from tracker.desk.people import listed
from tracker.model import ActionKind, OutboxState
from tracker.rules import Rules
from tracker.rules import within as compared
from tracker.store.rows import OutboxView
from tracker.team import Person, folded


def within(limits: Mapping[str, Decimal], view: OutboxView, rules: Rules, on: date) -> bool | None:
    """Whether the row's amount stays within limits by currency, converted where fx.toml can; None: it cannot be compared."""
    return compared(limits, view.row.amount, view.row.currency, rules.rates, on)


def wants_second(view: OutboxView, by: str, rules: Rules, on: date) -> bool:
    """Whether the refund wants two people: a large one, one that cannot be compared, one beyond comparison for this person.

    One whose amount no file has told may be a large one, and wants two as well. What is sent again counts by its worth. Of two
    people one has to be allowed the amount: a first yes above the own limit is taken where somebody else may approve it. Raises
    `Refused` above it.
    """
    if view.row.kind is not ActionKind.REFUND or view.row.state is not OutboxState.HELD:
        return False
    allowed = _allowed(by, view, rules, on)
    large = rules.manners.second_person_above
    two = bool(large and within(large, view, rules, on) is not True)
    if allowed is False and not two:
        raise Refused("above_limit", _above(view, rules.team.person(by), rules, on))
    first = view.first_approved_by
    if first is None:
        enough = allowed is not False or any(may_approve(each, view, rules, on) for each in rules.team.people)
    else:
        both = {allowed, _allowed(first, view, rules, on)}
        enough = True in both or False not in both or folded(first) == folded(by)
    if not enough:
        raise Refused("above_limit", _above(view, rules.team.person(by), rules, on))
    return allowed is None or two


def _allowed(who: str, view: OutboxView, rules: Rules, on: date) -> bool | None:
    person = rules.team.person(who)
    return True if person is None else may_approve(person, view, rules, on)


def may_approve(person: Person, view: OutboxView, rules: Rules, on: date) -> bool | None:
    """Whether the amount is within this person's own limit; None: it cannot be compared."""
    return within(person.approve_up_to, view, rules, on) if person.approve_up_to else True


def _above(view: OutboxView, person: Person | None, rules: Rules, on: date) -> str:
    may = [each for each in rules.team.people if may_approve(each, view, rules, on)]
    who = f"Ask {listed(may)}" if may else "Nobody of the team may: raise approve_up_to in team.toml"
    name, limits = ("you", "") if person is None else (person.name, _figures(person.approve_up_to))
    return f"{view.row.amount} {view.row.currency} is more than {name} may approve ({limits}). {who}."


def small(view: OutboxView, rules: Rules, on: date) -> bool:
    """Whether the refund is one of the small ones that may be approved many at once."""
    gives = view.row.kind is ActionKind.REFUND and (view.row.remedy is None or view.row.remedy.pays)
    return gives and within(rules.manners.bulk_up_to, view, rules, on) is True


def totals(views: Iterable[OutboxView]) -> dict[str, Decimal]:
    """The sum of the rows' amounts by currency, in its order; `?` for amounts in none, unknown amounts left out."""
    sums: dict[str, Decimal] = {}
    for view in views:
        if view.row.amount is not None:
            currency = view.row.currency or "?"
            sums[currency] = sums.get(currency, Decimal(0)) + view.row.amount
    return dict(sorted(sums.items()))


def _figures(limits: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{limit} {currency}" for currency, limit in limits.items())
