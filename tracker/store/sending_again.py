"""A parcel that takes another one's place, or goes on under another number: what closing such a task tells (R37, R84, R85)."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.model import Remedy
from tracker.store.connection import Tx
from tracker.store.dossiers import even_shares
from tracker.store.encoding import money, money_text
from tracker.store.errors import Conflict
from tracker.store.intake.links import link
from tracker.store.records import audit, wake

_ROW = "SELECT order_id, shipment, remedy, dedup_key FROM outbox WHERE id = ?"

_BY_NUMBER = "SELECT shipment_id FROM alias WHERE number = ?"

_COPY = """
    INSERT INTO shipment (number, service_text, carrier, service, capability, settled_by, matched, origin, country,
        declared_value, declared_currency, shipped_at, stamps, batch_id, failures, status, fingerprints)
    SELECT ?, service_text, carrier, service, capability, settled_by, matched, origin, country, declared_value, declared_currency,
        ?, '{}', batch_id, 0, 'unknown', ? FROM shipment WHERE id = ?
    RETURNING id"""

_ALIAS = "INSERT INTO alias (number, shipment_id) VALUES (?, ?)"

_SHARES = "SELECT shipment_id, share FROM order_shipment WHERE order_id = ? ORDER BY shipment_id"

_SHARE = "UPDATE order_shipment SET share = ? WHERE order_id = ? AND shipment_id = ?"

_RENUMBER = "UPDATE shipment SET number = ?, carrier = NULL, next_poll_at = ? WHERE id = ?"

_FOLLOW = """
    UPDATE outbox SET shipment = ?
    WHERE shipment = ? AND order_id IN (SELECT order_id FROM order_shipment WHERE shipment_id = ?)"""

_FOLLOW_CASES = """
    UPDATE buyer_case SET shipment = ?
    WHERE shipment = ? AND order_id IN (SELECT order_id FROM order_shipment WHERE shipment_id = ?)"""

_SHARED = "SELECT order_id FROM order_shipment WHERE shipment_id = ?"

_CARRIES = """
    SELECT d.store, d.number, d.id = ? OR (d.store = mine.store AND (lower(d.buyer_email) = lower(mine.buyer_email)
        OR lower(d.buyer_name) = lower(mine.buyer_name)))
    FROM order_shipment l JOIN dossier d ON d.id = l.order_id JOIN dossier mine ON mine.id = ?
    WHERE l.shipment_id = ? ORDER BY d.id"""


def on_its_way(tx: Tx, row_id: int, number: str, *, by: str, now: datetime) -> None:
    """What a person has sent again becomes a parcel of the order, what he sent on has another number now; both are followed.

    `number` as people type it. Raises Conflict where it is the old parcel's own (sent again) or another one's.
    """
    order_id, old, remedy, key = tx.row(_ROW, row_id)
    told = "".join(number.split()).upper()
    former, known = tx.value(_BY_NUMBER, old or ""), tx.value(_BY_NUMBER, told)
    if former is None:
        raise Conflict(f"Nobody knows which parcel row {row_id} is about: import the file that carries {told}")
    if remedy == Remedy.FORWARD:
        _send_on(tx, (former, old), (known, told), now)
    else:
        _send_again(tx, order_id, (former, old), (known, told), now)
    after = {"tracking_number": told}
    audit(tx, now, who=by, what=f"parcel_{remedy}", order_id=order_id, subject=key, before={"tracking_number": old}, after=after)


def _send_again(tx: Tx, order_id: int, former: tuple[int, str], new: tuple[int | None, str], now: datetime) -> None:
    """The second parcel has the first one's part of the money (D23); a file may have brought it before."""
    (old_id, old), (known, number) = former, new
    if known == old_id:
        raise Conflict(f"{number} is the number of the first parcel ({old}): what is sent again has one of its own")
    _check_ours(tx, order_id, number, known)
    shipment_id = known
    if shipment_id is None:
        shipment_id = tx.value(_COPY, number, now, b"", old_id)
        tx.run(_ALIAS, number, shipment_id)
    shares = _shares(tx, order_id, shipment_id)
    link(tx, order_id, shipment_id, now)
    for parcel, share in (shares | {shipment_id: shares.get(old_id)}).items():
        tx.run(_SHARE, share, order_id, parcel)


def _check_ours(tx: Tx, order_id: int, number: str, known: int | None) -> None:
    """A slip of the finger must not tie another buyer's parcel to this order; his own other order's may be it.

    Raises Conflict.
    """
    carried = [] if known is None else tx.rows(_CARRIES, order_id, order_id, known)
    if carried and not any(same for _, _, same in carried):
        store, order, _ = carried[0]
        raise Conflict(f"{number} is a parcel of order {store}/{order}, another buyer's. See: tracker explain {number}")


def _shares(tx: Tx, order_id: int, second: int) -> dict[int, str | None]:
    """Each parcel's part of the money without the `second` parcel: as told, else in equal parts."""
    shares = {row[0]: row[1] for row in tx.rows(_SHARES, order_id) if row[0] != second}
    amount, currency = tx.row("SELECT amount, currency FROM dossier WHERE id = ?", order_id)
    paid = money(amount)
    if paid is None or not shares or any(share is not None for share in shares.values()):
        return shares
    return {parcel: money_text(part) for parcel, part in zip(shares, even_shares(paid, currency, len(shares)), strict=True)}


def _send_on(tx: Tx, former: tuple[int, str], new: tuple[int | None, str], now: datetime) -> None:
    """The same goods under another number, of a carrier that only detection can tell."""
    (old_id, old), (known, number) = former, new
    if known not in {None, old_id}:
        raise Conflict(f"{number} is another parcel's number. See: tracker explain {number}")
    if number == old:
        return
    if known is None:
        tx.run(_ALIAS, number, old_id)
    tx.run(_RENUMBER, number, epoch(now), old_id)
    tx.run(_FOLLOW, number, old, old_id)
    tx.run(_FOLLOW_CASES, number, old, old_id)
    wake(tx, [row[0] for row in tx.rows(_SHARED, old_id)], now)
