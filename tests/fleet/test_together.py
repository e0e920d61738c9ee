"""Workers that poll, decide and dispatch the same orders at the same moment end where one daemon ends (faults 2, 21)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from tests import house
from tests.dispatch.conftest import DAY, Office, slow
from tests.house import ACCOUNT, START, TOKEN
from tests.postgres import Server
from tracker import config
from tracker.demo.standin import Aggregator, StandIn
from tracker.engine.base import Unit, full_pass
from tracker.journal import Journal
from tracker.model import Channel, Mode
from tracker.polling import Cadence, Poller, Source, poller
from tracker.store import create, open_store
from tracker.sweep import Sweeper, sweeper

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]

ORDERS = 300

_ENDS = {
    "effects": "SELECT dedup_key, state, channel, intent, amount, template, due_at, overdue, hold FROM outbox ORDER BY dedup_key",
    "parcels": "SELECT number, status, next_poll_at > 0, failures, lease_token FROM shipment ORDER BY number",
    "scans": "SELECT shipment_id, key, seq FROM tracking_event ORDER BY shipment_id, seq, key",
    "orders": "SELECT number, next_decide_at > 0, waits_for_answer, failures, lease_until FROM dossier ORDER BY number",
    "totals": "SELECT store, channel, sent FROM total ORDER BY store, channel",
}


async def ended(folder: Path, url: str, workers: int) -> dict[str, list[Any]]:
    """What stands in the database after `workers` have done all at the same time; and every message that left."""
    clock, loaded = house.simulated(), config.load(None, environ={})
    create(url, rehearsal=True, now=clock.now())
    shop = replace(house.shop(mode=Mode.LIVE, channel=Channel.MAILDIR), hourly_cap=10_000)
    manners = replace(loaded.rules.manners, ramp_floor=10_000)
    rules = replace(loaded.rules, manners=manners, stores={house.SHOP: shop}, sources={"*": (ACCOUNT,)})
    stores = [await open_store(url, clock=clock, daemon=True, worker=f"w{each}") for each in range(workers)]
    journals = [Journal(folder / f"{each}of{workers}.jsonl") for each in range(workers)]
    offices = [Office(store, clock, rules, loaded.texts, journal) for store, journal in zip(stores, journals, strict=True)]
    numbers = await house.bring_parcels(stores[0], ORDERS)
    with StandIn(Aggregator([slow(number) for number in numbers], clock.now, token=TOKEN)) as stand_in:
        sources = [house.source(store, clock, stand_in.base_url) for store in stores]
        units = [_units(office, source) for office, source in zip(offices, sources, strict=True)]
        for day in (0.0, 31.5):
            clock.advance_to(START + day * DAY)
            await asyncio.gather(*(full_pass(each) for each in units))
        for source in sources:
            await source.transport.close()
    with psycopg.connect(url) as connection:
        found: dict[str, list[Any]] = {name: connection.execute(sql).fetchall() for name, sql in _ENDS.items()}
    found["messages"] = sorted(message.key for office in offices for message in office.post.sent)
    for store, journal in zip(stores, journals, strict=True):
        await store.close()
        journal.close()
    return found


def _units(office: Office, source: Source) -> list[Unit]:
    store, clock, rules = office.store, office.clock, office.rules
    asks = Poller(store=store, clock=clock, rules=rules, sources={ACCOUNT: source}, cadence=Cadence())
    decides, acts = Sweeper(store=store, clock=clock, rules=rules), office.dispatcher()
    return [
        Unit(name="poll", every=1, run=asks.poll_once),
        Unit(name="sweep", every=1, run=decides.sweep_once),
        Unit(name="dispatch", every=1, run=acts.dispatch_once),
    ]


async def test_three_at_once_end_where_one_does(tmp_path: Path, postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """I1, I5: the same scans, decisions, texts and totals, each once; no lease is left, nothing waits crosswise."""
    # Small portions, so that all three have something to do at any moment.
    monkeypatch.setattr(poller, "CHUNK", 20)
    monkeypatch.setattr(sweeper, "TRANSACTION", 20)
    alone, together = postgres_server.database(), postgres_server.database()
    one, three = await ended(tmp_path, alone, 1), await ended(tmp_path, together, 3)
    assert one["messages"] == three["messages"]
    assert len(set(three["messages"])) == len(three["messages"]) == ORDERS
    for name in _ENDS:
        assert one[name] == three[name], name
    with psycopg.connect(together) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row == (0,)
    for url in (alone, together):
        postgres_server.drop(url)
