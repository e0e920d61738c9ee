"""The fleet's engine on a real PostgreSQL, in this process: lanes, ticks that stay away, a kick that finds no queue, the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace

import procrastinate.periodic
import psycopg
import pytest

from tests.conftest import Lines
from tests.waiting import until
from tracker.clock import SimulatedClock, SystemClock
from tracker.engine import fleet, ticks
from tracker.engine.base import Unit, Where
from tracker.engine.fleet import FleetEngine
from tracker.engine.guard import TimeGuard
from tracker.engine.standing import Signed
from tracker.health import Heartbeat
from tracker.store import Gone

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


class Job:
    """A unit's work: counts its turns; `open` lets them go on."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.turns = 0
        self.at_once = self.most = 0
        self.open = asyncio.Event()
        if not hangs:
            self.open.set()

    async def run(self) -> Signed:
        self.turns += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.open.wait()
        self.at_once -= 1
        return Signed(worked=1)


def engine(url: str, units: Sequence[Unit], *, concurrency: int = 2) -> FleetEngine:
    clock = SystemClock()
    return FleetEngine(
        units,
        url=url,
        worker="a",
        clock=clock,
        heartbeat=Heartbeat(clock),
        guard=TimeGuard(clock),
        fatal=(Gone,),
        concurrency=concurrency,
        drain_seconds=5,
    )


@asynccontextmanager
async def running(found: FleetEngine) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(found.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(task, 40)


def unit(name: str, run: Callable[[], Awaitable[Signed]], *, lanes: int = 1, where: Where = Where.MANY) -> Unit:
    return Unit(name=name, every=1, run=run, lanes=lanes, where=where)


async def test_a_mail_server_that_hangs_holds_up_nothing_else(postgres_url: str) -> None:
    """Faults 7, 18: messages that do not end keep their own lanes; deciding and planning go on beside them."""
    post, decide, errands = Job(hangs=True), Job(), Job()
    units = [unit("dispatch", post.run, lanes=2), unit("sweep", decide.run), unit("errands", errands.run, where=Where.ONE)]
    async with running(engine(postgres_url, units)):
        await until(lambda: post.at_once == 2)
        before = decide.turns, errands.turns
        await until(lambda: decide.turns > before[0] + 2 and errands.turns > before[1] + 1)
        assert post.most == 2, "as many lanes as it has, whatever the queue brings"
        post.open.set()


async def test_ticks_go_on_when_the_clock_is_set_back(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    """Fault 13: the queue's own clock would wait the hour that it has lived already."""
    back = 0.0
    monkeypatch.setattr(procrastinate.periodic, "time", SimpleNamespace(time=lambda: time.time() - back))
    monkeypatch.setattr(fleet, "LOOK_EVERY", 1.0)
    monkeypatch.setattr(ticks, "SLACK", 0.0)
    decide = Job()
    async with running(engine(postgres_url, [unit("sweep", decide.run)])):
        await until(lambda: decide.turns > 1)
        back = 3600.0
        await asyncio.sleep(1.5)
        before = decide.turns
        await until(lambda: decide.turns > before + 2)
    late = [line["unit"] for line in log_lines() if line["event"] == "engine.tick_late"]
    assert late == ["sweep"], "said once"


async def test_a_kick_without_a_queue_is_no_error(postgres_url: str) -> None:
    """A push may come before the queue is open, and after it is closed: the next tick hears it."""
    pushes = Job()
    found = engine(postgres_url, [unit("pushes", pushes.run, where=Where.ONE)])
    found.kick("pushes")
    async with running(found):
        await until(lambda: pushes.turns > 0)
    found.kick("pushes")
    await asyncio.sleep(0.1)
    assert not found._kicks


async def test_a_lock_of_a_dead_worker_goes(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults 1, 21: what one worker at a time may do is not blocked for ever by one that died while it did it."""
    monkeypatch.setattr(fleet, "REAP_EVERY", 1)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '2 minutes')")
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id) "
            "SELECT 'act', 'tracker.errands', 'errands', 'doing', id FROM procrastinate_workers"
        )
    errands = Job()
    async with running(engine(postgres_url, [unit("errands", errands.run, where=Where.ONE)])):
        await until(lambda: errands.turns > 0)


async def test_it_ends_though_the_drain_is_too_short(postgres_url: str, log_lines: Lines) -> None:
    """Fault 2: what does not end within the drain is broken off, and the worker goes with 0: it was asked to."""
    post = Job(hangs=True)
    async with running(engine(postgres_url, [unit("dispatch", post.run)])):
        await until(lambda: post.at_once == 1)
    assert not [line for line in log_lines() if line["event"] == "daemon.failed"]


async def test_late_is_told_by_what_is_written_down() -> None:
    """A look that comes late by itself, or a worker beside others that has had no turn, is no alarm."""
    clock = SimulatedClock(SystemClock().now())
    newest, woken = {"sweep": 1}, list[str]()

    async def read() -> dict[str, int]:
        return newest

    async def wake(name: str) -> None:
        woken.append(name)

    watch = ticks.Ticks({"sweep": 5.0}, clock=clock, newest=read, wake=wake)
    for tick in range(2, 6):
        await watch.look()
        await clock.sleep(20)
        newest["sweep"] = tick
    await watch.look()
    assert woken == []
    await clock.sleep(3 * 5 + ticks.SLACK + 1)
    assert (await watch.look()).worked == 1
    assert woken == ["sweep"]
