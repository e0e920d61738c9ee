"""`tracker status`: what is due, what waits, what needs a person."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from carriers.errors import ErrorKind
from tracker.cli.context import Room, answer, opened
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer, Console
from tracker.cli.status_text import tell
from tracker.clock import instant
from tracker.config.settings import Settings
from tracker.health import Freshness, read_sign
from tracker.intake.inbox import failed_files
from tracker.keeping.beside import unknown_sends
from tracker.metrics import Count, count, deadlines
from tracker.model import HoldReason, OutboxState
from tracker.store import Store
from tracker.store.quota import forecasts
from tracker.store.rows import StatusCounts
from tracker.store.workers import Worker

_AHEAD = timedelta(days=14)
_NEAREST = 5
"""Deadlines shown: how far ahead, how many."""

_DUE_FOR_LONG = timedelta(hours=1)


def status(*, watch: Annotated[bool, Parameter(negative=())] = False, every: int = 5, common: At = At()) -> int:
    """What is due, what waits, and what needs a person. Exit code 1 when something does.

    Example: `tracker status --watch`

    Args:
        watch: Show it anew until Ctrl-C.
        every: Seconds between two looks of --watch.
    """
    if not watch:
        return answer(common, look)
    if common.json or common.at is not None:
        raise UsageError("--watch is for eyes and for now: leave --json and --at away")
    if every < 1:
        raise UsageError("--every wants a second at least")
    with suppress(KeyboardInterrupt):  # the only way to end it
        asyncio.run(_watch(common, every))
    return 0


async def look(room: Room) -> Answer:
    """Count once and judge."""
    counted = await count(room.store, room.loaded, room.now)
    settings = room.loaded.settings
    failed = await asyncio.to_thread(_failed, settings.inbox) if settings.inbox else []
    daemon = await _daemon(room, counted)
    stopped = await _out_of_service(room)
    idle = [] if await room.store.retirement() is not None else _idle(counted, daemon)
    wants = [*stopped, *idle, *needs_person(counted, settings, failed)]
    quota = forecasts(settings.sources, await room.store.quota_days(), room.now.date(), await room.store.told_quotas())
    nearest = (await deadlines(room.store, room.loaded.rules, room.now + _AHEAD, room.now))[:_NEAREST]
    document = {
        **_document(counted.counts),
        "at": room.now,
        "daemon": daemon,
        "sources": _sources(counted),
        "pushes": {"waiting": counted.pushes.waiting, "last_day": counted.pushes.received},
        "marketplaces": [msgspec.to_builtins(each) for each in counted.marketplaces],
        "order_files": [msgspec.to_builtins(each) for each in counted.order_files if each.state is not Freshness.IDLE],
        "pauses": [msgspec.to_builtins(each) for each in counted.pauses],
        "config": {
            "hash": counted.config,
            "waits": counted.config_waits,
            "waiting": counted.rules_wait and counted.rules_wait.hash,
            "held": counted.rules_wait and counted.rules_wait.held,
        },
        "errands": {name: msgspec.to_builtins(each) for name, each in counted.errands.items()},
        "quota": [msgspec.to_builtins(each) | {"said": each.said()} for each in quota],
        "next_deadlines": [msgspec.to_builtins(each) for each in nearest],
        "needs_person": wants,
    }
    return Answer(
        document=document, text=lambda console: tell(console, counted, document, quota, nearest), code=1 if wants else 0
    )


async def _watch(common: At, every: int) -> None:
    """Anew and anew, on a cleared terminal; into a pipe one look after the other."""
    async with opened(common, writes=False) as room:
        while True:
            found = await look(room)
            if sys.stdout.isatty():
                sys.stdout.write("\x1b[2J\x1b[H")
            found.text(Console())
            sys.stdout.flush()
            await room.clock.sleep(every)


_REFUSED = {
    ErrorKind.AUTH.value: ("sources that refuse their key", "[[source]] secrets in tracker.toml"),
    ErrorKind.QUOTA_EXHAUSTED.value: ("sources whose quota is used up", "your plan with it, daily_quota in tracker.toml"),
}
"""Kind of failure -> what it is called and what to look at: it does not heal by itself, so the first one is told."""

_DOWN = ("sources that are down", "source.down in the log")


async def _out_of_service(room: Room) -> list[dict[str, Any]]:
    """What keeps everything back: a database that was retired, or one older than its send journal (faults row 36)."""
    told = []
    store = room.store
    retired = await store.retirement() is not None
    if retired:
        told.append({"what": "the database is retired: nothing works on it", "count": 1, "see": "tracker db check"})
    lost = [] if retired else await unknown_sends(store, room.loaded.settings)
    if lost or await store.behind_since() is not None:
        see = "tracker db check; tracker db restore FILE"
        told.append({"what": "the send journal is ahead: nothing goes out", "count": max(len(lost), 1), "see": see})
    return told


def _idle(counted: Count, daemon: dict[str, Any]) -> list[dict[str, Any]]:
    """Nobody does the work of a real database, and it shows: some of it is due for long."""
    counts = counted.counts
    due = [instant(each) for each in (counts.oldest_ask_due, counts.oldest_decide_due) if each is not None]
    if counts.rehearsal or daemon["running"] is not False or not due or counted.at - min(due) <= _DUE_FOR_LONG:
        return []
    unit = "tracker.target" if daemon["workers"] else "tracker"
    return [{"what": "the daemon does not run", "count": 1, "see": f"systemctl start {unit}; tracker doctor"}]


def _failed(inbox: Path) -> list[str] | None:
    try:
        return failed_files(inbox)
    except OSError:
        return None


def needs_person(counted: Count, settings: Settings, failed: list[str] | None) -> list[dict[str, Any]]:
    """What only a person can settle: how many, and what shows them. `failed` are the names in the inbox's failed/.

    None: nobody can tell, because it cannot be looked at.
    """
    counts = counted.counts
    late = [each.name for each in counted.order_files if each.state in {Freshness.LATE, Freshness.DOWN}]
    broken = [f"{name} ({errand.error})" for name, errand in counted.errands.items() if errand.error is not None]
    waiting = (
        ("reviews", counts.reviews, "tracker review list"),
        ("open tasks", counts.tasks.get("open", 0), "tracker tasks list"),
        ("claims to file", counts.claims.get("ready", 0), "tracker claims list --state ready"),
        ("doubtful sends", counts.outbox.get(OutboxState.UNKNOWN, 0), "tracker outbox list --state unknown"),
        ("held back", sum(counts.holds.values()) - counts.holds.get(HoldReason.RULES_WAIT, 0), "tracker hold list"),
        ("orders that could not be decided", counts.parked, "sweep.parked in the log"),
        (
            "parcels that no source answers about",
            counts.unanswered,
            f"tracker explain {counts.unanswered_sample}; poll.number_errors in the log",
        ),
        ("unknown service texts", counts.unmatched_texts, "tracker services --unmatched"),
        ("files of the inbox that failed", len(failed or ()), f"{settings.inbox}/failed"),
        ("folders that cannot be looked at", int(failed is None), f"{settings.inbox}/failed: tracker doctor"),
        (
            "parcels followed without any source",
            0 if settings.sources else counts.followed,
            f"[[source]] in {settings.folder / 'tracker.toml'}",
        ),
        ("stores whose order files are late", len(late), f"{', '.join(late)}: what fetches them? tracker import FILE"),
        ("errands that failed", len(broken), f"{', '.join(broken)}: tracker doctor"),
        *_rules(counted),
        *_stopped(counted),
        *_silent(counts, settings),
    )
    return [{"what": what, "count": count, "see": see} for what, count, see in waiting if count]


def _rules(counted: Count) -> list[tuple[str, int, str]]:
    """Rules that wait are said even where nothing is held yet."""
    waiting = counted.rules_wait
    return (
        []
        if waiting is None
        else [(f"effects held for rules {waiting.hash}", max(waiting.held, 1), f"tracker config accept {waiting.hash}")]
    )


def _stopped(counted: Count) -> list[tuple[str, int, str]]:
    """What a marketplace's API does no longer: people do it meanwhile."""
    off = [f"{each.account} {each.capability} ({each.fault})" for each in counted.marketplaces if each.stopped_at is not None]
    return [("things a marketplace's API does no longer", len(off), f"{', '.join(off)}: market.stopped in the log")]


def _silent(counts: StatusCounts, settings: Settings) -> list[tuple[str, int, str]]:
    """The configured sources that do not answer: one line per cause. What was configured once is nobody's concern any more."""
    configured = {source.id for source in settings.sources}
    causes: dict[tuple[str, str], list[str]] = {}
    for source in counts.sources:
        cause = _REFUSED.get(source.breaker.kind or "", _DOWN if source.breaker.since else None)
        if cause is not None and source.account in configured:
            causes.setdefault(cause, []).append(source.account)
    return [(what, len(names), f"{', '.join(names)}: {see}") for (what, see), names in causes.items()]


def _document(counts: StatusCounts) -> dict[str, Any]:
    return {
        "orders": counts.orders,
        "shipments": counts.shipments,
        "shipments_by_status": counts.shipments_by_status,
        "followed": counts.followed,
        "due_to_ask": counts.due_to_ask,
        "due_to_decide": counts.due_to_decide,
        "oldest_ask_due": _at(counts.oldest_ask_due),
        "oldest_decide_due": _at(counts.oldest_decide_due),
        "parked": counts.parked,
        "unanswered": counts.unanswered,
        "outbox": counts.outbox,
        "tasks": counts.tasks,
        "holds": counts.holds,
        "reviews": counts.reviews,
        "claims": counts.claims,
        "expired_unfiled": {"count": counts.leaked, "amounts": counts.leak},
        "orphans": counts.orphans,
        "unmatched_texts": counts.unmatched_texts,
        "daemon_since": counts.daemon_since,
        "rehearsal": counts.rehearsal,
    }


def _sources(counted: Count) -> list[dict[str, Any]]:
    states = {each.name: each.state for each in counted.sources}
    return [
        {
            "account": source.account,
            "state": states.get(source.account, Freshness.IDLE),
            "last_answer_at": _at(source.last_answer_at),
            "down_since": source.breaker.since,
            "down_until": source.breaker.open_until,
            "down_kind": source.breaker.kind,
            "used_today": source.used_today,
        }
        for source in counted.counts.sources
    ]


async def _daemon(room: Room, counted: Count) -> dict[str, Any]:
    """Whether it runs (the lock tells), since when, and its last sign of life with the line that systemd shows; its workers."""
    settings = room.loaded.settings
    sign = None if settings.health_file is None else read_sign(settings.health_file)
    alive = sign is not None and sign.fresh(counted.at)
    return {
        "running": await room.store.runs(),
        "since": counted.counts.daemon_since,
        "sign": sign.at if sign is not None else None,
        "says": sign.status if sign is not None and alive else None,
        "workers": await _workers(room.store),
    }


async def _workers(store: Store) -> list[dict[str, Any]]:
    """Of a fleet, by name. One that neither works nor said that it stops is away."""
    if not store.fleet:
        return []
    alive = await store.alive()
    return [
        msgspec.structs.asdict(each) | {"alive": each.name in alive, "state": _state(each, alive)}
        for each in await store.workers()
    ]


def _state(worker: Worker, alive: frozenset[str]) -> str:
    if worker.name in alive:
        return "works"
    return "stopped" if worker.stopped else "away"


def _at(epoch: int | None) -> datetime | None:
    return None if epoch is None else instant(epoch)
