"""Named points at which a test may kill this process: a crash there loses nothing and sends nothing twice (faults 1, 2).

Armed by the environment variable TRACKER_CRASH_AT (a name, or `name:3` for the third passage); unset, a point costs one
comparison.
"""

from __future__ import annotations

import os
import signal

_ARMED, _, _COUNT = os.environ.get("TRACKER_CRASH_AT", "").partition(":")
_left = [int(_COUNT or 1)]


def fault(name: str) -> None:
    """Die here by SIGKILL when armed: no handler runs, nothing is flushed."""
    if name == _ARMED:
        _left[0] -= 1
        if _left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
