"""I3: a second house hears what the carrier knows in one go, doubled and mixed, and must know the same as the first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.house import START
from tests.machine.world import NUMBERS, PARCELS, STORES, World
from tracker.model import Shipment
from tracker.store import Store, create

_TOLD = ("status", "reason", "last_scan")
_ALL = (*_TOLD, "first_scan", "delivered_scan")


def differences(world: World) -> list[str]:
    """What the two know differently; and scans that the first one keeps twice, or that nobody told."""
    _ask_at_once(world)
    mine = world.run(world.tell(_shipments)) or {}
    events = world.run(world.tell(_events)) or {}
    wrong = []
    for number, texts in events.items():
        told = {text for _, text in world.carrier.served.get(number, set())}
        if len(texts) != len(set(texts)):
            wrong.append(f"I3: a scan of {number} is kept twice: {sorted(texts)}")
        truth = {step.text for step in world.carrier.scans[number]}
        if not truth <= set(texts) <= told:
            wrong.append(f"I3: of {number} {sorted(truth)} is true, {sorted(told)} was told and {sorted(texts)} is kept")
    theirs = _twin(world)
    for number in NUMBERS:
        names = _TOLD if number in world.carrier.taken_back else _ALL
        for name in names:
            first, second = getattr(mine[number], name), getattr(theirs[number], name)
            if first != second:
                wrong.append(f"I3: {name} of {number} is {first} here and {second} in the house that heard it in one go")
    return wrong


def _ask_at_once(world: World) -> None:
    """Every parcel is asked about now, however long it rests or has ended."""

    def due(tx: Any) -> int:
        changed: int = tx.run("UPDATE shipment SET next_poll_at = 0")
        return changed

    for _ in range(3):  # a breaker may still pause the source
        world.run(world.daemon._db.write(due))
        world.work(units=("poll",))
        world.clock.live(timedelta(hours=9))


def _twin(world: World) -> dict[str, Shipment]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'tracker.db'}"
        create(url, rehearsal=True, now=START)
        twin = World(folder, url)
        try:
            twin.clock.live(world.clock.now() - twin.clock.now())
            twin.carrier.scans = {number: list(steps) for number, steps in world.carrier.scans.items()}
            twin.carrier.mix(1)
            _ask_at_once(twin)
            return twin.run(twin.tell(_shipments)) or {}
        finally:
            twin.close()


async def _shipments(store: Store) -> dict[str, Shipment]:
    ids = [(await store.order_ref(f"{STORES[order]}/{order}")).id for order in PARCELS]
    return {each.number: each for dossier in await store.load_dossiers(ids) for each in dossier.shipments}


async def _events(store: Store) -> dict[str, list[str]]:
    found = await _shipments(store)
    return {number: [view.event.description for view in await store.events_of(each.id)] for number, each in found.items()}
