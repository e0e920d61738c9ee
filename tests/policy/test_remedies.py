"""What is proposed, what each way costs, and that no mix of remedies gives back more than was paid."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import (
    RULES,
    TERMS,
    at,
    day,
    decision,
    delivered,
    dossier,
    effect,
    keys,
    parcel,
    refund,
    rules,
    scan,
    why,
    window,
)
from tracker.model import (
    ActionKind,
    CaseReason,
    DecisionReason,
    Effect,
    Intent,
    Liable,
    OutboxState,
    Remedy,
    Shipment,
    TaskState,
    Verdict,
)
from tracker.policy import decide
from tracker.policy.remedies import by_value, early, partial
from tracker.policy.view import look
from tracker.rates import Month, Rates
from tracker.rules import Learned, Liability, Manners, PartialRule, RemedyRule, Rules

R = DecisionReason
PROBLEM = TrackingStatus.EXCEPTION
TABLE = (
    RemedyRule(
        id="cheap",
        causes=frozenset({"carrier_says_damaged", "damaged"}),
        remedy=Remedy.FULL_REFUND,
        up_to={"USD": Decimal(8)},
    ),
    RemedyRule(
        id="again",
        causes=frozenset({"carrier_says_damaged", "carrier_says_misdelivered"}),
        remedy=Remedy.RESHIP,
    ),
    RemedyRule(id="on", causes=frozenset({"address_unreachable"}), remedy=Remedy.FORWARD),
    RemedyRule(id="half", causes=frozenset({"damaged", "quality"}), remedy=Remedy.PARTIAL_REFUND),
)
TUNED = rules(
    remedies=TABLE,
    manners=Manners(partial_share=Decimal("0.3"), early_below={"USD": Decimal(8)}),
    rates=Rates(months=(Month(id="2026-01", base="USD", rates={"BRL": Decimal(5)}),)),
)


def broken(reason: TrackingReason, at_day: float = 19, **change: Any) -> Shipment:
    return replace(parcel(last=at_day, **change), status=PROBLEM, reason=reason)


def proposed(verdict: Verdict) -> tuple[DecisionReason, Remedy | None, Decimal | None]:
    found = decision(verdict, Intent.REFUND)
    return found.reason, found.remedy, found.amount


# ------------------------------------------------------------------------------------------------------ the table of values


@pytest.mark.parametrize(
    ("cause", "amount", "currency", "expected"),
    [
        ("damaged", "8", "USD", Remedy.FULL_REFUND),
        ("damaged", "8.01", "USD", Remedy.PARTIAL_REFUND),
        ("damaged", "40", "BRL", Remedy.FULL_REFUND),
        ("damaged", "41", "BRL", Remedy.PARTIAL_REFUND),
        ("damaged", "1", "NOK", Remedy.PARTIAL_REFUND),
        ("carrier_says_damaged", "30", "USD", Remedy.RESHIP),
        ("address_unreachable", "30", "USD", Remedy.FORWARD),
        ("not_received", "30", "USD", Remedy.FULL_REFUND),
    ],
)
def test_r40_the_proposal_follows_cause_and_value(cause: str, amount: str, currency: str, expected: Remedy) -> None:
    """R40: the first line that fits; another currency by fx.toml; what nobody can compare is not called cheap."""
    assert by_value(cause, Decimal(amount), currency, TUNED, day(20).date()) is expected


@pytest.mark.parametrize(("amount", "expected"), [("8", True), ("8.01", False), (None, False)])
def test_r41_cheap_goods_are_refunded_early(amount: str | None, expected: bool) -> None:
    """R41: the platform sides with the buyer; an unknown value is not cheap."""
    assert early(None if amount is None else Decimal(amount), "USD", TUNED, day(20).date()) is expected


def test_d7_the_part_comes_from_the_configuration() -> None:
    """D7: without a figure there a person names the sum; a part is never nothing nor all."""
    on = day(20).date()
    assert partial(Decimal("30.00"), "USD", TUNED, on) == Decimal("9.00")
    assert partial(Decimal(1000), "JPY", TUNED, on) == Decimal(300)
    assert partial(Decimal("0.01"), "USD", TUNED, on) is None
    assert partial(Decimal(30), "USD", RULES, on) is None
    assert partial(None, "USD", TUNED, on) is None


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("10", "USD", "6.00"), ("10.01", "USD", "4.00"), ("50", "BRL", "30.00"), ("40", "USD", "12.00"), ("10", "NOK", "3.00")],
)
def test_d7_r40_the_part_follows_the_value(amount: str, currency: str, expected: str) -> None:
    """D7, R40: the first line that fits, another currency by fx.toml; where none does the share of all others."""
    table = (
        PartialRule(id="small", share=Decimal("0.6"), up_to={"USD": Decimal(10)}),
        PartialRule(id="middle", share=Decimal("0.4"), up_to={"USD": Decimal(20)}),
    )
    assert partial(Decimal(amount), currency, replace(TUNED, partials=table), day(20).date()) == Decimal(expected)


# ------------------------------------------------------------------------------------------------------------ what is proposed


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (TrackingReason.LOST, (R.CARRIER_SAYS_LOST, Remedy.FULL_REFUND)),
        (TrackingReason.DAMAGED, (R.CARRIER_SAYS_DAMAGED, Remedy.RESHIP)),
        (TrackingReason.MISDELIVERED, (R.CARRIER_SAYS_MISDELIVERED, Remedy.RESHIP)),
        (TrackingReason.ADDRESS_PROBLEM, (R.ADDRESS_UNREACHABLE, Remedy.FORWARD)),
    ],
    ids=str,
)
def test_r84_r85_r37_what_a_problem_on_the_way_proposes(reason: TrackingReason, expected: tuple[DecisionReason, Remedy]) -> None:
    """R84: send on; R85: send again; R37: refund or resend. Amount: the worth of what is at stake."""
    found = decision(at(20, broken(reason), rules=TUNED), Intent.REFUND)
    assert (found.reason, found.remedy) == expected
    assert (found.amount, found.currency, found.urgent) == (Decimal("30.00"), "USD", True)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("30.00", (Remedy.PARTIAL_REFUND, Decimal("9.00"))), ("0.01", (Remedy.FULL_REFUND, Decimal("0.01")))],
)
def test_r40_d7_a_part_is_proposed_where_the_table_says_so(amount: str, expected: tuple[Remedy, Decimal]) -> None:
    """R40, D7: the share of the worth; where that is nothing or nobody has named it, all of it."""
    table = (RemedyRule(id="part", causes=frozenset({"carrier_says_damaged"}), remedy=Remedy.PARTIAL_REFUND),)
    verdict = at(20, broken(TrackingReason.DAMAGED), rules=replace(TUNED, remedies=table), amount=Decimal(amount))
    assert proposed(verdict) == (R.CARRIER_SAYS_DAMAGED, *expected)


def test_r83_a_problem_has_48_hours() -> None:
    found = decision(at(20, broken(TrackingReason.ADDRESS_PROBLEM), rules=TUNED), Intent.REFUND)
    assert found.deadline == day(22)
    near = decision(at(20, broken(TrackingReason.ADDRESS_PROBLEM), rules=TUNED, window=window(21)), Intent.REFUND)
    assert near.deadline == day(21), "the window closes first"


def test_r85_the_goods_are_taken_off_sale() -> None:
    """R85: the note stands in the recommendation, and in the task that it becomes."""
    for reason in (TrackingReason.LOST, TrackingReason.DAMAGED, TrackingReason.MISDELIVERED):
        assert "off sale" in decision(at(20, broken(reason), rules=TUNED), Intent.REFUND).evidence["stock"]


def test_r87_r88_what_a_claim_for_damage_wants() -> None:
    facts = decision(at(20, broken(TrackingReason.DAMAGED), rules=TUNED), Intent.REFUND).evidence
    assert "certificate" in facts["checklist"]
    assert "weight" in facts["checklist"]


def test_r70_who_bears_it_stands_in_the_evidence() -> None:
    table = (Liability(id="transport", liable=Liable.CARRIER, reasons=frozenset({TrackingReason.DAMAGED})),)
    found = decision(at(20, broken(TrackingReason.DAMAGED), rules=replace(TUNED, liability=table)), Intent.REFUND)
    assert found.evidence["liable"] == "carrier"


def test_what_reached_the_buyer_broken_is_no_recommendation_yet() -> None:
    """R39: first the condition is confirmed with the buyer: a task, see test_problems."""
    there = replace(delivered(parcel(), 19), reason=TrackingReason.DAMAGED)
    assert "refund:0" not in keys(at(20, there, rules=TUNED))


def test_an_old_problem_of_before_the_cut_over_is_left() -> None:
    verdict = at(20, broken(TrackingReason.DAMAGED), rules=TUNED, cutover_at=day(19.5))
    assert why(verdict, "refund.problem") is R.BEFORE_CUTOVER


# ----------------------------------------------------------------------------------------------------- options with their costs


def told(verdict: Verdict) -> dict[str, str]:
    facts = decision(verdict, Intent.REFUND).evidence
    return {name.removeprefix("option_"): cost for name, cost in facts.items() if name.startswith("option_")}


def test_every_way_is_shown_with_its_cost() -> None:
    """R3, D6, D7, D11: full, partial, sent again, and what waiting costs."""
    resting = parcel(last=46, freight=Decimal("3.20"), freight_currency="USD")
    assert told(at(61, resting, rules=TUNED, window=window(90))) == {
        "full_refund": "30.00 USD",
        "partial_refund": "9.00 USD",
        "reship": "goods worth 30.00 USD, freight 3.20 USD",
        "wait": "29 days until the window closes (2026-06-30T01:00:00Z); a dispute: 7 days of freeze",
    }


def test_what_is_not_known_is_said() -> None:
    """Promise 2: unknown stays unknown."""
    blank = broken(TrackingReason.ADDRESS_PROBLEM)
    assert told(at(20, blank, amount=None, platform="ebay")) == {
        "full_refund": "the amount is not known",
        "reship": "goods of unknown value; the freight is not known",
        "forward": "the freight of another carrier",
        "wait": "100 days until the window closes (2026-07-30T01:00:00Z)",
    }
    typed = parcel(last=None, shipped_at=None, status=PROBLEM, reason=TrackingReason.ADDRESS_PROBLEM)
    assert told(at(20, typed, platform="ebay", shipped_at=None, paid_at=None))["wait"] == "until when is not known", (
        "D1: no day 0"
    )


def test_d14_the_platforms_money_is_part_of_the_cost() -> None:
    terms = replace(TERMS[1], settled_by="platform")
    found = told(at(20, broken(TrackingReason.LOST), rules=replace(RULES, compensation=(terms,))))
    assert found["full_refund"] == "30.00 USD, and what the platform pays for the loss (at most 50 USD)"
    assert "wait" not in found, "what is lost does not come"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (61, "at most 10 of 100 own deliveries took longer than 61 days"),
        (95, "at most 1 of 100"),
        (20, "at most 50 of 100"),
        (19, "more than half of the own deliveries took longer than 19 days"),
    ],
)
def test_the_chance_of_arrival_where_own_deliveries_tell(age: int, expected: str) -> None:
    own = Learned(count=300, p50=20, p80=40, p90=55, p95=70, p99=90)
    learned = replace(RULES, learned={"BR/standard": own})
    ready = replace(broken(TrackingReason.ADDRESS_PROBLEM, at_day=age - 1), service="standard")
    text = told(at(age, ready, rules=replace(learned, manners=Manners(learn_from=200)), window=window(120)))["wait"]
    assert expected in text
    few = replace(learned, learned={"BR/standard": replace(own, count=10)})
    assert "own deliveries" not in told(at(age, ready, rules=few, window=window(120)))["wait"]


# --------------------------------------------------------------------------------------------- what becomes of sent again, and on


def done(remedy: Remedy, reason: DecisionReason, on: float, **change: Any) -> Effect:
    task = {"state": OutboxState.SENT, "task": TaskState.DONE, "decided_at": day(on)}
    return refund(on, reason, remedy=remedy, **{**task, **change})


def test_r85_a_replaced_parcel_is_expected_no_more_and_the_second_one_is() -> None:
    """R37, R85: the first parcel's window of patience does not go on; what the carrier owes for it does."""
    first, second = broken(TrackingReason.LOST), replace(parcel("LP2", last=30), share=Decimal(30), id=2)
    sent = done(Remedy.RESHIP, R.CARRIER_SAYS_LOST, 21)
    told_ = dossier(replace(first, last_answer_at=day(39)), replace(second, last_answer_at=day(39)), effects=(sent,))
    view = look(told_, TUNED, day(40))
    assert [each.gone for each in view.parcels] == [R.REPLACED, None]
    verdict = decide(told_, TUNED, day(40))
    assert "refund:1" not in keys(verdict)
    assert "compensation:1" in keys(verdict), "the carrier still owes for the first"


def test_the_second_parcel_may_be_refunded_when_it_is_lost_too() -> None:
    """I7: what was sent again is done: its worth no longer counts."""
    first, second = broken(TrackingReason.LOST), replace(broken(TrackingReason.LOST, number="LP2"), share=Decimal(30), id=2)
    verdict = at(40, first, second, effects=(done(Remedy.RESHIP, R.CARRIER_SAYS_LOST, 21),))
    found = decision(verdict, Intent.REFUND)
    assert (found.shipment, found.amount) == ("LP2", Decimal(30))


def test_while_it_is_being_sent_again_nothing_is_left_to_pay() -> None:
    """I7 for every mix: goods on their way out count like money."""
    open_ = done(Remedy.RESHIP, R.CARRIER_SAYS_DAMAGED, 20, task=TaskState.OPEN)
    other = replace(broken(TrackingReason.LOST, number="LP2"), share=Decimal(30), id=2)
    verdict = at(21, broken(TrackingReason.DAMAGED), other, rules=TUNED, effects=(open_,))
    assert why(verdict, "refund.lost") is R.NOTHING_LEFT_TO_PAY


def test_r84_what_was_sent_on_is_not_proposed_again_but_its_loss_is() -> None:
    """R84: the money of a parcel that was sent on is not settled."""
    sent_on = done(Remedy.FORWARD, R.ADDRESS_UNREACHABLE, 20)
    again = at(25, broken(TrackingReason.ADDRESS_PROBLEM), rules=TUNED, effects=(sent_on,))
    assert why(again, "refund.problem") is R.MONEY_SETTLED
    rescanned = at(25, broken(TrackingReason.ADDRESS_PROBLEM, at_day=24), rules=TUNED, effects=(sent_on,))
    assert proposed(rescanned)[0] is R.ADDRESS_UNREACHABLE, "it stands there once more"
    assert proposed(at(25, broken(TrackingReason.LOST), rules=TUNED, effects=(sent_on,)))[0] is R.CARRIER_SAYS_LOST


@pytest.mark.parametrize("remedy", [Remedy.FORWARD, Remedy.WAIT])
def test_r84_an_answered_problem_hides_no_later_reason(remedy: Remedy) -> None:
    """R3, R8, R84: the carrier's last word stays "address problem"; day 60 and a silence beyond the limit come all the same."""
    fate: dict[str, Any] = {}
    if remedy is Remedy.WAIT:
        fate = {"state": OutboxState.CANCELLED, "task": None, "rejected": True}
    answered = done(remedy, R.ADDRESS_UNREACHABLE, 20, **fate)
    resting = broken(TrackingReason.ADDRESS_PROBLEM)
    assert "refund:1" not in keys(at(40, resting, rules=TUNED, effects=(answered,)))
    later = decision(at(100, resting, rules=TUNED, effects=(answered,), window=window(200)), Intent.REFUND)
    assert later.reason in {R.SILENT_BEYOND_LIMIT, R.STAGE3_NOT_ARRIVED}


def test_d1_d12_the_second_parcel_has_its_own_day_0_and_tells_no_stage_again() -> None:
    """D1, D12: it counts from when it was sent, up to its own day 60; the buyer has read the first two stages already."""
    first, sent = broken(TrackingReason.DAMAGED), done(Remedy.RESHIP, R.CARRIER_SAYS_DAMAGED, 21)
    second = replace(parcel("LP2", last=None, id=2, share=Decimal(30)), shipped_at=day(22))
    stages = tuple(effect(stage, 20) for stage in (Intent.STAGE1, Intent.STAGE2))
    seen: dict[float, list[str]] = {}
    for on in (53, 68, 83):
        moved = scan(on - 15)
        travels = replace(second, first_scan=scan(22), last_scan=moved, status=TrackingStatus.IN_TRANSIT)
        seen[on] = keys(at(on, first, travels, rules=TUNED, effects=(*stages, sent), window=window(200)))
    assert not [key for each in seen.values() for key in each if key.startswith("stage")]
    assert [("refund:1" in seen[on]) for on in (53, 68, 83)] == [False, False, True]


def test_r85_a_replaced_parcel_that_comes_back_is_settled() -> None:
    """R85, D11: the buyer has the second one; the first one's return gives him no money beside it."""
    back = replace(parcel(last=30), status=TrackingStatus.RETURNED)
    verdict = at(31, back, rules=TUNED, effects=(done(Remedy.RESHIP, R.CARRIER_SAYS_LOST, 21),))
    assert why(verdict, "refund.returned") is R.MONEY_SETTLED


def test_d25_what_was_lost_before_the_cut_over_turned_bad_then() -> None:
    """D21, D25: a take-over brings old losses at once; that is no mass change of today."""
    lost = broken(TrackingReason.LOST)
    old = decision(at(40, lost, rules=TUNED, cutover_at=day(35)), Intent.REFUND)
    assert (old.reason, old.not_before) == (R.CARRIER_SAYS_LOST, day(19))
    assert decision(at(40, lost, rules=TUNED), Intent.REFUND).not_before is None


def test_a_person_who_waits_is_not_asked_the_same_again() -> None:
    """D11: `--as wait` is a no for this reason."""
    waits = refund(60, remedy=Remedy.WAIT, state=OutboxState.CANCELLED, rejected=True, decided_at=day(60))
    verdict = at(63, parcel(last=46), effects=(waits,))
    assert why(verdict, "br-standard.stage3") is R.RECOMMENDATION_REJECTED


# ------------------------------------------------------------------------------------------------------------------ invariant


REASONS = [None, *(each for each in TrackingReason if each not in {TrackingReason.RETURNING, TrackingReason.DELAYED})]
FATES = [TaskState.OPEN, TaskState.DONE, TaskState.DROPPED, None]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(REASONS), st.sampled_from(list(Remedy)), st.sampled_from(FATES)), min_size=1, max_size=3),
    st.lists(st.integers(21, 90), min_size=1, max_size=4).map(sorted),
)
def test_i7_holds_for_every_mix_of_remedies(
    fates: list[tuple[TrackingReason | None, Remedy, TaskState | None]], moments: list[int]
) -> None:
    """I7: what is promised as money or goods never exceeds what was paid, over any course of days and choices."""
    shipments = [
        replace(parcel(f"LP{i}", last=19), id=i, reason=each[0], status=PROBLEM if each[0] else TrackingStatus.IN_TRANSIT)
        for i, each in enumerate(fates)
    ]
    effects: tuple[Effect, ...] = ()
    for moment in moments:
        verdict = at(moment, *shipments, rules=TUNED, effects=effects)
        back = dict(verdict.withdraw)
        effects = tuple(replace(each, state=OutboxState.CANCELLED) if each.key in back else each for each in effects)
        made = [each for each in verdict.decisions if each.kind is ActionKind.REFUND]
        effects += tuple(_chosen(each, moment, fates[int(each.shipment[2:])]) for each in made if each.shipment is not None)
        promised = sum((each.amount or Decimal(0) for each in effects if each.open), Decimal(0))
        paid = sum((each.amount or Decimal(0) for each in effects if each.acted and not each.open and _paying(each)), Decimal(0))
        assert promised + paid <= Decimal("30.00")


def _chosen(made: Any, moment: int, fate: tuple[TrackingReason | None, Remedy, TaskState | None]) -> Effect:
    _, remedy, task = fate
    part = partial(made.amount, "USD", TUNED, day(20).date()) if remedy is Remedy.PARTIAL_REFUND else None
    change: dict[str, Any] = {"state": OutboxState.SENT, "task": task} if task is not None else {}
    return refund(
        moment,
        made.reason,
        occasion=made.occasion,
        shipment=made.shipment,
        amount=part or made.amount,
        remedy=remedy,
        **change,
    )


def _paying(effect: Effect) -> bool:
    return effect.remedy is None or effect.remedy.pays


def test_the_words_of_the_table_are_known() -> None:
    """CONFIG: every cause of the shipped table is a reason of a recommendation or of a case."""
    from tracker import config

    shipped: Rules = config.load(None, environ={}).rules
    causes = {cause for line in shipped.remedies for cause in line.causes}
    assert causes <= {*DecisionReason, *CaseReason}
    assert {each.remedy for each in shipped.remedies} >= {Remedy.RESHIP, Remedy.FORWARD, Remedy.PARTIAL_REFUND}
    assert all(isinstance(word, re.Pattern) for line in shipped.liability for word in line.words)
