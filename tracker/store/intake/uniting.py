"""Two parcels turn out to be one: a forwarder's row names both numbers (facts/file-formats.md 2.8)."""

from __future__ import annotations

from carriers.model import Tracking, TrackingStatus
from tracker.clock import epoch
from tracker.model.journey import Frame, Heard, Journey, merge
from tracker.store.connection import Tx, instant_of
from tracker.store.encoding import pack, tracking_event, unpack
from tracker.store.intake.stamping import Source
from tracker.store.records import audit, wake

_TAKE_OVER = (
    "UPDATE alias SET shipment_id = ? WHERE shipment_id = ?",
    """INSERT INTO order_shipment (order_id, shipment_id, share)
       SELECT order_id, ?, share FROM order_shipment WHERE shipment_id = ?
       ON CONFLICT (order_id, shipment_id) DO NOTHING""",
    """INSERT INTO awaited_order (number, store, shipment_id)
       SELECT number, store, ? FROM awaited_order WHERE shipment_id = ?
       ON CONFLICT (number, store, shipment_id) DO NOTHING""",
    """INSERT INTO tracking_event (shipment_id, key, seq, time, local_time, offset_minutes, status, reason, raw_code, description,
                                   location, country, source, seen_at)
       SELECT ?, key, seq, time, local_time, offset_minutes, status, reason, raw_code, description, location, country,
              source, seen_at
       FROM tracking_event WHERE shipment_id = ? ON CONFLICT (shipment_id, key) DO NOTHING""",
)
"""(kept, gone) each."""

_CLAIMS = """
    UPDATE claim SET shipment_id = ?, attempt = attempt + (SELECT coalesce(max(attempt), 0) FROM claim WHERE shipment_id = ?)
    WHERE shipment_id = ?"""

_STATE = "SELECT number, journey, last_answer_at, shipped_at, country FROM shipment WHERE id = ?"

_EVENTS = """
    SELECT key, time, local_time, offset_minutes, status, reason, raw_code, description, location, country
    FROM tracking_event WHERE shipment_id = ? ORDER BY seq, key"""

_WRITE = """
    UPDATE shipment SET journey = ?, status = ?, moved_at = ?, last_answer_at = ?, fingerprints = ?, next_poll_at = ?
    WHERE id = ?"""

_FORGET_DIGESTS = "UPDATE answer SET digest = NULL WHERE number IN (SELECT number FROM alias WHERE shipment_id = ?)"

_EMPTY = (
    "DELETE FROM order_shipment WHERE shipment_id = ?",
    "DELETE FROM awaited_order WHERE shipment_id = ?",
    "DELETE FROM tracking_event WHERE shipment_id = ?",
    "DELETE FROM bad_parcel WHERE shipment_id = ?",
    "DELETE FROM shipment WHERE id = ?",
)


def unite(tx: Tx, kept: int, gone: int, source: Source) -> None:
    """The older row stays and takes everything over: numbers, orders, scans, claims and the journey of both."""
    number = tx.row(_STATE, gone)[0]
    journey, answered_at = _journey(tx, kept, gone, epoch(source.now))
    for statement in _TAKE_OVER:
        tx.run(statement, kept, gone)
    tx.run(_CLAIMS, kept, kept, gone)
    packed = b"".join(row[0] for row in tx.rows("SELECT key FROM tracking_event WHERE shipment_id = ? ORDER BY seq, key", kept))
    orders = [row[0] for row in tx.rows("SELECT order_id FROM order_shipment WHERE shipment_id = ?", kept)]
    next_poll_at = epoch(source.now) if orders else None
    tx.run(_WRITE, pack(journey), journey.status, journey.moved_at, answered_at, packed, next_poll_at, kept)
    # What a source says of either number is read anew, changed or not.
    tx.run(_FORGET_DIGESTS, kept)
    for statement in _EMPTY:
        tx.run(statement, gone)
    for order_id in orders:
        subject = f"shipment/{number}"
        audit(tx, source.now, who="import", what="shipments_united", order_id=order_id, subject=subject, reason=source.file)
    wake(tx, orders, source.now)


def _journey(tx: Tx, kept: int, gone: int, at: int) -> tuple[Journey, int | None]:
    """The journey of the one that moved last, with the scans of the other folded in; the newest answer of either."""
    first, second = tx.row(_STATE, kept), tx.row(_STATE, gone)
    journeys = {kept: unpack(first[1]), gone: unpack(second[1])}
    later = max((kept, gone), key=lambda key: (journeys[key].moved_at or -1, key == kept))
    other = gone if later == kept else kept
    answered_at = max((each for each in (first[2], second[2]) if each is not None), default=None)
    scans = tuple(tracking_event(row) for row in tx.rows(_EVENTS, other))
    if not scans:
        return journeys[later], answered_at
    frame = Frame(shipped_at=instant_of(first[3]), country=first[4])
    silent = Heard(at=at, tracking=Tracking(number=None, status=TrackingStatus.UNKNOWN))
    return merge(journeys[later], frame, silent, scans), answered_at
