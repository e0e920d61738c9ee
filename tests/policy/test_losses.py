"""What the carrier owes is registered at once: R37, R86, D14, D19, D20 (facts/compensation.md 1 and 2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import CNY, RULES, at, day, decision, delivered, dossier, effect, keys, order, parcel, rules, why
from tracker.model import (
    ActionKind,
    Claim,
    ClaimState,
    DecisionReason,
    Dossier,
    Intent,
    NotFound,
    OrderState,
    OutboxState,
    Phase,
    Shipment,
)
from tracker.policy import decide

R = DecisionReason
RULE = "compensation"


def lost(last: float = 5, **change: Any) -> Shipment:
    return parcel(last=last, **({"status": TrackingStatus.EXCEPTION, "reason": TrackingReason.LOST} | change))


def claim(state: ClaimState, attempt: int = 1) -> Claim:
    return Claim(
        shipment="LP1",
        attempt=attempt,
        state=state,
        rule="yanwen-after",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=None,
        latest_on=None,
        payable=None,
        currency=None,
        opened_at=day(12),
    )


def decided(when: float, shipment: Shipment, *claims: Claim, **change: Any) -> Any:
    told = dossier(replace(shipment, last_answer_at=day(when - 0.04)), **change)
    return decide(Dossier(order=told.order, shipments=told.shipments, effects=told.effects, claims=claims), RULES, day(when))


def test_r86_a_loss_is_registered_with_its_earliest_and_latest_day() -> None:
    """R86: at once, with window, amount and arithmetic."""
    found = decision(at(12, lost()), Intent.COMPENSATION)
    assert (found.kind, found.key) == (ActionKind.COMPENSATION, "shipment/LP1:compensation:1")
    assert (found.reason, found.rule) == (R.CARRIER_SAYS_LOST, "yanwen-after")
    assert (found.evidence["earliest_on"], found.evidence["latest_on"]) == ("2026-04-10", "2026-05-30")
    assert (found.amount, found.currency) == (Decimal("20.00"), "USD")
    assert "declared 20.00 USD" in found.evidence["payable"]
    assert found.evidence["phase"] == "in_transit"
    assert found.deadline is not None
    assert found.deadline.date().isoformat() == "2026-05-30"


def test_a_claim_starts_when_the_silence_reaches_investigate_not_at_the_verdict() -> None:
    """facts/compensation.md 1.2: the window often closes before the ladder's day 60."""
    assert why(at(29.9, parcel(last=5)), RULE) is R.NO_LOSS
    found = decision(at(30.1, parcel(last=5)), Intent.COMPENSATION)
    assert found.reason is R.SILENCE_REACHED_INVESTIGATE


def test_d20_filing_does_not_wait_for_fresh_facts_but_silence_does_for_an_answer() -> None:
    """D20: a silence that an answer proved is enough, however old that answer is."""
    proven = replace(parcel(last=5), last_answer_at=day(31))
    assert "compensation:1" in keys(decide(dossier(proven), RULES, day(45)))
    unproven = decide(dossier(replace(proven, last_answer_at=day(20))), RULES, day(45))
    assert why(unproven, RULE) is R.NO_LOSS
    assert unproven.waits_for_answer


def test_d19_a_season_shifts_the_silence_never_the_window() -> None:
    changed = rules(seasons=(CNY,))
    assert why(at(39, parcel(last=5), rules=changed), RULE) is R.NO_LOSS
    found = decision(at(40.1, parcel(last=5), rules=changed), Intent.COMPENSATION)
    assert found.evidence["latest_on"] == "2026-05-30"


@pytest.mark.parametrize(
    ("shipment", "reason"),
    [
        (parcel(last=None, status=TrackingStatus.INFO_RECEIVED), R.NEVER_SCANNED),
        (parcel(last=None, not_found=NotFound(answers=5, since=day(3))), R.NOT_FOUND_CONFIRMED),
    ],
    ids=["never scanned", "not found"],
)
def test_before_the_first_scan_other_terms_hold(shipment: Shipment, reason: DecisionReason) -> None:
    """facts/compensation.md 1.1: the phase decides more than the carrier."""
    found = decision(at(15.1, shipment), Intent.COMPENSATION)
    assert (found.reason, found.rule, found.evidence["phase"]) == (reason, "yanwen-before", "pre_scan")


def test_a_damaged_parcel_is_claimed_even_when_it_was_delivered() -> None:
    damaged = replace(delivered(parcel(), 12), reason=TrackingReason.DAMAGED)
    assert decision(at(13, damaged), Intent.COMPENSATION).reason is R.CARRIER_SAYS_DAMAGED


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        pytest.param({"matched": False}, RULE, R.SERVICE_NOT_MATCHED, id="nobody knows whom to ask"),
        pytest.param({"carrier": None}, RULE, R.NO_CLAIM_RULE, id="an unknown carrier"),
        pytest.param({"settled_by": "platform"}, "yanwen-after", R.SETTLED_BY_PLATFORM, id="D14: the platform settles it"),
    ],
)
def test_where_nothing_may_be_filed(change: dict[str, Any], rule: str, reason: DecisionReason) -> None:
    verdict = at(12, lost(**change))
    assert why(verdict, rule) is reason
    assert "compensation:1" not in keys(verdict)


def test_a_closed_window_is_told_not_filed() -> None:
    assert why(at(70, parcel(last=20)), "yanwen-after") is R.CLAIM_WINDOW_CLOSED


def test_a_confirmed_loss_is_registered_without_a_window_a_silent_one_is_not() -> None:
    """R86: the carrier's own word is registered at once; the missing date is told."""
    silent = parcel(last=5, carrier="ups")
    assert why(at(31, silent), "promised-carrier") is R.CLAIM_WINDOW_UNKNOWN
    found = decision(at(12, lost(carrier="ups")), Intent.COMPENSATION)
    assert (found.evidence["earliest_on"], found.deadline) == ("", None)
    assert "no promised date" in found.evidence["window"]


def test_a_carrier_without_terms_gets_the_cautious_defaults() -> None:
    found = decision(at(12, lost(carrier="nobody")), Intent.COMPENSATION)
    assert (found.rule, found.amount) == ("defaults", Decimal(0))


def test_a_claim_is_registered_once() -> None:
    on_its_way = effect(Intent.COMPENSATION, 12, subject="shipment/LP1", occasion="1", kind=ActionKind.COMPENSATION)
    assert why(at(13, lost(), effects=(on_its_way,)), RULE) is R.CLAIM_OPEN
    assert why(decided(13, lost(), claim(ClaimState.FILED), effects=(on_its_way,)), RULE) is R.CLAIM_OPEN
    assert why(decided(13, lost(), claim(ClaimState.WRITTEN_OFF), effects=(on_its_way,)), RULE) is R.ALREADY_DONE


def test_a_claim_that_was_withdrawn_can_be_made_again() -> None:
    """The parcel was found, and lost once more: a second attempt under its own key."""
    first = effect(Intent.COMPENSATION, 12, subject="shipment/LP1", occasion="1", kind=ActionKind.COMPENSATION)
    verdict = decided(40, lost(), claim(ClaimState.WITHDRAWN), effects=(first,))
    assert decision(verdict, Intent.COMPENSATION).key == "shipment/LP1:compensation:2"
    second = replace(first, key="shipment/LP1:compensation:2", occasion="2", state=OutboxState.PENDING, done_at=None)
    assert why(decided(40, lost(), claim(ClaimState.WITHDRAWN), effects=(first, second)), RULE) is R.CLAIM_OPEN


def test_a_claim_not_yet_registered_is_taken_back_when_the_parcel_arrives() -> None:
    waiting = effect(
        Intent.COMPENSATION, 12, subject="shipment/LP1", occasion="1", kind=ActionKind.COMPENSATION, state=OutboxState.PENDING
    )
    assert at(13, delivered(parcel(), 12.5), effects=(waiting,)).withdraw == ((waiting.key, R.NO_LOSS),)


def test_the_carrier_owes_whatever_the_buyer_got() -> None:
    """Claims go on after the refund, and in an order that the marketplace closed; not for what the buyer holds."""
    refunded: dict[str, Any] = {"refunded_at": day(11), "refunded_amount": order().amount}
    assert "compensation:1" in keys(at(12, lost(), **refunded))
    assert "compensation:1" in keys(at(31, parcel(last=5), **refunded))
    assert "compensation:1" in keys(at(12, lost(), state=OrderState.FINISHED))
    assert why(at(12, lost(), received_at=day(11)), RULE) is R.NO_LOSS
    assert why(at(12, lost(suspect="another_parcel")), RULE) is R.SUSPECT_NUMBER
    assert why(at(12, replace(parcel(), status=TrackingStatus.RETURNED)), RULE) is R.NO_LOSS


def test_silence_opens_no_claim_under_terms_that_neither_pay_nor_search() -> None:
    """facts/compensation.md 1.1: after the first scan many lines pay nothing; a sure loss is registered all the same (R86)."""
    terms = tuple(replace(rule, basis="none", inquiry_only=False) for rule in RULES.compensation)
    nothing = replace(RULES, version="pays-nothing", compensation=terms)
    silent = dossier(replace(parcel(last=5), last_answer_at=day(32)))
    verdict = decide(silent, nothing, day(32.1))
    assert not [each for each in verdict.decisions if each.kind is ActionKind.COMPENSATION]
    assert R.PAYS_NOTHING in {each.reason for each in verdict.considered}
    sure = dossier(replace(lost(), last_answer_at=day(12)))
    assert [each.kind for each in decide(sure, nothing, day(12.1)).decisions if each.kind is ActionKind.COMPENSATION]


@pytest.mark.parametrize("refunded", [None, 26])
def test_a_parcel_that_went_back_is_no_loss_refunded_or_not(refunded: int | None) -> None:
    """R86: nothing is claimed for goods that the seller has again, however long they have been silent since."""
    back = replace(parcel(last=25), status=TrackingStatus.RETURNED)
    paid: dict[str, Any] = {"refunded_at": day(refunded), "refunded_amount": Decimal("30.00")} if refunded else {}
    verdict = at(55, back, **paid)
    assert why(verdict, RULE) is R.NO_LOSS
    assert not any(each.kind is ActionKind.COMPENSATION for each in verdict.decisions)
