"""What marketplaces' APIs tell and do: windows over time, orders to ask about, extensions in doubt, capabilities."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tracker.model import OutboxState


class DueWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One order whose window is to be read. `failures`: reads in a row without an answer about it."""

    order_id: int
    number: str
    failures: int


class WindowSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What an API said of a window. `over`: the order is finished or closed there. `next_at`: read it again then (epoch)."""

    end: datetime | None
    proof: str
    over: bool = False
    next_at: int | None = None


class Doubtful(msgspec.Struct, frozen=True, kw_only=True):
    """An extension of which nobody has proven yet whether it was made: its window has to be read back.

    `end_before` is the end that it was to move (its UTC midnight where only the day is known), `at` when it was asked for.
    """

    row_id: int
    order_id: int
    key: str
    number: str
    state: OutboxState
    end_before: datetime
    at: datetime
    days: int | None


class Capable(msgspec.Struct, frozen=True, kw_only=True):
    """One capability of one account: when it was read last, is read next (epoch); why and since when it is switched off."""

    account: str
    capability: str
    read_at: int | None = None
    next_at: int = 0
    stopped_at: datetime | None = None
    fault: str | None = None
    why: str | None = None
