"""`tracker status` for eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.cli.output import Console, shown
from tracker.health import Freshness
from tracker.metrics import Count, Watched
from tracker.store.brake import Deadline
from tracker.store.quota import Forecast


def _rules(counted: Count) -> str:
    """`4f2a… wait for acceptance: 1,240 effects held`."""
    waiting = counted.rules_wait
    return counted.config if waiting is None else f"{waiting.hash} wait for acceptance: {waiting.held:,} effects held"


def tell(
    console: Console, counted: Count, document: Mapping[str, Any], quota: Sequence[Forecast], deadlines: Sequence[Deadline]
) -> None:
    """First what runs, then what flows in, then what waits; what needs a person stands last, where the eye ends."""
    counts = counted.counts
    rehearsal = "  (rehearsal database)" if counts.rehearsal else ""
    console.head(f"{counts.orders} orders, {counts.shipments} parcels{rehearsal}")
    console.facts(
        {
            "daemon": _daemon(document["daemon"]),
            "rules": _rules(counted),
            "due_to_ask": counts.due_to_ask,
            "due_to_decide": counts.due_to_decide,
            "parcels": counts.shipments_by_status,
            "outbox": counts.outbox,
            "held": counts.holds,
            "tasks": counts.tasks,
            "claims": counts.claims,
            "expired_unfiled": _leak(counts.leaked, counts.leak),
            "without_a_partner": counts.orphans or None,
            "pushes": _pushes(counted),
            "backup": _errand(counted, "backup"),
        }
    )
    _workers(console, document["daemon"]["workers"])
    _inputs(console, counted, quota)
    for pause in counted.pauses:
        until = "until somebody resumes" if pause.until is None else f"until {shown(pause.until)}"
        console.line(f"  paused: {pause.reason} ({pause.by}, since {shown(pause.since)}, {until}); tracker pause")
    if deadlines:
        console.line()
        rows = [(each.at, each.kind, each.store, each.subject) for each in deadlines]
        console.table(("next deadline", "what", "store", "about"), rows, empty="")
    console.line()
    wants = [list(want.values()) for want in document["needs_person"]]
    console.table(("needs a person", "count", "see"), wants, empty="Nothing needs a person.")


def _workers(console: Console, workers: Sequence[Mapping[str, Any]]) -> None:
    """Of a fleet: who is at work, who was stopped, and who is away without a word."""
    if workers:
        console.line()
        rows = [(each["name"], each["state"], each["since"], each["seen_at"], each["owner"]) for each in workers]
        console.table(("worker", "state", "started", "last sign", "where"), rows, empty="")


def _pushes(counted: Count) -> str | None:
    """`17track 120, ship 4 in 24 hours; 2 wait to be heard`."""
    came = ", ".join(f"{name} {number:,}" for name, number in sorted(counted.pushes.received.items()))
    waits = f"{counted.pushes.waiting:,} wait to be heard" if counted.pushes.waiting else ""
    return "; ".join(filter(None, (came and f"{came} in 24 hours", waits))) or None


def _leak(count: int, sums: Mapping[str, str]) -> str | None:
    """`2 claims, 19.80 USD, within 31 days`: the money that nobody asked for in time."""
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in sums.items())
    return f"{count} claims, {amounts}, within 31 days" if count else None


def _inputs(console: Console, counted: Count, quota: Sequence[Forecast]) -> None:
    said = {each.source: each.said() for each in quota}
    states = {each.name: each for each in counted.sources}
    rows = [
        (
            source.account,
            _state(states.get(source.account)),
            _last(states.get(source.account)),
            source.breaker.open_until,
            source.breaker.kind,
            said.get(source.account, f"{source.used_today} used today"),
        )
        for source in counted.counts.sources
    ]
    if rows:
        console.line()
        console.table(("source", "state", "last answer", "down until", "because", "quota"), rows, empty="")
    if counted.marketplaces:
        console.line()
        reached = [
            (each.account, each.capability, each.store, each.last, each.stopped_at or each.down_since, each.why)
            for each in counted.marketplaces
        ]
        console.table(("marketplace", "does", "store", "last", "not since", "because"), reached, empty="")
    files = [each for each in counted.order_files if each.state is not Freshness.IDLE]
    if files:
        console.line()
        console.table(("order files of", "state", "last read"), [(each.name, each.state, each.last) for each in files], empty="")


def _daemon(daemon: Mapping[str, Any]) -> str:
    if daemon["running"] is None:
        return "its lock file may not be read by you"
    if not daemon["running"]:
        ended = f"; it was started last at {shown(daemon['since'])}" if daemon["since"] else ""
        return f"does not run{ended}"
    says = f"; {daemon['says']}" if daemon["says"] else ""
    return f"runs since {shown(daemon['since'])}{says}"


def _errand(counted: Count, name: str) -> str | None:
    errand = counted.errands.get(name)
    if errand is None:
        return None
    return f"failed: {errand.error}" if errand.error else f"{shown(errand.at)}: {errand.result}"


def _state(watched: Watched | None) -> Freshness:
    return Freshness.IDLE if watched is None else watched.state


def _last(watched: Watched | None) -> datetime | None:
    return None if watched is None else watched.last
