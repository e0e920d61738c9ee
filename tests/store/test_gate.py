"""Politeness that survives a restart: slots, quota, breaker (facts/engine.md 2.7)."""

from __future__ import annotations

from datetime import date

from tests.store.build import DAY, NOW
from tracker.store import Breaker, Store

TODAY = date(2026, 9, 1)


async def test_each_caller_gets_a_slot_of_its_own(store: Store, command: Store) -> None:
    """Two processes share one pace; after a pause the next slot is now."""
    taken = [await each.take_slot("17track", 1000, 300) for each in (store, command, store)]
    assert taken == [1000, 1300, 1600]
    assert await store.take_slot("17track", 10_000, 300) == 10_000
    assert await store.take_slot("correios", 1000, 300) == 1000


async def test_retry_after_closes_the_gate_for_everyone(store: Store) -> None:
    """Fault 7."""
    await store.push_gate("17track", 9000)
    await store.push_gate("17track", 5000)
    assert await store.take_slot("17track", 1000, 300) == 9000


async def test_a_days_quota_is_not_overdrawn_and_starts_anew(store: Store) -> None:
    assert await store.use_quota("17track", TODAY, 60, 100)
    assert not await store.use_quota("17track", TODAY, 60, 100)
    assert await store.use_quota("17track", TODAY, 40, 100)
    assert await store.use_quota("17track", TODAY + DAY, 60, 100)
    await store.change_breaker("17track", lambda _: Breaker())
    assert (await store.status(NOW + DAY)).sources[0].used_today == 60
    assert (await store.status(NOW)).sources[0].used_today == 100, "each day keeps what it used"


async def test_an_open_breaker_is_found_again(store: Store) -> None:
    assert await store.breaker("17track") == Breaker()
    opened = Breaker(failures=3, open_until=NOW + DAY, since=NOW, kind="auth")
    await store.change_breaker("17track", lambda _: opened)
    assert await store.breaker("17track") == opened
