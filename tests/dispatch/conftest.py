"""An order whose first text is due, and a dispatcher whose channel does as each test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests import house
from tests.house import ACCOUNT, START, TOKEN
from tracker import config
from tracker.channels.base import Delivered
from tracker.clock import SimulatedClock
from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn
from tracker.dispatch import Dispatcher, Preparer
from tracker.engine.base import Unit, full_pass
from tracker.journal import Journal
from tracker.messages import Texts
from tracker.model import Channel, Mode, OutboxRow, OutboxState, Outgoing
from tracker.polling import Cadence, Poller
from tracker.rules import Rules
from tracker.store import OutboxView, Store
from tracker.sweep import Sweeper

DAY = timedelta(days=1)
STAGE1_DUE = START + 31.5 * DAY
SENDER = "Customer care <care@tracker.invalid>"


class Post:
    """A channel that keeps what it gets, or plays a script of outcomes."""

    def __init__(self, *outcomes: Exception) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[Outgoing] = []
        self.before_answering: Callable[[], None] = lambda: None

    async def deliver(self, message: Outgoing) -> Delivered:
        self.before_answering()
        if self.outcomes:
            raise self.outcomes.pop(0)
        self.sent.append(message)
        return Delivered(provider_id=f"queue-{len(self.sent)}")


class Office:
    """The house from the import to the post."""

    def __init__(self, store: Store, clock: SimulatedClock, rules: Rules, texts: Texts, journal: Journal) -> None:
        self.store, self.clock, self.rules, self.texts, self.journal = store, clock, rules, texts, journal
        self.post = Post()
        self.guard = False

    def dispatcher(self, **changes: Any) -> Dispatcher:
        settings: dict[str, Any] = {
            "store": self.store,
            "clock": self.clock,
            "rules": self.rules,
            "preparer": Preparer(rules=self.rules, texts=self.texts, sender=SENDER, phrases=config.english()),
            "channels": {Channel.MAILDIR: self.post},
            "journal": self.journal,
            "time_guard": lambda: self.guard,
        }
        return Dispatcher(**(settings | changes))

    async def dispatch(self, *, days: float = 0, **changes: Any) -> int:
        """Move the clock, then work until nothing is due; how many rows that were."""
        self.clock.advance_to(self.clock.now() + days * DAY)
        done, more, dispatcher = 0, True, self.dispatcher(**changes)
        while more:
            report = await dispatcher.dispatch_once()
            done, more = done + report.worked, report.more
        return done

    async def sweep(self) -> None:
        await Sweeper(store=self.store, clock=self.clock, rules=self.rules).sweep_once()

    async def rows(self, state: OutboxState) -> list[OutboxView]:
        return await self.store.outbox(states=(state,), limit=50)

    async def only(self, state: OutboxState, intent: str = "") -> OutboxRow:
        (view,) = [view for view in await self.rows(state) if intent in {"", view.row.intent.value}]
        return view.row

    async def follow(self, *parcels: ScriptedParcel, until: float) -> None:
        """Ask once at the start and once on day `until`, and decide then."""
        with StandIn(Aggregator(parcels, self.clock.now, token=TOKEN)) as stand_in:
            source = house.source(self.store, self.clock, stand_in.base_url)
            poller = Poller(store=self.store, clock=self.clock, rules=self.rules, sources={ACCOUNT: source}, cadence=Cadence())
            sweeper = Sweeper(store=self.store, clock=self.clock, rules=self.rules)
            units = [
                Unit(name="poll", every=1, run=poller.poll_once),
                Unit(name="sweep", every=1, run=sweeper.sweep_once),
            ]
            await full_pass(units)
            self.clock.advance_to(START + until * DAY)
            await full_pass(units)
            await source.transport.close()


def slow(number: str = "LZ000000001CN", *, until: int = 30) -> ScriptedParcel:
    """A parcel that moves every second day and does not arrive."""
    events = [
        ScriptedEvent(at=START + day * DAY, sub_status="InTransit_Other", description=f"Scan of day {day}", country="CN")
        for day in range(1, until, 2)
    ]
    return ScriptedParcel(number=number, events=tuple(events))


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture(scope="session")
def loaded() -> config.Loaded:
    return config.load(None, environ={})


@pytest.fixture
async def office(tmp_path: Path, clock: SimulatedClock, loaded: config.Loaded) -> AsyncIterator[Office]:
    """An own shop that mails through a Maildir, live."""
    live = house.shop(mode=Mode.LIVE, channel=Channel.MAILDIR)
    rules = replace(loaded.rules, stores={house.SHOP: live}, sources={"*": (ACCOUNT,)})
    with Journal(tmp_path / "journal.jsonl") as journal:
        async with house.database(tmp_path, clock) as store:
            yield Office(store, clock, rules, loaded.texts, journal)


@pytest.fixture
async def due(office: Office) -> Office:
    """The same with one order, whose first text is due now."""
    await house.bring_parcels(office.store, 1)
    await office.follow(slow(), until=31.5)
    return office
