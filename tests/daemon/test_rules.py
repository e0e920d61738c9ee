"""Other rules under a daemon that works: SIGHUP, restart, a single pass; a mistake writes to nobody (faults row 20)."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Child, Home, furnished
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.model import HoldReason, Intent, OutboxState
from tracker.store.rulesets import Ruleset

COUNT = 60

_LADDER = '[[profile]]\nid = "br-standard"\nstage_days = {{ stage1 = {}, stage2 = 45, stage3 = 60 }}\n'


class Systemd:
    """Listens where systemd would, all the time: its queue holds ten words, and a full one would stop the daemon."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.words: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _hear(self) -> None:
        self.words += self._socket.recv(4096).decode().splitlines()

    def count(self, word: str) -> int:
        return sum(each.startswith(word) for each in self.words)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


@pytest.fixture
async def systemd(tmp_path: Path) -> AsyncIterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Home]:
    """Sixty orders whose parcels left 32 days ago, under rules that write on day 40."""
    folder = tmp_path / "shop"
    folder.mkdir()
    async with furnished(folder, COUNT) as made:
        _ladder(made, 40)
        yield made


def _ladder(home: Home, day: int) -> None:
    (home.folder / "destinations.toml").write_text(_LADDER.format(day))


async def _stop(daemon: Child) -> None:
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def _settled(home: Home) -> None:
    """All parcels were asked about, and all orders decided on the answers."""
    await until(lambda: home.asked() >= COUNT)
    await until(lambda: home.events().count("sweep.done") >= 2)


async def _rules(home: Home) -> list[Ruleset]:
    async with home.store() as store:
        return await store.rulesets()


async def _held(home: Home) -> int:
    async with home.store() as store:
        rows = await store.outbox(states=(OutboxState.HELD,))
    return sum(view.row.hold is HoldReason.RULES_WAIT and view.row.intent is Intent.STAGE1 for view in rows)


async def _accept(home: Home) -> int | None:
    """What `tracker config accept` does beside the daemon."""
    async with home.store() as store:
        waiting = next(each for each in await store.rulesets() if each.waits)
        return await store.accept_ruleset(waiting.hash[:8], by="Mei", now=SystemClock().now())


async def test_a_reload_that_would_write_to_sixty_buyers_waits_for_a_word(shop: Home, systemd: Systemd) -> None:
    """SIGHUP: the difference is told, the rules run, nobody is written to; accepted, the texts go out as a ramp."""
    daemon = shop.start(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="400000")
    await _settled(shop)
    _ladder(shop, 30)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "rules.wait" in shop.events())
    await until(lambda: any("wait for acceptance: 60 effects held" in each for each in systemd.words))
    changed = next(line for line in shop.lines if line["event"] == "config.changed")
    assert changed["changed"] == ["destinations.profile[br-standard].stage_days.stage1: 40 -> 30"]
    waits = next(line for line in shop.lines if line["event"] == "rules.wait")
    assert (waits["touched"], waits["open_parcels"], waits["new"]) == (COUNT, COUNT, {"stage1": COUNT})
    assert (shop.mailbox.ids, await _held(shop)) == ([], COUNT)
    assert systemd.count("RELOADING=1") == 1
    assert systemd.count("READY=1") == 2
    assert await _accept(shop) == COUNT
    await until(lambda: len(shop.mailbox.ids) >= 1)
    await until(lambda: "rules.accepted" in shop.events())
    await _stop(daemon)


async def test_a_restart_with_other_files_is_guarded_the_same(shop: Home) -> None:
    """The rules in force outlive the process: what they were built from stands in the database."""
    daemon = shop.start()
    await _settled(shop)
    await _stop(daemon)
    _ladder(shop, 30)
    again = shop.start()
    await until(lambda: "rules.wait" in shop.events())
    await _stop(again)
    changed = next(line for line in shop.lines if line["event"] == "config.changed")
    assert changed["changed"] == ["destinations.profile[br-standard].stage_days.stage1: 40 -> 30"]
    assert (shop.mailbox.ids, await _held(shop)) == ([], COUNT)
    third = shop.start()
    await until(lambda: shop.events().count("rules.wait") == 2)
    await _stop(third)
    assert shop.mailbox.ids == [], "it is still known that they wait"


async def test_a_single_pass_is_guarded_the_same(shop: Home) -> None:
    """`run --once` compares first, then decides."""
    assert await shop.start("one_pass").ended() == 0
    _ladder(shop, 30)
    assert await shop.start("one_pass").ended() == 0
    assert "rules.wait" in shop.events()
    assert (shop.mailbox.ids, await _held(shop)) == ([], COUNT)
    assert [(each.state, each.waits) for each in await _rules(shop)] == [("waiting", True), ("accepted", False)]


async def test_a_change_that_touches_few_takes_over_at_once(home: Home, systemd: Systemd) -> None:
    """One order is fewer than fifty."""
    _ladder(home, 40)
    daemon = home.start(NOTIFY_SOCKET=systemd.path)
    await until(lambda: home.asked() >= 1)
    _ladder(home, 30)
    daemon.signal(signal.SIGHUP)
    await until(lambda: len(home.mailbox.ids) == 1)
    assert "rules.compared" in home.events()
    assert "rules.wait" not in home.events()
    await _stop(daemon)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("destinations.toml", "[[profile]\n", "not valid TOML"),
        ("destinations.toml", '[[profile]]\nid = "br-standard"\nstage_days = 3\n', "stage_days"),
        ("stores/lamps.toml", 'name = "Lamps"\nplatform = "nowhere"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\n', "nowhere"),
        ("formats.toml", "[[format]]\nid = 3\n", "formats.toml"),
    ],
    ids=["no_toml", "no_ladder", "no_marketplace", "no_format"],
)
async def test_a_broken_file_changes_nothing(home: Home, systemd: Systemd, name: str, text: str, said: str) -> None:
    """Told with file and line; READY=1 ends the reload in any case; a later good one works."""
    daemon = home.start(NOTIFY_SOCKET=systemd.path)
    await until(lambda: len(home.mailbox.ids) == 1)
    file = home.folder / name
    good = file.read_text() if file.exists() else ""
    file.write_text(text)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reload_rejected" in home.events())
    rejected = next(line for line in home.lines if line["event"] == "config.reload_rejected")
    assert said in rejected["first"]
    await until(lambda: systemd.count("READY=1") == 2)
    assert len(await _rules(home)) == 1
    file.write_text(good)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reloaded" in home.events())
    await until(lambda: systemd.count("READY=1") == 3)
    await _stop(daemon)


async def test_a_configuration_that_cannot_work_gives_way_to_the_old_one(home: Home, systemd: Systemd) -> None:
    """It is well-formed, but its journal cannot be opened: nothing could be sent. The daemon does not die of it."""
    daemon = home.start(NOTIFY_SOCKET=systemd.path)
    await until(lambda: len(home.mailbox.ids) == 1)
    (home.folder / "file").write_text("no folder\n")
    good = home.config.read_text()
    home.config.write_text('[journal]\npath = "file/send-journal.jsonl"\n' + good)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reload_rejected" in home.events())
    ticks = home.events().count("sweep.done")
    home.config.write_text(good)
    daemon.signal(signal.SIGHUP)
    await until(lambda: home.events().count("config.reloaded") == 2)
    await _stop(daemon)
    assert ticks >= 1
    assert len(home.mailbox.ids) == 1
