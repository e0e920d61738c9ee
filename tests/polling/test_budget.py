"""Who waits when a source's day does not suffice (daily-operations, Quota; R6): the order, the reserve, the pace of the day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.model import TrackingStatus
from tracker.polling.budget import ORDER, Day, Turn, by_turn, in_order, ration, turn_of
from tracker.polling.cadence import Cadence
from tracker.store.rows import DueShipment

DAY, HOUR = 86_400, 3600
MIDNIGHT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
NOON = MIDNIGHT + 12 * HOUR
CADENCE = Cadence()
S = TrackingStatus


def parcel(
    id_: int = 1,
    *,
    status: S = S.IN_TRANSIT,
    moved_days: float | None = 1,
    deadline_days: float | None = None,
    answered: int | None = None,
    at: int = NOON,
) -> DueShipment:
    return DueShipment(
        id=id_,
        number=f"LZ{id_:09d}CN",
        next_poll_at=at,
        carrier=None,
        service="standard",
        country="BR",
        shipped_at=None,
        status=status,
        moved_at=None if moved_days is None else int(at - moved_days * DAY),
        last_answer_at=answered,
        failures=0,
        deadline_at=None if deadline_days is None else int(at + deadline_days * DAY),
    )


OF_CLASS = {
    Turn.DEADLINE: parcel(1, moved_days=40, deadline_days=2),
    Turn.AWAITED: parcel(2, moved_days=40),
    Turn.MOVING: parcel(3),
    Turn.UNSCANNED: parcel(4, status=S.INFO_RECEIVED, moved_days=None),
    Turn.SILENT: parcel(5, moved_days=40),
    Turn.SETTLING: parcel(6, status=S.DELIVERED, deadline_days=2),
}


@pytest.mark.parametrize("turn", Turn)
def test_r6_every_parcel_is_of_one_class(turn: Turn) -> None:
    """R6: the six reasons to ask, by what the parcel does and what waits for it."""
    assert turn_of(OF_CLASS[turn], CADENCE, NOON, awaited=turn is Turn.AWAITED) is turn


def test_d20_what_a_decision_waits_for_is_asked_second() -> None:
    """D20: facts too old to act on are asked afresh before anything but a deadline, also about what has arrived."""
    assert turn_of(OF_CLASS[Turn.SETTLING], CADENCE, NOON, awaited=True) is Turn.AWAITED
    assert turn_of(OF_CLASS[Turn.DEADLINE], CADENCE, NOON, awaited=True) is Turn.DEADLINE
    queue = in_order([OF_CLASS[turn] for turn in reversed(Turn)], CADENCE, NOON, {2})
    assert [turn for turn, _ in queue] == list(Turn)


def test_within_a_class_the_longest_unanswered_goes_first() -> None:
    known = [parcel(1, answered=NOON - HOUR), parcel(2, answered=NOON - DAY), parcel(3)]
    assert [each.id for _, each in in_order(known, CADENCE, NOON, ())] == [3, 2, 1]


def test_the_first_minute_after_midnight_does_not_cost_the_day() -> None:
    """250 calls a day and ten thousand silent parcels: what moves in the afternoon still finds its turn."""
    crowd = [parcel(id_, moved_days=40, at=MIDNIGHT) for id_ in range(1, 10_001)]
    first = ration(in_order(crowd, CADENCE, MIDNIGHT, ()), Day(daily=250, used=0, at=MIDNIGHT))
    assert first.units <= 6
    moving = ration(in_order([parcel(1)], CADENCE, NOON, ()), Day(daily=250, used=115, at=NOON))
    assert moving.units == 1
    silent = ration(in_order([parcel(1, moved_days=40)], CADENCE, NOON, ()), Day(daily=250, used=122, at=NOON))
    assert [each.turn for each in silent.waiting] == [Turn.SILENT]


def test_a_new_number_is_registered_at_once_while_the_day_has_any() -> None:
    """A registration is paid once: pacing would only make buyers wait for their first scan."""
    crowd = [parcel(id_, status=S.INFO_RECEIVED, moved_days=None, at=MIDNIGHT) for id_ in range(1, 101)]
    found = ration(in_order(crowd, CADENCE, MIDNIGHT, ()), Day(daily=100, used=0, at=MIDNIGHT, paced=False))
    assert (found.units, by_turn(found.waiting)) == (80, {"unscanned": 20})


def test_a_call_that_goes_anyway_takes_along_whom_it_can() -> None:
    """A call answers about forty numbers: the seats behind three urgent parcels cost nothing."""
    urgent = [parcel(id_, moved_days=40, deadline_days=1) for id_ in range(1, 4)]
    others = [parcel(id_, moved_days=40) for id_ in range(4, 104)]
    found = ration(in_order(urgent + others, CADENCE, NOON, ()), Day(daily=10, used=9, at=NOON, seats=40))
    assert (found.units, len(found.asked), len(found.waiting)) == (1, 40, 63)


def test_the_reserve_melts_with_the_day_and_nothing_is_left_over_at_midnight() -> None:
    kept = [Day(daily=250, used=0, at=MIDNIGHT + hour * HOUR).kept for hour in (0, 6, 12, 23)]
    assert kept == [50, 37, 25, 2]
    last = Day(daily=250, used=0, at=MIDNIGHT + DAY - 1)
    assert {last.limit(turn) for turn in Turn} == {250}


COUNTS = st.lists(st.sampled_from(list(Turn)), min_size=1, max_size=60)
DAYS = st.builds(
    Day,
    daily=st.integers(1, 400),
    used=st.integers(0, 400),
    at=st.integers(MIDNIGHT, MIDNIGHT + DAY - 1),
    seats=st.integers(1, 40),
    reserve=st.floats(0, 0.9),
    paced=st.booleans(),
)


def queue_of(turns: list[Turn]) -> list[tuple[Turn, DueShipment]]:
    return sorted(((turn, parcel(id_)) for id_, turn in enumerate(turns, 1)), key=lambda pair: ORDER[pair[0]])


@given(COUNTS, DAYS)
def test_nobody_is_asked_before_somebody_more_urgent(turns: list[Turn], day: Day) -> None:
    """The stated order holds in every look, whatever is left; nobody is lost, nobody is asked twice."""
    queue = queue_of(turns)
    found = ration(queue, day)
    assert [each for _, each in queue] == [*found.asked, *(each.shipment for each in found.waiting)]


@given(COUNTS, DAYS)
def test_the_reserve_is_for_deadlines_alone(turns: list[Turn], day: Day) -> None:
    """Whatever else is due, it leaves the reserve; the day is never overdrawn."""
    queue = [pair for pair in queue_of(turns) if pair[0] is not Turn.DEADLINE]
    assert day.used + ration(queue, day).units <= max(day.used, day.daily - day.kept)
    assert day.used + ration(queue_of(turns), day).units <= max(day.used, day.daily)


@given(COUNTS, DAYS)
def test_who_waits_comes_back_within_a_day_and_not_at_once(turns: list[Turn], day: Day) -> None:
    for each in ration(queue_of(turns), day).waiting:
        assert day.at + 600 <= each.until or each.until >= day.at - day.elapsed + DAY
        assert each.until <= day.at + DAY + HOUR


@given(st.lists(st.integers(0, 30), min_size=96, max_size=96), st.integers(5, 300))
def test_through_a_whole_day_the_pace_and_the_reserve_hold(due: list[int], daily: int) -> None:
    """Every quarter of an hour silent parcels come due: they never run ahead of the day, and deadlines always find a call."""
    used = 0
    for quarter, count in enumerate(due):
        at = MIDNIGHT + quarter * 900
        crowd = [(Turn.SILENT, parcel(id_)) for id_ in range(1, count + 1)]
        used += ration(crowd, Day(daily=daily, used=used, at=at)).units
        assert used <= daily * (at - MIDNIGHT + HOUR) / DAY + 1
        near = [(Turn.DEADLINE, parcel(id_)) for id_ in range(1, int(daily * 0.2 * (1 - quarter / 96)) + 1)]
        assert not ration(near, Day(daily=daily, used=used, at=at)).waiting


def test_r6_the_longest_unanswered_goes_first_across_days_and_nobody_starves() -> None:
    """R6, I2: a hundred silent parcels, five calls a day: a fair turn is twenty days; nobody waits for two."""
    last = {id_: MIDNIGHT - id_ * 800 for id_ in range(1, 101)}
    due = {id_: MIDNIGHT + id_ * 800 for id_ in last}
    used = 0
    for at in range(MIDNIGHT, MIDNIGHT + 70 * DAY, 300):
        used = 0 if at % DAY == 0 else used
        ready = [parcel(id_, moved_days=40, answered=last[id_], at=at) for id_, when in due.items() if when <= at]
        if not ready:
            continue
        found = ration(in_order(ready, CADENCE, at, ()), Day(daily=5, used=used, at=at))
        used += found.units
        for each in found.asked:
            last[each.id], due[each.id] = at, at + DAY
        due |= {each.shipment.id: each.until for each in found.waiting}
    assert min(last.values()) > MIDNIGHT + 30 * DAY


def test_between_rounds_only_what_is_left_over_is_given_away() -> None:
    """A day that is behind its pace serves whoever comes, whenever `run --once` looks; one on its pace keeps the next round's."""
    silent = [(Turn.SILENT, parcel(1, moved_days=40))]
    for used, units in ((90, 1), (114, 0)):
        assert ration(silent, Day(daily=250, used=used, at=NOON + HOUR // 2)).units == units
    assert ration(silent, Day(daily=250, used=114, at=NOON + HOUR)).units == 1
