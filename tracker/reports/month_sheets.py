"""The month end as sheets of a workbook, with words in the operators' language and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tracker.phrases import Phrases
from tracker.reports.month_end import KINDS, MonthEnd, Moves
from tracker.reports.postings import Posting
from tracker.reports.sheet import Cell, Chart, Column, Sheet

AGES = ("0-30", "31-60", "61-90", "over 90")


def month_sheets(
    end: MonthEnd, booked: Sequence[Posting], recovered: Sequence[tuple[Cell, ...]], phrases: Phrases
) -> list[Sheet]:
    """Roll-forward, open claims, ageing, recovery, the leak, postings, recovered late arrivals: those that have a line."""
    sheets = [
        _rolls(end, phrases),
        _open(end, phrases),
        _ages(end, phrases),
        _recovery(end, phrases),
        _leak(end, phrases),
        _postings(booked, phrases),
        _sheet("recovered", ("order_id", "shop", "paid_on", "amount", "currency"), recovered, phrases),
    ]
    return [sheet for sheet in sheets if sheet.rows]


def _rolls(end: MonthEnd, phrases: Phrases) -> Sheet:
    names = ("carrier", "currency", "opening_count", "opening", *(f"moved_{kind}" for kind in KINDS), "closing_count", "closing")
    rows: list[tuple[Cell, ...]] = []
    for roll in end.rolls:
        moved = tuple(roll.moves.get(kind, Moves()).amount for kind in KINDS)
        first = (roll.carrier, roll.currency, roll.opening.count, roll.opening.amount)
        rows.append((*first, *moved, roll.closing.count, roll.closing.amount))
    chart = Chart(title=phrases.word("month_end", "rolls"), labels=0, values=(len(names) - 1,))
    return _sheet("rolls", names, rows, phrases, chart)


def _open(end: MonthEnd, phrases: Phrases) -> Sheet:
    names = ("claim_no", "carrier", "status", "filed_on", "age", "overdue", "open", "currency")
    yes = phrases.say("explain.yes")
    rows = [
        (
            each.claim.number,
            each.carrier,
            phrases.word("claim", each.claim.state),
            each.filed_on,
            phrases.word("age", each.age),
            yes if each.overdue else None,
            each.open,
            each.currency,
        )
        for each in end.open
    ]
    return _sheet("open", names, rows, phrases)


def _ages(end: MonthEnd, phrases: Phrases) -> Sheet:
    """Open sums by age: a line a carrier and currency."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    for each in end.open:
        mine = sums.setdefault((each.carrier, each.currency), dict.fromkeys(AGES, Decimal(0)))
        mine[each.age] += each.open
    rows: list[tuple[Cell, ...]] = [(*key, *mine.values()) for key, mine in sorted(sums.items())]
    columns = [phrases.word("register", "carrier"), phrases.word("month_end", "currency")]
    columns += [phrases.word("age", age) for age in AGES]
    chart = Chart(title=phrases.word("month_end", "ages"), labels=0, values=(2, 3, 4, 5))
    return _titled("ages", columns, rows, phrases, chart)


def _recovery(end: MonthEnd, phrases: Phrases) -> Sheet:
    names = ("carrier", "service", "currency", "claimed", "paid", "coupons", "rate")
    rows = [(e.carrier, e.service, e.currency, e.claimed, e.paid, e.coupons or None, _percent(e.rate)) for e in end.recovery]
    return _sheet("recovery", names, rows, phrases, Chart(title=phrases.word("month_end", "recovery"), labels=0, values=(3, 4)))


def _leak(end: MonthEnd, phrases: Phrases) -> Sheet:
    names = ("claim_no", "carrier", "latest_on", "payable", "currency", "cause", "owner")
    rows: list[tuple[Cell, ...]] = []
    for view in end.leak:
        claim = view.claim
        cause = phrases.word("why", claim.cause) if phrases.knows(f"why.{claim.cause}") else claim.cause
        rows.append((claim.number, view.carrier, claim.latest_on, claim.payable, claim.currency, cause, claim.owner))
    return _sheet("leak", names, rows, phrases)


def _postings(booked: Sequence[Posting], phrases: Phrases) -> Sheet:
    first = ("on", "claim_no", "carrier", "event", "debit", "credit", "amount", "currency")
    names = (*first, "base_amount", "base_currency", "late", "why")
    rows = [
        (
            each.on,
            each.claim,
            each.carrier,
            each.event,
            phrases.word("account", each.debit),
            phrases.word("account", each.credit),
            each.amount,
            each.currency,
            each.base,
            each.base_currency,
            each.late,
            each.why or None,
        )
        for each in booked
    ]
    return _sheet("postings", names, rows, phrases)


def _percent(rate: Decimal | None) -> str | None:
    return None if rate is None else f"{rate * 100:.1f} %"


_REGISTERS = (
    *("claim_no", "carrier", "service", "status", "filed_on", "latest_on", "payable", "cause", "owner", "claimed", "paid"),
    *("order_id", "shop", "paid_on", "base_amount", "base_currency"),
)
_FROM_REGISTER: Mapping[str, str] = dict.fromkeys(_REGISTERS, "register")
"""Columns that are headed as in the register; the others have words of their own."""


def _sheet(
    name: str, names: Sequence[str], rows: Sequence[Sequence[Cell]], phrases: Phrases, chart: Chart | None = None
) -> Sheet:
    titles = [phrases.word(_FROM_REGISTER.get(each, "month_end"), each) for each in names]
    return _titled(name, titles, rows, phrases, chart)


def _titled(
    name: str, titles: Sequence[str], rows: Sequence[Sequence[Cell]], phrases: Phrases, chart: Chart | None = None
) -> Sheet:
    columns = tuple(Column(title=title, width=16) for title in titles)
    charts = () if chart is None else (chart,)
    return Sheet(name=phrases.word("month_end", name), columns=columns, rows=tuple(rows), charts=charts)
