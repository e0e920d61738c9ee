"""What holds for one daemon holds for the fleet: two workers that look at the same moment let no more out than one (fault 35)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests import house
from tests.dispatch.conftest import Office, slow
from tracker import config
from tracker.journal import Journal
from tracker.model import Channel, Mode, OutboxState, Pause
from tracker.rules import Rules
from tracker.store import Store, open_store

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

ORDERS = 12
WORKERS = 3


class Fleet:
    """Three workers on one database, in this process, with one clock."""

    def __init__(self, offices: list[Office], rules: Rules) -> None:
        self.offices = offices
        self.rules = rules

    async def prepare(self, *, late_days: float, **manners: Any) -> None:
        """Orders whose first text is due since `late_days`; the fleet's rules."""
        shop = house.shop(mode=Mode.LIVE, channel=Channel.MAILDIR)
        shop = replace(shop, hourly_cap=manners.pop("hourly_cap", None))
        found = replace(self.rules, manners=replace(self.rules.manners, **manners), stores={house.SHOP: shop})
        for office in self.offices:
            office.rules = found
        first = self.offices[0]
        made = await house.bring_parcels(first.store, ORDERS)
        await first.follow(*(slow(number, until=int(31 + late_days)) for number in made), until=31.5 + late_days)

    async def work(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """All work until nothing is due, and make their first claims at the same moment; the orders written to."""
        together = asyncio.Barrier(WORKERS)
        for office in self.offices:
            _meet(office.store, together, monkeypatch)
        await asyncio.gather(*(office.dispatch() for office in self.offices))
        return [message.key for office in self.offices for message in office.post.sent]


def _meet(store: Store, together: asyncio.Barrier, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = store.claim_row
    met = False

    async def both_have_looked(*args: Any, **kwargs: Any) -> bool:
        nonlocal met
        if not met:
            met = True
            await asyncio.wait_for(together.wait(), 20)
        return await claim(*args, **kwargs)

    monkeypatch.setattr(store, "claim_row", both_have_looked)


@pytest.fixture
async def fleet(tmp_path: Path, postgres_url: str) -> AsyncIterator[Fleet]:
    loaded = config.load(None, environ={})
    clock = house.simulated()
    rules = replace(loaded.rules, sources={"*": (house.ACCOUNT,)})
    journals = [Journal(tmp_path / f"journal{each}.jsonl") for each in range(WORKERS)]
    stores = [await open_store(postgres_url, clock=clock, daemon=True, worker=f"w{each}") for each in range(WORKERS)]
    yield Fleet(
        [Office(store, clock, rules, loaded.texts, journal) for store, journal in zip(stores, journals, strict=True)], rules
    )
    for store in stores:
        await store.close()
    for journal in journals:
        journal.close()


async def test_the_ramp_of_a_day_is_the_fleets(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """D21: a tenth of the backlog goes out today, whoever sends it."""
    await fleet.prepare(late_days=3, ramp_floor=2)
    assert len(await fleet.work(monkeypatch)) == 2
    waits = await fleet.offices[0].rows(OutboxState.PENDING)
    assert len(waits) == ORDERS - 2
    assert {str(view.row.result).partition(":")[0] for view in waits} == {"ramp", "the facts moved"}


async def test_the_cap_of_an_hour_is_the_fleets(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 35: so many messages an hour of a store and channel, counted where they are claimed."""
    await fleet.prepare(late_days=0, hourly_cap=2)
    assert len(await fleet.work(monkeypatch)) == 2


async def test_a_brake_pulled_between_look_and_claim_holds(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 35: when `tracker pause` has come back, no worker sends any more."""
    await fleet.prepare(late_days=0)
    first, other = fleet.offices[0], fleet.offices[1]
    claim = first.store.claim_row

    async def too_late(*args: Any, **kwargs: Any) -> bool:
        await other.store.pause(Pause(id=0, reason="stop", by="Mei", since=first.clock.now()), first.clock.now())
        return await claim(*args, **kwargs)

    monkeypatch.setattr(first.store, "claim_row", too_late)
    await first.dispatch()
    assert first.post.sent == []
    assert len(await first.rows(OutboxState.PENDING)) == ORDERS


async def test_all_of_them_together_write_to_each_order_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """I1: nobody twice, nobody left out."""
    await fleet.prepare(late_days=0)
    assert len(await fleet.work(monkeypatch)) == ORDERS
    assert len(await fleet.offices[0].rows(OutboxState.SENT)) == ORDERS
