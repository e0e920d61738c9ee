"""The breaker: three failures of whole requests in a row, then one trial batch now and then (facts/carriers.md section 1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carriers.errors import CarrierError, ErrorKind
from tracker.polling import breaker
from tracker.polling.gate import NOT_ASKED
from tracker.store.rows import Breaker

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(*kinds: ErrorKind, retry_after: float | None = None) -> Breaker:
    state = breaker.CLOSED
    for kind in kinds:
        state = breaker.failed(state, CarrierError(kind, "x", retry_after=retry_after), AT)
    return state


def trials(failures: int) -> tuple[Breaker, datetime]:
    """After so many failures in a row, each as soon as somebody may ask; and when the last one was."""
    state, at = breaker.CLOSED, AT
    for _ in range(failures):
        at = state.open_until or at
        state = breaker.failed(state, CarrierError(ErrorKind.UNAVAILABLE, "x"), at)
    return state, at


def test_two_failures_do_not_open_it_three_do() -> None:
    assert not breaker.on_trial(after(ErrorKind.UNAVAILABLE, ErrorKind.UNAVAILABLE))
    opened = after(*[ErrorKind.UNAVAILABLE] * 3)
    assert breaker.is_open(opened, AT)
    assert opened.since == AT


@pytest.mark.parametrize(
    ("kinds", "retry_after", "pause"),
    [
        ([ErrorKind.UNAVAILABLE] * 3, None, timedelta(minutes=5)),
        ([ErrorKind.AUTH] * 3, None, timedelta(hours=1)),
        ([ErrorKind.QUOTA_EXHAUSTED] * 3, None, timedelta(hours=1)),
        ([ErrorKind.RATE_LIMITED] * 3, 7200.0, timedelta(hours=2)),
    ],
)
def test_how_long_it_stays_open(kinds: list[ErrorKind], retry_after: float | None, pause: timedelta) -> None:
    opened = after(*kinds, retry_after=retry_after)
    assert opened.open_until == AT + pause
    assert breaker.is_open(opened, AT + pause - timedelta(seconds=1))
    assert not breaker.is_open(opened, AT + pause)
    assert breaker.on_trial(opened)


@pytest.mark.parametrize(("failures", "minutes"), [(4, 10), (5, 20), (99, 60)])
def test_every_failed_trial_makes_the_pause_longer(failures: int, minutes: int) -> None:
    state, at = trials(failures)
    assert state.open_until == at + timedelta(minutes=minutes)


def test_requests_that_were_on_their_way_when_it_opened_make_the_pause_no_longer() -> None:
    """One blip under eight conversations side by side is one outage, not an hour of silence."""
    opened = after(*[ErrorKind.UNAVAILABLE] * 8)
    assert opened.open_until == AT + timedelta(minutes=5)
    assert opened.failures == 3
    asked = breaker.failed(opened, CarrierError(ErrorKind.RATE_LIMITED, "x", retry_after=3600), AT)
    assert asked.open_until == AT + timedelta(hours=1), "the source's own wish still counts"


def test_a_failed_trial_remembers_since_when() -> None:
    opened = after(*[ErrorKind.UNAVAILABLE] * 3)
    later = AT + timedelta(hours=5)
    again = breaker.failed(opened, CarrierError(ErrorKind.UNAVAILABLE, "x"), later)
    assert again.since == AT
    assert breaker.is_open(again, later)


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        (ErrorKind.AUTH, True),
        (ErrorKind.QUOTA_EXHAUSTED, True),
        (ErrorKind.RATE_LIMITED, True),
        (ErrorKind.UNAVAILABLE, True),
        (ErrorKind.BAD_RESPONSE, True),
        (ErrorKind.INVALID_REQUEST, False),
        (ErrorKind.NOT_READY, False),
        (ErrorKind.REQUEST_EXPIRED, False),
    ],
)
def test_only_what_speaks_of_the_source_counts(kind: ErrorKind, *, counted: bool) -> None:
    assert breaker.counts(CarrierError(kind, "x")) is counted


def test_what_our_own_gate_refused_is_no_failure_of_the_source() -> None:
    """A spent budget or a pause that somebody else was asked for: nobody asked, so nobody failed."""
    refused = CarrierError(ErrorKind.QUOTA_EXHAUSTED, "the daily quota is used up", code=NOT_ASKED)
    assert not breaker.counts(refused)
    assert breaker.counts(CarrierError(ErrorKind.QUOTA_EXHAUSTED, "no quota"))


def test_a_429_pauses_at_once_and_is_an_outage_only_after_the_third_pause() -> None:
    """Facts 2, rate_limited: wait, Retry-After if given. Nobody is called for a source that wants a minute."""
    first = after(ErrorKind.RATE_LIMITED)
    assert (first.open_until, first.since) == (AT + timedelta(minutes=1), None)
    named = after(ErrorKind.RATE_LIMITED, retry_after=1800)
    assert named.open_until == AT + timedelta(minutes=30)
    burst = after(*[ErrorKind.RATE_LIMITED] * 8)
    assert burst.since is None, "eight conversations were on their way: that is one word of the source"
    state, at = breaker.CLOSED, AT
    for _ in range(3):
        at = state.open_until or at
        state = breaker.failed(state, CarrierError(ErrorKind.RATE_LIMITED, "x"), at)
    assert state.since == at


def test_the_same_failure_beside_every_number_is_the_sources() -> None:
    error = CarrierError(ErrorKind.QUOTA_EXHAUSTED, "no quota")
    assert breaker.shared_failure({"A": error, "B": error}) is error
    assert breaker.shared_failure({"A": error, "B": b"{}"}) is None
    assert breaker.shared_failure({"A": CarrierError(ErrorKind.BAD_RESPONSE, "left out")}) is None
    assert breaker.shared_failure({}) is None
