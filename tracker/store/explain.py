"""The whole case of an order or parcel, as it was written down: scans, answers, verdicts, the audit."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import or_, select

from carriers.model import TrackingStatus
from tracker.clock import instant
from tracker.model import Verdict
from tracker.store.connection import Database
from tracker.store.encoding import mapping, tracking_event
from tracker.store.reading import outbox_views, task_views
from tracker.store.retention import KNOWN, OF_THEM
from tracker.store.rows import AnswerView, AuditEntry, EventView, OutboxView, RawAnswer, TaskView, VerdictView
from tracker.store.tables import ALIAS, AUDIT, DECISION, LINK, OUTBOX, TASK, TASK_ITEM

_VERDICT = msgspec.json.Decoder(Verdict)

_EVENTS = """
    SELECT key, time, local_time, offset_minutes, status, reason, raw_code, description, location, country, source, seen_at
    FROM tracking_event WHERE shipment_id = ? ORDER BY seq, key"""

_ANSWERS = f"""
    WITH RECURSIVE {KNOWN}
    SELECT account, number, status, changed_at FROM answer
    WHERE {OF_THEM} AND number IN (SELECT number FROM alias WHERE shipment_id = ?
                                   UNION SELECT linked_number FROM shipment WHERE id = ?)
    ORDER BY account, number"""  # noqa: S608 - our own words

_NUMBERS = """
    SELECT number FROM alias WHERE shipment_id = ?
    UNION SELECT linked_number FROM shipment WHERE id = ? AND linked_number IS NOT NULL ORDER BY number"""

_RAW = "SELECT number, account, at, size, body FROM raw_answer WHERE number IN (??) ORDER BY id"

_NEXT_POLLS = """
    SELECT s.number, s.next_poll_at FROM shipment s JOIN order_shipment l ON l.shipment_id = s.id
    WHERE l.order_id = ? ORDER BY s.number"""


class Explain:
    """The store's methods for telling why."""

    _db: Database

    async def events_of(self, shipment_id: int) -> list[EventView]:
        """The stored scans of a parcel, as its sources list them."""
        rows = await self._db.read(lambda tx: tx.rows(_EVENTS, shipment_id))
        return [EventView(event=tracking_event(tuple(row[:10])), source=row[10], seen_at=instant(row[11])) for row in rows]

    async def answers_of(self, shipment_id: int) -> list[AnswerView]:
        """What each account last said about the parcel's numbers."""
        rows = await self._db.read(lambda tx: tx.rows(_ANSWERS, shipment_id, shipment_id))
        return [
            AnswerView(
                account=row[0],
                number=row[1],
                status=None if row[2] is None else TrackingStatus(row[2]),
                changed_at=instant(row[3]),
            )
            for row in rows
        ]

    async def raw_answers(self, numbers: Sequence[str]) -> list[RawAnswer]:
        """What sources answered about these numbers, byte for byte, oldest first (D10)."""
        rows = await self._db.read(lambda tx: tx.among(_RAW, numbers))
        found = [
            RawAnswer(number=row[0], account=row[1], at=instant(row[2]), size=row[3], body=zlib.decompress(row[4]))
            for row in rows
        ]
        return sorted(found, key=lambda each: (each.at, each.account, each.number))

    async def numbers_of(self, shipment_id: int) -> tuple[str, ...]:
        """Every number the parcel ever had, the present one and that of its last mile included."""
        rows = await self._db.read(lambda tx: tx.rows(_NUMBERS, shipment_id, shipment_id))
        return tuple(row[0] for row in rows)

    async def next_polls(self, order_id: int) -> dict[str, datetime | None]:
        """When each parcel of an order is asked about next: number -> instant, None = never again by itself."""
        rows = await self._db.read(lambda tx: tx.rows(_NEXT_POLLS, order_id))
        return {row[0]: None if row[1] is None else instant(row[1]) for row in rows}

    async def verdicts_of(self, order_id: int, limit: int = 50) -> list[VerdictView]:
        """The newest verdicts of an order, oldest of them first; one that said the same as the one before was not stored."""
        statement = select(DECISION).where(DECISION.c.order_id == order_id).order_by(DECISION.c.id.desc()).limit(limit)
        rows = await self._db.read(lambda tx: tx.select(statement))
        return [
            VerdictView(at=row.at, config_version=row.config_version, verdict=_VERDICT.decode(row.verdict))
            for row in reversed(rows)
        ]

    async def audit_of(self, order_id: int, limit: int = 200) -> list[AuditEntry]:
        """The newest lines of an order's audit, oldest of them first."""
        statement = select(AUDIT).where(AUDIT.c.order_id == order_id).order_by(AUDIT.c.id.desc()).limit(limit)
        rows = await self._db.read(lambda tx: tx.select(statement))
        return [
            AuditEntry(
                at=row.at,
                who=row.who,
                what=row.what,
                subject=row.subject,
                reason=row.reason,
                before=mapping(row.before),
                after=mapping(row.after),
            )
            for row in reversed(rows)
        ]

    async def rows_of(self, order_id: int) -> list[OutboxView]:
        """The outbox rows of an order and of its parcels, oldest first."""
        subjects = (
            select("shipment/" + ALIAS.c.number)
            .join(LINK, LINK.c.shipment_id == ALIAS.c.shipment_id)
            .where(LINK.c.order_id == order_id)
        )
        where = or_(OUTBOX.c.order_id == order_id, OUTBOX.c.subject.in_(subjects))
        return await self._db.read(lambda tx: outbox_views(tx, where))

    async def tasks_of(self, order_id: int) -> list[TaskView]:
        """The tasks that have to do with an order."""
        mine = select(TASK_ITEM.c.task_id).where(TASK_ITEM.c.order_id == order_id)
        return await self._db.read(lambda tx: task_views(tx, TASK.c.id.in_(mine)))
