"""Delivery windows as marketplaces' APIs show them: their history, whose turn it is to be read, extensions and their proof (R7).

An API's end goes before a typed one and a file's. An extension is proven by the end that moved, never by an answer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tracker.clock import epoch, instant
from tracker.model import OrderState, OutboxState, Rank, WindowChange, WindowSource
from tracker.store.connection import Database, Record, Tx, instant_of, required
from tracker.store.encoding import json_text, stamps, texts
from tracker.store.records import DAEMON, audit, wake
from tracker.store.rows import Doubtful, DueWindow, WindowSeen
from tracker.store.tables import DOSSIER

EXTENDED, REFUSED, NOT_EXTENDED = "extended", "refused", "not_extended"
"""How an attempt ended."""

LIVING = timedelta(days=14)
"""An API that has not been asked about an order for so long no longer speaks for it: files do again."""

_REFUSALS = 4
"""After so many refusals in a row (a day, two, four, seven between them) an API no longer speaks for the order."""

_NOTE = """
    INSERT INTO window_history (order_id, at, window_end, source, by, days, proof) VALUES (?, ?, ?, ?, ?, ?, ?)"""

_HISTORY = "SELECT at, window_end, source, by, days, proof FROM window_history WHERE order_id = ? ORDER BY id"

_WATCH = """
    INSERT INTO window_watch (order_id, store, next_at, failures)
    SELECT id, store, ?, 0 FROM dossier
    WHERE id > ? AND id <= ? AND store = ? AND state NOT IN ('finished', 'cancelled') AND received_at IS NULL
    ON CONFLICT (order_id) DO NOTHING"""

_OVER = """
    DELETE FROM window_watch WHERE store = ? AND next_at <= ? AND order_id IN
        (SELECT id FROM dossier WHERE state IN ('finished', 'cancelled') OR received_at IS NOT NULL)"""

_SEEN = """
    INSERT INTO marketplace_state (account, capability, next_at, seen_order) VALUES (?, 'window', 0, ?)
    ON CONFLICT (account, capability) DO UPDATE SET seen_order = excluded.seen_order"""

_DUE = """
    SELECT w.order_id, d.number, w.failures FROM window_watch w JOIN dossier d ON d.id = w.order_id
    WHERE w.store = ? AND w.next_at <= ? ORDER BY w.next_at, w.order_id LIMIT ?"""

_DOUBT = """
    SELECT o.id, o.order_id, o.dedup_key, d.number, o.state, o.occasion, o.sent_at, o.created_at, a.end_before, a.at, a.days
    FROM outbox o JOIN dossier d ON d.id = o.order_id
    LEFT JOIN extension_attempt a ON a.id = (SELECT max(id) FROM extension_attempt WHERE row_id = o.id)
    WHERE o.kind = 'extension' AND o.channel = 'marketplace' AND o.store = ? AND o.id > ?
        AND (o.state = 'unknown' OR (o.state = 'sent' AND a.id IS NOT NULL AND a.settled_at IS NULL))
    ORDER BY o.id LIMIT ?"""

_BEGIN = """
    INSERT INTO extension_attempt (row_id, order_id, attempt, days, end_before, at)
    SELECT id, order_id, ?, ?, ?, ? FROM outbox WHERE id = ? AND state = 'sending'"""

_END = """
    UPDATE extension_attempt SET settled_at = ?, outcome = ?, end_after = ?, result = ? WHERE row_id = ? AND settled_at IS NULL"""

_NEXT = "UPDATE outbox SET attempts = attempts + 1 WHERE id = ? AND state = 'sending' RETURNING attempts"

_PROVEN = """
    UPDATE outbox SET state = 'sent', result = ?, provider_id = coalesce(?, provider_id), sent_at = ?
    WHERE id = ? AND state IN ('sending', 'unknown', 'sent') RETURNING order_id, dedup_key"""

_NOT_MADE = """
    UPDATE outbox SET state = 'failed', result = ?, sent_at = NULL
    WHERE id = ? AND state IN ('sending', 'unknown') RETURNING order_id, dedup_key"""

_BACK = """
    UPDATE outbox SET state = 'pending', result = ?, not_before = ?, sent_at = NULL
    WHERE id = ? AND state = 'sending' RETURNING order_id, dedup_key"""

_TO_TASK = """
    UPDATE outbox SET state = 'pending', channel = 'task', tried = ?, evidence = ?, result = ?, not_before = ?, sent_at = NULL
    WHERE id = ? AND state = ?"""


def note(
    tx: Tx,
    order_id: int,
    end: datetime | str | None,
    source: WindowSource | None,
    *,
    by: str,
    now: datetime,
    days: int | None = None,
    proof: str | None = None,
) -> None:
    """The window's end has changed: who said so, and where it was read."""
    tx.run(_NOTE, order_id, now, end, source, by, days, proof)


def speaks(tx: Tx, order_id: int, now: datetime) -> bool:
    """Whether the end that is known is an API's which is still asked: then no file takes it back (api > typed > file)."""
    sql = """
        SELECT 1 FROM window_watch w JOIN dossier d ON d.id = w.order_id
        WHERE w.order_id = ? AND d.window_source = 'api' AND w.next_at > ? AND w.failures < ?"""
    return tx.value(sql, order_id, epoch(now - LIVING), _REFUSALS) is not None


class Windows:
    """The store's methods for windows and extensions."""

    _db: Database

    async def window_history(self, order_id: int) -> list[WindowChange]:
        """Every end that the order's window had, oldest first."""
        return [_change(row) for row in await self._db.read(lambda tx: tx.rows(_HISTORY, order_id))]

    async def watch_windows(self, account: str, store: str, now: datetime) -> int:
        """Begin to read the windows of orders of `store` that came in since the last call; how many those are."""

        def watch(tx: Tx) -> int:
            seen = tx.value("SELECT seen_order FROM marketplace_state WHERE account = ? AND capability = 'window'", account) or 0
            newest: int = tx.value("SELECT coalesce(max(id), 0) FROM dossier")
            tx.run(_OVER, store, epoch(now))
            if newest == seen:
                return 0
            tx.run(_SEEN, account, newest)
            return tx.run(_WATCH, epoch(now), seen, newest, store)

        return await self._db.write(watch)

    async def due_windows(self, store: str, now: datetime, limit: int) -> list[DueWindow]:
        """Orders whose window is to be read now, the longest overdue first."""
        rows = await self._db.read(lambda tx: tx.rows(_DUE, store, epoch(now), limit))
        return [DueWindow(order_id=row[0], number=row[1], failures=row[2]) for row in rows]

    async def save_window(self, order_id: int, seen: WindowSeen, now: datetime) -> bool:
        """Keep what the API shows; whether it said something new. An order that is over is read no more."""

        def save(tx: Tx) -> bool:
            changed = _adopt(tx, order_id, seen, None, now)
            if seen.over:
                tx.run("DELETE FROM window_watch WHERE order_id = ?", order_id)
            elif seen.next_at is not None:
                tx.run("UPDATE window_watch SET next_at = ?, failures = 0 WHERE order_id = ?", seen.next_at, order_id)
            if changed:
                wake(tx, [order_id], now)
            return changed

        return await self._db.write(save)

    async def put_off_windows(self, waits: Sequence[tuple[int, int]], *, refused: bool = True) -> None:
        """(order id, epoch): nothing was told about these, ask again then. `refused`: the API does not know them."""
        sql = "UPDATE window_watch SET next_at = ?, failures = failures + ? WHERE order_id = ?"
        await self._db.write(lambda tx: tx.many(sql, [(at, int(refused), order_id) for order_id, at in waits]))

    async def begin_extension(self, row_id: int, *, attempt: int, days: int, end_before: datetime, now: datetime) -> None:
        """Write the attempt down before the call is made."""
        await self._db.write(lambda tx: tx.run(_BEGIN, attempt, days, end_before, now, row_id))

    async def next_attempt(self, row_id: int, why: str, now: datetime) -> int | None:
        """The platform refused so many days: one more attempt of the same claim; its number, None when the row was lost."""

        def step(tx: Tx) -> int | None:
            tx.run(_END, now, REFUSED, None, why, row_id)
            number: int | None = tx.value(_NEXT, row_id)
            return number

        return await self._db.write(step)

    async def extension_proven(
        self, row_id: int, seen: WindowSeen, *, days: int | None, request: str | None, at: datetime, now: datetime
    ) -> bool:
        """The end has moved: the row is sent, the window has one extension more, and the history keeps the proof.

        `at`: when the extension was asked for.
        """

        def prove(tx: Tx) -> bool:
            row = tx.row(_PROVEN, seen.proof, request, at, row_id)
            if row is None:
                return False
            order_id, key = row
            tx.run(_END, now, EXTENDED, seen.end, seen.proof, row_id)
            _adopt(tx, order_id, seen, days, now, extended=True)
            audit(tx, now, who=DAEMON, what="window_extended", order_id=order_id, subject=key, reason=seen.proof)
            wake(tx, [order_id], now)
            return True

        return await self._db.write(prove)

    async def extension_not_made(self, row_id: int, seen: WindowSeen, why: str, now: datetime) -> bool:
        """The end has provably not moved: the row has failed, and the rule may ask once more."""

        def fail(tx: Tx) -> bool:
            tx.run(_END, now, NOT_EXTENDED, seen.end, why, row_id)
            row = tx.row(_NOT_MADE, why, row_id)
            if row is None:
                return False
            _adopt(tx, row[0], seen, None, now)
            audit(tx, now, who=DAEMON, what="outbox_failed", order_id=row[0], subject=row[1], reason=why)
            wake(tx, [row[0]], now)
            return True

        return await self._db.write(fail)

    async def extension_put_off(self, row_id: int, why: str, until: datetime, now: datetime) -> bool:
        """Definitely not done, and may be asked for again then (throttled, a token that was refused): sending -> pending."""

        def later(tx: Tx) -> bool:
            row = tx.row(_BACK, why, epoch(until), row_id)
            tx.run(_END, now, REFUSED, None, why, row_id)
            if row is None:
                return False
            audit(tx, now, who=DAEMON, what="outbox_pending", order_id=row[0], subject=row[1], reason=why)
            return True

        return await self._db.write(later)

    async def extension_by_hand(self, row_id: int, why: str, now: datetime, *, claimed: bool = False) -> bool:
        """The same row goes to a person, with the reason among its facts: nobody called, or the platform said a definite no.

        `claimed`: it is the caller's own; else it must still be pending, so that nobody takes it from one who is calling.
        """
        state = OutboxState.SENDING if claimed else OutboxState.PENDING

        def hand_over(tx: Tx) -> bool:
            row = tx.row("SELECT order_id, dedup_key, evidence, channel FROM outbox WHERE id = ?", row_id)
            known = texts(row[2]) | {"refused_because": why}
            if tx.run(_TO_TASK, json_text([row[3]]), json_text(known), why, epoch(now), row_id, state) != 1:
                return False
            tx.run(_END, now, REFUSED, None, why, row_id)
            audit(tx, now, who=DAEMON, what="outbox_rerouted", order_id=row[0], subject=row[1], reason=why)
            return True

        return await self._db.write(hand_over)

    async def doubtful_extensions(self, store: str, limit: int, *, after: int = 0) -> list[Doubtful]:
        """Extensions of this store without proof, beyond the row `after`: in doubt, or said to be made before a crash."""
        return [_doubtful(row) for row in await self._db.read(lambda tx: tx.rows(_DOUBT, store, after, limit))]


def _adopt(tx: Tx, order_id: int, seen: WindowSeen, days: int | None, now: datetime, *, extended: bool = False) -> bool:
    """Write the API's end into the order; whether anything is new."""
    store, number, end, source, count, state, kept = tx.row(
        "SELECT store, number, window_end, window_source, window_extensions, state, stamps FROM dossier WHERE id = ?", order_id
    )
    before = instant_of(end)
    values: dict[str, object] = {}
    if seen.end is not None and (seen.end != before or source != WindowSource.API.value):
        values |= {"window_end": seen.end, "window_source": WindowSource.API.value}
    if extended:
        values["window_extensions"] = count + 1
    if seen.over and state not in {OrderState.FINISHED.value, OrderState.CANCELLED.value}:
        values["state"] = OrderState.FINISHED.value
    if not values:
        return False
    word = (Rank.MARKETPLACE.value, 2 * tx.value("SELECT coalesce(max(id), 0) FROM import_batch") + 1)
    tx.update(DOSSIER, order_id, **values, stamps=json_text(stamps(kept) | dict.fromkeys(values, word)))
    if "window_end" in values or extended:
        note(tx, order_id, seen.end, WindowSource.API, by=DAEMON, now=now, days=days, proof=seen.proof)
    audit(
        tx,
        now,
        who=DAEMON,
        what="window_read",
        order_id=order_id,
        subject=f"order/{store}/{number}",
        reason=seen.proof,
        before={"window_end": before, "window_source": source, "state": state},
        after=values,
    )
    return True


def _change(row: Record) -> WindowChange:
    return WindowChange(
        at=required(row[0]),
        end=instant_of(row[1]),
        source=None if row[2] is None else WindowSource(row[2]),
        by=row[3],
        days=row[4],
        proof=row[5],
    )


def _doubtful(row: Record) -> Doubtful:
    """Without an attempt of its own (a restored backup) the occasion tells the day of the end that was to move."""
    day = datetime.fromisoformat(row[5].partition("/")[0]).replace(tzinfo=UTC) if row[5] else instant(0)
    asked = instant_of(row[9]) or instant_of(row[6]) or required(row[7])
    return Doubtful(
        row_id=row[0],
        order_id=row[1],
        key=row[2],
        number=row[3],
        state=OutboxState(row[4]),
        end_before=instant_of(row[8]) or day + timedelta(days=1),
        at=asked,
        days=row[10],
    )
