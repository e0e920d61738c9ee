"""Imported by the fork server alone: what a daemon or a command imports late, so that its children start in no time."""

from __future__ import annotations

import time_machine  # noqa: F401

from tests.chaos import processes  # noqa: F401
from tests.daemon import warm  # noqa: F401
from tracker.cli import db, hold, imports, outbox, review, run, tasks  # noqa: F401
