"""The shape of time-rules.toml: dates of marketplaces as data, in two profiles (D3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tracker.config.shape import Country, Days, Entry, Shape, Versioned, Zone, zone
from tracker.model import CaseKind

Unit = Literal["days", "business_days", "hours", "minutes"]
Kind = Literal[
    "deadline",
    "warning",
    "target",
    "window",
    "window_open",
    "window_close",
    "action",
    "buyer_action",
    "duration",
    "metric",
    "refusal",
]
TimeProfile = Literal["current", "seed"]
RELATIVE = frozenset({"marketplace", "region", "value-offset"})
"""Zones that are looked up for each order; every other word has to be a zone."""


def _zone_or_word(name: str) -> str:
    return name if name in RELATIVE else zone(name)


class Figure(Shape):
    """`profiles.current` or `profiles.seed` of a [[rule]]."""

    anchor: Annotated[str, Field(min_length=1)]
    offset: Days
    unit: Unit
    direction: Literal["after", "before"] = "after"
    offset_max: Days | None = None
    end_anchor: str | None = None
    choices: tuple[Annotated[int, Field(ge=1)], ...] = ()
    value: float | None = None
    consequence: str = ""
    confidence: Literal["high", "medium", "low"]
    note: str = ""


class Figures(Shape):
    """Today's figure, and the one of the older guides where they give one."""

    current: Figure
    seed: Figure | None = None


class TimeRule(Entry):
    """A [[rule]] of time-rules.toml."""

    marketplace: str
    item: Annotated[str, Field(min_length=1)]
    kind: Kind
    tz: Annotated[str, AfterValidator(_zone_or_word)]
    calendar: Literal["marketplace"] | None = None
    regions: frozenset[Country] = frozenset()
    case: frozenset[CaseKind] = frozenset()
    opens: frozenset[CaseKind] = frozenset()
    ships: bool = False
    limits_promise: bool = False
    requirements: tuple[str, ...] = ()
    profiles: Figures


class TimesFile(Versioned):
    """time-rules.toml."""

    zones: Mapping[Country, Zone] = {}
    rule: tuple[TimeRule, ...] = ()
