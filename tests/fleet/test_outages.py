"""PostgreSQL goes away under working workers: restarted, crashed, behind a line that breaks (faults 5 and 32)."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import postgres
from tests.daemon.conftest import Child, Home, furnished
from tests.daemon.test_life import Systemd
from tests.proxy import HOLE, Proxy
from tests.waiting import until
from tracker.model import OutboxState

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

ORDERS = 18
AGAIN = 75
"""Start me again."""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server of these tests' own, to be restarted."""
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    with postgres.server() as found:
        yield found


@pytest.fixture
async def home(tmp_path: Path, server: postgres.Server) -> AsyncIterator[Home]:
    """A live shop whose first messages are due; its mail server takes its time."""
    url = server.database()
    async with furnished(tmp_path, ORDERS, url) as made:
        made.mailbox.slow = 0.1
        yield made
    server.drop(url)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


class Kept:
    """A worker under systemd: started again whenever it ends with 75."""

    def __init__(self, home: Home, name: str, config: str | None = None, **environ: str) -> None:
        self._home = home
        self._name = name
        self._config = config
        self._environ = {"TRACKER_WORKER": name, **environ}
        self.codes: list[int] = []
        self.child = self._start()
        self._task = asyncio.create_task(self._keep())

    def _start(self) -> Child:
        # One worker may go by a proxy: everybody reads the same file, at the start.
        if self._config is not None:
            self._home.config.write_text(self._config)
        self._before = self._started()
        return self._home.start(**self._environ)

    def _started(self) -> int:
        return sum(line["event"] == "daemon.started" and line["worker"] == self._name for line in self._home.lines)

    async def _keep(self) -> None:
        while True:
            self.codes.append(await self.child.ended(280))
            if self.codes[-1] != AGAIN:
                return
            self.child = self._start()

    async def stop(self) -> None:
        """As `systemctl stop` does it, once it listens to signals; the code it ended with stands last."""
        await until(lambda: self._started() > self._before, seconds=60)
        self.child.signal(signal.SIGTERM)
        await asyncio.wait_for(self._task, 60)


@asynccontextmanager
async def kept(home: Home, *names: str) -> AsyncIterator[list[Kept]]:
    workers = [Kept(home, name) for name in names]
    await until(lambda: home.events().count("daemon.started") >= len(names), seconds=60)
    yield workers
    for each in workers:
        await each.stop()


async def states(home: Home) -> Counter[OutboxState]:
    async with home.store() as store:
        return Counter(view.row.state for view in await store.outbox(states=tuple(OutboxState), limit=500))


async def all_sent(home: Home) -> None:
    """Each order's message has left once, and everybody knows."""
    found = Counter[OutboxState]()
    for _ in range(120):
        found = await states(home)
        if found[OutboxState.SENT] + found[OutboxState.UNKNOWN] == ORDERS:
            break
        await asyncio.sleep(1)
    assert found == {OutboxState.SENT: ORDERS}
    assert Counter(home.mailbox.ids).most_common(1)[0][1] == 1
    assert len(home.mailbox.ids) == ORDERS


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_the_server_is_restarted_under_three_workers(how: signal.Signals, home: Home, server: postgres.Server) -> None:
    """Fault 5: they end with 75, come back, and finish: nothing lost, nothing sent twice, nothing in doubt."""
    async with kept(home, "a", "b", "c") as workers:
        await until(lambda: len(home.mailbox.ids) >= 3, seconds=90)
        await asyncio.to_thread(server.restart, how)
        await until(lambda: all(each.codes for each in workers), seconds=120)
        assert {code for each in workers for code in each.codes} == {AGAIN}
        await all_sent(home)
    assert [each.codes[-1] for each in workers] == [0, 0, 0]


async def test_a_server_that_stays_away_is_waited_for(home: Home, server: postgres.Server) -> None:
    """Fault 5: systemd gives up after ten starts in five minutes, so one start outlives a short outage by itself."""
    await asyncio.to_thread(server.stop)
    try:
        worker = Kept(home, "a")
        await until(lambda: "database.awaited" in home.events(), seconds=60)
        assert worker.codes == []
    finally:
        await asyncio.to_thread(server.start)
    await all_sent(home)
    await worker.stop()
    assert worker.codes == [0]
    assert home.events().count("database.awaited") == 1


async def test_a_line_that_swallows_everything(home: Home, server: postgres.Server, systemd: Systemd) -> None:
    """Faults 5, 32: a worker whose server is silent gives no sign of life; the others go on, and nobody writes twice."""
    direct = home.config.read_text()
    async with Proxy(server.port) as proxy:
        through = direct.replace(f":{server.port}/", f":{proxy.port}/")
        cut_off = Kept(home, "a", through, NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="2000000")
        await until(lambda: systemd.heard("WATCHDOG=1") and bool(home.mailbox.ids), seconds=90)
        other = Kept(home, "b", direct)
        await proxy.fail(up=HOLE, down=HOLE)
        await asyncio.sleep(2)
        systemd.heard("")
        systemd.words.clear()
        sent = len(home.mailbox.ids)
        await asyncio.sleep(6)
        assert not systemd.heard("WATCHDOG=1"), "three times as long as the watchdog allows"
        # What the silent one has in hand is its own; all else is the other's, once the server has broken off what it locked.
        await until(lambda: len(home.mailbox.ids) >= min(sent + 3, ORDERS - 1), seconds=90)
        cut_off._config = direct
        await proxy.heal()
        await all_sent(home)
        await other.stop()
        await cut_off.stop()
    assert (other.codes[-1], cut_off.codes[-1]) == (0, 0)
    assert set(cut_off.codes[:-1]) <= {AGAIN}


async def test_connections_are_reset_in_the_middle_of_everything(home: Home, server: postgres.Server) -> None:
    """Fault 5: whatever a transaction had reached, it is there as a whole or not at all."""
    direct = home.config.read_text()
    async with Proxy(server.port) as proxy:
        through = direct.replace(f":{server.port}/", f":{proxy.port}/")
        workers = [Kept(home, name, through) for name in ("a", "b")]
        await until(lambda: len(home.mailbox.ids) >= 2, seconds=90)
        for more in (4, 8, 12):
            await proxy.drop()
            await until(lambda more=more: len(home.mailbox.ids) >= more, seconds=90)  # type: ignore[misc]
        await all_sent(home)
        for each in workers:
            await each.stop()
    assert all(each.codes[-1] == 0 and set(each.codes[:-1]) <= {AGAIN} for each in workers)
    assert any(each.codes[:-1] for each in workers)
