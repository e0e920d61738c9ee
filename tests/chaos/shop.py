"""A shop on disk with its daemons: one on SQLite, several workers on PostgreSQL. It starts them, and looks afterwards."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tests import house
from tests.chaos import processes
from tests.chaos.fleet import Fleet
from tests.chaos.orders import MARKET, OWN, Order, sheet
from tests.chaos.plan import Life
from tests.chaos.processes import Process
from tests.chaos.world import World, key_of
from tests.marketplaces.standins import APP_KEY, SECRET
from tests.ports import free_port
from tracker.journal import ends, read
from tracker.keeping.backup import MAIN
from tracker.model import JournalEnd
from tracker.store import Store, StoreError, create, open_store

T = TypeVar("T")

_TRACKER = """\
[database]
url = "{url}"

[smtp]
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "Lamps <care@lamps.example>"

[engine]
poll_interval_s = 1
sweep_interval_s = 1
dispatch_interval_s = 1
drain_s = 5

[receiver]
listen = "127.0.0.1:{push}"

[[source]]
id = "tracks"
adapter = "seventeen_track"
base_url = "{source}"
secrets = {{ api_key = "env:TRACKS_KEY", push_secret = "env:TRACKS_PUSH" }}
rps = 100

[[marketplace_account]]
id = "ae"
platform = "aliexpress"
store = "{market}"
app_key = "{key}"
base_url = "{gateway}"
secrets = {{ app_secret = "env:AE_SECRET", access_token = "env:AE_TOKEN" }}
api = ["window", "disputes", "extend"]
rps = 20
"""

_STORE = """\
platform = "{platform}"
name = "Lamps and More"
zone = "UTC"
currency = "USD"
mode = "live"
signature = "Lamps and More"
hourly_cap = 1000
"""

DOMAIN = "lamps.example"
"""Of the sender, and so of every Message-ID."""

PERSON = "mei"


class Said(msgspec.Struct, frozen=True):
    """What came of a command: its exit code (minus the signal that killed it), and its document."""

    code: int
    document: dict[str, Any]


class Shop:
    """The folder, the database's address, the names of the workers, and the world around them."""

    def __init__(
        self, name: str, folder: Path, world: World, *, fleet: Fleet | None = None, workers: tuple[str, ...] = (MAIN,)
    ) -> None:
        """Without a `fleet` it is SQLite with its one daemon; `workers` of a fleet are names as in tracker@NAME.service."""
        self.name = name
        self.folder = folder
        self.world = world
        self.fleet = fleet
        self.url = f"sqlite:///{folder / 'tracker.db'}" if fleet is None else fleet.url
        self.workers = workers
        self.push_port = free_port()
        self.environ = {
            "TRACKS_KEY": house.TOKEN,
            "TRACKS_PUSH": house.TOKEN,
            "AE_SECRET": SECRET,
            "AE_TOKEN": world.market.token,
            "NO_COLOR": "1",
            "TRACKER_BY": PERSON,
        }
        self._runs = itertools.count(1)
        self._lives = itertools.count(1)

    def furnish(self) -> None:
        """Write the configuration, and make the database where there is none. The mail server must be open."""
        text = _TRACKER.format(
            url=self.url,
            smtp=self.world.smtp_port,
            push=self.push_port,
            source=self.world.source_url,
            market=MARKET,
            key=APP_KEY,
            gateway=self.world.market.url,
        )
        (self.folder / "stores").mkdir(parents=True)
        (self.folder / "tracker.toml").write_text(text)
        (self.folder / "carriers.toml").write_text('default_sources = ["tracks"]\n')
        (self.folder / "stores" / f"{OWN}.toml").write_text(_STORE.format(platform="own_shop") + 'channel = "smtp"\n')
        (self.folder / "stores" / f"{MARKET}.toml").write_text(_STORE.format(platform="aliexpress"))
        if self.fleet is None:
            create(self.url, rehearsal=False, now=self.world.time.now())

    def jump(self, distance: timedelta) -> None:
        """Time goes on while nobody lives."""
        self.world.time.jump(distance)
        if self.fleet is not None:
            self.fleet.agree()

    # ---------------------------------------------------------------------------------------------------------------- processes

    def start(self, worker: str, life: Life) -> Process:
        """A worker begins a life, as systemd would start it."""
        own = {} if self.fleet is None else {"TRACKER_WORKER": worker}
        number = str(next(self._lives))
        own["TRACKS_KEY"] = key_of(number)
        if worker != self.workers[0]:
            own["TRACKER__RECEIVER__LISTEN"] = ""  # one host, one port
        made = processes.start(
            ["run", "--config", str(self.folder / "tracker.toml")],
            ahead=self.world.time.ahead,
            out=self.folder / "stdout",
            err=self.log_of(worker),
            environ=self.environ | own | {"TRACKER__LOG__FORMAT": "json"},
            crash_at=life.crash_at,
            cold=life.cold,
        )
        made.life = number
        return made

    async def command(self, *words: str, crash_at: str = "", kill_after: float | None = None) -> Said:
        """`tracker WORDS --json` beside the daemons, perhaps killed on its way."""
        out = self.folder / f"said-{next(self._runs)}.json"
        process = processes.start(
            [*words, "--config", str(self.folder / "tracker.toml"), "--json"],
            ahead=self.world.time.ahead,
            out=out,
            err=self.folder / "commands.log",
            environ=self.environ,
            crash_at=crash_at,
        )
        code = await ended(process, kill_after)
        text = out.read_text() if out.exists() else ""
        out.unlink(missing_ok=True)
        try:
            return Said(code, json.loads(text) if text else {})
        except ValueError:
            return Said(code, {})

    def order_file(self, orders: list[Order]) -> Path:
        """The parcels begin their journeys, the windows run; and the file that tells the shop about them."""
        for each in orders:
            self.world.carrier.take(each.parcel)
            if each.ends is not None:
                self.world.market.order(each.number, each.ends)
        file = self.folder / "orders" / f"{orders[0].number}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text(sheet(orders), encoding="utf-8")
        return file

    # ------------------------------------------------------------------------------------------------------------ looking inside

    async def look(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Ask the database as a command does. A server that is being restarted, or too busy to answer, is asked again."""
        for _ in range(20):
            with suppress(StoreError):
                return await self._once(work)
            await asyncio.sleep(1)
        return await self._once(work)

    async def _once(self, work: Callable[[Store], Awaitable[T]]) -> T:
        store = await open_store(self.url, clock=self.world.time)
        try:
            return await work(store)
        finally:
            await store.close()

    async def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """A question to the database; `?` for values."""
        found = await self.look(lambda store: store._db.read(lambda tx: tx.rows(sql, *values)))
        return [tuple(row) for row in found]

    async def run(self, sql: str) -> None:
        """What no command does: a defect that somebody built in."""
        await self.look(lambda store: store._db.write(lambda tx: tx.run(sql)))

    def journal(self, worker: str) -> dict[str, JournalEnd]:
        """How the newest attempts ended, by the worker's own send journal."""
        folder = self.folder if self.fleet is None else self.folder / worker
        return ends(read(folder / "send-journal.jsonl"))

    def log_of(self, worker: str) -> Path:
        """What this worker writes."""
        return self.folder / f"log-{worker}.jsonl"


async def ended(
    process: Process, kill_after: float | None = None, *, bored: Callable[[], bool] = lambda: False, limit: float = 120.0
) -> int:
    """Wait for the end, killing it by SIGKILL after so many seconds, or when it has nothing left to do; its exit code.

    Raises TimeoutError past `limit`.
    """
    loop = asyncio.get_running_loop()
    since = loop.time()
    while (code := process.ended) is None:
        lived = loop.time() - since
        if (kill_after is not None and lived >= kill_after) or bored():
            process.send(signal.SIGKILL)
        if lived > limit:
            process.send(signal.SIGKILL)
            raise TimeoutError("a process did not end")
        await asyncio.sleep(0.02)
    return code


class Boredom:
    """Daemons that have started and then have written nothing for a while will not come to their points in this life."""

    def __init__(self, shop: Shop, seconds: float) -> None:
        self._logs = [shop.log_of(worker) for worker in shop.workers]
        self._seconds = seconds
        self._size = self._begun = self._written()
        self._since = 0.0

    def _written(self) -> int:
        return sum(log.stat().st_size for log in self._logs if log.exists())

    def __call__(self) -> bool:
        """Look."""
        now = asyncio.get_running_loop().time()
        size = self._written()
        if size != self._size or size == self._begun:
            self._size, self._since = size, now
        return now - self._since > self._seconds
