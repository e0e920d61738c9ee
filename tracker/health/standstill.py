"""Whether the event loop stands still: everything waits meanwhile, the signs of life too (faults row 32)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracker.clock import Clock
from tracker.log import Event, get_logger

LOOK = 0.5
"""Seconds between two looks."""

SLOW = 1.0
"""Seconds that nobody may notice: one large transaction takes a tenth of that."""

QUIET = 60.0
"""Seconds after a line in which only a longer standstill is told."""

_log = get_logger()


async def watch_loop(clock: Clock, active: Callable[[], Sequence[str]]) -> None:
    """Say when the loop stood still for longer than `SLOW`. Until cancelled.

    `active`: the units that have had work in hand since it was asked last.
    """
    before, said_at, said = clock.monotonic(), -QUIET, 0.0
    while True:
        await clock.sleep(LOOK)
        now, units = clock.monotonic(), active()
        stood = now - before - LOOK
        if stood > SLOW and (now - said_at > QUIET or stood > said):
            _log.warning(Event.LOOP_BLOCKED, seconds=round(stood, 1), units=units)
            said_at, said = now, stood
        before = now
