"""Corrections that a person orders: rows of the outbox that no rule decides (facts/messages.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from tracker.store.connection import Database, Tx
from tracker.store.records import audit
from tracker.store.rows import VerdictWrite
from tracker.store.sweep import open_rows

_STORES = "SELECT id, store FROM dossier WHERE id IN (??)"

CHUNK = 400


class Corrections:
    """The store's methods for corrections."""

    _db: Database

    async def open_corrections(self, writes: Sequence[VerdictWrite], *, by: str, reason: str, now: datetime) -> list[str]:
        """Open the rows of these writes; their keys. One that is there already stays as it is: a message is corrected once."""
        opened: list[str] = []
        for start in range(0, len(writes), CHUNK):
            opened += await self._db.write(partial(_open, writes=writes[start : start + CHUNK], by=by, reason=reason, now=now))
        return opened


def _open(tx: Tx, *, writes: Sequence[VerdictWrite], by: str, reason: str, now: datetime) -> list[str]:
    stores = dict(tx.among(_STORES, sorted({write.order_id for write in writes})))
    opened: list[str] = []
    for write in writes:
        for key in open_rows(tx, write, stores[write.order_id], now):
            audit(tx, now, who=by, what="correction_ordered", order_id=write.order_id, subject=key, reason=reason)
            opened.append(key)
    return opened
