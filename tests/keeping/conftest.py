"""A live own shop of 200 orders whose first text comes due on day 31, a mail server that counts, a source: days in seconds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import house
from tests.house import START
from tests.store.build import NOW, decided, decision, given, pending
from tracker import config
from tracker.clock import FixedClock, SimulatedClock
from tracker.config import Loaded
from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn
from tracker.engine.base import full_pass
from tracker.journal import Journal
from tracker.keeping import backup
from tracker.keeping.restore import Restored, Wish, restore
from tracker.model import Intent, JournalEnd, OutboxState
from tracker.store import OutboxView, Store, create, open_store
from tracker.wiring import assemble

DAY = timedelta(days=1)
BEFORE = 30.8
"""Nothing is due yet."""
DUE = 31.2
"""Every order's first text is due."""

_TRACKER = """\
[smtp]
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "Lamps <care@lamps.example>"

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
hourly_cap = 1000
"""


class Mailbox:
    """The mail server's handler: how often it accepted each message."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        lines = (envelope.content or b"").decode().splitlines() if isinstance(envelope.content, bytes) else []
        self.accepted.update(line for line in lines if line.lower().startswith("message-id:"))
        return "250 accepted"

    @property
    def twice(self) -> list[str]:
        return [message for message, times in self.accepted.items() if times > 1]


class Shop:
    """The house on disk, and what happens in it."""

    def __init__(self, folder: Path, clock: SimulatedClock, loaded: Loaded, mailbox: Mailbox, orders: int) -> None:
        self.folder, self.clock, self.loaded, self.mailbox, self.orders = folder, clock, loaded, mailbox, orders
        self.database = folder / "tracker.db"
        self.journal = loaded.settings.journal
        self.url = loaded.settings.database_url

    async def live(self, until: float, *, units: Sequence[str] = (), step: float = 0.5) -> None:
        """A daemon works until that day, looking twice a day; of these units only, where some are named."""
        store = await open_store(self.url, clock=self.clock, daemon=True)
        try:
            rooms = assemble(self.loaded, store, self.clock)
            try:
                await rooms.dispatcher.recover()
                chosen = [unit for unit in rooms.units if not units or unit.name in units]
                end = START + until * DAY
                while self.clock.now() < end:
                    self.clock.advance_to(min(end, self.clock.now() + step * DAY))
                    await full_pass(chosen)
            finally:
                await rooms.close()
        finally:
            await store.close()

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        opened = await open_store(self.url, clock=self.clock)
        try:
            yield opened
        finally:
            await opened.close()

    async def rows(self, *states: OutboxState) -> list[OutboxView]:
        async with self.store() as store:
            return await store.outbox(states=states)

    def restore(self, file: Path, **wish: object) -> Restored:
        return restore(self.loaded.settings, Wish(**{"file": file, "now": self.clock.now(), "by": "mei"} | wish))  # type: ignore[arg-type]


def _slow(number: str) -> ScriptedParcel:
    """Scanned every second day, never delivered."""
    days = range(1, 80, 2)
    events = [
        ScriptedEvent(at=START + day * DAY, sub_status="InTransit_Other", description=f"Scan of day {day}", country="CN")
        for day in days
    ]
    return ScriptedParcel(number=number, events=tuple(events))


@asynccontextmanager
async def opened_shop(folder: Path, orders: int) -> AsyncIterator[Shop]:
    """So many orders, followed until the day before their first text."""
    clock, mailbox = SimulatedClock(START), Mailbox()
    post = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox, hostname="loopback"), "127.0.0.1", 0)
    numbers = house.numbers(orders)
    with StandIn(Aggregator([_slow(number) for number in numbers], clock.now, token=house.TOKEN)) as stand_in:
        text = _TRACKER.format(smtp=post.sockets[0].getsockname()[1], source=stand_in.base_url)
        (folder / "tracker.toml").write_text(text)
        (folder / "carriers.toml").write_text('default_sources = ["tracks"]\n')
        (folder / "stores").mkdir()
        (folder / "stores" / "lamps.toml").write_text(_STORE)
        loaded = config.load(folder / "tracker.toml", environ={"TRACKS_KEY": house.TOKEN})
        create(loaded.settings.database_url, rehearsal=True, now=START)
        shop = Shop(folder, clock, loaded, mailbox, orders)
        async with shop.store() as store:
            await house.bring_parcels(store, orders)
        await shop.live(BEFORE, step=BEFORE)
        yield shop
    post.close()
    await post.wait_closed()


class Keep:
    """A house on disk whose database holds an order with its parcel; nothing runs."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        (folder / "tracker.toml").write_text("".join(f"[{table}]\n{lines}\n" for table, lines in settings.items()))
        self.settings = config.load(folder / "tracker.toml", environ={}).settings
        self.url = self.settings.database_url
        self.database = folder / "tracker.db"
        create(self.url, rehearsal=False, now=NOW)

    @asynccontextmanager
    async def store(self, *, daemon: bool = False, at: datetime = NOW) -> AsyncIterator[Store]:
        opened = await open_store(self.url, clock=FixedClock(at), daemon=daemon)
        try:
            yield opened
        finally:
            await opened.close()

    def back_up(self, at: datetime = NOW) -> Path:
        return Path(backup.make(self.settings, None, at).path)

    def restore(self, file: Path, **wish: object) -> Restored:
        return restore(self.settings, Wish(**{"file": file, "now": NOW + DAY, "by": "mei"} | wish))  # type: ignore[arg-type]

    async def work(self, *intents: Intent, at: datetime = NOW) -> None:
        """A daemon sends these messages for order 8001, journal and all."""
        async with self.store(daemon=True, at=at) as store:
            await store.know_journal(backup.MAIN, str(self.settings.journal))
            with Journal(self.settings.journal) as book:
                for intent in intents:
                    told = await decided(store, pending(decision(intent)), now=at)
                    (row,) = await store.due_rows(at, 1)
                    book.begin(row.key, attempt=1, channel=row.channel, now=at)
                    assert await store.claim_row(row.id, who="test", version=told.version, now=at)
                    end = JournalEnd(attempt=1, state=OutboxState.SENT, provider_id=f"queue-{intent.value}")
                    book.end(row.key, end, channel=row.channel, now=at)
                    await store.finish_row(row.id, OutboxState.SENT, at, provider_id=end.provider_id)

    async def states(self) -> dict[str, str]:
        """Intent -> state of every effect."""
        async with self.store() as store:
            return {view.row.intent.value: view.row.state.value for view in await store.outbox()}


@pytest.fixture
async def keep(tmp_path: Path) -> Keep:
    """An order, its parcel, and stage 1 sent."""
    keep = Keep(tmp_path)
    async with keep.store() as store:
        await given(store)
    await keep.work(Intent.STAGE1)
    return keep


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop of four orders."""
    async with opened_shop(tmp_path, 4) as shop:
        yield shop


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Shop]:
    """The shop of 200 orders."""
    async with opened_shop(tmp_path, 200) as shop:
        yield shop
