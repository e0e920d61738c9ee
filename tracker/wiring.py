"""The composition root: from a loaded configuration, an open database and a clock to units of work. It decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from tracker import config, log
from tracker.alerts import Teller
from tracker.channels.base import Channel as BuyerChannel
from tracker.channels.base import Refused
from tracker.channels.maildir import MaildirChannel
from tracker.channels.notice import Notice
from tracker.channels.smtp import SmtpChannel
from tracker.channels.telegram import TelegramChannel
from tracker.channels.whatsapp import WhatsAppChannel
from tracker.clock import Clock, instant
from tracker.config import Loaded, Settings
from tracker.connections import markets_of, sources_of
from tracker.dispatch import Dispatcher, Preparer
from tracker.engine.base import Report, Unit, Where
from tracker.engine.guard import TimeGuard
from tracker.engine.standing import Standing
from tracker.errands import Errand, Errands
from tracker.health import Heartbeat
from tracker.intake.inbox import Inbox, scan_once
from tracker.intake.layouts import Layouts
from tracker.journal import Journal
from tracker.keeping import backup, learning, retention
from tracker.model import Channel
from tracker.polling import Cadence, MarketReader, Poller, Pusher, Source
from tracker.polling.metering import keep_quotas, metered
from tracker.polling.planning import PollPlan
from tracker.reports import handover
from tracker.store import Store
from tracker.store.errands import JOURNAL_OF
from tracker.store.records import DAEMON
from tracker.sweep import RulesGate, Sweeper

NOBODY = "Customer care <care@tracker.invalid>"
"""The sender where neither store nor [smtp] names one: only the Maildir takes such a mail."""

_POLL_LANES = 2
"""While one unit waits for its slowest source, another one works."""

_DISPATCH_LANES = 3
"""A mail server that hangs must not hold up every task."""

_LEARN_AT = time(5, 10)
"""When own deliveries are measured (UTC, on the first of a month): after backup and retention."""

_QUOTA_AT = time(0, 20)
"""When sources are asked what is left (UTC): their day is ours, and nothing of it is spent yet."""

_MARKETS_EVERY = 60.0
"""Seconds between two looks at what is due to be read of marketplaces."""

_ERRANDS_EVERY = 60.0
"""Seconds between two looks at the schedule: its times are minutes of a local day."""

_ALERTS_EVERY = 30.0
"""Seconds between two looks at what is to be told; the conditions themselves are looked at every `alerts.every_s`."""

_SIGNS_EVERY = 10.0
"""Seconds between two signs of life of a worker; at each it looks whether it may go on."""

_GIVE_UP_EVERY = 60.0
"""Seconds between two looks for messages whose worker is gone."""

_RULES_EVERY = 5.0
"""Seconds until rules that a person has accepted are in force without restraint."""

PUSHES = "pushes"
"""The unit that hears what was pushed: kicked by every push."""


class InboxDone(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the inbox: whether a file was taken, whether another one is ready."""

    worked: int
    more: bool


class Closable(Protocol):
    """What holds connections."""

    async def close(self) -> None:
        """Let them go."""
        ...


class House:
    """The wired rooms of one run. `units` in the order of a full pass; `done` counts what each has worked on."""

    def __init__(
        self,
        *,
        units: Mapping[str, Unit],
        poller: Poller,
        dispatcher: Dispatcher,
        gate: RulesGate,
        connections: Sequence[Closable],
        journal: Journal,
        markets: Sequence[str] = (),
    ) -> None:
        self._markets = tuple(markets)
        self.done: Counter[str] = Counter()
        self.poller = poller
        self.dispatcher = dispatcher
        self.gate = gate
        self.units = tuple(self._counted(unit) for unit in units.values())
        self._connections = connections
        self._journal = journal

    def _counted(self, unit: Unit) -> Unit:
        async def run() -> Report:
            report = await unit.run()
            self.done[unit.name] += report.worked
            return report

        return msgspec.structs.replace(unit, run=run)

    async def down(self) -> tuple[str, ...]:
        """The sources, and the accounts at marketplaces, whose last answer was a failure."""
        return tuple([name for name in (*self.poller.sources, *self._markets) if (await self.poller.pulse.look(name)).failures])

    async def close(self) -> None:
        """Close connections and the journal; the database stays with whoever opened it."""
        for connection in self._connections:
            await connection.close()
        self._journal.close()


def assemble(
    loaded: Loaded,
    store: Store,
    clock: Clock,
    *,
    guard: TimeGuard | None = None,
    heartbeat: Heartbeat | None = None,
    patient: bool = True,
    learned: Callable[[], None] = lambda: None,
) -> House:
    """Wire everything. `learned` is called when own deliveries have taught other ladders: they hold from the next run on.

    `patient` False: the inbox takes files at once, for a single pass that cannot come back.

    Raises OSError when the send journal cannot be opened: without it nothing may be sent.
    """
    settings, rules = loaded.settings, loaded.rules
    for value in settings.secret_values:
        log.register_secret(value)
    journal = Journal(settings.journal)
    sources = sources_of(settings, store, clock)
    cadence = Cadence(**{name: getattr(settings.poll, name) for name in Cadence.__struct_fields__})
    progress = (lambda: heartbeat.progress("poll")) if heartbeat else (lambda: None)
    poller = Poller(
        store=store,
        clock=clock,
        rules=rules,
        sources=sources,
        cadence=cadence,
        reserve=float(settings.poll.reserve_share),
        progress=progress,
    )
    gate = RulesGate(store=store, clock=clock, rules=rules, snapshot=config.snapshot(loaded))
    sweeper = Sweeper(store=store, clock=clock, rules=rules, gate=gate)
    accounts = markets_of(settings, store, clock)
    channels = _channels(settings, clock)
    dispatcher = Dispatcher(
        store=store,
        clock=clock,
        rules=rules,
        preparer=_preparer(loaded),
        channels=channels,
        journal=journal,
        accounts=accounts.known,
        who=store.worker or settings.worker or backup.MAIN,
        time_guard=guard.distrusts if guard else (lambda: False),
        trust_clock=guard.confirm if guard else (lambda: None),
        clock_came_back=guard.came_back if guard else (lambda: False),
    )
    engine = settings.engine
    teller = Teller(loaded, store, clock, heartbeat.failing) if heartbeat else Teller(loaded, store, clock)
    distrusts = guard.distrusts if guard else (lambda: False)
    daily = (*_schedule(loaded, store, teller, clock, journal, learned, distrusts), *_asking(sources.values(), store, clock))
    errands = Errands(daily, store, clock)
    reader = MarketReader(store=store, clock=clock, rules=rules, accounts=accounts.known, pulse=poller.pulse)
    markets = (
        {"markets": Unit(name="markets", every=_MARKETS_EVERY, run=reader.read_once, where=Where.ONE)}
        if accounts.known.all
        else {}
    )
    pusher = Pusher(poller)
    units = {
        "rules": Unit(name="rules", every=_RULES_EVERY, run=gate.work_once, where=Where.HERE),
        PUSHES: Unit(name=PUSHES, every=engine.poll_interval_s, run=pusher.hear_once, where=Where.ONE),
        "poll": Unit(
            name="poll", every=engine.poll_interval_s, run=poller.poll_once, lanes=_POLL_LANES, planned=PollPlan(poller)
        ),
        **markets,
        "sweep": Unit(name="sweep", every=engine.sweep_interval_s, run=sweeper.sweep_once, priority=10),
        "dispatch": Unit(
            name="dispatch",
            every=engine.dispatch_interval_s,
            run=dispatcher.dispatch_once,
            lanes=_DISPATCH_LANES,
            priority=20,
        ),
        "errands": Unit(name="errands", every=_ERRANDS_EVERY, run=errands.run_once, where=Where.ONE),
    }
    if store.worker is not None:
        standing = Standing(store, clock)
        units["standing"] = Unit(name="standing", every=_SIGNS_EVERY, run=standing.sign, where=Where.HERE)
        own = Errands(_own(settings, store, store.worker, journal, distrusts), store, clock)
        units["journal"] = Unit(name="journal", every=_ERRANDS_EVERY, run=own.run_once, where=Where.HERE)
        units["given up"] = Unit(name="given up", every=_GIVE_UP_EVERY, run=standing.give_up, where=Where.ONE)
    if Teller.wanted(loaded):
        units["alerts"] = Unit(name="alerts", every=_ALERTS_EVERY, run=teller.work_once, where=Where.ONE)
    if settings.inbox is not None:
        look = _inbox(loaded, settings.inbox, store, clock, patient=patient)
        units = {"inbox": Unit(name="inbox", every=engine.inbox_interval_s, run=look, where=Where.HERE)} | units
    messengers = [each for each in channels.values() if isinstance(each, WhatsAppChannel | TelegramChannel)]
    transports = [source.transport for source in sources.values()]
    connections: tuple[Closable, ...] = (*transports, *accounts.transports, *messengers, teller)
    return House(
        units=units,
        poller=poller,
        dispatcher=dispatcher,
        gate=gate,
        connections=connections,
        journal=journal,
        markets=reader.names,
    )


def _preparer(loaded: Loaded) -> Preparer:
    server = loaded.settings.smtp
    return Preparer(rules=loaded.rules, texts=loaded.texts, sender=server.from_ if server else NOBODY, phrases=loaded.phrases)


def next_due(store: Store, outside: Callable[[], datetime | None] = lambda: None) -> Callable[[], Awaitable[datetime | None]]:
    """For the simulated engine: the smallest due instant of all rows and of the world outside."""

    async def smallest() -> datetime | None:
        rows = (await store.next_due()).first
        known = [at for at in (None if rows is None else instant(rows), outside()) if at is not None]
        return min(known, default=None)

    return smallest


def _schedule(
    loaded: Loaded,
    store: Store,
    teller: Teller,
    clock: Clock,
    journal: Journal,
    learned: Callable[[], None],
    distrusts: Callable[[], bool],
) -> tuple[Errand, ...]:
    """Everything that is done by the day or the month."""
    settings, found = loaded.settings, list[Errand]()
    shift = settings.handover
    if shift.at is not None:
        tell = partial(hand_over, loaded, store, teller)
        found.append(Errand(name="handover", at=shift.at, zone=shift.zone, every="day", run=tell))
    if settings.backup.at is not None:
        run = partial(_back_up, settings)
        found.append(Errand(name="backup", at=settings.backup.at, zone=settings.backup.zone, every="day", run=run))
    if loaded.rules.manners.learn_from:
        found.append(Errand(name="transit", at=_LEARN_AT, zone="UTC", every="month", run=partial(_learn, store, learned)))
    keep = settings.retention
    if keep.at is not None:
        # Of a fleet's journals each is pruned by the worker that holds it open.
        prune = journal.prune if store.worker is None else _left_to_its_worker
        forget = partial(_purge, settings, store, clock, prune, distrusts)
        found.append(Errand(name="retention", at=keep.at, zone=keep.zone, every="day", run=forget))
    return tuple(found)


def _asking(sources: Iterable[Source], store: Store, clock: Clock) -> tuple[Errand, ...]:
    """Sources that tell what is left of their accounts are asked once a day, when the day has just begun."""
    asked = metered(sources)

    async def ask(_occasion: str, now: datetime) -> str:
        return await keep_quotas(asked, store, clock, now)

    return (Errand(name="quota", at=_QUOTA_AT, zone="UTC", every="day", run=ask),) if asked else ()


async def hand_over(loaded: Loaded, store: Store, teller: Teller, occasion: str, now: datetime) -> str:
    """The handover of a shift, to whoever is named (R53, R89); whom it reached. Raises Refused when nobody took it."""
    shift = await handover.hand_over(store, loaded, now)
    message = Notice(
        key=f"handover/{occasion}",
        kind="handover",
        title=f"Tracker: {handover.title(shift, loaded.phrases)}",
        lines=tuple(handover.lines(shift, loaded.phrases)),
        at=now,
        language=loaded.phrases.language,
    )
    took = await teller.tell(message, loaded.settings.handover.to)
    if not took:
        raise Refused("nobody took the handover: alert.untold in the log says why", retry=True)
    return f"told {', '.join(took)}"


async def _learn(store: Store, learned: Callable[[], None], _occasion: str, now: datetime) -> str:
    found, new = await learning.learn(store, now)
    if new:
        learned()
    told = ", ".join(f"{name} {own.count}" for name, own in found.items()) or "nothing to learn from yet"
    return f"own deliveries: {told}"


async def _purge(
    settings: Settings,
    store: Store,
    clock: Clock,
    prune: Callable[[datetime], int | None],
    distrusts: Callable[[], bool],
    _occasion: str,
    _now: datetime,
) -> str:
    """What is forgotten does not come back: a clock that has jumped forward forgets nothing (faults row 13)."""
    _trusted(distrusts)
    return str(await retention.purge(store, settings, clock, by=DAEMON, prune=prune))


def _left_to_its_worker(_before: datetime) -> None:
    """No journal is cut by another worker than its own."""


def _own(settings: Settings, store: Store, worker: str, journal: Journal, distrusts: Callable[[], bool]) -> tuple[Errand, ...]:
    """What each worker of a fleet does for itself, by the same schedule: its journal is open here and nowhere else (row 27)."""
    keep = settings.retention
    if keep.at is None:
        return ()

    async def prune(_occasion: str, now: datetime) -> str:
        _trusted(distrusts)
        oldest = await store.oldest_backup(worker, retention.oldest_backup(settings))
        return f"{journal.prune(retention.journal_from(settings, now, oldest)):,} bytes of the send journal"

    return (Errand(name=f"{JOURNAL_OF}{worker}", at=keep.at, zone=keep.zone, every="day", run=prune),)


def _trusted(distrusts: Callable[[], bool]) -> None:
    if distrusts():
        raise Refused("the clock is not trusted, so nothing is forgotten; see: tracker hold list", retry=True)


async def _back_up(settings: Settings, _occasion: str, now: datetime) -> str:
    return await backup.daily(settings, now)


def _channels(settings: Settings, clock: Clock) -> dict[Channel, BuyerChannel]:
    channels: dict[Channel, BuyerChannel] = {Channel.MAILDIR: MaildirChannel(settings.maildir, clock)}
    if settings.smtp is not None:
        channels[Channel.SMTP] = SmtpChannel(settings.smtp, clock)
    if settings.whatsapp is not None:
        channels[Channel.WHATSAPP] = WhatsAppChannel(settings.whatsapp)
    if settings.telegram is not None:
        channels[Channel.TELEGRAM] = TelegramChannel(settings.telegram)
    return channels


def _inbox(loaded: Loaded, folder: Path, store: Store, clock: Clock, *, patient: bool) -> Callable[[], Awaitable[Report]]:
    inbox = Inbox(folder)
    layouts = Layouts(loaded)

    async def look() -> Report:
        report = await scan_once(inbox, store, clock.now(), knowledge=layouts.now(), patient=patient)
        return InboxDone(worked=int(report.moved is not None), more=report.more)

    return look
