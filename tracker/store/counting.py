"""What the guards count: sends by store, channel and hour; the backlog; parcels that turned bad (facts/faults.md row 35).

These run for every row that is looked at: each is answered by an index, and the brake costs nothing while no pause stands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import select

from tracker.clock import epoch, instant
from tracker.model import OutboxRow, OutboxState, Pause, Totals
from tracker.store.connection import Record, Tx, instant_of, required
from tracker.store.reading import outbox_row
from tracker.store.tables import OUTBOX

Still: TypeAlias = Callable[[Totals], bool]
"""Whether a row may go out by these totals: the guards of `release()`."""

_DAY = 86_400

_COUNT = """
    INSERT INTO total (store, channel, hour, sent) SELECT store, channel, ?, 1 FROM outbox WHERE id = ? AND kind = 'message'
    ON CONFLICT (store, channel, hour) DO UPDATE SET sent = total.sent + 1"""

_LAST = """
    SELECT max(sent_at) FROM outbox
    WHERE order_id = ? AND kind = 'message' AND state IN ('sending', 'sent', 'unknown') AND id <> ?"""

BACKLOG = "SELECT count(*) FROM outbox WHERE overdue AND state = 'pending' AND store = ?"
"""By ix_outbox_backlog alone; only messages are ever overdue."""

RELEASED = "SELECT count(*) FROM outbox WHERE overdue AND store = ? AND sent_at >= ?"
"""By ix_outbox_overdue; whatever has a `sent_at` has left, or may have."""

_CARRIER = "SELECT coalesce(s.carrier, '') FROM alias a JOIN shipment s ON s.id = a.shipment_id WHERE a.number = ?"

_BAD = "SELECT count(*) FROM bad_parcel WHERE carrier = ? AND at > ? AND at <= ?"

_MACHINE = """
    SELECT created_at, id, EXISTS (SELECT 1 FROM pause WHERE ended_at IS NULL),
        (SELECT value FROM meta WHERE key = 'restored_until')
    FROM outbox ORDER BY id DESC LIMIT 1"""

_STORE = """
    SELECT (SELECT since FROM store_start WHERE store = ?), (SELECT last_at FROM order_file WHERE store = ?),
        (SELECT b.first_at FROM dossier d JOIN import_batch b ON b.id = d.batch_id WHERE d.id = ?)"""

PAUSES = """
    SELECT id, reason, "by", since, until, store, country, carrier, rule, template, channel, deadlines FROM pause
    WHERE ended_at IS NULL AND (until IS NULL OR until > ?)"""
"""Unsorted: SQLite would rather read every pause there ever was than sort the few that stand."""

CONFIRMED = "clock_confirmed_row"
"""The mark that a person left who looked at the clock: rows up to this id say nothing against it."""

_NEWEST = """
    SELECT max(created_at) FROM (SELECT created_at FROM outbox WHERE id > ? ORDER BY id DESC LIMIT 10000) AS newest"""
"""Not of the very newest alone: a clock that was set back has written rows of its own since."""

CLOCK_SLACK_SECONDS = 300
"""How far our newest row may lie ahead of now before the clock is not trusted (fault 13)."""


def hour(now: datetime) -> int:
    """The epoch hour that caps are counted by."""
    return epoch(now) // 3600


def count(tx: Tx, row_id: int, now: datetime) -> None:
    """One more message left; tasks of other kinds do not count."""
    tx.run(_COUNT, hour(now), row_id)


def totals(tx: Tx, row: OutboxRow, now: datetime) -> Totals:
    """Everything `release()` wants to know about the row's surroundings."""
    at = epoch(now)
    newest, newest_id, braked, restored = tx.row(_MACHINE) or (None, 0, False, None)
    since, order_file_at, came_in = tx.row(_STORE, row.store, row.store, row.order_id)
    bad, usual = _bad(tx, row.shipment, at)
    return Totals(
        sent_this_hour=tx.value(
            "SELECT sent FROM total WHERE store = ? AND channel = ? AND hour = ?", row.store, row.channel, hour(now)
        )
        or 0,
        last_message_at=instant_of(tx.value(_LAST, row.order_id, row.id)),
        overdue_backlog=tx.value(BACKLOG, row.store),
        released_today=tx.value(RELEASED, row.store, midnight(now)),
        turned_bad_24h=bad,
        bad_per_day_28d=usual,
        time_guard=newest is not None and _ahead(newest, now) > CLOCK_SLACK_SECONDS and newest_id > _confirmed(tx),
        store_since=instant_of(since),
        order_since=instant_of(came_in),
        paused=standing(tx, now) if braked else (),
        order_file_at=None if order_file_at is None else instant(order_file_at),
        restored_until=None if restored is None else instant(int(restored)),
    )


def still_free(tx: Tx, row_id: int, now: datetime, still: Still | None) -> bool:
    """On a fleet the guards are asked once more where the row is claimed: nobody else writes meanwhile.

    Ramps, caps, the brake and the 72 hours hold for all workers together, though two of them looked at the same moment. One
    daemon alone looks and claims without giving way.
    """
    if still is None or not tx.fleet:
        return True
    found = tx.select(select(OUTBOX).where(OUTBOX.c.id == row_id, OUTBOX.c.state == OutboxState.PENDING.value))
    return bool(found) and still(totals(tx, outbox_row(found[0]), now))


def written_ahead(tx: Tx, now: datetime) -> datetime | None:
    """Our latest row, where it lies ahead of now and no person has said that this means nothing (fault 13)."""
    latest = tx.value(_NEWEST, _confirmed(tx))
    return None if latest is None or _ahead(latest, now) <= CLOCK_SLACK_SECONDS else instant_of(latest)


def midnight(now: datetime) -> datetime:
    """Since when a ramp's day counts (UTC)."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def standing(tx: Tx, now: datetime) -> tuple[Pause, ...]:
    """The pauses that stand at this instant, oldest first."""
    return tuple([pause_of(row) for row in sorted(tx.rows(PAUSES, epoch(now)), key=lambda row: row[0])])


def pause_of(row: Record) -> Pause:
    """A pause from the columns of `PAUSES`."""
    return Pause(
        id=row[0],
        reason=row[1],
        by=row[2],
        since=required(row[3]),
        until=None if row[4] is None else instant(row[4]),
        store=row[5],
        country=row[6],
        carrier=row[7],
        rule=row[8],
        template=row[9],
        channel=row[10],
        deadlines=bool(row[11]),
    )


def _confirmed(tx: Tx) -> int:
    """The newest row that a person has seen and called harmless."""
    return int(tx.value("SELECT value FROM meta WHERE key = ?", CONFIRMED) or 0)


def _bad(tx: Tx, number: str | None, at: int) -> tuple[int, float]:
    """Parcels of this parcel's carrier that turned bad within 24 h, and the mean per day of the 28 days before."""
    carrier = None if number is None else tx.value(_CARRIER, number)
    return (0, 0.0) if carrier is None else turned_bad(tx, carrier, at)


def turned_bad(tx: Tx, carrier: str, at: int) -> tuple[int, float]:
    """Parcels of this carrier that turned bad within 24 h, and the mean per day of the 28 days before (D25)."""
    day = tx.value(_BAD, carrier, at - _DAY, at)
    before = tx.value(_BAD, carrier, at - 29 * _DAY, at - _DAY)
    return day, before / 28


def _ahead(stored_at: str, now: datetime) -> float:
    at = instant_of(stored_at)
    return 0.0 if at is None else (at - now).total_seconds()
