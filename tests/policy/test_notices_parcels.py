"""Notices of a parcel that waits for its buyer: customs, duties, collection (R14, R36, R38, R105, D15, D17)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import MARKETS, at, day, decision, delivered, effect, evidence, keys, parcel, rules, scan, why
from tracker.model import Case, CaseKind, DecisionReason, Effect, Intent, OutboxState, Shipment, TaskState
from tracker.rules import Notices, Rules

R = DecisionReason
SHOP: dict[str, Any] = {"platform": "ownshop", "store": "lotus"}
TASKS = frozenset({"customs_hold", "duties_unpaid", "pickup_waiting", "storage_expiring"})
BY_HAND = rules(marketplaces=MARKETS | {"aliexpress": replace(MARKETS["aliexpress"], tasks_for=TASKS)})
OFF = rules(messages_off=TASKS)


def waiting(reason: TrackingReason | None, last: float = 20, **change: Any) -> Shipment:
    held = parcel(last=last, reason=reason, **change)
    return replace(held, last_scan=scan(last, held.status, country="BR"))


def to_collect(last: float = 20, **change: Any) -> Shipment:
    return waiting(change.pop("reason", None), last, status=TrackingStatus.AVAILABLE_FOR_PICKUP, **change)


EVENTS = [
    (Intent.CUSTOMS, waiting(TrackingReason.CUSTOMS_HOLD), "customs_hold", R.HELD_BY_CUSTOMS, "0"),
    (Intent.CUSTOMS, waiting(TrackingReason.DOCUMENTS_MISSING), "customs_hold", R.HELD_BY_CUSTOMS, "0"),
    (Intent.DUTIES, waiting(TrackingReason.DUTIES_UNPAID), "duties_unpaid", R.DUTIES_AWAIT_PAYMENT, "0"),
    (Intent.PICKUP, to_collect(), "pickup_waiting", R.WAITS_TO_BE_COLLECTED, "LP1"),
    (Intent.STORAGE, to_collect(reason=TrackingReason.STORAGE_EXPIRING), "storage_expiring", R.STORAGE_ENDS_SOON, "LP1"),
]
each_event = pytest.mark.parametrize(
    ("intent", "shipment", "template", "reason", "occasion"), EVENTS, ids=["held", "papers", "duties", "pickup", "storage"]
)


@each_event
def test_r14_r36_r38_the_buyer_is_told_what_waits_for_him(
    intent: Intent, shipment: Shipment, template: str, reason: DecisionReason, occasion: str
) -> None:
    """R14, R36, R38: on its slot, with the parcel as occasion where each parcel counts (D12)."""
    found = decision(at(21, shipment, **SHOP), intent)
    assert (found.template, found.reason, found.occasion, found.shipment) == (template, reason, occasion, "LP1")
    assert found.evidence["due_at"] == "2026-04-21T01:00:00Z"


@each_event
def test_d17_where_people_paste_it_is_a_task_and_off_says_so(
    intent: Intent, shipment: Shipment, template: str, reason: DecisionReason, occasion: str
) -> None:
    """D17: customs, duties, collection become tasks on a manual channel; a type that is switched off says SWITCHED_OFF."""
    assert decision(at(21, shipment, rules=BY_HAND), intent).template == template
    assert (why(at(21, shipment), intent.value), reason, occasion) == (R.SWITCHED_OFF, reason, occasion)
    assert why(at(21, shipment, rules=OFF, **SHOP), intent.value) is R.SWITCHED_OFF


@each_event
def test_d15_notices_go_on_while_outreach_stops(
    intent: Intent, shipment: Shipment, template: str, reason: DecisionReason, occasion: str
) -> None:
    """D15: opt-out, a waiting buyer and a dispute stop outreach alone."""
    case = Case(id="c1", kind=CaseKind.DISPUTE, opened_at=day(20))
    verdict = at(20.5, shipment, opted_out=True, waiting_since=day(20), cases=(case,), **SHOP)
    assert (decision(verdict, intent).template, reason, occasion) == (template, reason, occasion)


@each_event
def test_once_and_taken_back_when_it_is_over(
    intent: Intent, shipment: Shipment, template: str, reason: DecisionReason, occasion: str
) -> None:
    """D12, D17: one message an event; a task that nobody took cancels itself when the parcel moves on."""
    told = effect(intent, 20, occasion=occasion, subject="order/lotus/8001")
    assert (why(at(21, shipment, effects=(told,), **SHOP), intent.value), template, reason) == (R.ALREADY_DONE, template, reason)
    open_task = replace(told, task=TaskState.OPEN, done_at=None)
    assert at(21, parcel(), effects=(open_task,), **SHOP).withdraw == ((told.key, R.EVENT_OVER),)
    assert at(21, shipment, effects=(open_task,), **SHOP).withdraw == ()
    in_hand = replace(told, task=TaskState.IN_HAND, done_at=None)
    assert at(21, parcel(), effects=(in_hand,), **SHOP).withdraw == ()


def test_i4_nothing_is_told_of_a_refunded_a_received_or_a_doubted_parcel() -> None:
    """DESIGN: notices go on until the money is settled, and a suspect number speaks of somebody else's parcel."""
    held = waiting(TrackingReason.CUSTOMS_HOLD)
    settled: list[dict[str, Any]] = [{"refunded_at": day(20)}, {"received_at": day(20)}]
    for facts in settled:
        assert Intent.CUSTOMS not in {each.intent for each in at(21, held, **SHOP, **facts).decisions}
    doubted = replace(held, suspect="other_destination")
    assert Intent.CUSTOMS not in {each.intent for each in at(21, doubted, **SHOP).decisions}


def test_d20_a_notice_speaks_of_facts_of_the_last_48_hours() -> None:
    """D20: else the source is asked afresh first."""
    verdict = at(25, waiting(TrackingReason.CUSTOMS_HOLD, heard=22), **SHOP)
    assert why(verdict, "customs") is R.WAITING_FOR_FACTS
    assert (verdict.ask_now, verdict.waits_for_answer) == (("LP1",), True)


def test_what_came_about_before_the_takeover_is_not_told() -> None:
    """facts/daily-operations.md, cut-over: what was due before is somebody else's."""
    verdict = at(25, waiting(TrackingReason.CUSTOMS_HOLD, heard=24.9), cutover_at=day(22), **SHOP)
    assert why(verdict, "customs") is R.BEFORE_CUTOVER


def test_a_contact_outside_uses_the_slot_up() -> None:
    verdict = at(21, waiting(TrackingReason.CUSTOMS_HOLD), contacted={Intent.CUSTOMS: day(20.5)}, **SHOP)
    assert why(verdict, "customs") is R.ALREADY_DONE


def test_r14_customs_names_a_day_for_the_answer() -> None:
    """R14: what and by when; the most delayed parcel has the word (D12)."""
    young = waiting(TrackingReason.CUSTOMS_HOLD)
    old = replace(young, number="LA2", first_scan=scan(-3), shipped_at=day(-4))
    verdict = at(21, young, old, **SHOP)
    assert evidence(verdict, Intent.CUSTOMS)["due_date"] == "2026-05-02"
    assert decision(verdict, Intent.CUSTOMS).shipment == "LA2"


# -------------------------------------------------------------------------------------------------------------- collecting


def told_of_pickup(made: float) -> Effect:
    return effect(Intent.PICKUP, made, occasion="LP1", subject="order/lotus/8001")


def test_r38_the_last_day_is_told_once_it_is_near() -> None:
    """R38: seven days are kept by default, and the warning comes three days before; the dossier sleeps until then."""
    first = at(20.5, to_collect(), **SHOP)
    assert keys(first) == ["pickup:LP1"]
    waits = at(21, to_collect(), effects=(told_of_pickup(20.5),), **SHOP)
    assert (keys(waits), waits.next_at) == ([], day(23 + 23 / 24))
    near = at(24, to_collect(), effects=(told_of_pickup(20.5),), **SHOP)
    found = decision(near, Intent.STORAGE)
    assert (found.evidence["due_date"], found.occasion, found.urgent) == ("2026-04-28", "LP1", True)
    assert found.deadline is not None
    assert found.deadline.date().isoformat() == "2026-04-28"


def test_r38_where_both_would_be_said_only_the_warning_is() -> None:
    verdict = at(25, to_collect(), **SHOP)
    assert (keys(verdict), why(verdict, "pickup")) == (["storage:LP1"], R.SUPERSEDED_BY_LATER_STAGE)


def test_r38_no_date_is_invented_once_the_days_have_passed() -> None:
    verdict = at(40, to_collect(heard=39.9), effects=(told_of_pickup(20.5),), **SHOP)
    assert Intent.STORAGE not in {each.intent for each in verdict.decisions}


def test_r38_a_new_scan_does_not_move_the_last_day() -> None:
    """The first sight counts: a reminder of the post office is no second week."""
    again = to_collect(24)
    verdict = at(25, again, effects=(told_of_pickup(20.5),), **SHOP)
    assert evidence(verdict, Intent.STORAGE)["due_date"] == "2026-04-28"


def test_r38_a_source_that_says_storage_ends_is_believed() -> None:
    ends = to_collect(30, reason=TrackingReason.STORAGE_EXPIRING)
    assert evidence(at(30.5, ends, **SHOP), Intent.STORAGE)["due_date"] == "2026-05-04"
    late = evidence(at(37, replace(ends, last_answer_at=day(36.9)), **SHOP), Intent.STORAGE)
    assert late["due_date"] == "2026-05-09", "tomorrow at the earliest"


@each_event
def test_d22_what_waits_since_long_ago_is_told_to_nobody(
    intent: Intent, shipment: Shipment, template: str, reason: DecisionReason, occasion: str
) -> None:
    """D17, D22: three thousand old orders in the first import, or a month of downtime, write to nobody and open no task."""
    old = replace(shipment, last_answer_at=day(119.9))
    for place in (SHOP, {"rules": BY_HAND}):
        decided = at(120, old, **place).decisions
        slots = {Intent.CUSTOMS, Intent.DUTIES, Intent.PICKUP, Intent.STORAGE}
        assert not slots & {each.intent for each in decided}, (intent, template, reason, occasion)


def test_d22_a_warning_dates_from_the_day_that_made_it_due() -> None:
    """D22, cut-over: so first start and take-over see that it is old; "now" would let every old parcel through."""
    ends = to_collect(20, reason=TrackingReason.STORAGE_EXPIRING, heard=24)
    assert why(at(24, ends, cutover_at=day(23), **SHOP), "storage") is R.BEFORE_CUTOVER
    near = at(25, to_collect(), **SHOP)
    assert evidence(near, Intent.STORAGE)["due_at"] == "2026-04-25T00:00:00Z", "three days before the last one"


def test_r38_each_parcel_waits_for_itself() -> None:
    two = replace(to_collect(), number="LP2", id=2)
    assert keys(at(21, to_collect(), two, **SHOP)) == ["pickup:LP1", "pickup:LP2"]


def test_the_days_are_configuration() -> None:
    patient: Rules = rules(notices=Notices(pickup_kept_days=30, customs_answer_days=3))
    assert keys(at(25, to_collect(), rules=patient, **SHOP)) == ["pickup:LP1"]
    held = at(21, waiting(TrackingReason.CUSTOMS_HOLD), rules=patient, **SHOP)
    assert evidence(held, Intent.CUSTOMS)["due_date"] == "2026-04-25"


def test_a_collected_parcel_takes_its_tasks_back() -> None:
    asked = tuple(
        effect(intent, 20, occasion="LP1", subject="order/lotus/8001", state=OutboxState.PENDING)
        for intent in (Intent.PICKUP, Intent.STORAGE)
    )
    verdict = at(22, delivered(parcel(), 21.5), effects=asked, **SHOP)
    assert {key for key, _ in verdict.withdraw} == {each.key for each in asked}
