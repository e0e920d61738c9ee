"""The house in the machine's hands: started, crashed, restored, told things; and the model, a dict of what people have said."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import msgspec
from msgspec.structs import replace

from tests import house
from tests.house import START
from tests.machine import configs
from tests.machine.carrier import Carrier
from tests.machine.clock import WallClock
from tests.machine.post import Post
from tracker import crashpoint, wiring
from tracker.config import Settings
from tracker.connections import sources_of
from tracker.desk import Refused
from tracker.engine.base import full_pass
from tracker.engine.guard import TimeGuard
from tracker.keeping import backup
from tracker.keeping.restore import Wish, restore
from tracker.model import Capability, Channel, ImportBatch, OrderFacts, OrderState, Outgoing, Rank, ShipmentFacts
from tracker.polling import Source
from tracker.store import Conflict, NotThere, Store, open_store
from tracker.sweep import changed_since
from tracker.wiring import House, assemble

T = TypeVar("T")

PAID = Decimal("40.00")
OWN, SPLIT, MARKET = "1001", "1002", "9001"
PARCELS = {OWN: ("LZ000000001CN",), SPLIT: ("LZ000000002CN", "LZ000000003CN"), MARKET: ("LZ000000004CN",)}
"""Order -> its parcels: a plain one, a split one, one of a marketplace whose buyers only a person can write to."""
NUMBERS = tuple(number for numbers in PARCELS.values() for number in numbers)
STORES = {OWN: house.SHOP, SPLIT: house.SHOP, MARKET: "bazaar"}

CRASH_POINTS = (
    "send_before_claim",
    "claim_before_commit",
    "claim_after_commit",
    "send_after_claim",
    "send_after_journal_begin",
    "send_after_call",
    "send_after_journal_end",
    "finish_before_commit",
    "task_before_commit",
    "register_before_commit",
    "poll_before_commit",
    "poll_after_commit",
    "sweep_before_commit",
    "sweep_after_commit",
)


class Crash(BaseException):
    """The process is dead: nothing catches it, as nothing catches SIGKILL."""


class Told(msgspec.Struct):
    """The model: what people and files have said about one order."""

    opted_out: bool = False
    waiting: bool = False
    dispute: str | None = None
    refunded: Decimal = Decimal(0)
    received: bool = False

    @property
    def silent(self) -> str | None:
        """Why nobody may reach out to this buyer (D15); None: he may be written to."""
        reasons = {"opted out": self.opted_out, "waits": self.waiting, "disputes": self.dispute, "refunded": self.refunded}
        return next((why for why, so in reasons.items() if so), None)


class World:
    """One house. Everything runs on one event loop of its own; `run` is the only way in."""

    def __init__(self, folder: Path, url: str) -> None:
        """`url` is an empty database of this code's schema, made for this world alone."""
        self.folder, self.url = folder, url
        self.clock = WallClock(START)
        self.model = {number: Told() for number in PARCELS}
        self.violations: list[str] = []
        self.config = configs.NAMES[0]
        self.carrier = Carrier(self._happen)
        self.carrier.scans = {number: [] for number in NUMBERS}
        self.post = Post(self._watch, self._happen)
        self.backups: list[tuple[Path, dict[str, Told], datetime]] = []
        self.beside: Callable[[], Awaitable[object]] | None = None
        """A person's word that comes while the daemon has a call in hand."""
        self.restored = False
        self.files = 0
        self.store: Store | None = None
        self.house: House | None = None
        self._dead: list[Store] = []
        self._runner = asyncio.Runner()
        self.run(self.tell(lambda store: self.bring(store, PARCELS)))
        self.start()

    # ------------------------------------------------------------------------------------------------------------- living

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it on the world's loop."""
        return self._runner.run(work)

    @property
    def settings(self) -> Settings:
        return configs.loaded(self.config, self.folder, self.url).settings

    @property
    def daemon(self) -> Store:
        assert self.store is not None
        return self.store

    @property
    def rooms(self) -> House:
        assert self.house is not None
        return self.house

    def start(self) -> None:
        """The daemon comes up, as `tracker run` does."""
        self.store = self.run(open_store(self.url, clock=self.clock, daemon=True))
        self.guard = TimeGuard(self.clock)
        self.configure(self.config)

    def configure(self, name: str) -> None:
        """The house of this configuration, on the store that is open."""
        self.config = name
        loaded = configs.loaded(name, self.folder, self.url)

        async def begin() -> House:
            await changed_since(self.daemon, loaded)
            with (
                mock.patch.object(wiring, "sources_of", self._sources),
                mock.patch.object(wiring, "_channels", return_value=dict.fromkeys((Channel.SMTP, Channel.MAILDIR), self.post)),
            ):
                rooms = assemble(loaded, self.daemon, self.clock, guard=self.guard)
            await rooms.dispatcher.recover()
            return rooms

        self.house = self.run(begin())

    def _sources(self, settings: Settings, store: Store, clock: WallClock) -> dict[str, Source]:
        return {name: replace(source, transport=self.carrier) for name, source in sources_of(settings, store, clock).items()}

    def stop(self) -> None:
        """The daemon ends, asked to."""
        if self.house is not None:
            self.run(self.house.close())
        if self.store is not None:
            self.run(self.store.close())
        self.house = self.store = None

    def die(self) -> None:
        """The process is gone: nothing is closed, the kernel drops the lock."""
        store = self.daemon
        if store._lock is not None:
            store._lock.release()
            store._lock = None
        if store.fleet:
            self.run(store.close())  # a server ends the sessions of a client that is gone
        else:
            self._dead.append(store)
        self.house = self.store = None

    def close(self) -> None:
        """Clean up after the test."""
        self.stop()
        self._bury()
        self._runner.close()

    def _bury(self) -> None:
        """The handles that the kernel would have closed with the process: left open as long as they harm nobody."""
        while self._dead:
            with suppress(Exception):
                self.run(self._dead.pop().close())

    @contextmanager
    def armed(self, point: str, passage: int = 1) -> Iterator[None]:
        """Die at this point of the code, where a real process would be killed."""

        def kill(*_: int) -> None:
            raise Crash(point)

        kernel = SimpleNamespace(kill=kill, getpid=os.getpid)
        with (
            mock.patch.object(crashpoint, "_ARMED", point),
            mock.patch.object(crashpoint, "_left", [passage]),
            mock.patch.object(crashpoint, "os", kernel),
        ):
            yield

    def work(self, *, units: tuple[str, ...] = ()) -> None:
        """One full pass over all that is due, or over these units."""
        chosen = [unit for unit in self.rooms.units if unit.name != "errands" and (not units or unit.name in units)]
        self.run(full_pass(chosen))

    def live(self, some: timedelta, *, step: timedelta = timedelta(days=1)) -> None:
        """Time goes by, and the daemon looks every `step`."""
        until = self.clock.truth + some
        while self.clock.truth < until:
            self.clock.live(min(step, until - self.clock.truth))
            self.work()

    def drain(self) -> None:
        """All that is due now is done; what has just been decided is looked at again a little later."""
        for _ in range(4):
            self.work()
            self.clock.live(timedelta(minutes=6))
        self.work()

    # ------------------------------------------------------------------------------------------------------------- people

    async def tell(self, say: Callable[[Store], Awaitable[T]]) -> T | None:
        """A command beside the daemon: what it returns, None where it was refused."""
        store = await open_store(self.url, clock=self.clock)
        try:
            return await say(store)
        except (Refused, Conflict, NotThere):
            return None
        finally:
            await store.close()

    async def bring(self, store: Store, orders: dict[str, tuple[str, ...]]) -> bool:
        """These orders come in a file. Always another file, so that its rows are read again."""
        self.files += 1
        facts, parcels = list[OrderFacts](), list[ShipmentFacts]()
        for row, (number, numbers) in enumerate(orders.items()):
            facts.append(_order(number, row))
            parcels += [_parcel(each, number, row) for each in numbers]
        await store.save_import(
            ImportBatch(
                file=f"orders-{self.files}.csv",
                format="test",
                digest=f"{self.files:032x}",
                rank_orders=Rank.MARKETPLACE,
                rank_tracking=Rank.MARKETPLACE,
                rows=len(facts),
                orders=tuple(facts),
                shipments=tuple(parcels),
            ),
            self.clock.now(),
        )
        return True

    def back_up(self) -> None:
        made = backup.make(self.settings, None, self.clock.now(), why=f"-{len(self.backups)}")
        self.backups.append((Path(made.path), copy.deepcopy(self.model), self.clock.truth))

    def put_back(self, which: int) -> None:
        """The daemon stops, a backup takes the database's place, the daemon starts: what people said since is forgotten."""
        file, model, _ = self.backups[which % len(self.backups)]
        self.stop()
        self._bury()
        self.clock.live(timedelta(minutes=1))  # what is put aside has the second in its name
        restore(self.settings, Wish(file=file, now=self.clock.now(), by="mei"))
        self.model = copy.deepcopy(model)
        self.restored = True
        self.start()

    # ----------------------------------------------------------------------------------------------------------- watching

    async def _happen(self) -> None:
        """What was to happen while a call is under way."""
        happens, self.beside = self.beside, None
        if happens is not None:
            await happens()

    async def _watch(self, message: Outgoing) -> None:
        """I4, at the door: whether this may be said to this buyer at this moment."""
        from tests.machine.invariants import may_be_sent

        self.violations += await may_be_sent(self, message)


def _order(number: str, row: int) -> OrderFacts:
    market = STORES[number] != house.SHOP
    known: dict[str, Any] = {
        "state": OrderState.SHIPPED,
        "country": "BR",
        "buyer_name": "Ana Souza",
        "buyer_email": None if market else f"ana{number}@buyers.example",
        "amount": PAID,
        "currency": "USD",
        "paid_at": START - timedelta(days=1),
        "shipped_at": START,
    }
    if market:
        known["window_end"] = START + timedelta(days=75)
    return OrderFacts(store=STORES[number], platform="aliexpress" if market else "own_shop", number=number, row=row, **known)


def _parcel(number: str, order: str, row: int) -> ShipmentFacts:
    return ShipmentFacts(
        number=number,
        row=row,
        store=STORES[order],
        order=order,
        carrier="china_post",
        service="standard",
        capability=Capability.END_TO_END,
        matched=True,
        origin="CN",
        country="BR",
        shipped_at=START,
    )
