"""Rows of built SELECTs as the plain values that leave the store: for people, for dispatch, for explain. Not for hot paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select

from tracker.clock import instant
from tracker.model import ActionKind, Channel, DecisionReason, HoldReason, Intent, OutboxRow, OutboxState, Remedy, TaskState
from tracker.store.connection import Record, Tx
from tracker.store.encoding import money, texts, words
from tracker.store.errors import NotThere
from tracker.store.rows import OrderRef, OutboxView, TaskItem, TaskView
from tracker.store.tables import DOSSIER, OUTBOX, TASK, TASK_ITEM

_WANTS = msgspec.json.Decoder(tuple[str, ...])

_ORDER = (
    DOSSIER.c.platform.label("order_platform"),
    DOSSIER.c.number.label("order_number"),
    DOSSIER.c.country.label("order_country"),
    DOSSIER.c.version.label("order_version"),
)


def outbox_views(tx: Tx, *where: ColumnElement[bool], limit: int | None = None, newest_first: bool = False) -> list[OutboxView]:
    """Outbox rows with their orders, oldest first."""
    statement: Select[Any] = select(OUTBOX, *_ORDER).join(DOSSIER, DOSSIER.c.id == OUTBOX.c.order_id).where(*where)
    statement = statement.order_by(OUTBOX.c.id.desc() if newest_first else OUTBOX.c.id).limit(limit)
    return [_outbox_view(row) for row in tx.select(statement)]


def outbox_view(tx: Tx, row_id: int) -> OutboxView:
    """One outbox row with its order. Raises NotThere."""
    found = outbox_views(tx, OUTBOX.c.id == row_id)
    if not found:
        raise NotThere(f"There is no outbox row {row_id}. See: tracker outbox list")
    return found[0]


def outbox_row(row: Record) -> OutboxRow:
    """One outbox row."""
    return OutboxRow(
        id=row.id,
        key=row.dedup_key,
        subject=row.subject,
        intent=Intent(row.intent),
        occasion=row.occasion,
        kind=ActionKind(row.kind),
        state=OutboxState(row.state),
        channel=Channel(row.channel),
        reason=DecisionReason(row.reason),
        rule=row.rule,
        order_id=row.order_id,
        store=row.store,
        created_at=row.created_at,
        not_before=instant(row.not_before),
        shipment=row.shipment,
        template=row.template,
        deadline=row.deadline,
        amount=money(row.amount),
        currency=row.currency,
        urgent=row.urgent,
        hold=None if row.hold is None else HoldReason(row.hold),
        approved_by=row.approved_by,
        attempts=row.attempts,
        config_version=row.config_version,
        evidence=texts(row.evidence),
        result=row.result,
        answered=None if row.answered is None else HoldReason(row.answered),
        remedy=None if row.remedy is None else Remedy(row.remedy),
        tried=words(row.tried),
        overdue=row.overdue,
        in_line_since=None if row.in_line_since is None else instant(row.in_line_since),
    )


def _outbox_view(row: Record) -> OutboxView:
    return OutboxView(
        row=outbox_row(row),
        order=OrderRef(
            id=row.order_id,
            store=row.store,
            platform=row.order_platform,
            number=row.order_number,
            country=row.order_country,
            version=row.order_version,
        ),
        decided_at=row.decided_at,
        rejected=row.rejected,
        held_since=row.held_since,
        sent_at=row.sent_at,
        provider_id=row.provider_id,
        task_id=row.task_id,
        first_approved_by=row.first_approved_by,
        body=row.body,
        snoozed_until=None if row.snoozed_until is None else instant(row.snoozed_until),
    )


def task_views(tx: Tx, *where: ColumnElement[bool], row_id: int | None = None) -> list[TaskView]:
    """Tasks with their items, with `row_id` that one only: the nearest deadline first, then the oldest."""
    rows = tx.select(select(TASK).where(*where).order_by(TASK.c.deadline.is_(None), TASK.c.deadline, TASK.c.id))
    items: dict[int, list[TaskItem]] = {}
    wanted = [row.id for row in rows]
    statement = (
        select(TASK_ITEM, OUTBOX.c.dedup_key, OUTBOX.c.sent_at, DOSSIER.c.version)
        .join(OUTBOX, OUTBOX.c.id == TASK_ITEM.c.row_id)
        .join(DOSSIER, DOSSIER.c.id == TASK_ITEM.c.order_id)
        .where(TASK_ITEM.c.task_id.in_(wanted), *([] if row_id is None else [TASK_ITEM.c.row_id == row_id]))
        .order_by(TASK_ITEM.c.row_id)
    )
    for row in tx.select(statement):
        items.setdefault(row.task_id, []).append(_item(row))
    return [_task(row, items.get(row.id, [])) for row in rows]


def task_view(tx: Tx, task_id: int, row_id: int | None = None) -> TaskView:
    """One task, with `row_id` that item only. Raises NotThere."""
    found = task_views(tx, TASK.c.id == task_id, row_id=row_id)
    if not found:
        raise NotThere(f"There is no task {task_id}. See: tracker tasks list")
    return found[0]


def _item(row: Record) -> TaskItem:
    return TaskItem(
        row_id=row.row_id,
        key=row.dedup_key,
        order_id=row.order_id,
        order=row.order_number,
        facts=texts(row.facts),
        text=row.body,
        twin=row.twin,
        url=row.url,
        deadline=row.deadline,
        dropped=row.dropped,
        added_at=row.sent_at,
        version=row.version,
    )


def _task(row: Record, items: Sequence[TaskItem]) -> TaskView:
    return TaskView(
        id=row.id,
        kind=row.kind,
        title=row.title,
        store=row.store,
        order=items[0].order if items else "",
        state=TaskState(row.state),
        created_at=row.created_at,
        items=tuple(items),
        deadline=row.deadline,
        valid_until=None if row.valid_until is None else instant(row.valid_until),
        group=row.group_key,
        wants=_WANTS.decode(row.wants),
        assigned_to=row.assigned_to,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        result=texts(row.result),
    )
