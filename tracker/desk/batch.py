"""One decision about several rows: each stands for itself, a refused one does not stop the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from tracker.desk.errors import Refused
from tracker.store.errors import Conflict, NotThere

View = TypeVar("View")


class Outcome(msgspec.Struct, Generic[View], frozen=True, kw_only=True):
    """What became of one id: the row as it is now, or why it stayed as it was."""

    id: int
    view: View | None = None
    refused: str | None = None


async def each(ids: Iterable[int], act: Callable[[int], Awaitable[View]]) -> list[Outcome[View]]:
    """Do it for every id, in the order given and once each. What is refused is an outcome; what is broken is raised."""
    outcomes: list[Outcome[View]] = []
    for number in dict.fromkeys(ids):
        try:
            outcomes.append(Outcome(id=number, view=await act(number)))
        except (Refused, Conflict, NotThere) as error:
            outcomes.append(Outcome(id=number, refused=str(error)))
    return outcomes
