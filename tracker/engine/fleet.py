"""Many machines: Procrastinate says once per tick what is to be done, and brings it to whoever is free (facts/engine.md 2.8, 6).

Two queues, each with lanes of its own, so that a slow source never delays a message. What is asked about is claimed in the very
transaction that makes its work item; everything else finds its rows by itself. So all of the queue may be lost without losing
anything: rows are due until they are done, and a lease that runs out is claimed again.

The library's own rescue of stalled work is not used to repeat anything, only to tidy up behind a worker that died.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import procrastinate
from procrastinate import exceptions
from procrastinate.jobs import Status

from tracker.clock import Clock
from tracker.engine.base import Planned, Unit, Where
from tracker.engine.guard import TimeGuard
from tracker.engine.lane import Lanes
from tracker.engine.local import DRAIN_SECONDS, LocalEngine
from tracker.engine.ticks import LOOK_EVERY, Ticks
from tracker.health import Heartbeat
from tracker.log import Event, get_logger
from tracker.store import Gone, Locked
from tracker.store.connection.address import dsn
from tracker.store.connection.postgres import KEEPALIVE

ASK, ACT = "ask", "act"
"""The queues: conversations with sources; decisions, messages and everything else."""

SILENT_SECONDS = 60
"""A queue's worker that has given no sign for so long is dead: what it had in hand is tidied away."""

REAP_EVERY = 30

URGENT = 100
"""Planning and tidying take a moment, and everything else waits for them."""

_MINUTE = 60

_LEAVE_SECONDS = 10.0
"""How much longer than its drain a queue may take to end: where the server is silent, the library waits for ever."""

_NEWEST = "SELECT periodic_id AS unit, max(id) AS tick FROM procrastinate_periodic_defers GROUP BY periodic_id"

_POOL = 6
"""Connections of the queue beside the store's: fetching, listening, heartbeats."""

_TRIES = procrastinate.RetryStrategy(max_attempts=3, linear_wait=5, retry_exceptions={Locked})
"""Of a work item whose rows are still in its hand."""

_log = get_logger()


def cron(seconds: float) -> str:
    """Every so many seconds (minutes, from a minute on) in the six fields of the queue's clock."""
    if seconds < _MINUTE:
        return f"* * * * * */{max(round(seconds), 1)}"
    return f"*/{min(round(seconds / _MINUTE), 59)} * * * * 0"


class FleetEngine:
    """One worker of many. Work of its own (`Where.HERE`) is kicked by a local engine beside the queue."""

    def __init__(  # noqa: PLR0913 - what an engine needs, and where the queue is
        self,
        units: Sequence[Unit],
        *,
        url: str,
        worker: str,
        clock: Clock,
        heartbeat: Heartbeat,
        guard: TimeGuard,
        fatal: tuple[type[Exception], ...],
        concurrency: int = 4,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """`url` of the database, which has the queue too; `concurrency` work items of each queue at once."""
        self._ticks: dict[str, float] = {}
        ticks = Ticks(self._ticks, clock=clock, newest=self._newest, wake=self._wake)
        here = [unit for unit in units if unit.where is Where.HERE]
        here.append(Unit(name="ticks", every=LOOK_EVERY, run=ticks.look, where=Where.HERE))
        self._local = LocalEngine(here, clock=clock, heartbeat=heartbeat, guard=guard, fatal=fatal, drain_seconds=drain_seconds)
        self._lanes = Lanes(clock=clock, heartbeat=heartbeat, fatal=fatal)
        self._worker = worker
        self._concurrency = concurrency
        self._drain_seconds = drain_seconds
        self._connector = procrastinate.PsycopgConnector(conninfo=dsn(url), kwargs=dict(KEEPALIVE), min_size=1, max_size=_POOL)
        self._ask = procrastinate.App(connector=self._connector)
        self._act = procrastinate.App(connector=self._connector)
        self._tasks: dict[str, Any] = {}
        self._busy: Counter[str] = Counter()
        # Each kind of work of the second queue has lanes of its own, the planning and the tidying too; one more takes what finds
        # no lane free, so that it waits behind nobody.
        self._act_lanes = 2 + sum(1 if unit.planned else unit.lanes for unit in units if unit.where is not Where.HERE)
        self._kicks: set[asyncio.Task[None]] = set()
        for unit in units:
            if unit.planned is not None:
                self._plan(unit, unit.planned)
            elif unit.where is not Where.HERE:
                self._tick(unit)
        self._reaper()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain. Raises the fatal error that ended the run; Gone where the queue ended unasked."""
        self._lanes.stop = stop
        try:
            async with self._ask.open_async():
                await self._run(stop)
        except (exceptions.ConnectorException, OSError) as error:
            raise Gone(f"The queue's database does not answer: {error.__cause__ or error}") from error
        if self._lanes.failure is not None:
            raise self._lanes.failure

    async def _run(self, stop: asyncio.Event) -> None:
        local = asyncio.create_task(self._local.run(stop), name="here")
        queues = [
            asyncio.create_task(self._serve(self._ask, ASK, self._concurrency), name=ASK),
            asyncio.create_task(self._serve(self._act, ACT, self._act_lanes), name=ACT),
        ]
        asked = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait([local, *queues, asked], return_when=asyncio.FIRST_COMPLETED)
            unasked = not stop.is_set()
        finally:
            stop.set()
            for queue in queues:
                queue.cancel()
            ended, left = await asyncio.wait(queues, timeout=self._drain_seconds + _LEAVE_SECONDS)
            asked.cancel()
            await local
        if left:
            _log.warning(Event.ENGINE_DRAIN_TIMEOUT, units=sorted(queue.get_name() for queue in left))
            raise self._lanes.failure or Gone("The queue's database is silent: it did not let this worker go")
        ends = [None if queue.cancelled() else queue.exception() for queue in ended]
        broken = next((end for end in ends if end is not None), None)
        if unasked or broken is not None:
            # The library's worker ends as if all were well when its database goes away (facts/engine.md 6).
            reason = f": {broken}" if broken is not None else ""
            raise self._lanes.failure or Gone(f"The queue ended unasked{reason}; the worker starts anew")

    async def _serve(self, app: procrastinate.App, queue: str, lanes: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            name=f"{self._worker}/{queue}",
            concurrency=lanes,
            shutdown_graceful_timeout=self._drain_seconds,
            # What was done is done; what failed is due again by its rows.
            delete_jobs="always",
            install_signal_handlers=False,
        )

    def kick(self, name: str) -> None:
        """Ask for work now. Where the queue cannot be had just now, the next tick does it."""
        if name not in self._tasks:
            self._local.kick(name)
        else:
            kicked = asyncio.create_task(self._kick(name), name=f"kick {name}")
            self._kicks.add(kicked)
            kicked.add_done_callback(self._kicks.discard)

    async def _kick(self, name: str) -> None:
        with suppress(exceptions.AppNotOpen, exceptions.ConnectorException):
            await self._wake(name)

    async def _wake(self, name: str) -> None:
        await _queued(self._tasks[name])

    async def _newest(self) -> Mapping[str, int]:
        """The number of each unit's latest tick, whoever of the fleet wrote it down. Raises Gone."""
        try:
            rows = await self._connector.execute_query_all_async(_NEWEST)
        except exceptions.ConnectorException as error:
            raise Gone(f"The queue's database does not answer: {error.__cause__ or error}") from error
        return {row["unit"]: row["tick"] for row in rows}

    # ------------------------------------------------------------------------------------------------------------- the work items

    def _tick(self, unit: Unit) -> None:
        """Once a tick, whoever is free; `ONE` never twice at the same time."""

        @self._act.periodic(cron=cron(unit.every), periodic_id=unit.name)
        @self._act.task(
            name=f"tracker.{unit.name}",
            queue=ACT,
            priority=unit.priority,
            queueing_lock=unit.name,
            lock=unit.name if unit.where is Where.ONE else None,
        )
        async def work(timestamp: int = 0) -> None:  # noqa: ARG001 - the queue's clock gives it
            await self._beside(unit)

        self._ticks[unit.name] = unit.every
        self._tasks[unit.name] = work

    async def _beside(self, unit: Unit) -> None:
        """Never more than the unit's lanes in this worker: a mail server that hangs must not take those of everything else."""
        if self._busy[unit.name] >= unit.lanes:
            return
        self._busy[unit.name] += 1
        try:
            await self._lanes.work(unit.name, unit.run)
        finally:
            self._busy[unit.name] -= 1

    def _plan(self, unit: Unit, planned: Planned) -> None:
        """Claim what is due, once a tick, and make work items of it; each is done by whoever is free."""

        @self._ask.task(name=f"tracker.{unit.name}.item", queue=ASK, retry=_TRIES)
        async def item(token: str) -> None:
            await self._lanes.work(unit.name, _once(lambda: planned.work(token)), passing=(Locked,))
            if await self._waiting() == 0:
                await _queued(plan)

        async def enqueue(connection: Any, token: str, priority: int) -> None:  # noqa: ANN401 - the driver's own
            await item.configure(connection=connection, priority=priority).defer_async(token=token)

        @self._act.periodic(cron=cron(unit.every), periodic_id=unit.name)
        @self._act.task(
            name=f"tracker.{unit.name}", queue=ACT, priority=unit.priority + 1, queueing_lock=unit.name, lock=unit.name
        )
        async def plan(timestamp: int = 0) -> None:  # noqa: ARG001 - the same
            room = 2 * self._concurrency - await self._waiting()
            if room > 0:
                await self._lanes.work(unit.name, _once(lambda: planned.plan(enqueue, room)))

        self._ticks[unit.name] = unit.every
        self._tasks[unit.name] = plan

    async def _waiting(self) -> int:
        """Work items that nobody has taken yet: more of them would only run out of their leases."""
        queues = await self._ask.job_manager.list_queues_async(queue=ASK)
        return sum(int(queue["todo"]) for queue in queues)

    def _reaper(self) -> None:
        """Take away what dead workers of the queue had in hand: a lock of theirs would stay for ever."""

        @self._act.periodic(cron=cron(REAP_EVERY), periodic_id="reap")
        @self._act.task(name="tracker.reap", queue=ACT, priority=URGENT, queueing_lock="reap")
        async def reap(timestamp: int = 0) -> None:  # noqa: ARG001 - the same
            manager = self._act.job_manager
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
                if job.id is not None:
                    _log.warning(Event.QUEUE_REAPED, task=job.task_name, job=job.id)
                    await manager.finish_job_by_id_async(job_id=job.id, status=Status.ABORTED, delete_job=True)


class _Done:
    """Of a work item: done, and nothing more."""

    worked = 1
    more = False


def _once(run: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[_Done]]:
    """A work item is done once: what is left is another one's."""

    async def done() -> _Done:
        await run()
        return _Done()

    return done


async def _queued(task: Any) -> None:  # noqa: ANN401 - the library's task, whose parameters are its own
    """Put it in line, unless it stands there already."""
    with suppress(exceptions.AlreadyEnqueued):
        await task.defer_async()
