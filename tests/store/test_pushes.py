"""What sources push is kept whole or not at all, and once (faults rows 15 and 28)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests import house
from tests.house import START
from tracker.store import EpochLost, Store
from tracker.store.pushes import REMEMBERED_DAYS

DIGEST = b"d" * 32
SLICES = (("A1", b"one"), ("A2", b"two"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with house.database(tmp_path, house.simulated()) as opened:
        yield opened


async def test_a_body_is_kept_once_for_each_account(store: Store) -> None:
    """Faults row 15: UNIQUE(source, sha256(body))."""
    assert await store.keep_push("one", DIGEST, SLICES, START)
    assert not await store.keep_push("one", DIGEST, SLICES, START + timedelta(hours=1))
    assert await store.keep_push("two", DIGEST, SLICES[:1], START)
    waiting = await store.waiting_pushes(10)
    assert [(each.account, each.number, each.slice) for each in waiting] == [
        ("one", *SLICES[0]),
        ("one", *SLICES[1]),
        ("two", *SLICES[0]),
    ]
    assert await store.waiting_pushes(10, after=waiting[1].id) == waiting[2:]
    await store.drop_pushes([waiting[0].id, waiting[2].id])
    assert await store.waiting_pushes(10) == waiting[1:2]


async def test_a_body_that_told_nothing_is_known_all_the_same(store: Store) -> None:
    assert await store.keep_push("one", DIGEST, (), START)
    assert not await store.keep_push("one", DIGEST, (), START)
    counts = await store.push_counts(START - timedelta(days=1))
    assert (counts.waiting, counts.received) == (0, {"one": 1})


async def test_what_was_seen_is_forgotten_after_thirty_days(store: Store) -> None:
    """No longer than a replay is worth; nothing else has to run for it."""
    await store.keep_push("one", DIGEST, (), START)
    await store.keep_push("one", b"e" * 32, (), START + timedelta(days=REMEMBERED_DAYS, seconds=1))
    assert (await store.push_counts(START - timedelta(days=99))).received == {"one": 1}


async def test_a_daemon_that_lost_its_epoch_keeps_no_push(store: Store, tmp_path: Path) -> None:
    """Faults row 21: the younger one is told by the source again."""
    await store.keep_push("one", DIGEST, SLICES, START)
    store._db.epoch = 0
    with pytest.raises(EpochLost):
        await store.keep_push("one", b"e" * 32, SLICES, START)
    assert len(await store.waiting_pushes(10)) == 2


async def test_parcels_are_found_by_their_number_and_by_that_of_the_last_mile(store: Store) -> None:
    made = await house.bring_parcels(store, 2)
    assert list(await store.shipments_by_number([made[1], "nobody's"])) == [made[1]]
    assert await store.shipments_by_number([]) == {}
    assert await store.shipments_by_leg([made[1]]) == {}
