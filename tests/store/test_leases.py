"""What workers have in hand: claimed once, given back, claimed again when a lease runs out, and lost by whoever comes late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.store.build import NOW, batch, change, given, order, parcel, polled, scan
from tracker.clock import FixedClock
from tracker.store import Store, open_store
from tracker.store.leases import ASKED_SECONDS

LATE = NOW + timedelta(seconds=ASKED_SECONDS + 1)


async def test_what_is_in_hand_is_claimed_once(store: Store) -> None:
    """Fault 2: nobody else asks meanwhile; given back, it is due as before."""
    await given(store)
    claim = await store.claim_due(NOW, 10)
    assert len(claim.shipments) == 1
    assert not (await store.claim_due(NOW, 10)).shipments
    assert not (await store.claim_these(claim.shipments, NOW)).shipments
    await store.release_claim(claim)
    assert (await store.claim_due(NOW, 10)).ids == claim.ids


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two workers of one fleet, with one parcel that is due."""
    first = await open_store(postgres_url, clock=FixedClock(NOW), daemon=True, worker="a")
    second = await open_store(postgres_url, clock=FixedClock(NOW), daemon=True, worker="b")
    await first.save_import(batch(order(), parcel()), NOW)
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.postgres
async def test_a_lost_work_item_comes_back_when_its_lease_runs_out(other: tuple[Store, Store]) -> None:
    """Faults 2, 5: the queue may lose what it holds; the rows are claimed again."""
    first, second = other
    lost = await first.claim_due(NOW, 10)
    assert not (await second.claim_due(NOW, 10)).shipments
    again = await second.claim_due(LATE, 10)
    assert again.ids == lost.ids
    assert lost.token is not None
    assert not (await first.take_claim(lost.token, LATE)).shipments, "the old work item finds nothing to do"
    assert not await first.renew_claim(lost, LATE)


@pytest.mark.postgres
async def test_whoever_comes_back_late_writes_nothing(other: tuple[Store, Store]) -> None:
    """Fault 2, fencing: an answer under a token that is no longer in the rows changes nothing, the new holder's does."""
    first, second = other
    late = await first.claim_due(NOW, 10)
    taken = await second.claim_due(LATE, 10)
    (known,) = taken.shipments
    answer = polled(change(known.id, known.number, scan("a")))
    assert (await first.write_poll(replace(answer, token=late.token))).events == 0
    assert await first.events_of(known.id) == []
    assert (await second.write_poll(replace(answer, token=taken.token))).events == 1


@pytest.mark.postgres
async def test_a_work_item_is_made_with_its_claim_or_not_at_all(other: tuple[Store, Store]) -> None:
    """I2: where the queue refuses, nothing is in anybody's hand."""
    first, second = other

    async def refuses(_connection: Any, _token: str, _parcels: Any) -> None:
        raise RuntimeError("no queue")

    with pytest.raises(RuntimeError, match="no queue"):
        await first.claim_due(NOW, 10, refuses)
    assert len((await second.claim_due(NOW, 10)).shipments) == 1


@pytest.mark.postgres
async def test_one_worker_at_a_time_has_the_turn(other: tuple[Store, Store]) -> None:
    """A source that orders its answers first is asked one conversation at a time, whoever asks."""
    first, second = other
    assert await first.take_turn("slow", "1", NOW)
    assert not await second.take_turn("slow", "2", NOW)
    await first.end_turn("slow", "1")
    assert await second.take_turn("slow", "2", NOW)
