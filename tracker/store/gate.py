"""Politeness that survives a restart: rate gate, the day's quota, each account's circuit breaker (facts/engine.md 2.7)."""

from __future__ import annotations

from datetime import date

from tracker.store.connection import Database, Tx, instant_of
from tracker.store.rows import Breaker

_SLOT = """
    INSERT INTO rategate (source, next_ms) VALUES (?, ?)
    ON CONFLICT (source) DO UPDATE
    SET next_ms = CASE WHEN rategate.next_ms > ? THEN rategate.next_ms ELSE ? END + ?
    RETURNING next_ms"""

_PUSH = """
    INSERT INTO rategate (source, next_ms) VALUES (?, ?)
    ON CONFLICT (source) DO UPDATE SET next_ms = excluded.next_ms WHERE rategate.next_ms < excluded.next_ms"""

_USE = """
    INSERT INTO quota_day (source, day, used) VALUES (?, ?, ?)
    ON CONFLICT (source, day) DO UPDATE SET used = quota_day.used + excluded.used RETURNING used"""

_GIVE_BACK = "UPDATE quota_day SET used = used - ? WHERE source = ? AND day = ?"

_BREAKER = """
    INSERT INTO account (id, memory, breaker_failures, breaker_until, breaker_since, breaker_kind) VALUES (?, '{}', ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET breaker_failures = excluded.breaker_failures, breaker_until = excluded.breaker_until,
        breaker_since = excluded.breaker_since, breaker_kind = excluded.breaker_kind"""


class _QuotaSpentError(Exception):
    """Takes the transaction back: a request that is refused must not count."""


class Gate:
    """The store's methods for pacing sources."""

    _db: Database

    async def take_slot(self, source: str, now_ms: int, interval_ms: int) -> int:
        """Reserve the source's next slot and return it (epoch ms, never before `now_ms`); the caller sleeps until then."""
        taken: int = await self._db.write(
            lambda tx: tx.value(_SLOT, source, now_ms + interval_ms, now_ms, now_ms, interval_ms) - interval_ms
        )
        return taken

    async def push_gate(self, source: str, until_ms: int) -> None:
        """Close the gate for everyone until then (429, Retry-After); an earlier instant changes nothing."""
        await self._db.write(lambda tx: tx.run(_PUSH, source, until_ms))

    async def use_quota(self, source: str, day: date, amount: int, quota: int | None) -> bool:
        """Take `amount` of the day's quota; False (and nothing taken) when it does not suffice. A new day starts at zero.

        Without a quota it is only counted: the forecast wants every day.
        """

        def take(tx: Tx) -> None:
            used: int = tx.value(_USE, source, day.isoformat(), amount)
            if quota is not None and used > quota:
                raise _QuotaSpentError

        try:
            await self._db.write(take)
        except _QuotaSpentError:
            return False
        return True

    async def give_back_quota(self, source: str, day: date, amount: int) -> None:
        """Return a part of what was taken that day: the source was down, or refused the numbers."""
        await self._db.write(lambda tx: tx.run(_GIVE_BACK, amount, source, day.isoformat()))

    async def quota_days(self) -> dict[str, dict[date, int]]:
        """Source -> day (UTC) -> what was used of its quota: what `tracker.store.quota.forecast` counts."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT source, day, used FROM quota_day ORDER BY source, day"))
        found: dict[str, dict[date, int]] = {}
        for source, day, used in rows:
            found.setdefault(source, {})[date.fromisoformat(day)] = used
        return found

    async def breaker(self, account: str) -> Breaker:
        """The account's circuit breaker; closed for one that nobody has asked yet."""
        row = await self._db.read(
            lambda tx: tx.row(
                "SELECT breaker_failures, breaker_until, breaker_since, breaker_kind FROM account WHERE id = ?", account
            )
        )
        if row is None:
            return Breaker()
        return Breaker(failures=row[0], open_until=instant_of(row[1]), since=instant_of(row[2]), kind=row[3])

    async def save_breaker(self, account: str, breaker: Breaker) -> None:
        """Keep the breaker's state, so that a restart does not hammer a source that is down."""
        await self._db.write(
            lambda tx: tx.run(_BREAKER, account, breaker.failures, breaker.open_until, breaker.since, breaker.kind)
        )
