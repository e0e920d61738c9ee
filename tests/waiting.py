"""Waiting for what has to come. A busy machine is no failure: what comes late has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 45.0
"""Seconds, below the end that pytest puts to a test, so that who waits in vain says for what."""

_LOOK = 0.02


async def until(true: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    end = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < end, "it never came to pass"
        await asyncio.sleep(_LOOK)
