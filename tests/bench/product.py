"""The product's side: real import, database, poll shell over HTTP and sweep; only the carrier and the date are not real.

A database is prepared once (imported and registered) and copied for each run, so that every run starts from the same file.
A cycle is units of work of the shells until nothing is due, as an engine does them.
"""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from carriers.base import Account
from carriers.dhl_unified import DhlUnified
from carriers.http import HttpTransport, make_transport
from carriers.seventeen_track import SeventeenTrack
from tests.bench.answers import CARRIER, LATEST, numbers
from tests.bench.micro import cpu_us
from tracker import config
from tracker.clock import SystemClock, epoch
from tracker.engine.base import Report
from tracker.model import (
    Capability,
    ImportBatch,
    Mode,
    OrderFacts,
    OrderState,
    Rank,
    ShipmentFacts,
)
from tracker.policy import decide
from tracker.polling import Cadence, Pace, Poller, Source, StoreGate
from tracker.rules import Rules
from tracker.rules import Store as Shop
from tracker.store import Store, create, open_store
from tracker.store.rows import AnswerWrite, PollWrite
from tracker.sweep import Sweeper

ACCOUNT = "bench"
FIRST_AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""When everything is asked about for the first time."""

SAME_AT = FIRST_AT + timedelta(hours=30)
"""When everything is due again, and nobody has any news."""

NEWS_AT = SAME_AT + timedelta(hours=30)
"""When everything is due once more, and each parcel has been scanned once."""

IMPORTED_AT = FIRST_AT - timedelta(days=20)

CYCLES: Mapping[str, datetime] = {"first": FIRST_AT, "same": SAME_AT}

_FILE = 10_000
"""Rows of one imported file."""


class BenchClock(SystemClock):
    """The date stands still until it is moved; waiting and durations are real."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


async def prepare(path: Path, shipments: int, *, decided: bool) -> dict[str, float]:
    """Make a database: `import` is the CPU of its import (us a parcel). All is registered at the source, and `decided` once."""
    url = _url(path)
    clock = BenchClock(IMPORTED_AT)
    create(url, rehearsal=True, now=clock.now())
    store = await open_store(url, clock=clock, daemon=True)
    every = numbers(shipments)
    spent = 0.0
    for start in range(0, shipments, _FILE):
        file = _file(every[start : start + _FILE], start)
        started = time.process_time()
        await store.save_import(file, clock.now())
        spent += time.process_time() - started
    await _register(store, every, clock.now())
    if decided:
        await _until_done(Sweeper(store=store, clock=clock, rules=rules()).sweep_once)
    await store.close()
    return {"import": spent * 1e6 / shipments}


def _file(asked: list[str], start: int) -> ImportBatch:
    orders = tuple(
        OrderFacts(
            store=ACCOUNT,
            platform="aliexpress",
            number=f"81{start + row:09d}",
            row=row,
            state=OrderState.SHIPPED,
            country="BR",
            buyer_name="Bench Buyer",
            amount=Decimal("24.90"),
            currency="USD",
            paid_at=LATEST - timedelta(days=12),
            shipped_at=LATEST - timedelta(days=10),
            window_end=LATEST + timedelta(days=50),
        )
        for row in range(len(asked))
    )
    parcels = tuple(
        ShipmentFacts(
            number=one,
            row=row,
            store=ACCOUNT,
            order=orders[row].number,
            carrier="china_post",
            service="standard",
            capability=Capability.END_TO_END,
            matched=True,
            origin="CN",
            country="BR",
        )
        for row, one in enumerate(asked)
    )
    return ImportBatch(
        file=f"orders-{start}.xls",
        format="aliexpress",
        digest=f"{start:032x}",
        rank_orders=Rank.MARKETPLACE,
        rank_tracking=Rank.MARKETPLACE,
        rows=len(asked),
        orders=orders,
        shipments=parcels,
    )


async def _register(store: Store, every: list[str], at: datetime) -> None:
    """What the adapter remembers after registering: only looking is measured."""
    memory = {"registered_at": at.isoformat(), "carrier": CARRIER, "asked": CARRIER}
    left = iter(every)
    while some := list(islice(left, 400)):
        answers = tuple(AnswerWrite(account=ACCOUNT, number=one, memory=memory) for one in some)
        await store.write_poll(PollWrite(at=epoch(at), answers=answers))


class Product:
    """The shells on one database, wired as the daemon wires them."""

    def __init__(self, store: Store, clock: BenchClock, base_url: str, *, fast: bool, apiece: bool = False) -> None:
        self.store, self.clock = store, clock
        self.rules = rules()
        gate = StoreGate(store, clock, {ACCOUNT: Pace(rps=100_000)})
        pool = make_transport(fast=fast, connections=8)
        adapter = DhlUnified() if apiece else SeventeenTrack()
        self.transport = HttpTransport(account_id=ACCOUNT, gate=gate, clock=clock, transport=pool)
        source = Source(
            account=Account(id=ACCOUNT, base_url=base_url, secrets={"api_key": "invented"}),
            adapter=adapter,
            transport=self.transport,
            batch=adapter.batch_size,
            registers=not apiece,
            apiece=apiece,
        )
        self.poller = Poller(store=store, clock=clock, rules=self.rules, sources={ACCOUNT: source}, cadence=Cadence())
        self.sweeper = Sweeper(store=store, clock=clock, rules=self.rules)

    async def poll(self) -> tuple[int, float]:
        """Ask about all that is due: how many parcels, CPU seconds."""
        return await _until_done(self.poller.poll_once)

    def hear_news(self, base_url: str) -> None:
        """From now on the carrier tells one scan more of each parcel."""
        sources = self.poller.sources
        account = replace(sources[ACCOUNT].account, base_url=f"{base_url}/news")
        self.poller.sources = {ACCOUNT: replace(sources[ACCOUNT], account=account)}

    async def close(self) -> None:
        """Let go of the carrier and the database."""
        await self.transport.close()
        await self.store.close()

    async def sweep(self) -> tuple[int, float]:
        """Decide all that is due: how many dossiers, CPU seconds."""
        return await _until_done(self.sweeper.sweep_once)


async def _until_done(unit: Callable[[], Awaitable[Report]]) -> tuple[int, float]:
    done, more = 0, True
    started = time.process_time()
    while more:
        report = await unit()
        done += report.worked
        more = report.more
    return done, time.process_time() - started


def rules() -> Rules:
    """The shipped rules with one live store, whose parcels one account is asked about."""
    shipped = config.load(None, environ={}).rules
    shop = Shop(id=ACCOUNT, platform="aliexpress", name="Bench", zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE)
    return replace(shipped, stores={ACCOUNT: shop}, sources={"*": (ACCOUNT,), "china_post": (ACCOUNT,)})


async def cycles(path: Path, base_url: str, shipments: int, *, fast: bool, apiece: bool = False) -> dict[str, float]:
    """CPU microseconds a parcel: `first_poll`, `first_sweep` (the dossiers it touched), `same`, `one_poll`, `one_sweep`.

    Asked forty a request at 17TRACK, or, `apiece`, one a request at DHL, as karrio's poller asks.
    """
    clock = BenchClock(FIRST_AT)
    store = await open_store(_url(path), clock=clock, daemon=True)
    product = Product(store, clock, base_url, fast=fast, apiece=apiece)
    asked, first_poll = await product.poll()
    expect("first", asked, shipments)
    decided, first_sweep = await product.sweep()
    expect("sweep", decided, shipments)
    clock.at = SAME_AT
    before = await store.status(clock.now())
    written = _rows(path)
    asked, same = await product.poll()
    expect("same", asked, shipments)
    after = await store.status(clock.now())
    expect("any effect decided", any(after.outbox.values()), wanted=True)
    expect('woken by "same"', after.due_to_decide - before.due_to_decide, 0)
    expect('rows of events and effects written by "same"', _rows(path) - written, 0)
    product.hear_news(base_url)
    clock.at = NEWS_AT
    asked, one_poll = await product.poll()
    expect("one", asked, shipments)
    expect('events written by "one"', _rows(path) - written, shipments)
    _, one_sweep = await product.sweep()
    await product.close()
    spent = {"first_poll": first_poll, "first_sweep": first_sweep, "same": same, "one_poll": one_poll, "one_sweep": one_sweep}
    return {name: seconds * 1e6 / shipments for name, seconds in spent.items()}


def _rows(path: Path) -> int:
    """Events and outbox rows."""
    with closing(sqlite3.connect(path)) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("tracking_event", "outbox"))  # noqa: S608 - our own words


async def peak(path: Path, base_url: str, shipments: int, cycle: str) -> dict[str, float]:
    """Of a process that asks once about all that is due: its peak of memory (MB), and CPU microseconds a parcel of the poll.

    `cycle` is "first" or, in another process after it, "same".
    """
    clock = BenchClock(CYCLES[cycle])
    store = await open_store(_url(path), clock=clock, daemon=True)
    product = Product(store, clock, base_url, fast=False)
    asked, spent = await product.poll()
    expect(cycle, asked, shipments)
    await product.close()
    return {"us": spent * 1e6 / shipments, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


async def deciding(path: Path, rounds: int) -> dict[str, float]:
    """CPU microseconds of decide() for one dossier, over 200 dossiers as the sweep loads them."""
    clock = BenchClock(SAME_AT)
    store = await open_store(_url(path), clock=clock)
    dossiers = await store.load_dossiers(range(1, 201))
    await store.close()
    known = rules()

    def decide_all() -> None:
        for dossier in dossiers:
            decide(dossier, known, clock.at)

    return {"decide": cpu_us(decide_all, max(1, rounds // 5)) / len(dossiers)}


def expect(what: str, found: int, wanted: int) -> None:
    """A benchmark that did not do its work must not report that it was fast."""
    if found != wanted:
        raise RuntimeError(f"{what}: {found} instead of {wanted}")


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
