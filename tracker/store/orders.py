"""Orders as people call them: finding one by any of its numbers, telling facts about it, its cases, waking it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from tracker.model import Case
from tracker.store import facts
from tracker.store.connection import Database, Tx
from tracker.store.encoding import money_text
from tracker.store.errors import NotThere, NotUnique
from tracker.store.records import audit, wake
from tracker.store.rows import OrderPatch, OrderRef
from tracker.store.tables import ALIAS, DOSSIER, LINK

_CASE = """
    INSERT INTO buyer_case (id, order_id, kind, opened_at, due_at, closed_at, due_source, reason, evidence_due_at, answered_at,
        outcome, amount, currency, shipment, note)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, opened_at = excluded.opened_at, due_at = excluded.due_at,
        closed_at = excluded.closed_at, due_source = excluded.due_source, reason = excluded.reason,
        evidence_due_at = excluded.evidence_due_at, answered_at = excluded.answered_at, outcome = excluded.outcome,
        amount = excluded.amount, currency = excluded.currency, shipment = excluded.shipment, note = excluded.note"""

_CLAIMED = """
    SELECT DISTINCT l.order_id FROM claim c JOIN order_shipment l ON l.shipment_id = c.shipment_id ORDER BY l.order_id"""

_COLUMNS = (DOSSIER.c.id, DOSSIER.c.store, DOSSIER.c.platform, DOSSIER.c.number, DOSSIER.c.country, DOSSIER.c.version)


class Orders:
    """The store's methods for single orders."""

    _db: Database

    async def find_orders(self, text: str) -> list[OrderRef]:
        """Orders by their number, by `store/number`, or by any number a parcel of theirs ever had (upper case, no spaces)."""
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

    async def set_order_facts(self, order_id: int, patch: OrderPatch, *, by: str, reason: str, now: datetime) -> OrderRef:
        """Write what a person says about an order; it is decided again at once. Raises Conflict (I7: more refunded than paid)."""

        def tell(tx: Tx) -> OrderRef:
            facts.apply(tx, order_id, patch, by=by, reason=reason, now=now)
            wake(tx, [order_id], now)
            return _refs(tx, select(*_COLUMNS).where(DOSSIER.c.id == order_id))[0]

        return await self._db.write(tell)

    async def save_case(self, order_id: int, case: Case, now: datetime) -> None:
        """Open, change or close (`closed_at`) a case of an order; an open one stops outreach (D15)."""

        def save(tx: Tx) -> None:
            tx.run(_CASE, *_case_values(order_id, case))
            what = "case_saved" if case.closed_at is None else "case_closed"
            audit(tx, now, who="import", what=what, order_id=order_id, subject=f"case/{case.id}", reason=case.kind.value)
            wake(tx, [order_id], now)

        await self._db.write(save)

    async def claimed_orders(self) -> list[int]:
        """The orders that have a claim against a carrier: what the register is made of."""
        return await self._db.read(lambda tx: [row[0] for row in tx.rows(_CLAIMED)])

    async def wake(self, order_ids: Sequence[int], now: datetime) -> int:
        """Have these orders decided again now; how many there are."""
        return await self._db.write(lambda tx: wake(tx, order_ids, now))


def _case_values(order_id: int, case: Case) -> tuple[Any, ...]:
    return (
        case.id,
        order_id,
        case.kind.value,
        case.opened_at,
        case.due_at,
        case.closed_at,
        case.due_source,
        case.reason.value,
        case.evidence_due_at,
        case.answered_at,
        case.outcome,
        money_text(case.amount),
        case.currency,
        case.shipment,
        case.note,
    )


def _find(tx: Tx, text: str, store: str | None) -> list[OrderRef]:
    name = text.strip().removeprefix("order/").removeprefix("shipment/")
    shop, _, number = name.partition("/")
    parcel = "".join(name.split()).upper()
    carried = select(LINK.c.order_id).join(ALIAS, ALIAS.c.shipment_id == LINK.c.shipment_id).where(ALIAS.c.number == parcel)
    fits = or_(DOSSIER.c.number == name, DOSSIER.c.id.in_(carried))
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
