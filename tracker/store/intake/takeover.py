"""Orders that are taken over on their way: since when they are ours, and what their buyers were told before (D21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from tracker.model import Contact, ImportBatch, Intent, OrderFacts
from tracker.store.connection import Tx, required
from tracker.store.encoding import contacts, json_text
from tracker.store.intake.stamping import Source
from tracker.store.records import audit, wake

Told = Mapping[Intent, datetime]
"""Stage -> when the buyer was told it (aware UTC)."""

_FIND = """
    SELECT d.id, d.cutover_at, b.first_at FROM dossier d LEFT JOIN import_batch b ON b.id = d.batch_id
    WHERE d.store = ? AND d.number = ?"""


def take_over(tx: Tx, facts: OrderFacts, batch: ImportBatch, told: Told, source: Source) -> None:
    """Note the cut-over and the contacts of an order of this file, in the transaction that saves it: nobody decides between.

    A new order has its cut-over already. One that came in on the day of the cut-over or later, without one (the first import
    forgot to say it), gets it now. An earlier one was ours by then, and one with a cut-over keeps the one it has: no later file
    moves what is skipped.
    """
    order_id, cut, first_at = tx.row(_FIND, facts.store, facts.number)
    subject = f"order/{facts.store}/{facts.number}"
    if batch.cutover_at is not None and cut is None and first_at is not None and required(first_at) >= batch.cutover_at:
        tx.run("UPDATE dossier SET cutover_at = ? WHERE id = ?", batch.cutover_at, order_id)
        after = {"cutover_at": batch.cutover_at}
        audit(
            tx,
            source.now,
            who="import",
            what="order_taken_over",
            order_id=order_id,
            subject=subject,
            reason=source.file,
            after=after,
        )
        wake(tx, [order_id], source.now)
    if told:
        tell_contacts(tx, order_id, told, by="import", reason=source.file, now=source.now)


def by_order(told: Iterable[Contact]) -> dict[tuple[str, str], dict[Intent, datetime]]:
    """The contacts of each order, by (store, number); of a stage that was told twice the last time."""
    found: dict[tuple[str, str], dict[Intent, datetime]] = {}
    for contact in told:
        stages = found.setdefault((contact.store, contact.number), {})
        stages[contact.stage] = max(contact.at, stages.get(contact.stage, contact.at))
    return found


def tell_contacts(tx: Tx, order_id: int, told: Told, *, by: str, reason: str, now: datetime) -> bool:
    """Note that the buyer was told these stages outside; of one that is known the later time counts. False: nothing is new."""
    store, number, kept = tx.row("SELECT store, number, contacted FROM dossier WHERE id = ?", order_id)
    before = contacts(kept)
    news = {stage: at for stage, at in told.items() if stage not in before or before[stage] < at}
    if not news:
        return False
    tx.run("UPDATE dossier SET contacted = ? WHERE id = ?", json_text(before | news), order_id)
    what = {stage.value: at for stage, at in news.items()}
    audit(
        tx,
        now,
        who=by,
        what="contacted_outside",
        order_id=order_id,
        subject=f"order/{store}/{number}",
        reason=reason,
        before={stage.value: before[stage] for stage in news if stage in before},
        after=what,
    )
    wake(tx, [order_id], now)
    return True
