"""The clocks change, somewhere: every zone there is, around every change, all that goes by local time (faults row 14).

One rule for all of it: an hour that does not exist is the one after the gap, an hour that exists twice is the first of the two.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.messages.build import dossier
from tests.times.test_times import at as moment_of
from tests.times.test_times import rule
from tracker.dates import _POSTING_ZONES, whole_days, working_days_after
from tracker.desk.tasks import end_of_day
from tracker.desk.worksheet.cells import instant
from tracker.errands import Errand, due_occasion
from tracker.policy.ringing import rings_from
from tracker.reports.handover import next_noon
from tracker.rules import QuietHours
from tracker.team import Person

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
YEARS = range(2022, 2036)
WIDEST = timedelta(hours=3)
"""No zone's clocks change by more in these years (Antarctica/Casey)."""


@lru_cache(maxsize=4096)
def changes(zone: str, year: int) -> tuple[datetime, ...]:
    """The instants of a year at which a zone's offset changes."""
    place, found = ZoneInfo(zone), []
    at = datetime(year, 1, 1, tzinfo=UTC)
    for _ in range(366):
        after = at + DAY
        if at.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            low, high = at, after
            while high - low > MINUTE:
                middle = low + (high - low) // 2
                same = middle.astimezone(place).utcoffset() == low.astimezone(place).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
        at = after
    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant within two days of one of its changes (of any day, where its clocks never change)."""
    zone, year = draw(st.sampled_from(ZONES)), draw(st.sampled_from(YEARS))
    around = draw(st.sampled_from(changes(zone, year) or (datetime(year, 6, 30, tzinfo=UTC),)))
    return zone, around + draw(st.integers(-2880, 2880)) * MINUTE


times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 30, 59)))


def test_the_zones_of_this_machine_are_all_tried() -> None:
    assert len(ZONES) > 400
    assert len(changes("Europe/Berlin", 2026)) == 2
    assert changes("America/Sao_Paulo", 2026) == ()
    assert changes("Europe/Berlin", 2026)[0] == datetime(2026, 3, 29, 1, tzinfo=UTC)


@given(moments(), times)
@settings(max_examples=150, deadline=None)
def test_what_is_done_once_a_day_is_done_once_a_day(moment: tuple[str, datetime], at: time) -> None:
    """Fault 14: around a change every local day has its backup, its handover, its cleaning up: one each, in order."""
    zone, around = moment
    errand = Errand(name="backup", at=at, zone=zone, every="day", run=_nothing)
    last = due_occasion(errand, around - 2 * DAY, None)
    seen = [date.fromisoformat(last or "")]
    for step in range(4 * 24 * 2):
        occasion = due_occasion(errand, around - 2 * DAY + step * HOUR / 2, last)
        if occasion is not None:
            last = occasion
            seen.append(date.fromisoformat(occasion))
    assert seen == [seen[0] + number * DAY for number in range(len(seen))]
    assert len(seen) in {4, 5, 6}


async def _nothing(_occasion: str, _now: datetime) -> str:
    return ""


@given(moments(), st.sampled_from((2, 3, 4, 6, 8, 12)))
@settings(max_examples=100, deadline=None)
def test_what_is_done_every_few_hours_is_never_done_twice_for_one_hour(moment: tuple[str, datetime], every: int) -> None:
    """Fault 14: the hour that comes twice is one occasion, the one that does not come is none."""
    zone, around = moment
    errand = Errand(name="handover", at=time(0, 30), zone=zone, every=every, run=_nothing)
    last, seen = "", []
    for step in range(3 * 24 * 4):
        occasion = due_occasion(errand, around - DAY + step * 15 * MINUTE, last)
        if occasion is not None:
            last = occasion
            seen.append(occasion)
    assert seen == sorted(set(seen))


@example(("America/Havana", datetime(2022, 3, 13, 4, 59, tzinfo=UTC)), 3, 7)  # 23:59, and midnight is left out
@given(moments(), st.integers(0, 12), st.integers(7, 11))
@settings(max_examples=300, deadline=None)
def test_no_telephone_rings_in_quiet_hours(moment: tuple[str, datetime], begins: int, lasts: int) -> None:
    """Fault 14, D16: what waits goes within a day, at an hour that exists and is good on the buyer's own clock."""
    zone, now = moment
    quiet = QuietHours(begins=time(begins), ends=time(begins + lasts), zones={"XX": (zone,)})
    found = rings_from(dossier(country="XX").order, quiet, now)
    rings = now if found is None else found
    assert quiet.begins <= rings.astimezone(ZoneInfo(zone)).time() < quiet.ends
    assert timedelta(0) <= rings - now <= DAY + WIDEST
    assert (found is None) == (quiet.begins <= now.astimezone(ZoneInfo(zone)).time() < quiet.ends)


@given(moments(), st.integers(0, 47), st.integers(8, 24))
@settings(max_examples=300, deadline=None)
def test_shifts_keep_their_length_but_for_the_change_itself(moment: tuple[str, datetime], begins: int, lasts: int) -> None:
    """Fault 14, D24: nobody's shift vanishes or lasts for days; in it he is at work, before and after it he is not."""
    zone, now = moment
    person = Person(id="mei", name="Mei", zone=zone, begins=begins * 30, ends=(begins + lasts) * 30, days=frozenset(range(7)))
    shift = person.shift(person.local_day(now))
    assert shift is not None
    start, end = shift
    assert abs(end - start - lasts * HOUR / 2) <= WIDEST
    assert person.works(start)
    assert person.works(end - MINUTE)
    local = start.astimezone(ZoneInfo(zone))
    assert local.hour * 60 + local.minute in {begins * 30, *range(begins * 30, begins * 30 + 121)}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_working_days_end_on_the_day_that_they_say(data: st.DataObject) -> None:
    """Fault 14: counted in the sender's calendar, at the same wall clock, also where that jumped in between."""
    country = data.draw(st.sampled_from(sorted(_POSTING_ZONES)))
    zone = _POSTING_ZONES[country]
    around = data.draw(st.sampled_from(changes(zone, 2026) or (datetime(2026, 3, 29, tzinfo=UTC),)))
    since = around + data.draw(st.integers(-2880, 2880)) * MINUTE
    count = data.draw(st.integers(0, 3))
    done = working_days_after(since, count, country).astimezone(ZoneInfo(zone))
    local = since.astimezone(ZoneInfo(zone))
    assert done.date() > local.date() or count == 0
    assert done.time() == local.time() or abs(done.replace(tzinfo=None) - datetime.combine(done.date(), local.time())) <= WIDEST


@given(moments(), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_a_marketplaces_days_end_on_its_own_calendar(moment: tuple[str, datetime], count: int) -> None:
    """Fault 14, D9: days of a marketplace keep its wall clock; hours are hours, whatever the clocks do."""
    zone, since = moment
    local = since.astimezone(ZoneInfo(zone))
    end = moment_of(rule(tz=zone, offset=count), since).astimezone(ZoneInfo(zone))
    assert end.date() == local.date() + count * DAY
    assert abs(end.replace(tzinfo=None) - local.replace(tzinfo=None) - count * DAY) <= WIDEST
    assert moment_of(rule(tz=zone, offset=24 * count, unit="hours"), since) == since + count * DAY


@given(moments())
@settings(max_examples=200, deadline=None)
def test_days_of_a_desk_end_when_they_end(moment: tuple[str, datetime]) -> None:
    """Fault 14: the next noon is ahead and within a day and a change; a day that a person names is over at its last second."""
    zone, now = moment
    noon = next_noon(now, zone)
    assert now < noon.astimezone(UTC) <= now + DAY + WIDEST
    assert noon.hour == 12
    day = now.astimezone(ZoneInfo(zone)).date()
    end = end_of_day(day, zone)
    assert end >= now or end.astimezone(ZoneInfo(zone)).fold == 0, "where the day's last hour comes twice, its first counts"
    assert end.astimezone(ZoneInfo(zone)).date() == day


@given(moments())
@settings(max_examples=200, deadline=None)
def test_a_time_that_a_person_typed_is_read_as_it_was_shown(moment: tuple[str, datetime]) -> None:
    """Fault 14: shown and read back it is the same instant; of an hour that comes twice the first one."""
    zone, now = moment
    local = now.astimezone(ZoneInfo(zone))
    read = instant(f"{local:%Y-%m-%d %H:%M}", zone)
    assert read is not None
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    assert read == now or (twice and read < now and now - read <= WIDEST)


@given(moments(), st.integers(0, 90))
@settings(max_examples=100, deadline=None)
def test_an_age_is_one_of_hours(moment: tuple[str, datetime], days: int) -> None:
    """Fault 14, D9: 24 hours are a day, in every zone in which the instant is told."""
    zone, now = moment
    assert whole_days(now, (now + days * DAY).astimezone(ZoneInfo(zone))) == days
    if days:
        assert whole_days(now.astimezone(ZoneInfo(zone)), now + days * DAY - MINUTE) == days - 1


@pytest.mark.parametrize(
    ("zone", "typed", "utc"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30"),  # does not exist: 03:30 of the summer
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30"),  # twice: the first, still summer
        ("America/New_York", "2026-03-08 02:30", "2026-03-08T07:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45"),
        ("America/Sao_Paulo", "2026-10-18 00:30", "2026-10-18T03:30"),  # no summer time any more
    ],
)
def test_the_rule_of_the_fold(zone: str, typed: str, utc: str) -> None:
    """Fault 14: pinned by examples that a person can check."""
    assert instant(typed, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
