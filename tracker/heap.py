"""The garbage collector of a process that runs for months: what the start has loaded is never walked again (docs/performance.md).

Nearly everything here is freed by its last reference; the collector is for the few cycles that exceptions and tasks make. Left at
its defaults it walks hundreds of thousands of functions and classes again and again: a unit of work makes many objects at once.
"""

from __future__ import annotations

import gc

_YOUNG = 25_000
"""New containers after which the young ones are looked at: some megabytes of cycles at most."""


def settle() -> None:
    """Call once, when everything is imported: leave it out of every later round, and make the rounds rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
