"""Pushes of one journey, in every order and each of them twice, end in one state (I3; faults 15, 16 and 17)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from pathlib import Path

from carriers.model import TrackingStatus
from tests import house
from tests.polling.test_pushes import ARRIVED, DAY, DELIVERED, DEPARTED, PICKED_UP, Post
from tests.receiver.knocking import body
from tracker.model.journey import ANOTHER_PARCEL

SNAPSHOTS = (
    (PICKED_UP,),
    (DEPARTED, PICKED_UP),
    (ARRIVED, DEPARTED, PICKED_UP),
    (DELIVERED, ARRIVED, DEPARTED, PICKED_UP),
)
"""What a source says each time: everything that it knows by then."""

LAST_YEAR = ("2025-04-02T10:00:00-03:00", "Delivered_Other")


def _push(number: str, at: int) -> bytes:
    return body(number, *SNAPSHOTS[at], status="Delivered" if at == len(SNAPSHOTS) - 1 else "InTransit")


async def test_any_order_and_any_repetition_end_the_same(tmp_path: Path) -> None:
    """I3, faults 15 and 16: 24 parcels, one for each order in which four pushes can come; then all come once more, in one."""
    orders = list(permutations(range(len(SNAPSHOTS))))
    clock = house.simulated()
    async with house.database(tmp_path, clock) as store:
        post = Post(store, clock, await house.bring_parcels(store, len(orders)))
        clock.advance_to(house.START + 13 * DAY)
        for turn in range(2 * len(SNAPSHOTS)):
            for number, order in zip(post.numbers, orders, strict=True):
                await post.put(_push(number, order[turn % len(order)]).replace(b'"data"', b" " * turn + b'"data"'))
            await post.hear()
            clock.advance_to(clock.now() + timedelta(minutes=7))
        ends = set()
        for dossier in await store.load_dossiers(range(1, len(orders) + 1)):
            [parcel] = dossier.shipments
            assert parcel.status is TrackingStatus.DELIVERED
            ends.add((parcel.reason, parcel.first_scan, parcel.last_scan, parcel.delivered_scan, parcel.suspect))
        assert len(ends) == 1
        events = await store.load_events(range(1, len(orders) + 1))
        assert {len(each) for each in events.values()} == {len(SNAPSHOTS)}, "each scan is kept once"


async def test_the_story_of_another_parcel_delivers_nothing(tmp_path: Path) -> None:
    """Fault 17: a number that was used last year comes with its old delivery, by a push: no outreach, a person is told."""
    clock = house.simulated()
    async with house.database(tmp_path, clock) as store:
        post = Post(store, clock, await house.bring_parcels(store, 1))
        await post.put(body(post.numbers[0], LAST_YEAR, status="Delivered"), later=2 * DAY)
        await post.hear()
        old = await post.shipment()
        assert (old.status, old.delivered_scan, old.suspect) == (TrackingStatus.UNKNOWN, None, ANOTHER_PARCEL)
        await post.put(body(post.numbers[0], DEPARTED, PICKED_UP, LAST_YEAR), later=4 * DAY)
        await post.hear()
        grown = await post.shipment()
        assert (grown.status, grown.delivered_scan, grown.suspect) == (TrackingStatus.IN_TRANSIT, None, None)
