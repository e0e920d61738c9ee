"""Alerts about parcels: many that stand still on one route (R93), a problem that wants a person within minutes (R83)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.desk.world import NOW, STORE, World
from tests.store.build import change, given, order, parcel, polled, travelled
from tracker import config
from tracker.alerts.clusters import clusters
from tracker.alerts.conditions import Look, conditions
from tracker.clock import FixedClock
from tracker.metrics import count
from tracker.model import ActionKind, DecisionReason, Intent, Remedy, Task
from tracker.model.alerts import AlertKind
from tracker.rules import Manners
from tracker.store import Store, create, open_store
from tracker.store.rows import TaskView
from tracker.store.stuck import Standing

LOADED = config.load(None, environ={})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    opened = await open_store(url, clock=FixedClock(NOW), daemon=True)
    yield opened
    await opened.close()


def still(carrier: str, country: str, moving: int, stuck: int) -> Standing:
    return Standing(carrier=carrier, country=country, moving=moving, stuck=stuck)


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        ([still("yanwen", "BR", 40, 20)], ["yanwen/BR"]),
        ([still("yanwen", "BR", 41, 20)], []),
        ([still("yanwen", "BR", 19, 19)], []),
        ([still("yanwen", "BR", 30, 20), still("yanwen", "US", 900, 0)], ["yanwen/BR"]),
        ([still("yanwen", "BR", 15, 12), still("yanwen", "US", 15, 12)], ["yanwen/*"]),
        ([still("yanwen", "BR", 40, 30), still("fourpx", "BR", 40, 30)], ["yanwen/BR", "fourpx/BR"]),
    ],
    ids=["half", "less", "few", "one-route", "the-carrier", "two-carriers"],
)
def test_r93_many_that_stand_still_are_one_alert(standing: list[Standing], told: list[str]) -> None:
    """R93: at least 20 and at least half of those under way there; a whole carrier is told as one."""
    assert [f"{each.carrier}/{each.country}" for each in clusters(standing, Manners())] == told


async def test_r93_what_counts_as_standing_still(store: Store) -> None:
    """R93: the newest scan is older than ten days, and the service's tracking would show more."""
    for place, (number, days) in enumerate((("LX1CN", 12), ("LX2CN", 2)), 1):
        facts = parcel(number, str(place), carrier="yanwen", service="standard", matched=True, country="BR")
        await given(store, order(str(place)), facts, digest=number)
        moved = travelled(NOW - timedelta(days=days))
        await store.write_poll(polled(change(place, number, journey=moved)))
    [found] = await store.standing_still(NOW - timedelta(days=10))
    assert (found.carrier, found.country, found.moving, found.stuck) == ("yanwen", "BR", 2, 1)


async def test_r93_it_is_told_once_a_week(store: Store) -> None:
    """D24: the same cluster is one alert however often it is looked at; D25's hold on money stands beside it."""
    look = Look(counted=await count(store, LOADED, NOW), loaded=LOADED, standing=[still("yanwen", "BR", 40, 30)])
    [raised] = conditions(look)[AlertKind.STUCK_CLUSTER]
    assert (raised.subject, raised.facts) == ("yanwen - BR", {"stuck": "30", "under_way": "40"})
    assert await store.watch_alerts(raised.kind, [raised], NOW) == 1
    assert await store.watch_alerts(raised.kind, [raised], NOW + timedelta(hours=1)) == 0
    assert "2026-W09" in raised.key


async def test_r83_a_problem_on_the_way_is_told_at_once(store: Store) -> None:
    """R83: within minutes, with the 48 hours that are left: a task, and a recommendation that waits."""
    world = World(store)
    bought = await world.order("A-1", "LP1")
    due = NOW + timedelta(hours=48)
    row = await world.effect(bought, Intent.PROBLEM, kind=ActionKind.TASK, reason=DecisionReason.PARCEL_EXCEPTION)
    [dossier] = await store.load_dossiers([bought])
    asked = Task(kind="problem", title="Solve it", store=STORE, order="A-1", deadline=due)
    await store.open_task(row, asked, version=dossier.version, now=NOW)
    await world.refund(
        bought, remedy=Remedy.RESHIP, rule="refund.problem", reason=DecisionReason.CARRIER_SAYS_DAMAGED, deadline=due
    )
    problems: list[TaskView] = await store.tasks()
    look = Look(counted=await count(store, LOADED, NOW), loaded=LOADED, problems=problems, proposals=await store.reviews())
    told = conditions(look)[AlertKind.ANSWER_NOW]
    assert [(each.subject, each.facts["what"], each.deadline) for each in told] == [
        ("A-1", "problem", due),
        ("A-1", "carrier_says_damaged", due),
    ]
    assert AlertKind.ANSWER_NOW.at_once
