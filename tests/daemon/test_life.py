"""The resident daemon: start, signs of life, reload, drain, exit codes (facts/systemd.md 4-6; faults 4, 20, 21, 22, 32)."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests import house
from tests.daemon.conftest import Home, bring
from tests.engine.test_local import ShiftedClock
from tests.waiting import until
from tracker import config
from tracker.clock import SystemClock
from tracker.daemon import status_line
from tracker.engine.guard import TimeGuard
from tracker.model import OutboxState
from tracker.store import AnotherDaemon, Locked, open_store
from tracker.store.rows import Breaker
from tracker.wiring import assemble


class Systemd:
    """Listens where systemd would."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self.words: list[str] = []

    def heard(self, word: str) -> bool:
        while True:
            try:
                self.words += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return any(word in each for each in self.words)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


async def test_it_starts_works_shows_life_and_stops_when_asked(home: Home, systemd: Systemd) -> None:
    daemon = home.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="400000")
    await until(lambda: systemd.heard("READY=1"))
    await until(lambda: len(home.mailbox.ids) == 1)
    await until(lambda: "outbox.sent" in home.events())
    await until(lambda: systemd.heard("WATCHDOG=1"))
    await until(lambda: systemd.heard("1 sources ok"))
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert systemd.heard("STOPPING=1")
    assert home.events()[0] == "daemon.started"
    assert home.events()[-2:] == ["daemon.stopping", "daemon.stopped"]
    assert len(home.mailbox.ids) == 1


async def test_it_leaves_a_sign_of_life_and_its_numbers_and_takes_the_sign_along(home: Home) -> None:
    """D20 and operator experience section 6: a health file for those who cannot ask systemd, numbers for Prometheus."""
    home.config.write_text(home.config.read_text() + '[metrics]\nfile = "metrics.prom"\nevery_s = 1\n')
    daemon = home.start()
    await until((home.folder / "health.json").exists)
    await until((home.folder / "metrics.prom").exists)
    assert "tracker_config_last_reload_successful 1.0" in (home.folder / "metrics.prom").read_text()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert not (home.folder / "health.json").exists()


async def test_a_database_that_does_not_answer_is_the_status_line_and_ends_no_watching(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 32: the loop that feeds the watchdog asks for this line; what it raised would stop the feeding for good."""
    loaded = config.load(home.config, environ={"TRACKS_KEY": house.TOKEN})
    async with home.store() as store:
        wired = assemble(loaded, store, SystemClock())
        assert "sources ok" in await status_line(wired)

        async def locked(_source: str) -> Breaker:
            raise Locked("the database is locked")

        monkeypatch.setattr(wired.poller.pulse, "look", locked)
        assert await status_line(wired) == "the database is locked"
        await wired.close()


async def test_nothing_is_sent_between_a_jump_of_the_clock_and_the_next_look_around(home: Home) -> None:
    """Faults row 13: dispatch ticks more often than the engine looks around; each of its looks measures the clock itself."""
    loaded = config.load(home.config, environ={"TRACKS_KEY": house.TOKEN})
    clock = ShiftedClock()
    async with home.store() as store:
        wired = assemble(loaded, store, clock, guard=TimeGuard(clock))
        await wired.dispatcher.dispatch_once()
        assert await store.clock_distrusted_at() is None
        clock.shift = timedelta(days=30)
        await wired.dispatcher.dispatch_once()
        assert await store.clock_distrusted_at() is not None
        await wired.close()


async def test_a_good_reload_is_counted_as_one_after_a_bad_one(home: Home) -> None:
    """Operator experience section 6: else the alert on a refused configuration never ends."""
    home.config.write_text(home.config.read_text() + '[metrics]\nfile = "metrics.prom"\nevery_s = 1\n')
    numbers, good = home.folder / "metrics.prom", home.config.read_text()
    daemon = home.start()
    await until(numbers.exists)
    home.config.write_text("[engine\n")
    daemon.signal(signal.SIGHUP)
    await until(lambda: "tracker_config_last_reload_successful 0.0" in numbers.read_text())
    home.config.write_text(good)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "tracker_config_last_reload_successful 1.0" in numbers.read_text())
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_second_daemon_is_turned_away_and_the_first_goes_on(home: Home) -> None:
    """Faults row 21, exit 75."""
    first = home.start()
    await until(lambda: "daemon.started" in home.events())
    assert await home.start().ended() == 75
    (failed,) = [line for line in home.lines if line["event"] == "daemon.failed"]
    assert failed["exit_code"] == 75
    with pytest.raises(AnotherDaemon):
        await open_store(f"sqlite:///{home.database}", clock=SystemClock(), daemon=True)
    await until(lambda: len(home.mailbox.ids) == 1)
    first.signal(signal.SIGINT)
    assert await first.ended() == 0


async def test_a_daemon_whose_epoch_was_taken_writes_nothing_more(home: Home) -> None:
    """Where the lock does not hold (a network file system), the epoch does."""
    daemon = home.start()
    await until(lambda: len(home.mailbox.ids) == 1)
    with sqlite3.connect(home.database) as other:
        other.execute("UPDATE daemon SET epoch = epoch + 1")
    other.close()
    assert await daemon.ended() == 75
    assert home.lines[-1]["event"] == "daemon.failed"


async def test_a_bad_configuration_is_rejected_and_a_good_one_takes_over(home: Home, systemd: Systemd) -> None:
    """Faults row 20: a reload never ends a daemon that works."""
    daemon = home.start(NOTIFY_SOCKET=systemd.path)
    await until(lambda: len(home.mailbox.ids) == 1)
    good = home.config.read_text()
    home.config.write_text(good.replace("poll_interval_s = 1", 'poll_interval_s = "soon"'))
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reload_rejected" in home.events())
    await until(lambda: systemd.heard("rejected"))
    home.config.write_text(good)
    shop = home.folder / "stores" / "lamps.toml"
    shop.write_text(shop.read_text().replace("live", "observe"))
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reloaded" in home.events())
    versions = [line["config"] for line in home.lines if "config" in line]
    assert len(set(versions)) == 2
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    rejected = next(line for line in home.lines if line["event"] == "config.reload_rejected")
    assert "poll_interval_s" in rejected["first"]


async def test_another_database_wants_a_restart(home: Home) -> None:
    daemon = home.start()
    await until(lambda: "daemon.started" in home.events())
    home.config.write_text(home.config.read_text().replace("tracker.db", "elsewhere.db", 1))
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reload_rejected" in home.events())
    (rejected,) = [line for line in home.lines if line["event"] == "config.reload_rejected"]
    assert "restart" in rejected["first"]
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_stop_lets_the_message_in_hand_be_finished(home: Home) -> None:
    """SIGTERM drains: what was handed over is written down as sent, not as unknown."""
    home.mailbox.slow = 1.5
    daemon = home.start()
    await until(lambda: home.mailbox.begun)
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    async with home.store() as store:
        assert len(await store.outbox(states=(OutboxState.SENT,), limit=5)) == 1
    assert home.lines[-1]["seconds"] > 0.5


async def test_a_drain_that_takes_too_long_leaves_the_message_unknown(home: Home) -> None:
    home.mailbox.slow = 30
    home.config.write_text(home.config.read_text().replace("drain_s = 5", "drain_s = 1"))
    daemon = home.start()
    await until(lambda: home.mailbox.begun)
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "engine.drain_timeout" in home.events()
    home.mailbox.slow = 0
    assert await home.start("one_pass").ended() == 0
    async with home.store() as store:
        assert len(await store.outbox(states=(OutboxState.UNKNOWN,), limit=5)) == 1
    assert home.mailbox.ids == []


# ---------------------------------------------------------------------------------------------------------- what ends a start


def break_config(home: Home) -> None:
    home.config.write_text("[engine\n")


def lose_database(home: Home) -> None:
    home.database.unlink()


def damage_database(home: Home) -> None:
    home.database.write_bytes(b"this is no database, whatever its name says" * 200)


def outgrow_database(home: Home) -> None:
    with sqlite3.connect(home.database) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()


def block_journal(home: Home) -> None:
    (home.folder / "send-journal.jsonl").mkdir()


@pytest.mark.parametrize(
    ("breaks", "code", "says"),
    [
        (break_config, 78, "config check"),
        (lose_database, 78, "tracker init"),
        (outgrow_database, 78, "9999"),
        (damage_database, 74, "no SQLite database"),
        (block_journal, 75, "journal"),
    ],
)
async def test_what_keeps_it_from_starting(breaks: object, code: int, says: str, home: Home) -> None:
    """Facts/systemd.md section 6: 64 and 78 are not started again, 74 and 75 are. One line, no traceback."""
    breaks(home)  # type: ignore[operator]
    assert await home.start().ended() == code
    line = home.lines[-1]
    assert (line["event"], line["exit_code"]) == ("daemon.failed", code)
    assert says in line["reason"]
    assert "Traceback" not in home.errors.read_text()


async def test_a_worker_of_many_does_not_start_on_sqlite(home: Home) -> None:
    """facts/systemd.md section 9: tracker@.service is for PostgreSQL; two workers on one file would only turn each other away."""
    assert await home.start(TRACKER_WORKER="1").ended() == 78
    assert "Use tracker.service (systemctl disable --now tracker@1;" in home.lines[-1]["reason"]


async def test_without_the_credentials_that_it_needs_it_does_not_start(home: Home) -> None:
    """A source asked without its key would look as if it were down; the line and the unit's missing word are told instead."""
    home.config.write_text(home.config.read_text().replace("env:TRACKS_KEY", "credential:17track-key"))
    assert await home.start().ended() == 78
    said = home.lines[-1]["reason"]
    assert "tracker.toml:" in said
    assert "LoadCredential=secrets.toml" in said
    given = home.folder / "credentials"
    given.mkdir()
    (given / "secrets.toml").write_text("#there-is-no-secrets.toml")
    assert await home.start(CREDENTIALS_DIRECTORY=str(given)).ended() == 78
    assert "secrets.toml has no 17track-key" in home.lines[-1]["reason"]


async def test_a_rehearsal_database_is_not_for_the_resident_daemon(home: Home) -> None:
    home.database.unlink()
    await bring(home, 1, rehearsal=True)
    assert await home.start().ended() == 78
    assert "rehearsal" in home.lines[-1]["reason"]
