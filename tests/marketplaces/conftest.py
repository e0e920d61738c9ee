"""A shop on AliExpress with its account at a stand-in: from the order to the extension that is proven, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.http import HttpTransport
from tests import house
from tests.house import SHOP
from tests.marketplaces.standins import APP_KEY, SECRET, AliExpressStandIn, StandIn, TaobaoStandIn
from tracker import config
from tracker.clock import SimulatedClock
from tracker.dispatch import Dispatcher, Preparer
from tracker.journal import Journal
from tracker.marketplaces.accounts import Accounts, Connected, StoreKeeper
from tracker.marketplaces.base import Account, Capability
from tracker.marketplaces.registry import KNOWN
from tracker.marketplaces.session import Session
from tracker.model import Dossier, Mode, OutboxRow, OutboxState
from tracker.polling import MarketReader, Pace, StoreGate
from tracker.polling.pulse import Pulse
from tracker.rules import Rules
from tracker.store import Store
from tracker.sweep import Sweeper

DAY = timedelta(days=1)
ORDER = "8190000000000001"
START = datetime(2026, 10, 1, 12, tzinfo=UTC)
ENDS = "2026-11-18 03:12:11"
END = datetime(2026, 11, 18, 11, 12, 11, tzinfo=UTC)


class Desk:
    """The house between one marketplace's account and one database."""

    def __init__(
        self, store: Store, clock: SimulatedClock, rules: Rules, stand_in: StandIn, journal: Journal, platform: str
    ) -> None:
        self.store, self.clock, self.rules, self.stand_in, self.journal = store, clock, rules, stand_in, journal
        path = "" if platform == "aliexpress" else "/router/rest"
        secrets = {"app_secret": SECRET, "access_token": "kanarie-token-1", "refresh_token": "kanarie-refresh-1"}
        account = Account(id="market", base_url=stand_in.url + path, app_key=APP_KEY, secrets=secrets)
        gate = StoreGate(store, clock, {"market": Pace(rps=1000)})
        self.http = HttpTransport(account_id="market", gate=gate, clock=clock)
        session = Session(account, self.http, StoreKeeper(store, clock))
        self.connected = Connected(
            id="market", platform=platform, store=SHOP, api=frozenset(Capability), market=KNOWN[platform].make(session, clock)
        )
        self.pulse = Pulse(store)

    def reader(self) -> MarketReader:
        return MarketReader(
            store=self.store, clock=self.clock, rules=self.rules, accounts=Accounts([self.connected]), pulse=self.pulse
        )

    async def read(self) -> int:
        """One turn of reading."""
        return (await self.reader().read_once()).worked

    async def bring(self, number: str = ORDER, **facts: Any) -> None:
        """An order with its parcel, as a file brings it."""
        platform = self.connected.platform
        order = house.order(number, platform=platform, shipped_at=START, **facts)
        await house.bring(self.store, [order], [house.parcel(f"LZ{number[-9:]}CN", number, shipped_at=START)], self.clock.now())

    async def sweep(self) -> None:
        """Decide what is due, until nothing is."""
        sweeper = Sweeper(store=self.store, clock=self.clock, rules=self.rules)
        while (await sweeper.sweep_once()).more:
            pass

    def dispatcher(self) -> Dispatcher:
        """A dispatcher as a daemon has one."""
        return Dispatcher(
            store=self.store,
            clock=self.clock,
            rules=self.rules,
            preparer=Preparer(rules=self.rules, texts=shipped().texts, sender="care@tracker.invalid", phrases=config.english()),
            channels={},
            journal=self.journal,
            accounts=Accounts([self.connected]),
        )

    async def dispatch(self) -> None:
        """Do what was decided."""
        dispatcher = self.dispatcher()
        while (await dispatcher.dispatch_once()).more:
            pass

    async def at(self, moment: datetime, *, rounds: int = 3) -> None:
        """Go there, and let everything work: read, decide, do; a few minutes pass between the rounds."""
        self.clock.advance_to(moment)
        for _ in range(rounds):
            await self.read()
            await self.sweep()
            await self.dispatch()
            self.clock.advance_to(self.clock.now() + timedelta(minutes=2))

    async def rows(self, intent: str = "extension") -> list[OutboxRow]:
        """The rows of one purpose, oldest first."""
        found = await self.store.outbox(states=tuple(OutboxState))
        return sorted((view.row for view in found if view.row.intent.value == intent), key=lambda row: row.id)

    async def dossier(self, number: str = ORDER) -> Dossier:
        ref = await self.store.order_ref(number, SHOP)
        (found,) = await self.store.load_dossiers([ref.id])
        return found

    async def ends(self, number: str = ORDER) -> tuple[datetime, str, int]:
        """End, source and count of the extensions of an order's window."""
        window = (await self.dossier(number)).order.window
        assert window is not None
        return window.end, window.source.value, window.extensions


@cache
def shipped() -> config.Loaded:
    """The defaults, read once."""
    return config.load(None, environ={})


def rules_of(platform: str, *, mode: Mode = Mode.LIVE) -> Rules:
    """The shipped rules with one live shop whose account does everything."""
    shop = replace(house.shop(platform=platform, mode=mode), api=frozenset({"window", "disputes", "extend"}))
    return replace(shipped().rules, stores={SHOP: shop}, sources={})


@pytest.fixture
def aliexpress() -> Iterator[AliExpressStandIn]:
    with AliExpressStandIn() as stand_in:
        stand_in.order(ORDER, ENDS)
        yield stand_in


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


@pytest.fixture
async def desk(tmp_path: Path, clock: SimulatedClock, aliexpress: AliExpressStandIn) -> AsyncIterator[Desk]:
    """A live shop on AliExpress with one order on its way."""
    with Journal(tmp_path / "journal.jsonl") as journal:
        async with house.database(tmp_path, clock) as store:
            made = Desk(store, clock, rules_of("aliexpress"), aliexpress, journal, "aliexpress")
            await made.bring()
            yield made
            await made.http.close()


@pytest.fixture
async def taobao(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Desk]:
    """A live shop on Taobao with one order on its way."""
    with TaobaoStandIn() as stand_in, Journal(tmp_path / "journal.jsonl") as journal:
        stand_in.order("2231958349000001", "2026-10-20 10:00:00")
        async with house.database(tmp_path, clock) as store:
            made = Desk(store, clock, rules_of("taobao"), stand_in, journal, "taobao")
            await made.bring("2231958349000001")
            yield made
            await made.http.close()
