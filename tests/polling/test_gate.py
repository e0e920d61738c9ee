"""The gate: slots at the source's pace, pushed back by the source, a daily quota (facts/engine.md 2.7)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock, FixedClock, SimulatedClock
from tracker.polling import Pace, StoreGate

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class PatientClock(FixedClock):
    """Notes who waits how long, all at the same instant."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class Slots:
    """The gate's two statements, in memory."""

    def __init__(self) -> None:
        self.taken = 0
        self.next_ms: dict[str, int] = {}
        self.used: dict[tuple[str, date], int] = {}

    async def take_slot(self, source: str, now_ms: int, interval_ms: int) -> int:
        self.taken += 1
        slot = max(self.next_ms.get(source, 0), now_ms)
        self.next_ms[source] = slot + interval_ms
        return slot

    async def push_gate(self, source: str, until_ms: int) -> None:
        self.next_ms[source] = max(self.next_ms.get(source, 0), until_ms)

    async def use_quota(self, source: str, day: date, amount: int, quota: int | None) -> bool:
        if quota is not None and self.used.get((source, day), 0) + amount > quota:
            return False
        self.used[source, day] = self.used.get((source, day), 0) + amount
        return True


def gate_of(clock: Clock, *, quota: int | None = None, slots: Slots | None = None) -> StoreGate:
    return StoreGate(slots or Slots(), clock, {"a": Pace(rps=2, daily_quota=quota), "b": Pace(rps=2)})


async def test_callers_pass_at_the_sources_pace_with_a_margin() -> None:
    clock = SimulatedClock(AT)
    gate = gate_of(clock)
    for _ in range(3):
        await gate.pass_("a")
    assert clock.now() == AT + timedelta(seconds=2 * 0.55)
    await gate.pass_("b")
    assert clock.now() == AT + timedelta(seconds=2 * 0.55)


async def test_slots_are_reserved_in_blocks_and_those_that_passed_are_not_made_up_for() -> None:
    """One statement for several requests, and no burst after a pause."""
    clock, slots = SimulatedClock(AT), Slots()
    gate = StoreGate(slots, clock, {"a": Pace(rps=3)})
    for _ in range(8):
        await gate.pass_("a")
    assert slots.taken == 1
    await gate.pass_("a")
    assert slots.taken == 2
    clock.advance_to(AT + timedelta(hours=1))
    for _ in range(4):
        await gate.pass_("a")
    assert clock.now() > AT + timedelta(hours=1, seconds=1)


async def test_a_source_that_asks_for_a_moment_gets_it_and_a_long_wait_becomes_a_later_poll() -> None:
    clock = SimulatedClock(AT)
    gate = gate_of(clock)
    await gate.push_back("a", 10)
    await gate.pass_("a")
    assert clock.now() == AT + timedelta(seconds=10)
    await gate.push_back("a", 3600)
    with pytest.raises(CarrierError) as refused:
        await gate.pass_("a")
    assert refused.value.kind is ErrorKind.RATE_LIMITED
    assert refused.value.retry_after == pytest.approx(3600, abs=1)
    assert clock.now() == AT + timedelta(seconds=10)


async def test_our_own_queue_at_a_slow_source_is_no_word_of_the_source() -> None:
    """Eight conversations at one request in five seconds: each waits its turn, none is taken for a refusal."""
    clock = PatientClock(AT)
    gate = StoreGate(Slots(), clock, {"a": Pace(rps=0.2)})
    await asyncio.gather(*(gate.pass_("a") for _ in range(8)))
    assert sorted(clock.waits) == pytest.approx([5.5 * place for place in range(1, 8)])
    await gate.push_back("a", 3600)
    with pytest.raises(CarrierError):
        await gate.pass_("a")


async def test_slots_of_a_clock_that_was_set_back_do_not_silence_us() -> None:
    slots = Slots()
    await gate_of(SimulatedClock(AT + timedelta(days=300)), slots=slots).pass_("a")
    clock = SimulatedClock(AT)
    await gate_of(clock, slots=slots).pass_("a")
    assert clock.now() == AT


async def test_the_pace_is_kept_where_now_stands_still() -> None:
    """`run --once --at`: a hundred batches must not wait longer and longer."""
    clock = FixedClock(AT)
    gate = StoreGate(Slots(), clock, {"a": Pace(rps=200)})
    started = clock.monotonic()
    for _ in range(20):
        await gate.pass_("a")
    assert 0.08 < clock.monotonic() - started < 2


async def test_a_daily_quota_starts_anew_each_day() -> None:
    clock = SimulatedClock(AT)
    gate = gate_of(clock, quota=2)
    await gate.pass_("a")
    await gate.pass_("a")
    with pytest.raises(CarrierError, match="daily quota of 2") as refused:
        await gate.pass_("a")
    assert refused.value.kind is ErrorKind.QUOTA_EXHAUSTED
    clock.advance_to(AT + timedelta(days=1))
    await gate.pass_("a")
