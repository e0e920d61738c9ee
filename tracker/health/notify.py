"""The word to systemd (facts/systemd.md section 4)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from tracker.clock import Clock

PATIENCE_SECONDS = 0.2


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
            # Whoever listens may be slow to read; the work does not wait for him.
            out.settimeout(PATIENCE_SECONDS)
            out.connect(self._address)
            out.sendall(text.encode())
