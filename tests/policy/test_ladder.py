"""The ladder: R1, R2, R5, R45, D1, D12, D13, D15, D17, D20, I4."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import (
    RULES,
    at,
    day,
    decision,
    delivered,
    dossier,
    effect,
    keys,
    order,
    parcel,
    refund,
    rules,
    scan,
    why,
)
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    DecisionReason,
    Intent,
    NotFound,
    OrderState,
    OutboxState,
    Shipment,
    TaskState,
)
from tracker.policy import decide
from tracker.rules import Manners

R = DecisionReason
CASE = Case(id="inr-1", kind=CaseKind.INQUIRY, opened_at=day(29))


def moving(when: float, **change: Any) -> Shipment:
    """Scanned three days ago: no silence, no patience at its end."""
    return parcel(last=when - 3, **change)


@pytest.mark.parametrize(
    ("when", "expected"),
    [(29.9, []), (30, ["stage1:0"]), (44.9, ["stage1:0"]), (45, ["stage2:0"]), (59.9, ["stage2:0"]), (60, [])],
)
def test_r1_r2_a_brazilian_parcel_climbs_30_45_60(when: float, expected: list[str]) -> None:
    """R1: day 30; R2: day 45; R3: day 60 speaks through the refund."""
    assert keys(at(when, moving(when))) == expected


@pytest.mark.parametrize(
    ("country", "service", "first"),
    [("US", "standard", 20), ("BR", "economy", 45), ("BR", "yanwen", 30), ("MX", "standard", 30)],
)
def test_r5_thresholds_belong_to_the_destination_and_the_service(country: str, service: str, first: int) -> None:
    """R5: the ladder is the destination's; a product without its own profile takes the country's standard one."""
    slow = moving(first, country=country, service=service)
    assert keys(at(first - 0.1, slow)) == []
    assert keys(at(first, slow)) == ["stage1:0"]


def test_the_message_carries_its_facts_and_until_when_it_makes_sense() -> None:
    found = decision(at(31, moving(31)), Intent.STAGE1)
    assert (found.kind, found.rule, found.template) == (ActionKind.MESSAGE, "br-standard.stage1", "stage1")
    assert (found.subject, found.shipment) == ("order/jade/8001", "LP1")
    assert (found.not_before, found.deadline) == (day(30), day(45))
    assert found.evidence["age_days"] == "31"
    assert found.evidence["due_at"] == "2026-05-01T01:00:00Z"
    assert found.evidence["last_scan_at"] == "2026-04-29T01:00:00Z"


def test_after_downtime_the_most_severe_due_stage_acts() -> None:
    """Level-triggered: a week down on day 30 ends with stage 2 on day 45, and stage 1 is skipped with a reason (I4)."""
    verdict = at(46, moving(46))
    assert keys(verdict) == ["stage2:0"]
    assert why(verdict, "br-standard.stage1") is R.SUPERSEDED_BY_LATER_STAGE


def test_an_earlier_stage_on_its_way_is_taken_back_when_a_later_one_is_due() -> None:
    waiting = effect(Intent.STAGE1, 30, state=OutboxState.PENDING)
    verdict = at(45, moving(45), effects=(waiting,))
    assert keys(verdict) == ["stage2:0"]
    assert verdict.withdraw == ((waiting.key, R.SUPERSEDED_BY_LATER_STAGE),)


def test_an_earlier_stage_never_follows_a_later_one() -> None:
    """A ladder that was moved up after stage 2 went out does not write stage 1 afterwards."""
    verdict = at(35, moving(35), effects=(effect(Intent.STAGE2, 34),))
    assert keys(verdict) == []
    assert why(verdict, "br-standard.stage1") is R.SUPERSEDED_BY_LATER_STAGE


def test_d1_deciding_a_stage_keeps_day_0() -> None:
    """D1: from the stage on day 0 may move earlier, never later."""
    assert at(30, moving(30)).day0 == {"LP1": day(0)}
    assert at(29, moving(29)).day0 == {}


# ------------------------------------------------------------------------------------------------------------------- D12


@pytest.mark.parametrize(
    "state",
    [
        {"state": OutboxState.SENT},
        {"state": OutboxState.PENDING},
        {"state": OutboxState.HELD},
        {"state": OutboxState.SENDING},
        {"state": OutboxState.UNKNOWN},
        {"state": OutboxState.FAILED},
        {"state": OutboxState.CANCELLED, "rejected": True},
        {"state": OutboxState.SENT, "task": TaskState.OPEN},
        {"state": OutboxState.SENT, "task": TaskState.DONE},
        {"state": OutboxState.SENT, "task": TaskState.EXPIRED},
        {"state": OutboxState.UNKNOWN, "task": TaskState.DROPPED},
    ],
    ids=str,
)
def test_d12_a_slot_is_used_once(state: dict[str, Any]) -> None:
    """D12, I1: sent, on its way, doubtful, failed or refused: the slot is used up."""
    verdict = at(31, moving(31), effects=(effect(Intent.STAGE1, 30, **state),))
    assert keys(verdict) == []
    assert why(verdict, "br-standard.stage1") is R.ALREADY_DONE


@pytest.mark.parametrize(
    "state", [{"state": OutboxState.CANCELLED}, {"state": OutboxState.SENT, "task": TaskState.DROPPED}], ids=str
)
def test_d12_what_the_facts_took_back_opens_again_under_its_key(state: dict[str, Any]) -> None:
    """It never reached anyone: the same key, not a second one."""
    assert keys(at(31, moving(31), effects=(effect(Intent.STAGE1, 30, **state),))) == ["stage1:0"]


def test_d12_several_parcels_share_the_slot_and_the_text_speaks_of_the_most_delayed() -> None:
    young = replace(moving(31, number="LP2", id=2), first_scan=scan(6))
    found = decision(at(31, young, moving(31)), Intent.STAGE1)
    assert (found.subject, found.shipment) == ("order/jade/8001", "LP1")
    later = replace(young, first_scan=scan(5))
    assert keys(at(35, moving(35), later, effects=(effect(Intent.STAGE1, 30),))) == []


def test_the_parcel_furthest_up_its_ladder_speaks() -> None:
    """An American parcel of 35 days is later than a Brazilian one of 40."""
    brazilian = moving(40, number="LP2", id=2)
    american = replace(moving(40), first_scan=scan(5), country="US")
    assert decision(at(40, brazilian, american), Intent.STAGE2).shipment == "LP1"


def test_a_delivered_parcel_of_a_split_order_does_not_silence_the_other() -> None:
    assert keys(at(31, delivered(parcel(number="LP2", id=2), 20), moving(31))) == ["stage1:0"]


# ------------------------------------------------------------------------------------------------------------- D15, I4

STOPS: list[tuple[dict[str, Any], DecisionReason]] = [
    ({"state": OrderState.CANCELLED}, R.CANCELLED),
    ({"state": OrderState.UNPAID}, R.NOT_PAID),
    ({"state": OrderState.FINISHED}, R.FINISHED),
    ({"received_at": day(29)}, R.RECEIVED_BY_BUYER),
    ({"refunded_at": day(29), "refunded_amount": order().amount}, R.REFUNDED),
    ({"opted_out": True}, R.OPTED_OUT),
    ({"waiting_since": day(30.5)}, R.BUYER_WAITS),
    ({"cases": (CASE,)}, R.DISPUTE_OPEN),
]


@pytest.mark.parametrize(("facts", "reason"), STOPS, ids=[reason.value for _, reason in STOPS])
def test_d15_outreach_stops_and_what_is_on_its_way_is_taken_back(facts: dict[str, Any], reason: DecisionReason) -> None:
    """D15, I4: the buyer is not written to, and what still waits is withdrawn with the same reason."""
    waiting = effect(Intent.STAGE1, 30, state=OutboxState.PENDING)
    verdict = at(31, moving(31), effects=(waiting,), **facts)
    assert not [key for key in keys(verdict) if not key.startswith(Intent.CASE_ANSWER.value)]
    assert why(verdict, "ladder") is reason
    assert (waiting.key, reason) in verdict.withdraw


def test_d15_a_delivered_parcel_stops_outreach() -> None:
    verdict = at(31, delivered(parcel(), 30), effects=(effect(Intent.STAGE1, 30, state=OutboxState.HELD),))
    assert why(verdict, "ladder") is R.DELIVERED
    assert verdict.withdraw == (("order/jade/8001:stage1:0", R.DELIVERED),)


def test_d15_a_parcel_that_went_back_stops_outreach() -> None:
    verdict = at(31, replace(moving(31), status=TrackingStatus.RETURNED))
    assert why(verdict, "ladder") is R.RETURNED_TO_SENDER


def test_d15_delivered_revoked_reopens() -> None:
    """D15: the slot that was taken back when it was delivered opens again, under the same key."""
    cancelled = effect(Intent.STAGE1, 30, state=OutboxState.CANCELLED)
    revoked = replace(delivered(parcel(), 29), status=TrackingStatus.IN_TRANSIT, last_scan=scan(30))
    assert keys(at(31, revoked, effects=(cancelled,))) == ["stage1:0"]


def test_a_task_in_hand_is_not_taken_away() -> None:
    """D17: in hand is a lock: the clerk may have pasted the text already."""
    in_hand = effect(Intent.STAGE1, 30, task=TaskState.IN_HAND)
    assert at(31, delivered(parcel(), 30), effects=(in_hand,)).withdraw == ()
    opened = effect(Intent.STAGE1, 30, task=TaskState.OPEN)
    assert at(31, delivered(parcel(), 30), effects=(opened,)).withdraw == ((opened.key, R.DELIVERED),)


def test_an_order_on_hold_waits_and_keeps_what_is_on_its_way() -> None:
    waiting = effect(Intent.STAGE1, 30, state=OutboxState.PENDING)
    verdict = at(31, moving(31), effects=(waiting,), hold_until=day(40))
    assert why(verdict, "ladder") is R.ON_HOLD
    assert verdict.withdraw == ()
    assert verdict.next_at == day(40)
    assert keys(at(41, moving(41), hold_until=day(40))) == ["stage1:0"]


def test_a_suspect_number_is_not_written_about() -> None:
    """Faults row 17: no outreach about a recycled number; a sound parcel of the same order is still followed."""
    suspect = moving(31, suspect="another_parcel")
    assert why(at(31, suspect), "ladder") is R.SUSPECT_NUMBER
    assert decision(at(31, suspect, moving(31, number="LP2", id=2)), Intent.STAGE1).shipment == "LP2"


def test_a_partly_refunded_order_goes_on_for_its_other_parcel() -> None:
    """D23: the share of LP1 was paid back; LP2 still travels. A refund that names no parcel silences all of them."""
    paid = refund(28, state=OutboxState.SENT, task=TaskState.DONE, amount=order().amount)
    facts: dict[str, Any] = {"refunded_at": day(29), "refunded_amount": paid.amount, "amount": order().amount * 2}  # type: ignore[operator]
    pair = (moving(31), moving(31, number="LP2", id=2))
    assert decision(at(31, *pair, effects=(paid,), **facts), Intent.STAGE1).shipment == "LP2"
    assert why(at(31, *pair, **facts), "ladder") is R.REFUNDED


# ------------------------------------------------------------------------------------------------- other reasons for nothing


def test_nothing_without_a_parcel_or_a_beginning() -> None:
    assert why(at(31), "ladder") is R.NO_SHIPMENT
    blank = parcel(last=None, heard=30, shipped_at=None)
    assert why(at(31, blank, paid_at=None, shipped_at=None), "ladder") is R.NO_DAY_ZERO


@pytest.mark.parametrize(
    ("platform", "off", "expected"),
    [
        pytest.param("amazon", frozenset(), [], id="R1: no plain status mails on Amazon"),
        pytest.param("ownshop", frozenset(), ["stage1:0"], id="a mail of one's own shop"),
        pytest.param("ownshop", frozenset({"stage1"}), [], id="switched off for all"),
        pytest.param("ebay", frozenset(), ["stage1:0"], id="D17: grouped where a person pastes"),
    ],
)
def test_d17_a_type_is_sent_only_where_it_is_wanted(platform: str, off: frozenset[str], expected: list[str]) -> None:
    verdict = at(31, moving(31), platform=platform, store="lotus", rules=rules(messages_off=off))
    assert keys(verdict) == expected
    assert (why(verdict, "br-standard.stage1") is R.SWITCHED_OFF) is (not expected)


def test_d17_a_manual_channel_keeps_only_the_types_worth_a_persons_time() -> None:
    market = replace(RULES.marketplaces["aliexpress"], grouped=frozenset())
    verdict = at(31, moving(31), rules=rules(marketplaces={"aliexpress": market}))
    assert why(verdict, "br-standard.stage1") is R.SWITCHED_OFF


def test_a_store_with_its_own_channel_is_not_manual() -> None:
    """D5a: a store may opt in to a channel of its own."""
    store = replace(RULES.stores["jade"], channel=RULES.marketplaces["ownshop"].channel)
    market = replace(RULES.marketplaces["aliexpress"], grouped=frozenset())
    changed = rules(marketplaces={"aliexpress": market}, stores={"jade": store})
    assert keys(at(31, moving(31), rules=changed)) == ["stage1:0"]


def test_r45_after_the_rounds_a_person_decides() -> None:
    """R45: messages that reached the buyer count, those that did not do not."""
    one_round = rules(manners=Manners(rounds=1))
    sent = effect(Intent.STAGE1, 30)
    assert why(at(45, moving(45), effects=(sent,), rules=one_round), "br-standard.stage2") is R.ROUNDS_USED_UP
    taken_back = effect(Intent.STAGE1, 30, state=OutboxState.CANCELLED)
    assert keys(at(45, moving(45), effects=(taken_back,), rules=one_round)) == ["stage2:0"]


@pytest.mark.parametrize("heard", [27.9, None])
def test_d20_a_message_needs_facts_of_48_hours(heard: float | None) -> None:
    """D20: older facts are asked afresh first; still older: waiting_for_facts, woken by the next answer."""
    stale = replace(moving(30), last_answer_at=None if heard is None else day(heard))
    verdict = decide(dossier(stale), RULES, day(30))
    assert keys(verdict) == []
    assert why(verdict, "br-standard.stage1") is R.WAITING_FOR_FACTS
    assert (verdict.ask_now, verdict.waits_for_answer) == (("LP1",), True)
    assert verdict.day0 == {}


def test_a_never_scanned_parcel_is_written_about_too() -> None:
    """The variant without a scan is the text's choice: same type, same slot."""
    silent = parcel(last=None, not_found=NotFound(answers=1, since=day(29)))
    verdict = at(30, silent, effects=(refund(15, R.NEVER_SCANNED),))
    assert "stage1:0" in keys(verdict)
    assert "last_scan" not in decision(verdict, Intent.STAGE1).evidence


def test_it_looks_again_at_the_next_stage_of_any_parcel() -> None:
    young = replace(moving(31, number="LP2", id=2), first_scan=scan(3))
    verdict = at(31, moving(31), young, effects=(effect(Intent.STAGE1, 30),))
    assert verdict.next_at == day(33)


@pytest.mark.parametrize(
    ("reason", "because"),
    [(TrackingReason.LOST, R.CARRIER_SAYS_LOST), (TrackingReason.RETURNING, R.RETURNED_TO_SENDER)],
)
def test_nobody_is_told_that_a_lost_or_returning_parcel_is_on_its_way(reason: TrackingReason, because: DecisionReason) -> None:
    """R1, R2, R37: what the buyer reads is true; the refund and its text speak of such a parcel."""
    gone = parcel(last=28, heard=30.9, status=TrackingStatus.EXCEPTION, reason=reason)
    verdict = decide(dossier(gone), RULES, day(31))
    assert not [each for each in verdict.decisions if each.intent is Intent.STAGE1]
    assert (because, "LP1") in {(each.reason, each.shipment) for each in verdict.considered if each.rule == "ladder"}
    both = decide(dossier(gone, parcel("LP2", last=28, heard=30.9)), RULES, day(31))
    assert [each.shipment for each in both.decisions if each.intent is Intent.STAGE1] == ["LP2"]
