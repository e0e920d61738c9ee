"""What a source pushed, and what is waiting of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Pushed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One slice that waits to be heard. `at` is the epoch second at which it came."""

    id: int
    account: str
    number: str
    slice: bytes
    at: int


class PushCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Slices that wait to be heard, and how many bodies each account pushed since an instant (duplicates count once)."""

    waiting: int
    received: Mapping[str, int]
