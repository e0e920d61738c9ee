"""What a source itself says is left of an account: asked once a day, never in front of a poll (daily-operations, Quota)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests import house
from tests.house import ACCOUNT, START
from tests.polling.test_rationing import Shop
from tracker import config
from tracker.clock import SimulatedClock
from tracker.demo.standin import Aggregator, StandIn, Trouble
from tracker.polling.metering import keep_quotas, metered
from tracker.store import Store
from tracker.store.quota import forecasts, plan_of

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


async def test_what_the_source_says_is_the_forecasts_truth(store: Store, clock: SimulatedClock) -> None:
    """Registrations are counted on from there; a source that cannot tell, or does not answer, leaves everything as it was."""
    trouble = Trouble(start=START + DAY, end=START + 2 * DAY, kind="unavailable")
    with StandIn(Aggregator([], clock.now, token=house.TOKEN, troubles=(trouble,))) as stand_in:
        asked = house.source(store, clock, stand_in.base_url)
        mute = Shop(store, clock, house.rules(), calls=None).source
        assert metered([asked, mute]) == [asked]
        await store.use_quota(ACCOUNT, START.date(), 30, None)
        assert await keep_quotas([asked, mute], store, clock, START) == f"{ACCOUNT} 10000 left"
        await store.use_quota(ACCOUNT, START.date(), 20, None)
        clock.advance_to(START + DAY)
        assert await keep_quotas([asked], store, clock, clock.now()) == f"{ACCOUNT} did not say (unavailable)"
        assert await keep_quotas([mute], store, clock, clock.now()) == "no source tells"
        await asked.transport.close()
    (found,) = forecasts([configured()], await store.quota_days(), clock.now().date(), await store.told_quotas())
    assert (found.left, found.mean) == (9980, 50)


def configured() -> config.Source:
    return config.Source(
        id=ACCOUNT, adapter="seventeen_track", base_url="", secrets={}, options={}, rps=3, connections=8, batch=None,
        daily_quota=None, quota=500, quota_since=START.date(),
    )  # fmt: skip


async def test_whoever_looked_it_up_later_is_believed(store: Store, clock: SimulatedClock) -> None:
    """A plan that was bought since: the operator's newer word beats the source's older one."""
    await store.tell_quota(ACCOUNT, 80, 40, START)
    told = (await store.told_quotas())[ACCOUNT]
    mine = configured()
    assert (plan_of(mine, told).left, plan_of(mine, told).a_day) == (80, 40)
    assert plan_of(replace(mine, daily_quota=30), told).a_day == 30
    later = replace(mine, quota_since=(START + DAY).date())
    assert plan_of(later, told).left == 500
    assert plan_of(mine).left == 500
