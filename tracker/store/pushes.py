"""What sources push: kept first, heard afterwards; the same body twice changes nothing (faults rows 15 and 28).

`push_seen` holds the SHA-256 of every body that was taken within `REMEMBERED_DAYS`: a duplicate and a replay are the same thing.
`pushed` holds the slices until they are heard; they go in the transaction that writes what they changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.store.connection import Database, Tx
from tracker.store.polling import DUE_COLUMNS, readable
from tracker.store.rows import DueShipment
from tracker.store.rows.pushes import PushCounts, Pushed

REMEMBERED_DAYS = 30
"""How long a body is known: sources repeat theirs for hours (17TRACK, TrackingMore), a thief his for longer."""

_SEE = "INSERT INTO push_seen (account, digest, at) VALUES (?, ?, ?) ON CONFLICT (account, digest) DO NOTHING"

_KEEP = "INSERT INTO pushed (account, number, slice, at) VALUES (?, ?, ?, ?)"

_WAITING = "SELECT id, account, number, slice, at FROM pushed WHERE id > ? ORDER BY id LIMIT ?"

_RECEIVED = "SELECT account, count(*) FROM push_seen WHERE at > ? GROUP BY account"

_FOLLOWED = f"SELECT {DUE_COLUMNS} FROM shipment WHERE number IN (??)"  # noqa: S608 - our own words

_LEGS = f"SELECT {DUE_COLUMNS} FROM shipment WHERE linked_number IN (??)"  # noqa: S608 - our own words


class Pushes:
    """The store's methods for the push door and for hearing what came through it."""

    _db: Database

    async def keep_push(self, account: str, digest: bytes, slices: Sequence[tuple[str, bytes]], now: datetime) -> bool:
        """Keep (number, slice) pairs of one body, whole or not at all; False: the body was taken before, nothing changed.

        `digest` is the SHA-256 of the raw body.
        """
        at = epoch(now)

        def keep(tx: Tx) -> bool:
            tx.run("DELETE FROM push_seen WHERE at < ?", epoch(now - timedelta(days=REMEMBERED_DAYS)))
            if not tx.run(_SEE, account, digest, at):
                return False
            tx.many(_KEEP, [(account, number, body, at) for number, body in slices])
            fault("push_before_commit")
            return True

        fresh = await self._db.write(keep)
        fault("push_after_commit")
        return fresh

    async def waiting_pushes(self, limit: int, *, after: int = 0) -> list[Pushed]:
        """Slices that have not been heard, in the order in which they came; `after` is the id of the last page's last one."""
        rows = await self._db.read(lambda tx: tx.rows(_WAITING, after, limit))
        return [Pushed(id=row[0], account=row[1], number=row[2], slice=row[3], at=row[4]) for row in rows]

    async def shipments_by_number(self, numbers: Sequence[str]) -> dict[str, DueShipment]:
        """The parcels with these numbers, whether they are due or not; a number that nobody follows is left out."""
        rows = await self._db.read(lambda tx: tx.among(_FOLLOWED, numbers))
        return {each.number: each for each in readable(rows)[0]}

    async def shipments_by_leg(self, numbers: Sequence[str]) -> dict[str, DueShipment]:
        """Last-mile number -> the parcel that goes on under it. One that two parcels share is a bag's, and none of theirs."""
        rows = await self._db.read(lambda tx: tx.among(_LEGS, numbers))
        found = [parcel for parcel in readable(rows)[0] if parcel.linked_number is not None]
        shared = Counter(parcel.linked_number for parcel in found)
        return {parcel.linked_number: parcel for parcel in found if parcel.linked_number and shared[parcel.linked_number] == 1}

    async def drop_pushes(self, ids: Sequence[int]) -> None:
        """Let go of slices that concern no parcel."""
        await self._db.write(lambda tx: tx.run_among("DELETE FROM pushed WHERE id IN (??)", ids))

    async def push_counts(self, since: datetime) -> PushCounts:
        """What waits, and what came since then."""

        def look(tx: Tx) -> PushCounts:
            return PushCounts(
                waiting=tx.value("SELECT count(*) FROM pushed"),
                received={row[0]: row[1] for row in tx.rows(_RECEIVED, epoch(since))},
            )

        return await self._db.read(look)
