"""Typed reading of answers: what does not fit its shape is rubbish, never half believed (faults row 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tracker.marketplaces.errors import Fault, MarketplaceError

T = TypeVar("T")
Id = int | str
"""An id on the wire: int64 or text. `str()` of it is ours; a float is refused."""


def decode(body: bytes | msgspec.Raw, shape: type[T], *, write: bool = False) -> T:
    """The answer in its shape. Raises MarketplaceError: transient, or ambiguous where it answers a write."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = Fault.AMBIGUOUS if write else Fault.TRANSIENT
        raise MarketplaceError(fault, f"an answer of another shape than documented: {type(error).__name__}") from error


def local_time(text: str, zone: str) -> datetime:
    """`yyyy-MM-dd HH:mm:ss` in `zone` as aware UTC; of a time that exists twice, or never, the earlier instant (D9).

    A deadline of ours counts from the earlier bound: extending an hour too early costs nothing. Raises
    MarketplaceError(transient).
    """
    try:
        naive = datetime.fromisoformat(text)
        if naive.tzinfo is not None:
            return naive.astimezone(UTC)
        place = ZoneInfo(zone)
        return min(naive.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        # OverflowError: the year 9999 that stands for "never", moved by a zone.
        raise MarketplaceError(Fault.TRANSIENT, "a date of another form than documented") from None
