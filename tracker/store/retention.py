"""Forgetting what may no longer be kept: buyers' data and scans of orders that are settled for long (fault 27).

An order is settled when nothing about it is open: no effect on its way or in doubt, no task, no case, no claim, no parcel that is
still followed, no buyer who waits. A dedup key, an amount, a reference and the audit stay for ever: they name nobody.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tracker.clock import epoch
from tracker.compensation import TERMINAL
from tracker.log.redact import masked
from tracker.model import Scan
from tracker.store.connection import Database, Record, Tx, stored
from tracker.store.encoding import pack, unpack
from tracker.store.records import audit

STEP = 2_000
"""Raw answers that are deleted in one transaction."""

WINDOW = 1_000
"""Ids looked at in one transaction: a few milliseconds."""

_TELLING = frozenset({"last_scan"})
"""What a carrier wrote: it may name who signed."""

_NOTES = frozenset({"note"})
"""What a clerk wrote down."""

_NAMES = _NOTES | {"buyer_name", "buyer_email", "buyer_phone", "buyer_chat", "tax_number"}
"""Whom a line of the audit may name, before and after a change."""

_NOTED = frozenset({"task_done", "task_unsure"})
"""Lines of the audit whose reason is a clerk's note."""

_OVER = ", ".join(f"'{state.value}'" for state in sorted(TERMINAL))

_PAST = (
    "ordered_at", "paid_at", "shipped_at", "promised_at", "window_end", "refunded_at", "received_at", "cutover_at", "hold_until"
)  # fmt: skip
"""Of an order: what lies in the past, or is not known."""

_OVER_FOR_LONG = " AND ".join(f"(d.{name} IS NULL OR d.{name} < :text)" for name in _PAST)

_SETTLED = f"""
    {_OVER_FOR_LONG}
    AND NOT EXISTS (SELECT 1 FROM import_batch b WHERE b.id = d.batch_id AND b.last_at >= :text)
    AND d.waiting_since IS NULL AND d.parked_for IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.order_id = d.id AND (
        o.state IN ('held', 'pending', 'sending', 'unknown')
        OR o.created_at >= :text OR o.sent_at >= :text OR o.decided_at >= :text))
    AND NOT EXISTS (SELECT 1 FROM outbox o JOIN task t ON t.id = o.task_id WHERE o.order_id = d.id AND (
        t.state IN ('open', 'in_hand') OR t.closed_at >= :text))
    AND NOT EXISTS (SELECT 1 FROM buyer_case c WHERE c.order_id = d.id AND (c.closed_at IS NULL OR c.closed_at >= :text))
    AND NOT EXISTS (SELECT 1 FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id WHERE l.order_id = d.id AND (
        s.next_poll_at IS NOT NULL OR s.moved_at >= :epoch OR s.last_answer_at >= :epoch OR s.shipped_at >= :text))
    AND NOT EXISTS (SELECT 1 FROM order_shipment l JOIN claim k ON k.shipment_id = l.shipment_id
                    WHERE l.order_id = d.id AND k.state NOT IN ({_OVER}))"""  # noqa: S608 - our own words
"""Of dossier `d`: nothing is open, and nothing has happened since :text, which is :epoch."""

_NAMED = f"""
    SELECT d.id FROM dossier d WHERE d.id > :after AND d.id <= :upto
    AND (d.buyer_name IS NOT NULL OR d.buyer_email IS NOT NULL OR d.buyer_phone IS NOT NULL
        OR d.tax_number IS NOT NULL OR d.note IS NOT NULL OR d.purged_at IS NULL) AND {_SETTLED}"""  # noqa: S608 - our own words

KNOWN = """
    known (account) AS (
        SELECT min(account) FROM answer
        UNION ALL SELECT (SELECT min(n.account) FROM answer n WHERE n.account > known.account) FROM known
        WHERE known.account IS NOT NULL)"""
"""The accounts that remember anything, one step in the table's key each. A number is found by them: it is its key's second half,
and whoever leaves out the first half has the whole table read, for every parcel."""

OF_THEM = "account IN (SELECT account FROM known)"
_REMEMBERED = f"EXISTS (SELECT 1 FROM answer n WHERE n.{OF_THEM} AND n.number = a.number)"  # noqa: S608 - our own words
_REMEMBERED_LAST_MILE = f"EXISTS (SELECT 1 FROM answer n WHERE n.{OF_THEM} AND n.number = p.linked_number)"  # noqa: S608 - the same

_SCANNED = f"""
    WITH RECURSIVE {KNOWN}
    SELECT DISTINCT p.id FROM dossier d JOIN order_shipment pl ON pl.order_id = d.id JOIN shipment p ON p.id = pl.shipment_id
    WHERE d.id > :after AND d.id <= :upto
    AND (EXISTS (SELECT 1 FROM tracking_event e WHERE e.shipment_id = p.id)
        OR EXISTS (SELECT 1 FROM alias a WHERE a.shipment_id = p.id AND {_REMEMBERED})
        OR (p.linked_number IS NOT NULL AND {_REMEMBERED_LAST_MILE}))
    AND {_SETTLED}
    AND NOT EXISTS (SELECT 1 FROM order_shipment xl WHERE xl.shipment_id = p.id AND xl.order_id <> d.id
                    AND NOT EXISTS (SELECT 1 FROM dossier d WHERE d.id = xl.order_id AND {_SETTLED}))"""  # noqa: S608 - our own words
"""A parcel of several orders waits for the last of them."""

_ITS_NUMBERS = "number IN (SELECT number FROM alias WHERE shipment_id IN (??))"
_ITS_LAST_MILE = "number IN (SELECT linked_number FROM shipment WHERE id IN (??))"

_TELL_NOTHING = (
    "DELETE FROM tracking_event WHERE shipment_id IN (??)",
    f"WITH RECURSIVE {KNOWN} DELETE FROM answer WHERE {OF_THEM} AND {_ITS_NUMBERS}",  # noqa: S608 - our own words
    f"WITH RECURSIVE {KNOWN} DELETE FROM answer WHERE {OF_THEM} AND {_ITS_LAST_MILE}",  # noqa: S608 - our own words
    f"DELETE FROM raw_answer WHERE {_ITS_NUMBERS}",  # noqa: S608 - our own words
    f"DELETE FROM raw_answer WHERE {_ITS_LAST_MILE}",  # noqa: S608 - our own words
)

_NAMELESS = """
    UPDATE dossier SET buyer_name = NULL, buyer_email = NULL, buyer_phone = NULL, buyer_chat = NULL, tax_number = NULL,
        note = NULL, purged_at = ?
    WHERE id IN (??)"""

_TEXTLESS = """
    UPDATE task_item SET body = NULL, twin = NULL, facts = '{}'
    WHERE (task_id, row_id) IN (SELECT task_id, id FROM outbox WHERE order_id IN (??) AND task_id IS NOT NULL)"""

_OLD_ANSWERS = "DELETE FROM raw_answer WHERE id IN (SELECT id FROM raw_answer WHERE at < ? ORDER BY at LIMIT ?)"

_RESULTS = "SELECT id, result FROM task WHERE result <> '{}' AND id IN (SELECT task_id FROM outbox WHERE order_id IN (??))"
_EFFECTS = "SELECT id, evidence, result FROM outbox WHERE order_id IN (??)"
_VERDICTS = "SELECT id, verdict FROM decision WHERE order_id IN (??)"
_AUDIT = "SELECT id, what, reason, before, after FROM audit WHERE order_id IN (??)"


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """Of one window of ids: orders that name nobody any more, parcels without scans, and where to go on (None: the end)."""

    orders: int
    parcels: int
    next_after: int | None


class Retention:
    """The store's methods for forgetting."""

    _db: Database

    async def forget(
        self, after: int, *, names_before: datetime | None, scans_before: datetime | None, now: datetime, dry_run: bool = False
    ) -> Forgotten:
        """Look at the orders whose ids follow `after`; forget names, or scans, of those settled before. None keeps them."""
        highest = await self._db.read(lambda tx: tx.value("SELECT max(id) FROM dossier") or 0)
        upto = after + WINDOW

        def look(tx: Tx) -> tuple[list[int], list[int]]:
            return _found(tx, _NAMED, after, upto, names_before), _found(tx, _SCANNED, after, upto, scans_before)

        orders, parcels = await self._db.read(look)
        if (orders or parcels) and not dry_run:
            orders, parcels = await self._db.write(lambda tx: _forget(tx, *look(tx), now))
        return Forgotten(orders=len(orders), parcels=len(parcels), next_after=upto if upto < highest else None)

    async def old_answers(self, before: datetime) -> int:
        """How many raw answers are older."""
        return await self._db.read(lambda tx: tx.value("SELECT count(*) FROM raw_answer WHERE at < ?", epoch(before)))

    async def forget_answers(self, before: datetime) -> int:
        """Delete raw answers that are older, the oldest first, a step of them; how many."""
        return await self._db.write(lambda tx: tx.run(_OLD_ANSWERS, epoch(before), STEP))

    async def note_purge(self, *, by: str, what: str, now: datetime) -> None:
        """The audit keeps that something was forgotten, not what."""
        await self._db.write(
            lambda tx: audit(tx, now, who=by, what="personal_data_purged", order_id=None, subject="retention", reason=what)
        )


def _found(tx: Tx, sql: str, after: int, upto: int, before: datetime | None) -> list[int]:
    if before is None:
        return []
    values = {"after": after, "upto": upto, "text": stored(before), "epoch": epoch(before)}
    return [row[0] for row in tx.named(sql, values)]


def _forget(tx: Tx, orders: list[int], parcels: list[int], now: datetime) -> tuple[list[int], list[int]]:
    _forget_names(tx, orders, now)
    _forget_scans(tx, parcels)
    return orders, parcels


def _forget_names(tx: Tx, orders: Sequence[int], now: datetime) -> None:
    if not orders:
        return
    tx.run_among(_NAMELESS, orders, now)
    tx.run_among(_TEXTLESS, orders)
    tx.run_among("UPDATE outbox SET body = NULL WHERE order_id IN (??)", orders)
    tx.run_among("UPDATE buyer_case SET note = NULL WHERE order_id IN (??)", orders)
    tx.many("UPDATE task SET result = ? WHERE id = ?", [(_without(row[1], _NOTES), row[0]) for row in tx.among(_RESULTS, orders)])
    effects = [(_without(row[1], _TELLING), row[2] and masked(row[2]), row[0]) for row in tx.among(_EFFECTS, orders)]
    tx.many("UPDATE outbox SET evidence = ?, result = ? WHERE id = ?", effects)
    verdicts = [(_without(row[1], _TELLING), row[0]) for row in tx.among(_VERDICTS, orders)]
    tx.many("UPDATE decision SET verdict = ? WHERE id = ?", verdicts)
    lines = [_anonymous(row) for row in tx.among(_AUDIT, orders)]
    tx.many("UPDATE audit SET reason = ?, before = ?, after = ? WHERE id = ?", lines)


def _anonymous(line: Record) -> tuple[object, ...]:
    """A line of the audit without what clerks noted; who decided what, when and why stays."""
    line_id, what, reason, before, after = line
    told = "" if what in _NOTED else masked(reason)
    return (told, *(masked(_without(text, _NAMES)) for text in (before, after)), line_id)


def _forget_scans(tx: Tx, parcels: Sequence[int]) -> None:
    """Dates, states and the fingerprints of the scans stay: a parcel that is asked about again tells nothing twice."""
    if not parcels:
        return
    for statement in _TELL_NOTHING:
        tx.run_among(statement, parcels)
    rows = tx.among("SELECT id, journey FROM shipment WHERE journey IS NOT NULL AND id IN (??)", parcels)
    tx.many("UPDATE shipment SET journey = ? WHERE id = ?", [(_wordless(row[1]), row[0]) for row in rows])


def _wordless(packed: bytes) -> bytes:
    """The journey without what carriers wrote."""
    journey = unpack(packed)
    scans = {name: _bare(getattr(journey, name)) for name in ("first_scan", "last_scan", "delivered_scan")}
    return pack(msgspec.structs.replace(journey, **scans))


def _bare(scan: Scan | None) -> Scan | None:
    return None if scan is None else msgspec.structs.replace(scan, description="", location="")


def _without(text: str, keys: frozenset[str]) -> str:
    """A JSON text without these keys, at any depth."""
    if not any(f'"{key}"' in text for key in keys):
        return text
    return json.dumps(_stripped(json.loads(text), keys), ensure_ascii=False, separators=(",", ":"))


def _stripped(value: Any, keys: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _stripped(each, keys) for key, each in value.items() if key not in keys}
    return [_stripped(each, keys) for each in value] if isinstance(value, list) else value
