"""After the delivery: verify, tell, ask; not found by the buyer; taken back; funds (R20, R21, R38, R45, R101, R104, D5b)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import MARKETS, at, day, decision, delivered, effect, keys, parcel, refund, rules, why, window
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    CaseReason,
    DecisionReason,
    Effect,
    Intent,
    OrderState,
    OutboxState,
    Shipment,
    TaskState,
    WindowSource,
)
from tracker.rules import Notices, TimeRule

R = DecisionReason
SHOP: dict[str, Any] = {"platform": "ownshop", "store": "lotus"}
OFF = rules(messages_off=frozenset({"delivered", "review"}))
QUIET = rules(messages_off=frozenset({"delivered"}))
CAME = delivered(parcel(), 20)


def mine(intent: Intent, made: float, **change: Any) -> Effect:
    return effect(intent, made, **({"subject": "order/lotus/8001"} | change))


TOLD = mine(Intent.DELIVERED, 20.2, shipment="LP1")

# --------------------------------------------------------------------------------------------------------------- delivered


def test_r20_r21_a_confirmed_delivery_is_told() -> None:
    """R20, R21: verify, tell; asking comes later."""
    verdict = at(21, CAME, **SHOP)
    found = decision(verdict, Intent.DELIVERED)
    assert (found.template, found.reason, found.shipment) == ("delivered", R.DELIVERY_CONFIRMED, "LP1")
    assert keys(verdict) == ["delivered:0"]


def test_r20_it_is_off_by_default_and_says_so() -> None:
    """R20, D17: the platforms tell it; one line switches it on."""
    assert why(at(21, CAME, rules=OFF, **SHOP), "delivered") is R.SWITCHED_OFF
    assert why(at(21, CAME), "delivered") is R.SWITCHED_OFF


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": OrderState.FINISHED}, R.FINISHED),
        ({"received_at": day(20.5)}, R.RECEIVED_BY_BUYER),
        ({"refunded_at": day(19)}, R.REFUNDED),
        ({"cases": (Case(id="c", kind=CaseKind.DISPUTE, opened_at=day(19)),)}, R.DISPUTE_OPEN),
        ({"cutover_at": day(20.5)}, R.BEFORE_CUTOVER),
    ],
    ids=["finished", "received", "refunded", "dispute", "taken over"],
)
def test_r20_what_speaks_against_telling_it(facts: dict[str, Any], reason: DecisionReason) -> None:
    assert why(at(21, CAME, **SHOP, **facts), "delivered") is reason


def test_r20_old_deliveries_are_no_news() -> None:
    """Switching the type on must not write to everybody who ever bought something."""
    assert why(at(28, CAME, **SHOP), "delivered") is R.NO_LONGER_NEWS


def test_r21_only_when_everything_has_come_and_nothing_is_doubted() -> None:
    on_its_way = parcel("LP2", id=2)
    assert Intent.DELIVERED not in {each.intent for each in at(21, CAME, on_its_way, **SHOP).decisions}
    doubted = replace(CAME, suspect="another_parcel")
    assert Intent.DELIVERED not in {each.intent for each in at(21, doubted, **SHOP).decisions}
    both = at(23, CAME, delivered(parcel("LP2", id=2), 22), **SHOP)
    assert decision(both, Intent.DELIVERED).shipment == "LP2", "the last one has the word"


# ---------------------------------------------------------------------------------------------------------------- reopened


def test_r6_r36_who_was_told_of_a_delivery_hears_that_it_is_taken_back() -> None:
    """R6, R36: DESIGN: "delivered" revoked re-opens."""
    found = decision(at(23, parcel(last=22), effects=(TOLD,), **SHOP), Intent.REOPENED)
    assert (found.template, found.reason, found.shipment) == ("reopened", R.DELIVERY_TAKEN_BACK, "LP1")


def test_r6_only_then_once_and_where_it_is_wanted() -> None:
    assert keys(at(23, parcel(last=22), **SHOP)) == []
    waits = mine(Intent.DELIVERED, 20.2, shipment="LP1", state=OutboxState.PENDING)
    pending = at(23, parcel(last=22), effects=(waits,), **SHOP)
    assert (keys(pending), pending.withdraw) == ([], ((waits.key, R.EVENT_OVER),))
    again = at(24, parcel(last=22), effects=(TOLD, mine(Intent.REOPENED, 23)), **SHOP)
    assert why(again, "reopened") is R.ALREADY_DONE
    off = rules(messages_off=frozenset({"reopened"}))
    assert why(at(23, parcel(last=22), effects=(TOLD,), rules=off, **SHOP), "reopened") is R.SWITCHED_OFF


# --------------------------------------------------------------------------------------------------------------- not found


def asked(opened: float = 22, **change: Any) -> Case:
    values: dict[str, Any] = {"kind": CaseKind.BUYER_MESSAGE, "reason": CaseReason.NOT_RECEIVED}
    return Case(id="m1", opened_at=day(opened), **(values | change))


def test_r38_the_buyer_who_does_not_find_it_is_answered() -> None:
    """R38: his message waits for an answer, so neither that nor opt-out stops it."""
    verdict = at(22.1, CAME, effects=(TOLD,), cases=(asked(),), waiting_since=day(22), opted_out=True, **SHOP)
    found = decision(verdict, Intent.NOT_FOUND_BY_BUYER)
    assert (found.template, found.reason) == ("delivered_not_found", R.DELIVERED_BUT_NOT_FOUND)
    assert (found.occasion, found.urgent, found.evidence["case"]) == ("0", True, "m1")


@pytest.mark.parametrize(
    "case",
    [
        asked(19),
        asked(closed_at=day(22.05)),
        asked(answered_at=day(22.05)),
        asked(reason=CaseReason.DAMAGED),
        asked(kind=CaseKind.RETURN_REQUEST),
        asked(shipment="LP9"),
    ],
    ids=["before it came", "closed", "answered", "of something else", "another kind", "another parcel"],
)
def test_r38_nothing_else_is_answered_like_that(case: Case) -> None:
    assert Intent.NOT_FOUND_BY_BUYER not in {each.intent for each in at(22.1, CAME, cases=(case,), **SHOP).decisions}


def test_r38_off_says_so_and_an_undelivered_parcel_has_its_own_way() -> None:
    off = rules(messages_off=frozenset({"delivered_not_found"}))
    assert why(at(22.1, CAME, cases=(asked(),), rules=off, **SHOP), "not_found_by_buyer") is R.SWITCHED_OFF
    assert Intent.NOT_FOUND_BY_BUYER not in {each.intent for each in at(22.1, parcel(), cases=(asked(),), **SHOP).decisions}
    refunded = at(22.1, CAME, cases=(asked(),), refunded_at=day(22.05), **SHOP)
    assert Intent.NOT_FOUND_BY_BUYER not in {each.intent for each in refunded.decisions}


def test_r38_a_platform_that_confirmed_by_itself_does_not_end_it() -> None:
    verdict = at(22.1, CAME, cases=(asked(),), state=OrderState.FINISHED, **SHOP)
    assert "not_found_by_buyer:0" in keys(verdict)


def test_d17_on_a_manual_channel_it_is_a_snippet_in_the_task_of_his_message() -> None:
    """D17, R38: a person answers him anyway; his task brings the text along, no second one is opened."""
    verdict = at(22.1, CAME, cases=(asked(),))
    assert why(verdict, "not_found_by_buyer") is R.SWITCHED_OFF
    assert decision(verdict, Intent.CASE_ANSWER).template == "delivered_not_found"
    own_shop = at(22.1, CAME, cases=(asked(),), **SHOP)
    assert decision(own_shop, Intent.CASE_ANSWER).template is None, "there it is sent"
    off = rules(messages_off=frozenset({"delivered_not_found"}))
    assert decision(at(22.1, CAME, cases=(asked(),), rules=off), Intent.CASE_ANSWER).template is None
    assert decision(at(22.1, parcel(), cases=(asked(),)), Intent.CASE_ANSWER).template is None


def test_r45_an_answer_is_a_round() -> None:
    """R45: stages and answers count; a notice does not, and after three a person decides."""
    said = (mine(Intent.STAGE1, 10), mine(Intent.STAGE2, 15), mine(Intent.NOT_FOUND_BY_BUYER, 16, occasion="9"))
    verdict = at(22.1, CAME, cases=(asked(),), effects=(TOLD, *said), **SHOP)
    assert why(verdict, "not_found_by_buyer") is R.ROUNDS_USED_UP
    two = at(22.1, CAME, cases=(asked(),), effects=(TOLD, *said[:2], mine(Intent.CUSTOMS, 12)), **SHOP)
    assert "not_found_by_buyer:0" in keys(two)
    outside = {Intent.STAGE1: day(10), Intent.STAGE2: day(15)}
    slow = at(50, parcel(last=47), effects=(said[2],), contacted=outside, **SHOP)
    assert why(slow, "br-standard.stage2") is R.ALREADY_DONE
    third = at(50, parcel(last=47), effects=(said[2],), contacted={Intent.STAGE1: day(10), Intent.CUSTOMS: day(9)}, **SHOP)
    assert why(third, "br-standard.stage2") is R.ROUNDS_USED_UP


# ------------------------------------------------------------------------------------------------------------------ review


def test_r101_one_neutral_request_days_after_the_delivery() -> None:
    """R101, R21: verify, tell, ask; it sleeps until then."""
    early = at(21, CAME, effects=(TOLD,), **SHOP)
    assert (why(early, "review"), early.next_at) == (R.NOT_YET_DUE, day(27))
    verdict = at(27, CAME, effects=(TOLD,), **SHOP)
    found = decision(verdict, Intent.REVIEW)
    assert (found.template, found.reason, found.occasion, found.kind) == ("review", R.REVIEW_DUE, "0", ActionKind.MESSAGE)
    assert found.deadline == day(50)


def test_r101_it_is_off_by_default_and_says_so() -> None:
    assert why(at(27, CAME, effects=(TOLD,), rules=OFF, **SHOP), "review") is R.SWITCHED_OFF
    assert why(at(27, CAME), "review") is R.SWITCHED_OFF


DISPUTE = Case(id="c", kind=CaseKind.DISPUTE, opened_at=day(22))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"reviewed_at": day(25)}, R.ALREADY_REVIEWED),
        ({"opted_out": True}, R.OPTED_OUT),
        ({"waiting_since": day(26.5)}, R.BUYER_WAITS),
        ({"cases": (DISPUTE,)}, R.DISPUTE_OPEN),
        ({"cases": (replace(DISPUTE, kind=CaseKind.RETURN_REQUEST),)}, R.DISPUTE_OPEN),
        ({"refunded_at": day(26)}, R.REFUNDED),
        ({"state": OrderState.CANCELLED}, R.CANCELLED),
        ({"hold_until": day(29)}, R.ON_HOLD),
    ],
    ids=["reviewed", "opted out", "waits", "dispute", "return", "refunded", "cancelled", "on hold"],
)
def test_d5b_d15_a_courtesy_stops(facts: dict[str, Any], reason: DecisionReason) -> None:
    """D15, I4, D5b: dispute, opt-out, a waiting buyer, a refund: none of them is asked for a review."""
    assert why(at(27, CAME, rules=QUIET, **SHOP, **facts), "review") is reason


def test_d5b_a_refund_on_its_way_is_one_too() -> None:
    offered = refund(24, R.CARRIER_SAYS_DAMAGED, subject="order/lotus/8001", task=TaskState.OPEN, state=OutboxState.SENT)
    assert why(at(27, CAME, effects=(TOLD, offered), **SHOP), "review") is R.RECOMMENDATION_OPEN
    refused = replace(offered, rejected=True, task=TaskState.DROPPED)
    assert "review:0" in keys(at(27, CAME, effects=(TOLD, refused), **SHOP))


def test_i4_a_request_that_waits_is_taken_back_when_something_happens() -> None:
    """A hold only lets it wait."""
    waits = mine(Intent.REVIEW, 27, state=OutboxState.PENDING)
    assert at(28, CAME, effects=(TOLD, waits), cases=(DISPUTE,), **SHOP).withdraw == ((waits.key, R.DISPUTE_OPEN),)
    assert at(28, CAME, effects=(TOLD, waits), hold_until=day(29), **SHOP).withdraw == ()
    assert at(28, parcel(last=27), effects=(TOLD, waits), **SHOP).withdraw == ((waits.key, R.EVENT_OVER),)
    assert at(51, CAME, effects=(TOLD, waits), **SHOP).withdraw == ((waits.key, R.NO_LONGER_NEWS),)


def test_r101_nobody_is_asked_long_afterwards() -> None:
    assert why(at(51, CAME, rules=QUIET, **SHOP), "review") is R.NO_LONGER_NEWS


def test_r101_who_confirmed_the_receipt_himself_is_asked_too() -> None:
    assert "review:0" in keys(at(27, CAME, state=OrderState.FINISHED, rules=QUIET, **SHOP))
    assert "review:0" in keys(at(27, parcel(), received_at=day(20), rules=QUIET, **SHOP))


def test_r104_one_repeat_at_most_and_only_where_it_is_configured() -> None:
    """R104: the shipped default repeats nothing."""
    first = mine(Intent.REVIEW, 27)
    assert why(at(45, CAME, effects=(TOLD, first), **SHOP), "review") is R.ALREADY_DONE
    again = rules(notices=Notices(review_repeats=1))
    early = at(30, CAME, effects=(TOLD, first), rules=again, **SHOP)
    assert (why(early, "review"), early.next_at) == (R.NOT_YET_DUE, day(41))
    assert keys(at(41, CAME, effects=(TOLD, first), rules=again, **SHOP)) == ["review:1"]
    both = (TOLD, first, mine(Intent.REVIEW, 41, occasion="1"))
    assert why(at(60, CAME, effects=both, rules=again, **SHOP), "review") is R.ALREADY_DONE


AMAZON = TimeRule(
    id="amazon.review",
    marketplace="amazon",
    kind="window",
    tz="UTC",
    anchor="edd_min",
    offset=5,
    unit="days",
    direction="after",
    confidence="high",
    offset_max=30,
    end_anchor="edd_max",
)
SOLICIT = rules(
    marketplaces=MARKETS | {"amazon": replace(MARKETS["amazon"], tasks_for=frozenset({"review"}))},
    times={"amazon": (AMAZON,)},
    notices=Notices(review_repeats=1),
)


@pytest.mark.parametrize(
    ("now", "made"), [(27, []), (31, ["review:0"]), (49, ["review:0"]), (66, [])], ids=["early", "open", "still", "late"]
)
def test_r101_amazon_has_its_own_window_and_its_own_button(now: float, made: list[str]) -> None:
    """R101, D3: 5 days after the earliest to 30 after the latest promised date; a task without a text, once."""
    dates = {"promised_from": day(25), "promised_at": day(35), "platform": "amazon"}
    verdict = at(now, CAME, rules=SOLICIT, **dates)
    assert keys(verdict) == made
    assert {(each.kind, each.template) for each in verdict.decisions} <= {(ActionKind.TASK, None)}


def test_r101_without_promised_dates_amazons_window_is_not_known() -> None:
    assert why(at(31, CAME, rules=SOLICIT, platform="amazon"), "review") is R.NOT_YET_DUE
    done = effect(Intent.REVIEW, 31, kind=ActionKind.TASK, task=TaskState.DONE)
    dates = {"promised_from": day(15), "promised_at": day(35), "platform": "amazon"}
    assert why(at(48, CAME, effects=(done,), rules=SOLICIT, **dates), "review") is R.ALREADY_DONE


# ------------------------------------------------------------------------------------------------------------------- funds

KEEPS = rules(marketplaces=MARKETS | {"aliexpress": replace(MARKETS["aliexpress"], release_funds_days=10)})


def test_r20_the_release_of_funds_is_asked_for_after_a_confirmed_delivery() -> None:
    """R20: only where the marketplace keeps the money, days after the delivery, until the window closes."""
    early = at(25, CAME, rules=KEEPS)
    assert (why(early, "release_funds"), early.next_at) == (R.NOT_YET_DUE, day(30))
    found = decision(at(30, CAME, rules=KEEPS, window=window(60)), Intent.RELEASE_FUNDS)
    assert (found.kind, found.reason, found.deadline, found.template) == (ActionKind.TASK, R.DELIVERY_CONFIRMED, day(60), None)
    assert keys(at(30, CAME)) == []


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": OrderState.FINISHED}, R.FINISHED),
        ({"received_at": day(29)}, R.RECEIVED_BY_BUYER),
        ({"cases": (DISPUTE,)}, R.DISPUTE_OPEN),
        ({"window": window(29)}, R.WINDOW_OVER),
    ],
    ids=["finished", "received", "dispute", "released by itself"],
)
def test_r20_the_task_ends_by_itself(facts: dict[str, Any], reason: DecisionReason) -> None:
    """D17: tasks cancel themselves when the facts change."""
    task = effect(Intent.RELEASE_FUNDS, 30, kind=ActionKind.TASK, task=TaskState.OPEN)
    verdict = at(31, CAME, rules=KEEPS, effects=(task,), **facts)
    assert (why(verdict, "release_funds"), verdict.withdraw) == (reason, ((task.key, reason),))


def test_r20_d17_of_old_deliveries_nobody_is_asked_for_the_money() -> None:
    """R20, D17: three thousand old orders of the first import are no three thousand lines; the marketplace paid long ago."""
    assert why(at(38, CAME, rules=KEEPS), "release_funds") is R.NO_LONGER_NEWS


def test_r20_an_estimated_window_ends_nothing() -> None:
    assert keys(at(30, CAME, rules=KEEPS, window=window(25, WindowSource.ESTIMATED))) == ["release_funds:0"]


def test_r20_a_source_that_only_says_the_word_gives_no_day_to_count_from() -> None:
    silent: Shipment = parcel(last=None, status=TrackingStatus.DELIVERED)
    assert keys(at(40, silent, rules=KEEPS)) == []
