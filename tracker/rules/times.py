"""When something opens, closes or is due at a marketplace (time-rules.toml, D3)."""

from __future__ import annotations

import msgspec


class TimeRule(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a marketplace in the chosen `profile` (current | seed): `offset` units `direction` the `anchor`.

    `unit` is days, business_days, hours or minutes; days and business days keep the wall clock of `tz`: an IANA zone, UTC, or
    marketplace | region (the zone of the site's country) | value-offset (that of the value). Of a window `offset_max` counts to
    its end, from `end_anchor` (default: `anchor`). `anchor` is an event of the product, `rule:<id>` or `api:<field>`.
    """

    id: str
    marketplace: str
    kind: str
    tz: str
    anchor: str
    offset: int
    unit: str
    direction: str
    confidence: str
    """high | medium | low; low is a hint to people, never acted on alone."""
    profile: str = "current"
    item: str = ""
    consequence: str = ""
    offset_max: int | None = None
    end_anchor: str | None = None
    regions: frozenset[str] = frozenset()
    """Countries it holds for, before the general rule; empty = everywhere."""
    calendar: str | None = None
    limits_promise: bool = False
    """Its result (of a window: the end) is a last day on which the buyer can complain (D18)."""
    choices: tuple[int, ...] = ()
    case: frozenset[str] = frozenset()
    """The kinds of case whose answer it dates (CaseKind words)."""
    opens: frozenset[str] = frozenset()
    """The kinds of case that the buyer can open from this date on (of a window_close: until then)."""
    ships: bool = False
    """Its date is the last day to ship (R60)."""
    base: TimeRule | None = None
    """The rule that an anchor `rule:<id>` names, in the same profile."""
