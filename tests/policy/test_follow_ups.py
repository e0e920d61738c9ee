"""What people are asked about claims: grouped, once, and taken back when the facts change (R86, R87, R88, D17)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import RULES, at, day, delivered, dossier, effect, parcel, why
from tracker.model import (
    Case,
    CaseKind,
    CaseReason,
    Claim,
    ClaimState,
    Decision,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    LossType,
    Phase,
    Shipment,
    TaskState,
    Verdict,
)
from tracker.policy import decide
from tracker.policy.early import closes_first
from tracker.rates import Month, Rates
from tracker.rules import Rules, Timing

R, S = DecisionReason, ClaimState
BASE = RULES.compensation[1]
SEARCHES = replace(BASE, id="searches", basis="none", inquiry_only=True, cap_amount=None, response_days=10)
WORDY = replace(BASE, id="wordy", evidence=("proof_of_value", "consignee_statement"), evidence_not_before=("earliest",))
TERMS = replace(RULES, version="follow-ups", compensation=(*RULES.compensation, SEARCHES, WORDY))
CLAIM = Claim(
    shipment="LP1",
    attempt=1,
    state=S.FILED,
    rule="yanwen-after",
    phase=Phase.IN_TRANSIT,
    cause="carrier_says_lost",
    earliest_on=day(9).date(),
    latest_on=day(59).date(),
    payable=Decimal(20),
    currency="USD",
    opened_at=day(12),
    filed_on=day(14).date(),
)


def told(when: float, claim: Claim, *effects: Effect, shipment: Shipment | None = None) -> Verdict:
    known = dossier(replace(shipment or parcel(last=5), last_answer_at=day(when - 0.04)), effects=effects)
    return decide(replace(known, claims=(claim,)), TERMS, day(when))


def asked(verdict: Verdict) -> dict[DecisionReason, Decision]:
    follow = (Intent.CLAIM_FOLLOW_UP, Intent.CLAIM_INQUIRY)
    return {each.reason: each for each in verdict.decisions if each.intent in follow}


def on(number: float) -> date:
    return day(number).date()


@pytest.mark.parametrize(
    ("when", "change", "reason"),
    [
        (30, {"answer_due_on": on(29)}, R.ANSWER_OVERDUE),
        (30, {"answer_due_on": on(30)}, None),
        (30, {"state": S.WAITING_DOCUMENTS}, R.PAPERS_WANTED),
        (30, {"state": S.REJECTED, "appeal_until": on(31)}, R.APPEAL_OPEN),
        (33, {"state": S.REJECTED, "appeal_until": on(31)}, None),
        (30, {"state": S.APPROVED, "payout_due_on": on(20)}, R.PAYOUT_OVERDUE),
        (30, {"state": S.WITHDRAWN}, R.CLAIM_TO_WITHDRAW),
        (30, {"state": S.WITHDRAWN, "filed_on": None}, None),
        (30, {"state": S.REVERSED}, R.CLAWBACK_DUE),
        (30, {"state": S.READY, "rule": "wordy", "filed_on": None}, R.STATEMENT_WANTED),
        (8, {"state": S.READY, "rule": "wordy", "filed_on": None}, None),
        (30, {"state": S.READY, "loss_type": LossType.DAMAGED, "filed_on": None}, R.PAPERS_WANTED),
    ],
)
def test_r87_r88_what_a_claim_wants_is_asked_for_when_it_is_due(
    when: float, change: dict[str, Any], reason: DecisionReason | None
) -> None:
    """R87, R88: overdue answers, papers, appeals, the money, the buyer's statement once its date counts."""
    found = asked(told(when, replace(CLAIM, **change)))
    assert list(found) == ([] if reason is None else [reason])
    if reason is not None:
        assert found[reason].evidence["carrier"] == "yanwen"


def test_an_overdue_answer_wakes_the_dossier_and_is_asked_about_once() -> None:
    due = replace(CLAIM, answer_due_on=on(29))
    assert told(28, due).next_at is not None
    first = asked(told(30, due))[R.ANSWER_OVERDUE]
    task = effect(Intent.CLAIM_FOLLOW_UP, 30, subject="shipment/LP1", occasion=first.occasion, task=TaskState.OPEN)
    assert asked(told(31, due, task)) == {}
    answered = told(32, replace(CLAIM, state=S.APPROVED), task)
    assert answered.withdraw == ((task.key, R.CLAIM_OPEN),)


def test_r87_papers_that_are_wanted_a_second_time_are_asked_for_again() -> None:
    """R87: the carrier got them, and wants others: the task that is done speaks of the first."""
    first = replace(CLAIM, state=S.WAITING_DOCUMENTS, papers_wanted_on=on(20))
    wish = asked(told(21, first))[R.PAPERS_WANTED]
    done = effect(Intent.CLAIM_FOLLOW_UP, 21, subject="shipment/LP1", occasion=wish.occasion, task=TaskState.DONE)
    assert asked(told(23, first, done)) == {}
    assert list(asked(told(31, replace(first, papers_wanted_on=on(30)), done))) == [R.PAPERS_WANTED]


def test_inquiries_that_pay_nothing_go_out_as_the_weeks_list() -> None:
    """facts/compensation.md 1.2: on Mondays; the closed task is the word that it went out."""
    ready = replace(CLAIM, state=S.READY, rule="searches", filed_on=None)
    assert day(12).weekday() == 0
    assert [each.reason for each in asked(told(12.1, ready)).values()] == [R.INQUIRY_DUE]
    tuesday = replace(ready, opened_at=day(13))
    assert asked(told(13.1, tuesday)) == {}
    assert asked(told(19.1, tuesday))[R.INQUIRY_DUE].intent is Intent.CLAIM_INQUIRY
    done = effect(Intent.CLAIM_INQUIRY, 19, subject="shipment/LP1", occasion="1", task=TaskState.DONE)
    [move] = told(20, tuesday, done).claims
    assert (move.after, move.reason, move.answer_due_on) == (S.INQUIRY_OPEN, R.INQUIRY_WAS_SENT, on(30))


def test_an_inquiry_is_worth_its_trouble_above_a_value_only() -> None:
    """D17: of cheap silent parcels nobody is asked; what the carrier says is lost is registered all the same (R86)."""
    dear = Timing(inquiry_above={"USD": Decimal(50)})
    cheap = replace(TERMS, version="cheap", timing=dear, compensation=(SEARCHES,))
    assert why(_silent(31, cheap), "searches") is R.BELOW_INQUIRY_VALUE
    worth = replace(cheap, version="worth", timing=Timing(inquiry_above={"USD": Decimal(10)}))
    assert [each.rule for each in _silent(31, worth).decisions if each.intent is Intent.COMPENSATION] == ["searches"]


@pytest.mark.parametrize(
    ("limits", "asked_for"),
    [
        ({"CNY": Decimal(200)}, True),  # 30 USD are 214 CNY of that month
        ({"CNY": Decimal(220)}, False),
        ({"EUR": Decimal(1000), "CNY": Decimal(220)}, False),  # nobody knows a rate to EUR; the next one decides
        ({"EUR": Decimal(1000)}, True),
        ({}, True),
    ],
)
def test_d17_the_value_of_an_inquiry_is_compared_in_any_currency(limits: dict[str, Decimal], *, asked_for: bool) -> None:
    """D17, facts/compensation.md 7: by fx.toml; what cannot be compared is taken to be worth it."""
    rates = Rates(months=(Month(id="2026-05", base="CNY", rates={"USD": Decimal("0.14")}),))
    table = replace(TERMS, version="limits", timing=Timing(inquiry_above=limits), rates=rates, compensation=(SEARCHES,))
    verdict = _silent(31, table)
    assert [each.rule for each in verdict.decisions if each.intent is Intent.COMPENSATION] == (["searches"] if asked_for else [])


def _silent(when: float, rules: Rules) -> Verdict:
    return decide(dossier(replace(parcel(last=5, share=Decimal(30)), last_answer_at=day(when - 0.04))), rules, day(when))


def test_a_window_that_closes_before_the_silence_proves_anything_asks_a_person() -> None:
    """facts/compensation.md 1.2: in the 14-day warning, for what is silent and pays; taken back when it moves."""
    short = replace(RULES, version="short", compensation=(replace(BASE, latest_days=30),))
    assert asked(_silent(14, short)) == {}
    warned = decide(dossier(replace(parcel(last=8), last_answer_at=day(27.9))), short, day(28))
    found = asked(warned)[R.CLAIM_CLOSES_FIRST]
    assert (found.deadline is not None and found.deadline.date()) == on(29)
    task = effect(Intent.CLAIM_INQUIRY, 28, subject="shipment/LP1", occasion=found.occasion, task=TaskState.OPEN)
    moved = decide(dossier(replace(parcel(last=28.2), last_answer_at=day(28.3)), effects=(task,)), short, day(28.4))
    assert [key for key, _ in moved.withdraw] == [task.key]


def test_a_window_of_longer_terms_warns_in_its_own_fortnight() -> None:
    """facts/compensation.md 1.2: before the first scan the carrier takes claims for 60 days, for this parcel for 90."""
    before, after, *others = RULES.compensation
    longer = replace(RULES, version="longer", compensation=(before, replace(after, latest_days=90), *others))

    def on_day(now: float) -> Verdict:
        return decide(dossier(replace(parcel(last=40, service="registered"), last_answer_at=day(now - 0.04))), longer, day(now))

    assert asked(on_day(70)) == {}
    assert on_day(70).next_at == datetime.combine(on(75), time(), UTC)
    assert asked(on_day(76))[R.CLAIM_CLOSES_FIRST].deadline == datetime.combine(on(89), time(23, 59, 59), UTC)


@pytest.mark.parametrize(
    ("now", "latest_on", "first"),
    [
        (20, on(29), True),  # stage 1 comes on day 30
        (20, on(30), False),
        (31, on(44), True),  # stage 2 on day 45
        (61, on(62), False),  # no stage is left to wait for
        (20, None, False),  # nobody knows when the window closes
    ],
)
def test_r86_whoever_waits_for_the_next_stage_loses_a_claim_that_closes_before_it(
    now: float, latest_on: date | None, *, first: bool
) -> None:
    """R86: the register marks such claims, and the alert says so."""
    waiting = parcel(last=5)
    assert closes_first(dossier(parcel("LP2", last=1, id=2), waiting), waiting, latest_on, RULES, day(now)) is first


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [(CaseReason.DAMAGED, R.BUYER_SAYS_DAMAGED), (CaseReason.SHORT, R.BUYER_SAYS_SHORT), (CaseReason.NOT_RECEIVED, None)],
)
def test_r87_a_case_about_broken_or_missing_goods_opens_the_loss_record(
    reason: CaseReason, wanted: DecisionReason | None
) -> None:
    """R87, R88: signed for and short, or broken; the parcel was delivered."""
    case = Case(id="c", kind=CaseKind.NOT_AS_DESCRIBED, opened_at=day(21), reason=reason)
    verdict = at(22, delivered(parcel(last=20), 20), cases=(case,))
    assert [each.reason for each in verdict.decisions if each.intent is Intent.COMPENSATION] == ([wanted] if wanted else [])


def test_no_claim_is_made_beyond_the_carriers_attempts() -> None:
    """facts/compensation.md 1.6: what was withdrawn before it was filed uses up none."""
    once = replace(RULES, version="once", compensation=(replace(BASE, max_attempts=1),))
    gone = replace(CLAIM, state=S.WITHDRAWN)
    known = dossier(replace(parcel(last=5), last_answer_at=day(31)))
    assert why(decide(replace(known, claims=(gone,)), once, day(31.1)), "yanwen-after") is R.ATTEMPTS_USED_UP
    fresh = decide(replace(known, claims=(replace(gone, filed_on=None),)), once, day(31.1))
    assert [each.occasion for each in fresh.decisions if each.intent is Intent.COMPENSATION] == ["2"]


def test_goods_that_came_broken_keep_their_claim() -> None:
    broken = replace(CLAIM, loss_type=LossType.DAMAGED)
    assert told(30, broken, shipment=delivered(parcel(last=5), 20)).claims == ()
    back = replace(parcel(last=20), status=TrackingStatus.RETURNED)
    assert [each.after for each in told(30, broken, shipment=back).claims] == [S.WITHDRAWN]


def test_an_order_without_claims_is_asked_nothing() -> None:
    assert asked(decide(Dossier(order=dossier(parcel()).order), TERMS, day(30))) == {}
