"""Plans added up: by the stores' own days, with sums by currency, and a memory that does not grow with the orders."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from tests.policy.build import DAY0, RULES, day, dossier, parcel, window
from tracker.model import HoldReason, Intent
from tracker.plan import Chores, Comparison, Planned, Tally, Work, compare, forecast


def effects(number: str = "8001", until: float = 56) -> tuple[Planned, ...]:
    one = dossier(parcel(last=8, heard=25), window=window(57), number=number)
    return forecast(one, RULES, day(25), day(until)).effects


def test_a_plan_is_grouped_by_day_store_and_template() -> None:
    tally = Tally(RULES)
    for number in ("8001", "8002", "8003", "8004"):
        tally.add(effects(number))
    told = [(line.day - DAY0.date(), line.what, line.intent, line.total.count) for line in tally.lines()]
    assert told[:3] == [
        (timedelta(days=30), "messages", Intent.STAGE1, 4),
        (timedelta(days=33), "claims", Intent.COMPENSATION, 4),
        (timedelta(days=45), "messages", Intent.STAGE2, 4),
    ]
    refunds = tally.totals["refund_proposals"]
    assert (refunds.count, refunds.held, refunds.amounts) == (4, 4, {"USD": Decimal("120.00")})
    assert refunds.examples == ["8001", "8002", "8003"]
    assert tally.totals["extensions"].count == 4
    assert tally.totals["tasks"].count == 0


def test_a_plan_of_a_thousand_orders_is_no_longer_than_one_of_ten() -> None:
    """A million parcels: memory follows the days, not the orders."""
    small, large, one = Tally(RULES), Tally(RULES), effects()
    for _ in range(10):
        small.add(one)
    for _ in range(1000):
        large.add(one)
    assert len(large.lines()) == len(small.lines())
    assert all(len(line.total.examples) <= 3 for line in large.lines())


def test_a_day_is_the_stores_own() -> None:
    """17:00 in London is tomorrow in Shanghai."""
    [first, *_] = effects()
    late = replace(first, at=DAY0.replace(hour=17))
    tally = Tally(RULES)
    tally.add([late, replace(late, store="gone")])
    assert [(line.store, line.day) for line in tally.lines()] == [
        ("gone", DAY0.date()),
        ("jade", DAY0.date() + timedelta(days=1)),
    ]


def test_sums_are_by_currency_and_an_unknown_one_is_told() -> None:
    [first, *_] = effects()
    tally = Tally(RULES)
    for currency in ("USD", "EUR", None, "EUR"):
        tally.add([replace(first, amount=Decimal("1.50"), currency=currency, hold=HoldReason.STORE_OBSERVES)])
    total = tally.totals["messages"]
    assert total.amounts == {"USD": Decimal("1.50"), "EUR": Decimal("3.00"), "?": Decimal("1.50")}
    assert total.held == 4


def test_work_within_a_holiday() -> None:
    """`--needs-person --from --to`: both days count, in the store's zone; the earliest deadline is told."""
    one = dossier(parcel(last=8, heard=25), window=window(57))
    found = forecast(one, RULES, day(25), day(60)).chores
    holiday = Chores(RULES, day(45).date(), day(47).date())
    holiday.add(found)
    assert [(line.day - DAY0.date(), line.work, line.total.count) for line in holiday.lines()] == [
        (timedelta(days=45), Work.SEND_BY_HAND, 1),
        (timedelta(days=47), Work.EXTEND_BY_HAND, 1),
        (timedelta(days=47), Work.SEND_BY_HAND, 1),
    ]
    extension = next(line for line in holiday.lines() if line.work is Work.EXTEND_BY_HAND)
    assert extension.first_deadline == day(57)
    assert set(holiday.totals) == {"send_by_hand", "extend_by_hand"}
    empty = Chores(RULES, date(2020, 1, 1), date(2020, 1, 5))
    empty.add(found)
    assert empty.lines() == []


def test_differences_are_counted_by_kind() -> None:
    comparison = Comparison()
    for number in ("8001", "8002"):
        comparison.add(compare((), effects(number)))
    comparison.add(compare(effects("8003"), effects("8003")))
    assert (comparison.orders, comparison.orders_touched) == (3, 2)
    new = {what: comparison.count(how, what) for how, what, _ in comparison.totals}
    assert new == {"messages": 8, "claims": 2, "extensions": 2, "refund_proposals": 2}
