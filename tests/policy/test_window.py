"""The delivery window is extended before it closes: R7, D2, D15, D20."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests import house
from tests.policy.build import at, day, decision, delivered, dossier, effect, keys, order, parcel, refund, rules, why, window
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    Channel,
    DecisionReason,
    Effect,
    Intent,
    Mode,
    OrderState,
    OutboxState,
    Shipment,
    TaskState,
    WindowSource,
)
from tracker.policy import decide
from tracker.policy.birth import birth
from tracker.rules import Store, TimeRule
from tracker.team import Leave, Person, Team

R = DecisionReason
RULE = "window.extend"


def slow(when: float = 50) -> Shipment:
    return parcel(last=when - 3)


def extension(ends: float, **change: Any) -> Effect:
    values: dict[str, Any] = {
        "kind": ActionKind.EXTENSION,
        "reason": R.WINDOW_CLOSES_SOON,
        "occasion": day(ends).date().isoformat(),
    }
    return effect(Intent.EXTENSION, ends - 10, **(values | change))


def test_r7_the_window_is_extended_ten_days_before_it_closes() -> None:
    """R7: for every buyer who has not received yet; keyed by the end it moves."""
    early = at(46.9, slow(46.9), window=window(57), effects=(effect(Intent.STAGE2, 45),))
    assert why(early, RULE) is R.WINDOW_FAR
    assert early.next_at == day(47)
    verdict = at(47, slow(47), window=window(57), effects=(effect(Intent.STAGE2, 45),))
    assert keys(verdict) == [f"extension:{day(57).date()}"]
    found = decision(verdict, Intent.EXTENSION)
    assert (found.reason, found.deadline, found.urgent) == (R.WINDOW_CLOSES_SOON, day(57), True)
    assert (found.evidence["days"], found.evidence["extensions"]) == ("15, 10, 7", "0")


def test_r7_an_estimated_end_leads_to_a_task_to_look_it_up() -> None:
    """R7: day 0 + guarantee only estimates it; another reason, so that no call is ever made of it."""
    verdict = at(110, slow(110), effects=(refund(105),))
    found = decision(verdict, Intent.EXTENSION)
    assert found.reason is R.WINDOW_ESTIMATED_CLOSES_SOON
    assert found.evidence["window_source"] == "estimated"
    assert found.occasion == day(120).date().isoformat()


def test_one_task_is_enough_however_the_estimate_moves() -> None:
    asked = extension(121, state=OutboxState.SENT, task=TaskState.OPEN, done_at=None)
    verdict = at(112, slow(112), effects=(asked, refund(105)))
    assert why(verdict, RULE) is R.ALREADY_DONE


@pytest.mark.parametrize(
    "facts",
    [{"opted_out": True}, {"waiting_since": day(49)}, {"hold_until": day(90)}],
    ids=lambda facts: next(iter(facts)),
)
def test_d15_it_goes_on_while_outreach_stops(facts: dict[str, Any]) -> None:
    """D15: only outreach stops; the buyer's protection does not."""
    assert f"extension:{day(57).date()}" in keys(at(50, slow(), window=window(57), **facts))


def test_d20_it_never_waits_for_a_carrier() -> None:
    """D20: extensions are exempt from the age of facts, and an order without a number has a window too."""
    silent = replace(slow(), last_answer_at=day(20))
    assert keys(decide(dossier(silent, window=window(57)), rules(), day(50))) == [f"extension:{day(57).date()}"]
    assert keys(at(50, window=window(57))) == [f"extension:{day(57).date()}"]


STOPS: list[tuple[dict[str, Any], DecisionReason]] = [
    ({"cases": (Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(40)),)}, R.DISPUTE_OPEN),
    ({"refunded_at": day(40), "refunded_amount": order().amount}, R.REFUNDED),
    ({"received_at": day(40)}, R.RECEIVED_BY_BUYER),
    ({"state": OrderState.FINISHED}, R.FINISHED),
    ({"state": OrderState.CANCELLED}, R.CANCELLED),
    ({"platform": "ebay"}, R.NO_EXTENSION_THERE),
]


@pytest.mark.parametrize(("facts", "reason"), STOPS, ids=[reason.value for _, reason in STOPS])
def test_r7_it_stops_for_a_dispute_and_when_the_matter_is_over(facts: dict[str, Any], reason: DecisionReason) -> None:
    asked = extension(57, task=TaskState.OPEN)
    verdict = at(50, slow(), window=window(57), effects=(asked,), **facts)
    assert why(verdict, RULE) is reason
    assert (asked.key, reason) in verdict.withdraw


def test_r7_a_delivered_order_needs_no_extension() -> None:
    assert why(at(50, delivered(parcel(), 49), window=window(57)), RULE) is R.DELIVERED
    pair = (delivered(parcel(), 49), replace(slow(), number="LP2", id=2))
    assert f"extension:{day(57).date()}" in keys(at(50, *pair, window=window(57)))


def test_at_most_two_extensions_then_a_person() -> None:
    """facts/marketplaces.md 1.3: an extension also delays the seller's payout."""
    assert f"extension:{day(57).date()}" in keys(at(50, slow(), window=window(57, extensions=1)))
    third = decision(at(50, slow(), window=window(57, extensions=2)), Intent.EXTENSION)
    assert (third.kind, third.reason, third.deadline) == (ActionKind.TASK, R.EXTENSIONS_USED_UP, day(57))
    asked = extension(57, kind=ActionKind.TASK, occasion=third.occasion, task=TaskState.OPEN)
    assert why(at(51, slow(), window=window(57, extensions=2), effects=(asked,)), RULE) is R.ALREADY_DONE


def test_r7_what_provably_was_not_extended_is_asked_for_once_more_then_by_a_person() -> None:
    """R7: the key of a second attempt is its own; both name the end that they move."""
    failed = extension(57, state=OutboxState.FAILED, done_at=None)
    again = decision(at(50, slow(), window=window(57), effects=(failed,)), Intent.EXTENSION)
    assert (again.kind, again.occasion) == (ActionKind.EXTENSION, f"{day(57).date()}/2")
    twice = (failed, extension(57, state=OutboxState.FAILED, occasion=again.occasion, done_at=None))
    third = decision(at(50, slow(), window=window(57), effects=twice), Intent.EXTENSION)
    assert (third.kind, third.reason, third.occasion) == (ActionKind.TASK, R.EXTENSION_FAILED, f"{day(57).date()}/person")


@pytest.mark.parametrize("state", [OutboxState.UNKNOWN, OutboxState.SENDING])
def test_r7_what_is_in_doubt_is_never_repeated_blindly(state: OutboxState) -> None:
    """R7, I1: reading the window back settles it first."""
    doubtful = extension(57, state=state, done_at=None)
    assert why(at(50, slow(), window=window(57), effects=(doubtful,)), RULE) is R.ALREADY_DONE


COMPLAINTS = TimeRule(
    id="ae.extend",
    marketplace="aliexpress",
    kind="action",
    tz="UTC",
    anchor="day0",
    offset=60,
    offset_max=90,
    unit="days",
    direction="after",
    confidence="high",
    profile="seed",
)


def test_r7_before_complaints_start_in_the_seed_profile() -> None:
    """R7, D3: by day 60 of the guide, once; in today's profile the same rule counts from the end and adds nothing."""
    market = rules().marketplaces["aliexpress"]
    asks = replace(market, extension=replace(market.extension, complaints="ae.extend"))
    seed = replace(rules(), marketplaces={"aliexpress": asks}, times={"aliexpress": (COMPLAINTS,)})
    far = dossier(slow(59), window=window(95), effects=(refund(58),))
    assert why(decide(far, seed, day(59)), RULE) is R.WINDOW_FAR
    assert decision(decide(far, seed, day(61)), Intent.EXTENSION).deadline == day(95)
    once = dossier(slow(59), window=window(95, extensions=1), effects=(refund(58),))
    assert why(decide(once, seed, day(61)), RULE) is R.WINDOW_FAR
    today = replace(seed, times={"aliexpress": (replace(COMPLAINTS, anchor="window_end", offset=10, direction="before"),)})
    assert why(decide(far, today, day(61)), RULE) is R.WINDOW_FAR


SHOP = house.shop(platform="aliexpress")
API = replace(SHOP, api=frozenset({"window", "extend"}))


@pytest.mark.parametrize(
    ("mode", "store", "source", "channel"),
    [
        ("api", API, WindowSource.API, Channel.MARKETPLACE),
        ("api", API, WindowSource.TYPED, Channel.MARKETPLACE),
        ("api", API, WindowSource.FILE, Channel.MARKETPLACE),
        ("api", API, WindowSource.ESTIMATED, Channel.TASK),
        ("manual", API, WindowSource.API, Channel.TASK),
        ("api", SHOP, WindowSource.API, Channel.TASK),
        ("api", replace(API, mode=Mode.OBSERVE), WindowSource.API, Channel.TASK),
        ("api", replace(API, mode=Mode.APPROVE), WindowSource.API, Channel.TASK),
    ],
)
def test_r7_who_extends(mode: str, store: Store, source: WindowSource, channel: Channel) -> None:
    """R7, D22: by call where the marketplace, the account and the live store allow it and the end is known; else a person."""
    market = rules().marketplaces["aliexpress"]
    ours = replace(
        rules(),
        marketplaces={"aliexpress": replace(market, extension=replace(market.extension, mode=mode))},
        stores={store.id: store},
    )
    facts = dossier(slow(), window=window(57, source))
    facts = replace(facts, order=replace(facts.order, store=store.id))
    begun = birth(decision(decide(facts, ours, day(50)), Intent.EXTENSION), facts, ours)
    assert begun is not None
    assert (begun.channel, begun.hold) == (channel, None)


def test_an_extension_asked_for_is_not_asked_again() -> None:
    for state in ({"task": TaskState.OPEN}, {"task": TaskState.DONE}, {"state": OutboxState.CANCELLED, "rejected": True}):
        assert why(at(50, slow(), window=window(57), effects=(extension(57, **state),)), RULE) is R.ALREADY_DONE


def test_a_moved_window_is_a_new_occasion_and_the_old_task_goes() -> None:
    """The marketplace shows another end than the one the task was about."""
    old = extension(57, task=TaskState.OPEN)
    far = at(50, slow(), window=window(90), effects=(old,))
    assert far.withdraw == ((old.key, R.WINDOW_FAR),)
    near = at(50, slow(), window=window(59), effects=(old,))
    assert near.withdraw == ((old.key, R.WINDOW_FAR),)
    assert f"extension:{day(59).date()}" in keys(near)


def test_a_window_that_closed_cannot_be_extended() -> None:
    asked = extension(57, task=TaskState.OPEN)
    verdict = at(57, slow(57), window=window(57), effects=(asked,))
    assert why(verdict, RULE) is R.WINDOW_OVER
    assert verdict.withdraw == ((asked.key, R.WINDOW_OVER),)


def test_no_end_is_known_before_anything_left() -> None:
    blank = parcel(last=None, shipped_at=None)
    assert why(at(50, blank, paid_at=None, shipped_at=None), RULE) is R.NO_WINDOW_END


def test_a_deadline_of_ours_counts_from_the_earlier_bound() -> None:
    """facts/transit.md section 3: the estimate starts with the earliest instant at which day 0 can have been."""
    first = parcel().first_scan
    assert first is not None
    vague = replace(slow(), first_scan=replace(first, latest=day(1)))
    verdict = at(100, vague, window=None)
    assert why(verdict, RULE) is R.WINDOW_FAR
    assert next(each.looks_again for each in verdict.considered if each.rule == RULE) == day(110)


def test_the_estimate_takes_the_first_parcel_of_an_order() -> None:
    later = replace(slow(), number="LP2", id=2, first_scan=None, shipped_at=day(9))
    verdict = at(100, slow(), later)
    assert next(each.looks_again for each in verdict.considered if each.rule == RULE) == day(110)
    assert window(60, WindowSource.API).source is WindowSource.API


@pytest.mark.parametrize(("ends", "opens"), [(57, 47), (62, 48), (69, 48), (71, 48), (72, 62)])
def test_an_extension_comes_before_a_holiday_of_the_whole_team(ends: float, opens: float) -> None:
    """Daily operations section 2: due on days without anybody, or on the first day back, it is asked for on the last day before.

    Day 48 is the last day of work, a Tuesday; everybody is on leave until the Friday of the next week and back on Monday, day 61.
    What comes due on the second working day after is as it always was.
    """
    leave = (Leave(day(49).date(), day(58).date()),)
    team = Team(people=(Person(id="mei", name="Mei", zone="Asia/Shanghai", leave=leave),))
    ours = replace(rules(), team=team)
    facts = dossier(slow(opens), window=window(ends), effects=(effect(Intent.STAGE2, 45),))
    before = decide(facts, ours, day(opens - 0.01))
    assert why(before, RULE) is R.WINDOW_FAR
    found = decision(decide(facts, ours, day(opens)), Intent.EXTENSION)
    assert (found.reason, found.not_before, found.deadline) == (R.WINDOW_CLOSES_SOON, day(opens), day(ends))
    assert ("before_team_holiday" in found.evidence) is (opens != ends - 10)
    unmoved = decide(facts, rules(), day(ends - 10))
    assert decision(unmoved, Intent.EXTENSION).not_before == day(ends - 10)
