"""The single pass of `tracker run --once`."""

from __future__ import annotations

import msgspec

from tracker import config
from tracker.clock import Clock
from tracker.config import Loaded
from tracker.engine.base import full_pass
from tracker.store import Store
from tracker.sweep import changed_since
from tracker.wiring import assemble


class PassReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a full pass did: files, parcels, dossiers decided, outbox rows worked on; and which sources are down.

    `asked` are parcels about which a source answered, `unasked` those that were due and put off: no source for them, none that
    answers, or a day that is used up.
    """

    imported: int
    asked: int
    unasked: int
    decided: int
    dispatched: int
    down: tuple[str, ...]


async def run_once(loaded: Loaded, store: Store, clock: Clock) -> PassReport:
    """One full pass over all that is due. `store` must have been opened as the daemon's; it stays open."""
    loaded = config.with_learned(loaded, await store.learned())
    house = assemble(loaded, store, clock, patient=False)
    try:
        await changed_since(store, loaded)
        await house.dispatcher.recover()
        await full_pass(house.units)
        done = house.done
        return PassReport(
            imported=done["inbox"],
            asked=house.poller.asked,
            unasked=done["poll"] - house.poller.asked,
            decided=done["sweep"],
            dispatched=done["dispatch"],
            down=await house.down(),
        )
    finally:
        await house.close()
