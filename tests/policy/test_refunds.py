"""Refund advice: R3, R8, R37, D2, D11, D14, D20, D23, I7."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
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
    evidence,
    keys,
    order,
    parcel,
    refund,
    rules,
    scan,
    why,
    window,
)
from tracker import config
from tracker.model import (
    Case,
    CaseKind,
    CaseReason,
    DecisionReason,
    HoldReason,
    Intent,
    OrderState,
    OutboxState,
    Shipment,
    TaskState,
    Verdict,
)
from tracker.policy import decide

R = DecisionReason
STAGE3 = "br-standard.stage3"
LOST: dict[str, Any] = {"status": TrackingStatus.EXCEPTION, "reason": TrackingReason.LOST}


SHIPPED = config.load(None, environ={}).rules


def resting(when: float, **change: Any) -> Shipment:
    """Quiet for fifteen days: past D2's patience, within every limit of silence."""
    return parcel(last=when - 15, **change)


def advice(verdict: Verdict) -> DecisionReason | None:
    found = [each.reason for each in verdict.decisions if each.intent is Intent.REFUND]
    return found[0] if found else why(verdict, STAGE3)


# ------------------------------------------------------------------------------------------------------------------ D2, R3


@pytest.mark.parametrize(("when", "expected"), [(59.9, R.NOT_YET_DUE), (60, R.STAGE3_NOT_ARRIVED), (75, R.STAGE3_NOT_ARRIVED)])
def test_r3_on_day_60_the_refund_is_recommended(when: float, expected: DecisionReason) -> None:
    """R3, D11: recommended, never done."""
    assert advice(at(when, resting(when))) is expected


def test_the_recommendation_carries_amount_reason_and_evidence() -> None:
    found = decision(at(61, resting(61), window=window(90)), Intent.REFUND)
    assert (found.key, found.rule, found.shipment) == ("order/jade/8001:refund:0", STAGE3, "LP1")
    assert (found.amount, found.currency) == (Decimal("30.00"), "USD")
    assert (found.not_before, found.deadline, found.urgent) == (day(60), day(90), False)
    assert found.evidence["share"] == "the whole order"
    assert found.evidence["window_end"] == "2026-06-30T01:00:00Z", "times UTC with Z"
    assert found.evidence["due_at"] == "2026-05-31T01:00:00Z"


def test_d1_day_60_keeps_day_0() -> None:
    assert at(60, resting(60)).day0 == {"LP1": day(0)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"last_scan": scan(51)}, R.STILL_MOVING),
        ({"status": TrackingStatus.OUT_FOR_DELIVERY}, R.IN_LAST_MILE),
        ({"status": TrackingStatus.AVAILABLE_FOR_PICKUP}, R.IN_LAST_MILE),
        ({"status": TrackingStatus.FAILED_ATTEMPT}, R.IN_LAST_MILE),
        ({"reason": TrackingReason.DUTIES_UNPAID}, R.WAITS_FOR_BUYERS_ACTION),
    ],
    ids=str,
)
def test_d2_a_parcel_that_moves_or_is_near_gets_patience(change: dict[str, Any], expected: DecisionReason) -> None:
    """D2: unless it moved within 10 days or is in the last mile: then extend and apologise."""
    assert advice(at(60, replace(resting(60), **change))) is expected


def test_d2_patience_is_decided_again() -> None:
    """D2: ten days after the last scan, or seven days before the window closes."""
    moving = replace(resting(60), last_scan=scan(55))
    assert at(60, moving).next_at == day(65)
    assert advice(at(64.9, moving)) is R.STILL_MOVING
    assert advice(at(65, moving)) is R.STAGE3_NOT_ARRIVED
    assert at(60, moving, window=window(69)).next_at == day(62)


def test_d2_at_the_latest_seven_days_before_the_window_closes() -> None:
    """D2: recommended anyway, and urgently, while it still moves."""
    near = replace(resting(72), status=TrackingStatus.OUT_FOR_DELIVERY, last_scan=scan(71))
    assert advice(at(72.9, near, window=window(80))) is R.IN_LAST_MILE
    verdict = at(73, near, window=window(80))
    assert advice(verdict) is R.WINDOW_CLOSES_UNARRIVED
    found = decision(verdict, Intent.REFUND)
    assert (found.urgent, found.not_before) == (True, day(73))
    assert verdict.day0 == {"LP1": day(0)}


def test_d2_the_estimated_end_counts_where_no_other_is_known() -> None:
    near = replace(resting(112), status=TrackingStatus.OUT_FOR_DELIVERY, last_scan=scan(112))
    assert advice(at(112.9, near)) is R.IN_LAST_MILE
    assert advice(at(113, near)) is R.WINDOW_CLOSES_UNARRIVED


def test_d14_the_platform_settles_non_receipt_itself() -> None:
    """D14: vetoes an age-based refund; a proven untrackable parcel overrides it, and both costs are shown."""
    settled = resting(60, settled_by="platform")
    assert advice(at(60, settled)) is R.SETTLED_BY_PLATFORM
    [veto] = [each for each in at(60, settled).considered if each.reason is R.SETTLED_BY_PLATFORM]
    assert veto.detail == "refund: 30.00 USD; dispute: 7 days of freeze"
    silent = parcel(last=5, settled_by="platform")
    verdict = at(51, silent)
    assert advice(verdict) is R.SILENT_BEYOND_LIMIT
    found = evidence(verdict, Intent.REFUND)
    assert (found["settled_by"], found["cost_of_a_dispute"]) == ("platform", "7 days of freeze")
    assert found["cost_of_a_refund"] == "30.00 USD"
    assert "cost_of_a_dispute" not in evidence(at(51, silent, platform="ebay"), Intent.REFUND)


def test_d14_the_cost_of_a_refund_names_what_the_platform_would_have_paid() -> None:
    """D14, facts/compensation.md 1.7: who refunds before the dispute may forfeit it."""
    terms = replace(TERMS[1], id="platform-pays", settled_by="platform", cap_amount=Decimal(800), cap_currency="CNY")
    verdict = at(60, resting(60, settled_by="platform"), rules=rules(compensation=(terms,)), platform="ebay", amount=None)
    [veto] = [each for each in verdict.considered if each.rule == "br-standard.stage3"]
    assert veto.detail == (
        "refund: the amount is not known, and what the platform pays for the loss (at most 800 CNY); dispute: none known"
    )


# --------------------------------------------------------------------------------------------------------- other reasons


def test_r37_the_carriers_own_word_comes_first() -> None:
    """R37: lost or destroyed, urgently, whatever the age."""
    for reason in (TrackingReason.LOST, TrackingReason.DESTROYED):
        found = decision(at(12, replace(parcel(last=10), status=TrackingStatus.EXCEPTION, reason=reason)), Intent.REFUND)
        assert (found.reason, found.rule, found.urgent) == (R.CARRIER_SAYS_LOST, "refund.lost", True)


def test_a_loss_needs_no_dates() -> None:
    """The carrier's word is enough where nobody knows when the parcel left."""
    blank = parcel(last=None, shipped_at=None, status=TrackingStatus.EXCEPTION, reason=TrackingReason.LOST)
    found = decision(at(12, blank, shipped_at=None, paid_at=None), Intent.REFUND)
    assert found.reason is R.CARRIER_SAYS_LOST
    assert not {"day0", "window_end", "due_at"} & set(found.evidence)


def test_a_parcel_that_went_back_is_refunded() -> None:
    verdict = at(20, replace(parcel(last=19), status=TrackingStatus.RETURNED))
    found = decision(verdict, Intent.REFUND)
    assert (found.reason, found.urgent) == (R.RETURNED_TO_SENDER, False)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": OrderState.UNPAID}, R.NOT_PAID),
        ({"state": OrderState.CANCELLED}, R.CANCELLED),
        ({"state": OrderState.FINISHED}, R.FINISHED),
        ({"received_at": day(50)}, R.RECEIVED_BY_BUYER),
        ({"refunded_at": day(50), "refunded_amount": Decimal("30.00")}, R.REFUNDED),
        ({"hold_until": day(90)}, R.ON_HOLD),
    ],
    ids=str,
)
def test_no_money_where_the_matter_is_over_or_a_person_has_it(facts: dict[str, Any], reason: DecisionReason) -> None:
    verdict = at(61, resting(61), **facts)
    assert why(verdict, "refund") is reason
    assert "refund:0" not in keys(verdict)


def test_no_money_for_a_delivered_or_suspect_parcel() -> None:
    assert why(at(61, delivered(parcel(), 60)), "refund") is R.DELIVERED
    assert why(at(61, resting(61, suspect="another_parcel")), "refund") is R.SUSPECT_NUMBER


@pytest.mark.parametrize("facts", [{"opted_out": True}, {"waiting_since": day(60.5)}], ids=str)
def test_d15_the_advice_goes_on_while_outreach_stops(facts: dict[str, Any]) -> None:
    assert "refund:0" in keys(at(61, resting(61), **facts))


def test_d20_money_needs_facts_of_24_hours() -> None:
    """D20: asked afresh first."""
    stale = replace(resting(61), last_answer_at=day(59.9))
    verdict = decide(dossier(stale), RULES, day(61))
    assert why(verdict, STAGE3) is R.WAITING_FOR_FACTS
    assert (verdict.ask_now, verdict.waits_for_answer, verdict.day0) == (("LP1",), True, {})


def test_d20_one_question_serves_message_and_money() -> None:
    """A silent parcel on day 54 whose facts are three days old: both wait, it is asked about once."""
    stale = replace(parcel(last=5), last_answer_at=day(51))
    verdict = decide(dossier(stale), RULES, day(54.5))
    waiting = [each.rule for each in verdict.considered if each.reason is R.WAITING_FOR_FACTS]
    assert waiting == ["refund.untrackable", "br-standard.stage2"]
    assert verdict.ask_now == ("LP1",)


# ------------------------------------------------------------------------------------------------- what became of earlier ones


def test_one_recommendation_at_a_time() -> None:
    for open_one in (
        refund(60),
        refund(60, state=OutboxState.PENDING, decided_at=day(61)),
        refund(60, state=OutboxState.SENT, task=TaskState.OPEN),
        refund(60, state=OutboxState.UNKNOWN),
    ):
        assert advice(at(62, resting(62), effects=(open_one,))) is R.RECOMMENDATION_OPEN


@pytest.mark.parametrize("state", [TaskState.OPEN, TaskState.IN_HAND])
def test_r3_d13_no_second_sum_is_put_beside_an_approved_one(state: TaskState) -> None:
    """R3, D13, I7: long past its date and for whatever reason comes next, what was approved waits to be paid, and only that."""
    owed = refund(60, state=OutboxState.SENT, task=state, decided_at=day(61))
    for later in (resting(90), replace(parcel(last=89), **LOST)):
        verdict = at(90, later, effects=(owed,), window=window(70))
        assert Intent.REFUND not in {each.intent for each in verdict.decisions}
        assert verdict.withdraw == ()


def test_d2_what_a_restore_holds_does_not_lapse() -> None:
    """D2, fault 36: it may have been paid after the backup; made again under a new key nobody would look."""
    held = refund(60, hold=HoldReason.RESTORED, decided_at=day(62))
    verdict = at(67, resting(67), effects=(held,))
    assert verdict.withdraw == ()
    assert Intent.REFUND not in {each.intent for each in verdict.decisions}
    case = Case(id="C-1", kind=CaseKind.DISPUTE, reason=CaseReason.NOT_RECEIVED, opened_at=day(63), due_at=day(70))
    contested = at(67, resting(67), effects=(held,), window=window(90), cases=(case,))
    assert contested.withdraw == ()
    assert Intent.REFUND not in {each.intent for each in contested.decisions}


def test_d2_a_recommendation_lapses_after_seven_days_and_is_made_again() -> None:
    """D2: the next occasion, if it is still true."""
    old = refund(60)
    assert at(62, resting(62), effects=(old,)).next_at == day(67)
    verdict = at(67, resting(67), effects=(old,))
    assert verdict.withdraw == ((old.key, R.LAPSED),)
    assert decision(verdict, Intent.REFUND).key == "order/jade/8001:refund:1"
    lapsed = replace(old, state=OutboxState.CANCELLED)
    again = at(67.1, resting(67), effects=(lapsed, refund(67, occasion="1")))
    assert advice(again) is R.RECOMMENDATION_OPEN


def test_r9_r33_a_case_makes_the_same_advice_urgent_and_dates_it() -> None:
    """R9, R33, D3: what waited for an answer until the window closes is wanted before the case's answer is due."""
    told = Case(id="C-1", kind=CaseKind.DISPUTE, reason=CaseReason.NOT_RECEIVED, opened_at=day(63), due_at=day(66))
    verdict = at(63.5, resting(63.5), effects=(refund(61),), window=window(90), cases=(told,))
    assert verdict.withdraw == (("order/jade/8001:refund:0", DecisionReason.DISPUTE_OPEN),)
    found = decision(verdict, Intent.REFUND)
    assert (found.occasion, found.urgent, found.deadline) == ("1", True, day(66))
    once = at(64, resting(64), effects=(refund(63.5, occasion="1"),), window=window(90), cases=(told,))
    assert Intent.REFUND not in {each.intent for each in once.decisions}
    assert "order/jade/8001:refund:1" not in dict(once.withdraw)


def test_d14_cheap_goods_are_left_to_the_platform_that_settles_them() -> None:
    """D14, R41: who refunds before the platform has ruled gets nothing of what it pays; broken goods it does not settle."""
    cheap: dict[str, Any] = {"amount": Decimal(6), "promised_at": day(40), "platform": "aliexpress", "rules": SHIPPED}
    told = Case(id="C-1", kind=CaseKind.INQUIRY, reason=CaseReason.NOT_RECEIVED, opened_at=day(50))
    early = DecisionReason.CASE_CHEAPER_REFUNDED
    assert advice(at(50.5, resting(50.5), cases=(told,), **cheap)) is early
    assert advice(at(50.5, resting(50.5, settled_by="platform"), cases=(told,), **cheap)) is DecisionReason.NOT_YET_DUE
    broken = replace(told, reason=CaseReason.DAMAGED)
    assert advice(at(50.5, resting(50.5, settled_by="platform"), cases=(broken,), **cheap)) is early


def test_d2_one_that_is_no_longer_true_is_taken_back() -> None:
    """A new scan on day 61: patience again."""
    held = refund(60)
    moving = replace(resting(62), last_scan=scan(61))
    assert at(62, moving, effects=(held,)).withdraw == ((held.key, R.STILL_MOVING),)
    assert at(62, delivered(parcel(), 61), effects=(held,)).withdraw == ((held.key, R.DELIVERED),)


def test_d2_one_that_came_true_again_is_the_next_occasion() -> None:
    """Taken back for a scan on day 61, made again ten days later; the first was nobody's no."""
    taken_back = refund(60, state=OutboxState.CANCELLED)
    found = decision(at(71.1, replace(resting(71), last_scan=scan(61)), effects=(taken_back,)), Intent.REFUND)
    assert found.key == "order/jade/8001:refund:1"


def test_an_approved_refund_is_stopped_only_by_facts_that_end_the_matter() -> None:
    approved = refund(60, state=OutboxState.SENT, task=TaskState.OPEN, decided_at=day(61))
    moving = replace(resting(62), last_scan=scan(61))
    assert at(62, moving, effects=(approved,)).withdraw == ()
    assert at(62, delivered(parcel(), 61), effects=(approved,)).withdraw == ((approved.key, R.DELIVERED),)
    refunded = at(62, resting(62), effects=(approved,), refunded_at=day(61), refunded_amount=Decimal("30.00"))
    assert (approved.key, R.REFUNDED) in refunded.withdraw


REJECTED: dict[str, Any] = {"state": OutboxState.CANCELLED, "rejected": True, "decided_at": day(61)}


def test_a_rejected_recommendation_is_not_made_again_for_the_same_reason() -> None:
    no = refund(60, **REJECTED)
    assert advice(at(70, parcel(last=45), effects=(no,))) is R.RECOMMENDATION_REJECTED


def test_it_is_made_again_when_it_came_true_anew() -> None:
    """The parcel was scanned after the no, and then rested for ten days again."""
    no = refund(60, **REJECTED)
    verdict = at(75, parcel(last=64), effects=(no,))
    assert decision(verdict, Intent.REFUND).key == "order/jade/8001:refund:1"


def test_another_reason_is_put_before_the_person_again() -> None:
    no = refund(60, **REJECTED)
    assert advice(at(91, parcel(last=46), effects=(no,))) is R.RECOMMENDATION_REJECTED
    assert decision(at(91.1, parcel(last=46), effects=(no,)), Intent.REFUND).reason is R.SILENT_BEYOND_LIMIT
    closing = at(83, replace(parcel(last=55), status=TrackingStatus.OUT_FOR_DELIVERY), effects=(no,), window=window(90))
    assert advice(closing) is R.WINDOW_CLOSES_UNARRIVED
    later_no = refund(83, R.WINDOW_CLOSES_UNARRIVED, occasion="1", **(REJECTED | {"decided_at": day(84)}))
    resting_again = at(86, parcel(last=55), effects=(later_no,), window=window(120))
    assert advice(resting_again) is R.RECOMMENDATION_REJECTED, "a no to the stronger of the two covers the weaker"


def test_a_refund_that_was_paid_or_failed_is_not_recommended_again() -> None:
    """The parcel's share is settled even where another part of the order is not."""
    paid = refund(60, state=OutboxState.SENT, task=TaskState.DONE)
    assert advice(at(62, resting(62), effects=(paid,))) is R.MONEY_SETTLED
    failed = refund(60, state=OutboxState.FAILED)
    assert advice(at(62, resting(62), effects=(failed,))) is R.ALREADY_DONE


def test_r3_an_approved_refund_whose_task_has_ended_by_itself_is_recommended_again() -> None:
    """R3: as tasks of old databases did; the buyer's money is not forgotten."""
    expired = refund(60, state=OutboxState.SENT, task=TaskState.EXPIRED, decided_at=day(61))
    assert decision(at(70, resting(70), effects=(expired,)), Intent.REFUND).key == "order/jade/8001:refund:1"


# ------------------------------------------------------------------------------------------------------------- D23, I7


def pair(when: float, **change: Any) -> tuple[Shipment, Shipment]:
    return resting(when, **change), resting(when, number="LP2", id=2, **change)


def test_d23_a_split_orders_refund_is_the_parcels_share() -> None:
    one, two = pair(61)
    verdict = at(61, replace(one, share=Decimal("18.00")), replace(two, share=Decimal("12.00")))
    found = [each for each in verdict.decisions if each.intent is Intent.REFUND]
    assert [(each.occasion, each.shipment, each.amount) for each in found] == [
        ("0", "LP1", Decimal("18.00")),
        ("1", "LP2", Decimal("12.00")),
    ]


def test_d23_an_unknown_share_is_an_equal_part_and_says_so() -> None:
    one, two = pair(61)
    found = [each for each in at(61, one, two, amount=Decimal("30.01")).decisions if each.intent is Intent.REFUND]
    assert [each.amount for each in found] == [Decimal("15.00"), Decimal("15.00")]
    assert found[0].evidence["share"] == "an equal part: 30.01 in 2 parcels"
    yen = at(61, one, two, amount=Decimal(3001), currency="JPY")
    assert decision(replace(yen, decisions=yen.decisions[:1]), Intent.REFUND).amount == Decimal(1500)


def test_i7_refunds_never_exceed_what_was_paid() -> None:
    """I7: shares that add up to more than the order are cut to what is left."""
    one, two = pair(61, share=Decimal("20.00"))
    found = [each.amount for each in at(61, one, two).decisions if each.intent is Intent.REFUND]
    assert found == [Decimal("20.00"), Decimal("10.00")]
    open_one = refund(60, amount=Decimal("30.00"))
    verdict = at(61, one, two, effects=(open_one,))
    assert [each.reason for each in verdict.considered if each.shipment == "LP2" and each.rule == STAGE3] == [
        R.NOTHING_LEFT_TO_PAY
    ]


def test_i7_what_was_paid_back_counts() -> None:
    one, two = pair(61, share=Decimal("20.00"))
    paid = refund(50, state=OutboxState.SENT, task=TaskState.DONE, amount=Decimal("20.00"))
    verdict = at(61, one, two, effects=(paid,), refunded_at=day(51), refunded_amount=Decimal("20.00"))
    assert decision(verdict, Intent.REFUND).amount == Decimal("10.00")


def test_an_order_without_an_amount_is_put_before_a_person_once() -> None:
    """Nobody knows what was paid: the amount is the person's, and one recommendation at a time keeps I7."""
    one, two = pair(61)
    verdict = at(61, one, two, amount=None)
    found = decision(verdict, Intent.REFUND)
    assert (found.amount, found.evidence["share"]) == (None, "unknown: the order's amount is not known")
    told = at(61, replace(one, share=Decimal("9.00")), amount=None)
    assert decision(told, Intent.REFUND).amount == Decimal("9.00")


def test_two_orders_in_one_parcel_are_two_dossiers() -> None:
    """Each order asks for its own share of the combined parcel."""
    combined = resting(61, share=order().amount)
    assert decision(at(61, combined), Intent.REFUND).amount == Decimal("30.00")
    assert decision(at(61, combined, number="8002"), Intent.REFUND).subject == "order/jade/8002"


# ----------------------------------------------------------------------------------------------- before the buyer can open a case


def test_r8_d6_an_urgent_recommendation_says_from_when_a_case_can_be_opened() -> None:
    """R8, D6: the refund of what cannot be tracked comes before the dispute; the first day of one stands beside it."""
    dates = config.load(None, environ={}).rules
    tuned = replace(RULES, times=dates.times, zones=dates.zones)
    lost = replace(parcel(last=19), **LOST)
    found = decision(at(20, lost, rules=tuned, platform="ebay", country="US", promised_at=day(30)), Intent.REFUND)
    assert (found.urgent, found.evidence["case_opens_at"]) == (True, "2026-05-02T01:00:00Z")
    unhurried = decision(at(61, resting(61), rules=tuned, platform="ebay", promised_at=day(80)), Intent.REFUND)
    assert "case_opens_at" not in unhurried.evidence
