"""Values on their way into a statement and out of a row: the same text forms on both databases.

A time is kept as a UTC column and travels as SQLite's text for it, also to and from PostgreSQL: so every statement and every
reader is written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias

Record: TypeAlias = Any
"""A row as the driver gives it: which columns it has is known to its statement alone."""

_PLAIN = frozenset({str, int, bytes, float, bool, type(None)})


def marks(count: int) -> str:
    """As many placeholders."""
    return ",".join("?" * count)


def bound(values: Sequence[object]) -> tuple[object, ...]:
    """Values as the driver takes them: aware UTC datetimes as SQLite stores them, enums as their word."""
    return tuple([value if type(value) in _PLAIN else _ready(value) for value in values])


def _ready(value: object) -> object:
    if isinstance(value, datetime):
        return stored(value)
    return value.value if isinstance(value, Enum) else value


def stored(at: datetime | None) -> str | None:
    """An aware instant in the form that the tables' UTC columns have on SQLite."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def required(text: str) -> datetime:
    """The aware UTC instant of a stored one in a column that is never NULL."""
    return datetime.fromisoformat(text + "+00:00")


def instant_of(text: str | None) -> datetime | None:
    """The aware UTC instant of a stored one."""
    return None if text is None else required(text)
