"""The lines of orders: what was sold. The register of losses names them (R86); no decision reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.model import OrderItem
from tracker.store.connection import Database, Tx
from tracker.store.encoding import money, money_text

_KNOWN = "SELECT sku, title, quantity, price, currency, rank, batch_id FROM order_item WHERE order_id = ? ORDER BY line"

_FORGET = "DELETE FROM order_item WHERE order_id = ?"

_ADD = """
    INSERT INTO order_item (order_id, line, sku, title, quantity, price, currency, rank, batch_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_ALL = """
    SELECT order_id, sku, title, quantity, price, currency FROM order_item WHERE order_id IN (??) ORDER BY order_id, line"""


class Word(Protocol):
    """Whose word it is: a file's rank, and its place among all files."""

    @property
    def rank(self) -> int:
        """The higher one counts."""
        ...

    @property
    def batch(self) -> int:
        """Of one rank the newer one counts."""
        ...


class Goods:
    """The store's methods for what was sold."""

    _db: Database

    async def items_of(self, order_ids: Sequence[int]) -> dict[int, tuple[OrderItem, ...]]:
        """The lines of these orders, as the file has them; an order whose file names no goods is not there."""

        def look(tx: Tx) -> dict[int, tuple[OrderItem, ...]]:
            found: dict[int, list[OrderItem]] = {}
            for row in tx.among(_ALL, order_ids):
                found.setdefault(row[0], []).append(_item(row[1:]))
            return {order_id: tuple(items) for order_id, items in found.items()}

        return await self._db.read(look)


def save_items(tx: Tx, order_id: int, items: Sequence[OrderItem], source: Word) -> None:
    """Put a file's lines in the place of those known, unless these are a higher word, or a newer one of the same rank."""
    if not items:
        return
    known = tx.rows(_KNOWN, order_id)
    if known and ((known[0][5], known[0][6]) > (source.rank, source.batch) or [_item(row) for row in known] == list(items)):
        return
    tx.run(_FORGET, order_id)
    for line, each in enumerate(items, start=1):
        price = money_text(each.price)
        tx.run(_ADD, order_id, line, each.sku, each.title, each.quantity, price, each.currency, source.rank, source.batch)


def _item(row: Sequence[object]) -> OrderItem:
    sku, title, quantity, price, currency = row[:5]
    return OrderItem(sku=sku, title=title, quantity=quantity, price=money(price), currency=currency)  # type: ignore[arg-type]
