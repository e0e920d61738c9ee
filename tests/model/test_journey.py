"""The fold over events and answers: I3, faults rows 16 and 17, and the run of *not found* (R8)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus
from tests.policy.build import parcel
from tracker.model import Frame, Heard, Journey, NotFound
from tracker.model.journey import ANOTHER_PARCEL, OTHER_DESTINATION, fold, merge, not_found_again, travelled

SHIPPED = datetime(2026, 4, 1, tzinfo=UTC)
ZERO = int(SHIPPED.timestamp())
DAY = 86_400
FRAME = Frame(shipped_at=SHIPPED, country="BR")

S = TrackingStatus


def event(day: float, status: TrackingStatus = S.IN_TRANSIT, text: str = "scan", **change: object) -> TrackingEvent:
    values: dict[str, object] = {
        "time": ZERO + int(day * DAY),
        "local_time": None,
        "status": status,
        "description": text,
    }
    told = values | change
    key = blake2b(repr(sorted(told.items())).encode(), digest_size=8).digest()
    return TrackingEvent(key=key, **told)  # type: ignore[arg-type]


def wall(text: str, status: TrackingStatus = S.IN_TRANSIT, **change: object) -> TrackingEvent:
    return event(0, status, text, time=None, local_time=text, **change)


def answer(
    day: float, *events: TrackingEvent, status: TrackingStatus | None = None, source: str = "17", **change: object
) -> Heard:
    told = status or (events[-1].status if events else S.NOT_FOUND)
    tracking = Tracking(number="LP1", status=told, events=events, **change)  # type: ignore[arg-type]
    return Heard(at=ZERO + int(day * DAY), tracking=tracking, source=source)


def test_a_journey_remembers_first_last_and_delivered_scan() -> None:
    journey = fold(FRAME, [answer(30, event(0.5), event(9), event(28, S.DELIVERED))])
    assert journey.first_scan is not None
    assert journey.last_scan is not None
    assert journey.first_scan.latest == SHIPPED + timedelta(days=0.5)
    assert journey.delivered_scan == journey.last_scan
    assert (journey.status, journey.moved_at) == (S.DELIVERED, ZERO + 28 * DAY)


def test_announced_data_is_no_scan() -> None:
    journey = fold(FRAME, [answer(1, event(0.1, S.INFO_RECEIVED))])
    assert (journey.first_scan, journey.last_scan, journey.status) == (None, None, S.INFO_RECEIVED)


def test_an_unmapped_code_stays_unknown_and_is_a_scan_all_the_same() -> None:
    """Promise 2: an unmapped code never becomes in_transit, and a parcel that was scanned is not silent."""
    journey = fold(FRAME, [answer(5, event(1), event(4, S.UNKNOWN))])
    assert journey.status is S.UNKNOWN
    assert journey.moved_at == ZERO + 4 * DAY


@pytest.mark.parametrize("later", [S.UNKNOWN, S.EXPIRED, S.INFO_RECEIVED])
def test_delivered_sticks_against_what_contradicts_nothing(later: TrackingStatus) -> None:
    """Faults row 16: terminal states stick unless a newer contradicting event comes."""
    journey = fold(
        FRAME, [answer(20, event(18, S.DELIVERED)), answer(22, event(18, S.DELIVERED), event(21, later), status=later)]
    )
    assert journey.status is S.DELIVERED


def test_a_newer_scan_takes_delivered_back_and_reopens() -> None:
    """D15: delivered revoked re-opens."""
    journey = fold(FRAME, [answer(20, event(18, S.DELIVERED)), answer(22, event(18, S.DELIVERED), event(21))])
    assert journey.status is S.IN_TRANSIT
    assert journey.delivered_scan is not None


def test_a_newer_word_takes_delivered_back_where_its_scan_is_unmapped() -> None:
    words = [answer(20, event(18, S.DELIVERED)), answer(22, event(21, S.UNKNOWN), status=S.IN_TRANSIT)]
    assert fold(FRAME, words).status is S.IN_TRANSIT


def test_a_slower_source_does_not_take_delivered_back() -> None:
    words = [answer(20, event(18, S.DELIVERED)), answer(21, event(9), source="slow")]
    assert fold(FRAME, words).status is S.DELIVERED


def test_a_vanished_answer_leaves_the_parcel_where_it_was() -> None:
    """Promise 2: *not found* after scans is a run of its own, not a new status."""
    journey = fold(FRAME, [answer(10, event(9)), answer(20)])
    assert (journey.status, journey.not_found) == (S.IN_TRANSIT, NotFound(answers=1, since=SHIPPED + timedelta(days=20)))


def test_the_answer_has_the_word_not_the_latest_event_type() -> None:
    """facts/transit.md section 3: import customs before the export departure must not decide the status."""
    journey = fold(
        FRAME, [answer(9, event(8, S.EXCEPTION, "customs"), event(8.5), status=S.EXCEPTION, reason=TrackingReason.CUSTOMS_HOLD)]
    )
    assert (journey.status, journey.reason) == (S.EXCEPTION, TrackingReason.CUSTOMS_HOLD)


def test_the_word_alone_can_say_delivered() -> None:
    journey = fold(FRAME, [answer(20, event(18, S.UNKNOWN), status=S.DELIVERED)])
    assert (journey.status, journey.delivered_scan) == (S.DELIVERED, None)


def test_a_scan_without_a_zone_keeps_its_bounds() -> None:
    """facts/transit.md section 3: the instant keeps [local - 14 h, local + 12 h]."""
    journey = fold(FRAME, [answer(6, wall("2026-04-03T10:00:00"), wall("2026-04-05T08:00:00"))])
    last = journey.last_scan
    assert last is not None
    assert (last.earliest.isoformat(), last.latest.isoformat()) == ("2026-04-04T18:00:00+00:00", "2026-04-05T20:00:00+00:00")
    assert not last.exact


@pytest.mark.parametrize("broken", ["", "yesterday", "2026-13-01T00:00:00"])
def test_an_event_without_a_usable_time_orders_nothing(broken: str) -> None:
    journey = fold(FRAME, [answer(6, event(2), wall(broken), event(1, time=None), status=S.IN_TRANSIT)])
    assert journey.moved_at == ZERO + 2 * DAY
    assert journey.told is not None
    assert journey.told.event_at == ZERO + 2 * DAY


# ------------------------------------------------------------------------------------------------- another parcel's events


def test_events_outside_the_parcels_time_are_another_parcels() -> None:
    """Faults row 17: carriers recycle numbers; [shipped - 3 d, shipped + 180 d]."""
    old = [answer(3, event(-200), event(-190, S.DELIVERED))]
    journey = fold(FRAME, old)
    assert (journey.status, journey.suspect, journey.last_scan) == (S.UNKNOWN, ANOTHER_PARCEL, None)
    grown = fold(FRAME, [*old, answer(9, event(-190, S.DELIVERED), event(2))])
    assert (grown.status, grown.suspect) == (S.IN_TRANSIT, None)
    assert fold(Frame(), old).status is S.DELIVERED


def test_old_wall_clocks_are_another_parcels_too() -> None:
    journey = fold(FRAME, [answer(3, wall("2025-01-01T10:00:00"))])
    assert journey.suspect == ANOTHER_PARCEL
    late = fold(FRAME, [answer(3, wall("2026-04-02T10:00:00"), wall("2027-04-02T10:00:00"))])
    assert late.suspect is None
    assert late.moved_at == ZERO + DAY + 22 * 3600


def test_another_destination_is_suspect_until_an_answer_fits() -> None:
    mismatch = answer(3, event(2), destination_country="FR")
    assert fold(FRAME, [mismatch]).suspect == OTHER_DESTINATION
    assert fold(FRAME, [mismatch, answer(4)]).suspect == OTHER_DESTINATION
    assert fold(FRAME, [mismatch, answer(4, event(2), destination_country="BR")]).suspect is None
    assert fold(Frame(shipped_at=SHIPPED), [mismatch]).suspect is None


# ----------------------------------------------------------------------------------------------------------- not found


def test_not_found_is_counted_by_answers_and_sources() -> None:
    """R8: only answers count; the sources that say it are told apart."""
    run = fold(FRAME, [answer(3), answer(4, source="correios"), answer(5)]).not_found
    assert run == NotFound(answers=3, since=SHIPPED + timedelta(days=3), sources=2)


def test_a_fresh_not_found_is_no_news() -> None:
    """facts/transit.md section 3: within 48 h of registration or hand-over it starts no run, but it is an answer."""
    journey = fold(FRAME, [answer(1)])
    assert (journey.not_found, journey.status) == (None, S.NOT_FOUND)
    later = fold(FRAME, [answer(3)], registered_at=SHIPPED + timedelta(days=2))
    assert later.not_found is None
    assert fold(Frame(), [answer(0)]).not_found is not None


def test_any_other_answer_ends_the_run() -> None:
    journey = fold(FRAME, [answer(3), answer(5, event(4)), answer(8)])
    assert journey.not_found == NotFound(answers=1, since=SHIPPED + timedelta(days=8))


def test_the_same_not_found_again_counts_without_being_parsed() -> None:
    once = fold(FRAME, [answer(3)])
    again = not_found_again(once, FRAME, ZERO + 4 * DAY, "17")
    assert again.not_found == NotFound(answers=2, since=SHIPPED + timedelta(days=3))
    parsed = fold(FRAME, [answer(3), answer(4)])
    assert replace(again, told=None) == replace(parsed, told=None)


def test_a_stopped_source_is_remembered() -> None:
    journey = fold(FRAME, [answer(40, event(9), stopped=True), answer(41, event(9), stopped=True)])
    shipment = travelled(parcel(last=None), journey, ZERO + 40 * DAY)
    assert shipment.stopped_at == SHIPPED + timedelta(days=40), "the first of them"
    assert fold(FRAME, [answer(40, event(9), stopped=True), answer(42, event(9))]).stopped_at is None, "woken up again"
    assert shipment.last_answer_at == SHIPPED + timedelta(days=40)
    assert travelled(parcel(last=None), journey, None).last_answer_at is None


# ------------------------------------------------------------------------------------------------------------------- I3

_STATUSES = st.sampled_from(list(TrackingStatus))
_EVENTS = st.builds(
    lambda day, status, text, reason, zoned: (
        event(day, status, text, reason=reason)
        if zoned
        else wall(f"2026-0{4 + day % 3}-{1 + day % 27:02d}T10:00:00", status, reason=reason)
    ),
    st.integers(-5, 60),
    _STATUSES,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([None, TrackingReason.LOST, TrackingReason.CUSTOMS_HOLD]),
    st.booleans(),
)
_ANSWERS = st.lists(
    st.builds(
        lambda day, events, status, source: answer(day, *events, status=status, source=source),
        st.integers(1, 70),
        st.lists(_EVENTS, max_size=6).map(tuple),
        _STATUSES,
        st.sampled_from(["17", "correios"]),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(_ANSWERS, st.integers(0, 1 << 30))
def test_i3_any_order_and_any_duplication_tell_the_same_journey(answers: list[Heard], seed: int) -> None:
    """I3: the derived state is the same for any order and any duplication of the input."""
    chance = random.Random(seed)  # noqa: S311 - hypothesis gives the seed
    shuffled = answers + chance.choices(answers, k=3) if answers else []
    chance.shuffle(shuffled)
    assert fold(FRAME, shuffled) == fold(FRAME, answers)


@settings(max_examples=150, deadline=None)
@given(st.lists(_EVENTS, max_size=10), st.integers(0, 1 << 30))
def test_i3_the_order_of_events_within_an_answer_plays_no_part(events: list[TrackingEvent], seed: int) -> None:
    """I3: a carrier that sorts its list otherwise tells the same."""
    shuffled = [*events, *events[:2]]
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - hypothesis gives the seed
    one = answer(65, *events, status=S.IN_TRANSIT)
    other = answer(65, *shuffled, status=S.IN_TRANSIT)
    assert fold(FRAME, [one]) == fold(FRAME, [other])


@settings(max_examples=150, deadline=None)
@given(_ANSWERS)
def test_i3_merging_the_new_events_only_is_folding_them_all(answers: list[Heard]) -> None:
    """The hot path hands over what the store does not know yet: the journey is the same."""
    ordered = sorted({(each.at, each.source): each for each in answers}.values(), key=lambda each: (each.at, each.source))
    journey, known = Journey(), set[bytes]()
    for heard in ordered:
        fresh = tuple(each for each in heard.tracking.events if each.key not in known)
        known |= {each.key for each in heard.tracking.events}
        journey = merge(journey, FRAME, heard, fresh)
    assert journey == fold(FRAME, ordered)


def test_the_source_that_told_the_delivery_can_take_it_back() -> None:
    """D15: "delivered" revoked re-opens the parcel (Correios EST: the event before it is void)."""
    there = fold(FRAME, [answer(30, event(0.5), event(9), event(28, S.DELIVERED))])
    back = merge(there, FRAME, answer(31, event(0.5), event(9)), ())
    assert (back.status, back.delivered_scan) == (S.IN_TRANSIT, None)
    assert back.last_scan is not None
    assert back.last_scan.latest == SHIPPED + timedelta(days=9)
    assert back.first_scan == there.first_scan


@pytest.mark.parametrize(
    "other",
    [
        answer(31, event(0.5), event(9), source="another"),
        answer(31, event(0.5), event(9), status=S.EXPIRED),
        answer(31, event(0.5), event(9), status=S.UNKNOWN),
        answer(31, status=S.IN_TRANSIT),
        answer(31, event(0.5), event(28, S.DELIVERED), status=S.IN_TRANSIT),
    ],
    ids=["a slower source", "expired", "an unknown code", "no events", "the event is still there"],
)
def test_nothing_else_takes_a_delivery_back(other: Heard) -> None:
    """facts/carriers.md section 3, rule 10: a final status never goes back because a slower source knows less."""
    there = fold(FRAME, [answer(30, event(0.5), event(9), event(28, S.DELIVERED))])
    assert merge(there, FRAME, other, ()).status is S.DELIVERED
