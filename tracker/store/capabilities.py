"""What each marketplace account can do at present: read when, read next, switched off since when and why."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.store.connection import Database, Record, instant_of
from tracker.store.rows import Capable

_ALL = "SELECT account, capability, read_at, next_at, stopped_at, fault, why FROM marketplace_state ORDER BY account, capability"

_READ = """
    INSERT INTO marketplace_state (account, capability, read_at, next_at, seen_order) VALUES (?, ?, ?, ?, 0)
    ON CONFLICT (account, capability) DO UPDATE SET read_at = excluded.read_at, next_at = excluded.next_at,
        stopped_at = NULL, fault = NULL, why = NULL"""

_WAIT = """
    INSERT INTO marketplace_state (account, capability, next_at, seen_order) VALUES (?, ?, ?, 0)
    ON CONFLICT (account, capability) DO UPDATE SET next_at = excluded.next_at"""

_STOP = """
    INSERT INTO marketplace_state (account, capability, next_at, seen_order, stopped_at, fault, why) VALUES (?, ?, ?, 0, ?, ?, ?)
    ON CONFLICT (account, capability) DO UPDATE SET next_at = excluded.next_at,
        stopped_at = coalesce(marketplace_state.stopped_at, excluded.stopped_at), fault = excluded.fault, why = excluded.why"""


class Capabilities:
    """The store's methods for the accounts at marketplaces."""

    _db: Database

    async def capabilities(self) -> dict[tuple[str, str], Capable]:
        """(account, capability) -> its state; one that was never tried is not in it."""
        rows = await self._db.read(lambda tx: tx.rows(_ALL))
        return {(row[0], row[1]): _capable(row) for row in rows}

    async def capability_works(self, account: str, capability: str, now: datetime, next_at: int) -> None:
        """It did what was asked; next at that epoch second. A stop is over."""
        await self._db.write(lambda tx: tx.run(_READ, account, capability, epoch(now), next_at))

    async def put_off_capability(self, account: str, capability: str, next_at: int) -> None:
        """Nothing was answered: not before then."""
        await self._db.write(lambda tx: tx.run(_WAIT, account, capability, next_at))

    async def stop_capability(self, account: str, capability: str, *, fault: str, why: str, next_at: int, now: datetime) -> None:
        """People do it by hand from now on; it is tried again at `next_at`, and the stop counts from its first time."""
        await self._db.write(lambda tx: tx.run(_STOP, account, capability, next_at, now, fault, why))


def _capable(row: Record) -> Capable:
    return Capable(
        account=row[0],
        capability=row[1],
        read_at=row[2],
        next_at=row[3],
        stopped_at=instant_of(row[4]),
        fault=row[5],
        why=row[6],
    )
