"""Codes of sources that no table knows: kept with a number that carries them, until somebody maps them (facts/carriers.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tracker.clock import epoch, instant
from tracker.store.connection import Database, Tx
from tracker.store.rows import Unmapped

_NOTE = """
    INSERT INTO unmapped_code (account, code, number, first_at, last_at, times) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (account, code) DO UPDATE
    SET number = excluded.number, last_at = excluded.last_at, times = unmapped_code.times + excluded.times"""

_KNOWN = "SELECT code FROM unmapped_code WHERE account = ? AND code IN (??)"

_SINCE = """
    SELECT account, code, number, first_at, last_at, times FROM unmapped_code WHERE last_at >= ?
    ORDER BY account, times DESC, code"""


class UnmappedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code that came in `times` answers, last with `number`. Its parcels stand as `unknown` while it is their newest scan."""

    account: str
    code: str
    number: str
    first_at: datetime
    last_at: datetime
    times: int


class UnmappedCodes:
    """The store's methods for codes that nobody knew."""

    _db: Database

    async def known_codes(self, account: str, codes: Sequence[str]) -> frozenset[str]:
        """Which of these unmapped codes came before, in this run of the daemon or an earlier one."""
        rows = await self._db.read(lambda tx: tx.among(_KNOWN, codes, account))
        return frozenset(row[0] for row in rows)

    async def unmapped_codes(self, since: datetime) -> list[UnmappedCode]:
        """The unmapped codes that came since then, by account, the most frequent first."""
        rows = await self._db.read(lambda tx: tx.rows(_SINCE, epoch(since)))
        return [
            UnmappedCode(
                account=row[0], code=row[1], number=row[2], first_at=instant(row[3]), last_at=instant(row[4]), times=row[5]
            )
            for row in rows
        ]


def note(tx: Tx, found: Sequence[Unmapped], at: int) -> None:
    """Count unmapped codes that came at `at` (epoch seconds): one statement."""
    tx.many(_NOTE, [(each.account, each.code, each.number, at, at, each.times) for each in found])
