"""The import itself: a file's orders and parcels in short transactions, so that the daemon beside it is never kept waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import Change, ImportBatch, ImportOutcome, OrderFacts, ShipmentFacts
from tracker.store.connection import Database, Tx
from tracker.store.intake.followed import followed
from tracker.store.intake.orders import NEW, UNCHANGED, UPDATED, save_order
from tracker.store.intake.shipments import save_shipment
from tracker.store.intake.stamping import Saved, Source
from tracker.store.intake.takeover import by_order, take_over
from tracker.store.rows import Orphan, UnmatchedText

T = TypeVar("T")

ROWS_PER_TRANSACTION = 300

_BATCH = """
    INSERT INTO import_batch (digest, file, format, first_at, last_at, finished, rows, rejected) VALUES (?, ?, ?, ?, ?, FALSE, ?,
    ?) ON CONFLICT (digest) DO UPDATE SET last_at = excluded.last_at RETURNING id"""

_ORPHAN_SHIPMENTS = """
    SELECT s.number, a.store, a.number, s.id FROM awaited_order a JOIN shipment s ON s.id = a.shipment_id
    WHERE NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.shipment_id = s.id)
    UNION ALL SELECT s.number, NULL, NULL, s.id FROM shipment s
    WHERE NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.shipment_id = s.id)
        AND s.id NOT IN (SELECT shipment_id FROM awaited_order)
    ORDER BY 4"""

_ORPHAN_ORDERS = """
    SELECT d.number, d.store FROM dossier d
    WHERE NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.order_id = d.id) ORDER BY d.id"""

_UNMATCHED = """
    SELECT service_text, count(*) FROM shipment WHERE NOT matched AND service_text IS NOT NULL
    GROUP BY service_text ORDER BY count(*) DESC, service_text"""

_ALONE = """
    SELECT a.number FROM alias a WHERE a.number IN (??)
        AND NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.shipment_id = a.shipment_id)"""

_TAKEN_OVER = "SELECT number, store FROM dossier WHERE cutover_at = ? AND number IN (??)"

_EMPTY_HANDED = """
    SELECT d.number, d.store FROM dossier d
    WHERE d.number IN (??) AND NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.order_id = d.id)"""


_ORDER_FILE = """
    INSERT INTO order_file (store, last_at, file) VALUES (?, ?, ?)
    ON CONFLICT (store) DO UPDATE SET last_at = excluded.last_at, file = excluded.file
    WHERE order_file.last_at <= excluded.last_at"""


class _DryRunError(Exception):
    """Takes the transaction back and carries the outcome out."""

    def __init__(self, outcomes: list[ImportOutcome]) -> None:
        super().__init__("dry run")
        self.outcomes = outcomes


class Intake:
    """The store's methods for imports."""

    _db: Database

    async def save_import(self, batch: ImportBatch, now: datetime, *, dry_run: bool = False) -> ImportOutcome:
        """Save a file. Counts are of orders and parcels together; `orphans` are this file's numbers that wait for a partner.

        With `dry_run` everything is counted and nothing written. A crash in the middle leaves a part: importing again completes
        it.
        """
        if dry_run:
            return (await self.rehearse_import([batch], now))[0]
        batch_id = await self._db.write(lambda tx: _open(tx, batch, now))
        counts: Counter[str] = Counter()
        for work in _pieces(batch, batch_id, now):
            counts.update(change.outcome for change in await self._db.write(work))
            fault("import_between_pieces")
        return await self._db.write(lambda tx: _close(tx, batch, batch_id, counts, now))

    async def orphans(self) -> list[Orphan]:
        """Parcels without an order, and orders without a parcel."""

        def look(tx: Tx) -> list[Orphan]:
            parcels = [
                Orphan(kind="shipment", number=row[0], store=row[1] or None, waits_for=row[2])
                for row in tx.rows(_ORPHAN_SHIPMENTS)
            ]
            return parcels + [Orphan(kind="order", number=row[0], store=row[1]) for row in tx.rows(_ORPHAN_ORDERS)]

        return await self._db.read(look)

    async def unmatched_services(self) -> list[UnmatchedText]:
        """Channel texts that services.toml does not know, the most frequent first."""
        rows = await self._db.read(lambda tx: tx.rows(_UNMATCHED))
        return [UnmatchedText(text=row[0], shipments=row[1]) for row in rows]

    async def order_files(self) -> dict[str, int]:
        """Store -> when its last order file was read (epoch seconds); a file that brought nothing new counts too (D20)."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT store, last_at FROM order_file ORDER BY store"))
        return {row[0]: row[1] for row in rows}

    async def rehearse_import(self, batches: Sequence[ImportBatch], now: datetime) -> list[ImportOutcome]:
        """What saving these files one after the other would change, in detail; nothing is written.

        A later one sees what an earlier one would have brought. The parcels to be asked about are told with the last one.
        """

        def count(tx: Tx) -> None:
            before = followed(tx, batches)
            outcomes = [_rehearsed(tx, batch, now) for batch in batches]
            asked = sorted(followed(tx, batches) - before, key=lambda each: each.number)
            raise _DryRunError([*outcomes[:-1], msgspec.structs.replace(outcomes[-1], followed=tuple(asked))])

        if not batches:
            return []
        try:
            await self._db.write(count)
        except _DryRunError as told:
            return told.outcomes
        raise AssertionError("unreachable: a dry run always takes itself back")


def _rehearsed(tx: Tx, batch: ImportBatch, now: datetime) -> ImportOutcome:
    changes = [change for work in _pieces(batch, _open(tx, batch, now), now) for change in work(tx)]
    outcome = _close(tx, batch, None, Counter(change.outcome for change in changes), now)
    return msgspec.structs.replace(outcome, changes=tuple(changes))


def _open(tx: Tx, batch: ImportBatch, now: datetime) -> int:
    """The file's place among all files: the one it got when its bytes were first seen."""
    rejected = len(batch.rejected)
    opened: int = tx.value(_BATCH, batch.digest, batch.file, batch.format, now, now, batch.rows, rejected)
    return opened


def _close(tx: Tx, batch: ImportBatch, batch_id: int | None, counts: Counter[str], now: datetime) -> ImportOutcome:
    tx.run("UPDATE import_batch SET finished = TRUE WHERE id = ?", batch_id)
    for store in sorted({each.store for each in batch.orders}):
        tx.run(_ORDER_FILE, store, epoch(now), batch.file)
    alone = [row[0] for piece in _cut([each.number for each in batch.shipments]) for row in tx.among(_ALONE, piece)]
    mine = {(each.number, each.store) for each in batch.orders}
    waiting = [row for piece in _cut([each.number for each in batch.orders]) for row in tx.among(_EMPTY_HANDED, piece)]
    empty = [number for number, store in waiting if (number, store) in mine]
    numbers = [each.number for each in batch.orders] if batch.cutover_at is not None else []
    taken = {(row[0], row[1]) for piece in _cut(numbers) for row in tx.among(_TAKEN_OVER, piece, batch.cutover_at)}
    return ImportOutcome(
        taken_over=len(mine & taken),
        new=counts[NEW],
        updated=counts[UPDATED],
        unchanged=counts[UNCHANGED],
        orphans=tuple(dict.fromkeys((*alone, *empty))),
        batch=batch_id,
    )


def _pieces(batch: ImportBatch, batch_id: int, now: datetime) -> Iterator[Callable[[Tx], list[Change]]]:
    """The work of one transaction each: first the orders, then the parcels that join them."""
    orders = Source(batch=batch_id, file=batch.file, rank=batch.rank_orders, now=now)
    parcels = Source(batch=batch_id, file=batch.file, rank=batch.rank_tracking, now=now)

    told = by_order(batch.contacted)

    def save_orders(tx: Tx, piece: Sequence[OrderFacts]) -> list[Change]:
        changes = [_change("order", facts, save_order(tx, facts, orders, batch.cutover_at)) for facts in piece]
        fault("import_before_commit")
        if batch.cutover_at is not None or told:
            for facts in piece:
                take_over(tx, facts, batch, told.get((facts.store, facts.number), {}), orders)
        return changes

    def save_parcels(tx: Tx, piece: Sequence[ShipmentFacts]) -> list[Change]:
        return [_change("shipment", facts, save_shipment(tx, facts, parcels, batch.rank_orders)) for facts in piece]

    for cut in _cut(batch.orders):
        yield lambda tx, piece=cut: save_orders(tx, piece)  # type: ignore[misc]
    for pile in _cut(batch.shipments):
        yield lambda tx, piece=pile: save_parcels(tx, piece)  # type: ignore[misc]


def _change(what: str, facts: OrderFacts | ShipmentFacts, saved: Saved) -> Change:
    return Change(
        what=what,
        row=facts.row,
        store=facts.store,
        number=facts.number,
        outcome=saved.outcome,
        before=saved.before,
        after=saved.after,
    )


def _cut(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), ROWS_PER_TRANSACTION):
        yield rows[start : start + ROWS_PER_TRANSACTION]
