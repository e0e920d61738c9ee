"""What operators hear while work fails: an alert that needs no database (faults rows 3, 4)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import house
from tests.carriers.loopback import http, serving
from tracker import config
from tracker.alerts import Teller
from tracker.clock import SimulatedClock
from tracker.config import Loaded
from tracker.health import Heartbeat
from tracker.store import Store, Unwritable

FULL = "The database tracker.db cannot grow: the disk is full. Free some space; nothing was written"


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def heard() -> list[dict[str, Any]]:
    return []


@pytest.fixture
async def loaded(tmp_path: Path, heard: list[dict[str, Any]]) -> AsyncIterator[Loaded]:
    def desk(_method: str, _path: str, _headers: Mapping[str, str], body: bytes) -> bytes:
        heard.append(json.loads(body))
        return http(204)

    async with serving(desk) as url:
        target = '[[target]]\nid = "desk"\nkind = "webhook"\nurl = "env:DESK"\nallow_private_hosts = true\n'
        (tmp_path / "tracker.toml").write_text(target, encoding="utf-8")
        yield config.load(tmp_path / "tracker.toml", environ={"DESK": url})


def read_only(store: Store, *, on: bool) -> None:
    raw = store._db._connection.connection.driver_connection  # type: ignore[attr-defined]
    assert isinstance(raw, sqlite3.Connection)
    raw.execute(f"PRAGMA query_only = {int(on)}")


async def test_operators_hear_of_a_full_disk_though_no_alert_can_be_kept(
    store: Store, clock: SimulatedClock, loaded: Loaded, heard: list[dict[str, Any]]
) -> None:
    """Fault 4: told at once, once a shift, from memory; with space again it is kept like every alert."""
    heartbeat = Heartbeat(clock)
    teller = Teller(loaded, store, clock, heartbeat.failing)
    heartbeat.failed("dispatch", FULL)
    clock.advance_to(clock.now() + timedelta(minutes=6))
    read_only(store, on=True)
    for _ in range(3):
        with pytest.raises(Unwritable):
            await teller.work_once()
        clock.advance_to(clock.now() + timedelta(minutes=10))
    (told,) = heard
    assert told["kind"] == "work_fails"
    assert "readonly" in told["lines"][0]
    read_only(store, on=False)
    await teller.work_once()
    assert [each["kind"] for each in heard] == ["work_fails"] * 2
    assert "dispatch" in heard[1]["lines"][0]
    heartbeat.well("dispatch")
    clock.advance_to(clock.now() + timedelta(hours=9))
    await teller.work_once()
    assert len(heard) == 2
    await teller.close()


async def test_a_moment_of_failure_wakes_nobody(
    store: Store, clock: SimulatedClock, loaded: Loaded, heard: list[dict[str, Any]]
) -> None:
    """Fault 3: a lock that lasts for seconds is no alert."""
    heartbeat = Heartbeat(clock)
    teller = Teller(loaded, store, clock, heartbeat.failing)
    heartbeat.failed("poll", "locked")
    clock.advance_to(clock.now() + timedelta(minutes=4))
    await teller.work_once()
    heartbeat.well("poll")
    clock.advance_to(clock.now() + timedelta(minutes=10))
    await teller.work_once()
    assert heard == []
    await teller.close()


def test_the_failure_of_a_unit_is_news_once(clock: SimulatedClock) -> None:
    """Faults 4, 33: the same error again is none; it counts from the first failure until the unit works."""
    heartbeat = Heartbeat(clock)
    assert heartbeat.failed("poll", FULL)
    clock.advance_to(clock.now() + timedelta(minutes=5))
    assert not heartbeat.failed("poll", FULL)
    assert heartbeat.failed("poll", "something else")
    assert heartbeat.failing(300) == {"poll": "something else"}
    heartbeat.well("poll")
    assert heartbeat.failing() == {}
