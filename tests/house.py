"""A furnished house for the shells' tests: a real database file, the shipped rules with one live store, orders and parcels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from carriers.base import Account
from carriers.http import HttpTransport
from carriers.seventeen_track import SeventeenTrack
from tests import canaries
from tracker import config
from tracker.clock import Clock, SimulatedClock
from tracker.model import Capability, Channel, ImportBatch, Mode, OrderFacts, OrderState, Rank, ShipmentFacts
from tracker.polling import Pace, Source, StoreGate
from tracker.rules import Rules
from tracker.rules import Store as Shop
from tracker.store import Store, create, open_store

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP = "lamps"
ACCOUNT = "tracks"
TOKEN = canaries.secret("source")


def shop(*, platform: str = "own_shop", mode: Mode = Mode.LIVE, channel: Channel | None = None) -> Shop:
    """The one store of these tests."""
    return Shop(
        id=SHOP,
        platform=platform,
        name="Lamps and More",
        zone="Asia/Shanghai",
        currency="USD",
        mode=mode,
        channel=channel,
        sender="Lamps <care@lamps.example>",
        signature="Lamps and More",
    )


def rules(store: Shop | None = None) -> Rules:
    """The shipped rules; every carrier is asked about through one account."""
    shipped = config.load(None, environ={}).rules
    return replace(shipped, stores={SHOP: store or shop()}, sources={"*": (ACCOUNT,)})


@asynccontextmanager
async def database(folder: Path, clock: Clock, *, fresh: bool = True) -> AsyncIterator[Store]:
    """A database of its own, opened as the daemon opens it."""
    url = f"sqlite:///{folder / 'tracker.db'}"
    if fresh:
        create(url, rehearsal=True, now=clock.now())
    store = await open_store(url, clock=clock, daemon=True)
    try:
        yield store
    finally:
        await store.close()


def order(number: str, *, row: int = 1, platform: str = "own_shop", shipped_at: datetime = START, **facts: Any) -> OrderFacts:
    """An order to Brazil that was paid and shipped."""
    known: dict[str, Any] = {
        "state": OrderState.SHIPPED,
        "country": "BR",
        "buyer_name": canaries.BUYER,
        "buyer_email": canaries.MAIL,
        "buyer_phone": canaries.PHONE,
        "tax_number": canaries.TAX_NUMBER,
        "amount": Decimal("40.00"),
        "currency": "USD",
        "paid_at": shipped_at - timedelta(days=1),
        "shipped_at": shipped_at,
    }
    return OrderFacts(store=SHOP, platform=platform, number=number, row=row, **(known | facts))


def parcel(number: str, order_number: str, *, row: int = 1, shipped_at: datetime = START, **facts: Any) -> ShipmentFacts:
    """A parcel by China Post from China to Brazil."""
    known: dict[str, Any] = {
        "carrier": "china_post",
        "service": "standard",
        "capability": Capability.END_TO_END,
        "matched": True,
        "origin": "CN",
        "country": "BR",
        "shipped_at": shipped_at,
    }
    return ShipmentFacts(number=number, row=row, store=SHOP, order=order_number, **(known | facts))


async def bring(store: Store, orders: Sequence[OrderFacts], parcels: Sequence[ShipmentFacts], now: datetime) -> None:
    """Import them as one file."""
    await store.save_import(
        ImportBatch(
            file="orders.csv",
            format="test",
            digest=f"{abs(hash((tuple(each.number for each in orders), now))):032x}",
            rank_orders=Rank.MARKETPLACE,
            rank_tracking=Rank.MARKETPLACE,
            rows=len(orders),
            orders=tuple(orders),
            shipments=tuple(parcels),
        ),
        now,
    )


def numbers(count: int) -> list[str]:
    """Invented tracking numbers."""
    return [f"LZ{serial:09d}CN" for serial in range(1, count + 1)]


async def bring_parcels(store: Store, count: int, now: datetime = START) -> list[str]:
    """`count` orders of one parcel each; their numbers."""
    made = numbers(count)
    orders = [order(f"10{row:04d}", row=row, shipped_at=now) for row in range(count)]
    parcels = [parcel(number, f"10{row:04d}", row=row, shipped_at=now) for row, number in enumerate(made)]
    await bring(store, orders, parcels, now)
    return made


def source(store: Store, clock: Clock, base_url: str, **settings: Any) -> Source:
    """The account at a source that speaks the 17TRACK protocol, over real HTTP."""
    gate = StoreGate(store, clock, {ACCOUNT: Pace(rps=1000)})
    return Source(
        account=Account(id=ACCOUNT, base_url=base_url, secrets={"api_key": TOKEN}),
        adapter=SeventeenTrack(),
        transport=HttpTransport(account_id=ACCOUNT, gate=gate, clock=clock, connections=4),
        batch=40,
        concurrency=4,
        registers=True,
        **settings,
    )


def simulated() -> SimulatedClock:
    """A clock at the start."""
    return SimulatedClock(START)
