"""A configured house on disk, a mail server that counts, a source; and daemons as processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import house
from tests.daemon import children
from tests.waiting import PATIENCE, until
from tracker.clock import FixedClock, SystemClock
from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn
from tracker.store import Store, create, open_store

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)  # the resident daemon lives today
SHIPPED = NOW - 32 * DAY

_TRACKER = """\
[database]
url = "{url}"

[smtp]
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "Lamps <care@lamps.example>"

[inbox]
path = "inbox"

[messages]
off = ["placed", "shipped", "delivered", "review", "vip", "delay"]  # these tests live today, in whatever season that is

[engine]
poll_interval_s = 1
sweep_interval_s = 1
dispatch_interval_s = 1
drain_s = 5

[[source]]
id = "tracks"
adapter = "seventeen_track"
base_url = "{source}"
secrets = {{ api_key = "env:TRACKS_KEY" }}
rps = 100
"""

_STORE = """\
platform = "own_shop"
name = "Lamps and More"
zone = "Asia/Shanghai"
currency = "USD"
mode = "live"
channel = "smtp"
signature = "Lamps and More"
"""

_CARRIERS = 'default_sources = ["tracks"]\n'


class Mailbox:
    """The mail server's handler: it counts what it accepts."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.slow = 0.0
        self.begun = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.begun = True
        await asyncio.sleep(self.slow)
        text = (envelope.content or b"").decode() if isinstance(envelope.content, bytes) else str(envelope.content)
        self.ids += [line for line in text.splitlines() if line.lower().startswith("message-id:")]
        return "250 accepted"


class Child:
    """A process of ours."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    def signal(self, name: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, name)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end: the exit code, or minus the signal that killed it."""
        await until(lambda: not self._process.is_alive(), seconds=seconds)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


class Home:
    """The folder of a configuration, with its database."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.config = folder / "tracker.toml"
        self.database = folder / "tracker.db"
        self.url = url or f"sqlite:///{self.database}"
        self.errors = folder / "stderr.jsonl"
        self.mailbox = Mailbox()
        self.children: list[Child] = []

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        opened = await open_store(self.url, clock=SystemClock())
        try:
            yield opened
        finally:
            await opened.close()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All whole lines that the children logged so far."""
        whole, _, _ = self.text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def text(self) -> str:
        """What the children wrote so far, the last line perhaps in part."""
        return self.errors.read_text() if self.errors.exists() else ""

    def events(self) -> list[str]:
        """Their events."""
        return [line["event"] for line in self.lines]

    def asked(self) -> int:
        """About how many parcels sources were asked so far."""
        return sum(line["asked"] for line in self.lines if line["event"] == "poll.batch")

    def start(self, work: str = "resident", *, crash_at: str = "", **environ: str) -> Child:
        """The daemon, or one pass, as a process of its own."""
        child = Child(children.start(work, self.config, self.errors, {"TRACKS_KEY": house.TOKEN, **environ}, crash_at=crash_at))
        self.children.append(child)
        return child


async def bring(home: Home, count: int, *, rehearsal: bool = False) -> list[str]:
    """A database with `count` orders whose parcels left 32 days ago."""
    create(home.url, rehearsal=rehearsal, now=SHIPPED)
    store = await open_store(home.url, clock=FixedClock(SHIPPED))
    made = await house.bring_parcels(store, count, SHIPPED)
    await store.close()
    return made


def slow(number: str) -> ScriptedParcel:
    """Scanned every second day until yesterday, not delivered."""
    days = range(1, 32, 2)
    events = [
        ScriptedEvent(at=SHIPPED + day * DAY, sub_status="InTransit_Other", description=f"Scan of day {day}", country="CN")
        for day in days
    ]
    return ScriptedParcel(number=number, events=tuple(events))


@asynccontextmanager
async def furnished(folder: Path, count: int, url: str | None = None) -> AsyncIterator[Home]:
    """A live own shop with `count` orders, whose first text is due; nothing has been asked yet. `url` of an empty database."""
    home = Home(folder, url)
    made = await bring(home, count)
    post = await asyncio.get_running_loop().create_server(lambda: SMTP(home.mailbox, hostname="loopback"), "127.0.0.1", 0)
    with StandIn(Aggregator([slow(number) for number in made], SystemClock().now, token=house.TOKEN)) as stand_in:
        port = post.sockets[0].getsockname()[1]
        home.config.write_text(_TRACKER.format(url=home.url, smtp=port, source=stand_in.base_url))
        (folder / "carriers.toml").write_text(_CARRIERS)
        (folder / "stores").mkdir()
        (folder / "stores" / "lamps.toml").write_text(_STORE)
        try:
            yield home
        finally:
            for child in home.children:
                child.kill()
            print(*home.text().splitlines()[-40:], sep="\n")  # pytest shows it beside what failed
            post.close()
            await post.wait_closed()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """One order."""
    async with furnished(tmp_path, 1) as made:
        yield made
