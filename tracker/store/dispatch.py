"""Effects on their way out: claiming, finishing, holding; tasks and claims that need no outside call; recovery after a crash.

`sending` is committed before the call (I1, fault 1). Every change names the state it starts from; `True` means that exactly one
row changed, `False` that somebody else was quicker, or that the facts have moved: the caller lets go of the row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, or_, select

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import Channel, HoldReason, JournalEnd, OutboxRow, OutboxState, Totals
from tracker.store import counting
from tracker.store.connection import Database, Record, Tx
from tracker.store.leases import SENDING_SECONDS
from tracker.store.reading import outbox_row
from tracker.store.records import DAEMON, audit, wake
from tracker.store.rows import SendingRow
from tracker.store.tables import OUTBOX

LEFT_ALONE = "the worker that sent it is gone"

_CLAIM = """
    UPDATE outbox SET state = 'sending', who = ?, epoch = ?, lease_until = ?, attempts = attempts + 1, sent_at = ?, hold = NULL,
        result = NULL, body = coalesce(?, body)
    WHERE id = ? AND state = 'pending'
        AND (SELECT version FROM dossier WHERE dossier.id = outbox.order_id) = ?
        AND coalesce((SELECT sent FROM total t
                      WHERE t.store = outbox.store AND t.channel = outbox.channel AND t.hour = ?), 0) < ?"""

FIX_DAY0 = """
    UPDATE shipment SET day0 = day0_seen
    WHERE day0_seen IS NOT NULL AND (day0 IS NULL OR day0 > day0_seen)
        AND id IN (SELECT l.shipment_id FROM outbox o JOIN order_shipment l ON l.order_id = o.order_id
                   WHERE o.id = ? AND o.intent IN ('stage1', 'stage2', 'stage3'))"""

_SEEN = "UPDATE dossier SET version = version + 1 WHERE id = (SELECT order_id FROM outbox WHERE id = ?)"
"""A second message of the order that was released beside this one must look again: 72 hours lie between them."""

_FINISH = """
    UPDATE outbox
    SET state = ?, result = ?, provider_id = coalesce(?, provider_id), not_before = coalesce(?, not_before), sent_at = ?,
        lease_until = NULL
    WHERE id = ? AND state = 'sending' RETURNING order_id, dedup_key"""

_FALL_BACK = """
    UPDATE outbox SET state = 'pending', channel = ?, tried = ?, result = ?, not_before = ?, sent_at = NULL, lease_until = NULL
    WHERE id = ? AND state = 'sending' RETURNING order_id, dedup_key"""

_LEFT = "SELECT id, dedup_key, attempts FROM outbox WHERE state = 'sending' AND (epoch IS NULL OR epoch <= ?) ORDER BY id"

_LEFT_BY = "SELECT id, dedup_key, attempts FROM outbox WHERE state = 'sending' AND who = ? ORDER BY id"
"""Of a worker that starts: the process of its name before it is gone, else this one had not got it."""

_RAN_OUT = "SELECT id, dedup_key, attempts FROM outbox WHERE state = 'sending' AND lease_until < ? ORDER BY id"

_GIVEN_UP = "SELECT id, dedup_key, attempts FROM outbox WHERE state = 'unknown' AND who = ? AND result = ? ORDER BY id"

_TAKE_BACK = "UPDATE outbox SET state = 'sending' WHERE id = ? AND state = 'unknown'"

_HOLD = """
    UPDATE outbox SET state = 'held', hold = ?, held_since = ?, result = ?, lease_until = NULL WHERE id = ? AND state = 'pending'
    RETURNING order_id, dedup_key"""

_DEFER = """
    UPDATE outbox SET not_before = ?, result = ?, lease_until = NULL,
        in_line_since = CASE WHEN ? THEN coalesce(in_line_since, ?) ELSE in_line_since END
    WHERE id = ? AND state = 'pending'"""

_CANCEL = """
    UPDATE outbox SET state = 'cancelled', withdrawn = true, hold = NULL, result = ? WHERE id = ? AND state IN ('held', 'pending')
    RETURNING order_id, dedup_key"""

_FAIL = "UPDATE outbox SET state = 'failed', result = ? WHERE id = ? AND state = 'pending' RETURNING order_id, dedup_key"

_REROUTE = """
    UPDATE outbox SET channel = ?, result = ?, lease_until = NULL WHERE id = ? AND state = 'pending'
    RETURNING order_id, dedup_key"""

_NO_CAP = 1 << 62


def _due(wanted: Select[Any], at: int, *, fleet: bool) -> Select[Any]:
    """Pending rows whose time has come, in the order of their urgency; of a fleet without those that a worker has in hand."""
    free = (or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until < at),) if fleet else ()
    return wanted.where(OUTBOX.c.state == OutboxState.PENDING.value, OUTBOX.c.not_before <= at, *free).order_by(
        OUTBOX.c.urgent.desc(), OUTBOX.c.deadline.is_(None), OUTBOX.c.deadline, OUTBOX.c.not_before, OUTBOX.c.id
    )


class Dispatch:
    """The store's methods for the dispatch shell (tasks and claims: `Handing`)."""

    _db: Database

    async def due_rows(self, now: datetime, limit: int, *, skip: Collection[int] = frozenset()) -> list[OutboxRow]:
        """Pending rows whose time has come: urgent ones, then the nearest deadline, then the oldest; without those in `skip`."""
        statement = _due(select(OUTBOX), epoch(now), fleet=self._db.fleet).limit(limit + len(skip))
        rows = await self._db.read(lambda tx: tx.select(statement))
        return [outbox_row(row) for row in rows if row.id not in skip][:limit]

    async def due_ids(self, now: datetime, limit: int, *, skip: Collection[int] = frozenset()) -> list[int]:
        """The same by their ids alone: for when one of them cannot be read (faults row 33)."""
        statement = _due(select(OUTBOX.c.id), epoch(now), fleet=self._db.fleet).limit(limit + len(skip))
        rows = await self._db.read(lambda tx: tx.select(statement))
        return [row.id for row in rows if row.id not in skip][:limit]

    async def row(self, row_id: int) -> OutboxRow | None:
        """One row as it stands now."""
        rows = await self._db.read(lambda tx: tx.select(select(OUTBOX).where(OUTBOX.c.id == row_id)))
        return outbox_row(rows[0]) if rows else None

    async def totals(self, row: OutboxRow, now: datetime) -> Totals:
        """What `release()` must know beyond the dossier."""
        return await self._db.read(lambda tx: counting.totals(tx, row, now))

    async def claim_row(
        self,
        row_id: int,
        *,
        who: str,
        version: int,
        now: datetime,
        cap: int | None = None,
        body: str | None = None,
        still: counting.Still | None = None,
    ) -> bool:
        """From pending to sending, committed when this returns True; only then make the call, as attempt `row.attempts` + 1.

        Refused when the row is no longer pending, the dossier's facts are newer than `version`, the hour's `cap` of its store
        and channel is used up (counted in this very transaction), or, of a fleet, `still` says no to the totals of this moment.
        `body` is the text that goes out: evidence (D10).
        """

        def claim(tx: Tx) -> bool:
            if not counting.still_free(tx, row_id, now, still):
                return False
            hour = counting.hour(now)
            most = _NO_CAP if cap is None else cap
            ends = epoch(now) + SENDING_SECONDS
            if tx.run(_CLAIM, self._db.worker or who, self._db.epoch, ends, now, body, row_id, version, hour, most) != 1:
                return False
            counting.count(tx, row_id, now)
            tx.run(FIX_DAY0, row_id)
            tx.run(_SEEN, row_id)
            fault("claim_before_commit")
            return True

        claimed = await self._db.write(claim)
        fault("claim_after_commit")
        return claimed

    async def finish_row(
        self,
        row_id: int,
        to: OutboxState,
        now: datetime,
        *,
        result: str | None = None,
        provider_id: str | None = None,
        not_before: datetime | None = None,
    ) -> bool:
        """To sent | failed | unknown, or back to pending (with `not_before`) after a definite refusal that allows a retry."""

        def finish(tx: Tx) -> bool:
            again = None if not_before is None else epoch(not_before)
            sent_at = now if to in {OutboxState.SENT, OutboxState.UNKNOWN} else None
            row = tx.row(_FINISH, to, result, provider_id, again, sent_at, row_id)
            if row is None:
                return False
            audit(tx, now, who=DAEMON, what=f"outbox_{to.value}", order_id=row[0], subject=row[1], reason=result or "")
            wake(tx, [row[0]], now)
            fault("finish_before_commit")
            return True

        return await self._db.write(finish)

    async def fall_back_row(self, row: OutboxRow, to: Channel, why: str, now: datetime) -> bool:
        """From sending back to pending, over the next channel: the one it was sent through has definitely refused it (R25).

        The key stays, so nobody is written to twice; `row` as it was claimed.
        """
        tried = msgspec.json.encode((*row.tried, row.channel.value)).decode()

        def move(tx: Tx) -> bool:
            found = tx.row(_FALL_BACK, to, tried, why, epoch(now), row.id)
            if found is None:
                return False
            audit(tx, now, who=DAEMON, what="outbox_fell_back", order_id=found[0], subject=found[1], reason=why)
            wake(tx, [found[0]], now)
            return True

        return await self._db.write(move)

    async def hold_row(self, row_id: int, hold: HoldReason, why: str, now: datetime) -> bool:
        """From pending to held: a person looks first."""
        return await self._move(_HOLD, "outbox_held", why, now, hold, now, why, row_id)

    async def defer_row(self, row_id: int, until: datetime, why: str, now: datetime, *, in_line: bool = False) -> bool:
        """Later: pending stays pending (cap, ramp, 72 hours). `in_line`: the brake or a ramp lets it wait, not its own facts."""
        at = epoch(now)
        return await self._db.write(lambda tx: tx.run(_DEFER, max(epoch(until), at), why, in_line, at, row_id)) == 1

    async def cancel_row(self, row_id: int, why: str, now: datetime) -> bool:
        """From held or pending to cancelled: the facts no longer want it."""
        return await self._move(_CANCEL, "outbox_cancelled", why, now, why, row_id)

    async def fail_row(self, row_id: int, why: str, now: datetime) -> bool:
        """From pending to failed: the template does not render."""
        return await self._move(_FAIL, "outbox_failed", why, now, why, row_id)

    async def reroute_row(self, row_id: int, channel: Channel, why: str, now: datetime) -> bool:
        """The same row over another channel (a lint hit, a definite refusal); the key stays, so nobody is written to twice."""
        return await self._move(_REROUTE, "outbox_rerouted", why, now, channel, why, row_id)

    async def recover(self, ends: Mapping[str, JournalEnd], now: datetime) -> list[SendingRow]:
        """Before a daemon sends anything: what is still `sending` becomes what the journal's end line of that attempt says.

        An earlier epoch left it, or our own before a reload whose drain took too long. Without such a line nobody knows:
        `unknown`, shown to a person, never sent again by itself (fault 1).
        """

        def settle(tx: Tx) -> list[SendingRow]:
            left = tx.rows(_LEFT, self._db.epoch or 0) if self._db.worker is None else _left_by(tx, self._db.worker, ends)
            settled = [_settle(tx, row[0], row[1], _end(ends.get(row[1]), row[2]), now) for row in left]
            fault("recover_before_commit")
            return settled

        return await self._db.write(settle)

    async def give_up(self, now: datetime) -> list[SendingRow]:
        """On a fleet: what a worker began to send and whose lease has run out is `unknown`: nobody knows, and it is shown."""

        def settle(tx: Tx) -> list[SendingRow]:
            gone = tx.rows(_RAN_OUT, epoch(now))
            ends = [JournalEnd(attempt=row[2], state=OutboxState.UNKNOWN, result=LEFT_ALONE) for row in gone]
            return [_settle(tx, row[0], row[1], end, now) for row, end in zip(gone, ends, strict=True)]

        return await self._db.write(settle) if self._db.fleet else []

    async def _move(self, sql: str, what: str, why: str, now: datetime, *values: object) -> bool:
        def move(tx: Tx) -> bool:
            row = tx.row(sql, *values)
            if row is None:
                return False
            audit(tx, now, who=DAEMON, what=what, order_id=row[0], subject=row[1], reason=why)
            return True

        return await self._db.write(move)


def _left_by(tx: Tx, worker: str, ends: Mapping[str, JournalEnd]) -> Sequence[Record]:
    """What this worker was sending, and what others gave up meanwhile although its own journal knows the end."""
    given_up = tx.rows(_GIVEN_UP, worker, LEFT_ALONE)
    known = [row for row in given_up if (end := ends.get(row[1])) is not None and end.attempt == row[2]]
    tx.many(_TAKE_BACK, [(row[0],) for row in known])
    return [*tx.rows(_LEFT_BY, worker)]


def _end(end: JournalEnd | None, attempts: int) -> JournalEnd:
    if end is not None and end.attempt == attempts:
        return end
    return JournalEnd(attempt=attempts, state=OutboxState.UNKNOWN, result="stopped between claim and answer")


def _settle(tx: Tx, row_id: int, key: str, end: JournalEnd, now: datetime) -> SendingRow:
    again = epoch(now) if end.state is OutboxState.PENDING else None
    order_id = tx.row(_FINISH, end.state, end.result, end.provider_id, again, now, row_id)[0]
    audit(tx, now, who=DAEMON, what="outbox_recovered", order_id=order_id, subject=key, reason=end.state.value)
    wake(tx, [order_id], now)
    return SendingRow(id=row_id, key=key, state=end.state)
