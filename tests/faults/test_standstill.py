"""The event loop stands still: no sign of life meanwhile, a line about it, a traceback when systemd ends it (faults row 32)."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Lines
from tests.daemon.conftest import Home
from tests.daemon.test_life import Systemd
from tests.faults import blocking
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.health import Heartbeat, standstill, watch_loop

BLOCKED = 3.0
OFTEN = {"WATCHDOG_USEC": "400000"}


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """Listens where systemd would."""
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


async def test_a_daemon_that_is_blocked_gives_no_sign_of_life_and_says_so_afterwards(home: Home, systemd: Systemd) -> None:
    """Fault 32: with WatchdogSec below that, systemd would have ended it; one that comes back works on."""
    clock, last, longest = SystemClock(), 0.0, 0.0
    daemon = blocking.start(home, BLOCKED, NOTIFY_SOCKET=systemd.path, **OFTEN)
    await until(lambda: "outbox.sent" in home.events(), seconds=40)
    blocking.block(home)
    while "daemon.blocked" not in home.events() or longest < BLOCKED / 2:
        await asyncio.sleep(0.02)
        systemd.words.clear()
        if systemd.heard("WATCHDOG=1"):
            longest = max(longest, clock.monotonic() - last) if last else 0.0
            last = clock.monotonic()
    assert longest >= BLOCKED - 0.5
    (told,) = [line for line in home.lines if line["event"] == "daemon.blocked"]
    assert told["seconds"] == pytest.approx(BLOCKED, abs=1.5)
    assert "poll" in told["units"]
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_daemon_that_hangs_for_good_shows_where_when_systemd_ends_it(home: Home, systemd: Systemd) -> None:
    """Fault 32: the watchdog's SIGABRT writes the place of the hang; what it had not done, the next one does."""
    daemon = blocking.start(home, 600, NOTIFY_SOCKET=systemd.path, **OFTEN)
    await until(lambda: systemd.heard("WATCHDOG=1"))
    await until(lambda: "outbox.sent" in home.events(), seconds=40)
    blocking.block(home)
    await until(lambda: not (home.folder / "block").exists())
    systemd.heard("")
    systemd.words.clear()
    await asyncio.sleep(1.5)
    assert not systemd.heard("WATCHDOG=1"), "no sign of life from a loop that stands still"
    daemon.signal(signal.SIGABRT)
    assert await daemon.ended() == -signal.SIGABRT
    assert "stand_still" in home.errors.read_text()
    home.errors.unlink()
    heir = home.start()
    await until(lambda: "daemon.started" in home.events())
    heir.signal(signal.SIGTERM)
    assert await heir.ended() == 0
    assert len(home.mailbox.ids) == 1


async def test_a_call_that_blocks_is_told_once_with_whoever_worked(log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 32: a loop that stutters for an hour is one line a minute, unless it gets worse."""
    monkeypatch.setattr(standstill, "LOOK", 0.05)
    monkeypatch.setattr(standstill, "SLOW", 0.1)
    heartbeat = Heartbeat(SystemClock())
    watching = asyncio.create_task(watch_loop(SystemClock(), heartbeat.active))
    for seconds in (0.0, 0.3, 0.2, 0.7):
        await asyncio.sleep(0.15)
        with heartbeat.unit("sweep"):
            threading.Event().wait(seconds)
    await asyncio.sleep(0.2)
    watching.cancel()
    told = [(line["event"], line["units"]) for line in log_lines()]
    assert told == [("daemon.blocked", ["sweep"])] * 2, "what is shorter than what was told a moment ago is not told"
