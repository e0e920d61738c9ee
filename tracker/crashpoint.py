"""Named points at which a test may kill this process: a crash there loses nothing and sends nothing twice (faults 1, 2).

Armed by the environment variable TRACKER_CRASH_AT (a name, or `name:3` for the third passage); unset, a point costs one
comparison.
"""

from __future__ import annotations

import os
import signal

_ARMED = ""
_left = [1]


def arm(where: str) -> None:
    """Die at this point: a name, `name:3` for its third passage from now on, or an empty text for nowhere."""
    global _ARMED
    _ARMED, _, count = where.partition(":")
    _left[0] = int(count or 1)


arm(os.environ.get("TRACKER_CRASH_AT", ""))


def fault(name: str) -> None:
    """Die here by SIGKILL when armed: no handler runs, nothing is flushed."""
    if name == _ARMED:
        _left[0] -= 1
        if _left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
