"""Tells the story: days of real pipeline on a simulated clock, with a carrier stand-in that answers over real HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tracker import config, log
from tracker.clock import SimulatedClock
from tracker.demo.cast import Cast, load
from tracker.demo.clerk import Clerk
from tracker.demo.stage import KEY, deliver_files, set_up
from tracker.demo.standin import Aggregator, StandIn
from tracker.engine.base import Unit
from tracker.engine.simulated import SimulatedEngine
from tracker.model import ActionKind, DecisionReason, OutboxState
from tracker.reports.register import Source, register_sheet
from tracker.reports.sheet import write_both
from tracker.reports.summary import Section, summarise
from tracker.reports.worksheet import TASKS, Setting, task_lines, worksheet
from tracker.store import OrderRef, OutboxView, Store, open_store
from tracker.wiring import assemble, next_due

TICK = timedelta(hours=1)
"""What falls due within an hour is done together: a day has 24 steps at most."""

SECOND_FILES = 7.0
"""Story day on which the shops' files come again: an overlap that must change nothing."""

HELD_BACK = frozenset(
    reason.value
    for reason in (
        DecisionReason.OPTED_OUT,
        DecisionReason.WAITING_FOR_FACTS,
        DecisionReason.STILL_MOVING,
        DecisionReason.IN_LAST_MILE,
        DecisionReason.WAITS_FOR_BUYERS_ACTION,
        DecisionReason.SETTLED_BY_PLATFORM,
        DecisionReason.SILENCE_IS_NORMAL,
        DecisionReason.RECOMMENDATION_REJECTED,
        DecisionReason.NO_EXTENSION_THERE,
        DecisionReason.SUPERSEDED_BY_LATER_STAGE,
        DecisionReason.DELIVERED,
        DecisionReason.REFUNDED,
    )
)
"""Reasons worth telling at the end: why nothing was done although it was looked at."""

Progress = Callable[[float], None]
"""Hears the story day after every step."""


class Tale(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one order: its ending in the cast, and what the product did about it, day by day."""

    order: str
    store: str
    country: str
    ending: str
    steps: tuple[str, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the story: what was done and why, one tale an order, and where to look."""

    days: int
    orders: int
    parcels: int
    folder: str
    summary: tuple[Section, ...]
    tales: tuple[Tale, ...]
    asked: int
    registered: int
    look: dict[str, str]


async def tell(days: int, folder: Path, progress: Progress = lambda _: None) -> Told:
    """Live through `days` and say how it ended. Raises Occupied, OSError."""
    cast = load()
    clock = SimulatedClock(cast.start)
    aggregator = Aggregator(cast.scripted(), clock.now, token=KEY, troubles=cast.troubles())
    with StandIn(aggregator) as stand_in:
        loaded = config.load(set_up(folder, cast, stand_in.base_url), environ={})
        with (folder / "tracker.log").open("a", encoding="utf-8") as stream:
            log.configure("json", stream, clock=clock)
            try:
                store = await open_store(loaded.settings.database_url, clock=clock, daemon=True)
                try:
                    await _live(days, cast, loaded, store, clock, progress)
                    return await _ending(days, folder, cast, loaded, store, clock, aggregator)
                finally:
                    await store.close()
            finally:
                log.configure()


async def _live(days: int, cast: Cast, loaded: config.Loaded, store: Store, clock: SimulatedClock, progress: Progress) -> None:
    clerk = Clerk(cast, store, loaded.rules)
    house = assemble(loaded, store, clock, patient=False)
    post = _Post(cast, loaded.settings.folder / "inbox")
    units = (
        Unit(name="post", every=60, run=lambda: post.bring(clock.now())),
        *house.units,
        Unit(name="clerk", every=60, run=lambda: clerk.work(clock.now())),
    )
    engine = SimulatedEngine(
        units,
        clock=clock,
        next_due=next_due(store, lambda: min(clerk.next_morning, post.next_round)),
        until=cast.at(days),
        grain=TICK,
        progress=lambda now: progress((now - cast.start) / timedelta(days=1)),
    )
    try:
        await engine.run(asyncio.Event())
    finally:
        await house.close()


class _Brought(msgspec.Struct, frozen=True):
    worked: int = 0
    more: bool = False


class _Post:
    """Brings the shops' files a second time."""

    def __init__(self, cast: Cast, inbox: Path) -> None:
        self._cast = cast
        self._inbox = inbox
        self._never = cast.at(100_000)
        self.next_round = cast.at(SECOND_FILES)

    async def bring(self, now: datetime) -> _Brought:
        if now < self.next_round:
            return _Brought()
        self.next_round = self._never
        await asyncio.to_thread(deliver_files, self._inbox, self._cast, "2")
        return _Brought(worked=1)


async def _ending(
    days: int, folder: Path, cast: Cast, loaded: config.Loaded, store: Store, clock: SimulatedClock, aggregator: Aggregator
) -> Told:
    now = clock.now()
    rows = await store.outbox(states=tuple(OutboxState), limit=10_000)
    tasks = await store.tasks()
    refs = {ref.number: ref for sale in cast.sale for ref in await store.find_orders(sale.number)}
    dossiers = await store.load_dossiers([ref.id for ref in refs.values()])
    reports = folder / "reports"
    zones = {shop.id: shop.zone for shop in loaded.rules.stores.values()}
    setting = Setting(phrases=loaded.phrases, zones=zones, database=await store.identity(), at=now)
    tasks_file = write_both(reports, "tasks", *worksheet(TASKS, task_lines(tasks, loaded.phrases), setting), created=now)[0]
    claims = register_sheet(Source(dossiers=dossiers, rates=loaded.rules.rates), loaded.rules.stores, loaded.phrases)
    register = write_both(reports, "register", claims, created=now)[0]
    return Told(
        days=days,
        orders=len(refs),
        parcels=len(cast.parcel),
        folder=str(folder),
        summary=summarise(rows, tasks, await _held_back(store, refs.values())),
        tales=tuple(_tales(cast, rows)),
        asked=aggregator.calls.get("gettrackinfo", 0),
        registered=aggregator.quota_used,
        look={
            "messages to buyers": str(folder / "mailbox" / "new"),
            "worksheet of tasks": str(tasks_file),
            "register of claims": str(register),
            "log": str(folder / "tracker.log"),
        },
    )


async def _held_back(store: Store, refs: Iterable[OrderRef]) -> Counter[str]:
    """What ever kept the product from acting although time had come, by the number of orders."""
    found: Counter[str] = Counter()
    for ref in refs:
        verdicts = await store.verdicts_of(ref.id, limit=1_000)
        found.update({each.reason.value for told in verdicts for each in told.verdict.considered} & HELD_BACK)
    return found


def _tales(cast: Cast, rows: list[OutboxView]) -> list[Tale]:
    tales = []
    for sale in cast.sale:
        mine = [view for view in rows if view.order.number == sale.number]
        parcels = [parcel for parcel in cast.parcel if sale.number in parcel.orders]
        tales.append(
            Tale(
                order=sale.number,
                store=sale.store,
                country=sale.country,
                ending="; ".join(parcel.ending for parcel in parcels),
                steps=tuple(_step(view) for view in sorted(mine, key=lambda view: (view.row.created_at, view.row.id))),
            )
        )
    return tales


def _step(view: OutboxView) -> str:
    row = view.row
    age = f", day {row.evidence['age_days']} of the parcel" if "age_days" in row.evidence else ""
    fate = "refused" if view.rejected else row.state.value
    amount = f" {row.amount} {row.currency}" if row.kind is ActionKind.REFUND and row.amount is not None else ""
    return f"{row.created_at:%Y-%m-%d}{age}: {row.intent.value}{amount}, because {row.reason.value}: {fate} ({row.channel.value})"
