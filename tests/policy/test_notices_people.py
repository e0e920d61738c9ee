"""Cases, losses and buyers to look after; and the manners that hold for all (R10-R13, R33, R37, R91, D11, D15, I4)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingReason
from tests.policy.build import MARKETS, RULES, at, day, decision, effect, keys, parcel, refund, rules, why
from tests.policy.test_properties import DOSSIERS, WHEN
from tracker.messages import MESSAGE_TYPES
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    CaseReason,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    OrderState,
    OutboxState,
    TaskState,
)
from tracker.policy import decide

R = DecisionReason
SHOP: dict[str, Any] = {"platform": "ownshop", "store": "lotus"}
LOST = parcel(reason=TrackingReason.LOST)


def mine(intent: Intent, made: float, **change: Any) -> Effect:
    return effect(intent, made, **({"subject": "order/lotus/8001"} | change))


# ------------------------------------------------------------------------------------------------------------------- cases


def case(kind: CaseKind = CaseKind.INQUIRY, **change: Any) -> Case:
    return Case(id="5008", kind=kind, opened_at=day(22), **({"reason": CaseReason.NOT_RECEIVED} | change))


ANSWERED: dict[str, Any] = {"answered_at": day(22.1)}
ASKED = rules(marketplaces=MARKETS | {"ebay": replace(MARKETS["ebay"], tasks_for=frozenset({"dispute_opened"}))})
"""Where a person pastes the text."""


@pytest.mark.parametrize("kind", [CaseKind.INQUIRY, CaseKind.DISPUTE, CaseKind.A_TO_Z, CaseKind.NOT_AS_DESCRIBED])
def test_r33_the_buyer_hears_that_his_case_was_seen(kind: CaseKind) -> None:
    """R10-R13, R33: once it is answered, whatever else stops outreach; once a case."""
    verdict = at(22.2, parcel(), cases=(case(kind, **ANSWERED),), opted_out=True, waiting_since=day(22), **SHOP)
    found = decision(verdict, Intent.DISPUTE)
    assert (found.template, found.reason, found.occasion, found.urgent) == ("dispute_opened", R.CASE_OPENED, "5008", True)
    assert (found.shipment, found.evidence["case_kind"], found.evidence["due_at"]) == ("LP1", kind.value, "2026-04-23T01:00:00Z")
    told = mine(Intent.DISPUTE, 22.2, occasion="5008")
    assert why(at(23, parcel(), cases=(case(kind, **ANSWERED),), effects=(told,), **SHOP), "dispute") is R.ALREADY_DONE


@pytest.mark.parametrize("kind", [CaseKind.CHARGEBACK, CaseKind.BUYER_MESSAGE, CaseKind.BAD_REVIEW, CaseKind.RETURN_REQUEST])
def test_r33_other_cases_have_their_own_answers(kind: CaseKind) -> None:
    assert Intent.DISPUTE not in {each.intent for each in at(22.1, parcel(), cases=(case(kind),), **SHOP).decisions}


def test_r33_off_says_so_and_a_closed_case_takes_its_text_back() -> None:
    off = rules(messages_off=frozenset({"dispute_opened"}))
    assert why(at(22.2, parcel(), cases=(case(**ANSWERED),), rules=off, **SHOP), "dispute") is R.SWITCHED_OFF
    waits = mine(Intent.DISPUTE, 22.2, occasion="5008", task=TaskState.OPEN, done_at=None)
    closed = at(23, parcel(), cases=(case(closed_at=day(22.5)),), effects=(waits,), **SHOP)
    assert (waits.key, R.EVENT_OVER) in closed.withdraw


def test_r33_no_mail_says_that_evidence_is_in_the_case_before_it_is() -> None:
    """R13, R33: it leaves after the answer; one that was decided before is taken back. Who pastes it has it at once."""
    waits = mine(Intent.DISPUTE, 22.05, occasion="5008", state=OutboxState.PENDING)
    early = at(22.1, parcel(), cases=(case(),), effects=(waits,), **SHOP)
    assert (why(early, "dispute"), early.withdraw) == (R.CASE_WANTS_ANSWER, ((waits.key, R.CASE_WANTS_ANSWER),))
    assert "dispute:5008" in keys(at(22.1, parcel(), cases=(case(),), rules=ASKED, platform="ebay"))


def test_r33_who_answered_a_case_without_the_text_is_not_asked_to_paste_it() -> None:
    """D17: an open task stays, for the answer may be what it waited for; a new one would be work about nothing."""
    answered = (case(**ANSWERED),)
    place: dict[str, Any] = {"rules": ASKED, "platform": "ebay"}
    assert why(at(22.2, parcel(), cases=answered, **place), "dispute") is R.CASE_ANSWERED
    open_ = effect(Intent.DISPUTE, 22.05, occasion="5008", task=TaskState.OPEN, done_at=None)
    assert at(22.2, parcel(), cases=answered, effects=(open_,), **place).withdraw == ()


def test_r33_no_text_about_a_case_of_long_ago_or_one_whose_money_is_settled() -> None:
    """D13: the refund speaks; and a first list of cases writes to nobody about last quarter's."""
    old = case(**ANSWERED)
    assert why(at(53, parcel(), cases=(old,), **SHOP), "dispute") is R.NO_LONGER_NEWS
    assert why(at(53, parcel(), cases=(case(),), rules=ASKED, platform="ebay"), "dispute") is R.NO_LONGER_NEWS
    assert (
        why(
            at(23, parcel(), cases=(old,), refunded_at=day(22.1), refunded_amount=Decimal(30), amount=Decimal(30), **SHOP),
            "dispute",
        )
        is R.REFUNDED
    )


def test_r13_the_text_speaks_of_the_parcel_that_the_case_names() -> None:
    pair = (parcel(), parcel("LP2", id=2, first_scan=None))
    named = at(22.2, *pair, cases=(case(shipment="LP1", **ANSWERED),), **SHOP)
    assert decision(named, Intent.DISPUTE).shipment == "LP1"
    assert decision(at(22.2, cases=(case(**ANSWERED),), **SHOP), Intent.DISPUTE).shipment is None


# -------------------------------------------------------------------------------------------------------------------- lost


def offered(**change: Any) -> Effect:
    values: dict[str, Any] = {
        "subject": "order/lotus/8001",
        "state": OutboxState.SENT,
        "task": TaskState.OPEN,
        "decided_at": day(21),
        "done_at": None,
    }
    values |= {"reason": R.CARRIER_SAYS_LOST} | change
    return replace(refund(20, values.pop("reason"), **values), done_at=change.get("done_at"))


def test_r37_d11_the_offer_goes_out_with_the_approved_recommendation() -> None:
    """R37, D11: refund or resend, as the buyer chooses; never before a person said yes."""
    held = offered(state=OutboxState.HELD, task=None, decided_at=None)
    assert Intent.LOST not in {each.intent for each in at(21.1, LOST, effects=(held,), **SHOP).decisions}
    found = decision(at(21.1, LOST, effects=(offered(),), **SHOP), Intent.LOST)
    assert (found.template, found.reason, found.occasion) == ("lost", R.LOSS_APPROVED, "LP1")


@pytest.mark.parametrize(
    "change",
    [{"rejected": True}, {"done_at": day(21.05), "task": TaskState.DONE}, {"shipment": "LP9"}, {"reason": R.STAGE3_NOT_ARRIVED}],
    ids=["rejected", "paid", "another parcel", "another reason"],
)
def test_r37_nothing_is_offered_otherwise(change: dict[str, Any]) -> None:
    """D13: once it is paid, `refund_issued` speaks."""
    verdict = at(21.1, LOST, effects=(offered(**change),), **SHOP)
    assert Intent.LOST not in {each.intent for each in verdict.decisions}


def test_r37_off_says_so_and_a_parcel_that_turns_up_ends_it() -> None:
    off = rules(messages_off=frozenset({"lost"}))
    assert why(at(21.1, LOST, effects=(offered(),), rules=off, **SHOP), "lost") is R.SWITCHED_OFF
    waits = mine(Intent.LOST, 21.05, occasion="LP1", state=OutboxState.PENDING)
    assert (waits.key, R.EVENT_OVER) in at(23, parcel(last=22), effects=(offered(), waits), **SHOP).withdraw


# --------------------------------------------------------------------------------------------------------------------- vip

NO_TEXT = rules(messages_off=frozenset({"vip"}))


def test_r91_once_a_month_a_text_where_it_is_switched_on_else_a_task() -> None:
    """R91: off by default, then a person does it."""
    text = decision(at(2, parcel(last=1), vip=True, **SHOP), Intent.VIP)
    assert (text.kind, text.template, text.occasion, text.reason) == (ActionKind.MESSAGE, "vip", "2026-04", R.VIP_MONTH)
    task = decision(at(2, parcel(last=1), vip=True, rules=NO_TEXT, **SHOP), Intent.VIP)
    assert (task.kind, task.template, task.deadline) == (ActionKind.TASK, None, datetime(2026, 5, 1, tzinfo=UTC))
    assert keys(at(2, parcel(last=1), **SHOP)) == []


def test_r91_the_next_month_is_the_next_time() -> None:
    told = mine(Intent.VIP, 2, occasion="2026-04")
    verdict = at(29.5, parcel(last=29), vip=True, effects=(told,), **SHOP)
    assert (why(verdict, "vip"), verdict.next_at) == (R.ALREADY_DONE, datetime(2026, 5, 1, tzinfo=UTC))
    assert "vip:2026-05" in keys(at(35, parcel(last=34), vip=True, effects=(told,), **SHOP))
    year_end = at(270, parcel(last=269), vip=True, state=OrderState.FINISHED, **SHOP)
    assert decision(year_end, Intent.VIP).deadline == datetime(2027, 1, 1, tzinfo=UTC)


def test_r91_amazon_forbids_marketing() -> None:
    """R91: there neither text nor task."""
    strict = rules(marketplaces=MARKETS | {"amazon": replace(MARKETS["amazon"], messages_off=frozenset({"vip"}))})
    verdict = at(2, parcel(last=1), vip=True, platform="amazon", rules=strict)
    assert (keys(verdict), why(verdict, "vip")) == ([], R.SWITCHED_OFF)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"opted_out": True}, R.OPTED_OUT),
        ({"waiting_since": day(1.9)}, R.BUYER_WAITS),
        ({"cases": (case(),)}, R.DISPUTE_OPEN),
        ({"state": OrderState.CANCELLED}, R.CANCELLED),
        ({"refunded_at": day(1)}, R.REFUNDED),
    ],
)
def test_d15_r91_a_courtesy_stops(facts: dict[str, Any], reason: DecisionReason) -> None:
    """D15, I4: and a hold lets it wait."""
    waits = mine(Intent.VIP, 1.5, occasion="2026-04", state=OutboxState.PENDING)
    verdict = at(2, parcel(last=1), vip=True, effects=(waits,), **SHOP, **facts)
    assert (why(verdict, "vip"), (waits.key, reason) in verdict.withdraw) == (reason, True)


def test_r91_a_hold_only_lets_it_wait() -> None:
    waits = mine(Intent.VIP, 1.5, occasion="2026-04", state=OutboxState.PENDING)
    verdict = at(2, parcel(last=1), vip=True, effects=(waits,), hold_until=day(4), **SHOP)
    assert (why(verdict, "vip"), verdict.withdraw) == (R.ON_HOLD, ())


# ----------------------------------------------------------------------------------------------------------------- manners

COURTESIES = {Intent(each.slot) for each in MESSAGE_TYPES.values() if each.kind.outreach and not each.kind.counts}
STAGES = {Intent(each.slot) for each in MESSAGE_TYPES.values() if each.kind.outreach and each.kind.counts}


@settings(max_examples=150, deadline=None)
@given(DOSSIERS, WHEN, st.booleans())
def test_i4_d15_no_outreach_of_any_type_where_it_must_not_be(told: Dossier, now: datetime, vip: bool) -> None:
    """I4, D15: stages and courtesies never after a refund, in a dispute, after opt-out, while the buyer waits.

    Stages never after the delivery either, which is when a review may be asked for (R101).
    """
    order = replace(told.order, vip=vip)
    written = {each.intent for each in decide(replace(told, order=order), RULES, now).decisions}
    stopped = told.dispute_open or order.opted_out or order.waiting_since is not None
    paid_back = order.refunded_at is not None and not order.paid_left
    over = order.state in {OrderState.CANCELLED, OrderState.UNPAID} or paid_back
    if stopped or over:
        assert not written & (STAGES | COURTESIES)
    arrived = all(each.delivered for each in told.shipments) or order.received_at is not None
    if arrived or order.state is OrderState.FINISHED:
        assert not written & STAGES


def test_r91_one_buyer_is_written_to_once_a_month_whatever_he_has_ordered() -> None:
    """R91: five marked orders of his are one buyer."""
    assert "vip:2026-04" in keys(at(2, parcel(last=1), vip=True, **SHOP))
    assert why(at(2, parcel(last=1), vip=True, vip_with="7001", **SHOP), "vip") is R.ALREADY_DONE
