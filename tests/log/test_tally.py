"""Counting what a stranger can cause (faults row 28)."""

from __future__ import annotations

from tracker.log.tally import HOUR, Tally


def test_one_line_an_hour_with_the_count_since_the_last() -> None:
    tally = Tally()
    assert [tally.add("a", "wrong", at) for at in (0, 1, HOUR - 1, HOUR, HOUR + 1)] == [1, None, None, 3, None]
    assert tally.add("a", "large", 5) == 1
    assert tally.add("b", "wrong", 5, 7) == 7
    assert tally.total == {("a", "wrong"): 5, ("a", "large"): 1, ("b", "wrong"): 7}


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    tally = Tally()
    assert tally.add("a", "wrong", 10 * HOUR) == 1
    assert tally.add("a", "wrong", HOUR) == 1
