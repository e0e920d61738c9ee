"""Untrackable parcels: R8, R9, D19, promise 2; thresholds follow the tracking capability (facts/transit.md section 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import (
    CNY,
    PEAK,
    RULES,
    at,
    day,
    decision,
    dossier,
    evidence,
    keys,
    order,
    parcel,
    rules,
    scan,
    why,
    window,
)
from tracker.dates import utc_text
from tracker.model import Capability, Case, CaseKind, DecisionReason, Intent, NotFound, Shipment
from tracker.policy import decide

R = DecisionReason
RULE = "refund.untrackable"


def reason(when: float, shipment: Shipment, **change: Any) -> DecisionReason | None:
    """The reason of an urgent recommendation, else why there is none."""
    verdict = at(when, shipment, **change)
    urgent = [each.reason for each in verdict.decisions if each.intent is Intent.REFUND and each.urgent]
    return urgent[0] if urgent else why(verdict, RULE)


# ------------------------------------------------------------------------------------------------------------------ silent


@pytest.mark.parametrize(
    ("silent", "expected"),
    [(24.9, R.SILENCE_WITHIN_LIMIT), (44.9, R.SILENCE_WITHIN_LIMIT), (45.1, R.SILENT_BEYOND_LIMIT)],
)
def test_r8_silent_beyond_the_profiles_limit(silent: float, expected: DecisionReason) -> None:
    """R8: 45 days for Brazil."""
    assert reason(5 + silent, parcel(last=5)) is expected


def test_the_answer_that_proves_the_silence_comes_after_the_limit() -> None:
    """engine.md 2.2: at the limit the dossier is decided by time, and then waits for an answer later than the limit."""
    assert reason(50.01, parcel(last=5)) is R.WAITING_FOR_FACTS
    assert reason(50.1, parcel(last=5)) is R.SILENT_BEYOND_LIMIT


def test_r8_a_carrier_that_is_down_makes_no_parcel_untrackable() -> None:
    """Promise 2: silence is counted to the last successful answer; the dossier waits for the next one."""
    down = replace(parcel(last=5), last_answer_at=day(40))
    verdict = decide(dossier(down), RULES, day(80))
    assert not [each for each in verdict.decisions if each.urgent]
    assert why(verdict, RULE) is R.WAITING_FOR_FACTS
    assert verdict.waits_for_answer
    assert reason(80, replace(down, last_answer_at=day(79.9))) is R.SILENT_BEYOND_LIMIT


def test_r8_a_source_that_stopped_looking_proves_no_silence() -> None:
    """Promise 2, facts/carriers.md section 3, rule 7: *Expired* repeated every day is no answer about the parcel."""
    asleep = replace(parcel(last=5), stopped_at=day(35))
    verdict = at(80, asleep)
    assert not [each for each in verdict.decisions if each.urgent]
    assert why(verdict, RULE) is R.SOURCE_STOPPED
    assert verdict.waits_for_answer, "it may be woken up"
    assert reason(80, replace(asleep, stopped_at=day(51))) is R.SILENT_BEYOND_LIMIT, "it looked until after the limit"
    assert reason(80, replace(asleep, stopped_at=None)) is R.SILENT_BEYOND_LIMIT, "it looks again"
    unscanned = lost_number(stopped_at=day(4))
    assert reason(30, unscanned) is not R.NEVER_SCANNED


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("unavailable", R.SOURCE_DOWN),
        ("bad_response", R.SOURCE_DOWN),
        ("rate_limited", R.SOURCE_THROTTLED),
        ("not_ready", R.SOURCE_NOT_READY),
        ("not_registered", R.SOURCE_NOT_READY),
        ("quota_exhausted", R.SOURCE_REFUSES),
        ("auth", R.SOURCE_REFUSES),
        ("invalid_number", R.NUMBER_REFUSED),
        ("a_kind_of_tomorrow", R.WAITING_FOR_FACTS),
    ],
)
def test_r8_every_sort_of_missing_answer_has_its_own_name(kind: str, expected: DecisionReason) -> None:
    """R8, R9: down, throttled, not ready, refused are told apart, and none of them costs money."""
    silent = replace(parcel(last=5), last_answer_at=day(40), unanswered=kind)
    never = replace(parcel(last=None), unanswered=kind)
    for told in (decide(dossier(silent), RULES, day(80)), decide(dossier(never), RULES, day(80))):
        assert why(told, RULE) is expected
        assert not [each for each in told.decisions if each.urgent]
        assert told.waits_for_answer


def test_what_was_answered_is_not_explained_by_a_failed_poll() -> None:
    """R8: an error since the last answer changes nothing about what that answer proved."""
    assert reason(80, replace(parcel(last=5), unanswered="unavailable")) is R.SILENT_BEYOND_LIMIT


def test_r14_customs_have_a_longer_threshold_of_their_own() -> None:
    """R14: more than a month in silence is normal there; after it silence speaks again."""
    held = replace(parcel(last=5), reason=TrackingReason.CUSTOMS_HOLD)
    assert reason(64.9, held) is R.SILENCE_IS_NORMAL
    assert at(50, held, window=window(110)).next_at is not None
    assert reason(65.01, held) is R.WAITING_FOR_FACTS, "the answer that proves it comes after"
    assert reason(66, held) is R.SILENT_BEYOND_LIMIT


def test_d2_a_refund_by_age_tells_that_the_source_stopped_looking() -> None:
    found = evidence(at(61, replace(parcel(last=31), stopped_at=day(60.5))), Intent.REFUND)
    assert found["source_stopped_looking_at"] == utc_text(day(60.5))


def test_r8_the_recommendation_is_urgent_and_shows_its_arithmetic() -> None:
    found = evidence(at(51, parcel(last=5)), Intent.REFUND)
    assert (found["silent_days"], found["limit_days"]) == ("45", "45")
    assert found["cost_of_a_dispute"] == "7 days of freeze", "D6"


def test_silence_counts_from_the_later_bound_of_the_last_scan() -> None:
    """facts/transit.md section 3: whatever costs money uses the later bound."""
    vague = replace(parcel(last=5), last_scan=replace(scan(5), latest=day(6)))
    assert reason(50.5, vague) is R.SILENCE_WITHIN_LIMIT
    assert reason(51.5, vague) is R.SILENT_BEYOND_LIMIT


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": TrackingStatus.AVAILABLE_FOR_PICKUP}, R.WAITS_FOR_BUYERS_ACTION),
        ({"reason": TrackingReason.DUTIES_UNPAID}, R.WAITS_FOR_BUYERS_ACTION),
        ({"reason": TrackingReason.DOCUMENTS_MISSING}, R.WAITS_FOR_BUYERS_ACTION),
        ({"reason": TrackingReason.CUSTOMS_HOLD}, R.SILENCE_IS_NORMAL),
        ({"capability": Capability.EXPORT_ONLY}, R.SILENCE_IS_NORMAL),
        ({"matched": False}, R.SERVICE_NOT_MATCHED),
    ],
    ids=str,
)
def test_silence_that_proves_nothing(change: dict[str, Any], expected: DecisionReason) -> None:
    """The buyer's turn, customs, a service that shows nothing after export, a service nobody knows: never lost by silence."""
    assert reason(55, replace(parcel(last=5), **change)) is expected


def test_thresholds_follow_the_capability_before_the_profile() -> None:
    """R numbers to Brazil show two scans: eight weeks of silence are normal, 75 days are the verdict."""
    registered = replace(parcel(last=5), capability=Capability.ARRIVAL_AND_DELIVERY)
    assert reason(55, registered) is R.SILENCE_WITHIN_LIMIT
    assert reason(79, registered) is R.SILENCE_WITHIN_LIMIT
    assert reason(81, registered) is R.SILENT_BEYOND_LIMIT
    assert reason(55, replace(registered, country="US")) is R.SILENT_BEYOND_LIMIT, "no registered profile there: its own"


@pytest.mark.parametrize(
    ("seasons", "limit"), [((), 45), ((PEAK,), 52), ((CNY, PEAK), 55)], ids=["none", "peak", "the longest, never the sum"]
)
def test_d19_a_season_shifts_the_verdict(seasons: tuple[Any, ...], limit: int) -> None:
    """D19: the longest season on the leg, never the sum."""
    changed = rules(seasons=seasons)
    assert reason(5 + limit - 0.5, parcel(last=5), rules=changed) is not R.SILENT_BEYOND_LIMIT
    assert reason(5 + limit + 0.5, parcel(last=5), rules=changed) is R.SILENT_BEYOND_LIMIT


def test_it_looks_again_when_a_limit_is_reached() -> None:
    def again(when: float, shipment: Shipment) -> datetime | None:
        return next(each.looks_again for each in at(when, shipment).considered if each.rule == RULE)

    assert again(10, parcel(last=5)) == day(30)
    assert again(31, parcel(last=5)) == day(50)
    assert again(49, replace(parcel(last=5), last_answer_at=day(20))) == day(50)


# --------------------------------------------------------------------------------------------------------------- not found


def lost_number(**change: Any) -> Shipment:
    """Handed over on day 0 (a Wednesday), never scanned."""
    return parcel(last=None, **({"status": TrackingStatus.NOT_FOUND} | change))


@pytest.mark.parametrize(
    ("answers", "sources", "days", "expected"),
    [
        (3, 2, 5, R.NOT_FOUND_CONFIRMED),
        (2, 2, 5, R.NOT_FOUND_UNCONFIRMED),
        (3, 2, 4.9, R.NOT_FOUND_UNCONFIRMED),
        (4, 1, 7, R.NOT_FOUND_UNCONFIRMED),
        (5, 1, 6.9, R.NOT_FOUND_UNCONFIRMED),
        (5, 1, 7, R.NOT_FOUND_CONFIRMED),
    ],
)
def test_r8_not_found_is_confirmed_by_answers_over_days(
    answers: int, sources: int, days: float, expected: DecisionReason
) -> None:
    """R8: 3 answers over 5 days from 2 sources, else 5 answers over 7 days."""
    run = NotFound(answers=answers, since=day(3), sources=sources)
    shipment = lost_number(not_found=run, last_answer_at=day(3 + days))
    assert reason(3 + days, shipment) is expected


def test_r8_one_source_says_so() -> None:
    run = NotFound(answers=9, since=day(3))
    assert evidence(at(11, lost_number(not_found=run)), Intent.REFUND)["sources"] == "one source"
    two = replace(run, sources=2)
    assert evidence(at(11, lost_number(not_found=two)), Intent.REFUND)["sources"] == "2 sources"


def test_r8_an_unconfirmed_not_found_waits_for_answers_not_for_time() -> None:
    verdict = at(5, lost_number(not_found=NotFound(answers=2, since=day(3))))
    assert verdict.waits_for_answer


def test_not_found_after_scans_is_silence_not_a_missing_number() -> None:
    """A source that drops a number later says nothing about the parcel that was scanned."""
    dropped = parcel(last=5, not_found=NotFound(answers=9, since=day(10)))
    assert reason(20, dropped) is R.SILENCE_WITHIN_LIMIT


def test_an_unmatched_service_can_still_be_proven_untrackable() -> None:
    """Only silence proves nothing there; the person who decides is told."""
    run = NotFound(answers=5, since=day(3))
    found = evidence(at(11, lost_number(not_found=run, matched=False)), Intent.REFUND)
    assert found["service"] == "not matched"


# ----------------------------------------------------------------------------------------------------------- never scanned


@pytest.mark.parametrize(
    ("when", "expected", "task"),
    [
        pytest.param(6.9, R.NO_FIRST_SCAN_YET, False, id="four working days: 6 April is a holiday in China"),
        pytest.param(8.1, R.NO_FIRST_SCAN_YET, True, id="five: ask the forwarder"),
        pytest.param(14.9, R.NO_FIRST_SCAN_YET, True, id="not yet ten"),
        pytest.param(15.1, R.NEVER_SCANNED, True, id="ten: verdict"),
    ],
)
def test_r8_never_scanned_counts_working_days_in_china(when: float, expected: DecisionReason, *, task: bool) -> None:
    """R8: handed over on 1 April 2026; holidays are not loss."""
    verdict = at(when, lost_number(status=TrackingStatus.INFO_RECEIVED))
    found = [each.reason for each in verdict.decisions if each.intent is Intent.REFUND]
    assert (found[0] if found else why(verdict, RULE)) is expected
    assert ("forwarder_inquiry:0" in keys(verdict)) is task


def test_the_person_is_told_when_a_years_holidays_are_not_published() -> None:
    """Until November nobody knows which Saturdays China will work next year: the count is a guess, and says so."""
    assert evidence(at(15.1, lost_number()), Intent.REFUND)["calendar"] == "CN"
    far = 365 * 5
    told = evidence(at(far + 30, lost_number(shipped_at=day(far))), Intent.REFUND)
    assert told["calendar"] == "CN: its holidays of 2031 are not published"


def test_never_scanned_needs_an_answer_after_the_tenth_day() -> None:
    """Promise 2: a poll that failed adds nothing."""
    verdict = decide(dossier(lost_number(last_answer_at=day(9))), RULES, day(30))
    assert why(verdict, RULE) is R.NO_FIRST_SCAN_YET
    assert verdict.waits_for_answer
    unasked = decide(dossier(lost_number(last_answer_at=None)), RULES, day(30))
    assert why(unasked, RULE) is R.WAITING_FOR_FACTS


def test_the_first_answers_after_registration_are_no_news() -> None:
    """An aggregator that was told a month-old number this morning does not know it yet."""
    fresh = lost_number(registered_at=day(29), last_answer_at=day(29.5))
    verdict = decide(dossier(fresh), RULES, day(29.6))
    assert why(verdict, RULE) is R.NOT_FOUND_UNCONFIRMED
    assert verdict.waits_for_answer
    assert reason(32, replace(fresh, last_answer_at=day(31.5))) is R.NEVER_SCANNED


def test_without_a_hand_over_nothing_was_missed() -> None:
    blank = lost_number(shipped_at=None)
    assert reason(30, blank, shipped_at=None) is R.NO_DAY_ZERO
    run = NotFound(answers=1, since=day(29))
    assert reason(30, replace(blank, not_found=run), shipped_at=None) is R.NOT_FOUND_UNCONFIRMED


@pytest.mark.parametrize(
    ("when", "expected"),
    [(30, R.SILENCE_IS_NORMAL), (74, R.SILENCE_IS_NORMAL), (76, R.SILENT_BEYOND_LIMIT)],
)
def test_r_numbers_are_first_seen_on_arrival(when: float, expected: DecisionReason) -> None:
    """Neither *not found* nor a missing scan says anything for weeks."""
    registered = lost_number(capability=Capability.ARRIVAL_AND_DELIVERY, not_found=NotFound(answers=30, since=day(3)))
    assert reason(when, registered) is expected


def test_r_numbers_before_arrival_wait_for_answers_and_need_a_hand_over() -> None:
    registered = lost_number(capability=Capability.ARRIVAL_AND_DELIVERY)
    late = decide(dossier(replace(registered, last_answer_at=day(50))), RULES, day(80))
    assert why(late, RULE) is R.WAITING_FOR_FACTS
    assert reason(80, replace(registered, shipped_at=None), shipped_at=None) is R.NO_DAY_ZERO
    assert reason(80, replace(registered, matched=False)) is R.SERVICE_NOT_MATCHED


def test_r9_an_open_dispute_does_not_stop_the_advice() -> None:
    """R9, D15: refund advice goes on, and is urgent."""
    case = Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(50))
    found = decision(at(51, parcel(last=5), cases=(case,)), Intent.REFUND)
    assert (found.reason, found.urgent) == (R.SILENT_BEYOND_LIMIT, True)
    assert found.amount == order().amount
