"""Fifteen sources at once over real HTTP, each failing in eight ways before it answers (promise 2; issue, "done when")."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from carriers import registry
from carriers.base import Account
from carriers.errors import CarrierError
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingStatus
from tests import house
from tests.carriers import cases
from tests.carriers.loopback import serving
from tests.polling.stands import FAULTS, SLOW, Stand
from tracker.clock import SimulatedClock
from tracker.model import DecisionReason
from tracker.policy import decide
from tracker.polling import Cadence, Pace, Poller, StoreGate
from tracker.polling.conversation import Source
from tracker.store import Store

SOURCES = [
    name for name in registry.names() if registry.describe(name).tier == registry.FIRST and not registry.describe(name).drop
]
WANTED = ("delivered", "in_transit", "customs_hold", "returned", "label_only", "not_found", "unmapped_code")
"""The situations that are played, where the source knows them."""

DAY = timedelta(days=1)
OPTIONS = {"public_page": True}
LOST_BY_NUMBER = {DecisionReason.NOT_FOUND_CONFIRMED}


def cast(name: str) -> dict[str, tuple[cases.Sample, Tracking]]:
    """By number: the samples of one source that answer for one number, with what they say."""
    found: dict[str, tuple[cases.Sample, Tracking]] = {}
    for sample in cases.own(name):
        if sample.case in WANTED and len(sample.numbers) == 1 and sample.numbers[0] not in found:
            told = cases.trackings(sample).get(sample.numbers[0])
            if isinstance(told, Tracking):
                found[sample.numbers[0]] = sample, told
    return found


def shipped(told: Tracking) -> datetime:
    """A day before its first scan."""
    bounds = [each for each in (event.bounds() for event in told.events) if each is not None]
    return datetime.fromtimestamp(min(each[1] for each in bounds), UTC) - DAY if bounds else house.START


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(house.START)


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


async def test_every_parcel_is_told_right_and_nobody_is_untrackable_by_mistake(store: Store, clock: SimulatedClock) -> None:
    """Promise 2, R6, R8: 429, 503, slow, cut off, truncated, redirect, wrong schema, HTML; then the samples, and nothing else."""
    casts = {name: cast(name) for name in SOURCES}
    taken: set[str] = set()
    for name, found in casts.items():
        casts[name] = {number: told for number, told in found.items() if number not in taken}
        taken |= casts[name].keys()
    assert len([name for name, found in casts.items() if len(found) >= 3]) >= 8
    orders, parcels = [], []
    for row, (name, number, told) in enumerate(
        (n, number, told) for n, found in casts.items() for number, (_, told) in found.items()
    ):
        orders.append(house.order(f"20{row:04d}", row=row, shipped_at=shipped(told)))
        parcels.append(house.parcel(number, f"20{row:04d}", row=row, shipped_at=shipped(told), carrier=name, service_text=name))
    await house.bring(store, orders, parcels, clock.now())
    rules = replace(house.rules(), sources={name: (name,) for name in SOURCES})
    async with AsyncExitStack() as stack:
        stands = {name: Stand(name, {number: sample for number, (sample, _) in casts[name].items()}, FAULTS) for name in SOURCES}
        gate = StoreGate(store, clock, {name: Pace(rps=1000) for name in SOURCES})
        sources = {}
        for name, stand in stands.items():
            transport = HttpTransport(account_id=name, gate=gate, clock=clock, total_deadline_s=SLOW, connections=1)
            stack.push_async_callback(transport.close)
            sources[name] = Source(
                account=Account(
                    id=name,
                    base_url=await stack.enter_async_context(serving(stand)),
                    secrets=dict.fromkeys(registry.describe(name).secrets, "invented"),
                    options=OPTIONS,
                ),
                adapter=registry.get(name),
                transport=transport,
                batch=1,
                concurrency=1,
                registers=registry.describe(name).registers,
            )
        poller = Poller(store=store, clock=clock, rules=rules, sources=sources, cadence=Cadence())
        for _ in range(40):
            while (await poller.poll_once()).more:
                pass
            clock.advance_to(clock.now() + timedelta(hours=4))
    assert {name: sorted(stand.met) for name, stand in stands.items()} == dict.fromkeys(SOURCES, sorted(FAULTS))
    dossiers = await store.load_dossiers(list(range(1, len(orders) + 1)))
    wrong = []
    for dossier in dossiers:
        (parcel,) = dossier.shipments
        told = casts[parcel.carrier or ""][parcel.number][1]
        known = told.status is not TrackingStatus.NOT_FOUND
        verdicts = {each.reason for each in decide(dossier, rules, clock.now()).decisions}
        right = (parcel.status, parcel.reason) == (told.status, told.reason) and parcel.last_answer_at is not None
        if not right or (known and (parcel.not_found is not None or verdicts & LOST_BY_NUMBER)):
            wrong.append((parcel.carrier, parcel.number, told.status, parcel.status, parcel.reason, verdicts))
    assert wrong == []


def test_the_cast_is_read_without_an_error() -> None:
    """The samples that are played are answers, each of one number."""
    for name in SOURCES:
        for sample, _ in cast(name).values():
            assert not any(isinstance(told, CarrierError) for told in cases.trackings(sample).values())
