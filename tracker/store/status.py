"""What `tracker status` counts, and the instants that the simulated engine jumps to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Database, Record, Tx, instant_of
from tracker.store.desk import REVIEW_HOLDS
from tracker.store.encoding import money
from tracker.store.records import DAEMON
from tracker.store.rows import Breaker, DueInstants, Followed, SourceHealth, StatusCounts

_SOURCES = """
    SELECT a.id, a.last_answer_at, a.breaker_failures, a.breaker_until, a.breaker_since, a.breaker_kind, coalesce(q.used, 0)
    FROM account a LEFT JOIN quota_day q ON q.source = a.id AND q.day = ? ORDER BY a.id"""

_ORPHANS = "SELECT count(*) FROM shipment WHERE NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.shipment_id = shipment.id)"

_UNANSWERED = """
    SELECT count(*), min(number) FROM shipment
    WHERE last_answer_at IS NULL AND (failures >= 3 OR (failures > 0 AND next_poll_at > ?))"""

_HALF_A_DAY = 43_200
"""What is put off that long wants a person (a wrong number, an unknown carrier); a source that is down is asked again sooner."""

_UNMATCHED = "SELECT count(DISTINCT service_text) FROM shipment WHERE NOT matched AND service_text IS NOT NULL"

_FOLLOWED = """
    SELECT carrier, turn, count(*),
        count(*) FILTER (WHERE failures = 0 AND next_poll_at > :now
            AND (last_answer_at IS NULL OR last_answer_at < :now - CASE turn
                WHEN 'deadline' THEN :deadline WHEN 'moving' THEN :moving WHEN 'unscanned' THEN :fresh ELSE :stale END)),
        count(*) FILTER (WHERE coalesce(last_answer_at, 0) >= :midnight), count(*) FILTER (WHERE failures > 0)
    FROM (
        SELECT s.carrier, s.failures, s.next_poll_at, s.last_answer_at, CASE
            WHEN s.status NOT IN ('delivered', 'returned') AND s.deadline_at >= :now AND s.deadline_at <= :near THEN 'deadline'
            WHEN EXISTS (SELECT 1 FROM order_shipment l JOIN dossier d ON d.id = l.order_id
                         WHERE l.shipment_id = s.id AND d.waits_for_answer) THEN 'awaited'
            WHEN s.status IN ('delivered', 'returned') THEN 'settling'
            WHEN s.moved_at IS NULL THEN 'unscanned'
            WHEN s.moved_at >= :young THEN 'moving' ELSE 'silent' END AS turn
        FROM shipment s WHERE s.next_poll_at IS NOT NULL) AS asked
    GROUP BY carrier, turn ORDER BY carrier NULLS FIRST, turn"""

_LATE_BY = 1.2
"""Jitter adds up to a tenth to the distance between two answers; what is later than this was put off."""

_LIVE = """
    SELECT state, count(*) FROM outbox WHERE state IN ('held', 'pending', 'sending', 'unknown') GROUP BY state
    UNION ALL
    SELECT state, count(*) FROM outbox WHERE state NOT IN ('held', 'pending', 'sending', 'unknown') GROUP BY state"""


_RUNNING = """
    SELECT max(since) FROM (SELECT since FROM daemon WHERE epoch > 0 UNION ALL SELECT since FROM worker) AS runs"""

_LEAKED = "SELECT payable, currency FROM claim WHERE state = 'expired' AND latest_on >= ?"
_LEAK_SHOWN = timedelta(days=31)

_SENT = "SELECT intent, count(*) FROM outbox WHERE sent_at > ? AND sent_at <= ? AND state = 'sent' GROUP BY intent"

_DECIDED = "SELECT rejected, count(*) FROM outbox WHERE decided_at > ? AND decided_at <= ? GROUP BY rejected"

_FAILED = "SELECT count(*) FROM audit WHERE at > ? AND at <= ? AND what = 'outbox_failed'"

_CLOSED = "SELECT closed_by, count(*) FROM task WHERE closed_at > ? AND closed_at <= ? AND closed_by <> ? GROUP BY closed_by"


class Spans(msgspec.Struct, frozen=True, kw_only=True):
    """How far apart two answers about a parcel lie by what it does, and until when it counts as what (tracker.toml [poll])."""

    fresh_h: int
    moving_h: int
    stale_h: int
    deadline_h: int
    moving_days: int
    deadline_days: int


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Counts: purpose -> effects that left; approved, rejected -> decisions of people; person -> tasks closed.

    `failed` messages were refused for good, or could not be written: nobody sends them again.
    """

    sent: Mapping[str, int]
    failed: int
    decided: Mapping[str, int]
    closed: Mapping[str, int]


_OPEN_ORDERS = "SELECT store, count(*) FROM dossier WHERE next_decide_at IS NOT NULL GROUP BY store ORDER BY store"


class Status:
    """The store's methods for counting."""

    _db: Database

    async def status(self, now: datetime) -> StatusCounts:
        """Everything `tracker status` shows, on one snapshot."""
        return await self._db.read(lambda tx: _status(tx, now))

    async def followed(self, spans: Spans, now: datetime) -> list[Followed]:
        """The parcels that are asked about, by carrier and by why. Reads all of them."""
        at = epoch(now)
        values = {
            "now": at,
            "midnight": at - at % 86_400,
            "near": at + spans.deadline_days * 86_400,
            "young": at - spans.moving_days * 86_400,
            **{name: int(hours * 3600 * _LATE_BY) for name, hours in _distances(spans).items()},
        }
        rows = await self._db.read(lambda tx: tx.named(_FOLLOWED, values))
        return [
            Followed(carrier=row[0], turn=row[1], count=row[2], waiting=row[3], answered_today=row[4], failing=row[5])
            for row in rows
        ]

    async def open_orders(self) -> dict[str, int]:
        """Orders that are still followed, by store."""
        rows = await self._db.read(lambda tx: tx.rows(_OPEN_ORDERS))
        return {row[0]: row[1] for row in rows}

    async def sent_messages(self) -> dict[tuple[str, str], int]:
        """Messages that left, by store and channel, since the first one that is still counted."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT store, channel, sum(sent) FROM total GROUP BY store, channel"))
        return {(row[0], row[1]): row[2] for row in rows}

    async def happened(self, since: datetime, now: datetime) -> Happened:
        """What left, what people decided and which tasks they closed between two instants."""

        def look(tx: Tx) -> Happened:
            decided = tx.rows(_DECIDED, since, now)
            return Happened(
                sent={row[0]: row[1] for row in tx.rows(_SENT, since, now)},
                failed=tx.value(_FAILED, since, now),
                decided={"rejected" if row[0] else "approved": row[1] for row in decided},
                closed={row[0]: row[1] for row in tx.rows(_CLOSED, since, now, DAEMON)},
            )

        return await self._db.read(look)

    async def next_due(self) -> DueInstants:
        """The earliest instant of each clock."""

        def look(tx: Tx) -> DueInstants:
            return DueInstants(
                poll=tx.value("SELECT min(next_poll_at) FROM shipment WHERE next_poll_at IS NOT NULL"),
                decide=tx.value("SELECT min(next_decide_at) FROM dossier WHERE next_decide_at IS NOT NULL"),
                dispatch=tx.value("SELECT min(not_before) FROM outbox WHERE state = 'pending'"),
                tasks=tx.value("SELECT min(valid_until) FROM task WHERE state IN ('open', 'in_hand')"),
            )

        return await self._db.read(look)


def _status(tx: Tx, now: datetime) -> StatusCounts:
    at = epoch(now)
    holds = _counts(tx, "SELECT hold, count(*) FROM outbox WHERE state = 'held' GROUP BY hold")
    ask = tx.row("SELECT count(*), min(next_poll_at) FROM shipment WHERE next_poll_at <= ?", at)
    decide = tx.row("SELECT count(*), min(next_decide_at) FROM dossier WHERE next_decide_at <= ?", at)
    unanswered = tx.row(_UNANSWERED, at + _HALF_A_DAY)
    leaked = tx.rows(_LEAKED, (now - _LEAK_SHOWN).date().isoformat())
    daemon = tx.row(_RUNNING)
    return StatusCounts(
        orders=tx.value("SELECT count(*) FROM dossier"),
        shipments=tx.value("SELECT count(*) FROM shipment"),
        shipments_by_status=_counts(tx, "SELECT status, count(*) FROM shipment GROUP BY status"),
        followed=tx.value("SELECT count(*) FROM shipment WHERE next_poll_at IS NOT NULL"),
        due_to_ask=ask[0],
        due_to_decide=decide[0],
        oldest_ask_due=ask[1],
        oldest_decide_due=decide[1],
        parked=tx.value("SELECT count(*) FROM dossier WHERE parked_for IS NOT NULL"),
        unanswered=unanswered[0],
        unanswered_sample=unanswered[1],
        outbox=_counts(tx, _LIVE),
        tasks=_counts(tx, "SELECT state, count(*) FROM task GROUP BY state"),
        holds={reason: count for reason, count in holds.items() if reason not in REVIEW_HOLDS},
        reviews=sum(holds.get(reason, 0) for reason in REVIEW_HOLDS),
        claims=_counts(tx, "SELECT state, count(*) FROM claim GROUP BY state"),
        leak=_sums(leaked),
        leaked=len(leaked),
        orphans=tx.value(_ORPHANS),
        unmatched_texts=tx.value(_UNMATCHED),
        sources=tuple(_source(row) for row in tx.rows(_SOURCES, now.date().isoformat())),
        daemon_since=instant_of(daemon[0]),
        rehearsal=tx.value("SELECT value FROM meta WHERE key = 'rehearsal'") == "yes",
    )


def _distances(spans: Spans) -> Mapping[str, int]:
    return {"fresh": spans.fresh_h, "moving": spans.moving_h, "stale": spans.stale_h, "deadline": spans.deadline_h}


def _sums(rows: Sequence[Record]) -> Mapping[str, str]:
    sums: dict[str, Decimal] = {}
    for amount, currency in rows:
        sums[currency or "?"] = sums.get(currency or "?", Decimal(0)) + (money(amount) or Decimal(0))
    return {currency: f"{amount:f}" for currency, amount in sorted(sums.items())}


def _counts(tx: Tx, sql: str) -> Mapping[str, int]:
    return {row[0]: row[1] for row in tx.rows(sql)}


def _source(row: Record) -> SourceHealth:
    breaker = Breaker(failures=row[2], open_until=instant_of(row[3]), since=instant_of(row[4]), kind=row[5])
    return SourceHealth(account=row[0], breaker=breaker, last_answer_at=row[1], used_today=row[6])
