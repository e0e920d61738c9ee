"""Events in order: whatever the order and repetition of the input, the same story comes out (I3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.model import TrackingEvent, newest
from carriers.scans import alpha2, alpha2_of, arrange, at_epoch, event_key, in_zone, instant, iso_offset


def scan(name: str, *, time: int | None = None, local: str | None = None) -> TrackingEvent:
    return TrackingEvent(key=event_key(name), time=time, local_time=local, description=name)


def told(events: tuple[TrackingEvent, ...]) -> str:
    return " ".join(event.description for event in events)


def test_lists_in_either_direction_are_merged_oldest_first() -> None:
    origin = [scan("a", time=10), scan("b", time=20), scan("d", time=40)]
    last_mile = [scan("e", time=50), scan("d", time=40), scan("c", time=30)]
    assert told(arrange(origin, last_mile)) == "a b c d e"


def test_an_undated_event_keeps_its_place_behind_the_one_it_follows() -> None:
    """Facts, section 1: events without a usable time keep their position and never win "last event"."""
    assert told(arrange([scan("a", time=10), scan("x"), scan("b", time=20), scan("y")])) == "a x b y"
    newest_first = arrange([scan("y"), scan("b", time=20), scan("x"), scan("a", time=10)])
    assert told(newest_first) == "a x b y"
    last = newest(newest_first)
    assert last is not None
    assert last.description == "b"


def test_undated_events_at_the_start_stay_there() -> None:
    assert told(arrange([scan("x"), scan("a", time=10), scan("b", time=20)])) == "x a b"
    assert told(arrange([scan("x"), scan("y")])) == "x y"
    assert newest(arrange([scan("x")])) is None
    assert arrange() == ()


def test_an_event_of_unknown_zone_is_placed_by_its_wall_clock() -> None:
    noon = 1_775_044_800  # 2026-04-01T12:00:00Z
    assert told(arrange([scan("b", time=noon), scan("a", local="2026-04-01T11:00:00")])) == "a b"


@given(st.permutations([scan(str(at), time=at * 60) for at in range(8)]), st.data())
def test_order_and_repetition_change_nothing(events: list[TrackingEvent], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    assert arrange(sorted(events, key=lambda e: e.time or 0), again) == tuple(sorted(events, key=lambda e: e.time or 0))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-09-02T16:13:25+08:00", (1788336805, "2026-09-02T16:13:25", 480)),
        ("2026-09-02T08:13:25Z", (1788336805, "2026-09-02T08:13:25", 0)),
        ("2026-09-02T08:13:25.999-03:30", (1788349405, "2026-09-02T08:13:25", -210)),
        ("20260902T161325+0800", (1788336805, "2026-09-02T16:13:25", 480)),
        ("2026-W36-3T16:13:25+08:00", (1788336805, "2026-09-02T16:13:25", 480)),
        ("2026-09-02T16:13:25", (None, "2026-09-02T16:13:25", None)),
        ("2026-09-02", (None, "2026-09-02T00:00:00", None)),
        ("0001-01-01T00:00:00+08:00", (None, None, None)),
        ("9999-12-31T23:59:59", (None, None, None)),
        ("0001-01-01", (None, None, None)),
        ("2026-09-02T16:13:25.750-03:30", (1788378205, "2026-09-02T16:13:25", -210)),
        ("yesterday", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_a_time_is_read_with_its_offset_or_stays_a_wall_clock(text: str, read: tuple[int | None, str | None, int | None]) -> None:
    """Rules across carriers 15: never fill in a zone; 0001-01-01 is no date."""
    assert instant(text) == read


@pytest.mark.parametrize(
    ("zone", "iso"),
    [
        ("GMT-3", "-03:00"),
        ("GMT+8", "+08:00"),
        ("GMT+08:00", "+08:00"),
        (" utc+5:30 ", "+05:30"),
        ("+08", "+08:00"),
        ("-0330", "-03:30"),
        ("GMT+14", "+14:00"),
        ("GMT+15", ""),
        ("GMT+8:75", ""),
        ("GMT+8:5", ""),
        ("+", ""),
        ("GMT", ""),
        ("GMT8", ""),
        ("+123", ""),
        ("+１", ""),
        ("Asia/Shanghai", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_distance_to_greenwich_is_read_as_sources_write_it_or_not_at_all(zone: str | None, iso: str) -> None:
    """Rules across carriers 15: a zone that cannot be read is unknown, never a guess."""
    assert iso_offset(zone) == iso


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        (1777403700, (1777403700, "2026-04-28T19:15:00", 0)),
        (1777403700.9, (1777403700, "2026-04-28T19:15:00", 0)),
        (0, (None, None, None)),
        (1777403700000, (None, None, None)),
        (10**30, (None, None, None)),
        (float("inf"), (None, None, None)),
        (float("nan"), (None, None, None)),
    ],
)
def test_epoch_seconds_are_an_instant_or_nothing(seconds: float, read: tuple[int | None, str | None, int | None]) -> None:
    """Milliseconds taken for seconds are no date either."""
    assert at_epoch(seconds) == read


def test_the_key_is_made_of_raw_fields_and_tells_them_apart() -> None:
    assert event_key("a", "b") == event_key("a", "b")
    assert event_key("a", "b") != event_key("ab", "")
    assert len(event_key("\ud800")) == 8
    # As every database has kept it since the first one: another hash would tell every scan once more.
    assert event_key("2026-03-01T12:00:00", "InTransit_Other", "Departed").hex() == "450adca371d871f2"


@pytest.mark.parametrize(
    ("text", "country"), [("br", "BR"), (" CN ", "CN"), ("China", None), ("", None), (None, None), ("1A", None)]
)
def test_only_alpha_2_codes_are_countries(text: str | None, country: str | None) -> None:
    assert alpha2(text) == country


@pytest.mark.parametrize(
    ("code", "country"), [("GBR", "GB"), ("bra", "BR"), ("156", "CN"), ("344", "HK"), ("SUN", None), ("000", None), ("", None)]
)
def test_countries_come_in_three_letters_and_in_three_digits_too(code: str, country: str | None) -> None:
    assert alpha2_of(code) == country


def test_a_distance_to_greenwich_that_no_place_has_leaves_the_wall_clock_alone() -> None:
    """Facts rule 15: a zone that cannot be is no zone; it is never guessed."""
    assert in_zone("2026-05-01T10:00:00", 100_000) == (None, "2026-05-01T10:00:00", None)
    assert in_zone("2026-05-01T10:00:00", 480) == (1777600800, "2026-05-01T10:00:00", 480)
