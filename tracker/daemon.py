"""The life of `tracker run`: start, tell systemd, reload, drain, stop.

Exit codes (facts/systemd.md section 6): 0 asked to stop, 74 database damaged, 75 start me again, 78 configuration or schema.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tracker import config, log
from tracker.clock import Clock, SystemClock
from tracker.config import ConfigError, Loaded
from tracker.engine.choosing import engine_of
from tracker.engine.guard import TimeGuard
from tracker.engine.local import LocalEngine
from tracker.engine.standing import Standing
from tracker.health import Heartbeat, Notifier, Sign, watch_loop, write_sign
from tracker.heap import settle
from tracker.intake.importing import knowledge_of
from tracker.log import Event, get_logger
from tracker.metrics import Reporter
from tracker.store import Store, open_store, place, share_files
from tracker.store import errors as store_errors
from tracker.sweep import changed_since, tell_differences
from tracker.wiring import PUSHES, House, assemble

if TYPE_CHECKING:
    from tracker.engine.fleet import FleetEngine
    from tracker.receiver import Receiver

STOPPED, DAMAGED, AGAIN, CONFIG = 0, 74, 75, 78

_CODES: Mapping[type[store_errors.StoreError], int] = {
    store_errors.Damaged: DAMAGED,
    store_errors.Unwritable: DAMAGED,
    store_errors.UnsupportedDatabase: CONFIG,
    store_errors.DatabaseMissing: CONFIG,
    store_errors.SchemaTooOld: CONFIG,
    store_errors.SchemaTooNew: CONFIG,
    store_errors.NotARehearsal: CONFIG,
    store_errors.Retired: CONFIG,
}
"""What the daemon exits with; every other error of the store is worth another start (75)."""

FATAL = (store_errors.EpochLost, store_errors.Damaged, store_errors.Gone, store_errors.SchemaMoved)
"""What ends a running daemon: another one has taken over, the file is damaged, the server is gone, or its schema has moved on.

Everything else is tried again.
"""

_FORMATS: Mapping[str, log.Format] = {"auto": "auto", "json": "json", "console": "console"}

_ONE_WORKER = (
    "worker {worker} on SQLite: one database file has one daemon. Use tracker.service (systemctl disable --now tracker@{worker}; "
    "systemctl enable --now tracker), or set database.url to a PostgreSQL"
)

_STATUS_EVERY = 20.0

SERVER_SECONDS = 60.0
"""How long a start waits for a server that does not answer: an outage is longer than the ten starts that systemd allows."""

_SERVER_AGAIN = 3.0

_log = get_logger()


def run(path: Path | None, environ: Mapping[str, str] = os.environ) -> int:
    """The resident daemon; its exit code. Everything that goes wrong is said in one line of the log."""
    faulthandler.enable()
    log.configure()
    try:
        loaded = config.load(path, environ=environ, serving=True)
        log.configure(_FORMATS[loaded.settings.log_format])
        if loaded.settings.worker and loaded.settings.database_url.startswith("sqlite"):
            return _failed(CONFIG, _ONE_WORKER.format(worker=loaded.settings.worker))
        share_files(loaded.settings.database_url)
        settle()
        return asyncio.run(Daemon(path, environ, loaded).run())
    except ConfigError as error:
        reason = "; ".join(str(problem) for problem in error.problems)
        return _failed(CONFIG, f"{reason} (tracker config check lists them all)")
    except store_errors.StoreError as error:
        return _failed(next((code for kind, code in _CODES.items() if isinstance(error, kind)), AGAIN), str(error))
    except OSError as error:
        return _failed(AGAIN, f"{error} (the send journal must be writable, else nothing may be sent)")


def _failed(code: int, reason: str) -> int:
    _log.error(Event.DAEMON_FAILED, exit_code=code, reason=reason)
    return code


class Daemon:
    """One run of the resident daemon."""

    def __init__(self, path: Path | None, environ: Mapping[str, str], loaded: Loaded, clock: Clock | None = None) -> None:
        self._path = path
        self._environ = environ
        self._loaded = loaded
        self._clock = clock or SystemClock()
        self._notifier = Notifier(environ)
        self._heartbeat = Heartbeat(self._clock)
        self._guard = TimeGuard(self._clock)
        self._stop = asyncio.Event()
        self._turn = asyncio.Event()
        self._reloads: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()
        self._before: Loaded | None = None
        """The configuration that worked, while a new one has yet to prove that it can."""
        self._stopping_since = 0.0
        self._since = self._clock.now()
        self._reload_good = True

    async def run(self) -> int:
        """Until a signal asks for the end. Raises StoreError."""
        url = self._loaded.settings.database_url
        store = await self._opened(url)
        try:
            await self._refuse_rehearsal(store)
            if store.fleet:
                await Standing(store, self._clock).agree()
                self._guard.confirm()
            self._listen()
            _log.info(
                Event.DAEMON_STARTED,
                version=version("logistics-tracker"),
                config=self._loaded.rules.version,
                database=place(url),
                epoch=store.epoch,
                worker=store.worker,
            )
            await changed_since(store, self._loaded)
            while not self._stop.is_set():
                await self._one_configuration(store)
            with suppress(store_errors.StoreError):
                await store.sign_off(self._clock.now())
        finally:
            await store.close()
            self._unsign()
        _log.info(Event.DAEMON_STOPPED, exit_code=STOPPED, seconds=round(self._clock.monotonic() - self._stopping_since, 1))
        return STOPPED

    async def _opened(self, url: str) -> Store:
        """The store; of a server that is just being started it is waited for."""
        until = self._clock.monotonic() + SERVER_SECONDS
        owner, worker = f"process {os.getpid()}", self._loaded.settings.worker
        told = False
        while True:
            try:
                return await open_store(url, clock=self._clock, daemon=True, owner=owner, worker=worker)
            except store_errors.Gone as error:
                if self._clock.monotonic() >= until:
                    raise
                if not told:
                    _log.warning(Event.DATABASE_AWAITED, reason=str(error), seconds=round(SERVER_SECONDS))
                told = True
                self._notifier.status(f"waiting for the database: {error}")
                await self._clock.sleep(_SERVER_AGAIN)

    async def _refuse_rehearsal(self, store: Store) -> None:
        if await store.is_rehearsal():
            raise store_errors.NotARehearsal(
                "This database is a rehearsal: its parcels live on another date, and the resident daemon lives today. "
                "Use tracker run --once --at TIME, or make a real one with: tracker init"
            )

    async def _one_configuration(self, store: Store) -> None:
        """Work until the end, or until a new configuration is in force."""
        self._turn.clear()
        self._loaded = config.with_learned(self._loaded, await store.learned())
        house = self._assembled(store)
        if house is None:
            return
        engine = engine_of(
            house.units,
            self._loaded.settings,
            worker=store.worker,
            clock=self._clock,
            heartbeat=self._heartbeat,
            guard=self._guard,
            fatal=FATAL,
        )
        door = self._push_door(store, engine)
        reporter = Reporter(
            self._loaded,
            store,
            self._clock,
            heartbeat=self._heartbeat,
            reload_good=lambda: self._reload_good,
            refused=lambda: {} if door is None else door.refused,
        )
        beside = [
            asyncio.create_task(self._watch(store, house)),
            asyncio.create_task(reporter.run()),
            asyncio.create_task(watch_loop(self._clock, self._heartbeat.active)),
        ]
        try:
            await house.dispatcher.recover()
            status = await status_line(house)
            self._notifier.ready(status)
            self._sign(status)
            if not self._stop.is_set():
                async with _open(door, self._turn):
                    await engine.run(self._turn)
        finally:
            for task in beside:
                task.cancel()
            reporter.close()
            await house.close()

    def _push_door(self, store: Store, engine: LocalEngine | FleetEngine) -> Receiver | None:
        """The port at which sources call; every push is heard at once. The web server is imported only where it is wanted."""
        if self._loaded.settings.receiver.listen is None:
            return None
        from tracker.receiver import push_door

        return push_door(self._loaded.settings, store, self._clock, lambda: engine.kick(PUSHES))

    def _assembled(self, store: Store) -> House | None:
        """The house of the configuration; None where a reloaded one cannot work: back to the old one."""
        try:
            house = assemble(
                self._loaded, store, self._clock, guard=self._guard, heartbeat=self._heartbeat, learned=self._turn.set
            )
        except OSError as error:
            if self._before is None:
                raise
            self._loaded, self._before = self._before, None
            self._reject([str(error)])
            return None
        if self._before is not None:
            self._before, self._reload_good = None, True
        return house

    async def _watch(self, store: Store, house: House) -> None:
        """Signs of life: only while no unit is stuck, ticks come and the database answers (faults row 32)."""
        every = self._notifier.watchdog_every
        told = False
        while True:
            await self._clock.sleep(min(every or _STATUS_EVERY, _STATUS_EVERY))
            stuck = self._heartbeat.stuck()
            if stuck is not None and not told:
                _log.error(Event.DAEMON_STUCK, unit=stuck[0], seconds=round(stuck[1]))
            told = stuck is not None
            status = await status_line(house, self._heartbeat.failing())
            if stuck is None and not self._heartbeat.late() and await _answers(store):
                self._notifier.alive()
                self._sign(status)
            self._notifier.status(status)

    def _sign(self, status: str) -> None:
        """The same judgement in a file, for those who cannot ask systemd. A full disk is no reason to stop."""
        file = self._loaded.settings.health_file
        if file is not None:
            with suppress(OSError):
                write_sign(file, Sign(at=self._clock.now(), pid=os.getpid(), since=self._since, status=status))

    def _unsign(self) -> None:
        file = self._loaded.settings.health_file
        if file is not None:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._end, name)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _end(self, name: signal.Signals) -> None:
        if self._stop.is_set():
            return
        self._stopping_since = self._clock.monotonic()
        _log.info(Event.DAEMON_STOPPING, signal=name.name)
        self._notifier.stopping(self._loaded.settings.engine.drain_s)
        self._stop.set()
        self._turn.set()

    def _reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._try_configuration())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _try_configuration(self) -> None:
        """Read it anew: a good one takes over after a drain, a bad one changes nothing (faults row 20)."""
        self._notifier.reloading(self._clock)
        async with self._reloading:  # of two reloads the later one reads last
            try:
                new = await asyncio.to_thread(self._read)
            except ConfigError as error:
                self._reject([str(problem) for problem in error.problems])
            except Exception as error:  # noqa: BLE001 - whatever a file does, the daemon works on and says so
                self._reject([str(error) or repr(error)])
            else:
                self._take(new)

    def _read(self) -> Loaded:
        new = config.load(self._path, environ=self._environ, serving=True)
        knowledge_of(new)
        return new

    def _take(self, new: Loaded) -> None:
        old = self._loaded
        if new.settings.database_url != old.settings.database_url:
            self._reject(["database.url changed: restart the daemon for that"])
            return
        tell_differences(config.differences(old, new), before=old.rules.version, after=new.rules.version)
        self._before, self._loaded = self._before or old, new
        _log.info(Event.CONFIG_RELOADED, config=new.rules.version)
        self._turn.set()

    def _reject(self, problems: list[str]) -> None:
        self._reload_good = False
        _log.error(Event.CONFIG_RELOAD_REJECTED, problems=len(problems), first=problems[0])
        self._notifier.ready(f"new configuration rejected, the old one is in force: {problems[0]}")


@asynccontextmanager
async def _open(door: Receiver | None, stop: asyncio.Event) -> AsyncIterator[None]:
    """The push door beside the work: it closes when the drain begins; what is in hand there is kept."""
    if door is None:
        yield
        return
    receiving = asyncio.create_task(door.run(stop), name="receiver")
    try:
        yield
    finally:
        if not stop.is_set():
            receiving.cancel()
        await asyncio.wait([receiving])


async def _answers(store: Store) -> bool:
    """Whether the database answers."""
    try:
        await store.next_due()
    except Exception:  # noqa: BLE001 - whatever it raises, that is no answer
        return False
    return True


async def status_line(house: House, failing: Mapping[str, str] = MappingProxyType({})) -> str:
    """One line for `systemctl status`; `failing` are units that fail and are tried again, with the error (faults row 4).

    Whatever the database does, it must not end the signs of life for good.
    """
    if failing:
        return f"{', '.join(failing)} failing, tried again at every tick: {next(iter(failing.values()))}"
    try:
        done, down, waits = house.done, await house.down(), await house.gate.told()
    except store_errors.StoreError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a row that nobody understands is told, too
        return repr(error)
    sources = f"{', '.join(down)} down" if down else f"{len(house.poller.sources)} sources ok"
    counts = f"{house.poller.asked} asked, {done['sweep']} decided, {done['dispatch']} dispatched; {sources}"
    return f"{waits}; {counts}" if waits else counts
