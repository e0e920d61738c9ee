"""I7: open and approved refunds of an order never exceed what was paid. Checked in the transaction that would break it."""

from __future__ import annotations

from decimal import Decimal

from tracker.store.connection import Tx
from tracker.store.encoding import money
from tracker.store.errors import Conflict

_ORDER = "SELECT store, number, amount, currency, refunded_amount FROM dossier WHERE id = ?"

_APPROVED = """
    SELECT o.amount, o.currency FROM outbox o
    LEFT JOIN task t ON t.id = o.task_id
    LEFT JOIN task_item i ON i.task_id = o.task_id AND i.row_id = o.id
    WHERE o.order_id = ? AND o.kind = 'refund' AND o.id <> ?
        AND (o.state IN ('pending', 'sending', 'unknown')
             OR (o.state = 'sent' AND NOT i.dropped AND t.state IN ('open', 'in_hand')))"""


def check_refund(tx: Tx, order_id: int, amount: Decimal | None, currency: str | None, *, row_id: int = 0) -> None:
    """Refuse a refund of `amount` when it, what was refunded and what else is approved would exceed what was paid.

    `row_id` is the recommendation it comes from: that one is not counted twice. An order whose amount no file has told cannot be
    checked and passes: the person who decides sees that. Raises Conflict.
    """
    store, number, paid_text, paid_currency, refunded_text = tx.row(_ORDER, order_id)
    paid = money(paid_text)
    if amount is None or paid is None:
        return
    if currency is not None and paid_currency is not None and currency != paid_currency:
        raise Conflict(f"Order {store}/{number} was paid in {paid_currency}, not in {currency}; nothing was changed.")
    refunded = money(refunded_text) or Decimal(0)
    approved = sum((money(row[0]) or Decimal(0) for row in tx.rows(_APPROVED, order_id, row_id)), Decimal(0))
    if refunded + approved + amount > paid:
        raise Conflict(
            f"A refund of {amount} would exceed what order {store}/{number} paid: {paid} {paid_currency or ''} paid, "
            f"{refunded} refunded, {approved} approved and open. Nothing was changed."
        )
