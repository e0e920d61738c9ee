"""What makes it tick: `database.url` alone says which. The queue is imported only where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracker.clock import Clock
from tracker.config import Settings
from tracker.engine.base import Unit
from tracker.engine.guard import TimeGuard
from tracker.engine.local import LocalEngine
from tracker.health import Heartbeat

if TYPE_CHECKING:
    from tracker.engine.fleet import FleetEngine


def engine_of(
    units: Sequence[Unit],
    settings: Settings,
    *,
    worker: str | None,
    clock: Clock,
    heartbeat: Heartbeat,
    guard: TimeGuard,
    fatal: tuple[type[Exception], ...],
) -> LocalEngine | FleetEngine:
    """The engine of a daemon that has the database to itself (`worker` None), or of one worker of many."""
    drain = settings.engine.drain_s
    if worker is None:
        return LocalEngine(units, clock=clock, heartbeat=heartbeat, guard=guard, fatal=fatal, drain_seconds=drain)
    from tracker.engine.fleet import FleetEngine

    return FleetEngine(
        units,
        clock=clock,
        heartbeat=heartbeat,
        guard=guard,
        fatal=fatal,
        drain_seconds=drain,
        url=settings.database_url,
        worker=worker,
        concurrency=settings.engine.concurrency,
    )
