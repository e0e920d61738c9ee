"""Heartbeats by real progress: who works on what since when, and what fails (faults rows 4 and 32)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tracker.clock import Clock

LONGEST_UNIT = 900.0
"""Seconds that one unit of work may take: a mail server may take ten minutes after DATA, so only a hang lasts longer."""


class Heartbeat:
    """Who works on what since when. A tick that does not come and a unit that does not end both show here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[tuple[str, int], float] = {}
        self._turns = 0
        self._began: set[str] = set()
        self._ticks: dict[str, tuple[float, float]] = {}
        self._failing: dict[str, tuple[str, float]] = {}

    @contextmanager
    def unit(self, name: str) -> Iterator[None]:
        """Around one unit of work."""
        self._turns += 1
        self._began.add(name)
        turn = (name, self._turns)
        self._running[turn] = self._clock.monotonic()
        try:
            yield
        finally:
            self._running.pop(turn, None)

    def active(self) -> list[str]:
        """The units that have had work in hand since this was asked last."""
        began, self._began = self._began, set()
        return sorted(began | {name for name, _ in self._running})

    def progress(self, name: str) -> None:
        """A unit that takes long because there is much to do has come a step further."""
        now = self._clock.monotonic()
        self._running = {turn: now if turn[0] == name else since for turn, since in self._running.items()}

    def tick(self, name: str, every: float) -> None:
        """A tick of `name` came; the next is due in `every` seconds."""
        self._ticks[name] = (self._clock.monotonic(), every)

    def begin(self) -> None:
        """An engine starts: what ticked before it is not missed, least of all a unit that a new configuration does without."""
        self._ticks.clear()
        self._failing.clear()

    def failed(self, name: str, text: str) -> bool:
        """A unit failed, and will be tried again. Whether that is news: another error than at its last try."""
        known = self._failing.get(name)
        self._failing[name] = (text, self._clock.monotonic() if known is None else known[1])
        return known is None or known[0] != text

    def well(self, name: str) -> None:
        """A unit has done its work."""
        self._failing.pop(name, None)

    def failing(self, seconds: float = 0) -> Mapping[str, str]:
        """Units that have failed for at least so long without doing their work once, with their last error."""
        now = self._clock.monotonic()
        return {name: text for name, (text, since) in self._failing.items() if now - since >= seconds}

    def ticks(self) -> dict[str, float]:
        """When each unit ticked last, in seconds of the monotonic clock."""
        return {name: last for name, (last, _) in self._ticks.items()}

    def late(self) -> list[tuple[str, float]]:
        """Names whose tick has not come for three intervals, with the seconds since the last one."""
        now = self._clock.monotonic()
        return [(name, now - last) for name, (last, every) in self._ticks.items() if now - last > 3 * every]

    def stuck(self) -> tuple[str, float] | None:
        """The unit that has been running for too long, with its seconds; None when all is well."""
        now = self._clock.monotonic()
        oldest = min(self._running.items(), key=lambda item: item[1], default=None)
        if oldest is None or now - oldest[1] <= LONGEST_UNIT:
            return None
        return oldest[0][0], now - oldest[1]
