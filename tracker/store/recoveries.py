"""What buyers paid again whose parcel came after the refund: the other side of the register (R4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from tracker.store.connection import Database, Tx, required
from tracker.store.encoding import money, money_text
from tracker.store.errors import Conflict
from tracker.store.records import audit

_ADD = """
    INSERT INTO recovery (order_id, at, amount, currency, reference, who) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (order_id, reference) DO NOTHING"""

_AMONG = """
    SELECT r.order_id, d.store, d.number, r.at, r.amount, r.currency, r.reference, r.who
    FROM recovery r JOIN dossier d ON d.id = r.order_id WHERE r.at >= ? AND r.at < ? ORDER BY r.at, r.id"""


_KNOWN = "SELECT reference, amount FROM recovery WHERE order_id = ?"


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """One payment: in the order's currency, `at` is when a person told of it (aware UTC), `reference` the platform's own."""

    order_id: int
    store: str
    order: str
    at: datetime
    amount: Decimal
    currency: str | None
    reference: str
    by: str


class Recoveries:
    """The store's methods for late arrivals that were paid again."""

    _db: Database

    async def recoveries(self, since: datetime, until: datetime) -> list[Recovery]:
        """What was paid again from `since` on, before `until`; oldest first."""
        rows = await self._db.read(lambda tx: tx.rows(_AMONG, since, until))
        return [
            Recovery(
                order_id=row[0],
                store=row[1],
                order=row[2],
                at=required(row[3]),
                amount=money(row[4]) or Decimal(0),
                currency=row[5],
                reference=row[6],
                by=row[7],
            )
            for row in rows
        ]


def add_recovery(tx: Tx, order_id: int, amount: Decimal, reference: str, *, by: str, reason: str, now: datetime) -> None:
    """The buyer paid again; the same reference twice counts once.

    Raises Conflict where nothing was refunded, or more came back than was.
    """
    store, number, currency, refunded_text = tx.row(
        "SELECT store, number, currency, refunded_amount FROM dossier WHERE id = ?", order_id
    )
    refunded = money(refunded_text)
    if refunded is None:
        raise Conflict(f"Nothing was refunded of order {store}/{number}: there is nothing to be paid again.")
    known = {row[0]: money(row[1]) or Decimal(0) for row in tx.rows(_KNOWN, order_id)}
    if reference in known:
        return
    back = sum(known.values(), Decimal(0))
    if back + amount > refunded:
        raise Conflict(f"{amount} is more than is left to pay again: {refunded} were refunded, {back} came back already.")
    tx.run(_ADD, order_id, now, money_text(amount), currency, reference, by)
    after = {"amount": money_text(amount), "reference": reference}
    audit(tx, now, who=by, what="paid_again", order_id=order_id, subject=f"order/{store}/{number}", reason=reason, after=after)
