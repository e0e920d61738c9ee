"""Is the daemon alive? Heartbeats by real progress, and the word to systemd (facts/systemd.md section 4, faults row 32)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tracker.clock import Clock

LONGEST_UNIT = 900.0
"""Seconds that one unit of work may take: a mail server may take ten minutes after DATA, so only a hang lasts longer."""


class Notifier:
    """Speaks to systemd over $NOTIFY_SOCKET; says nothing where that is not set. A failed word never stops the work."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
        self.watchdog_every = int(usec) / 2_000_000 if usec.isdigit() and ours else None
        """Seconds between two signs of life, half of what systemd allows; None when it wants none."""

    def ready(self, status: str) -> None:
        """Configuration, schema and engine are fine."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        self._send("WATCHDOG=1")

    def reloading(self, clock: Clock) -> None:
        """A reload begins; `ready` ends it. Without the time a `systemctl reload` of type notify-reload hangs."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(clock.monotonic() * 1_000_000)}")

    def stopping(self, drain_seconds: float) -> None:
        """Asked to stop; the drain may take that long."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(drain_seconds * 1_000_000)}")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.connect(self._address)
            out.sendall(text.encode())


class Heartbeat:
    """Who works on what since when. A tick that does not come and a unit that does not end both show here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[tuple[str, int], float] = {}
        self._turns = 0
        self._ticks: dict[str, tuple[float, float]] = {}

    @contextmanager
    def unit(self, name: str) -> Iterator[None]:
        """Around one unit of work."""
        self._turns += 1
        turn = (name, self._turns)
        self._running[turn] = self._clock.monotonic()
        try:
            yield
        finally:
            self._running.pop(turn, None)

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
