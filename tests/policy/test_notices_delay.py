"""Slow for a while: advisories, seasons, and the place of `extended` where nothing can be extended (R35, D2, D19)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import (
    CNY,
    PEAK,
    RULES,
    at,
    day,
    decision,
    delivered,
    dossier,
    effect,
    evidence,
    keys,
    parcel,
    rules,
    scan,
    why,
    window,
)
from tracker.dates import utc_text
from tracker.model import Advisory, Case, CaseKind, DecisionReason, Intent, OutboxState, Settle, Settled, Shipment, Verdict
from tracker.policy import decide
from tracker.policy.slowdown import advisories_for
from tracker.rules import Rules

R = DecisionReason
SHOP: dict[str, Any] = {"platform": "ownshop", "store": "lotus"}
INSIDE: dict[str, Any] = {**SHOP, "promised_at": day(30)}
STRIKE = Advisory(
    id=7,
    start=day(18).date(),
    end=day(40).date(),
    add_days=12,
    causes={"en": "a strike at the posts", "pt-BR": "uma greve nos Correios"},
    country="BR",
    leg="destination",
    by="Mei",
    created_at=day(19),
)


def in_brazil(last: float = 20, **change: Any) -> Shipment:
    return replace(parcel(last=last, **change), last_scan=scan(last, country="BR"))


def warned(now: float, *shipments: Shipment, advisory: Advisory | tuple[Advisory, ...] = STRIKE, **change: Any) -> Verdict:
    """decide() on that day, with these advisories."""
    told: Rules = change.pop("rules", RULES)
    advisories = advisory if isinstance(advisory, tuple) else (advisory,)
    fresh = [replace(each, last_answer_at=day(now - 1 / 24)) for each in shipments]
    return decide(replace(dossier(*fresh, **change), advisories=advisories), told, day(now))


# -------------------------------------------------------------------------------------------------------------- advisories


def test_r35_an_advisory_is_told_to_buyers_whose_promised_date_falls_inside() -> None:
    """R35, D19: with the cause in each language and the days; the occasion is the advisory."""
    found = decision(warned(20.5, in_brazil(), **INSIDE), Intent.DELAY)
    assert (found.template, found.reason, found.occasion) == ("delay", R.ADVISORY_HOLDS, "7")
    told = {name: found.evidence[name] for name in ("extra_days", "cause_en", "cause_pt-BR", "due_at")}
    assert told == {
        "extra_days": "12",
        "cause_en": "a strike at the posts",
        "cause_pt-BR": "uma greve nos Correios",
        "due_at": "2026-04-20T01:00:00Z",
    }
    assert found.deadline == datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC), "the promised date: after it, the word is no news"


def test_r35_the_promise_of_the_destination_stands_in_for_a_date_that_nobody_told() -> None:
    """60 days for Brazil in these rules: a strike that ends on day 40 does not concern it, a longer one does."""
    assert keys(warned(20.5, in_brazil(), **SHOP)) == []
    long = replace(STRIKE, end=day(70).date())
    assert keys(warned(20.5, in_brazil(), advisory=long, **SHOP)) == ["delay:7"]


def test_r35_off_says_so() -> None:
    """D17: on a manual channel it is off; one line switches it off anywhere."""
    assert why(warned(20.5, in_brazil(), promised_at=day(30)), "delay") is R.SWITCHED_OFF
    off = rules(messages_off=frozenset({"delay"}))
    assert why(warned(20.5, in_brazil(), rules=off, **INSIDE), "delay") is R.SWITCHED_OFF


@pytest.mark.parametrize(
    "change",
    [
        {"country": "MX"},
        {"carrier": "correios"},
        {"region": "SP"},
        {"leg": "origin"},
        {"end": day(20).date()},
        {"start": day(25).date(), "end": day(29).date()},
        {"ended_at": day(20)},
    ],
    ids=["country", "carrier", "region", "leg", "over", "promised later", "ended"],
)
def test_d19_it_holds_on_its_leg_and_place_and_time_alone(change: dict[str, Any]) -> None:
    """D19: country, state, carrier and leg."""
    assert keys(warned(21.5, in_brazil(), advisory=replace(STRIKE, **change), **INSIDE)) == []


@pytest.mark.parametrize("change", [{"carrier": "yanwen"}, {"region": "SP"}, {"leg": "any"}, {"country": None}], ids=str)
def test_d19_what_is_named_and_fits_concerns_it(change: dict[str, Any]) -> None:
    verdict = warned(20.5, in_brazil(), advisory=replace(STRIKE, **change), region="SP", **INSIDE)
    assert keys(verdict) == ["delay:7"]


def test_d19_one_that_is_ahead_wakes_the_order_when_it_begins() -> None:
    ahead = replace(STRIKE, start=date(2026, 4, 25))
    verdict = warned(20.5, in_brazil(), advisory=ahead, **INSIDE)
    assert (keys(verdict), verdict.next_at) == ([], datetime(2026, 4, 25, tzinfo=UTC))


def test_r35_once_an_advisory_and_not_after_it_came() -> None:
    told = effect(Intent.DELAY, 20, occasion="7", subject="order/lotus/8001", state=OutboxState.PENDING)
    assert why(warned(20.5, in_brazil(), effects=(told,), **INSIDE), "delay") is R.ALREADY_DONE
    assert warned(21, delivered(parcel(), 20.9), effects=(told,), **INSIDE).withdraw == ((told.key, R.EVENT_OVER),)
    assert warned(41, in_brazil(), effects=(told,), **INSIDE).withdraw == ((told.key, R.EVENT_OVER),)
    ended = replace(STRIKE, ended_at=day(20.2))
    assert warned(21.5, in_brazil(), advisory=ended, effects=(told,), **INSIDE).withdraw == ((told.key, R.EVENT_OVER),)


def test_d15_a_dispute_ends_it_and_opt_out_does_not() -> None:
    assert keys(warned(20.5, in_brazil(), opted_out=True, **INSIDE)) == ["delay:7"]
    case = Case(id="c", kind=CaseKind.DISPUTE, opened_at=day(20))
    assert why(warned(20.5, in_brazil(), cases=(case,), **INSIDE), "delay") is R.DISPUTE_OPEN


def test_d19_of_several_the_longest_alone_is_told() -> None:
    """Never summed."""
    flood = replace(STRIKE, id=8, add_days=20)
    verdict = warned(20.5, in_brazil(), advisory=(STRIKE, flood), **INSIDE)
    assert (keys(verdict), evidence(verdict, Intent.DELAY)["extra_days"]) == (["delay:8"], "20")


# ----------------------------------------------------------------------------------------------------------------- seasons

AT_PEAK = rules(seasons=(replace(PEAK, causes={"en": "the high season"}), replace(CNY, add_days=3)))


def test_r35_a_season_gives_a_delay_as_well() -> None:
    """R35, D19: its occasion names the season and its year."""
    found = decision(at(20.5, in_brazil(), rules=AT_PEAK, **INSIDE), Intent.DELAY)
    assert (found.reason, found.occasion) == (R.SEASON_SLOWS, "peak-2026")
    assert (found.evidence["extra_days"], found.evidence["cause_en"]) == ("7", "the high season")


def test_r35_a_season_ahead_and_one_elsewhere() -> None:
    early = at(5, in_brazil(4), rules=AT_PEAK, **INSIDE)
    assert (keys(early), early.next_at) == ([], datetime(2026, 4, 11, tzinfo=UTC))
    assert keys(at(20.5, in_brazil(), rules=AT_PEAK, **(INSIDE | {"promised_at": day(70)}))) == []
    assert keys(at(20.5, in_brazil(), rules=AT_PEAK, promised_at=day(30))) == [], "AliExpress is a manual channel"


# ------------------------------------------------------------------------------------------------- silence, and what stays


def test_d19_an_advisory_lengthens_silence_and_the_longest_alone_counts() -> None:
    """D19: silent beyond the limit on day 65 without it (45 after the last scan), on day 77 with it."""
    silent = in_brazil()
    assert R.SILENT_BEYOND_LIMIT in {each.reason for each in at(65.1, silent, **SHOP).decisions}
    inside = warned(65.1, silent, **SHOP)
    assert R.SILENT_BEYOND_LIMIT not in {each.reason for each in inside.decisions}
    assert R.SILENT_BEYOND_LIMIT in {each.reason for each in warned(77.1, silent, **SHOP).decisions}
    season = rules(seasons=(PEAK,))
    assert R.SILENT_BEYOND_LIMIT in {each.reason for each in warned(77.1, silent, rules=season, **SHOP).decisions}
    elsewhere = replace(STRIKE, region="RJ")
    assert R.SILENT_BEYOND_LIMIT in {each.reason for each in warned(65.1, silent, advisory=elsewhere, **SHOP).decisions}


@pytest.mark.parametrize("now", [29.9, 30.1, 45.1, 48, 60.1, 61])
def test_d19_no_stage_window_or_claim_clock_ever_shifts(now: float) -> None:
    """D19: with the silence fresh, an advisory changes nothing but the notice itself."""
    moving, far = in_brazil(now - 1), replace(STRIKE, end=day(80).date())
    facts: dict[str, Any] = {"window": window(57), "promised_at": day(30)}
    plain = [each.key for each in at(now, moving, **facts).decisions]
    assert [each.key for each in warned(now, moving, advisory=far, **facts).decisions] == plain


def test_an_advisory_that_was_ended_before_it_began_holds_on_no_day() -> None:
    never = replace(STRIKE, ended_at=day(10))
    assert advisories_for(replace(dossier(in_brazil()), advisories=(never,)), in_brazil()) == []


# -------------------------------------------------------------------------------------------- in the place of `extended`


def test_d2_a_parcel_that_moves_at_stage_3_where_nothing_can_be_extended() -> None:
    """D2: extend and apologise; without an extension `delay` apologises (facts/messages.md section 1)."""
    found = decision(at(60.5, in_brazil(55), **SHOP), Intent.DELAY)
    assert (found.occasion, found.reason, found.template) == ("stage3", R.STILL_MOVING, "delay")
    assert "extra_days" not in found.evidence, "the configured length of an extension"
    near = in_brazil(40, status=TrackingStatus.OUT_FOR_DELIVERY)
    assert decision(at(60.5, near, **SHOP), Intent.DELAY).reason is R.IN_LAST_MILE


def test_d2_not_before_and_not_for_one_that_is_silent() -> None:
    before = at(59.5, in_brazil(55), **SHOP)
    assert Intent.DELAY not in {each.intent for each in before.decisions}
    assert before.next_at == day(60)
    assert Intent.DELAY not in {each.intent for each in at(60.5, in_brazil(45), **SHOP).decisions}


def test_d2_it_is_taken_back_when_the_parcel_no_longer_moves() -> None:
    told = effect(Intent.DELAY, 60, occasion="stage3", subject="order/lotus/8001", state=OutboxState.PENDING)
    still = at(60.5, in_brazil(55), effects=(told,), **SHOP)
    assert (still.withdraw, still.next_at) == ((), day(65))
    assert (told.key, R.EVENT_OVER) in at(65.5, in_brazil(55), effects=(told,), **SHOP).withdraw


def test_d2_where_the_window_can_be_extended_that_is_done_instead() -> None:
    assert "delay:stage3" not in keys(at(60.5, in_brazil(55), window=window(65)))


def test_d2_nobody_hears_of_a_delay_whose_parcel_waits_at_the_counter() -> None:
    """R35, R38: it has come as far as we can bring it; `pickup_waiting` speaks."""
    waits = replace(in_brazil(59), status=TrackingStatus.AVAILABLE_FOR_PICKUP)
    assert "delay:stage3" not in keys(at(60.5, waits, **SHOP))
    assert Intent.DELAY not in {
        each.intent for each in warned(20.5, replace(waits, last_scan=in_brazil().last_scan), **INSIDE).decisions
    }


def test_d22_of_a_stage_of_long_ago_nobody_hears() -> None:
    """D22: an old order whose last scan says "out for delivery" for ever, in the first import."""
    stuck = replace(in_brazil(59), status=TrackingStatus.OUT_FOR_DELIVERY, last_answer_at=day(119.9))
    assert why(at(120, stuck, **SHOP), "delay") is R.NO_LONGER_NEWS


# ------------------------------------------------------------------------------------------------ nobody flooded, told once

TOLD_3 = effect(Intent.DELAY, 60, occasion="stage3", subject="order/lotus/8001", state=OutboxState.HELD)


def test_r35_when_the_promised_date_has_passed_it_is_not_said_any_more() -> None:
    """R35, D19: promised for day 30; the strike goes on until day 40."""
    assert "delay:7" in keys(warned(30.5, in_brazil(), **INSIDE))
    assert "delay:7" not in keys(warned(31.5, in_brazil(), **INSIDE))


def test_d22_what_had_begun_before_the_cut_over_was_for_others_to_tell() -> None:
    """D22, D19: a season of parcels that were on their way then; of a parcel that left since, the word is ours."""
    old = at(20.5, in_brazil(), rules=AT_PEAK, cutover_at=day(15), **INSIDE)
    assert (keys(old), why(old, "delay")) == ([], R.BEFORE_CUTOVER)
    assert keys(at(20.5, in_brazil(), rules=AT_PEAK, cutover_at=day(9), **INSIDE)) == ["delay:peak-2026"]


def test_d22_a_parcel_that_left_inside_a_season_makes_it_news_that_day() -> None:
    """D22: else each order of a season that came in after its first day would wait for a person as old history."""
    begun = rules(seasons=(replace(PEAK, start=date(2026, 3, 1), causes={"en": "the high season"}),))
    assert evidence(at(20.5, in_brazil(), rules=begun, **INSIDE), Intent.DELAY)["due_at"] == utc_text(day(0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"contacted": {Intent.STAGE3: day(60.2)}}, R.ALREADY_DONE, id="told outside"),
        pytest.param({"cutover_at": day(61)}, R.BEFORE_CUTOVER, id="before the cut-over"),
        pytest.param(
            {"settled": {Intent.STAGE3: Settled(how=Settle.SKIP, by="Mei", at=day(61))}}, R.SKIPPED_BY_PERSON, id="never"
        ),
    ],
)
def test_d21_what_is_said_of_stage_3_holds_for_the_apology_in_its_place(change: dict[str, Any], reason: DecisionReason) -> None:
    """D21, D2: nobody is told twice; what waits behind a hold is taken back."""
    fresh = at(62, in_brazil(55), **SHOP, **change)
    assert (keys(fresh), why(fresh, "delay")) == ([], reason)
    assert (TOLD_3.key, reason) in at(62, in_brazil(55), effects=(TOLD_3,), **SHOP, **change).withdraw


def test_d21_by_a_persons_word_it_is_said_after_all() -> None:
    """D21: with the name of who wanted it, however long ago."""
    mei = {Intent.STAGE3: Settled(how=Settle.SEND, by="Mei", at=day(100))}
    found = decision(at(100, in_brazil(95), cutover_at=day(99), settled=mei, **SHOP), Intent.DELAY)
    assert (found.occasion, found.approved_by) == ("stage3", "Mei")
