"""Signs of life: what systemd hears, and when a hang shows (faults row 32; facts/systemd.md section 4)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracker.clock import SimulatedClock
from tracker.health import (
    LONGEST_UNIT,
    Freshness,
    Heartbeat,
    Notifier,
    Sign,
    read_sign,
    source_freshness,
    write_sign,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Systemd:
    """A datagram socket that stands where systemd listens."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(2)

    def heard(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Callable[[str], Systemd]]:
    made: list[Systemd] = []

    def make(kind: str) -> Systemd:
        address = f"@tracker-test-{os.getpid()}" if kind == "abstract" else str(tmp_path / "notify")
        made.append(Systemd(address))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_systemd_hears_every_word_of_the_life(kind: str, systemd: Callable[[str], Systemd]) -> None:
    server = systemd(kind)
    notifier = Notifier({"NOTIFY_SOCKET": server.address})
    notifier.ready("30 shipments")
    assert server.heard() == {"READY": "1", "STATUS": "30 shipments"}
    notifier.status("17track down")
    assert server.heard() == {"STATUS": "17track down"}
    notifier.alive()
    assert server.heard() == {"WATCHDOG": "1"}
    clock = SimulatedClock(AT)
    clock.advance_to(AT + timedelta(seconds=2))
    notifier.reloading(clock)
    assert server.heard() == {"RELOADING": "1", "MONOTONIC_USEC": "2000000"}
    notifier.stopping(45)
    assert server.heard() == {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "45000000"}


def test_nobody_listening_stops_nothing(tmp_path: Path) -> None:
    Notifier({}).ready("fine")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


@pytest.mark.parametrize(
    ("environ", "every"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time_and_only_when_it_is_ours(environ: dict[str, str], every: float | None) -> None:
    assert Notifier(environ).watchdog_every == every


def test_a_unit_that_does_not_end_is_stuck() -> None:
    clock = SimulatedClock(AT)
    heartbeat = Heartbeat(clock)
    with heartbeat.unit("poll"):
        clock.advance_to(AT + timedelta(seconds=LONGEST_UNIT))
        with heartbeat.unit("sweep"):
            assert heartbeat.stuck() is None
            clock.advance_to(AT + timedelta(seconds=LONGEST_UNIT + 1))
            assert heartbeat.stuck() == ("poll", LONGEST_UNIT + 1)
    assert heartbeat.stuck() is None


def test_a_unit_that_comes_a_step_further_is_not_stuck() -> None:
    """A thousand parcels at a slow source take longer than any hang."""
    clock = SimulatedClock(AT)
    heartbeat = Heartbeat(clock)
    with heartbeat.unit("poll"), heartbeat.unit("sweep"):
        clock.advance_to(AT + timedelta(seconds=LONGEST_UNIT))
        heartbeat.progress("poll")
        clock.advance_to(AT + timedelta(seconds=LONGEST_UNIT + 1))
        assert heartbeat.stuck() == ("sweep", LONGEST_UNIT + 1)


def test_a_unit_that_raises_is_not_stuck() -> None:
    clock = SimulatedClock(AT)
    heartbeat = Heartbeat(clock)
    with pytest.raises(RuntimeError), heartbeat.unit("poll"):
        raise RuntimeError
    clock.advance_to(AT + timedelta(days=1))
    assert heartbeat.stuck() is None


def test_a_tick_is_late_after_three_intervals() -> None:
    clock = SimulatedClock(AT)
    heartbeat = Heartbeat(clock)
    heartbeat.tick("poll", 10)
    clock.advance_to(AT + timedelta(seconds=30))
    assert heartbeat.late() == []
    clock.advance_to(AT + timedelta(seconds=31))
    assert heartbeat.late() == [("poll", 31.0)]
    heartbeat.tick("poll", 10)
    assert heartbeat.late() == []


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "down", "due_since", "state"),
    [
        (None, False, None, Freshness.NEW),
        (AT - HOUR, False, AT - HOUR, Freshness.UP),
        (AT - HOUR, True, None, Freshness.DOWN),
        (AT - 13 * HOUR, False, AT - 2 * HOUR, Freshness.LATE),
        (AT - 13 * HOUR, False, None, Freshness.IDLE),
        (AT - 13 * HOUR, False, AT, Freshness.IDLE),
    ],
)
def test_a_silent_source_is_late_only_where_something_is_due(
    last: datetime | None, down: bool, due_since: datetime | None, state: Freshness
) -> None:
    """Healthchecks' states for sources: a shop without open parcels asks nobody, and nobody is woken for it."""
    assert source_freshness(last, down=down, due_since=due_since, now=AT) is state


def test_the_health_file_is_fresh_for_a_moment_only(tmp_path: Path) -> None:
    """The same judgement as the watchdog, for a container's health check."""
    file = tmp_path / "health.json"
    assert read_sign(file) is None
    sign = Sign(at=AT, pid=7, since=AT - HOUR, status="4 asked")
    write_sign(file, sign)
    assert read_sign(file) == sign
    assert [each.name for each in tmp_path.iterdir()] == ["health.json"]
    assert sign.fresh(AT + timedelta(seconds=60))
    assert not sign.fresh(AT + timedelta(seconds=120))
    file.write_text("{", encoding="utf-8")
    assert read_sign(file) is None


def test_nobody_waits_for_a_listener_who_does_not_read(tmp_path: Path) -> None:
    """Fault 32: a full notify socket must not stop the loop that works; no word is worth that."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            telling = pool.submit(lambda: _talk(notifier))
            try:
                telling.result(timeout=30)
            finally:
                deaf.setblocking(False)
                with suppress(BlockingIOError):
                    while deaf.recv(4096):
                        pass
        assert time.monotonic() - begun < 20


def _talk(notifier: Notifier) -> None:
    for _ in range(13):
        notifier.status("x" * 2000)
