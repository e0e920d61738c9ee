"""What the guards count: sends by store, channel and hour; the backlog; parcels that turned bad (facts/faults.md row 35)."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.model import OutboxRow, Totals
from tracker.store.connection import Tx, instant_of

_DAY = 86_400

_COUNT = """
    INSERT INTO total (store, channel, hour, sent) SELECT store, channel, ?, 1 FROM outbox WHERE id = ? AND kind = 'message'
    ON CONFLICT (store, channel, hour) DO UPDATE SET sent = total.sent + 1"""

_LAST = """
    SELECT max(sent_at) FROM outbox
    WHERE order_id = ? AND kind = 'message' AND state IN ('sending', 'sent', 'unknown') AND id <> ?"""

_BACKLOG = "SELECT count(*) FROM outbox WHERE state = 'pending' AND overdue AND store = ? AND kind = 'message'"

_RELEASED = """
    SELECT count(*) FROM outbox
    WHERE overdue AND store = ? AND kind = 'message' AND state IN ('sending', 'sent', 'unknown') AND sent_at >= ?"""

_CARRIER = "SELECT coalesce(s.carrier, '') FROM alias a JOIN shipment s ON s.id = a.shipment_id WHERE a.number = ?"

_BAD = "SELECT count(*) FROM bad_parcel WHERE carrier = ? AND at > ? AND at <= ?"

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
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    newest = tx.value("SELECT created_at FROM outbox ORDER BY id DESC LIMIT 1")
    turned_bad, usual = _bad(tx, row.shipment, at)
    return Totals(
        sent_this_hour=tx.value(
            "SELECT sent FROM total WHERE store = ? AND channel = ? AND hour = ?", row.store, row.channel, hour(now)
        )
        or 0,
        last_message_at=instant_of(tx.value(_LAST, row.order_id, row.id)),
        overdue_backlog=tx.value(_BACKLOG, row.store),
        released_today=tx.value(_RELEASED, row.store, midnight),
        turned_bad_24h=turned_bad,
        bad_per_day_28d=usual,
        time_guard=newest is not None and _ahead(newest, now) > CLOCK_SLACK_SECONDS,
        store_since=instant_of(tx.value("SELECT since FROM store_start WHERE store = ?", row.store)),
    )


def _bad(tx: Tx, number: str | None, at: int) -> tuple[int, float]:
    """Parcels of this parcel's carrier that turned bad within 24 h, and the mean per day of the 28 days before."""
    carrier = None if number is None else tx.value(_CARRIER, number)
    if carrier is None:
        return 0, 0.0
    day = tx.value(_BAD, carrier, at - _DAY, at)
    before = tx.value(_BAD, carrier, at - 29 * _DAY, at - _DAY)
    return day, before / 28


def _ahead(stored_at: str, now: datetime) -> float:
    at = instant_of(stored_at)
    return 0.0 if at is None else (at - now).total_seconds()
