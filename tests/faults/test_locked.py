"""Another process keeps the database locked: the daemon waits without standing still, a command waits (faults row 3)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.daemon.conftest import Home
from tests.daemon.test_life import Systemd
from tests.faults import blocking
from tests.faults.breaking import Trap, locked
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.model import OutboxState

Holder = subprocess.Popen[bytes]


@pytest.fixture
def holders() -> Iterator[contextlib.ExitStack]:
    """Whoever holds a lock lets go at the end."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """Listens where systemd would."""
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


async def sent(home: Home) -> int:
    async with home.store() as store:
        return len(await store.outbox((OutboxState.SENT,), 5))


async def test_locked_for_five_seconds_with_a_message_in_hand(
    home: Home, holders: contextlib.ExitStack, systemd: Systemd
) -> None:
    """Fault 3: nobody notices but by a delay; the signs of life go on, the outcome is written down."""
    held: list[Holder] = []
    home.mailbox = trap = Trap(lambda: held.append(holders.enter_context(locked(home.database, 5))))
    daemon = home.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="400000")
    await until(lambda: len(trap.ids) == 1)
    systemd.heard("")
    systemd.words.clear()
    await asyncio.sleep(2)
    assert held[0].poll() is None, "still locked"
    assert systemd.heard("WATCHDOG=1")
    assert "outbox.sent" not in home.events()
    await until(lambda: "outbox.sent" in home.events())
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "unit.failed" not in home.events()
    assert (len(trap.ids), await sent(home)) == (1, 1)


async def test_locked_for_longer_than_it_waits(home: Home, holders: contextlib.ExitStack) -> None:
    """Fault 3: 40 s against a patience of 30, eight times faster: told once, tried again, sent once."""
    held: list[Holder] = []
    home.mailbox = trap = Trap(lambda: held.append(holders.enter_context(locked(home.database, 5))))
    daemon = blocking.start_impatient(home, 5 * 30 / 40)
    await until(lambda: "unit.failed" in home.events())
    (first, *_) = [line for line in home.lines if line["event"] == "unit.failed"]
    assert "locked by another process" in first["error"]
    assert "fuser" in first["error"], "how to find whoever it is"
    await until(lambda: "outbox.sent" in home.events())
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert (len(trap.ids), await sent(home)) == (1, 1)


async def test_locked_while_it_starts_and_while_a_command_writes(home: Home) -> None:
    """Fault 3: both wait; a command needs no daemon's patience, its driver waits for 30 s."""
    clock = SystemClock()
    with locked(home.database, 5):
        began = clock.monotonic()
        daemon = home.start()
        async with home.store() as store:
            assert await store.wake([1], datetime.now(UTC)) == 1
        assert clock.monotonic() - began > 3
    await until(lambda: len(home.mailbox.ids) == 1)
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
