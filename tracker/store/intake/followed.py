"""Which parcels a file would have us ask about: the registrations that it costs (import --dry-run)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.model import Followed, ImportBatch
from tracker.store.connection import Record, Tx

_PIECE = 300

_BY_NUMBER = """
    SELECT s.number, s.carrier FROM alias a JOIN shipment s ON s.id = a.shipment_id
    WHERE s.next_poll_at IS NOT NULL AND a.number IN (??)"""

_BY_ORDER = """
    SELECT s.number, s.carrier FROM dossier d JOIN order_shipment l ON l.order_id = d.id JOIN shipment s ON s.id = l.shipment_id
    WHERE s.next_poll_at IS NOT NULL AND d.number IN (??)"""

_REGISTERED = """
    SELECT number, account FROM answer WHERE memory <> '{}' AND account IN (SELECT id FROM account) AND number IN (??)"""


def followed(tx: Tx, batches: Sequence[ImportBatch]) -> frozenset[Followed]:
    """The parcels of these files, and of their orders, that are asked about as the database now stands."""
    numbers = {each.number for batch in batches for each in batch.shipments}
    orders = {each.number for batch in batches for each in batch.orders}
    asked = {(row[0], row[1]) for row in (*_among(tx, _BY_NUMBER, numbers), *_among(tx, _BY_ORDER, orders))}
    registered: dict[str, list[str]] = {}
    for number, account in _among(tx, _REGISTERED, {number for number, _ in asked}):
        registered.setdefault(number, []).append(account)
    return frozenset(
        Followed(number=number, carrier=carrier, registered=tuple(sorted(registered.get(number, ()))))
        for number, carrier in asked
    )


def _among(tx: Tx, sql: str, keys: Iterable[str]) -> Iterable[Record]:
    listed = sorted(keys)
    for start in range(0, len(listed), _PIECE):
        yield from tx.among(sql, listed[start : start + _PIECE])
