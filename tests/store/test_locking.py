"""Another process keeps the database locked (facts/faults.md row 3)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.store.build import NOW, dossier, given
from tracker.clock import FixedClock
from tracker.store import Locked, OrderPatch, Store, open_store
from tracker.store.connection import base, sqlite, sqlite_path

HOLDER = """
import sqlite3, sys, time
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
raw.execute("COMMIT")
"""


@contextmanager
def locked(url: str, seconds: float) -> Iterator[None]:
    """Another process holds a write lock for that long."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(sqlite_path(url)), str(seconds)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.sqlite_only
async def test_the_daemon_waits_without_standing_still(url: str, store: Store) -> None:
    """The wait is asynchronous: the loop (watchdog, messages) goes on meanwhile."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    beside = asyncio.ensure_future(tick())
    with locked(url, 1.5):
        assert (await given(store)).new == 2
    beside.cancel()
    assert ticks >= 3


@pytest.mark.sqlite_only
async def test_readers_are_not_kept_waiting(url: str, store: Store) -> None:
    await given(store)
    with locked(url, 20):
        assert (await dossier(store)).order.number == "8001"


@pytest.mark.sqlite_only
async def test_patience_ends_with_a_message(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(sqlite, "COMMAND_BUSY_MS", 100)
    command = await open_store(url, clock=FixedClock(NOW))
    with locked(url, 20), pytest.raises(Locked, match="locked by another process"):
        await command.wake([1], NOW)
    assert await command.wake([1], NOW) == 0
    await command.close()


async def test_commands_write_beside_the_daemon(store: Store, command: Store) -> None:
    """Fault 21: an import and a person's word while the daemon works; what the daemon loaded before is stale."""
    await given(command)
    told = await dossier(store)
    await command.set_order_facts(1, OrderPatch(vip=True), by="Mei", reason="", now=NOW)
    assert (await dossier(store)).version > told.version
