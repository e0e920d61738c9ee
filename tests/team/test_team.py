"""Who is at work, who stands in, and when the last hour before a deadline is (facts/daily-operations.md, "People")."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.team.hours import last_working_hour
from tracker.team import Leave, Person, Team

# 2026-03-02 is a Monday. Shanghai is UTC+8 all year: 09:00-18:00 there is 01:00-10:00 UTC.
FESTIVAL = (Leave(date(2026, 3, 9), date(2026, 3, 15)),)


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def person(id_: str, **change: Any) -> Person:
    return Person(**({"id": id_, "name": id_.title(), "zone": "Asia/Shanghai"} | change))


def names(people: tuple[Person, ...]) -> list[str]:
    return [each.id for each in people]


@pytest.mark.parametrize("name", ["mei", "Mei W", " MEI  w ", "\uff2d\uff45\uff49"])
def test_a_person_is_found_by_id_or_name(name: str) -> None:
    """Without regard to case, width (NFKC) and spare spaces."""
    team = Team(people=(person("mei", name="Mei W"), person("lin")))
    found = team.person(name)
    assert found is not None
    assert found.id == "mei"


def test_a_stranger_is_nobody() -> None:
    assert Team(people=(person("mei"),)).person("root") is None
    assert Team().person(None) is None
    assert not Team()


@pytest.mark.parametrize(
    ("at", "works"),
    [
        (utc(2, 0, 59), False),
        (utc(2, 1), True),
        (utc(2, 9, 59), True),
        (utc(2, 10), False),
        (utc(7, 2), False),
        (utc(9, 2), False),
        (utc(16, 2), True),
    ],
    ids=["before nine", "nine", "before six", "six", "saturday", "first day of leave", "back again"],
)
def test_working_hours_are_local(at: datetime, *, works: bool) -> None:
    assert person("mei", leave=FESTIVAL).works(at) is works


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    """22:00-30:00: Friday's lasts until six on Saturday, and leave from Saturday on does not cut it."""
    night = person("noe", zone="UTC", begins=22 * 60, ends=30 * 60, leave=(Leave(date(2026, 3, 7), date(2026, 3, 8)),))
    assert night.works(utc(7, 5, 59))
    assert not night.works(utc(7, 6))
    assert not night.works(utc(2, 1))


def test_hours_follow_daylight_saving() -> None:
    """The clocks of Los Angeles went forward on 2026-03-08: nine o'clock is 17:00 UTC before, 16:00 UTC after."""
    ana = person("ana", zone="America/Los_Angeles")
    assert ana.shift(date(2026, 3, 6)) == (utc(6, 17), utc(7, 2))
    assert ana.shift(date(2026, 3, 9)) == (utc(9, 16), utc(10, 1))


def test_the_deputy_stands_in_and_the_deputys_deputy() -> None:
    boss = person("bo")
    lin, mei = person("lin", leave=FESTIVAL, deputy="bo"), person("mei", leave=FESTIVAL, deputy="lin", stores=("lume",))
    team = Team(people=(mei, lin, person("eve", stores=("nova",))))
    assert team.reachable(mei, utc(5)) is mei
    assert team.reachable(mei, utc(10)) is mei, "nobody stands in: an unknown deputy leads nowhere"
    team = Team(people=(mei, lin, boss, person("eve", stores=("nova",))))
    assert team.reachable(mei, utc(10)) is boss
    assert names(team.on_duty("lume", utc(5, 2))) == ["mei", "lin", "bo"]
    assert names(team.on_duty("lume", utc(10, 2))) == ["bo"]
    assert names(team.on_duty("nova", utc(10, 2))) == ["eve", "bo"]
    assert team.on_duty("lume", utc(10, 12)) == ()


def test_a_task_goes_to_whom_the_store_belongs() -> None:
    """Who names the store goes before who looks after all; deputies take the tasks of those on leave; else nobody."""
    mei, lin = person("mei", stores=("lume",), leave=FESTIVAL), person("lin")
    team = Team(people=(lin, mei))
    assert team.assignee("lume", utc(5, 2)) is mei
    assert team.assignee("nova", utc(5, 2)) is lin
    assert team.assignee("lume", utc(10, 2)) is lin
    assert Team(people=(mei,)).assignee("nova", utc(5, 2)) is None
    assert Team(people=(mei,)).assignee("lume", utc(10, 2)) is None
    assert Team().assignee("lume", utc(10, 2)) is None


def test_at_night_a_task_goes_to_whose_shift_begins_next() -> None:
    early, late = person("early", begins=6 * 60, ends=14 * 60), person("late", begins=14 * 60, ends=22 * 60)
    team = Team(people=(late, early))
    assert team.assignee("lume", utc(2, 20)) is early
    assert team.assignee("lume", utc(2, 7)) is late


def test_two_on_duty_share_and_an_order_stays_with_one_of_them() -> None:
    team = Team(people=(person("mei"), person("lin")))
    given = [team.assignee("lume", utc(2, 2), f"A-{number}") for number in range(100)]
    shares = [sum(each is one for each in given) for one in team.people]
    assert min(shares) > 30
    assert given == [team.assignee("lume", utc(3, 2), f"A-{number}") for number in range(100)]


@pytest.mark.parametrize(
    ("deadline", "hour"),
    [
        (utc(4, 12), utc(4, 9)),
        (utc(4, 5, 30), utc(4, 4, 30)),
        (utc(4, 1, 30), utc(3, 9)),
        (utc(8, 12), utc(6, 9)),
        (utc(12, 12), utc(6, 9)),
    ],
    ids=["after work", "during work", "too early that day", "on sunday", "in the holiday"],
)
def test_d24_the_last_working_hour_before_a_deadline(deadline: datetime, hour: datetime) -> None:
    """D24: an hour that somebody of the store works whole."""
    team = Team(people=(person("mei", leave=FESTIVAL),))
    assert team.told_until("lume", hour - timedelta(minutes=1)) < deadline <= team.told_until("lume", hour)
    assert last_working_hour(team, deadline, "lume") == hour


def test_the_last_working_hour_of_a_deputy_a_short_shift_and_no_team() -> None:
    lin = person("lin", begins=22 * 60, ends=22 * 60 + 30, stores=("nova",))
    team = Team(people=(person("mei", leave=FESTIVAL, deputy="lin"), lin))
    assert team.told_until("lume", utc(12, 13)) < utc(12, 18) <= team.told_until("lume", utc(12, 14))
    assert Team().told_until("lume", utc(12, 17)) == utc(12, 18)


@pytest.mark.parametrize("leave", [(), FESTIVAL])
def test_what_must_be_told_by_now_is_what_has_its_last_working_hour_behind_it(leave: tuple[Leave, ...]) -> None:
    """D24: one date for thousands of deadlines, the same answer for each."""
    night = person("lin", begins=22 * 60, ends=30 * 60, days=frozenset({1, 4}), zone="America/Sao_Paulo")
    team = Team(people=(person("mei", leave=leave, deputy="lin"), night))
    for now in (utc(2) + timedelta(minutes=473) * step for step in range(50)):
        until = team.told_until("lume", now)
        for deadline in (now + timedelta(minutes=611) * step for step in range(1, 25)):
            if deadline != until:
                assert (deadline < until) == (last_working_hour(team, deadline, "lume") <= now), (now, deadline)


def test_where_nobody_works_an_hour_before_the_deadline_is_the_last() -> None:
    assert Team().told_until("lume", utc(2)) == utc(2, 1)
    away = (Leave(date(2026, 3, 3), date(2027, 3, 3)),)
    assert Team(people=(person("mei", leave=away),)).told_until("lume", utc(3)) > utc(20)


@pytest.mark.parametrize(
    ("at", "becomes"),
    [
        (utc(6, 5), utc(6, 5)),
        (utc(7, 5), utc(6, 1)),
        (utc(11, 5), utc(6, 1)),
        (utc(15, 5), utc(6, 1)),
        (utc(16, 5), utc(6, 1)),
        (utc(17, 5), utc(17, 5)),
        (utc(21, 5), utc(21, 5)),
    ],
    ids=["eve", "weekend before", "holiday", "last day", "first day back", "second day back", "a mere weekend"],
)
def test_what_falls_into_a_holiday_of_everybody_comes_before_it(at: datetime, becomes: datetime) -> None:
    """Daily operations section 2: before the second working day after a team holiday."""
    team = Team(people=(person("mei", leave=FESTIVAL), person("lin", leave=FESTIVAL)))
    assert team.before_holiday("lume", at) == becomes


def test_nothing_moves_while_somebody_is_there() -> None:
    away = person("mei", leave=FESTIVAL, stores=("lume",))
    assert Team(people=(away, person("lin"))).before_holiday("lume", utc(11, 5)) == utc(11, 5)
    stand_in = Team(people=(person("mei", leave=FESTIVAL, deputy="bo", stores=("lume",)), person("bo", stores=("nova",))))
    assert stand_in.before_holiday("lume", utc(11, 5)) == utc(11, 5)
    assert Team().before_holiday("lume", utc(11, 5)) == utc(11, 5)
    gone = Team(people=(person("mei", leave=(Leave(date(2025, 1, 1), date(2027, 1, 1)),)),))
    assert gone.before_holiday("lume", utc(11, 5)) == utc(11, 5)
