"""What a cut-over, an outage, a pause or a restore left behind: whose stages were skipped, what waits for its turn, what is held.

Which stages were skipped is the policy's answer; the store finds the orders and keeps what a person said about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec

from tracker.model import HoldReason, Intent, Settle, Settled
from tracker.store.connection import Database, Record, Tx, required
from tracker.store.encoding import json_text, settlements
from tracker.store.intake.takeover import Told, tell_contacts
from tracker.store.records import audit, wake

T = TypeVar("T")

_TAKEN_OVER = """
    SELECT d.id FROM dossier d
    WHERE (d.cutover_at IS NOT NULL OR d.backlog IS NOT NULL) AND d.received_at IS NULL
        AND d.state NOT IN ('cancelled', 'finished', 'unpaid')
        AND EXISTS (SELECT 1 FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id
                    WHERE l.order_id = d.id AND s.status <> 'delivered')
    ORDER BY d.id"""

_WAITING = """
    SELECT store, count(*) FROM outbox
    WHERE overdue AND state = 'pending' AND kind = 'message' GROUP BY store ORDER BY store"""

_GONE = """
    SELECT store, count(*) FROM outbox
    WHERE overdue AND kind = 'message' AND state IN ('sending', 'sent', 'unknown') AND sent_at >= ? GROUP BY store"""

_HELD = """
    SELECT store, hold, CASE WHEN intent = 'delay' AND occasion = 'stage3' THEN 'stage3' ELSE intent END AS told,
        count(*), min(held_since)
    FROM outbox
    WHERE state = 'held' AND kind = 'message' AND (hold <> 'message_needs_approval' OR overdue)
    GROUP BY store, hold, told ORDER BY store, hold, told"""

_KNOWN = "SELECT number, store, id FROM dossier WHERE number IN (??) ORDER BY id"

_SEEN = "SELECT id, version, store, number, backlog FROM dossier WHERE id IN (??)"

_CHUNK = 300


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order by its number; several stores may use the same one."""

    number: str
    store: str
    id: int


class InLine(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a store that came due all at once: how many wait, how many of them have gone out today (UTC)."""

    store: str
    waiting: int
    gone_today: int


class HeldCount(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a store that a person must look at, by why and what for; `since` the oldest.

    `delay` in the place of stage 3 counts as that stage (D2): so a person settles it.
    """

    store: str
    hold: HoldReason
    intent: Intent
    rows: int
    since: datetime


class SettleWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says about stages of one order, on the facts `version` that it was offered on.

    `at` is when it was said; of DONE when the buyer was told.
    """

    order_id: int
    version: int
    stages: tuple[Intent, ...]
    how: Settle
    at: datetime


class Backlog:
    """The store's methods for cut-over and backlog."""

    _db: Database

    async def known_orders(self, numbers: Sequence[str]) -> list[KnownOrder]:
        """The orders with these numbers, in any store."""
        unique = list(dict.fromkeys(numbers))

        def look(tx: Tx) -> list[KnownOrder]:
            rows = (row for piece in _cut(unique) for row in tx.among(_KNOWN, piece))
            return [KnownOrder(number=row[0], store=row[1], id=row[2]) for row in rows]

        return await self._db.read(look)

    async def tell_contacts(self, told: Mapping[int, Told], *, by: str, reason: str, now: datetime) -> int:
        """Note which stages the buyers of these orders (by id) were told outside; how many orders learned something new."""
        news = 0
        for piece in _cut(list(told.items())):
            work = partial(_tell, told=piece, by=by, reason=reason, now=now)
            news += await self._db.write(work)
        return news

    async def taken_over(self) -> list[int]:
        """The orders on their way that have a cut-over, or about which a person settled something."""
        return await self._db.read(lambda tx: [row[0] for row in tx.rows(_TAKEN_OVER)])

    async def in_line(self, now: datetime) -> list[InLine]:
        """What the ramp lets out bit by bit, by store (D21)."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)

        def count(tx: Tx) -> list[InLine]:
            gone = {row[0]: row[1] for row in tx.rows(_GONE, midnight)}
            return [InLine(store=row[0], waiting=row[1], gone_today=gone.get(row[0], 0)) for row in tx.rows(_WAITING)]

        return await self._db.read(count)

    async def held_counts(self) -> list[HeldCount]:
        """Messages that guards hold, and overdue ones that wait for approval."""
        return [_held(row) for row in await self._db.read(lambda tx: tx.rows(_HELD))]

    async def settle_backlog(self, words: Sequence[SettleWrite], *, by: str, reason: str, now: datetime) -> set[int]:
        """Write what a person said, 300 orders a transaction; each is decided again at once.

        The ids that were written: an order whose facts moved since `version` is left alone.
        """
        done: set[int] = set()
        for piece in _cut(words):
            work = partial(_settle, words=piece, by=by, reason=reason, now=now)
            done |= await self._db.write(work)
        return done


def _tell(tx: Tx, told: Sequence[tuple[int, Told]], by: str, reason: str, now: datetime) -> int:
    return sum(tell_contacts(tx, order_id, stages, by=by, reason=reason, now=now) for order_id, stages in told)


def _settle(tx: Tx, words: Sequence[SettleWrite], by: str, reason: str, now: datetime) -> set[int]:
    rows = {row[0]: row for row in tx.among(_SEEN, [word.order_id for word in words])}
    done = set()
    for word in words:
        row = rows.get(word.order_id)
        if row is None or row[1] != word.version:
            continue
        if word.how is Settle.DONE:
            tell_contacts(tx, word.order_id, dict.fromkeys(word.stages, word.at), by=by, reason=reason, now=now)
        else:
            _say(tx, row, word, by, reason, now)
        done.add(word.order_id)
    return done


def _say(tx: Tx, row: Record, word: SettleWrite, by: str, reason: str, now: datetime) -> None:
    before = settlements(row[4])
    said = dict.fromkeys(word.stages, Settled(how=word.how, by=by, at=word.at))
    tx.run("UPDATE dossier SET backlog = ? WHERE id = ?", json_text(before | said), word.order_id)
    audit(
        tx,
        now,
        who=by,
        what="backlog_settled",
        order_id=word.order_id,
        subject=f"order/{row[2]}/{row[3]}",
        reason=reason,
        before={stage.value: before[stage].how.value for stage in word.stages if stage in before},
        after={stage.value: word.how.value for stage in word.stages},
    )
    wake(tx, [word.order_id], now)


def _held(row: Record) -> HeldCount:
    return HeldCount(store=row[0], hold=HoldReason(row[1]), intent=Intent(row[2]), rows=row[3], since=required(row[4]))


def _cut(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
