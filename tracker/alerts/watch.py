"""The look at everything, every few minutes: what holds is raised, what holds no more ends."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tracker.alerts.claims import WATCHED
from tracker.alerts.conditions import REVIEW_LEAD, Look, conditions
from tracker.clock import Clock
from tracker.config import Loaded
from tracker.intake.inbox import failed_files
from tracker.log import Event, get_logger
from tracker.metrics import count, deadlines, due_cases
from tracker.model import Intent, OutboxState, TaskState
from tracker.policy.problems import RULE as PROBLEM_RULE
from tracker.store import Store
from tracker.store.quota import forecasts
from tracker.store.rows import OutboxView, TaskView
from tracker.store.stuck import Standing

_MOST = 200
"""Rows of one kind that are looked at: one message names twenty of them and counts the rest."""

_STANDING = timedelta(hours=1)

FAILS_FOR = 300.0
"""Seconds that a unit may fail before a person hears of it: most locks and full disks are over by then."""

Failing = Callable[[float], Mapping[str, str]]

_log = get_logger()


def nothing_fails(_seconds: float) -> Mapping[str, str]:
    """For a run without an engine."""
    return {}


class Watcher:
    """Looks at everything that may need a person."""

    def __init__(self, loaded: Loaded, store: Store, clock: Clock, failing: Failing = nothing_fails) -> None:
        """`failing`: units that have failed for at least so many seconds, with the error."""
        self._failing = failing
        self._loaded = loaded
        self._store = store
        self._clock = clock
        self._next: datetime | None = None
        self._standing: Sequence[Standing] = ()
        self._counted_at: datetime | None = None

    async def watch(self) -> int:
        """Look, at most every `alerts.every_s`; how many new alerts were raised."""
        now = self._clock.now()
        if self._next is not None and now < self._next:
            return 0
        self._next = now + timedelta(seconds=self._loaded.settings.alerts.every_s)
        raised = 0
        for kind, found in conditions(await self._look(now)).items():
            fresh = await self._store.watch_alerts(kind.value, found, now)
            if fresh:
                _log.warning(Event.ALERT_RAISED, kind=kind.value, count=fresh, sample=found[-1].subject)
            raised += fresh
        return raised

    async def _look(self, now: datetime) -> Look:
        store, settings = self._store, self._loaded.settings
        told_until = {shop: self._loaded.rules.team.told_until(shop, now) for shop in self._loaded.rules.stores}
        lead = max(REVIEW_LEAD, *settings.alerts.leads.values())
        farthest = max(told_until.values(), default=now + timedelta(hours=1)) + lead
        inbox = settings.inbox
        cases = await due_cases(store, self._loaded.rules)
        reviews, tasks = await store.reviews(), await store.tasks((TaskState.OPEN, TaskState.IN_HAND))
        return Look(
            counted=await count(store, self._loaded, now),
            loaded=self._loaded,
            deadlines=await deadlines(store, self._loaded.rules, farthest, now, cases=cases),
            cases=cases,
            claims=await store.claims(WATCHED),
            doubtful=await store.outbox((OutboxState.UNKNOWN,), _MOST),
            reviews=_soon(reviews, farthest),
            proposals=[view for view in reviews if view.row.rule == PROBLEM_RULE],
            seconds=await store.waiting_second(),
            tasks=_due(tasks, farthest),
            problems=[task for task in tasks if task.kind == Intent.PROBLEM.value and task.state is TaskState.OPEN],
            standing=await self._standing_still(now),
            quota=forecasts(settings.sources, await store.quota_days(), now.date(), await store.told_quotas()),
            told_until=told_until,
            failed_files=await asyncio.to_thread(_failed, inbox) if inbox else (),
            distrusted_since=await store.clock_distrusted_at(),
            free_bytes=await asyncio.to_thread(_free, settings.state_dir),
            failing=self._failing(FAILS_FOR),
        )

    async def _standing_still(self, now: datetime) -> Sequence[Standing]:
        """Counted once an hour: it reads every parcel under way."""
        if self._counted_at is None or now - self._counted_at >= _STANDING:
            before = now - timedelta(days=self._loaded.rules.manners.stuck_days)
            self._standing, self._counted_at = await self._store.standing_still(before), now
        return self._standing


def _soon(views: Sequence[OutboxView], until: datetime) -> list[OutboxView]:
    return [view for view in views if view.row.deadline is not None and view.row.deadline <= until]


def _due(tasks: Sequence[TaskView], until: datetime) -> list[TaskView]:
    return [task for task in tasks if task.deadline is not None and task.deadline <= until]


def _failed(inbox: Path) -> Sequence[str]:
    """Nothing where the folder may not be read: `tracker doctor` says that, and everything else is told all the same."""
    try:
        return failed_files(inbox)
    except OSError:
        return ()


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
