"""What guards hold back, in bulk: let go as a backlog, looked at again after a store's mode was raised; the clock's mark.

Which store and type of message may go now is the caller's knowledge; the store keeps rows and marks. Everything is audited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec

from tracker.clock import epoch, instant
from tracker.messages import base_key
from tracker.model import ActionKind, HoldReason
from tracker.store import counting
from tracker.store.connection import Database, Record, Tx
from tracker.store.desk import REVIEW_HOLDS
from tracker.store.records import DAEMON, audit, wake
from tracker.store.righting import set_right, wrote_ahead
from tracker.store.sweep import OVERDUE_SECONDS

HELD = """
    SELECT o.id, o.order_id, o.dedup_key, o.hold, o.store, s.carrier, o.template, o.intent, o.approved_by, o.kind
    FROM outbox o LEFT JOIN alias a ON a.number = o.shipment LEFT JOIN shipment s ON s.id = a.shipment_id
    WHERE o.state = 'held' AND o.state IN ('held', 'pending', 'sending', 'unknown')"""
"""By ix_outbox_live."""

_RELEASE = """
    UPDATE outbox
    SET state = 'pending', answered = hold, hold = NULL, approved_by = coalesce(approved_by, ?), decided_at = ?,
        not_before = CASE WHEN not_before > ? THEN not_before ELSE ? END, overdue = overdue OR kind = 'message'
    WHERE id = ? AND state = 'held' AND hold = ? AND hold <> 'rules_wait' AND (kind <> 'refund' OR approved_by IS NOT NULL)"""
"""Money that nobody has approved is no matter of many at once (D11): released one by one, it comes before those who approve."""

_LOOK_AGAIN = """
    UPDATE outbox SET state = 'pending', hold = NULL, not_before = ?, overdue = overdue OR (kind = 'message' AND due_at < ?)
    WHERE id = ? AND state = 'held' AND hold = 'store_observes'"""

_SET = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"

_DISTRUSTED = "clock_distrusted_at"

_CHUNK = 400


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that a guard holds back, with what a choice of many goes by. `type` is the message's, else the intent."""

    id: int
    order_id: int
    key: str
    hold: HoldReason
    store: str
    carrier: str | None
    type: str
    message: bool
    alone: bool
    """No matter of many at once: money that nobody has approved, and what waits for its rules."""


class TurnedBad(msgspec.Struct, frozen=True, kw_only=True):
    """Parcels of a carrier that turned untrackable or lost: within 24 h, and usually a day (mean of the 28 days before)."""

    carrier: str
    within_24h: int
    usual: float


class Holds:
    """The store's methods for holds in bulk."""

    _db: Database

    async def held_rows(self) -> list[HeldRow]:
        """All that is held for another reason than review, in the order in which it was decided."""
        return await self._db.read(_held)

    async def release_rows(self, rows: Sequence[HeldRow], *, by: str, reason: str, now: datetime) -> list[int]:
        """Let these go, as `release_hold` does for one; the ids that were still held for that reason. 400 a transaction.

        What waits for its rules goes with them only (`tracker config accept`): money among it has its own approval before it.
        """
        done: list[int] = []
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            done += await self._db.write(partial(_release, rows=some, by=by, reason=reason, now=now))
        return done

    async def look_again(self, may_go: Callable[[str, str], bool], now: datetime) -> dict[str, int]:
        """Rows that waited because their store observed, and need not any more: back to pending; how many of each store.

        `may_go(store, type)`. release() then decides afresh: cancelled, for review, stale, or part of the backlog.
        """
        rows = [
            row for row in await self._db.read(_held) if row.hold is HoldReason.STORE_OBSERVES and may_go(row.store, row.type)
        ]
        counts: dict[str, int] = {}
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            for row in await self._db.write(partial(_again, rows=some, now=now)):
                counts[row.store] = counts.get(row.store, 0) + 1
        return counts

    async def turned_bad(self, now: datetime) -> list[TurnedBad]:
        """The plausibility hold's numbers of every carrier with such parcels in these weeks, most first (D25)."""

        def count(tx: Tx) -> list[TurnedBad]:
            at = epoch(now)
            carriers = [row[0] for row in tx.rows("SELECT DISTINCT carrier FROM bad_parcel WHERE at > ?", at - 29 * 86_400)]
            found = [(carrier, *counting.turned_bad(tx, carrier, at)) for carrier in carriers]
            told = [TurnedBad(carrier=carrier, within_24h=day, usual=usual) for carrier, day, usual in found]
            return sorted(told, key=lambda each: (-each.within_24h, each.carrier))

        return await self._db.read(count)

    # --------------------------------------------------------------------------------------------------------------- the clock

    async def distrust_clock(self, now: datetime) -> None:
        """The daemon's clock has jumped: the mark stands until a person confirms the time, or the clock is right again."""
        await self._db.write(lambda tx: tx.run(_SET, _DISTRUSTED, str(epoch(now))))

    async def clock_distrusted_at(self) -> datetime | None:
        """Since when the clock is not trusted, by the clock that is not trusted; None while it is."""
        at = await self._db.read(lambda tx: tx.value("SELECT value FROM meta WHERE key = ?", _DISTRUSTED))
        return None if at is None else instant(int(at))

    async def clock_mended(self) -> None:
        """The clock is right again, or a new run measures it from here on: the mark goes."""
        await self._db.write(lambda tx: tx.run("DELETE FROM meta WHERE key = ?", _DISTRUSTED))

    async def written_ahead(self, now: datetime) -> datetime | None:
        """When our latest effect was decided, where that has yet to come and nobody has confirmed the time since."""
        return await self._db.read(lambda tx: counting.written_ahead(tx, now))

    async def wrote_ahead(self, now: datetime) -> bool:
        """Whether something is kept that has yet to come: then the clock was ahead, and has been set back."""
        return await self._db.read(lambda tx: wrote_ahead(tx, now))

    async def clock_came_back(self, now: datetime) -> None:
        """The clock was ahead and was set back: polls, deadlines and sends go on at once, not when that time comes (I2)."""
        await self._db.write(lambda tx: set_right(tx, now))

    async def confirm_clock(self, *, by: str, reason: str, now: datetime) -> None:
        """A person has looked: the time is right. Ends the daemon's distrust; rows of ours that lie ahead say nothing more."""

        def confirm(tx: Tx) -> None:
            newest = tx.value("SELECT max(id) FROM outbox") or 0
            tx.run(_SET, counting.CONFIRMED, str(newest))
            tx.run("DELETE FROM meta WHERE key = ?", _DISTRUSTED)
            audit(tx, now, who=by, what="clock_confirmed", order_id=None, subject="clock", reason=reason)

        await self._db.write(confirm)


def _held(tx: Tx) -> list[HeldRow]:
    return [_row(row) for row in tx.rows(HELD) if row[3] not in REVIEW_HOLDS]


def _row(row: Record) -> HeldRow:
    return HeldRow(
        id=row[0],
        order_id=row[1],
        key=row[2],
        hold=HoldReason(row[3]),
        store=row[4],
        carrier=row[5],
        type=base_key(row[6] or row[7]),
        message=row[9] == ActionKind.MESSAGE.value,
        alone=row[3] == HoldReason.RULES_WAIT.value or (row[9] == ActionKind.REFUND.value and row[8] is None),
    )


def _release(tx: Tx, rows: Sequence[HeldRow], by: str, reason: str, now: datetime) -> list[int]:
    done = []
    for row in rows:
        if tx.run(_RELEASE, by, now, epoch(now), epoch(now), row.id, row.hold) == 1:
            done.append(row.id)
            _note(tx, row, "hold_released", by, reason, now)
    wake(tx, [row.order_id for row in rows], now)
    return done


def _again(tx: Tx, rows: Sequence[HeldRow], now: datetime) -> list[HeldRow]:
    at = epoch(now)
    done = [row for row in rows if tx.run(_LOOK_AGAIN, at, at - OVERDUE_SECONDS, row.id) == 1]
    for row in done:
        _note(tx, row, "mode_raised", DAEMON, "", now)
    return done


def _note(tx: Tx, row: HeldRow, what: str, by: str, reason: str, now: datetime) -> None:
    before, after = {"state": "held", "hold": row.hold.value}, {"state": "pending"}
    audit(tx, now, who=by, what=what, order_id=row.order_id, subject=row.key, reason=reason, before=before, after=after)
