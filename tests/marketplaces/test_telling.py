"""What an API no longer does is told once, and shown where people look: status, metrics, alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import house
from tests.config.build import write
from tests.config.test_accounts import ACCOUNT, ENVIRON, SHOP
from tracker import config
from tracker.alerts.conditions import Look, conditions
from tracker.cli.status import needs_person
from tracker.clock import SimulatedClock, epoch
from tracker.config import Loaded
from tracker.metrics import count, families
from tracker.model.alerts import AlertKind
from tracker.store import Breaker, Store

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return config.load(write(tmp_path, {"tracker.toml": ACCOUNT, "stores/lume.toml": SHOP}), environ=ENVIRON)


async def _alerts(store: Store, loaded: Loaded) -> list[str]:
    look = Look(counted=await count(store, loaded, NOW), loaded=loaded)
    return [each.key for each in conditions(look)[AlertKind.MARKETPLACE_STOPPED]]


async def test_a_vanished_method_is_shown_and_told_once(loaded: Loaded, tmp_path: Path) -> None:
    """capability_gone: the same key however often it is tried again; gone as soon as it works."""
    async with house.database(tmp_path, SimulatedClock(NOW)) as store:
        await store.capability_works("ae", "window", NOW, epoch(NOW))
        assert await _alerts(store, loaded) == []
        for days in (0, 7):
            await store.stop_capability(
                "ae", "extend", fault="gone", why="InvalidApiPath", next_at=epoch(NOW), now=NOW + timedelta(days=days)
            )
        assert await _alerts(store, loaded) == ["marketplace_stopped/ae/extend/2026-11-08T12:00:00Z"]
        counted = await count(store, loaded, NOW)
        shown = {each.capability: (each.last, each.fault) for each in counted.marketplaces}
        assert shown == {"window": (NOW, None), "disputes": (None, None), "extend": (None, "gone")}
        (want,) = [each for each in needs_person(counted, loaded.settings, []) if "marketplace" in each["what"]]
        assert want["see"].startswith("ae extend (gone)")
        told = {
            sample.labels["name"]: sample.value
            for family in families(counted, version="", reload_good=True, ticks={})
            if family.name == "tracker_marketplace_stopped"
            for sample in family.samples
        }
        assert told == {"ae/disputes": 0, "ae/extend": 1, "ae/window": 0}
        await store.capability_works("ae", "extend", NOW, epoch(NOW))
        assert await _alerts(store, loaded) == []


async def test_a_marketplace_that_is_down_is_told(loaded: Loaded, tmp_path: Path) -> None:
    async with house.database(tmp_path, SimulatedClock(NOW)) as store:
        await store.change_breaker(
            "ae", lambda _: Breaker(failures=3, open_until=NOW + timedelta(minutes=5), since=NOW, kind="unavailable")
        )
        assert await _alerts(store, loaded) == ["marketplace_stopped/ae/2026-11-08T12:00:00Z"]


async def test_an_account_that_is_configured_no_more_concerns_nobody(loaded: Loaded, tmp_path: Path) -> None:
    bare = config.load(write(tmp_path / "bare", {"stores/lume.toml": SHOP}), environ={})
    async with house.database(tmp_path, SimulatedClock(NOW)) as store:
        await store.stop_capability("ae", "extend", fault="gone", why="x", next_at=epoch(NOW), now=NOW)
        assert await _alerts(store, bare) == []
