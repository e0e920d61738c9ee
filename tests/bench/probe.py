"""What machine this is, and how fast it is just now: figures of two machines, or of two days, are never compared without it."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from hashlib import sha256
from json import loads

from tests.bench.answers import BATCH, LATEST, body, numbers


def probe() -> str:
    """One line: versions, cores, load, and the CPU time of a fixed piece of work (best of five)."""
    sample = body(numbers(BATCH), LATEST)

    def work() -> float:
        started = time.process_time()
        for _ in range(20):
            loads(sample)
            sha256(sample).digest()
        return (time.process_time() - started) * 1e3

    best = min(work() for _ in range(5))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"machine: {machine}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, probe {best:.1f} ms"
