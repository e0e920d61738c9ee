"""The health file: a sign of life beside the database, fresh only while the watchdog would be satisfied too.

For everybody who cannot ask systemd: a container's health check, another machine's monitoring, `tracker status`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

SIGN_FRESH_SECONDS = 90.0
"""A sign is written every 20 s; four that are missing are no accident."""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """When it was written (aware UTC), by which process, since when that runs, and the line that systemd shows."""

    at: datetime
    pid: int
    since: datetime
    status: str

    def fresh(self, now: datetime) -> bool:
        """Whether the daemon was alive a moment ago."""
        return abs((now - self.at).total_seconds()) <= SIGN_FRESH_SECONDS


def write_sign(file: Path, sign: Sign) -> None:
    """Replace the file as a whole. Raises OSError."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(msgspec.json.encode(sign) + b"\n")
    beside.replace(file)


def read_sign(file: Path) -> Sign | None:
    """The last sign of life; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Sign)
    except (OSError, msgspec.DecodeError):
        return None
