"""The machine can fail: seven defects, each planted where it would be made, each seen by the invariant that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from carriers.model import TrackingStatus
from tests.machine.invariants import broken, left_behind
from tests.machine.people import People
from tests.machine.test_machine import on_sqlite
from tests.machine.twin import differences
from tests.machine.world import NUMBERS, OWN, Crash, World
from tracker.model import JournalEnd, OutboxState

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three orders, their parcels handed over."""
    made = World(tmp_path, on_sqlite(tmp_path))
    for number in NUMBERS:
        made.carrier.happened(number, TrackingStatus.IN_TRANSIT, made.clock.now())
    yield made
    made.close()


def _looks(world: World, days: int) -> None:
    """The days go by quickly, the last one as they should."""
    world.live(timedelta(days=days - 1), step=4 * DAY)
    world.live(DAY)


def _dies_after_the_call(world: World) -> list[str]:
    _looks(world, 29)
    with world.armed("send_after_call"), pytest.raises(BaseException) as died:  # noqa: PT011 - a crash is no Exception
        world.live(4 * DAY)
    assert isinstance(died.value, Crash)
    world.die()
    world.start()
    world.live(2 * DAY)
    return world.run(broken(world))


def _opts_out(world: World) -> list[str]:
    world.run(People(world).say(OWN, "opts out"))
    _looks(world, 32)
    return world.run(broken(world))


def _is_sent(world: World) -> list[str]:
    _looks(world, 32)
    assert world.post.accepted[OWN, "stage1"] == 1
    return world.run(broken(world))


def _refunded_and_approved(world: World) -> list[str]:
    people = People(world)
    _looks(world, 62)
    world.run(people.say(OWN, "is refunded in part"))
    for _ in range(4):
        world.run(people.review("approve"))
    return world.run(broken(world))


def _late_scan(world: World) -> list[str]:
    world.clock.live(10 * DAY)
    world.carrier.happened(OWN_PARCEL, TrackingStatus.AVAILABLE_FOR_PICKUP, world.clock.now())
    world.live(2 * DAY)
    world.carrier.happened(OWN_PARCEL, TrackingStatus.IN_TRANSIT, world.clock.now(), late=7 * DAY)
    world.live(2 * DAY)
    return differences(world)


OWN_PARCEL = NUMBERS[0]


def _arrives(world: World) -> list[str]:
    _looks(world, 62)
    for number in NUMBERS:
        world.carrier.happened(number, TrackingStatus.DELIVERED, world.clock.now())
    world.live(DAY)
    world.drain()
    return world.run(left_behind(world))


_NOBODY = "UPDATE dossier SET next_decide_at = ? WHERE id < 0 AND id IN (??)"


def _forgotten(*_told: Any, **_more: Any) -> None:
    """What should have been done."""


def _again(_end: JournalEnd | None, attempts: int) -> JournalEnd:
    return JournalEnd(attempt=attempts, state=OutboxState.PENDING)


Story = Callable[[World], list[str]]
STORIES: dict[str, tuple[str, Any, str, Story]] = {
    "recovery sends again what nobody knows": ("tracker.store.dispatch._end", _again, "I1", _dies_after_the_call),
    "a poll wakes no order": ("tracker.store.polling._WAKE", _NOBODY, "I2", _arrives),
    "the scan told last is the newest": ("tracker.model.journey._keep", None, "I3", _late_scan),
    "an opt-out is overlooked": ("tracker.policy.ladder.outreach_stop", _forgotten, "I4", _opts_out),
    "a send leaves no line in the audit": ("tracker.store.dispatch.audit", _forgotten, "I6", _is_sent),
    "a refund is approved unchecked": ("tracker.store.desk.check_refund", _forgotten, "I7", _refunded_and_approved),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_story_alone_breaks_nothing(world: World, name: str) -> None:
    """I1 to I7 hold in the stories of the next test, as long as nothing is planted."""
    assert STORIES[name][3](world) == []


@pytest.mark.parametrize("name", STORIES)
def test_a_planted_defect_is_seen(world: World, name: str) -> None:
    """I1, I2, I3, I4, I6, I7: each has a defect that it alone is there for."""
    place, defect, invariant, story = STORIES[name]
    with mock.patch(place, defect or _by_arrival):
        wrong = story(world)
    assert any(each.startswith(invariant) for each in wrong), wrong


def _by_arrival(known: Any, timed: Any, *, newer: bool) -> Any:
    from tracker.model.journey import _scan

    return known if timed is None or (known is not None and not newer) else _scan(timed)
