"""The words of a source's answer: bounds of an unknown instant, errors on two axes, secrets that stay out of sight."""

from __future__ import annotations

import pytest

from carriers.base import Account
from carriers.errors import CarrierError, ErrorKind, Fault
from carriers.model import Tracking, TrackingEvent, TrackingStatus

NOON = 1_775_044_800  # 2026-04-01T12:00:00Z


@pytest.mark.parametrize(
    ("time", "local", "bounds"),
    [
        (NOON, "2026-04-01T20:00:00", (NOON, NOON)),
        (None, "2026-04-01T12:00:00", (NOON - 14 * 3600, NOON + 12 * 3600)),
        (None, "a spring day", None),
        (None, None, None),
    ],
)
def test_an_unknown_instant_keeps_bounds(time: int | None, local: str | None, bounds: tuple[int, int] | None) -> None:
    """Design, how it asks: [local - 14 h, local + 12 h]; whatever costs money uses the later one."""
    assert TrackingEvent(key=b"12345678", time=time, local_time=local).bounds() == bounds


def test_undated_events_never_are_the_last_one() -> None:
    dated, undated = TrackingEvent(key=b"a", time=NOON, local_time=None), TrackingEvent(key=b"b", time=None, local_time=None)
    assert Tracking(number="A", status=TrackingStatus.IN_TRANSIT, events=(dated, undated)).last_event == dated
    assert Tracking(number="A", status=TrackingStatus.IN_TRANSIT, events=(undated,)).last_event is None


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_error_says_whether_to_retry_and_whose_fault_it_is(kind: ErrorKind) -> None:
    """Style 6: two axes."""
    error = CarrierError(kind, "text", code="7")
    assert isinstance(error.retry, bool)
    assert error.fault in set(Fault)
    assert repr(error) == f"CarrierError({kind.value}, 'text', code='7')"


def test_an_accounts_secrets_stay_out_of_its_repr() -> None:
    """Faults 26."""
    assert repr(Account(id="main", base_url="https://x", secrets={"api_key": "hunter2"})) == "Account('main')"
