"""What people decide about effects: review, holds, doubtful sends. Each is conditional on what they saw, and audited."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, literal_column, not_

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import ActionKind, HoldReason, OutboxState
from tracker.store.connection import Database, Tx
from tracker.store.errors import Conflict
from tracker.store.money import check_refund
from tracker.store.reading import outbox_view, outbox_views
from tracker.store.records import audit, wake
from tracker.store.rows import OutboxView
from tracker.store.tables import OUTBOX
from tracker.team import folded

Second: TypeAlias = bool | Callable[[OutboxView], bool]
"""Whether a yes wants another person's beside it, or how to ask that of the row as it is when the yes is written (D23)."""

REVIEW_HOLDS = (HoldReason.MONEY_NEEDS_APPROVAL, HoldReason.MESSAGE_NEEDS_APPROVAL)
"""Held rows that a person approves or rejects; held rows with any other reason are released."""

CLIFFS = frozenset(HoldReason) - frozenset(REVIEW_HOLDS)
"""Holds behind which much piles up at once: what comes out of them is part of a backlog, released as a ramp (D21)."""

_LIVE: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in ("held", "pending", "sending", "unknown")]
_IS_HELD = and_(OUTBOX.c.state == _LIVE[0], OUTBOX.c.state.in_(_LIVE))
"""In the words of ix_outbox_live: SQLite takes a partial index only where its condition stands in the statement."""

_IN_REVIEW = OUTBOX.c.hold.in_([hold.value for hold in REVIEW_HOLDS])

_APPROVE = """
    UPDATE outbox
    SET state = 'pending', answered = hold, hold = NULL, approved_by = coalesce(approved_by, ?), decided_at = ?, not_before = ?,
        overdue = ?
    WHERE id = ? AND state = 'held'"""

_FIRST = "UPDATE outbox SET first_approved_by = ?, snoozed_until = NULL WHERE id = ? AND state = 'held'"

_TO_REVIEW = "UPDATE outbox SET answered = hold, hold = ?, held_since = ? WHERE id = ? AND state = 'held'"

_REJECT = """
    UPDATE outbox SET state = 'cancelled', hold = NULL, rejected = TRUE, decided_at = ?, result = ?
    WHERE id = ? AND state = 'held'"""


class Desk:
    """The store's methods for the review queue, the holds and the outbox."""

    _db: Database

    async def reviews(self) -> list[OutboxView]:
        """What waits for a yes or a no: money and, in mode `approve`, messages."""
        return await self._db.read(lambda tx: outbox_views(tx, _IS_HELD, _IN_REVIEW))

    async def holds(self) -> list[OutboxView]:
        """What is held for any other reason."""
        return await self._db.read(lambda tx: outbox_views(tx, _IS_HELD, not_(_IN_REVIEW)))

    async def outbox(self, states: Collection[OutboxState] = (), limit: int | None = None) -> list[OutboxView]:
        """Outbox rows, newest first; of these states only, where some are named."""
        where = [OUTBOX.c.state.in_([state.value for state in states])] if states else []
        return await self._db.read(lambda tx: outbox_views(tx, *where, limit=limit, newest_first=True))

    async def outbox_view(self, row_id: int) -> OutboxView:
        """One row with its order. Raises NotThere."""
        return await self._db.read(lambda tx: outbox_view(tx, row_id))

    async def decide_row(
        self, row_id: int, version: int, *, approve: bool, by: str, reason: str, now: datetime, second: Second = False
    ) -> OutboxView:
        """Approve (held -> pending) or reject (held -> cancelled, `rejected`) what waits for review.

        `version` is the facts version that the person saw. `second`: it wants two people (D23); the first yes is kept and the
        row stays held, the second has to be somebody else's. Raises NotThere; Conflict when the row was decided meanwhile, the
        facts have moved, the same person says yes twice, or an approved refund would exceed what was paid (I7).
        """

        def decide(tx: Tx) -> OutboxView:
            view = seen_view(tx, row_id, version)
            if approve:
                said = say_yes(tx, view, by=by, reason=reason, now=now, second=second)
            else:
                said = say_no(tx, view, by=by, reason=reason, now=now)
            fault("review_before_commit")
            return said

        return await self._db.write(decide)

    async def release_hold(self, row_id: int, *, by: str, reason: str, now: datetime) -> OutboxView:
        """From held (for any reason but review) to pending. Raises NotThere, Conflict."""

        def release(tx: Tx) -> OutboxView:
            view = held_view(tx, row_id, review=False)
            if view.row.kind is ActionKind.REFUND and view.row.approved_by is None:
                # Money needs its own word: releasing a guard's hold only lets it come before the people who approve (D11).
                tx.run(_TO_REVIEW, HoldReason.MONEY_NEEDS_APPROVAL, now, row_id)
            else:
                _approve(tx, view, by, now)
            return _done(tx, view, "hold_released", by, reason, now)

        return await self._db.write(release)

    async def resolve_row(self, row_id: int, to: OutboxState, *, by: str, reason: str, now: datetime) -> OutboxView:
        """From unknown to sent | failed: a person has found out. Raises NotThere, Conflict."""

        def resolve(tx: Tx) -> OutboxView:
            view = outbox_view(tx, row_id)
            if view.row.state is not OutboxState.UNKNOWN or to not in {OutboxState.SENT, OutboxState.FAILED}:
                raise Conflict(f"Row {row_id} is {view.row.state.value}, not unknown. See: tracker outbox show {row_id}")
            tx.run("UPDATE outbox SET state = ?, decided_at = ?, result = ? WHERE id = ?", to, now, reason, row_id)
            if view.task_id is not None and to is OutboxState.SENT:
                tx.run("UPDATE task SET state = 'done', closed_at = ?, closed_by = ? WHERE id = ?", now, by, view.task_id)
            return _done(tx, view, "outbox_resolved", by, reason, now)

        return await self._db.write(resolve)


def seen_view(tx: Tx, row_id: int, version: int) -> OutboxView:
    """What waits for review, on the facts that the person saw. Raises NotThere, Conflict."""
    view = held_view(tx, row_id, review=True)
    if view.order.version != version:
        raise Conflict(
            f"The facts of order {view.order.store}/{view.order.number} have moved since you looked "
            f"(version {version}, now {view.order.version}). Look again: tracker review show {row_id}"
        )
    return view


def say_yes(tx: Tx, view: OutboxView, *, by: str, reason: str, now: datetime, second: Second) -> OutboxView:
    """Approve what waits for review, or keep the first of two words. Raises Conflict (I7, the same person twice)."""
    row = view.row
    if row.kind is ActionKind.REFUND:
        check_refund(tx, view.order.id, row.amount, row.currency, row_id=row.id)
    if (second(view) if callable(second) else second) and _is_first(view, by):
        tx.run(_FIRST, by, row.id)
        record(tx, view, "review_first_approved", by, reason, now)
        return outbox_view(tx, row.id)
    _approve(tx, view, by, now)
    return _done(tx, view, "review_approved", by, reason, now)


def say_no(tx: Tx, view: OutboxView, *, by: str, reason: str, now: datetime) -> OutboxView:
    """Reject what waits for review."""
    tx.run(_REJECT, now, reason, view.row.id)
    return _done(tx, view, "review_rejected", by, reason, now)


def _is_first(view: OutboxView, by: str) -> bool:
    """Whether this is the first of two words. Raises Conflict where the first one's own comes again."""
    first = view.first_approved_by
    if first is not None and folded(first) == folded(by):
        raise Conflict(f"Row {view.row.id} waits for a second person: {first} has approved it already, somebody else has to.")
    return first is None


def held_view(tx: Tx, row_id: int, *, review: bool) -> OutboxView:
    """A held row: one that waits for review, or one that a guard holds. Raises NotThere, Conflict."""
    view = outbox_view(tx, row_id)
    if view.row.state is not OutboxState.HELD:
        raise Conflict(f"Row {row_id} waits for nobody any more: it is {view.row.state.value}. See: tracker outbox show {row_id}")
    if (view.row.hold in REVIEW_HOLDS) is not review:
        other = f"tracker review show {row_id}" if view.row.hold in REVIEW_HOLDS else f"tracker hold show {row_id}"
        raise Conflict(f"Row {row_id} is held for {view.row.hold}. See: {other}")
    if view.row.hold is HoldReason.RULES_WAIT:
        version = view.row.config_version
        raise Conflict(f"Row {row_id} waits until its rules are accepted, all at once: tracker config accept {version}")
    return view


def _approve(tx: Tx, view: OutboxView, by: str, now: datetime) -> None:
    row = view.row
    backlog = row.overdue or (row.kind is ActionKind.MESSAGE and row.hold in CLIFFS)
    tx.run(_APPROVE, by, now, max(epoch(row.not_before), epoch(now)), backlog, row.id)


def _done(tx: Tx, view: OutboxView, what: str, by: str, reason: str, now: datetime) -> OutboxView:
    wake(tx, [view.order.id], now)
    after = outbox_view(tx, view.row.id)
    record(tx, view, what, by, reason, now, before={"state": view.row.state.value}, after={"state": after.row.state.value})
    return after


def record(
    tx: Tx,
    view: OutboxView,
    what: str,
    by: str,
    reason: str,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """What a person did about a row, in the audit."""
    audit(tx, now, who=by, what=what, order_id=view.order.id, subject=view.row.key, reason=reason, before=before, after=after)
