"""When a parcel is asked about again: politeness as facts/carriers.md section 1 has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carriers.errors import ErrorKind
from carriers.model import TrackingStatus
from tracker.polling.cadence import LONGEST_BACKOFF, Cadence, after_error, spread, without_penalty

NOW = 1_780_000_000
HOUR, DAY = 3600, 86_400
S = TrackingStatus


def hours(
    status: S, moved_days: float | None, *, shipped_days: float | None = 20, deadline_days: float | None = None
) -> float | None:
    moved_at = None if moved_days is None else int(NOW - moved_days * DAY)
    shipped_at = None if shipped_days is None else datetime.fromtimestamp(NOW, UTC) - timedelta(days=shipped_days)
    deadline_at = None if deadline_days is None else int(NOW + deadline_days * DAY)
    due = Cadence().next_poll("LZ123456785CN", status, moved_at, shipped_at, NOW, deadline_at)
    return None if due is None else (due - NOW) / HOUR


@pytest.mark.parametrize(
    ("status", "moved_days", "least"),
    [
        (S.INFO_RECEIVED, None, 6),
        (S.NOT_FOUND, None, 6),
        (S.IN_TRANSIT, 1, 6),
        (S.IN_TRANSIT, 10, 6),
        (S.IN_TRANSIT, 11, 24),
        (S.OUT_FOR_DELIVERY, 0.1, 6),
        (S.EXPIRED, 40, 24),
        (S.DELIVERED, 1, 24),
        (S.RETURNED, 13.9, 24),
    ],
)
def test_distance_by_what_the_parcel_does(status: S, moved_days: float | None, least: float) -> None:
    found = hours(status, moved_days)
    assert found is not None
    assert least <= found <= least * 1.1


@pytest.mark.parametrize(
    ("status", "moved_days", "shipped_days", "finished"),
    [
        (S.DELIVERED, 14, 30, True),
        (S.DELIVERED, 13.9, 30, False),
        (S.RETURNED, 15, 60, True),
        (S.DELIVERED, None, 30, False),
        (S.IN_TRANSIT, 100, 179, False),
        (S.IN_TRANSIT, 100, 181, True),
        (S.IN_TRANSIT, 100, None, False),
    ],
)
def test_finished_parcels_are_asked_about_no_more(
    status: S, moved_days: float | None, shipped_days: float, *, finished: bool
) -> None:
    """14 days after a final status, and beyond 180 days after shipping (faults row 17: numbers are recycled)."""
    assert (hours(status, moved_days, shipped_days=shipped_days) is None) is finished


@pytest.mark.parametrize(
    ("status", "moved_days", "deadline_days", "least"),
    [
        (S.IN_TRANSIT, 40, 2.9, 6),
        (S.IN_TRANSIT, 40, 3.1, 24),
        (S.IN_TRANSIT, 40, -0.1, 24),
        (S.EXPIRED, 40, 1, 6),
        (S.DELIVERED, 1, 1, 24),
        (S.DELIVERED, 60, 30, 24),
        (S.RETURNED, 60, 1, 24),
        (S.DELIVERED, 60, -0.1, None),
    ],
)
def test_r6_near_a_date_a_silent_parcel_is_asked_oftener(
    status: S, moved_days: float, deadline_days: float, least: float | None
) -> None:
    """R6: within three days of a window's end, a case or a claim; what has arrived is followed on while such a date stands."""
    found = hours(status, moved_days, shipped_days=70, deadline_days=deadline_days)
    assert (found is None) is (least is None)
    assert found is None or least is None or least <= found <= least * 1.1


def test_a_date_does_not_bring_a_recycled_number_back() -> None:
    """Faults row 17: beyond 180 days what a source says is another parcel's, whatever money is open."""
    assert hours(S.IN_TRANSIT, 100, shipped_days=181, deadline_days=1) is None


def test_an_answer_that_is_still_being_made_is_asked_for_soon_however_often() -> None:
    """Facts 2, not_ready: no penalty. What the source names as its time, or the next day of a spent quota, counts."""
    assert 600 <= without_penalty("LZ123456785CN", None, NOW) - NOW <= 660
    assert 7200 <= without_penalty("LZ123456785CN", 7200.0, NOW) - NOW <= 7920


def test_jitter_is_the_same_on_every_run_and_different_between_numbers() -> None:
    assert spread("LZ123456785CN", 6 * HOUR) == spread("LZ123456785CN", 6 * HOUR)
    found = {spread(f"LZ{number:09}CN", 6 * HOUR) for number in range(500)}
    assert len(found) > 400  # of 500
    assert min(found) >= 6 * HOUR
    assert max(found) <= 6.6 * HOUR


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_error_has_a_rest_that_grows_and_ends(kind: ErrorKind) -> None:
    waits = [after_error("N", kind, failures, None, NOW) - NOW for failures in (0, 1, 2, 5, 50)]
    assert waits[0] >= 300
    assert waits == sorted(waits)
    assert waits[-1] <= 1.1 * max(LONGEST_BACKOFF, waits[0])


@pytest.mark.parametrize(
    ("kind", "failures", "retry_after", "least"),
    [
        (ErrorKind.UNAVAILABLE, 0, None, 15 * 60),
        (ErrorKind.UNAVAILABLE, 2, None, 60 * 60),
        (ErrorKind.UNAVAILABLE, 90, None, 6 * HOUR),
        (ErrorKind.RATE_LIMITED, 0, 7200.0, 7200),
        (ErrorKind.INVALID_NUMBER, 0, None, 7 * DAY),
        (ErrorKind.INVALID_REQUEST, 3, None, DAY),
    ],
)
def test_errors_rest_as_their_table_says(kind: ErrorKind, failures: int, retry_after: float | None, least: int) -> None:
    found = after_error("LZ123456785CN", kind, failures, retry_after, NOW) - NOW
    assert least <= found <= least * 1.1 + 1
