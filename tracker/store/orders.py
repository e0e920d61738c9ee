"""Orders as people call them: finding one by any of its numbers, telling facts about it, waking it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from tracker.store import facts
from tracker.store.connection import Database, Tx
from tracker.store.errors import NotThere, NotUnique
from tracker.store.records import wake
from tracker.store.rows import OrderPatch, OrderRef
from tracker.store.tables import ALIAS, DOSSIER, LINK, SHIPMENT

_CLAIMED = """
    SELECT DISTINCT l.order_id FROM claim c JOIN order_shipment l ON l.shipment_id = c.shipment_id ORDER BY l.order_id"""

_TOUCHED = """
    SELECT order_id FROM (
        SELECT DISTINCT order_id FROM outbox WHERE kind IN ('refund', 'extension', 'compensation') AND order_id > ?
        UNION SELECT l.order_id FROM claim c JOIN order_shipment l ON l.shipment_id = c.shipment_id WHERE l.order_id > ?) AS moved
    ORDER BY order_id LIMIT ?"""

_COLUMNS = (DOSSIER.c.id, DOSSIER.c.store, DOSSIER.c.platform, DOSSIER.c.number, DOSSIER.c.country, DOSSIER.c.version)


class Orders:
    """The store's methods for single orders."""

    _db: Database

    async def find_orders(self, text: str) -> list[OrderRef]:
        """Orders by their number, by `store/number`, or by any number a parcel of theirs ever had, its last mile's too."""
        return await self._db.read(lambda tx: _find(tx, text, None))

    async def has_orders_of(self, store: str) -> bool:
        """Whether any order of this store is here, be the store configured or not."""
        return await self._db.read(lambda tx: tx.value("SELECT 1 FROM dossier WHERE store = ? LIMIT 1", store)) is not None

    async def order_ref(self, text: str, store: str | None = None) -> OrderRef:
        """The one order of that name, in `store` where it is named. Raises NotThere, NotUnique."""

        def look(tx: Tx) -> OrderRef:
            found = _find(tx, text, store)
            if not found:
                raise NotThere(
                    f"No order and no parcel is called {text!r}{_inside(store)}. Numbers come from: tracker import FILE"
                )
            if len(found) > 1:
                names = ", ".join(f"{each.store}/{each.number}" for each in found)
                raise NotUnique(f"{text!r} is the name of several orders: {names}. Write one of these instead.")
            return found[0]

        return await self._db.read(look)

    async def tax_number(self, order_id: int) -> str | None:
        """The buyer's tax number as it is stored: to tell whether a person's word is news. A dossier never has it (R16)."""
        return await self._db.read(lambda tx: tx.value("SELECT tax_number FROM dossier WHERE id = ?", order_id))

    async def set_order_facts(self, order_id: int, patch: OrderPatch, *, by: str, reason: str, now: datetime) -> OrderRef:
        """Write what a person says about an order; it is decided again at once. Raises Conflict (I7: more refunded than paid)."""

        def tell(tx: Tx) -> OrderRef:
            facts.apply(tx, order_id, patch, by=by, reason=reason, now=now)
            wake(tx, [order_id], now)
            return _refs(tx, select(*_COLUMNS).where(DOSSIER.c.id == order_id))[0]

        return await self._db.write(tell)

    async def claimed_orders(self) -> list[int]:
        """The orders that have a claim against a carrier: what the register is made of."""
        return await self._db.read(lambda tx: [row[0] for row in tx.rows(_CLAIMED)])

    async def orders_with_effects(self, after: int, limit: int) -> list[int]:
        """Orders about which a refund, an extension or a claim was decided, or that have a claim: by id, those after `after`."""
        return await self._db.read(lambda tx: [row[0] for row in tx.rows(_TOUCHED, after, after, limit)])

    async def wake(self, order_ids: Sequence[int], now: datetime) -> int:
        """Have these orders decided again now; how many there are."""
        return await self._db.write(lambda tx: wake(tx, order_ids, now))


def _find(tx: Tx, text: str, store: str | None) -> list[OrderRef]:
    name = text.strip().removeprefix("order/").removeprefix("shipment/")
    shop, _, number = name.partition("/")
    parcel = "".join(name.split()).upper()
    carried = select(LINK.c.order_id).join(ALIAS, ALIAS.c.shipment_id == LINK.c.shipment_id).where(ALIAS.c.number == parcel)
    onward = SHIPMENT.c.linked_number == parcel
    onwards = select(LINK.c.order_id).join(SHIPMENT, SHIPMENT.c.id == LINK.c.shipment_id).where(onward)
    fits = or_(DOSSIER.c.number == name, DOSSIER.c.id.in_(carried), DOSSIER.c.id.in_(onwards))
    if number:
        fits = or_(fits, (DOSSIER.c.store == shop) & (DOSSIER.c.number == number))
    statement = select(*_COLUMNS).where(fits).order_by(DOSSIER.c.id)
    return _refs(tx, statement if store is None else statement.where(DOSSIER.c.store == store))


def _refs(tx: Tx, statement: Select[Any]) -> list[OrderRef]:
    return [
        OrderRef(id=row.id, store=row.store, platform=row.platform, number=row.number, country=row.country, version=row.version)
        for row in tx.select(statement)
    ]


def _inside(store: str | None) -> str:
    return "" if store is None else f" in store {store!r}"
