"""A store in memory: the last word of each order and parcel. What the real one makes of batches is told in tests/store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tracker.model import ImportBatch, ImportOutcome


class MemoryStore:
    """Counts like the store: new, updated, unchanged."""

    def __init__(self) -> None:
        self.facts: dict[tuple[Any, ...], Any] = {}
        self.saved: list[ImportBatch] = []

    async def save_import(self, batch: ImportBatch, now: datetime, *, dry_run: bool = False) -> ImportOutcome:
        told: dict[tuple[Any, ...], Any] = {("order", order.store, order.number): order for order in batch.orders}
        told |= {("parcel", parcel.number, parcel.order): parcel for parcel in batch.shipments}
        new = sum(key not in self.facts for key in told)
        unchanged = sum(self.facts.get(key) == fact for key, fact in told.items())
        orphans = tuple(parcel.number for parcel in batch.shipments if parcel.order is None)
        if not dry_run:
            self.facts |= told
            self.saved.append(msgspec.structs.replace(batch))
        return ImportOutcome(new=new, updated=len(told) - new - unchanged, unchanged=unchanged, orphans=orphans)
