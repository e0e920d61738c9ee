"""What fails for days is said, and not said again and again (fault 34, habit: changes of state, not states)."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carriers.fake import Fake, Outage
from carriers.model import Tracking, TrackingStatus
from tests.conftest import Lines
from tests.machine.test_machine import on_sqlite
from tests.machine.world import NUMBERS, World
from tracker.journal import Journal

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three orders, four parcels under way."""
    made = World(tmp_path, on_sqlite(tmp_path))
    for number in NUMBERS:
        made.carrier.happened(number, TrackingStatus.IN_TRANSIT, made.clock.now())
    made.live(DAY)
    yield made
    made.close()


def _loud(lines: Lines, after: int) -> Counter[str]:
    return Counter(line["event"] for line in lines()[after:] if line["level"] != "info")


def test_a_source_that_is_down_for_two_weeks_is_told_once(world: World, log_lines: Lines) -> None:
    """Faults rows 6 and 34: it goes down once, however often it is tried."""
    said = len(log_lines())
    world.carrier.down = Outage(since=world.clock.now())
    world.live(14 * DAY, step=timedelta(hours=2))
    loud = _loud(log_lines, said)
    assert loud["poll.failed"] <= 3  # until it counts as an outage
    assert sum(loud.values()) <= 6, loud


def test_an_adapter_that_breaks_on_every_answer_shows_where_once(
    world: World, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults rows 33 and 34: every parcel is named a day, its traceback is not."""

    def broken(_: Fake, raw: bytes) -> Tracking:
        raise LookupError(f"no field in {len(raw)} bytes")

    monkeypatch.setattr(Fake, "read", broken)
    said = len(log_lines())
    for day in range(5):
        for number in NUMBERS:
            world.carrier.scans[number] = world.carrier.scans[number][:1]
            world.carrier.happened(number, TrackingStatus.EXCEPTION, world.clock.now(), late=timedelta(minutes=day))
        world.live(DAY, step=timedelta(hours=2))
    parked = [line for line in log_lines()[said:] if line["event"] == "poll.parked"]
    assert len(NUMBERS) <= len(parked) <= 6 * len(NUMBERS)
    assert sum("exception" in line for line in parked) == 1


def test_a_journal_that_cannot_be_written_is_told_once_an_hour(
    world: World, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults rows 4 and 34: what waits is tried every few minutes, and a full disk is not filled with lines."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    world.live(28 * DAY, step=4 * DAY)
    monkeypatch.setattr(Journal, "begin", full)
    said = len(log_lines())
    world.live(2 * DAY, step=timedelta(minutes=20))
    told = _loud(log_lines, said)["journal.unwritable"]
    assert 1 <= told <= 48
