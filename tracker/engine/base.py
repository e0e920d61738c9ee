"""Units of work, and one full pass over them. An engine carries no state of its own: everything that is due stands in a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

ROUNDS = 12
"""Rounds of one full pass at most: news leads to decisions, decisions to sends and fresh questions, those to news."""


class Report(Protocol):
    """What a unit of work says about itself."""

    @property
    def worked(self) -> int:
        """How many rows it dealt with."""
        ...

    @property
    def more(self) -> bool:
        """Whether work is left that could be done now."""
        ...


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of work: `run` does one unit of it. It is kicked `every` so many seconds; `lanes` units may run side by side."""

    name: str
    every: float
    run: Callable[[], Awaitable[Report]]
    lanes: int = 1


class Engine(Protocol):
    """What makes the units run."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in hand. Raises what no tick can mend (the database is lost)."""
        ...


async def full_pass(units: Sequence[Unit], stop: asyncio.Event | None = None) -> None:
    """Do all that is due now, unit by unit, until nothing moves any more: `run --once`, and a step of the simulation."""
    for _ in range(ROUNDS):
        worked = 0
        for unit in units:
            more = True
            while more and not (stop and stop.is_set()):
                report = await unit.run()
                worked += report.worked
                more = report.more
        if not worked or (stop and stop.is_set()):
            return
