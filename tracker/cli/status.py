"""`tracker status`: what is due, what waits, what needs a person."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from carriers.errors import ErrorKind
from tracker.cli.context import Room, answer
from tracker.cli.options import At
from tracker.cli.output import Answer, Console
from tracker.clock import instant
from tracker.config.settings import Settings
from tracker.intake.inbox import failed_files
from tracker.model import OutboxState
from tracker.store.rows import SourceHealth, StatusCounts


def status(*, common: At = At()) -> int:
    """What is due, what waits, and what needs a person. Exit code 1 when something does.

    Example: `tracker status --json`
    """

    async def work(room: Room) -> Answer:
        counts = await room.store.status(room.now)
        inbox = room.loaded.settings.inbox
        failed = await asyncio.to_thread(failed_files, inbox) if inbox else []
        wants = needs_person(counts, room.loaded.settings, failed)
        return Answer(
            document=_document(counts) | {"at": room.now, "needs_person": wants},
            text=lambda console: _text(console, counts, wants),
            code=1 if wants else 0,
        )

    return answer(common, work)


_REFUSED = {
    ErrorKind.AUTH.value: ("sources that refuse their key", "[[source]] secrets in tracker.toml"),
    ErrorKind.QUOTA_EXHAUSTED.value: ("sources whose quota is used up", "your plan with it, daily_quota in tracker.toml"),
}
"""Kind of failure -> what it is called and what to look at: it does not heal by itself, so the first one is told."""

_DOWN = ("sources that are down", "source.down in the log")


def needs_person(counts: StatusCounts, settings: Settings, failed: list[str]) -> list[dict[str, Any]]:
    """What only a person can settle: how many, and what shows them. `failed` are the names in the inbox's failed/."""
    waiting = (
        ("reviews", counts.reviews, "tracker review list"),
        ("open tasks", counts.tasks.get("open", 0), "tracker tasks list"),
        ("doubtful sends", counts.outbox.get(OutboxState.UNKNOWN, 0), "tracker outbox list --state unknown"),
        ("held back", sum(counts.holds.values()), "tracker hold list"),
        ("orders that could not be decided", counts.parked, "sweep.parked in the log"),
        (
            "parcels that no source answers about",
            counts.unanswered,
            f"tracker explain {counts.unanswered_sample}; poll.number_errors in the log",
        ),
        ("unknown service texts", counts.unmatched_texts, "tracker services --unmatched"),
        ("files of the inbox that failed", len(failed), f"{settings.inbox}/failed"),
        (
            "parcels followed without any source",
            0 if settings.sources else counts.followed,
            f"[[source]] in {settings.folder / 'tracker.toml'}",
        ),
        *_silent(counts, settings),
    )
    return [{"what": what, "count": count, "see": see} for what, count, see in waiting if count]


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
        "orphans": counts.orphans,
        "unmatched_texts": counts.unmatched_texts,
        "sources": [_source(source) for source in counts.sources],
        "daemon_since": counts.daemon_since,
        "rehearsal": counts.rehearsal,
    }


def _source(source: SourceHealth) -> dict[str, Any]:
    return {
        "account": source.account,
        "last_answer_at": _at(source.last_answer_at),
        "down_since": source.breaker.since,
        "down_until": source.breaker.open_until,
        "down_kind": source.breaker.kind,
        "used_today": source.used_today,
    }


def _at(epoch: int | None) -> datetime | None:
    return None if epoch is None else instant(epoch)


def _text(console: Console, counts: StatusCounts, wants: list[dict[str, Any]]) -> None:
    rehearsal = "  (rehearsal database)" if counts.rehearsal else ""
    console.head(f"{counts.orders} orders, {counts.shipments} parcels{rehearsal}")
    console.facts(
        {
            "daemon_since": counts.daemon_since,
            "due_to_ask": counts.due_to_ask,
            "due_to_decide": counts.due_to_decide,
            "parcels": counts.shipments_by_status,
            "outbox": counts.outbox,
            "tasks": counts.tasks,
            "claims": counts.claims,
            "without_a_partner": counts.orphans or None,
        }
    )
    if counts.sources:
        console.line()
        rows = [
            (source.account, _at(source.last_answer_at), source.breaker.open_until, source.breaker.kind, source.used_today)
            for source in counts.sources
        ]
        console.table(("source", "last answer", "down until", "because", "used today"), rows, empty="")
    console.line()
    console.table(("needs a person", "count", "see"), [list(want.values()) for want in wants], empty="Nothing needs a person.")
