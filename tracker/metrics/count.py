"""One count of everything: what `tracker status` shows, the metrics tell and the alerts watch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from tracker.clock import instant
from tracker.config import Loaded, Settings
from tracker.health import Freshness, file_freshness, source_freshness
from tracker.model import Pause
from tracker.store import ErrandDone, StatusCounts, Store
from tracker.store.errands import JOURNAL_OF
from tracker.store.rows import Capable
from tracker.store.rows.pushes import PushCounts
from tracker.store.rulesets import Ruleset


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """An input that has an age limit: a source's answers, a store's order files. `last` None: nothing came yet."""

    name: str
    last: datetime | None
    state: Freshness


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What one account at a marketplace is to do by API: read last when, down by its breaker, switched off since when and why."""

    account: str
    platform: str
    store: str
    capability: str
    last: datetime | None = None
    down_since: datetime | None = None
    stopped_at: datetime | None = None
    fault: str | None = None
    why: str | None = None


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the database at `at`, with the freshness of what feeds it."""

    at: datetime
    counts: StatusCounts
    sources: tuple[Watched, ...]
    order_files: tuple[Watched, ...]
    pauses: tuple[Pause, ...]
    errands: Mapping[str, ErrandDone]
    sent: Mapping[tuple[str, str], int]
    """(store, channel) -> messages since the first one."""
    config: str
    pushes: PushCounts = PushCounts(waiting=0, received={})
    """What waits of what sources pushed, and what came in the last 24 hours."""
    marketplaces: tuple[Reached, ...] = ()
    rules_wait: Ruleset | None
    """The rules in force that wait for their acceptance: what they add is held. The files may be newer than them."""

    @property
    def config_waits(self) -> bool:
        """Whether any wait."""
        return self.rules_wait is not None


async def count(store: Store, loaded: Loaded, now: datetime) -> Count:
    """Count once. Reads the whole database: once a minute, not once a second."""
    counts = await store.status(now)
    rules = loaded.rules
    read = await store.order_files()
    known = {source.account: source for source in counts.sources}
    due_since = None if counts.oldest_ask_due is None else instant(counts.oldest_ask_due)
    sources = []
    for source in loaded.settings.sources:
        health = known.get(source.id)
        last = None if health is None or health.last_answer_at is None else instant(health.last_answer_at)
        down = health is not None and health.breaker.since is not None
        sources.append(Watched(name=source.id, last=last, state=source_freshness(last, down=down, due_since=due_since, now=now)))
    files = []
    for shop in rules.stores.values():
        last = instant(read[shop.id]) if shop.id in read else None
        files.append(Watched(name=shop.id, last=last, state=file_freshness(last, shop.files_every_h, now)))
    waiting = next((each for each in await store.rulesets() if each.waits), None)
    return Count(
        at=now,
        counts=counts,
        sources=tuple(sources),
        order_files=tuple(files),
        pauses=tuple(await store.pauses(now)),
        errands=_concerns(await store.errands(), loaded),
        sent=await store.sent_messages(),
        config=rules.version,
        pushes=await store.push_counts(now - timedelta(days=1)),
        marketplaces=_reached(loaded.settings, counts, await store.capabilities()),
        rules_wait=waiting,
    )


def _reached(settings: Settings, counts: StatusCounts, states: Mapping[tuple[str, str], Capable]) -> tuple[Reached, ...]:
    """Every capability that is configured, with what came of it."""
    breakers = {each.account: each.breaker for each in counts.sources}
    found = []
    for account in settings.accounts:
        breaker = breakers.get(account.id)
        for capability in sorted(account.api):
            state = states.get((account.id, capability)) or Capable(account=account.id, capability=capability)
            found.append(
                Reached(
                    account=account.id,
                    platform=account.platform,
                    store=account.store,
                    capability=capability,
                    last=None if state.read_at is None else instant(state.read_at),
                    down_since=None if breaker is None else breaker.since,
                    stopped_at=state.stopped_at,
                    fault=state.fault,
                    why=state.why,
                )
            )
    return tuple(found)


def _concerns(errands: Mapping[str, ErrandDone], loaded: Loaded) -> dict[str, ErrandDone]:
    """Without what failed once and is not on the schedule any more: it would stand there as failed for ever."""
    settings = loaded.settings
    off = {
        name
        for name, at in (
            ("handover", settings.handover.at),
            ("backup", settings.backup.at),
            ("retention", settings.retention.at),
            (JOURNAL_OF, settings.retention.at),
            ("transit", loaded.rules.manners.learn_from or None),
        )
        if at is None
    }
    return {name: each for name, each in errands.items() if each.error is None or not name.startswith(tuple(off))}
