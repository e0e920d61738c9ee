"""After the clock was wrong: what was written by a time that never came must not be waited for (fault 13, I2).

While the clock is ahead, parcels are asked and orders decided as ever, and their next times lie as far ahead as the clock did.
Once it is right again nobody would look at them until then: not for a year, if that was the jump.
"""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.store.connection import Record, Tx, required

LONGEST_REST = 8 * 86_400
"""No parcel under way rests longer: a number that was refused for a week, and its jitter."""

_AHEAD = """
    SELECT EXISTS (SELECT 1 FROM shipment WHERE last_answer_at > ?)
        OR coalesce((SELECT at FROM decision ORDER BY id DESC LIMIT 1) > ?, FALSE)"""

_DECIDE = """
    UPDATE dossier SET next_decide_at = ?
    WHERE next_decide_at > ? OR id IN (
        SELECT l.order_id FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id WHERE s.last_answer_at > ?)"""

_ANSWERED = "UPDATE shipment SET next_poll_at = ?, last_answer_at = ? WHERE last_answer_at > ?"
"""Finished parcels too: by the wrong clock they may only have grown too old to be followed."""

_RESTING = "UPDATE shipment SET next_poll_at = ? WHERE next_poll_at > ?"

_DEFERRED = "SELECT id, not_before, due_at, created_at FROM outbox WHERE state = 'pending' AND not_before > ?"

_SOONER = "UPDATE outbox SET not_before = ? WHERE id = ? AND state = 'pending'"

_PAUSED = "UPDATE account SET breaker_until = ? WHERE breaker_until > ?"


def set_right(tx: Tx, now: datetime) -> None:
    """Bring back everything that waits for a time beyond `now` which only a wrong clock can have named."""
    at = epoch(now)
    tx.run(_DECIDE, at, at, at)
    tx.run(_ANSWERED, at, at, at)
    tx.run(_RESTING, at, at + LONGEST_REST)
    tx.many(_SOONER, [(when, row[0]) for row in tx.rows(_DEFERRED, at) if (when := _not_before(row, at)) < row[1]])
    tx.run(_PAUSED, now, now)


def _not_before(row: Record, at: int) -> int:
    """When the guards look at it again: they put it off by the right time where they must, but never before it is due.

    What was decided by the wrong clock and was due at once then is due at once now.
    """
    _, _, due_at, created_at = row
    created = epoch(required(created_at))
    at_once = created > at and due_at >= created
    return at if at_once else max(due_at, at)


def wrote_ahead(tx: Tx, now: datetime) -> bool:
    """Whether an answer or a verdict is kept that has yet to come: then the clock was ahead, and has been set back."""
    return bool(tx.value(_AHEAD, epoch(now), now))
