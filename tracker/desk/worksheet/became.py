"""What is asked of a worksheet's line, and what became of it: taken, said before, or refused and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.rules import Rules
from tracker.store import Store


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word it is, and by which rules. `zone_of` gives the zone in which a store's marketplace shows its dates (D9)."""

    store: Store
    rules: Rules
    by: str
    now: datetime
    words: Mapping[str, frozenset[str]]
    zone_of: Callable[[str], str]


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was written: the order's facts version afterwards; who said the first of two words, where it wants two."""

    version: int
    first: str | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that nothing stands against but, maybe, that the order's facts have a newer `version` than the line.

    `act` writes it, given the facts version it is made on. `locked`: in the person's own hands, whatever has moved. `pays` is
    what it approves, and in which currency.
    """

    order_id: int
    version: int
    word: str
    act: Callable[[int], Awaitable[Acted]]
    locked: bool = False
    pays: tuple[Decimal, str] | None = None


class Same(msgspec.Struct, frozen=True, kw_only=True):
    """The same was decided before: nothing is to be written. `steps` is how far that took the order's facts version."""

    order_id: int
    word: str
    steps: int
    first: str | None = None


class Fate(StrEnum):
    """taken: written now. unchanged: the same was decided before. refused: nothing was written, for a reason."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Became(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `word` is what was decided; `problem` why it was refused; `first` who has said the first of two words."""

    filled: Filled
    fate: Fate
    word: str | None = None
    problem: NotTaken | None = None
    first: str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. `approves` are the sums by currency of the `refunds` it approves: of what was taken, nothing else.

    `silent` lines held no decision and were left alone.
    """

    lines: Sequence[Became]
    silent: int
    refunds: int
    approves: Mapping[str, Decimal]

    def of(self, fate: Fate) -> list[Became]:
        """The lines with this fate."""
        return [line for line in self.lines if line.fate is fate]
