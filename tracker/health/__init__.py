"""Is the daemon alive, and are its inputs fresh? Heartbeats by real progress, the word to systemd, the health file."""

from tracker.health.freshness import Freshness, file_freshness, source_freshness
from tracker.health.heartbeat import LONGEST_UNIT, Heartbeat
from tracker.health.notify import Notifier
from tracker.health.sign import SIGN_FRESH_SECONDS, Sign, read_sign, write_sign
from tracker.health.standstill import watch_loop

__all__ = [
    "LONGEST_UNIT",
    "SIGN_FRESH_SECONDS",
    "Freshness",
    "Heartbeat",
    "Notifier",
    "Sign",
    "file_freshness",
    "read_sign",
    "source_freshness",
    "watch_loop",
    "write_sign",
]
