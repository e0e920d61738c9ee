"""SIGKILL at every point of one message's way, against a real mail server: it counts at most one (I1, faults 1 and 2)."""

from __future__ import annotations

import signal

import pytest

from tests.daemon.conftest import Home
from tracker.model import OutboxState
from tracker.store import OutboxView

KEY = "order/lamps/100000:stage1:0"

POINTS = {
    "poll_before_commit": (1, OutboxState.SENT),
    "poll_after_commit": (1, OutboxState.SENT),
    "sweep_before_commit": (1, OutboxState.SENT),
    "sweep_after_commit": (1, OutboxState.SENT),
    "send_before_claim": (1, OutboxState.SENT),
    "claim_before_commit": (1, OutboxState.SENT),
    "claim_after_commit": (0, OutboxState.UNKNOWN),
    "send_after_claim": (0, OutboxState.UNKNOWN),
    "send_after_journal_begin": (0, OutboxState.UNKNOWN),
    "send_after_call": (1, OutboxState.UNKNOWN),
    "send_after_journal_end": (1, OutboxState.SENT),
    "finish_before_commit": (1, OutboxState.SENT),
}
"""Point -> what the mail server counts in the end, and what the row says. `unknown` is shown to a person and never resent."""


async def message(home: Home) -> OutboxView | None:
    async with home.store() as store:
        rows = await store.outbox(states=tuple(OutboxState), limit=50)
    return next((view for view in rows if view.row.key == KEY), None)


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_sends_nothing_twice_and_hides_nothing(point: str, home: Home) -> None:
    killed = home.start("one_pass", crash_at=point)
    assert await killed.ended() == -signal.SIGKILL, f"{point} was never reached"
    for _ in range(2):
        assert await home.start("one_pass").ended() == 0
    counted, state = POINTS[point]
    view = await message(home)
    assert view is not None
    assert (len(home.mailbox.ids), view.row.state) == (counted, state)
    assert ("outbox.unknown" in home.events()) is (state is OutboxState.UNKNOWN)
