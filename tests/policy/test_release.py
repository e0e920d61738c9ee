"""The last look before a call: D11, D17, D20-D22, D25, faults rows 13 and 35."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import RULES, at, day, decision, delivered, dossier, effect, parcel, refund, row, rules, window
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    Decision,
    Dossier,
    HoldReason,
    Intent,
    Mode,
    OutboxRow,
    OutboxState,
    Pause,
    Release,
    ReleaseVerdict,
    Shipment,
    TaskState,
    Totals,
    WindowSource,
)
from tracker.policy import release
from tracker.rules import Rules

SEND, HOLD, DEFER, CANCEL = ReleaseVerdict.SEND, ReleaseVerdict.HOLD, ReleaseVerdict.DEFER, ReleaseVerdict.CANCEL
NOW = day(31)


def slow(heard: float = 30.9) -> Shipment:
    return parcel(last=28, heard=heard)


def stage(**change: Any) -> OutboxRow:
    """Stage 1, due on day 30, on its way on day 31."""
    return row(decision(at(30.5, slow(30.4)), Intent.STAGE1), 30.5, **change)


def waiting(*shipments: Shipment, **change: Any) -> Dossier:
    return dossier(*(shipments or (slow(),)), effects=(effect(Intent.STAGE1, 30.5, state=OutboxState.PENDING),), **change)


def asked(
    item: OutboxRow | None = None, told: Dossier | None = None, *, rules: Rules = RULES, now: datetime = NOW, **totals: Any
) -> Release:
    return release(item or stage(), told or waiting(), Totals(**totals), rules, now)


def test_a_stage_goes_out() -> None:
    assert asked() == Release(verdict=SEND, why="free", cap=60)


def test_d11_a_refund_offer_that_the_store_has_not_approved_waits_for_a_person() -> None:
    """D11: stage 2 offers a refund; the standing offer is approved once a store, else each text is a person's."""
    jade = replace(RULES.stores["jade"], refund_offer_approved=False)
    mine = rules(stores={"jade": jade})
    offer = row(decision(at(45.5, parcel(last=40, heard=45.4)), Intent.STAGE2), 45.5)
    told = dossier(parcel(last=40, heard=45.9), effects=(effect(Intent.STAGE2, 45.5, state=OutboxState.PENDING),))
    assert asked(offer, told, rules=mine, now=day(46)).hold is HoldReason.MESSAGE_NEEDS_APPROVAL
    assert asked(replace(offer, approved_by="Mei"), told, rules=mine, now=day(46)).verdict is SEND
    assert asked(offer, told, now=day(46)).verdict is SEND
    assert asked(rules=mine).verdict is SEND


# ------------------------------------------------------------------------------------------------------------------ cancel


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (waiting(delivered(slow(), 30.8)), "delivered"),
        (waiting(cases=(Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(30.9)),)), "dispute_open"),
        (waiting(opted_out=True), "opted_out"),
        (waiting(waiting_since=day(30.9)), "buyer_waits"),
        (waiting(refunded_at=day(30.9)), "refunded"),
    ],
    ids=["delivered", "dispute", "opt-out", "buyer waits", "refunded"],
)
def test_i4_stops_are_looked_at_once_more_on_fresh_facts(told: Dossier, why: str) -> None:
    """I4, D15: decided in the morning, delivered at noon: it does not go out in the afternoon."""
    assert asked(told=told) == Release(verdict=CANCEL, why=why)


def test_a_stage_overtaken_by_the_next_is_cancelled() -> None:
    assert asked(told=waiting(parcel(last=43, heard=44.9)), now=day(45)).why == "superseded_by_later_stage"


# ------------------------------------------------------------------------------------------------------- held for a person


@pytest.mark.parametrize(
    ("mode", "modes", "hold"),
    [
        (Mode.LIVE, {}, None),
        (Mode.OBSERVE, {}, HoldReason.STORE_OBSERVES),
        (Mode.APPROVE, {}, HoldReason.MESSAGE_NEEDS_APPROVAL),
        (Mode.LIVE, {"stage1": Mode.APPROVE}, HoldReason.MESSAGE_NEEDS_APPROVAL),
        (Mode.OBSERVE, {"stage1": Mode.LIVE}, None),
    ],
)
def test_d22_a_store_lets_out_what_its_mode_allows(mode: Mode, modes: dict[str, Mode], hold: HoldReason | None) -> None:
    """D22: observe, then approve, then live, per message type."""
    store = replace(RULES.stores["jade"], mode=mode, modes=modes)
    assert asked(rules=rules(stores={"jade": store})).hold is hold


def test_d22_a_store_that_nobody_configured_observes() -> None:
    assert asked(rules=rules(stores={})).hold is HoldReason.STORE_OBSERVES


@pytest.mark.parametrize(("until", "hold"), [(29.9, None), (30.5, HoldReason.RESTORED), (60, HoldReason.RESTORED)])
def test_what_was_due_when_a_backup_was_put_back_is_looked_at_once(until: float, hold: HoldReason | None) -> None:
    """Faults row 36: the stage was due on day 30; who released it has looked."""
    assert asked(restored_until=day(until)).hold is hold
    assert asked(stage(approved_by="Mei"), restored_until=day(until)).verdict is SEND


def test_d22_what_was_due_before_the_first_start_is_held_once() -> None:
    """D22: per store, not per database."""
    assert asked(store_since=day(30.2)).hold is HoldReason.FIRST_START
    assert asked(store_since=day(29.9)).verdict is SEND


def test_a_stage_more_than_five_days_late_goes_to_the_queue() -> None:
    """Faults row 35: late counts from the stage's own day, however often it was deferred."""
    assert asked(now=day(35), told=waiting(slow(34.9))).verdict is SEND
    late = asked(stage(not_before=day(35)), now=day(35.1), told=waiting(slow(35)))
    assert late.hold is HoldReason.STALE_STAGE


def test_what_the_brake_and_the_ramp_let_wait_grows_no_staler() -> None:
    """D21: a week's pause, or the tenth day of a ramp, is no reason to hand a text to people; coming late is."""
    told = waiting(slow(38.9))
    assert asked(stage(in_line_since=day(30.6)), told, now=day(39)).verdict is SEND
    assert asked(stage(in_line_since=day(35.1)), told, now=day(39)).hold is HoldReason.STALE_STAGE


def test_faults_13_nobody_is_written_to_while_the_clock_is_not_trusted() -> None:
    assert asked(time_guard=True).hold is HoldReason.TIME_GUARD


def test_what_a_person_waved_through_is_not_held_again() -> None:
    """Approved or released: the modes, the first start, the stale guard have been answered. The caps have not."""
    approved = stage(approved_by="li")
    assert asked(approved, rules=rules(stores={}), store_since=day(40), time_guard=True).verdict is SEND
    assert asked(approved, sent_this_hour=60).verdict is DEFER


# ----------------------------------------------------------------------------------------------------------- later by itself


def paused(**change: Any) -> Pause:
    values: dict[str, Any] = {"id": 3, "reason": "new templates", "by": "Mei", "since": day(30)}
    return Pause(**(values | change))


def test_the_brake_says_who_pulled_it_why_and_until_when() -> None:
    told = asked(paused=(paused(until=day(33)),))
    assert (told.verdict, told.why, told.until, told.in_line) == (DEFER, "paused", day(33), True)
    assert told.said == "paused: by Mei, until 2026-05-04T01:00:00Z: new templates (tracker resume 3)"
    endless = asked(paused=(paused(),))
    assert (endless.until, "until somebody resumes" in endless.said) == (NOW + timedelta(hours=6), True)


def test_of_several_pauses_the_longest_counts_and_one_that_is_over_does_not() -> None:
    assert asked(paused=(paused(until=day(33)), paused(id=4, until=day(35)), paused(id=5, until=day(34)))).until == day(35)
    assert "resume 4" in asked(paused=(paused(until=day(33)), paused(id=4))).said
    assert asked(paused=(paused(until=NOW),)).verdict is SEND


def test_what_the_facts_no_longer_want_is_cancelled_under_the_brake_too() -> None:
    """I4: nobody finds a text for a delivered parcel when the pause ends."""
    assert asked(told=waiting(delivered(slow(), 30.8)), paused=(paused(),)).why == "delivered"


def test_an_order_on_hold_waits_until_then() -> None:
    assert asked(told=waiting(hold_until=day(33))) == Release(verdict=DEFER, why="on_hold", until=day(33))


def test_d20_a_stage_that_waited_too_long_wants_fresh_facts() -> None:
    assert asked(told=waiting(slow(28.9))).why == "waiting_for_facts"
    assert asked(stage(shipment="LP9")).why == "waiting_for_facts"


def test_a_notice_waits_for_no_carrier() -> None:
    """An extension's text never waits for fresh facts (D20)."""
    told = effect(Intent.EXTENSION, 48, kind=ActionKind.EXTENSION, task=TaskState.DONE, occasion=day(57).date().isoformat())
    verdict = at(50, parcel(last=47), effects=(told,), window=window(72, WindowSource.TYPED, 1))
    notice = row(decision(verdict, Intent.EXTENDED), 50)
    assert asked(notice, dossier(parcel(last=40, heard=40), window=window(72)), now=day(50.5)).verdict is SEND


def test_the_hourly_cap_defers_to_the_next_hour() -> None:
    told = asked(sent_this_hour=60, now=day(31) + timedelta(minutes=20))
    assert (told.why, told.until) == ("hourly_cap", day(31) + timedelta(hours=1))
    store = replace(RULES.stores["jade"], hourly_cap=100)
    assert asked(sent_this_hour=60, rules=rules(stores={"jade": store})).verdict is SEND
    assert asked(stage(approved_by="li"), sent_this_hour=60, rules=rules(stores={})).why == "hourly_cap"


def test_the_hourly_cap_is_narrow_in_a_stores_first_month() -> None:
    """Faults row 35: 60 in the first month, then the wider one; what a store says itself goes before both."""
    old, new = NOW - timedelta(days=30), NOW - timedelta(days=29)
    early = {"approved_by": "li"}
    assert asked(stage(**early), sent_this_hour=60, store_since=new).why == "hourly_cap"
    assert asked(stage(**early), sent_this_hour=60, store_since=old).cap == 240
    assert asked(stage(**early), sent_this_hour=240, store_since=old).why == "hourly_cap"
    assert asked(sent_this_hour=60).why == "hourly_cap"
    store = replace(RULES.stores["jade"], hourly_cap=10)
    assert asked(stage(**early), sent_this_hour=10, store_since=old, rules=rules(stores={"jade": store})).why == "hourly_cap"


@pytest.mark.parametrize(
    ("every", "read", "why"),
    [
        (None, day(20), "free"),
        (24, None, "free"),
        (24, NOW - timedelta(hours=72), "free"),
        (24, NOW - timedelta(hours=73), "order_files_stale"),
        (8, NOW - timedelta(hours=25), "order_files_stale"),
    ],
    ids=["not watched", "never noted", "three days", "more", "three times the store's own rhythm"],
)
def test_d20_outreach_stops_while_a_stores_order_files_fail_to_come(every: int | None, read: datetime | None, why: str) -> None:
    """D20: a file expected every 24 h stops outreach at 72 h: who was refunded is written in it."""
    store = replace(RULES.stores["jade"], files_every_h=every)
    told = asked(rules=rules(stores={"jade": store}), order_file_at=read)
    assert told.why == why
    if why != "free":
        assert told.until == NOW + timedelta(hours=1)
        approved = asked(stage(approved_by="li"), rules=rules(stores={"jade": store}), order_file_at=read)
        assert approved.why == why


def test_one_message_an_order_in_72_hours() -> None:
    assert asked(last_message_at=day(29)) == Release(verdict=DEFER, why="72_hours", until=day(32))
    assert asked(last_message_at=day(28)).verdict is SEND


def test_d21_a_cliff_becomes_a_ramp() -> None:
    """D21: a tenth of the backlog a day; a small backlog goes at once, the fresh row is none of it."""
    late = day(31.1)
    told = asked(told=waiting(slow(31)), now=late, overdue_backlog=900, released_today=100)
    assert (told.why, told.until) == ("ramp", day(32).replace(hour=0))
    assert asked(told=waiting(slow(31)), now=late, overdue_backlog=901, released_today=99).verdict is SEND
    assert asked(told=waiting(slow(31)), now=late, overdue_backlog=5, released_today=19).verdict is SEND
    assert asked(told=waiting(slow(30.5)), now=day(30.9), overdue_backlog=900, released_today=100).verdict is SEND
    assert asked(stage(urgent=True), waiting(slow(31)), now=late, overdue_backlog=900, released_today=100).verdict is SEND
    full: dict[str, Any] = {"now": late, "overdue_backlog": 900, "released_today": 100}
    assert asked(stage(approved_by="li"), waiting(slow(31)), **full).verdict is SEND
    assert (
        asked(stage(approved_by="li", overdue=True), waiting(slow(31)), **full).said == "ramp: 100 have gone out today, 900 wait"
    )


# --------------------------------------------------------------------------------------------------------- deadlines, money

CAPPED: dict[str, Any] = {
    "sent_this_hour": 999,
    "last_message_at": NOW,
    "overdue_backlog": 9999,
    "released_today": 9999,
    "store_since": day(99),
    "time_guard": True,
}


def test_deadlines_are_never_held_by_caps() -> None:
    """D20, D21: extensions, claims and tasks pass everything but the facts and the brake."""
    verdict = at(50, parcel(last=20), window=window(57))
    for intent in (Intent.EXTENSION, Intent.COMPENSATION):
        found: Decision = decision(verdict, intent)
        told = dossier(parcel(last=20, heard=49.9), window=window(57))
        assert asked(row(found, 50), told, now=day(50), **CAPPED).verdict is SEND
        assert asked(row(found, 50), told, now=day(50), paused=(paused(),)).verdict is SEND
        assert asked(row(found, 50), told, now=day(50), paused=(paused(deadlines=True),)).why == "paused"


def money(**change: Any) -> tuple[OutboxRow, Dossier]:
    found = decision(at(61, parcel(last=45)), Intent.REFUND)
    held = dossier(parcel(last=45, heard=61), effects=(refund(61),), **change)
    return row(found, 61), held


def test_d11_money_always_wants_a_person() -> None:
    item, told = money()
    assert asked(item, told, now=day(61)).hold is HoldReason.MONEY_NEEDS_APPROVAL
    assert asked(replace(item, approved_by="li"), told, now=day(61), **CAPPED).verdict is SEND


@pytest.mark.parametrize(("bad", "usual", "held"), [(20, 6.0, True), (19, 0.0, False), (20, 7.0, False), (200, 60.0, True)])
def test_d25_a_mass_change_stops_the_money(bad: int, usual: float, *, held: bool) -> None:
    """D25: more than three times the usual rate and at least 20 parcels of one carrier within 24 h."""
    item, told = money()
    approved = replace(item, approved_by="li")
    found = asked(approved, told, now=day(61), turned_bad_24h=bad, bad_per_day_28d=usual)
    assert (found.hold is HoldReason.PLAUSIBILITY) is held
    assert (found.verdict is HOLD) is held


def test_d25_never_inside_a_case_with_a_deadline_and_once_a_person_released_it() -> None:
    item, told = money(cases=(Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(60), due_at=day(63)),))
    approved = replace(item, approved_by="li")
    assert asked(approved, told, now=day(61), turned_bad_24h=500).verdict is SEND
    _, quiet = money()
    released = replace(approved, answered=HoldReason.PLAUSIBILITY, result="paused: strike")
    assert asked(released, quiet, now=day(61), turned_bad_24h=500).verdict is SEND, "whatever kept it waiting since"


def test_an_approved_refund_of_a_parcel_that_arrived_is_cancelled() -> None:
    item, _ = money()
    came = dossier(delivered(parcel(), 61), effects=(refund(61, state=OutboxState.PENDING, decided_at=day(61)),))
    assert asked(replace(item, approved_by="li"), came, now=day(61.1)).verdict is CANCEL


@pytest.mark.parametrize("template", ["customs_hold", "duties_unpaid", "storage_expiring", "delivered_not_found"])
def test_answers_and_notices_with_a_date_keep_nobody_waiting_for_72_hours(template: str) -> None:
    """R14, R38: what the buyer must do by a date, and what he asked; facts/messages.md section 8."""
    dated = stage(template=template, intent=Intent.CUSTOMS)
    assert asked(dated, last_message_at=day(29)).verdict is SEND
    other = stage(template="pickup_waiting", intent=Intent.PICKUP)
    assert asked(other, last_message_at=day(29)).why == "72_hours"
