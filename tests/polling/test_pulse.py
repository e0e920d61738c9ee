"""The breaker with its store: whatever happens in whatever order, across restarts, an outage is told once and heals by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from carriers.errors import CarrierError, ErrorKind
from tracker.polling import breaker
from tracker.polling.pulse import Pulse
from tracker.store import Store
from tracker.store.rows import Breaker

SPEAKING = (ErrorKind.AUTH, ErrorKind.QUOTA_EXHAUSTED, ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.BAD_RESPONSE)


class Kept:
    """The two statements of the store that a pulse needs."""

    fleet = False

    def __init__(self) -> None:
        self.rows: dict[str, Breaker] = {}

    async def breaker(self, account: str) -> Breaker:
        return self.rows.get(account, Breaker())

    async def change_breaker(self, account: str, change: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
        before = await self.breaker(account)
        self.rows[account] = change(before)
        return before, self.rows[account]


class Source(RuleBasedStateMachine):
    """One account over weeks: answers, failures of every kind, time, restarts. A model counts what a person would."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Kept()
        self.pulse = self.fresh()
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.in_a_row = 0
        self.told: list[str] = []

    def fresh(self) -> Pulse:
        return Pulse(cast("Store", self.kept))

    @property
    def state(self) -> Breaker:
        return self.kept.rows.get("a", Breaker())

    def heard(self, work: Any) -> None:
        with structlog.testing.capture_logs() as lines:
            asyncio.run(work)
        self.told += [line["event"] for line in lines]

    @precondition(lambda self: not breaker.is_open(self.state, self.now))
    @rule(kind=st.sampled_from(SPEAKING), retry_after=st.none() | st.integers(1, 20_000))
    def fails(self, kind: ErrorKind, retry_after: int | None) -> None:
        self.in_a_row += 1
        self.heard(self.pulse.failed("a", CarrierError(kind, "x", retry_after=retry_after), self.now))
        if retry_after is not None and (kind is ErrorKind.RATE_LIMITED or self.in_a_row >= breaker.THRESHOLD):
            assert self.state.open_until is not None
            assert self.state.open_until >= self.now + timedelta(seconds=retry_after)

    @precondition(lambda self: breaker.is_open(self.state, self.now))
    @rule(kind=st.sampled_from(SPEAKING))
    def fails_that_was_on_its_way(self, kind: ErrorKind) -> None:
        before = self.state
        self.heard(self.pulse.failed("a", CarrierError(kind, "x"), self.now))
        assert self.state == before

    @rule()
    def answers(self) -> None:
        self.in_a_row = 0
        self.heard(self.pulse.answered("a", self.now))
        assert self.state == breaker.CLOSED

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_daemon_restarts(self) -> None:
        self.pulse = self.fresh()

    @invariant()
    def it_is_down_from_the_third_failure_in_a_row_on(self) -> None:
        assert (self.state.since is not None) is (self.in_a_row >= breaker.THRESHOLD)
        assert (self.state.open_until is not None) or self.in_a_row < breaker.THRESHOLD

    @invariant()
    def an_outage_is_told_once_and_so_is_its_end(self) -> None:
        outages = [event for event in self.told if event in {"source.down", "source.up"}]
        assert outages == ["source.down", "source.up"] * (len(outages) // 2) + ["source.down"] * (len(outages) % 2)
        assert (len(outages) % 2 == 1) is (self.state.since is not None)

    @invariant()
    def it_always_tries_again(self) -> None:
        """Half open by itself: within six hours, unless the source named a later time."""
        if self.state.open_until is not None:
            assert self.state.open_until - self.now <= timedelta(hours=6)


TestSource = Source.TestCase
TestSource.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("kind", [ErrorKind.AUTH, ErrorKind.RATE_LIMITED])
async def test_a_pause_survives_a_restart(kind: ErrorKind) -> None:
    """A restarted daemon does not hammer a source that said no (facts/carriers.md 1)."""
    kept, now = Kept(), datetime(2026, 3, 1, tzinfo=UTC)
    for _ in range(breaker.THRESHOLD):
        await Pulse(cast("Store", kept)).failed("a", CarrierError(kind, "x", retry_after=900), now)
    again = await Pulse(cast("Store", kept)).look("a")
    assert breaker.is_open(again, now + timedelta(minutes=14))
    assert breaker.on_trial(again)
