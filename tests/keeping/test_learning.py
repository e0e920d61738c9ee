"""Own percentiles of transit: measured once a month on parcels that have had time to arrive (facts/transit.md; R5, R34)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carriers.model import TrackingStatus
from tests.store.build import batch, change, order, parcel, polled
from tracker import config
from tracker.clock import FixedClock
from tracker.keeping.learning import MEMORY, RIPE, learn, quantiles
from tracker.model import Journey, Scan
from tracker.store import Store, create, open_store

NOW = datetime(2026, 11, 1, 5, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def test_quantiles_are_values_that_occurred() -> None:
    """The value at floor(q x n) of the sorted list, as the reference data counts them."""
    own = quantiles([float(days) for days in range(100)])
    assert (own.count, own.p50, own.p80, own.p90, own.p95, own.p99) == (100, 50, 80, 90, 95, 99)
    assert quantiles([3.456]).p99 == pytest.approx(3.46)


async def arrived(store: Store, name: str, left: datetime, took: float, **facts: object) -> None:
    """An order whose parcel left then and was delivered so many days later."""
    number = f"LX{name}CN"
    rows = (order(name, paid_at=left), parcel(number, name, shipped_at=left, country="BR", service="standard", **facts))
    await store.save_import(batch(*rows, digest=name), left)
    (due,) = [each for each in await store.due_shipments(NOW, 100) if each.number == number]
    seen = Scan(earliest=left + took * DAY, latest=left + took * DAY, status=TrackingStatus.DELIVERED, description="Delivered")
    moved = int(seen.latest.timestamp())
    journey = Journey(status=TrackingStatus.DELIVERED, delivered_scan=seen, last_scan=seen, moved_at=moved)
    await store.write_poll(polled(change(due.id, number, journey=journey, next_poll_at=None)))


async def test_r5_only_parcels_that_had_time_to_arrive_teach(tmp_path: Path) -> None:
    """Of younger ones the slow half is still on its way; lines of two years ago are others; a guessed service teaches nothing."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    create(url, rehearsal=False, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    try:
        ripe = NOW - RIPE - DAY
        await arrived(store, "1001", ripe, 20)
        await arrived(store, "1002", ripe, 30)
        await arrived(store, "1003", ripe, 40)
        await arrived(store, "1004", NOW - RIPE + DAY, 3)
        await arrived(store, "1005", NOW - MEMORY - DAY, 3)
        await arrived(store, "1006", ripe, 3, matched=False)
        await arrived(store, "1007", ripe, -2)
        found, new = await learn(store, NOW)
        assert new
        assert {name: (own.count, own.p50, own.p99) for name, own in found.items()} == {"BR/standard": (3, 30.0, 40.0)}
        assert await store.learned() == found
        assert (await learn(store, NOW + timedelta(hours=1)))[1] is False
    finally:
        await store.close()


def test_what_was_learned_is_a_change_of_rules() -> None:
    """It has a version of its own, is kept with the rules in force, and differs by name: the guard on rule changes sees it."""
    plain = config.load(None, environ={})
    own = {"BR/standard": quantiles([float(days) for days in range(10, 260)])}
    taught = config.with_learned(plain, own)
    assert taught.rules.version != plain.rules.version
    assert taught.rules.profile("BR", "standard").stages != plain.rules.profile("BR", "standard").stages
    assert config.rebuild(config.snapshot(taught), taught.rules.version) == taught.rules
    assert {each.key for each in config.differences(plain, taught)} >= {"own deliveries BR/standard.p80"}
    assert config.with_learned(taught, own).rules.version == taught.rules.version
    assert config.with_learned(taught, {}).rules == plain.rules
