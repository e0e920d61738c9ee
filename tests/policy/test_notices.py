"""Notices of what happened, and what a person must look into: R4, R7, R8, R83, D13, D15, D23, faults row 17."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import at, day, decision, delivered, effect, evidence, keys, parcel, refund, rules, scan, why, window
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    DecisionReason,
    Effect,
    Intent,
    NotFound,
    OutboxState,
    Shipment,
    TaskState,
    WindowSource,
)
from tracker.rules import Notices

R = DecisionReason
REFUNDED: dict[str, Any] = {"refunded_at": day(61), "refunded_amount": Decimal("30.00"), "refund_reference": "R-77"}
SHOP: dict[str, Any] = {"platform": "ownshop", "store": "lotus"}
SHOP_ORDER = "order/lotus/8001"


def slow(when: float = 50) -> Shipment:
    return parcel(last=when - 3)


def paid(reason: DecisionReason = R.STAGE3_NOT_ARRIVED, **change: Any) -> Effect:
    return refund(60, reason, state=OutboxState.SENT, task=TaskState.DONE, **change)


def extended(ends: float = 57) -> Effect:
    return effect(Intent.EXTENSION, 48, kind=ActionKind.EXTENSION, task=TaskState.DONE, occasion=day(ends).date().isoformat())


# ---------------------------------------------------------------------------------------------------------------- extended


def test_r7_after_an_extension_the_buyer_is_told() -> None:
    """R7: the text follows the task that brought the new end; its occasion is the old one."""
    verdict = at(50, slow(), effects=(extended(), effect(Intent.STAGE2, 45)), window=window(72, WindowSource.TYPED, 1))
    assert keys(verdict) == [f"extended:{day(57).date()}"]
    found = decision(verdict, Intent.EXTENDED)
    assert (found.template, found.reason) == ("extended", R.WINDOW_WAS_EXTENDED)
    assert found.evidence["window_end"] == "2026-06-12T01:00:00Z"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"window": window(57)}, R.NO_WINDOW_END),
        ({"window": window(72, WindowSource.ESTIMATED)}, R.NO_WINDOW_END),
        ({"window": None}, R.NO_WINDOW_END),
        ({"window": window(72), "platform": "ebay"}, R.SWITCHED_OFF),
        ({"window": window(72), "received_at": day(49)}, R.RECEIVED_BY_BUYER),
    ],
    ids=["not moved", "only estimated", "unknown", "not there", "received"],
)
def test_extended_is_said_only_of_a_window_that_was_really_extended(facts: dict[str, Any], reason: DecisionReason) -> None:
    assert why(at(50, slow(), effects=(extended(),), **facts), "extended") is reason


def test_each_extension_is_told_once_and_not_after_the_parcel_came() -> None:
    told = effect(Intent.EXTENDED, 49, occasion=day(57).date().isoformat(), state=OutboxState.PENDING)
    still = at(50, slow(), effects=(extended(), told), window=window(72))
    assert why(still, "extended") is R.ALREADY_DONE
    came = at(50, delivered(parcel(), 49.5), effects=(extended(), told), window=window(72))
    assert came.withdraw == ((told.key, R.DELIVERED),)
    assert why(at(50, delivered(parcel(), 49.5), effects=(extended(),), window=window(72)), "extended") is R.DELIVERED


def test_an_extension_still_with_a_person_is_not_told() -> None:
    asked = replace(extended(), task=TaskState.OPEN, done_at=None)
    assert "extended" not in {each.intent.value for each in at(50, slow(), effects=(asked,), window=window(57)).decisions}


# ------------------------------------------------------------------------------------------------------------------ refund


@pytest.mark.parametrize(
    ("reason", "intent"),
    [
        (R.STAGE3_NOT_ARRIVED, Intent.STAGE3),
        (R.WINDOW_CLOSES_UNARRIVED, Intent.STAGE3),
        (R.NEVER_SCANNED, Intent.REFUND_ISSUED),
        (R.CARRIER_SAYS_LOST, Intent.REFUND_ISSUED),
    ],
)
def test_d13_one_text_a_refund_after_it_was_paid(reason: DecisionReason, intent: Intent) -> None:
    """D13: `stage3` where the recommendation was stage 3's, else `refund_issued`; never both, never before."""
    before = at(62, parcel(last=45), effects=(refund(60, reason),))
    assert not {Intent.STAGE3, Intent.REFUND_ISSUED} & {each.intent for each in before.decisions}
    verdict = at(62, parcel(last=45), effects=(paid(reason),), **REFUNDED)
    texts = [each for each in verdict.decisions if each.kind is ActionKind.MESSAGE]
    assert [(each.intent, each.occasion) for each in texts] == [(intent, "0")]
    assert (texts[0].evidence["amount"], texts[0].evidence["reference"]) == ("30.00", "R-77")


def test_d13_the_text_goes_out_once_and_where_the_type_is_wanted() -> None:
    told = effect(Intent.STAGE3, 61)
    assert why(at(62, parcel(last=45), effects=(paid(), told), **REFUNDED), "stage3") is R.ALREADY_DONE
    assert why(at(62, parcel(last=45), effects=(paid(),), platform="amazon", **REFUNDED), "stage3") is R.SWITCHED_OFF


def test_a_refund_made_outside_is_told_by_whoever_made_it() -> None:
    """An import of old orders with their refunds must not write to anyone."""
    assert keys(at(62, parcel(last=45), **REFUNDED)) == []


def test_d23_each_parcels_refund_has_its_own_text_and_amount() -> None:
    one = paid(amount=Decimal("18.00"))
    two = paid(R.CARRIER_SAYS_LOST, amount=Decimal("12.00"), shipment="LP2", occasion="1")
    pair = (parcel(last=45), parcel(number="LP2", id=2, last=45))
    verdict = at(62, *pair, effects=(one, two), **REFUNDED)
    assert keys(verdict) == ["stage3:0", "refund_issued:1"]
    assert evidence(verdict, Intent.REFUND_ISSUED)["amount"] == "12.00"
    lone = paid(shipment=None)
    assert decision(at(62, parcel(last=45), effects=(lone,), **REFUNDED), Intent.STAGE3).shipment is None


# ------------------------------------------------------------------------------------------------------------ late arrival


def test_r4_a_parcel_that_comes_after_the_refund_is_asked_for_politely() -> None:
    """R4: in one's own shop; D23: off on marketplaces."""
    came = delivered(parcel(), 65)
    verdict = at(66, came, **SHOP, **REFUNDED)
    assert keys(verdict) == ["late_arrival:0"]
    assert decision(verdict, Intent.LATE_ARRIVAL).reason is R.DELIVERED_AFTER_REFUND
    assert why(at(66, came, **REFUNDED), "late_arrival") is R.SWITCHED_OFF


def test_r4_only_what_certainly_came_afterwards() -> None:
    early = delivered(parcel(), 60)
    assert keys(at(66, early, **SHOP, **REFUNDED)) == []
    vague = replace(delivered(parcel(), 61.2), delivered_scan=replace(scan(61.2), earliest=day(60.5)))
    assert keys(at(66, vague, **SHOP, **REFUNDED)) == []
    word = replace(delivered(parcel(), 65), delivered_scan=None)
    assert keys(at(66, word, **SHOP, **REFUNDED)) == ["late_arrival:0"], "where the source only says the word"
    silent = parcel(last=None, status=TrackingStatus.DELIVERED)
    assert keys(at(66, silent, **SHOP, **REFUNDED)) == []


def test_r4_once_and_never_inside_a_case() -> None:
    came = delivered(parcel(), 65)
    told = effect(Intent.LATE_ARRIVAL, 65, subject=SHOP_ORDER)
    assert why(at(66, came, effects=(told,), **SHOP, **REFUNDED), "late_arrival") is R.ALREADY_DONE
    case = Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(64))
    waits = effect(Intent.LATE_ARRIVAL, 65, subject=SHOP_ORDER, state=OutboxState.PENDING)
    disputed = at(66, came, cases=(case,), effects=(waits,), **SHOP, **REFUNDED)
    assert (why(disputed, "late_arrival"), disputed.withdraw) == (R.DISPUTE_OPEN, ((waits.key, R.DISPUTE_OPEN),))


def test_r4_d22_old_late_arrivals_are_asked_of_nobody() -> None:
    """R4, D22: an import of last year's orders, or of what came before the take-over."""
    came = delivered(parcel(), 65)
    assert why(at(100, came, **SHOP, **REFUNDED), "late_arrival") is R.NO_LONGER_NEWS
    assert why(at(70, came, cutover_at=day(68), **SHOP, **REFUNDED), "late_arrival") is R.BEFORE_CUTOVER
    assert evidence(at(66, came, **SHOP, **REFUNDED), Intent.LATE_ARRIVAL)["due_at"] == "2026-06-05T01:00:00Z"


@pytest.mark.parametrize(("paid", "asked"), [("20.00", False), ("20.01", True), (None, True)])
def test_d23_for_little_money_nobody_is_asked_to_pay_again(paid: str | None, asked: bool) -> None:
    """D23, R4: a task above a value."""
    above = rules(notices=Notices(late_arrival_above={"USD": Decimal(20)}))
    money = {"amount": None, "refunded_amount": None if paid is None else Decimal(paid), "currency": "USD"}
    verdict = at(66, delivered(parcel(), 65), rules=above, **SHOP, **REFUNDED | money)
    assert (Intent.LATE_ARRIVAL in {each.intent for each in verdict.decisions}) is asked
    assert asked or why(verdict, "late_arrival") is R.TOO_LITTLE_TO_ASK


def test_d15_opt_out_does_not_stop_a_notice() -> None:
    assert keys(at(66, delivered(parcel(), 65), opted_out=True, **SHOP, **REFUNDED)) == ["late_arrival:0"]


# --------------------------------------------------------------------------------------------------------- a person's tasks


def test_d15_a_buyer_who_waits_longer_than_a_day_escalates() -> None:
    early = at(20.9, slow(20), waiting_since=day(20))
    assert why(early, "buyer_waiting") is R.NOT_YET_DUE
    assert early.next_at == day(21)
    verdict = at(21, slow(20), waiting_since=day(20))
    found = decision(verdict, Intent.BUYER_WAITING)
    assert (found.occasion, found.urgent, found.kind) == ("2026-04-21T0100", True, ActionKind.TASK)


def test_each_waiting_message_is_its_own_task() -> None:
    asked = effect(Intent.BUYER_WAITING, 21, kind=ActionKind.TASK, task=TaskState.OPEN, occasion="2026-04-21T0100")
    assert why(at(22, slow(20), waiting_since=day(20), effects=(asked,)), "buyer_waiting") is R.ALREADY_DONE
    assert at(22, slow(20), effects=(asked,)).withdraw == ((asked.key, R.ALREADY_DONE),)
    newer = at(26, slow(20), waiting_since=day(24), effects=(asked,))
    assert (keys(newer), newer.withdraw) == (["buyer_waiting:2026-04-25T0100"], ((asked.key, R.ALREADY_DONE),))


def inquiry(intent: Intent, subject: str = "shipment/LP1") -> Effect:
    return effect(intent, 10, kind=ActionKind.TASK, task=TaskState.OPEN, subject=subject)


def test_r8_the_inquiry_ends_with_the_reason_that_ended_it() -> None:
    """DESIGN promise 3: a number that the sources do not know for days is not "silence within the limit"."""
    unknown = parcel(last=None, not_found=NotFound(answers=9, since=day(1)))
    verdict = at(10, unknown, effects=(inquiry(Intent.FORWARDER_INQUIRY),))
    assert verdict.withdraw == (("shipment/LP1:forwarder_inquiry:0", R.NOT_FOUND_CONFIRMED),)


def test_r8_the_forwarder_is_asked_once_and_no_longer_when_a_scan_comes() -> None:
    silent = parcel(last=None, status=TrackingStatus.INFO_RECEIVED)
    found = decision(at(9, silent), Intent.FORWARDER_INQUIRY)
    assert (found.key, found.reason) == ("shipment/LP1:forwarder_inquiry:0", R.NO_FIRST_SCAN_YET)
    asked = inquiry(Intent.FORWARDER_INQUIRY)
    assert why(at(10, silent, effects=(asked,)), "forwarder_inquiry") is R.ALREADY_DONE
    assert at(10, slow(10), effects=(asked,)).withdraw == ((asked.key, R.SILENCE_WITHIN_LIMIT),)
    assert at(10, delivered(parcel(), 9), effects=(asked,)).withdraw == ((asked.key, R.DELIVERED),)


def test_faults_17_a_suspect_number_becomes_a_task() -> None:
    suspect = parcel(last=9, suspect="other_destination")
    found = decision(at(10, suspect), Intent.SUSPECT)
    assert (found.key, found.evidence["suspect"]) == ("shipment/LP1:suspect:0", "other_destination")
    asked = inquiry(Intent.SUSPECT)
    assert at(10, slow(10), effects=(asked,)).withdraw == ((asked.key, R.SILENCE_WITHIN_LIMIT),)
    refunded = at(62, replace(suspect, last_answer_at=day(61.9)), **REFUNDED)
    assert "suspect:0" not in keys(refunded)


def test_an_unknown_service_is_one_task_a_text() -> None:
    """facts/transit.md section 1: one task per text, not per parcel; the text is the key."""
    one = parcel(last=9, matched=False, service_text="燕文  航空小包")
    two = parcel(last=9, number="LP2", id=2, matched=False, service_text="燕文 航空小包")
    verdict = at(10, one, two)
    assert [each.key for each in verdict.decisions] == ["service/燕文 航空小包:service_unmatched:0"]
    asked = inquiry(Intent.SERVICE_UNMATCHED, "service/燕文 航空小包")
    assert keys(at(10, one, two, effects=(asked,))) == []
    assert keys(at(10, replace(one, service_text=None))) == []
