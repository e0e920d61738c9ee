"""How long parcels took to arrive: the quantiles of a shop's own deliveries, and the orders to measure them on."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.rules import Learned
from tracker.store.connection import Database, Tx

_DELIVERED = """
    SELECT DISTINCT l.order_id FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id
    WHERE s.status = 'delivered' AND s.moved_at >= ? AND l.order_id > ? ORDER BY l.order_id LIMIT ?"""

_SAVE = """
    INSERT INTO transit (country, service, delivered, p50, p80, p90, p95, p99, measured_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_ALL = "SELECT country, service, delivered, p50, p80, p90, p95, p99 FROM transit ORDER BY country, service"


class Transit:
    """The store's methods for times of transit."""

    _db: Database

    async def delivered_orders(self, since: datetime, after: int, limit: int) -> list[int]:
        """Orders of which a parcel was delivered since then, by id, those after `after`."""
        return await self._db.read(lambda tx: [row[0] for row in tx.rows(_DELIVERED, epoch(since), after, limit)])

    async def learned(self) -> dict[str, Learned]:
        """What own deliveries say, by "COUNTRY/service"."""
        return await self._db.read(_learned)

    async def save_learned(self, learned: dict[str, Learned], now: datetime) -> bool:
        """Keep these quantiles instead of those before; whether they differ."""

        def save(tx: Tx) -> bool:
            if _learned(tx) == learned:
                return False
            tx.run("DELETE FROM transit")
            for name, own in learned.items():
                country, _, service = name.partition("/")
                tx.run(_SAVE, country, service, own.count, own.p50, own.p80, own.p90, own.p95, own.p99, now)
            return True

        return await self._db.write(save)


def _learned(tx: Tx) -> dict[str, Learned]:
    return {
        f"{row[0]}/{row[1]}": Learned(count=row[2], p50=row[3], p80=row[4], p90=row[5], p95=row[6], p99=row[7])
        for row in tx.rows(_ALL)
    }
