"""Problems that want a person: R14, R38, R39, R45, R70, R83, R87, R88."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import RULES, at, day, decision, delivered, effect, keys, parcel, refund, why, window
from tracker import config
from tracker.model import Case, CaseKind, CaseReason, DecisionReason, Intent, Liable, Shipment, TaskState
from tracker.policy.liability import UNKNOWN, fault
from tracker.rules import Liability

R = DecisionReason
SHIPPED = config.load(None, environ={}).rules
TUNED = replace(RULES, liability=SHIPPED.liability)


def stuck(reason: TrackingReason | None, text: str = "Held", at_day: float = 19, **change: Any) -> Shipment:
    """The carrier reports an exception."""
    made = parcel(last=at_day, **change)
    scan = None if made.last_scan is None else replace(made.last_scan, description=text)
    return replace(made, status=TrackingStatus.EXCEPTION, reason=reason, last_scan=scan)


def case(reason: CaseReason, kind: CaseKind = CaseKind.DISPUTE, **change: Any) -> Case:
    values: dict[str, Any] = {"id": "c1", "kind": kind, "opened_at": day(19), "reason": reason}
    return Case(**(values | change))


# ------------------------------------------------------------------------------------------------------------ R83: exceptions


@pytest.mark.parametrize(
    ("reason", "occasion"),
    [(None, "exception"), (TrackingReason.REFUSED, "refused"), (TrackingReason.SECURITY, "security")],
    ids=str,
)
def test_r83_an_exception_becomes_a_task_of_48_hours(reason: TrackingReason | None, occasion: str) -> None:
    found = decision(at(20, stuck(reason)), Intent.PROBLEM)
    assert (found.key, found.reason) == (f"shipment/LP1:problem:{occasion}", R.PARCEL_EXCEPTION)
    assert (found.deadline, found.urgent) == (day(22), True)
    assert found.evidence["advice"]


@pytest.mark.parametrize(
    "reason",
    [
        TrackingReason.LOST,
        TrackingReason.DAMAGED,
        TrackingReason.ADDRESS_PROBLEM,
        TrackingReason.DUTIES_UNPAID,
        TrackingReason.RECIPIENT_ABSENT,
        TrackingReason.DELAYED,
        TrackingReason.CUSTOMS_HOLD,
    ],
    ids=str,
)
def test_d17_what_has_a_way_of_its_own_is_no_second_task(reason: TrackingReason) -> None:
    """D17: a recommendation, a text or a certificate speaks of these."""
    assert "problem" not in {each.partition(":")[0] for each in keys(at(20, stuck(reason), rules=TUNED))}


def test_one_task_a_problem_taken_back_when_the_parcel_moves() -> None:
    """D17: the facts end it; done is done."""
    past = effect(Intent.PROBLEM, 20, subject="shipment/LP1", occasion="exception", task=TaskState.OPEN, done_at=None)
    assert why(at(21, stuck(None), effects=(past,)), "problem") is R.ALREADY_DONE
    assert at(21, parcel(last=21), effects=(past,)).withdraw == (("shipment/LP1:problem:exception", R.NO_LOSS),)
    assert at(21, delivered(parcel(), 21), effects=(past,)).withdraw == (("shipment/LP1:problem:exception", R.DELIVERED),)


def test_what_happened_before_the_cut_over_is_left() -> None:
    assert why(at(20, stuck(None), cutover_at=day(19.5)), "problem") is R.BEFORE_CUTOVER
    assert "problem:exception" not in keys(at(20, stuck(None), cutover_at=day(19.5)))


def test_i2_an_old_problem_is_looked_at_when_danger_begins() -> None:
    """I2, D21: time alone makes it live danger; the dossier wakes on that day, ten days before the window closes."""
    refused = stuck(TrackingReason.PROHIBITED_CONTENT)
    left = at(20, refused, cutover_at=day(19.5), window=window(50), rules=TUNED)
    [found] = [each for each in left.considered if each.rule == "certificate"]
    assert (found.reason, found.looks_again) == (R.BEFORE_CUTOVER, day(40))
    assert "certificate:0" in keys(at(40, refused, cutover_at=day(19.5), window=window(50), rules=TUNED))


def test_d17_d22_history_opens_no_task() -> None:
    """D17, D22: a shop's first import brings months of old exceptions, returns at customs and broken parcels."""
    there = replace(delivered(parcel(), 19), reason=TrackingReason.DAMAGED)
    for old in (stuck(None), stuck(TrackingReason.SEIZED), there):
        assert {"problem", "certificate"}.isdisjoint(each.partition(":")[0] for each in keys(at(60, old, rules=TUNED)))
    rule = "certificate"
    assert why(at(60, stuck(TrackingReason.SEIZED), rules=TUNED), rule) is R.NO_LONGER_NEWS
    assert "certificate:0" in keys(at(60, stuck(TrackingReason.SEIZED), rules=TUNED, window=window(65))), (
        "its window is about to close"
    )


def test_d17_what_a_person_has_begun_does_not_grow_old() -> None:
    past = effect(Intent.PROBLEM, 20, subject="shipment/LP1", occasion="exception", task=TaskState.OPEN, done_at=None)
    assert "shipment/LP1:problem:exception" not in dict(at(60, stuck(None), effects=(past,)).withdraw)


def test_d21_what_came_since_the_cut_over_is_ours() -> None:
    """D21: a buyer who writes now, and a hold that has lasted too long since, are no old business."""
    there = delivered(parcel(), 18)
    said = case(CaseReason.NOT_RECEIVED, CaseKind.BUYER_MESSAGE, opened_at=day(21))
    assert "problem:proof c1" in keys(at(22, there, cutover_at=day(20), cases=(said,)))
    held = replace(parcel(last=10), reason=TrackingReason.CUSTOMS_HOLD)
    assert "certificate:0" in keys(at(71, held, rules=TUNED, cutover_at=day(20)))


# ------------------------------------------------------------------------------------------------------- R39, R87, R88: damage


def test_r39_what_reached_the_buyer_broken_is_settled_with_him() -> None:
    """R39: confirm, agree, have the case closed; R87, R88: what the claim wants; R70: who bears it."""
    there = replace(delivered(parcel(), 19), reason=TrackingReason.DAMAGED)
    found = decision(at(20, there, rules=TUNED), Intent.PROBLEM)
    assert (found.occasion, found.reason) == ("damaged", R.CARRIER_SAYS_DAMAGED)
    assert "case closed" in found.evidence["advice"]
    assert "certificate" in found.evidence["checklist"]
    assert found.evidence["liable"] == "carrier"


def test_r86_r88_the_loss_is_registered_beside_the_task() -> None:
    """R86, R88: at once, whatever the buyer is given."""
    there = replace(delivered(parcel(), 19), reason=TrackingReason.DAMAGED)
    assert decision(at(20, there, rules=TUNED), Intent.COMPENSATION).reason is R.CARRIER_SAYS_DAMAGED


# --------------------------------------------------------------------------------------------------------------- R14: customs


@pytest.mark.parametrize(
    ("reason", "text", "cause", "liable"),
    [
        (TrackingReason.SEIZED, "Seized: counterfeit goods", "counterfeit", "seller"),
        (TrackingReason.CUSTOMS_REFUSED, "Undervalued, returned", "undervalued", "seller"),
        (TrackingReason.CUSTOMS_REFUSED, "Commercial invoice missing", "papers-missing", "seller"),
        (TrackingReason.CUSTOMS_REFUSED, "Addressee did not clear it", "not-cleared", "buyer, once the carrier certifies it"),
        (TrackingReason.PROHIBITED_CONTENT, "Refused", "prohibited", "seller"),
        (TrackingReason.SEIZED, "Seized", "customs", "unknown"),
    ],
)
def test_r14_the_cause_tells_who_bears_it(reason: TrackingReason, text: str, cause: str, liable: str) -> None:
    """R14: counterfeit, undervalued, papers missing: the seller; not cleared: the buyer, if the carrier certifies it."""
    found = decision(at(20, stuck(reason, text), rules=TUNED), Intent.CERTIFICATE)
    assert (found.evidence["cause"], found.evidence["liable"]) == (cause, liable)
    assert "certificate" in found.evidence["advice"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (TrackingReason.LOST, Liable.CARRIER),
        (TrackingReason.DAMAGED, Liable.CARRIER),
        (TrackingReason.DELAYED, Liable.UNKNOWN),
        (None, Liable.UNKNOWN),
    ],
    ids=str,
)
def test_r70_what_happens_in_transport_is_the_carriers(reason: TrackingReason | None, expected: Liable) -> None:
    assert fault(stuck(reason), TUNED).liable is expected


def test_r70_the_table_is_configuration() -> None:
    """R70: first match first; without a line nobody knows."""
    mine = Liability(
        id="ours", liable=Liable.SELLER, reasons=frozenset({TrackingReason.DAMAGED}), words=(re.compile("poor pack"),)
    )
    rules = replace(RULES, liability=(mine,))
    assert fault(stuck(TrackingReason.DAMAGED, "Poor packing"), rules).liable is Liable.SELLER
    assert fault(stuck(TrackingReason.DAMAGED, "Crushed"), rules) == UNKNOWN
    assert fault(parcel(last=None), RULES) == UNKNOWN


def test_r14_a_hold_is_normal_for_long_then_wants_proof() -> None:
    """R14, facts/transit.md 3: customs have their own, longer threshold; the dossier looks again when it runs down."""
    held = replace(parcel(last=10), reason=TrackingReason.CUSTOMS_HOLD)
    early_ = at(29, held, rules=TUNED)
    assert "certificate:0" not in keys(early_)
    assert "certificate:0" in keys(at(71, held, rules=TUNED))


def test_r14_an_outage_is_no_hold() -> None:
    """R14, promise 2: that customs still keep it, only an answer from after the limit says."""
    held = replace(parcel(last=10), reason=TrackingReason.CUSTOMS_HOLD)
    unheard = at(70, replace(held, last_answer_at=day(20)), rules=TUNED)
    assert "certificate:0" not in keys(unheard)
    assert unheard.waits_for_answer


def test_r14_a_dispute_about_customs_wants_proof_at_once() -> None:
    """R14: the platform asks for it by its own date."""
    held = replace(parcel(last=10), reason=TrackingReason.CUSTOMS_HOLD)
    found = decision(at(20, held, rules=TUNED, cases=(case(CaseReason.CUSTOMS, evidence_due_at=day(23)),)), Intent.CERTIFICATE)
    assert found.deadline == day(23)


# --------------------------------------------------------------------------------------------- R38: delivered, but not received


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (case(CaseReason.NOT_RECEIVED, CaseKind.INQUIRY), True),
        (case(CaseReason.UNKNOWN), True),
        (case(CaseReason.NOT_RECEIVED, CaseKind.BUYER_MESSAGE), True),
        (case(CaseReason.QUALITY), False),
        (case(CaseReason.NOT_RECEIVED, closed_at=day(20)), False),
        (case(CaseReason.NOT_RECEIVED, shipment="LP7"), False),
    ],
)
def test_r38_the_carrier_is_asked_for_the_proof_of_delivery(about: Case, *, expected: bool) -> None:
    """R38: the buyer looks again, and the carrier says to whom it was handed."""
    verdict = at(21, delivered(parcel(), 18), cases=(about,))
    assert ("problem:proof c1" in keys(verdict)) is expected


def test_r38_the_proof_is_wanted_before_the_answer() -> None:
    found = decision(at(21, delivered(parcel(), 18), cases=(case(CaseReason.NOT_RECEIVED, due_at=day(22)),)), Intent.PROBLEM)
    assert (found.reason, found.deadline) == (R.DELIVERED_NOT_RECEIVED, day(22))
    assert found.evidence["delivered_at"] == "2026-04-19T01:00:00Z"


def test_r38_the_proof_is_asked_for_though_the_source_said_the_word_alone() -> None:
    """R38, fault 33: "delivered" without a scan: nobody knows when, which is the reason to ask."""
    bare = replace(delivered(parcel(), 18), first_scan=None, last_scan=None, delivered_scan=None)
    found = decision(at(21, bare, cases=(case(CaseReason.NOT_RECEIVED),)), Intent.PROBLEM)
    assert (found.reason, "delivered_at" in found.evidence) == (R.DELIVERED_NOT_RECEIVED, False)


# ------------------------------------------------------------------------------------------------------------------ R45: rounds


TOLD = {Intent.STAGE1: day(30), Intent.STAGE2: day(45), Intent.STAGE3: day(46)}


def test_r45_after_three_rounds_a_person_decides() -> None:
    verdict = at(50, parcel(last=48), contacted=TOLD)
    found = decision(verdict, Intent.ROUNDS_OVER)
    assert (found.reason, found.evidence["rounds"]) == (R.ROUNDS_USED_UP, "3")


@pytest.mark.parametrize(
    "change",
    [
        {"contacted": {Intent.STAGE1: day(30)}},
        {"contacted": TOLD, "opted_out": True},
        {"contacted": TOLD, "effects": (refund(49),)},
    ],
    ids=["two-left", "stopped", "asked-already"],
)
def test_r45_nobody_is_asked_who_is_asked_already_or_need_not(change: dict[str, Any]) -> None:
    assert "rounds_over:0" not in keys(at(50, parcel(last=48), **change))


def test_r45_it_ends_by_itself() -> None:
    """D17: delivered, or a recommendation asks him."""
    past = effect(Intent.ROUNDS_OVER, 50, task=TaskState.OPEN, done_at=None)
    assert why(at(51, parcel(last=48), contacted=TOLD, effects=(past,)), "rounds") is R.ALREADY_DONE
    verdict = at(51, delivered(parcel(), 50), contacted=TOLD, effects=(past,))
    assert ("order/jade/8001:rounds_over:0", R.DELIVERED) in verdict.withdraw
    held = at(51, parcel(last=48), contacted=TOLD, effects=(past,), hold_until=day(60))
    assert not held.withdraw
