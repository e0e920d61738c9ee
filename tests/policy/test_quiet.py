"""The quick way of a quiet order against the long one: the same answer, for a tenth of the price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import day, delivered, effect, order, parcel, scan, window
from tracker import config
from tracker.model import Capability, Considered, Dossier, Effect, Intent, Order, OrderState, OutboxState, Shipment, WindowSource
from tracker.policy import decide
from tracker.policy.decider import weigh
from tracker.policy.quiet import Unsaid, quiet
from tracker.team import Leave, Person, Team

SHIPPED = config.load(None, environ={}).rules
"""What decides in life: every policy of the shipped configuration is part of the bargain."""

CARRIERS = (None, "yanwen", "china_post", "dhl_ecommerce", "ups", "cainiao", "fourpx", "nobody")
days = st.integers(-4 * 24, 130 * 24).map(lambda hours: hours / 24)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Mostly ordinary ones, now and then with a fact that calls for a closer look."""
    facts: dict[str, Any] = {
        "platform": draw(st.sampled_from(["aliexpress", "own_shop", "ebay", "amazon", "mercadolibre"])),
        "country": draw(st.sampled_from(["BR", "US", "DE", "RU", "NG", None])),
        "state": draw(st.sampled_from([*[OrderState.SHIPPED] * 5, OrderState.PAID, OrderState.FINISHED, OrderState.CANCELLED])),
        "promised_at": draw(st.none() | days.map(day)),
        "window": draw(st.none() | st.builds(window, days, st.sampled_from(WindowSource), st.integers(0, 1))),
        "paid_at": draw(st.none() | st.just(day(-2))),
    }
    odd = draw(st.sampled_from([None] * 12 + ["opted_out", "vip", "waiting_since", "hold_until", "received_at", "refunded_at"]))
    if odd is not None:
        facts[odd] = True if odd in {"opted_out", "vip"} else day(draw(st.integers(0, 80)))
    return order(**facts)


@st.composite
def parcels(draw: st.DrawFn) -> Shipment:
    last = draw(st.none() | st.integers(0, 90))
    found = parcel(
        last=last,
        heard=draw(st.integers(0, 130)),
        carrier=draw(st.sampled_from(CARRIERS)),
        service=draw(st.sampled_from(["standard", "registered", "express", "economy", "special_line"])),
        capability=draw(st.sampled_from(Capability)),
        matched=draw(st.sampled_from([True] * 6 + [False])),
        country=draw(st.sampled_from(["BR", "US", None])),
        shipped_at=draw(st.sampled_from([day(-1), day(-20), None])),
    )
    if draw(st.integers(0, 5)) == 0:
        found = delivered(found, draw(st.integers(1, 90)))
        if draw(st.integers(0, 3)) == 0:
            # The source says the word alone, without a scan.
            found = replace(found, last_scan=None, first_scan=None, delivered_scan=None)
    odd = draw(st.sampled_from([None] * 8 + ["customs_hold", "lost", "another_parcel", "info_received"]))
    if odd == "info_received":
        return replace(found, status=TrackingStatus.INFO_RECEIVED)
    if odd == "another_parcel":
        return replace(found, suspect=odd)
    return found if odd is None else replace(found, reason=TrackingReason(odd))


effects = st.lists(
    st.builds(
        effect,
        st.sampled_from([Intent.STAGE1, Intent.STAGE2, Intent.DELAY, Intent.EXTENDED]),
        st.integers(0, 80),
        state=st.sampled_from([OutboxState.SENT] * 6 + [OutboxState.PENDING, OutboxState.CANCELLED]),
        occasion=st.sampled_from(["0", "peak-2026", "cny-2027"]),
    ),
    max_size=2,
    unique_by=lambda each: each.intent,
).map(tuple)


def moved(value: Any, by: timedelta) -> Any:
    """The same story so many days later: into the peak at the end of the year, and the new year of China."""
    match value:
        case datetime():
            return value + by
        case tuple():
            return tuple(moved(each, by) for each in value)
        case msgspec.Struct():
            return replace(value, **{name: moved(getattr(value, name), by) for name in value.__struct_fields__})
        case _:
            return value


def same_gist(dossier: Dossier, now: datetime) -> None:
    """What the sweep takes for the reasons of a quiet order, remembered from others of its kind, is what all rules say."""
    considered: Sequence[Considered] = decide(dossier, SHIPPED, now).considered
    if isinstance(considered, Unsaid):
        said = tuple(f"{each.rule}/{each.reason}/{each.shipment}" for each in weigh(dossier, SHIPPED, now).considered)
        assert considered.gist() == said


@settings(max_examples=800, deadline=None)
@given(orders(), parcels(), days, st.just(()) | effects, st.sampled_from([0, 200, 270]))
def test_the_quick_way_says_what_the_long_way_says(
    told: Order, shipment: Shipment, when: float, past: tuple[Effect, ...], later: int
) -> None:
    """Whatever the rules find, the quiet path never hides: decisions, dates and reasons are the same."""
    dossier = moved(Dossier(order=told, shipments=(shipment,), effects=past), timedelta(days=later))
    now = day(when + later)
    assert decide(dossier, SHIPPED, now) == weigh(dossier, SHIPPED, now)
    same_gist(dossier, now)


def test_an_ordinary_order_goes_the_quick_way() -> None:
    """Else this room would test nothing: on its way in Brazil, and arrived."""
    now = day(12)
    travelling = Dossier(order=order(window=window(60)), shipments=(parcel(last=10, heard=11.9),))
    arrived = Dossier(order=order(platform="own_shop"), shipments=(delivered(parcel(heard=11.9), 11),))
    for dossier, looks in ((travelling, day(30)), (arrived, None)):
        found = quiet(dossier, SHIPPED, now, weigh)
        assert found is not None
        assert found.next_at == looks
        assert found.decisions == ()


def test_the_reasons_are_there_when_somebody_asks() -> None:
    """Promise 3: every decision can be explained, "nothing" too."""
    dossier = Dossier(order=order(window=window(60)), shipments=(parcel(last=10, heard=11.9),))
    found = decide(dossier, SHIPPED, day(12)).considered
    assert len(found) > 3
    assert found[0].rule == "window.extend"
    assert list(found) == list(weigh(dossier, SHIPPED, day(12)).considered)


def test_the_second_before_a_date_is_quiet_and_the_date_is_not() -> None:
    dossier = Dossier(order=order(window=window(35)), shipments=(parcel(last=20, heard=24.9),))
    due = day(25)
    assert quiet(dossier, SHIPPED, due - timedelta(seconds=1), weigh) is not None
    assert quiet(dossier, SHIPPED, due, weigh) is None


@pytest.mark.parametrize(
    "change",
    [
        {"first_scan": None, "last_scan": None},  # the source says "in transit", and no scan
        {"stopped_at": day(9)},  # it has stopped looking
        {"last_answer_at": None},
    ],
    ids=["no scan", "stopped", "never answered"],
)
def test_what_no_source_follows_goes_the_long_way(change: dict[str, Any]) -> None:
    """Promise 2: its dates hang on more than a last scan."""
    dossier = Dossier(order=order(window=window(60)), shipments=(replace(parcel(last=10, heard=11.9), **change),))
    assert quiet(dossier, SHIPPED, day(12), weigh) is None


@pytest.mark.parametrize(("store", "goes"), [("jade", False), ("lotus", True)])
def test_r7_d24_an_extension_before_a_clerks_leave_goes_the_long_way(store: str, *, goes: bool) -> None:
    """R7, D24: whoever has to extend is away when it comes due: the date moves, for the stores that he answers for."""
    away = Leave(day(20).date(), day(40).date())
    mei = Person(id="mei", name="Mei", zone="Asia/Shanghai", stores=("jade",), leave=(away,))
    shop = replace(SHIPPED, team=Team(people=(mei,)))
    found = Dossier(order=order(store=store, window=window(60)), shipments=(parcel(last=10, heard=11.9),))
    assert (quiet(found, shop, day(12), weigh) is not None) is goes
    assert decide(found, shop, day(12)) == weigh(found, shop, day(12))


def test_r7_without_a_figure_about_complaints_the_extension_comes_due_by_the_window_alone() -> None:
    """R7: a marketplace of the house's own file, which says nothing of when buyers begin to complain."""
    market = SHIPPED.marketplaces["aliexpress"]
    plain = replace(market, extension=replace(market.extension, complaints=None))
    shop = replace(SHIPPED, marketplaces={**SHIPPED.marketplaces, "aliexpress": plain})
    found = Dossier(order=order(window=window(35)), shipments=(parcel(last=10, heard=11.9),))
    assert decide(found, shop, day(12)).next_at == day(25)
    assert quiet(found, shop, day(12), weigh) is not None


def test_d1_a_stage_told_before_its_day_goes_the_long_way() -> None:
    """D1: told when day 0 was taken to be earlier, or by hand; the next word is none of the quick way's business."""
    told = (effect(Intent.STAGE1, 20, state=OutboxState.SENT),)
    found = Dossier(order=order(platform="own_shop"), shipments=(parcel(last=18, heard=24.9),), effects=told)
    assert quiet(found, SHIPPED, day(25), weigh) is None
    assert quiet(found, SHIPPED, day(31), weigh) is not None


@st.composite
def ordinary(draw: st.DrawFn) -> tuple[Dossier, datetime]:
    """An order with nothing odd, around the days on which a stage or a season is due: those that the quick way speaks of."""
    when = draw(st.sampled_from([29.9, 30, 30.1, 44.9, 45, 45.1, 46, 59.9, 60]) | st.floats(5, 70))
    told = {
        Intent.STAGE1: draw(st.sampled_from([30, 31])),
        Intent.STAGE2: draw(st.sampled_from([45, 46])),
        Intent.DELAY: draw(st.integers(1, 60)),
    }
    past = [
        effect(intent, at, state=OutboxState.SENT, occasion="peak-2026" if intent is Intent.DELAY else "0")
        for intent, at in told.items()
        if at <= when and draw(st.booleans())
    ]
    facts = {
        "platform": draw(st.sampled_from(["own_shop", "own_shop", "aliexpress", "ebay", "mercadolibre"])),
        "country": draw(st.sampled_from(["BR", "US", "DE", None])),
        "promised_at": draw(st.none() | st.integers(5, 120).map(day)),
        "window": draw(st.none() | st.integers(70, 120).map(window)),
    }
    shipment = parcel(
        last=max(0.0, when - draw(st.floats(0, 24))),
        heard=when - draw(st.sampled_from([0, 0, 1, 2.5])),
        carrier=draw(st.sampled_from(CARRIERS)),
        capability=draw(st.sampled_from(Capability)),
        shipped_at=draw(st.sampled_from([day(-1), day(0), None])),
    )
    later = timedelta(days=draw(st.sampled_from([0, 0, 200, 230, 270])))
    return moved(Dossier(order=order(**facts), shipments=(shipment,), effects=tuple(past)), later), day(when) + later


@settings(max_examples=500, deadline=None)
@given(ordinary())
def test_a_word_that_is_due_is_found_by_the_rules_that_write_alone(case: tuple[Dossier, datetime]) -> None:
    """Stages and seasons of an ordinary order (R1, R35): the quick way asks few rules, and says what all of them say."""
    dossier, now = case
    assert decide(dossier, SHIPPED, now) == weigh(dossier, SHIPPED, now)
    same_gist(dossier, now)


def test_a_stage_that_is_due_goes_the_quick_way() -> None:
    """Else the test above would test nothing; the reasons of the others are there when somebody asks."""
    dossier = Dossier(order=order(platform="own_shop"), shipments=(parcel(last=28, heard=29.9),))
    found = quiet(dossier, SHIPPED, day(30), weigh)
    assert found is not None
    assert [each.intent for each in found.decisions] == [Intent.STAGE1]
    assert {"refund.untrackable", "compensation"} <= {each.rule for each in found.considered}


def test_a_delivery_without_a_scan_has_reasons_of_its_own() -> None:
    """Fault 33: where the source says the word alone, nobody knows when to ask for a review; the memory tells them apart."""
    scanned = delivered(parcel(heard=20), 20)
    bare = replace(scanned, first_scan=None, last_scan=None, delivered_scan=None)
    for one in (scanned, bare, scanned):
        found = Dossier(order=order(platform="own_shop"), shipments=(one,))
        assert quiet(found, SHIPPED, day(21), weigh) is not None
        same_gist(found, day(21))


def test_where_two_rounds_are_all_the_quick_way_ends_with_the_second() -> None:
    """R45: after the rounds that the house allows, a person decides, whatever the next date is."""
    two = replace(SHIPPED, manners=replace(SHIPPED.manners, rounds=2))
    told = tuple(effect(intent, at, state=OutboxState.SENT) for intent, at in ((Intent.STAGE1, 30), (Intent.STAGE2, 45)))
    found = Dossier(order=order(platform="own_shop"), shipments=(parcel(last=48, heard=49),), effects=told)
    verdict = decide(found, two, day(50))
    assert verdict == weigh(found, two, day(50))
    assert [each.intent for each in verdict.decisions] == [Intent.ROUNDS_OVER]


def test_a_marketplace_that_tells_itself_that_the_parcel_left_goes_the_long_way() -> None:
    """R22: for some days that is a reason to write nothing, afterwards it is none."""
    market = replace(SHIPPED.marketplaces["aliexpress"], messages_off=frozenset({"shipped", "delivered", "review"}))
    there = replace(SHIPPED, messages_off=frozenset(), marketplaces={**SHIPPED.marketplaces, "aliexpress": market})
    found = Dossier(order=order(window=window(60)), shipments=(parcel(last=0.5, heard=0.6),))
    for now in (day(1), day(4), day(1)):
        assert decide(found, there, now) == weigh(found, there, now)
        considered: Sequence[Considered] = decide(found, there, now).considered
        assert not isinstance(considered, Unsaid)


def test_a_scan_in_the_destination_changes_day_0() -> None:
    """D1: the quick way asks the same function for day 0."""
    late = replace(parcel(last=20, heard=20.5), first_scan=scan(9, country="BR"), last_scan=scan(20, country="BR"))
    dossier = Dossier(order=order(window=window(90)), shipments=(late,))
    assert decide(dossier, SHIPPED, day(21)) == weigh(dossier, SHIPPED, day(21))
