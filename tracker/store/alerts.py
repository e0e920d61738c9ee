"""What operators are told: raised once a key, ended with its condition, told at least once (facts/faults.md section 1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Database, Record, Tx, instant_of, required, stored
from tracker.store.encoding import json_text, mapping

_RAISE = """
    INSERT INTO alert (key, kind, store, subject, facts, state, raised_at, deadline, deliver_at, attempts)
    VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, 0) ON CONFLICT (key) DO NOTHING"""

_STANDING = "SELECT id, key FROM alert WHERE ended_at IS NULL AND kind = ?"

_END = """
    UPDATE alert SET ended_at = ?, state = CASE state WHEN 'waiting' THEN 'over' ELSE state END
    WHERE id = ? AND ended_at IS NULL"""

_DUE = """
    SELECT id, key, kind, store, subject, facts, raised_at, deadline, attempts, result FROM alert
    WHERE state = 'waiting' AND deliver_at <= ? ORDER BY kind, deadline IS NULL, deadline, id"""

_TOLD = "UPDATE alert SET state = 'told', told_at = ?, attempts = attempts + 1, result = ? WHERE id = ? AND state = 'waiting'"

_AGAIN = "UPDATE alert SET attempts = attempts + 1, deliver_at = ?, result = ? WHERE id = ? AND state = 'waiting'"

_LATER = "UPDATE alert SET deliver_at = ? WHERE id = ? AND state = 'waiting'"


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
        """What holds now of a kind: new ones are raised, those that hold no more end; how many are new."""

        def settle(tx: Tx) -> int:
            keys = {each.key for each in found}
            for alert_id, key in tx.rows(_STANDING, kind):
                if key not in keys:
                    tx.run(_END, now, alert_id)
            return sum(_raise(tx, each, now) for each in found)

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

    async def retry_alerts(self, ids: Collection[int], done: Collection[str], until: datetime) -> None:
        """Somebody could not be told: try again at `until`, without those in `done`."""
        text = json_text(sorted(done))
        await self._db.write(lambda tx: tx.many(_AGAIN, [(epoch(until), text, each) for each in ids]))

    async def defer_alerts(self, ids: Collection[int], until: datetime) -> None:
        """Operators heard of this kind in this shift already: with the next one."""
        await self._db.write(lambda tx: tx.many(_LATER, [(epoch(until), each) for each in ids]))


def _raise(tx: Tx, each: Raised, now: datetime) -> int:
    return tx.run(
        _RAISE,
        each.key,
        each.kind,
        each.store,
        each.subject,
        json_text(dict(each.facts)),
        now,
        each.deadline,
        epoch(each.deliver_at),
    )


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
