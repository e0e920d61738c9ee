"""What operators are told, ready for any way to tell it; never for buyers."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message: a headline and lines. `key` is the same for a repetition, so that a receiver can tell; `at` aware UTC."""

    key: str
    kind: str
    title: str
    lines: tuple[str, ...]
    at: datetime
    language: str
    store: str | None = None

    @property
    def text(self) -> str:
        """All of it, line by line."""
        return "\n".join((self.title, "", *self.lines)) + "\n"


class Sink(Protocol):
    """A way to operators."""

    async def tell(self, notice: Notice) -> None:
        """Hand it over. Raises `Refused` with what is wrong; doubtful counts as refused: operators may hear a thing twice."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
