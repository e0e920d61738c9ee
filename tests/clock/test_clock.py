"""The clock: aware UTC everywhere, one reader, simulated time only forward."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tracker.clock import FixedClock, SimulatedClock, SystemClock, epoch, instant

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_system_clock_tells_aware_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now.timestamp() - time.time()) < 5


async def test_monotonic_counts_the_seconds_that_sleep_waits() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.02)
    await clock.sleep(-1)
    assert 0.015 < clock.monotonic() - before < 5


async def test_a_fixed_clock_stands_still_while_real_time_goes_on() -> None:
    clock = FixedClock(AT)
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.now() == AT
    assert clock.monotonic() > before


async def test_simulated_sleep_takes_no_real_time_and_moves_the_clock() -> None:
    clock, started = SimulatedClock(AT), time.perf_counter()
    await clock.sleep(86_400)
    assert clock.now() == AT + timedelta(days=1)
    assert clock.monotonic() == 86_400
    assert time.perf_counter() - started < 1


async def test_simulated_sleepers_wait_together() -> None:
    clock = SimulatedClock(AT)
    await asyncio.gather(clock.sleep(30), clock.sleep(20), clock.sleep(10))
    assert clock.now() == AT + timedelta(seconds=30)


def test_simulated_time_never_goes_back() -> None:
    clock = SimulatedClock(AT)
    clock.advance_to(AT - timedelta(hours=1))
    assert clock.now() == AT


@pytest.mark.parametrize("clock", [FixedClock, SimulatedClock])
def test_a_naive_instant_is_refused(clock: type[FixedClock | SimulatedClock]) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        clock(datetime(2026, 3, 1))  # noqa: DTZ001 -- the very mistake


def test_other_zones_are_taken_to_utc() -> None:
    china = timezone(timedelta(hours=8))
    assert FixedClock(datetime(2026, 3, 1, 20, tzinfo=china)).now() == AT
    assert instant(epoch(AT)) == AT
