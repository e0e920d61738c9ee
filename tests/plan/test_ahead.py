"""One order until a date: the same decide(), with what is assumed of sources, buyers and clerks; and what needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import DAY0, RULES, day, decision, dossier, parcel, rules, window
from tests.policy.build import at as verdict_at
from tracker.model import Case, CaseKind, Claim, ClaimState, Dossier, HoldReason, Intent, Mode, NotFound, Phase
from tracker.plan import Forecast, Work, forecast, identity
from tracker.plan import ahead as ahead_
from tracker.rules import Rules

CASEWORK = (Work.ANSWER_CASE, Work.OTHER_TASK)


def story(found: Forecast) -> list[tuple[float, str]]:
    """Days after day 0, intents."""
    return [(round((each.at - DAY0) / timedelta(days=1), 1), each.intent.value) for each in found.effects]


def work(found: Forecast) -> list[tuple[float, Work]]:
    return [(round((each.at - DAY0) / timedelta(days=1), 1), each.work) for each in found.chores]


def ahead(one: Dossier, now: float, until: float, under: Rules = RULES) -> Forecast:
    return forecast(one, under, day(now), day(until))


def with_mode(mode: Mode) -> Rules:
    return rules(stores={name: replace(store, mode=mode) for name, store in RULES.stores.items()})


def test_a_slow_parcel_until_its_refund() -> None:
    """R1, R2, R7, R8: sources are taken to answer and see nothing new; texts, extensions and refunds to be done at once."""
    found = ahead(dossier(parcel(last=8, heard=25), window=window(57)), 25, 56)
    assert story(found) == [
        (30, "stage1"),
        (33, "compensation"),
        (45, "stage2"),
        (47, "extension"),
        (47, "extended"),
        (53, "refund"),
        (53, "refund_issued"),
    ]
    refund = found.effects[-2]
    assert (refund.amount, refund.currency, refund.hold) == (Decimal("30.00"), "USD", HoldReason.MONEY_NEEDS_APPROVAL)
    assert (refund.store, refund.order, refund.country) == ("jade", "8001", "BR")


def test_what_of_it_needs_a_person() -> None:
    """D11, D17: on a marketplace without an interface people paste, extend, decide; a claim is filed when its window is open."""
    found = ahead(dossier(parcel(last=8, heard=25), window=window(57)), 25, 56)
    assert [each for _, each in work(found)] == [
        Work.SEND_WORKSHEET,
        Work.FILE_CLAIM,
        Work.SEND_BY_HAND,
        Work.EXTEND_BY_HAND,
        Work.SEND_BY_HAND,
        Work.DECIDE_REFUND,
        Work.SEND_BY_HAND,
    ]
    filing = next(each for each in found.chores if each.work is Work.FILE_CLAIM)
    assert filing.deadline is not None
    assert (filing.amount, filing.currency) == (Decimal("20.00"), "USD")


@pytest.mark.parametrize(
    ("mode", "hold", "chores"),
    [
        (Mode.LIVE, None, []),
        (Mode.APPROVE, HoldReason.MESSAGE_NEEDS_APPROVAL, [Work.DECIDE_MESSAGE]),
        (Mode.OBSERVE, HoldReason.STORE_OBSERVES, []),
    ],
)
def test_a_store_that_is_not_live_shows_what_it_withholds(mode: Mode, hold: HoldReason | None, chores: list[Work]) -> None:
    """D22: what a store only observes goes nowhere and needs nobody."""
    own = dossier(parcel(last=28, heard=29), store="lotus", platform="ownshop")
    found = ahead(own, 29, 32, with_mode(mode))
    assert [(each.intent, each.hold) for each in found.effects] == [(Intent.STAGE1, hold)]
    assert [each.work for each in found.chores] == chores


def test_a_parcel_that_no_source_has_ever_answered_about_is_not_taken_to_be_heard_of() -> None:
    """D20: no facts, no message; a plan does not invent the first answer."""
    assert story(ahead(dossier(parcel(last=8, heard=None)), 29, 50)) == []


def test_facts_that_are_too_old_are_taken_to_be_fresh_at_the_next_answer() -> None:
    """After a weekend without the daemon everything waits for an answer first, and then goes."""
    found = ahead(dossier(parcel(last=28, heard=29)), 33, 34)
    assert story(found) == [(33.5, "stage1")]


def test_a_run_of_not_found_is_taken_to_go_on() -> None:
    """R8: three answers over two days become five over seven."""
    lost = parcel(last=None, heard=3, not_found=NotFound(answers=3, since=day(1)), registered_at=day(-1))
    found = ahead(dossier(lost), 3, 9)
    refund = next(each for each in found.effects if each.intent is Intent.REFUND)
    assert day(8) <= refund.at <= day(8.5)
    assert all(each.intent is not Intent.REFUND for each in ahead(dossier(lost), 3, 7.5).effects)


def claim(**change: Any) -> Claim:
    values: dict[str, Any] = {
        "shipment": "LP1",
        "attempt": 1,
        "state": ClaimState.READY,
        "rule": "yanwen-after",
        "phase": Phase.IN_TRANSIT,
        "cause": "lost",
        "earliest_on": day(20).date(),
        "latest_on": day(40).date(),
        "payable": Decimal("20.00"),
        "currency": "USD",
        "opened_at": day(30),
    }
    return Claim(**(values | change))


def test_a_claim_that_lies_ready_is_work_on_its_last_day() -> None:
    one = replace(dossier(parcel(last=28, heard=32)), claims=(claim(),))
    last = datetime(day(40).year, day(40).month, day(40).day, 23, 59, 59, tzinfo=UTC)
    assert [(each.at, each.deadline) for each in ahead(one, 32, 44).chores if each.work is Work.FILE_CLAIM] == [(last, last)]
    assert not [each for each in ahead(one, 32, 35).chores if each.work is Work.FILE_CLAIM]


def test_a_case_is_to_be_answered_by_its_deadline() -> None:
    case = Case(id="c1", kind=CaseKind.INQUIRY, opened_at=day(30), due_at=day(34))
    closed = Case(id="c2", kind=CaseKind.INQUIRY, opened_at=day(30), due_at=day(33), closed_at=day(31))
    found = ahead(dossier(parcel(last=28, heard=32), cases=(case, closed)), 32, 44)
    assert [each for each in work(found) if each[1] is Work.ANSWER_CASE] == [(34, Work.ANSWER_CASE)]


def test_r33_an_answered_case_is_no_work_and_its_task_is_not_counted_twice() -> None:
    """R33, D3: the date that holds is the work; the task that says so is the same work."""
    asked = Case(id="c1", kind=CaseKind.INQUIRY, opened_at=day(30), due_at=day(34))
    for case, wanted in ((replace(asked, answered_at=day(31)), []), (asked, [(34, Work.ANSWER_CASE)])):
        found = ahead(dossier(parcel(last=28, heard=32), cases=(case,)), 32, 44)
        assert [each for each in work(found) if each[1] in CASEWORK] == wanted


def test_a_recommendation_is_the_same_effect_whatever_it_counts() -> None:
    """Its occasion only counts the lapsed ones before it (D2); every other effect is its dedup key (D12)."""
    due = decision(verdict_at(61, parcel(last=20)), Intent.REFUND)
    assert identity(due) == identity(replace(due, occasion="3"))
    assert identity(due) != identity(replace(due, shipment="LP2"))
    stage = decision(verdict_at(31, parcel(last=20)), Intent.STAGE1)
    assert identity(stage) == stage.key


def test_a_decision_to_do_nothing_is_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every decision is born as an outbox row, but that one."""
    monkeypatch.setattr(ahead_, "birth", lambda *_: None)
    assert ahead(dossier(parcel(last=28, heard=29)), 29, 32).effects == ()
