"""SIGKILL at every crash point of the store, then the same story again (facts/faults.md rows 1 and 2, I1, I2, I5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.build import NOW, dossier
from tracker.clock import FixedClock
from tracker.model import OutboxState
from tracker.store import open_store
from tracker.store.leases import DECIDED_SECONDS

ROOT = Path(__file__).parents[2]

POINTS = (
    "poll_before_commit",
    "poll_after_commit",
    "sweep_before_commit",
    "sweep_after_commit",
    "claim_before_commit",
    "claim_after_commit",
    "finish_before_commit",
    "task_before_commit",
    "register_before_commit",
)

SENDS = {"claim_after_commit": 0}
"""How many times the message left in all, where it is not once."""

DOUBTFUL = {"claim_after_commit", "finish_before_commit"}
"""Where nobody can know: the row ends `unknown`, is shown, and never goes again."""


def _run(url: str, postbox: Path, crash_at: str = "", *, later: int = 0) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.story", url, str(postbox), str(later)],
        cwd=ROOT,
        env=os.environ | {"TRACKER_CRASH_AT": crash_at},
        check=False,
        timeout=50,
    )
    return done.returncode


@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_and_nothing_goes_twice(url: str, tmp_path: Path, point: str) -> None:
    postbox = tmp_path / "postbox"
    assert _run(url, postbox, point) == -signal.SIGKILL
    assert _run(url, postbox, later=DECIDED_SECONDS + 1) == 0
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    told = await dossier(store)
    sent = postbox.read_text().splitlines() if postbox.exists() else []
    assert len(sent) == SENDS.get(point, 1)
    assert len(await store.events_of(1)) == 2
    assert len(await store.tasks()) == 1
    assert len(told.claims) == 1
    states = {view.row.intent.value: view.row.state for view in await store.outbox()}
    assert states["stage1"] is (OutboxState.UNKNOWN if point in DOUBTFUL else OutboxState.SENT)
    assert states["stage2"] is states["compensation"] is OutboxState.SENT
    await store.close()
