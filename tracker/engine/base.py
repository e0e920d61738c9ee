"""Units of work, and one full pass over them. An engine carries no state of its own: everything that is due stands in a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Protocol

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


class Where(Enum):
    """Who does a kind of work where several workers share the database."""

    HERE = "here"
    """Every worker for itself: its own folder, its own memory."""
    ONE = "one"
    """One worker at a time."""
    MANY = "many"
    """As many as have a lane free: they take different rows."""


class Planned(Protocol):
    """Work that is claimed first and done then, by whoever is free: its rows are in a work item's hand (a fleet's polls)."""

    async def plan(self, enqueue: Callable[[Any, str, int], Awaitable[None]], room: int) -> None:
        """Make at most `room` work items by `enqueue` (connection, token, priority)."""
        ...

    async def work(self, token: str) -> Report:
        """Do one."""
        ...


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of work: `run` does one unit of it. It is kicked `every` so many seconds; `lanes` units may run side by side.

    On a fleet it is done `where` it says, the more urgent first (`priority`); what is `planned` is not run but planned there.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[Report]]
    lanes: int = 1
    where: Where = Where.MANY
    priority: int = 0
    planned: Planned | None = None


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
