"""How many parcels stand still, by carrier and destination: many at once on one route are no bad luck (R93)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Database

_STUCK = """
    SELECT coalesce(carrier, ''), coalesce(country, ''), count(*), sum(CASE WHEN moved_at < ? THEN 1 ELSE 0 END)
    FROM shipment
    WHERE next_poll_at IS NOT NULL AND moved_at IS NOT NULL AND matched
        AND status IN ('in_transit', 'exception', 'out_for_delivery', 'failed_attempt')
        AND coalesce(capability, 'end_to_end') = 'end_to_end'
    GROUP BY 1, 2 ORDER BY 1, 2"""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Parcels of one carrier to one country ("" = not known): those under way, and how many of them are `stuck`."""

    carrier: str
    country: str
    moving: int
    stuck: int


class Stuck:
    """The store's method for parcels that stand still."""

    _db: Database

    async def standing_still(self, before: datetime) -> list[Standing]:
        """By carrier and country; stuck are those whose newest scan is older than `before` (aware).

        Only services whose tracking goes end to end: the silence of the others is normal. Reads every parcel under way: once an
        hour, not once a minute.
        """
        rows = await self._db.read(lambda tx: tx.rows(_STUCK, epoch(before)))
        return [Standing(carrier=row[0], country=row[1], moving=int(row[2]), stuck=int(row[3])) for row in rows]
