"""What operators are told: raised once a key, ended with its condition, told at least once (facts/faults.md section 1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Database, Record, Tx, instant_of, required, stored
from tracker.store.encoding import json_text, mapping

_RAISE = """
    INSERT INTO alert (key, kind, store, subject, facts, state, raised_at, deadline, deliver_at, attempts)
    VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, 0) ON CONFLICT (key) DO NOTHING"""

_BACK = """
    UPDATE alert SET state = 'waiting', ended_at = NULL, subject = ?, facts = ?, raised_at = ?, deadline = ?, deliver_at = ?,
        attempts = CASE state WHEN 'over' THEN attempts ELSE 0 END, result = CASE state WHEN 'over' THEN result END
    WHERE key = ? AND ended_at IS NOT NULL AND (state = 'over' OR ended_at < ?)"""

_STILL = "UPDATE alert SET ended_at = NULL WHERE key = ? AND ended_at IS NOT NULL"

_STANDING = "SELECT id, key FROM alert WHERE ended_at IS NULL AND kind = ?"

_END = """
    UPDATE alert SET ended_at = ?, state = CASE state WHEN 'waiting' THEN 'over' ELSE state END
    WHERE id = ? AND ended_at IS NULL"""

_DUE = """
    SELECT id, key, kind, store, subject, facts, raised_at, deadline, attempts, result FROM alert
    WHERE state = 'waiting' AND deliver_at <= ? ORDER BY kind, deadline IS NULL, deadline, id"""

_TOLD = "UPDATE alert SET state = 'told', told_at = ?, attempts = attempts + 1, result = ? WHERE id = ? AND state = 'waiting'"

_AGAIN = """
    UPDATE alert SET attempts = attempts + 1, deliver_at = ?, result = ?, told_at = coalesce(?, told_at)
    WHERE id = ? AND state = 'waiting'"""

_LATER = "UPDATE alert SET deliver_at = ? WHERE id = ? AND state = 'waiting'"

AFRESH = timedelta(hours=12)
"""What was told, was over for so long and is true again is news: the same file failing the next day."""


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that holds. `key` names its one occasion: the same key is told once, however long it holds."""

    key: str
    kind: str
    subject: str
    store: str | None = None
    facts: Mapping[str, str] = {}
    deadline: datetime | None = None
    deliver_at: datetime


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that waits. `done` are the recipients that took it at an earlier attempt."""

    id: int
    key: str
    kind: str
    store: str | None
    subject: str
    facts: Mapping[str, str]
    raised_at: datetime
    deadline: datetime | None
    attempts: int
    done: frozenset[str]


class Alerts:
    """The store's methods for alerts."""

    _db: Database

    async def watch_alerts(self, kind: str, found: Sequence[Raised], now: datetime) -> int:
        """What holds now of a kind: new ones are raised, those that hold no more end; how many are new.

        What holds again is raised again when nobody had been told of it, or when it was over for half a day.
        """

        def settle(tx: Tx) -> int:
            keys, standing = {each.key for each in found}, set()
            for alert_id, key in tx.rows(_STANDING, kind):
                standing.add(key)
                if key not in keys:
                    tx.run(_END, now, alert_id)
            return sum(_raise(tx, each, now) for each in found if each.key not in standing)

        return await self._db.write(settle)

    async def due_alerts(self, now: datetime) -> list[AlertView]:
        """What is to be told now, kind by kind, the nearest deadline first."""
        rows = await self._db.read(lambda tx: tx.rows(_DUE, epoch(now)))
        return [_view(row) for row in rows]

    async def last_told(self) -> dict[str, datetime]:
        """Kind -> when operators were told of it last (D24: one message a shift)."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT kind, max(told_at) FROM alert GROUP BY kind"))
        return {row[0]: told for row in rows if (told := instant_of(row[1])) is not None}

    async def told_alerts(self, ids: Collection[int], recipients: Collection[str], now: datetime) -> None:
        """Every recipient has taken these."""
        text = json_text(sorted(recipients))
        await self._db.write(lambda tx: tx.many(_TOLD, [(stored(now), text, each) for each in ids]))

    async def retry_alerts(
        self, ids: Collection[int], done: Collection[str], until: datetime, *, heard: datetime | None = None
    ) -> None:
        """Somebody could not be told: try again at `until`, without those in `done`. `heard`: when others took it just now."""
        text, at = json_text(sorted(done)), None if heard is None else stored(heard)
        await self._db.write(lambda tx: tx.many(_AGAIN, [(epoch(until), text, at, each) for each in ids]))

    async def defer_alerts(self, ids: Collection[int], until: datetime) -> None:
        """Operators heard of this kind in this shift already: with the next one."""
        await self._db.write(lambda tx: tx.many(_LATER, [(epoch(until), each) for each in ids]))


def _raise(tx: Tx, each: Raised, now: datetime) -> int:
    facts, at = json_text(dict(each.facts)), epoch(each.deliver_at)
    if tx.run(_RAISE, each.key, each.kind, each.store, each.subject, facts, now, each.deadline, at):
        return 1
    if tx.run(_BACK, each.subject, facts, now, each.deadline, at, each.key, now - AFRESH):
        return 1
    tx.run(_STILL, each.key)
    return 0


def _view(row: Record) -> AlertView:
    return AlertView(
        id=row[0],
        key=row[1],
        kind=row[2],
        store=row[3],
        subject=row[4],
        facts=mapping(row[5]),
        raised_at=required(row[6]),
        deadline=instant_of(row[7]),
        attempts=row[8],
        done=frozenset(msgspec.json.decode(row[9], type=list[str]) if row[9] else ()),
    )
