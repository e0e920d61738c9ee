"""Work of a schedule: once a day, once a month, every few hours, by local time (facts/faults.md row 14).

No timers: an errand is due when its newest occasion is not the one that was done last. So a restart repeats nothing, an occasion
that was missed is made up for once, and the change to summer time neither skips nor doubles a day.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from tracker.clock import Clock
from tracker.log import Event, get_logger
from tracker.store import Damaged, EpochLost, ErrandDone, Store

AGAIN = timedelta(hours=1)
"""How long a failed errand rests, whoever of a fleet tried it."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

_log = get_logger()


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work of the schedule.

    `at` is local time in `zone`. `every`: "day" (occasion `2026-11-22`), "month" (`2026-11`, on its first day), or a number of
    hours counted from `at` (`2026-11-22T15`). `run` gets the occasion and the time (aware UTC) and says in one sentence what it
    did; whatever it raises is told and tried again. `rehearses`: a rehearsal database does it too.
    """

    name: str
    at: time
    zone: str
    every: Literal["day", "month"] | int
    run: Callable[[str, datetime], Awaitable[str]]
    rehearses: bool = False


class ErrandReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: how many errands were done, whether another one is due."""

    worked: int = 0
    more: bool = False


def due_occasion(errand: Errand, now: datetime, last: str | None) -> str | None:
    """The occasion that is to be done now; None when the newest one is done. `last` is the one done last, None or "" if never.

    A clock that went back does not repeat an occasion; one that ran far ahead for a while does not end the errand for good.
    """
    newest = _occasion(errand, now)
    if not last:
        return newest
    return None if newest <= last <= _occasion(errand, now + 2 * _DAY) else newest


def _occasion(errand: Errand, now: datetime) -> str:
    local = now.astimezone(ZoneInfo(errand.zone)).replace(tzinfo=None)
    if errand.every == "month":
        first = datetime.combine(local.date().replace(day=1), errand.at)
        return f"{local if local >= first else first - _DAY:%Y-%m}"
    begun = datetime.combine(local.date(), errand.at)
    begun = begun if local >= begun else begun - _DAY
    if errand.every == "day":
        return f"{begun:%Y-%m-%d}"
    return f"{begun + (local - begun) // (errand.every * _HOUR) * errand.every * _HOUR:%Y-%m-%dT%H}"


class Errands:
    """Does what is due, one errand a call; one that fails never stops the others."""

    def __init__(self, errands: Sequence[Errand], store: Store, clock: Clock) -> None:
        self._errands = errands
        self._store = store
        self._clock = clock
        self._since = clock.now()
        self._wait: dict[str, datetime] = {}
        self._unwritten: dict[str, tuple[str, datetime, str]] = {}

    async def run_once(self) -> ErrandReport:
        """One unit of work, for the engine."""
        return await self.run_due(self._clock.now())

    async def run_due(self, now: datetime) -> ErrandReport:
        """Do the first errand that is due at `now` (aware UTC). Raises EpochLost, Damaged: they end the daemon."""
        for name, unwritten in list(self._unwritten.items()):
            await self._finish(name, *unwritten)
        done = await self._store.errands()
        due = [(errand, occasion) for errand in self._errands if (occasion := self._due(errand, now, done.get(errand.name)))]
        if due and await self._store.is_rehearsal():
            due = [each for each in due if each[0].rehearses]
        if not due:
            return ErrandReport()
        errand, occasion = due[0]
        try:
            result = await errand.run(occasion, now)
        except (EpochLost, Damaged):
            raise
        except Exception as error:  # noqa: BLE001 - one errand must not stop the others
            await self._failed(errand, occasion, done.get(errand.name), error, now)
            return ErrandReport(more=len(due) > 1)
        self._wait.pop(errand.name, None)
        await self._finish(errand.name, occasion, now, result)
        return ErrandReport(worked=1, more=len(due) > 1)

    async def _finish(self, name: str, occasion: str, at: datetime, result: str) -> None:
        """Write down what was done. On a full disk it is kept for the next look: a handover is not told again every minute."""
        self._unwritten[name] = (occasion, at, result)
        await self._store.finish_errand(name, occasion, at, result)
        del self._unwritten[name]
        _log.info(Event.ERRAND_DONE, errand=name, occasion=occasion, result=result)

    def _due(self, errand: Errand, now: datetime, done: ErrandDone | None) -> str | None:
        failed_at = None if done is None else done.failed_at
        # What failed before this process began is tried anew: somebody may have mended it and started us.
        told = failed_at + AGAIN if failed_at is not None and failed_at >= self._since else None
        if any(wait is not None and now < wait <= now + AGAIN for wait in (self._wait.get(errand.name), told)):
            return None
        return due_occasion(errand, now, None if done is None else done.occasion)

    async def _failed(self, errand: Errand, occasion: str, before: ErrandDone | None, error: Exception, now: datetime) -> None:
        """Say it once, not every hour, until the error changes; what an operator can mend (a full disk) needs no traceback."""
        self._wait[errand.name] = now + AGAIN
        known = isinstance(error, OSError) or type(error).__module__.startswith("tracker.")
        text = str(error) if known else repr(error)
        if before is None or before.error != text:
            log = _log.error if known else _log.exception
            log(Event.ERRAND_FAILED, errand=errand.name, occasion=occasion, error=text)
        await self._store.fail_errand(errand.name, now, text)
