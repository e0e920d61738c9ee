"""Decisions by rule, configuration and time; and taking back those of a rule that was wrong, as far as that can be done.

What nobody has seen yet is taken back and may be decided again, by better rules. What has left is listed: only a person can
put it right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, or_

from tracker.model import ActionKind, Intent, OutboxState, TaskState
from tracker.store.connection import Database, Record, Tx
from tracker.store.reading import outbox_views
from tracker.store.records import wake
from tracker.store.rows import OutboxView
from tracker.store.tables import OUTBOX
from tracker.store.taking_back import take_back

CHUNK = 400

CANCELLED, DROPPED, IN_HAND, TOLD, REGISTERED, DOUBTFUL = "cancelled", "dropped", "in_hand", "told", "registered", "doubtful"
"""What a withdrawal makes of a decision. The first two take it back; the others stay as they are and are listed."""

_TASKS = """
    SELECT i.row_id, t.state, t.taken_by, i.body, i.dropped FROM task_item i JOIN task t ON t.id = i.task_id
    JOIN outbox o ON o.id = i.row_id AND o.task_id = i.task_id WHERE i.row_id IN (??)"""


class DecisionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions; None leaves a column alone. `rule` is an id or its family (`br-standard`), `config` a hash's beginning."""

    rule: str | None = None
    config: str | None = None
    since: datetime | None = None
    store: str | None = None
    intent: Intent | None = None

    @property
    def named(self) -> bool:
        """Whether it filters at all."""
        return self != DecisionFilter()


class DecidedView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with the task it became. `text` is what stands in the task, where it is one."""

    view: OutboxView
    task: TaskState | None = None
    taken_by: str | None = None
    text: str | None = None

    @property
    def fate(self) -> str | None:
        """What a withdrawal makes of it; None where nothing is left to withdraw."""
        row = self.view.row
        if row.state in {OutboxState.HELD, OutboxState.PENDING}:
            return CANCELLED
        if row.state in {OutboxState.SENDING, OutboxState.UNKNOWN}:
            return DOUBTFUL
        if row.state is not OutboxState.SENT:
            return None
        if self.task is None:
            return REGISTERED if row.kind is ActionKind.COMPENSATION else TOLD
        return {TaskState.OPEN: DROPPED, TaskState.IN_HAND: IN_HAND, TaskState.DONE: TOLD}.get(self.task)


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """What a withdrawal did: rows cancelled, tasks dropped; `left` could not be taken back."""

    cancelled: int
    dropped: int
    left: tuple[DecidedView, ...]
    versions: frozenset[str]
    """The configurations that had decided what was taken back."""


class Decisions:
    """The store's methods for decisions in bulk."""

    _db: Database

    async def decisions(self, wanted: DecisionFilter, *, limit: int) -> list[DecidedView]:
        """Decisions that became an effect, newest first."""
        return await self._db.read(lambda tx: _with_tasks(tx, outbox_views(tx, *_where(wanted), limit=limit, newest_first=True)))

    async def has_decided(self, rule: str) -> bool:
        """Whether a rule, or one of its family, has decided anything that is here."""
        return bool(await self._db.read(lambda tx: outbox_views(tx, *_where(DecisionFilter(rule=rule)), limit=1)))

    async def withdraw_decisions(
        self, wanted: DecisionFilter, *, by: str, reason: str, now: datetime, dry_run: bool = False
    ) -> Withdrawn:
        """Take back what can be: pending and held rows, tasks that nobody took. 400 a transaction; twice changes nothing."""
        counts = {CANCELLED: 0, DROPPED: 0}
        left: list[DecidedView] = []
        versions: set[str] = set()
        after = 0

        def some(tx: Tx) -> list[DecidedView]:
            found = _with_tasks(tx, outbox_views(tx, OUTBOX.c.id > after, *_where(wanted), limit=CHUNK))
            if dry_run:
                return found
            mine = [each for each in found if each.fate in counts]
            for each in mine:
                take_back(tx, each.view.row.key, who=by, reason=reason, now=now)
            wake(tx, [each.view.row.order_id for each in mine], now)
            return found

        while True:
            found = await (self._db.read(some) if dry_run else self._db.write(some))
            for each in found:
                if each.fate in counts:
                    counts[each.fate] += 1
                    versions.add(each.view.row.config_version)
                elif each.fate is not None:
                    left.append(each)
            if len(found) < CHUNK:
                break
            after = found[-1].view.row.id
        return Withdrawn(cancelled=counts[CANCELLED], dropped=counts[DROPPED], left=tuple(left), versions=frozenset(versions))


def _where(wanted: DecisionFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.rule is not None:
        where.append(or_(OUTBOX.c.rule == wanted.rule, OUTBOX.c.rule.startswith(f"{wanted.rule}.", autoescape=True)))
    if wanted.config is not None:
        # A range, so that ix_outbox_config answers it.
        where += [OUTBOX.c.config_version >= wanted.config, OUTBOX.c.config_version < f"{wanted.config}g"]
    if wanted.since is not None:
        where.append(OUTBOX.c.created_at >= wanted.since)
    if wanted.store is not None:
        where.append(OUTBOX.c.store == wanted.store)
    if wanted.intent is not None:
        where.append(OUTBOX.c.intent == wanted.intent.value)
    return where


def _with_tasks(tx: Tx, views: Sequence[OutboxView]) -> list[DecidedView]:
    tasks: dict[int, Record] = {}
    for start in range(0, len(views), CHUNK):
        ids = [view.row.id for view in views[start : start + CHUNK] if view.task_id is not None]
        tasks |= {row[0]: row for row in tx.among(_TASKS, ids)}
    return [_decided(view, tasks.get(view.row.id)) for view in views]


def _decided(view: OutboxView, task: Record) -> DecidedView:
    if task is None:
        return DecidedView(view=view)
    _, state, taken_by, body, dropped = task
    return DecidedView(
        view=view,
        task=TaskState.DROPPED if dropped else TaskState(state),
        taken_by=taken_by,
        text=body,
    )
