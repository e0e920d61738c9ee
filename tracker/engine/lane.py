"""One lane: unit after unit of one kind until nothing is left. What raises is told once, and waits for the next tick."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tracker.clock import Clock
from tracker.engine.base import Report
from tracker.health import Heartbeat
from tracker.log import Event, get_logger
from tracker.store import StoreError

_log = get_logger()


class Lanes:
    """Runs units of work for an engine, until `stop` is set. `failure` is the fatal error that ended the run."""

    def __init__(self, *, clock: Clock, heartbeat: Heartbeat, fatal: tuple[type[Exception], ...]) -> None:
        """`fatal` lists the errors that end the run: the database is damaged or gone, or belongs to another daemon now."""
        self._clock = clock
        self._heartbeat = heartbeat
        self._fatal = fatal
        self.stop = asyncio.Event()
        self.failure: Exception | None = None

    async def work(self, name: str, run: Callable[[], Awaitable[Report]], passing: tuple[type[Exception], ...] = ()) -> None:
        """Do all there is to do. Raises only the errors in `passing`: whoever called tries those again."""
        try:
            more = True
            while more and not self.stop.is_set():
                with self._heartbeat.unit(name):
                    more = (await run()).more
                await self._clock.sleep(0)
        except self._fatal as error:
            self.failure = self.failure or error
            self.stop.set()
        except passing:
            raise
        except Exception as error:  # noqa: BLE001 - one broken unit must not end the others
            self._tell(name, error)
        else:
            self._heartbeat.well(name)

    def _tell(self, name: str, error: Exception) -> None:
        """Say a failure once, not at every tick; what an operator can mend (a full disk) needs no traceback."""
        text = str(error) if isinstance(error, StoreError) else repr(error)
        if not self._heartbeat.failed(name, text):
            return
        log = _log.error if isinstance(error, StoreError) else _log.exception
        log(Event.UNIT_FAILED, unit=name, error=text)
