"""Two sets of rules over one order, and the guard on their change (faults row 20)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.policy.build import MARKETS, PROFILES, RULES, day, dossier, effect, parcel, refund, rules, window
from tracker.model import ActionKind, Dossier, HoldReason, Intent, OutboxState
from tracker.plan import (
    FLOOR,
    HORIZON,
    Changed,
    awaits_rules,
    compare,
    forecast,
    too_many,
    touch,
    without_waiting,
)
from tracker.rules import Rules


def laddered(**stages: int) -> Rules:
    """The same rules with another ladder for every destination."""
    changed = {Intent(name): days for name, days in stages.items()}
    return rules(profiles=tuple(replace(each, stages={**each.stages, **changed}) for each in PROFILES), version="other")


EARLIER = laddered(stage1=20)


def differences(one: Dossier, new: Rules, now: float, until: float) -> list[tuple[Changed, Intent]]:
    before, after = (forecast(one, each, day(now), day(until)) for each in (RULES, new))
    return [(change.how, change.effect.intent) for change in compare(before.effects, after.effects)]


def test_a_day_that_moves_moves_its_effect() -> None:
    one = dossier(parcel(last=12, heard=14))
    [change] = compare(forecast(one, RULES, day(14), day(32)).effects, forecast(one, EARLIER, day(14), day(32)).effects)
    assert (change.how, change.effect.at, change.was_at) == (Changed.MOVED, day(20), day(30))


def test_what_lies_beyond_the_end_for_one_of_them_is_new_or_gone() -> None:
    one = dossier(parcel(last=12, heard=14))
    assert differences(one, EARLIER, 14, 25) == [(Changed.NEW, Intent.STAGE1)]
    assert differences(one, laddered(stage1=40), 14, 35) == [(Changed.GONE, Intent.STAGE1)]


def test_a_refund_that_comes_earlier_is_the_same_recommendation() -> None:
    one = dossier(parcel(last=20, heard=40), effects=(effect(Intent.STAGE1, 30),))
    found = differences(one, laddered(stage2=41, stage3=50), 40, 62)
    assert (Changed.MOVED, Intent.REFUND) in found
    assert (Changed.NEW, Intent.REFUND) not in found


def test_the_same_rules_make_no_difference() -> None:
    one = dossier(parcel(last=8, heard=25), window=window(57))
    assert differences(one, RULES, 25, 90) == []


# ------------------------------------------------------------------------------------------------------------------- touch


def touched(one: Dossier, old: Rules | None, new: Rules, now: float, asleep_until: float | None = 30) -> list[Intent]:
    asleep = None if asleep_until is None else day(asleep_until)
    found = touch(one, old, new, day(now), asleep_until=asleep)
    assert found.parcels == (1 if found.effects else 0)
    return [each.intent for each in found.effects]


def test_an_effect_that_only_the_new_rules_give_now_is_new() -> None:
    one = dossier(parcel(last=22, heard=24))
    assert touched(one, RULES, EARLIER, 25) == [Intent.STAGE1]
    found = touch(one, RULES, EARLIER, day(25), asleep_until=day(30))
    assert (found.open_parcels, found.look_at) == (1, day(25)), "the new rules want to look at it now"


def test_what_the_old_rules_do_by_this_time_tomorrow_is_not_new() -> None:
    """HORIZON: 29.5 days are past 20, and half a day before 30."""
    assert timedelta(hours=24) == HORIZON
    assert touched(dossier(parcel(last=22, heard=29)), RULES, EARLIER, 29.5) == []
    assert touched(dossier(parcel(last=22, heard=28)), RULES, EARLIER, 28.5) == [Intent.STAGE1]


def test_stale_facts_hide_nothing_from_the_guard() -> None:
    """A weekend without the daemon, then new rules: their messages come with the first answers, and count."""
    assert touched(dossier(parcel(last=18, heard=20)), RULES, EARLIER, 25) == [Intent.STAGE1]


@pytest.mark.parametrize("now", [5, 19, 25, 31, 46, 50, 61, 80])
def test_the_same_rules_touch_nothing_at_any_time(now: float) -> None:
    one = dossier(parcel(last=8, heard=now), window=window(57))
    assert touched(one, RULES, replace(RULES, version="renamed"), now) == []


def test_what_waits_already_counts_again_and_does_not_hide_itself() -> None:
    """A restart in the middle of the comparison counts the same."""
    held = effect(Intent.STAGE1, 24.9, state=OutboxState.HELD, hold=HoldReason.RULES_WAIT)
    one = dossier(parcel(last=22, heard=24), effects=(held,))
    assert awaits_rules(held)
    assert without_waiting(one).effects == ()
    assert touched(one, RULES, EARLIER, 25) == [Intent.STAGE1]


def test_what_waits_for_anything_else_stands() -> None:
    held = refund(24)
    one = dossier(parcel(last=22, heard=24), effects=(held,))
    assert not awaits_rules(held)
    assert without_waiting(one) is one


def test_without_the_old_rules_their_last_verdict_stands_in() -> None:
    """They let the order sleep until day 30: what comes before is new. What was due already is not."""
    one = dossier(parcel(last=22, heard=24))
    assert touched(one, None, EARLIER, 25, asleep_until=30) == [Intent.STAGE1]
    assert touched(one, None, EARLIER, 25, asleep_until=24) == []
    assert touched(one, None, EARLIER, 25, asleep_until=None) == [Intent.STAGE1], "they would never have looked again"


def test_all_open_parcels_of_an_order_are_touched_by_what_speaks_of_none() -> None:
    """Effects name their parcel; two parcels with two refunds count twice."""
    two = (parcel("LP1", last=8, heard=24), parcel("LP2", last=8, heard=24, id=2))
    strict = rules(
        profiles=tuple(replace(each, silence=replace(each.silence, investigate=12, probable_loss=15)) for each in PROFILES)
    )
    found = touch(dossier(*two), RULES, strict, day(25), asleep_until=None)
    assert {each.shipment for each in found.effects if each.intent is Intent.REFUND} == {"LP1", "LP2"}
    assert (found.parcels, found.open_parcels) == (2, 2)


def test_a_deadline_that_comes_earlier_is_new_too() -> None:
    """Extensions asked for 20 days before the end instead of 10."""
    market = MARKETS["aliexpress"]
    wider = rules(marketplaces={**MARKETS, "aliexpress": replace(market, extension=replace(market.extension, trigger_days=20))})
    found = touch(dossier(parcel(last=24, heard=24), window=window(40)), RULES, wider, day(25), asleep_until=day(30))
    assert [each.kind for each in found.effects if each.kind is ActionKind.EXTENSION] == [ActionKind.EXTENSION]


def test_an_order_that_is_paid_back_is_no_open_parcel() -> None:
    one = dossier(parcel(last=22, heard=24), refunded_at=day(23))
    assert touch(one, RULES, EARLIER, day(25), asleep_until=None).open_parcels == 0


@pytest.mark.parametrize(
    ("count", "of", "waits"),
    [
        (FLOOR - 1, 100, False),
        (FLOOR, 100, True),
        (FLOOR, 5_000, False),
        (FLOOR + 1, 5_000, True),
        (230, 23_000, False),
        (231, 23_000, True),
        (0, 0, False),
    ],
)
def test_more_than_one_percent_and_at_least_fifty(count: int, of: int, waits: bool) -> None:
    """Faults row 20."""
    assert FLOOR == 50
    assert too_many(count, of) is waits
