"""Workers of a fleet as processes, on a real PostgreSQL: shared work, a dead one, a name given twice, a lost queue."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.daemon.conftest import Child, Home, furnished
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.model import OutboxState

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

ORDERS = 18
"""Below what a ramp lets out on a day: their messages are two days late."""


@pytest.fixture
async def home(tmp_path: Path, postgres_server: postgres.Server) -> AsyncIterator[Home]:
    """A live shop whose first messages are due, on PostgreSQL."""
    url = postgres_server.database()
    async with furnished(tmp_path, ORDERS, url) as made:
        yield made
    postgres_server.drop(url)


def worker(home: Home, name: str, **more: str) -> Child:
    return home.start(TRACKER_WORKER=name, **more)


def sent(home: Home) -> int:
    return len(home.mailbox.ids)


async def states(home: Home) -> Counter[OutboxState]:
    async with home.store() as store:
        return Counter(view.row.state for view in await store.outbox(states=tuple(OutboxState), limit=500))


async def test_workers_share_the_work_and_write_to_nobody_twice(home: Home) -> None:
    """I1, I2: two workers; each order's message goes out once, each parcel is asked about once."""
    first, second = worker(home, "a"), worker(home, "b")
    await until(lambda: sent(home) >= ORDERS, seconds=90)
    for child in (first, second):
        child.signal(signal.SIGTERM)
        assert await child.ended(30) == 0
    assert max(Counter(home.mailbox.ids).values()) == 1
    assert home.asked() == ORDERS, "every parcel was asked about once"
    assert (await states(home))[OutboxState.SENT] == ORDERS
    assert not [line for line in home.lines if line["level"] in {"error", "critical"}]
    async with home.store() as store:
        assert [(each.name, each.stopped) for each in await store.workers()] == [("a", True), ("b", True)]


async def test_a_worker_that_dies_leaves_nothing_undone(home: Home) -> None:
    """Faults 1, 2: killed in the middle of its messages; the other one does the rest, and the doubtful one is shown."""
    home.mailbox.slow = 0.05
    first, second = worker(home, "a"), worker(home, "b")
    await until(lambda: sent(home) >= 3, seconds=60)
    first.signal(signal.SIGKILL)
    await until(lambda: sent(home) >= ORDERS - 4, seconds=90)
    async with home.store() as store:
        assert not any(each.stopped for each in await store.workers()), "it died, and nobody says that it was stopped"
    again = worker(home, "a")
    await until(lambda: home.events().count("daemon.started") == 3, seconds=30)
    second.signal(signal.SIGTERM)
    assert await second.ended(30) == 0
    again.signal(signal.SIGTERM)
    assert await again.ended(30) == 0
    found = await states(home)
    assert max(Counter(home.mailbox.ids).values()) == 1
    assert found[OutboxState.SENT] + found[OutboxState.UNKNOWN] + found[OutboxState.PENDING] == ORDERS
    assert found[OutboxState.SENDING] == 0


async def test_a_name_is_given_once(home: Home) -> None:
    """Fault 21: two processes of one name would share a journal; the second is turned away and may try again (75)."""
    first = worker(home, "a")
    await until(lambda: "daemon.started" in home.events(), seconds=30)
    second = worker(home, "a")
    assert await second.ended(30) == 75
    first.signal(signal.SIGTERM)
    assert await first.ended(30) == 0


async def test_losing_the_queue_loses_nothing(home: Home) -> None:
    """What stands in line is thrown away again and again while two workers are at it; the rows bring all of it back.

    A lost question comes back when its lease runs out: tests/store/test_leases.py.
    """
    first, second = worker(home, "a"), worker(home, "b")
    lost, clock = 0, SystemClock()
    with psycopg.connect(home.url, autocommit=True) as connection:
        for _ in range(600):
            lost += connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = 'act'").rowcount
            if lost and sent(home) >= ORDERS:
                break
            await clock.sleep(0.1)
    assert lost > 0, "nothing was lost, nothing is proven"
    assert sent(home) == ORDERS
    for child in (first, second):
        child.signal(signal.SIGTERM)
        assert await child.ended(30) == 0
    assert max(Counter(home.mailbox.ids).values()) == 1
