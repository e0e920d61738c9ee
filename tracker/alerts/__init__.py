"""Operators are told: what holds is watched, grouped by kind and shift, and said at least once (D24)."""

from tracker.alerts.teller import Teller
from tracker.alerts.watch import Watcher

__all__ = ["Teller", "Watcher"]
