"""A shop taken over on its way: only live danger is done by itself, nobody is written to twice (daily-operations, "Cut-over")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import DAY0, RULES, at, day, decision, dossier, effect, keys, parcel, refund, row, scan, why, window
from tracker.model import (
    Capability,
    Case,
    CaseKind,
    Considered,
    DecisionReason,
    Intent,
    OutboxState,
    Settle,
    Settled,
    Shipment,
    TaskState,
    Totals,
    Verdict,
)
from tracker.policy import decide, release
from tracker.policy.cutover import stage_at

R = DecisionReason
CASE = Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(50))


def moving(when: float, **change: Any) -> Shipment:
    return parcel(last=when - 3, **change)


def resting(when: float, **change: Any) -> Shipment:
    return parcel(last=when - 15, **change)


def word(how: Settle, when: float = 46) -> Settled:
    return Settled(how=how, by="Mei", at=day(when))


def said(verdict: Verdict, rule: str) -> Considered:
    return next(each for each in verdict.considered if each.rule == rule)


def refunded(verdict: Verdict) -> list[DecisionReason]:
    return [each.reason for each in verdict.decisions if each.intent is Intent.REFUND]


# --------------------------------------------------------------------------------------------------------------- the ladder


def test_stages_before_the_cut_over_are_skipped_with_both_dates() -> None:
    verdict = at(47, moving(47), cutover_at=day(46))
    assert keys(verdict) == []
    skipped = said(verdict, "br-standard.stage2")
    assert (skipped.reason, skipped.detail) == (R.BEFORE_CUTOVER, "due 2026-05-16, taken over 2026-05-17")
    assert why(verdict, "br-standard.stage1") is R.SUPERSEDED_BY_LATER_STAGE
    assert keys(at(47, moving(47), cutover_at=day(44))) == ["stage2:0"]


def test_a_row_that_waits_is_taken_back_when_the_cut_over_comes_late_unless_a_person_approved_it() -> None:
    """The first import forgot --cutover: what waits of before goes to the backlog."""
    waiting = effect(Intent.STAGE1, 31, state=OutboxState.HELD)
    assert at(32, moving(32), effects=(waiting,), cutover_at=day(31)).withdraw == ((waiting.key, R.BEFORE_CUTOVER),)
    approved = replace(waiting, state=OutboxState.PENDING, decided_at=day(31))
    assert at(32, moving(32), effects=(approved,), cutover_at=day(31)).withdraw == ()
    sent = effect(Intent.STAGE1, 30)
    assert why(at(32, moving(32), effects=(sent,), cutover_at=day(31)), "br-standard.stage1") is R.ALREADY_DONE


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, ["stage2:0"], id="nobody told him"),
        pytest.param({Intent.STAGE1: day(31)}, ["stage2:0"], id="stage 1 was told: stage 2 is another"),
        pytest.param({Intent.STAGE2: day(45)}, [], id="stage 2 was told"),
        pytest.param({Intent.STAGE3: day(45)}, [], id="a later one uses up the ones below"),
    ],
)
def test_what_was_told_outside_is_used_up(told: dict[Intent, Any], expected: list[str]) -> None:
    assert keys(at(46, moving(46), contacted=told)) == expected


def test_a_contact_outside_is_shown_with_its_date_and_stops_what_waits() -> None:
    verdict = at(32, moving(32), contacted={Intent.STAGE2: day(29)})
    assert said(verdict, "br-standard.stage1").detail == "contacted outside on 2026-04-30 with stage2"
    waiting = effect(Intent.STAGE1, 31, state=OutboxState.PENDING)
    verdict = at(32, moving(32), effects=(waiting,), contacted={Intent.STAGE1: day(29)})
    assert verdict.withdraw == ((waiting.key, R.ALREADY_DONE),)
    assert said(verdict, "br-standard.stage1").detail == "contacted outside on 2026-04-30"


def test_r45_a_contact_outside_is_a_round() -> None:
    limited = {Intent.STAGE1: day(31)}
    three = tuple(effect(Intent.STAGE2, 33, occasion=str(turn), state=OutboxState.UNKNOWN) for turn in range(2))
    assert why(at(46, moving(46), effects=three, contacted=limited), "br-standard.stage2") is R.ALREADY_DONE
    first = tuple(effect(Intent.STAGE1, 30 + turn, occasion=str(turn)) for turn in range(2))
    assert why(at(46, moving(46), effects=first, contacted=limited), "br-standard.stage2") is R.ROUNDS_USED_UP
    assert keys(at(46, moving(46), effects=first[:1], contacted=limited)) == ["stage2:0"]


def test_a_person_lets_a_skipped_stage_speak_or_never() -> None:
    """`backlog settle --as send` names who has said yes; `--as skip` is kept with the name."""
    found = decision(at(47, moving(47), cutover_at=day(46), settled={Intent.STAGE2: word(Settle.SEND)}), Intent.STAGE2)
    assert (found.approved_by, found.not_before) == ("Mei", day(45))
    verdict = at(47, moving(47), settled={Intent.STAGE2: word(Settle.SKIP)})
    assert (keys(verdict), said(verdict, "br-standard.stage2").reason) == ([], R.SKIPPED_BY_PERSON)
    assert said(verdict, "br-standard.stage2").detail == "Mei, 2026-05-17"
    assert decision(at(47, moving(47)), Intent.STAGE2).approved_by is None


def test_a_later_stage_silences_one_that_was_to_speak_after_all() -> None:
    waiting = effect(Intent.STAGE2, 47, state=OutboxState.PENDING)
    late = at(60, moving(60), effects=(waiting,), cutover_at=day(46), settled={Intent.STAGE2: word(Settle.SEND)})
    assert (waiting.key, R.SUPERSEDED_BY_LATER_STAGE) in late.withdraw


# ------------------------------------------------------------------------------------------------------------------ refunds


@pytest.mark.parametrize(
    ("when", "ends", "change", "expected"),
    [
        pytest.param(66, 90, {}, [], id="the window closes in 24 days: old business"),
        pytest.param(79.9, 90, {}, [], id="in a little more than ten"),
        pytest.param(80, 90, {}, [R.WINDOW_CLOSES_UNARRIVED], id="within ten days: live danger"),
        pytest.param(95, 90, {}, [R.WINDOW_CLOSES_UNARRIVED], id="it closed after the cut-over: nobody may lose sight of it"),
        pytest.param(95, 64, {}, [], id="it had closed before the cut-over"),
        pytest.param(66, 90, {"cases": (CASE,)}, [R.STAGE3_NOT_ARRIVED], id="a case is open"),
        pytest.param(66, 90, {"settled": {Intent.STAGE3: word(Settle.SEND)}}, [R.STAGE3_NOT_ARRIVED], id="a person wants it"),
        pytest.param(80, 90, {"settled": {Intent.STAGE3: word(Settle.SKIP)}}, [R.WINDOW_CLOSES_UNARRIVED], id="danger is news"),
    ],
)
def test_old_refund_advice_waits_for_live_danger(when: float, ends: float, change: dict[str, Any], expected: list[R]) -> None:
    verdict = at(when, resting(when), cutover_at=day(65), window=window(ends), **change)
    assert refunded(verdict) == expected
    if not expected:
        assert why(verdict, "br-standard.stage3") is R.BEFORE_CUTOVER


def test_advice_that_became_due_after_the_cut_over_is_given() -> None:
    assert refunded(at(61, resting(61), cutover_at=day(59))) == [R.STAGE3_NOT_ARRIVED]


def test_stage_3_that_was_told_outside_waits_for_danger_and_is_not_told_again() -> None:
    verdict = at(66, resting(66), window=window(90), contacted={Intent.STAGE3: day(62)})
    assert (refunded(verdict), why(verdict, "br-standard.stage3")) == ([], R.ALREADY_DONE)
    paid = refund(67, state=OutboxState.SENT, task=TaskState.DONE)
    facts: dict[str, Any] = {"refunded_at": day(68), "refunded_amount": paid.amount}
    assert keys(at(69, resting(69), effects=(paid,), **facts)) == ["stage3:0"]
    assert keys(at(69, resting(69), effects=(paid,), contacted={Intent.STAGE3: day(62)}, **facts)) == []


def test_r8_a_proven_untrackable_parcel_is_live_danger_and_turned_bad_when_it_did() -> None:
    """D25: what was lost before the cut-over is no mass change of today."""
    found = decision(at(70, parcel(last=20), cutover_at=day(69)), Intent.REFUND)
    assert (found.reason, found.urgent, found.not_before) == (R.SILENT_BEYOND_LIMIT, True, day(65))
    assert decision(at(70, parcel(last=20), cutover_at=day(60)), Intent.REFUND).not_before is None
    never = decision(at(70, parcel(last=None), cutover_at=day(69)), Intent.REFUND)
    assert never.reason is R.NEVER_SCANNED
    arrival: dict[str, Any] = {"last": None, "capability": Capability.ARRIVAL_AND_DELIVERY}
    assert refunded(at(80, parcel(**arrival), cutover_at=day(79))) == [R.SILENT_BEYOND_LIMIT]


def test_r37_a_parcel_that_the_carrier_calls_lost_is_live_danger() -> None:
    lost = parcel(last=20, status=TrackingStatus.EXCEPTION, reason=TrackingReason.LOST)
    assert refunded(at(40, lost, cutover_at=day(39))) == [R.CARRIER_SAYS_LOST]


def test_what_came_back_before_the_cut_over_was_somebodys_business_then() -> None:
    back = replace(parcel(last=50, status=TrackingStatus.RETURNED), last_scan=scan(50, TrackingStatus.RETURNED))
    verdict = at(60, back, cutover_at=day(55), window=window(90))
    assert (refunded(verdict), why(verdict, "refund.returned")) == ([], R.BEFORE_CUTOVER)
    assert verdict.next_at == day(80)
    assert refunded(at(80, back, cutover_at=day(55), window=window(90))) == [R.RETURNED_TO_SENDER]
    assert refunded(at(60, back, cutover_at=day(49), window=window(90))) == [R.RETURNED_TO_SENDER]


# ------------------------------------------------------------------------------------------------- claims, inquiries, windows


def silent(when: float, **change: Any) -> Verdict:
    """Silent since day 5: `investigate` was reached on day 30; the claim window closes on the 60th day after posting."""
    return at(when, parcel(last=5), **change)


def test_an_old_claim_is_made_when_its_window_is_about_to_close() -> None:
    waiting = silent(40, cutover_at=day(31))
    assert [each for each in waiting.decisions if each.intent is Intent.COMPENSATION] == []
    kept = said(waiting, "yanwen-after")
    assert kept.reason is R.BEFORE_CUTOVER
    begins = kept.looks_again
    assert begins is not None
    until = decision(silent(40), Intent.COMPENSATION).deadline
    assert until is not None
    assert until - begins == timedelta(days=15) - timedelta(seconds=1)
    when = (begins - DAY0) / timedelta(days=1)
    assert decision(silent(when, cutover_at=day(31)), Intent.COMPENSATION).deadline == until
    assert decision(silent(40, cutover_at=day(29)), Intent.COMPENSATION).deadline == until
    assert decision(silent(40, cutover_at=day(31), cases=(CASE,)), Intent.COMPENSATION).deadline == until


def test_an_old_loss_without_a_last_day_stays_out_until_a_person_looks() -> None:
    damaged = parcel(last=20, carrier="ups", status=TrackingStatus.DELIVERED, reason=TrackingReason.DAMAGED)
    assert why(at(40, damaged, cutover_at=day(39)), "promised-carrier") is R.BEFORE_CUTOVER
    assert decision(at(40, damaged, cutover_at=day(19)), Intent.COMPENSATION).reason is R.CARRIER_SAYS_DAMAGED
    unknown = replace(damaged, last_scan=None)
    assert decision(at(40, unknown, cutover_at=day(39)), Intent.COMPENSATION).reason is R.CARRIER_SAYS_DAMAGED


def test_an_old_inquiry_stays_out_unless_danger_is_alive() -> None:
    waiting = parcel(last=None)
    assert keys(at(9, waiting)) == ["forwarder_inquiry:0"]
    verdict = at(9, waiting, cutover_at=day(8.9), window=window(40))
    assert (keys(verdict), why(verdict, "forwarder_inquiry")) == ([], R.BEFORE_CUTOVER)
    assert "forwarder_inquiry:0" in keys(at(9, waiting, cutover_at=day(8.9), cases=(CASE,)))


def test_r7_a_window_that_closes_is_extended_whenever_the_order_came() -> None:
    assert keys(at(47, moving(47), cutover_at=day(46), window=window(55))) == ["extension:2026-05-26"]


# ------------------------------------------------------------------------------------------------------------ the last look


def asked(when: float, *, came: float, **change: Any) -> str:
    """What release() says on day `when` about stage 1, which is due on day 30, of an order that came in on day `came`."""
    told = dossier(replace(moving(when), last_answer_at=day(when - 1 / 24)), **change)
    stage = decision(decide(told, RULES, day(when)), Intent.STAGE1)
    said = release(row(stage, when), told, Totals(store_since=day(-200), order_since=day(came)), RULES, day(when))
    return said.why


@pytest.mark.parametrize(
    ("came", "cutover", "expected"),
    [
        pytest.param(29, None, "free", id="an order of ours"),
        pytest.param(30.2, None, "first_start", id="it came in when the stage was due already"),
        pytest.param(30.2, 29.9, "free", id="due on the day of the takeover"),
        pytest.param(31.5, 20, "first_start", id="a cut-over long ago lets nothing loose"),
    ],
)
def test_d22_what_was_due_before_the_order_came_in_is_held_once(came: float, cutover: float | None, expected: str) -> None:
    """Faults row 35: into a store that has run for long too; a cut-over names the day from which on we speak."""
    change = {} if cutover is None else {"cutover_at": day(cutover)}
    assert asked(32, came=came, **change) == expected


def test_72_hours_count_from_a_contact_outside_too() -> None:
    """R45, D17: he was told stage 1 outside, two days before stage 2."""
    told = dossier(replace(moving(46), last_answer_at=day(45.9)), contacted={Intent.STAGE1: day(44)})
    stage = decision(decide(told, RULES, day(46)), Intent.STAGE2)
    said = release(row(stage, 46), told, Totals(order_since=day(0)), RULES, day(46))
    assert (said.why, said.until) == ("72_hours", day(47))


def test_the_stage_that_an_order_had_come_to() -> None:
    """`--contacted` without a stage: by the ladder on that day, at least the first; unknown without any date."""
    told = dossier(moving(70))
    found = [stage_at(told, RULES, day(when)) for when in (10, 31, 46, 61)]
    assert found == [Intent.STAGE1, Intent.STAGE1, Intent.STAGE2, Intent.STAGE3]
    blank = dossier(parcel(last=None, shipped_at=None), shipped_at=None, paid_at=None)
    assert stage_at(blank, RULES, day(30)) is None
