"""What a command works with: configuration, open database, time. And how its answer becomes output and an exit code."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec
from msgspec.structs import replace

from tracker import config, log
from tracker.cli.options import At, Common, Person
from tracker.cli.output import Answer, emit
from tracker.clock import Clock, FixedClock, SystemClock
from tracker.config import Loaded, Settings
from tracker.desk import people
from tracker.phrases import Phrases
from tracker.store import DatabaseMissing, Store, open_store, share_files


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """An open database with its configuration, at one time. Lives as long as the command."""

    loaded: Loaded
    store: Store
    clock: Clock
    phrases: Phrases
    """What this command says: the operators' language, plain English for --json. Files are in `loaded.phrases` in any case."""
    by: str | None = None
    """What was said behind --by."""

    @property
    def who(self) -> str:
        """Whose word it is, as the audit keeps it. Raises `NotNamed`: nobody, or somebody who is not of the team."""
        return people.decider(self.by, self.loaded.rules.team, login=_login())

    @property
    def now(self) -> datetime:
        """The time of this command: `--at`, else the machine's."""
        return self.clock.now()

    def zone_of(self, store: str) -> str:
        """The zone in which the marketplace of a store shows its dates (D9); UTC for a store that no file describes any more."""
        rules = self.loaded.rules
        return rules.marketplace(rules.stores[store].platform).zone if store in rules.stores else "UTC"


def clock_of(common: Common) -> Clock:
    """The machine's clock, or the one that `--at` fixes."""
    at = common.at if isinstance(common, At) else None
    return SystemClock() if at is None else FixedClock(at)


def load(common: Common, *, serving: bool = False) -> Loaded:
    """The configuration; from here on files are made for the group that shares the database. `serving`: as config.load says.

    Raises ConfigError with all problems at once.
    """
    loaded = config.load(config.find(common.config, os.environ), environ=os.environ, serving=serving)
    share_files(loaded.settings.database_url)
    return loaded


def load_places(common: Common) -> Settings:
    """Where the database and its backups lie, for commands that need nothing else: what is broken elsewhere is told on stderr.

    Raises ConfigError where that cannot be known.
    """
    found = config.load_places(config.find(common.config, os.environ), environ=os.environ)
    _tell_broken(found.problems)
    share_files(found.settings.database_url)
    return found.settings


def _tell_broken(problems: Sequence[config.Problem]) -> None:
    broken = [each for each in problems if each.level == "error"]
    if broken:
        print(
            f"tracker: the configuration is broken, and no daemon starts with it: {broken[0]} "
            f"({len(broken)} in all; tracker config check lists them). This command goes on without it.",
            file=sys.stderr,
        )


def _load_anyway(common: Common) -> Loaded:
    """The configuration; where it is broken, the shipped rules with the places alone: enough to stop everything."""
    try:
        return load(common)
    except config.ConfigError as error:
        places = config.load_places(config.find(common.config, os.environ), environ=os.environ).settings
        _tell_broken(error.problems)
        shipped = config.load(None, environ={})
        return replace(shipped, settings=replace(shipped.settings, database_url=places.database_url))


def configure_log(loaded: Loaded) -> None:
    """Log to stderr, in the form that the configuration asks for; stdout is for data."""
    log.configure(msgspec.convert(loaded.settings.log_format, log.Format))


@asynccontextmanager
async def opened(common: Common, *, writes: bool, anyway: bool = False) -> AsyncIterator[Room]:
    """Open the database of the configuration; `anyway` also where the rest of it is broken, for who needs no rules.

    Raises ConfigError, StoreError; NotARehearsal for `--at` where it must not be.
    """
    loaded, clock = _load_anyway(common) if anyway else load(common), clock_of(common)
    configure_log(loaded)
    try:
        store = await open_store(loaded.settings.database_url, clock=clock)
    except DatabaseMissing as error:
        if config.find(common.config, os.environ) is not None:
            raise
        # Who stands in the wrong folder must not be led to make a second shop there.
        raise DatabaseMissing(
            "There is no tracker.toml here, and no database. Where your shop lies elsewhere: cd FOLDER, or "
            f"tracker COMMAND --config FILE. {error}"
        ) from None
    try:
        if writes and isinstance(clock, FixedClock):
            await store.require_rehearsal()
        loaded = config.with_learned(loaded, await store.learned())
        phrases = loaded.phrases.plain() if common.json else loaded.phrases
        by = common.by if isinstance(common, Person) else None
        room = Room(loaded=loaded, store=store, clock=clock, phrases=phrases, by=by)
        if writes and isinstance(common, Person):
            people.decider(room.by, loaded.rules.team, login=_login())
        yield room
    finally:
        await store.close()


def _login() -> str | None:
    """The login name; None where this machine has none for us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def answer(common: Common, work: Callable[[Room], Awaitable[Answer]], *, writes: bool = False, anyway: bool = False) -> int:
    """Run a command's work on the open database and print what it found. `writes`, `anyway`: as `opened` says."""

    async def run() -> tuple[Answer, Phrases]:
        async with opened(common, writes=writes, anyway=anyway) as room:
            return await work(room), room.phrases

    found, phrases = asyncio.run(run())
    return emit(found, json=common.json, phrases=phrases)
