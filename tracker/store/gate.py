"""Politeness that survives a restart: rate gate, the day's quota, each account's circuit breaker (facts/engine.md 2.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

import msgspec

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

_AWAITED = """
    SELECT DISTINCT l.shipment_id FROM order_shipment l JOIN dossier d ON d.id = l.order_id
    WHERE d.waits_for_answer AND l.shipment_id IN (??)"""

_TOLD = "quota:"

_TELL = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"

_BREAKER = """
    INSERT INTO account (id, memory, breaker_failures, breaker_until, breaker_since, breaker_kind) VALUES (?, '{}', ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET breaker_failures = excluded.breaker_failures, breaker_until = excluded.breaker_until,
        breaker_since = excluded.breaker_since, breaker_kind = excluded.breaker_kind"""


class ToldQuota(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said at `at`: `left` in all when the (UTC) day `since` began, `daily` at most. None: it does not say."""

    left: int
    since: date
    at: datetime
    daily: int | None = None


_READ = msgspec.json.Decoder(ToldQuota)


class _QuotaSpentError(Exception):
    """Takes the transaction back: a request that is refused must not count."""


class Gate:
    """The store's methods for pacing sources."""

    _db: Database

    async def take_slot(self, source: str, now_ms: int, interval_ms: int) -> int:
        """Reserve the source's next slot and return it (epoch ms, never before `now_ms`); the caller sleeps until then."""
        taken: int = await self._db.write_beside(
            lambda tx: tx.value(_SLOT, source, now_ms + interval_ms, now_ms, now_ms, interval_ms) - interval_ms
        )
        return taken

    async def push_gate(self, source: str, until_ms: int) -> None:
        """Close the gate for everyone until then (429, Retry-After); an earlier instant changes nothing."""
        await self._db.write_beside(lambda tx: tx.run(_PUSH, source, until_ms))

    async def use_quota(self, source: str, day: date, amount: int, quota: int | None) -> bool:
        """Take `amount` of the day's quota; False (and nothing taken) when it does not suffice. A new day starts at zero.

        Without a quota it is only counted: the forecast wants every day.
        """

        def take(tx: Tx) -> None:
            used: int = tx.value(_USE, source, day.isoformat(), amount)
            if quota is not None and used > quota:
                raise _QuotaSpentError

        try:
            await self._db.write_beside(take)
        except _QuotaSpentError:
            return False
        return True

    async def give_back_quota(self, source: str, day: date, amount: int) -> None:
        """Return a part of what was taken that day: the source was down, or refused the numbers."""
        await self._db.write_beside(lambda tx: tx.run(_GIVE_BACK, amount, source, day.isoformat()))

    async def quota_days(self) -> dict[str, dict[date, int]]:
        """Source -> day (UTC) -> what was used of its quota: what `tracker.store.quota.forecast` counts."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT source, day, used FROM quota_day ORDER BY source, day"))
        found: dict[str, dict[date, int]] = {}
        for source, day, used in rows:
            found.setdefault(source, {})[date.fromisoformat(day)] = used
        return found

    async def used_today(self, source: str, day: date) -> int:
        """What was used of the source's quota that (UTC) day."""
        used = await self._db.read(
            lambda tx: tx.value("SELECT used FROM quota_day WHERE source = ? AND day = ?", source, day.isoformat())
        )
        return int(used or 0)

    async def awaited(self, shipments: Sequence[int]) -> frozenset[int]:
        """Those of these parcels whose next answer a decision waits for (D20, R8)."""
        rows = await self._db.read(lambda tx: tx.among(_AWAITED, shipments))
        return frozenset(row[0] for row in rows)

    async def tell_quota(self, account: str, left: int, daily: int | None, now: datetime) -> None:
        """Keep what the source itself says is left of an account, and the most that a day allows."""

        def keep(tx: Tx) -> None:
            day = now.date()
            used = tx.value("SELECT used FROM quota_day WHERE source = ? AND day = ?", account, day.isoformat()) or 0
            told = ToldQuota(left=left + used, since=day, daily=daily, at=now)
            tx.run(_TELL, f"{_TOLD}{account}", msgspec.json.encode(told).decode())

        await self._db.write(keep)

    async def told_quotas(self) -> dict[str, ToldQuota]:
        """What the sources said last, by account."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT key, value FROM meta WHERE key LIKE 'quota:%'"))
        return {key.removeprefix(_TOLD): _READ.decode(value) for key, value in rows}

    async def breaker(self, account: str) -> Breaker:
        """The account's circuit breaker; closed for one that nobody has asked yet."""
        return await self._db.read(lambda tx: _breaker(tx, account))

    async def change_breaker(self, account: str, change: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
        """Change the breaker, so that a restart does not hammer a source that is down: (before, after), in one transaction."""

        def work(tx: Tx) -> tuple[Breaker, Breaker]:
            before = _breaker(tx, account)
            after = change(before)
            tx.run(_BREAKER, account, after.failures, after.open_until, after.since, after.kind)
            return before, after

        return await self._db.write(work)


def _breaker(tx: Tx, account: str) -> Breaker:
    row = tx.row("SELECT breaker_failures, breaker_until, breaker_since, breaker_kind FROM account WHERE id = ?", account)
    if row is None:
        return Breaker()
    return Breaker(failures=row[0], open_until=instant_of(row[1]), since=instant_of(row[2]), kind=row[3])
