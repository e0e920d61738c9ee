"""Advisories in the database: kept, told with every dossier, ended once, noted (R35, D19)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.store.build import AT, DAY, NOW, given, order, parcel
from tracker.model import Advisory
from tracker.store import Conflict, NotThere, Store


def strike(**change: Any) -> Advisory:
    values: dict[str, Any] = {
        "id": 0,
        "start": date(2026, 9, 1),
        "end": date(2026, 9, 20),
        "add_days": 10,
        "causes": {"en": "a strike", "pt-BR": "uma greve"},
        "country": "BR",
        "region": "SP",
        "carrier": "correios",
        "leg": "destination",
        "by": "Mei",
    }
    return Advisory(**(values | change))


async def test_r35_an_advisory_is_told_with_every_dossier(store: Store) -> None:
    """R35: read once a batch, ended ones too; which do concern a parcel is the policy's question (D19)."""
    await given(store, order(), parcel(), order("8002", row=2), parcel("LX002CN", "8002", row=2))
    made = await store.add_advisory(strike(region=None, carrier="yanwen"), [], NOW)
    assert (made.id, made.created_at) == (1, NOW)
    wide = await store.add_advisory(strike(country=None, region=None, carrier=None, leg="any"), [], NOW)
    assert [each.advisories for each in await store.load_dossiers([1, 2])] == [(made, wide), (made, wide)]


@pytest.mark.parametrize(
    "change",
    [
        {"country": "MX"},
        {"region": "SP"},
        {"carrier": "correios"},
        {"start": date(2026, 8, 1), "end": date(2026, 8, 31)},
    ],
    ids=["place", "state", "carrier", "before it was paid"],
)
async def test_what_cannot_concern_an_order_is_not_in_its_dossier(store: Store, change: dict[str, Any]) -> None:
    """An advisory about others leaves the order as quiet as it was."""
    await given(store)
    await store.add_advisory(strike(**({"region": None, "carrier": None} | change)), [], NOW)
    [found] = await store.load_dossiers([1])
    assert found.advisories == ()


async def test_r35_the_orders_that_it_touches_are_decided_again(store: Store) -> None:
    """A verdict that was given without it is dropped: the version of the facts has moved."""
    await given(store, order(), parcel(), order("8002", row=2), parcel("LX002CN", "8002", row=2))
    before = [each.version for each in await store.load_dossiers([1, 2])]
    await store.add_advisory(strike(), [2], NOW - DAY)
    after = await store.load_dossiers([1, 2])
    assert [each.version for each in after] == [before[0], before[1] + 1]
    assert (AT - 86_400, 2) in await store.due_dossiers(NOW, 10)


async def test_d19_it_is_ended_once_by_a_person_with_a_reason(store: Store) -> None:
    made = await store.add_advisory(strike(), [], NOW)
    ended = await store.end_advisory(made.id, [], by="Li", reason="the strike is over", now=NOW + DAY)
    assert (ended.ended_at, ended.ended_by, ended.ended_because) == (NOW + DAY, "Li", "the strike is over")
    assert await store.advisories() == [ended]
    with pytest.raises(Conflict, match="has ended already"):
        await store.end_advisory(made.id, [], by="Li", reason="again", now=NOW + DAY)
    with pytest.raises(NotThere, match="no advisory 7"):
        await store.end_advisory(7, [], by="Li", reason="which", now=NOW)
    told = await store._db.read(lambda tx: tx.rows("SELECT who, what, subject, reason FROM audit ORDER BY id"))
    assert [tuple(row) for row in told] == [
        ("Mei", "advisory_added", "advisory/1", ""),
        ("Li", "advisory_ended", "advisory/1", "the strike is over"),
    ]
