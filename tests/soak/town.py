"""The shop of the soak: the daemon's own units on a simulated clock, orders all day, a clerk who works every morning."""

from __future__ import annotations

import gc
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from msgspec.structs import replace

from tests import house
from tests.house import START
from tests.machine.configs import loaded
from tests.soak.judge import FORGOTTEN, KEPT, Sample
from tests.soak.source import MEAN_DAYS, Oracle, Quick
from tracker import log, wiring
from tracker.channels.base import Delivered
from tracker.clock import SimulatedClock
from tracker.config import Loaded
from tracker.connections import sources_of
from tracker.desk import Refused, effects, review, tasks
from tracker.engine.base import full_pass
from tracker.model import Channel, Outgoing
from tracker.polling import Source
from tracker.store import Conflict, NotThere, Store, TaskResult, TaskView, create, open_store
from tracker.store.connection import SqliteDatabase, driver
from tracker.wiring import House, assemble

DAYS = 70.0
"""What a run simulates, however many ticks it has: the first month fills the shop, the rest is its plateau."""

PLATEAU = 36.0
"""The usual parcel has lived, is settled and forgotten by then."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much. `shipments` are under way at a time; `samples` measurements are taken."""

    ticks: int = 10_000
    shipments: int = 100_000
    samples: int = 50
    keeps: bool = False
    """Nothing is forgotten: the soak must notice."""

    @property
    def step(self) -> timedelta:
        """Between two ticks."""
        return timedelta(days=DAYS / self.ticks)

    @property
    def per_day(self) -> float:
        """Orders a day."""
        return self.shipments / MEAN_DAYS


class Lines(io.StringIO):
    """A log file that only counts its lines."""

    count = 0

    def write(self, text: str) -> int:
        """Counted and gone."""
        self.count += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Nothing is kept."""


class Sink:
    """A mail server that takes everything and keeps a number."""

    def __init__(self) -> None:
        self.sent = 0

    async def deliver(self, message: Outgoing) -> Delivered:
        """Taken."""
        self.sent += 1
        return Delivered(provider_id=str(self.sent))


class Town:
    """One run. `tick` is what the daemon does between two looks at the clock."""

    def __init__(self, plan: Plan, clock: SimulatedClock, store: Store, rooms: House, known: Loaded, lines: Lines) -> None:
        self._plan, self._clock, self._store, self._rooms, self._known = plan, clock, store, rooms, known
        self._lines, self._told = lines, 0
        self._orders = 0
        self._morning = START
        self.sink = Sink()

    async def tick(self) -> None:
        """Time goes by: orders come, the units do what is due, in the morning the clerk does what waits."""
        self._clock.advance_to(self._clock.now() + self._plan.step)
        await self._orders_come()
        await full_pass(self._rooms.units)
        if self._clock.now() >= self._morning:
            self._morning = self._clock.now() + timedelta(days=1)
            await self._clerk()

    async def _orders_come(self) -> None:
        now = self._clock.now()
        until = int((now - START) / timedelta(days=1) * self._plan.per_day)
        new = range(self._orders, until)
        if not new:
            return
        self._orders = until
        orders = [house.order(f"{serial:08d}", row=serial, shipped_at=now) for serial in new]
        parcels = [house.parcel(f"LZ{serial:09d}CN", f"{serial:08d}", row=serial, shipped_at=now) for serial in new]
        await house.bring(self._store, orders, parcels, now)

    async def _clerk(self) -> None:
        now, rules = self._clock.now(), self._known.rules
        for view in await effects.held(self._store):
            await effects.release(self._store, view.row.id, by="lin", reason="looked", now=now)
        for view in await review.waiting(self._store, now=now):
            await _said(
                review.decide(self._store, view.row.id, approve=True, by="lin", reason="right", seen=None, rules=rules, now=now)
            )
        for task in await tasks.listed(self._store):
            done = tasks.done(self._store, task.id, _result(task, now), by="lin", now=now, seen=len(task.live))
            await _said(done)

    async def sample(self, tick: int) -> Sample:
        """The house as it is."""
        db = self._store._db

        def counted(tx: Any) -> dict[str, int]:
            return {name: int(tx.value(f"SELECT count(*) FROM {name}")) for name in (*KEPT, *FORGOTTEN)}  # noqa: S608 - ours

        rows = await db.read(counted)
        live = await db.read(lambda tx: int(tx.value("SELECT count(*) FROM shipment WHERE next_poll_at IS NOT NULL")))
        path = self._known.settings.folder / "tracker.db"
        lines, self._told = self._lines.count - self._told, self._lines.count
        gc.collect()
        return Sample(
            tick=tick,
            day=(self._clock.now() - START) / timedelta(days=1),
            orders=self._orders,
            live=live,
            rss=_resident(),
            objects=len(gc.get_objects()),
            handles=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - the listing's own handle is counted every time
            db=path.stat().st_size / _MB,
            wal=path.with_name("tracker.db-wal").stat().st_size / _MB,
            lines=lines,
            rows=rows,
        )


def _resident() -> float:
    """MB of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / _MB


async def _said(work: Any) -> None:
    """A person's word that the facts have overtaken is no word."""
    try:
        await work
    except (Refused, Conflict, NotThere):
        return


def _result(task: TaskView, now: datetime) -> TaskResult:
    if "window_end" in task.wants:
        return TaskResult(window_end=now + timedelta(days=15))
    if "amount" in task.wants:
        return TaskResult(amount=Decimal(task.items[0].facts["amount"]), reference=f"RF-{task.id}")
    return TaskResult(note="done")


@asynccontextmanager
async def opened(plan: Plan, folder: Path, lines: Lines) -> AsyncIterator[Town]:
    """The shop in an empty folder, its retention and its polling set so that a month shows everything."""
    known = _configured(plan, folder)
    clock = SimulatedClock(START)
    create(known.settings.database_url, rehearsal=False, now=START)
    store = await open_store(known.settings.database_url, clock=clock, daemon=True)
    sink = Sink()
    oracle = Oracle(clock, START, plan.per_day)
    with (
        mock.patch.object(wiring, "sources_of", _asks(sources_of, oracle)),
        mock.patch.object(wiring, "_channels", return_value=dict.fromkeys((Channel.SMTP, Channel.MAILDIR), sink)),
    ):
        rooms = assemble(known, store, clock)
    gc.collect()
    gc.freeze()  # what is there from the start is no news, and need not be looked through at every sample
    try:
        _hurry(store)
        await rooms.dispatcher.recover()
        town = Town(plan, clock, store, rooms, known, lines)
        town.sink = sink
        yield town
    finally:
        gc.unfreeze()
        await rooms.close()
        await store.close()


def _hurry(store: Store) -> None:
    """Nobody waits for the disk: that is no matter of growth."""
    database = store._db
    if isinstance(database, SqliteDatabase):
        driver(database._connection).execute("PRAGMA synchronous=OFF")


def _asks(real: Callable[..., dict[str, Source]], oracle: Oracle) -> Callable[..., dict[str, Source]]:
    def asked(*told: Any) -> dict[str, Source]:
        return {name: replace(each, adapter=Quick(), transport=oracle, batch=400) for name, each in real(*told).items()}

    return asked


def _configured(plan: Plan, folder: Path) -> Loaded:
    known = loaded("as before", folder, f"sqlite:///{folder / 'tracker.db'}")
    settings = known.settings
    days = 0 if plan.keeps else 3
    retention = replace(
        settings.retention, personal_days=days, scans_days=days, answers_days=days, journal_days=5, at=time(4, 20), zone="UTC"
    )
    poll = replace(settings.poll, fresh_h=48, moving_h=48, stale_h=48, final_days=1)
    settings = replace(settings, retention=retention, poll=poll, backup=replace(settings.backup, at=None))
    return replace(known, settings=settings)


def text(sample: Sample) -> str:
    """One line of the table."""
    rows = "".join(f"{sample.rows[name]:>12,}" for name in ("tracking_event", "raw_answer", "outbox", "audit"))
    return (
        f"{sample.tick:>7,}{sample.day:>7.1f}{sample.orders:>10,}{sample.live:>9,}{sample.rss:>8.0f}{sample.objects:>10,}"
        f"{sample.handles:>5}{sample.db:>9.1f}{sample.wal:>8.1f}{sample.lines:>8,}{rows}"
    )


HEAD = (
    f"{'tick':>7}{'day':>7}{'orders':>10}{'live':>9}{'RSS MB':>8}{'objects':>10}{'fds':>5}{'db MB':>9}{'WAL MB':>8}{'lines':>8}"
    f"{'scans':>12}{'raw answers':>12}{'outbox':>12}{'audit':>12}"
)


async def soak(plan: Plan, folder: Path, tell: Callable[[str], None]) -> list[Sample]:
    """All of it; `tell` gets the table line by line."""
    lines = Lines()
    log.configure("json", lines, strict=True)
    samples = []
    tell(HEAD)
    async with opened(plan, folder, lines) as town:
        every = max(1, plan.ticks // plan.samples)
        for tick in range(1, plan.ticks + 1):
            await town.tick()
            if tick % every == 0:
                samples.append(await town.sample(tick))
                tell(text(samples[-1]))
    return samples
