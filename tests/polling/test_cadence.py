"""When a parcel is asked about again: politeness as facts/carriers.md section 1 has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carriers.errors import ErrorKind
from carriers.model import TrackingStatus
from tracker.polling.cadence import LONGEST_BACKOFF, Cadence, after_error, spread

NOW = 1_780_000_000
HOUR, DAY = 3600, 86_400
S = TrackingStatus


def hours(status: S, moved_days: float | None, *, shipped_days: float | None = 20) -> float | None:
    moved_at = None if moved_days is None else int(NOW - moved_days * DAY)
    shipped_at = None if shipped_days is None else datetime.fromtimestamp(NOW, UTC) - timedelta(days=shipped_days)
    due = Cadence().next_poll("LZ123456785CN", status, moved_at, shipped_at, NOW)
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
