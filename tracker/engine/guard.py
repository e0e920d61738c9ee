"""The time guard (facts/engine.md 2.9, faults row 13): a clock that jumps within one run must not make buyers' mail due."""

from __future__ import annotations

from tracker.clock import Clock
from tracker.log import Event, get_logger

AHEAD = 86_400.0
"""Seconds that wall time may run ahead of monotonic time."""

BACK = 300.0
"""Seconds that it may fall back."""

_log = get_logger()


class TimeGuard:
    """Compares wall time with monotonic time since this run's start: a gap between two runs is downtime, and normal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor = self._drift()
        self._furthest = 0.0
        """How far ahead of monotonic time the wall clock was seen, at most."""
        self._came_back = False
        self.tripped = False
        """Outreach waits while this is set; all else goes on. It ends when the clock is right again, when a person confirms the
        time, or at the next start."""

    def distrusts(self) -> bool:
        """Look, and say whether outreach waits: asked before every look at the outbox, because a jump comes between two ticks."""
        self.check()
        return self.tripped

    def check(self) -> None:
        """Look once."""
        jump = self._drift() - self._anchor
        tripped = jump > AHEAD or jump < -BACK
        if tripped and not self.tripped:
            _log.error(Event.CLOCK_JUMPED, seconds=round(jump))
        self.tripped = tripped
        if jump < self._furthest - BACK:
            self._furthest, self._came_back = jump, True
        self._furthest = max(self._furthest, jump)

    def came_back(self) -> bool:
        """Whether it was set back since this was asked last: times that were written before lie too far ahead."""
        found, self._came_back = self._came_back, False
        return found

    def confirm(self) -> None:
        """A person has looked: the time is right, and is measured from here on."""
        self._anchor = self._drift()
        self._furthest = 0.0
        self.tripped = False

    def _drift(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()
