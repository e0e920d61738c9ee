"""Two daemons on one database by mistake, and people who work beside one (faults row 21, SQLite)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import house
from tests.daemon.conftest import NOW, SHIPPED, Home, furnished
from tests.waiting import until
from tracker.model import OutboxState
from tracker.store import Conflict, OrderPatch

ORDERS = 6


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with furnished(tmp_path, ORDERS) as made:
        yield made


async def states(home: Home) -> dict[OutboxState, int]:
    async with home.store() as store:
        rows = await store.outbox(tuple(OutboxState), 100)
    return {state: count for state in OutboxState if (count := sum(view.row.state is state for view in rows))}


async def test_with_the_lock_removed_the_older_one_stops_and_nobody_hears_twice(home: Home) -> None:
    """Fault 21, I1: somebody tidied `tracker.db.lock` away; what the older one had in hand is doubtful at worst."""
    home.mailbox.slow = 0.4
    older = home.start()
    await until(lambda: len(home.mailbox.ids) >= 1)
    (home.folder / "tracker.db.lock").unlink()
    younger = home.start()
    assert await older.ended() == 75
    failed = next(line for line in home.lines if line["event"] == "daemon.failed")
    assert "writes nothing more" in failed["reason"]
    doubtful = (await states(home)).get(OutboxState.UNKNOWN, 0)
    await until(lambda: len(home.mailbox.ids) >= ORDERS - doubtful)
    younger.signal(signal.SIGTERM)
    assert await younger.ended() == 0
    assert len(set(home.mailbox.ids)) == len(home.mailbox.ids), "nobody is written to twice"
    settled = await states(home)
    assert settled.get(OutboxState.SENT, 0) + settled.get(OutboxState.UNKNOWN, 0) == ORDERS, "nobody is forgotten"
    assert "Traceback" not in home.errors.read_text()


async def test_files_and_people_beside_a_daemon_that_works(home: Home) -> None:
    """Fault 21: imports, facts and decisions in short transactions; both sides see each other's rows, none is lost."""
    shop = home.folder / "stores" / "lamps.toml"
    shop.write_text(shop.read_text().replace("live", "approve"))
    daemon = home.start()
    async with home.store() as store:
        for row in range(40):
            await house.bring(store, [house.order(f"20{row:04d}", row=row, shipped_at=SHIPPED)], [], NOW)
        (one,) = await store.find_orders("200000")
        await store.set_order_facts(one.id, OrderPatch(vip=True), by="Mei", reason="", now=datetime.now(UTC))
        decided = 0
        while decided < ORDERS:
            for view in await store.reviews():
                with contextlib.suppress(Conflict):  # the daemon was quicker, and the facts have moved
                    version = view.order.version
                    await store.decide_row(view.row.id, version, approve=True, by="Mei", reason="", now=datetime.now(UTC))
                    decided += 1
            await asyncio.sleep(0.1)
        await until(lambda: len(home.mailbox.ids) == ORDERS)
        assert (await store.status(datetime.now(UTC))).orders == ORDERS + 40
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "unit.failed" not in home.events()
    assert len(set(home.mailbox.ids)) == ORDERS
