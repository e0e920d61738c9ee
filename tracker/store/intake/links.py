"""Which parcel carries which order (n:m), and the ones that wait for their partner."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.store.connection import Tx
from tracker.store.records import wake

_LINK = "INSERT INTO order_shipment (order_id, shipment_id) VALUES (?, ?) ON CONFLICT (order_id, shipment_id) DO NOTHING"

_AWAIT = """
    INSERT INTO awaited_order (number, store, shipment_id) VALUES (?, ?, ?) ON CONFLICT (number, store, shipment_id) DO NOTHING"""

_SCHEDULE = "UPDATE shipment SET next_poll_at = ? WHERE id = ? AND next_poll_at IS NULL AND last_answer_at IS NULL"


def link(tx: Tx, order_id: int, shipment_id: int, now: datetime) -> bool:
    """Join an order and a parcel; from now on the parcel is asked about. False when they were joined already."""
    joined = tx.run(_LINK, order_id, shipment_id) == 1
    if joined:
        tx.run(_SCHEDULE, epoch(now), shipment_id)
        wake(tx, [order_id], now)
    return joined


def join_order(tx: Tx, shipment_id: int, store: str | None, number: str, now: datetime) -> bool:
    """Join a parcel with the order that its file names, or let it wait. Without a store the number must be unique."""
    if store is None:
        found = tx.rows("SELECT id FROM dossier WHERE number = ? LIMIT 2", number)
    else:
        found = tx.rows("SELECT id FROM dossier WHERE number = ? AND store = ?", number, store)
    if len(found) == 1:
        return link(tx, found[0][0], shipment_id, now)
    tx.run(_AWAIT, number, store or "", shipment_id)
    return False


def join_waiting(tx: Tx, order_id: int, store: str, number: str, now: datetime) -> None:
    """A new order takes the parcels that waited for it."""
    for (shipment_id,) in tx.rows("SELECT shipment_id FROM awaited_order WHERE number = ? AND store IN (?, '')", number, store):
        link(tx, order_id, shipment_id, now)
    tx.run("DELETE FROM awaited_order WHERE number = ? AND store IN (?, '')", number, store)


def has_order(tx: Tx, shipment_id: int) -> bool:
    """Whether any order is known to be in this parcel."""
    return tx.value("SELECT 1 FROM order_shipment WHERE shipment_id = ? LIMIT 1", shipment_id) is not None
