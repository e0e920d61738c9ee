"""Options that many commands share, and how their values are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter, Token

EVERYWHERE = Group("Every command", sort_key=9)


def read_time(text: str) -> datetime:
    """An instant: `2026-03-01`, `2026-03-01T12:30`, with `Z`, an offset, or neither, then it is UTC. Raises ValueError."""
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; write 2026-03-01 or 2026-03-01T12:30Z") from None


def read_date(text: str) -> date:
    """A calendar day: `2026-03-01`. Raises ValueError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2026-03-01") from None


def read_amount(text: str) -> Decimal:
    """An amount of money: `12.50`. Raises ValueError."""
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount; write 12.50") from None


def _time(_hint: object, tokens: Sequence[Token]) -> datetime:
    return read_time(tokens[0].value)


def _date(_hint: object, tokens: Sequence[Token]) -> date:
    return read_date(tokens[0].value)


def _amount(_hint: object, tokens: Sequence[Token]) -> Decimal:
    return read_amount(tokens[0].value)


Time = Annotated[datetime, Parameter(converter=_time, n_tokens=1)]
Day = Annotated[date, Parameter(converter=_date, n_tokens=1)]
Amount = Annotated[Decimal, Parameter(converter=_amount, n_tokens=1)]


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class Common:
    """What every command takes."""

    config: Annotated[
        Path | None, Parameter(group=EVERYWHERE, help="The tracker.toml to use; its siblings are read with it.")
    ] = None
    json: Annotated[bool, Parameter(group=EVERYWHERE, negative=(), help="One JSON document on stdout.")] = False


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class At(Common):
    """What a command takes that may run as of another time."""

    at: Annotated[
        Time | None,
        Parameter(group=EVERYWHERE, help="As of this time (UTC). A command that writes takes it on a rehearsal database only."),
    ] = None


@Parameter(name="*")
@dataclasses.dataclass(frozen=True)
class Person(At):
    """What a decision takes: who decides."""

    by: Annotated[
        str | None,
        Parameter(
            env_var="TRACKER_BY",
            help="Whose word it is: an id or name of team.toml; without a team any name, by default your login name (not root).",
        ),
    ] = None
