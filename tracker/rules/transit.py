"""How long parcels take and what their tracking shows: ladders, silence, seasons, carriers, services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property

import msgspec

from tracker.model import Capability, Intent

STAGES = (Intent.STAGE1, Intent.STAGE2, Intent.STAGE3)
BEFORE_WINDOW_END = 10
"""Days between stage 2 and the end of the window, where own deliveries say the days (facts/transit.md)."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Days without any scan: look closer, ask the carrier (draft the claim), verdict (facts/transit.md section 3)."""

    watch: int
    investigate: int
    probable_loss: int


class Profile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A destination's ladder and thresholds (destinations.toml). `stages` maps stage1, stage2, stage3 to days; they increase.

    `tracking`: it holds only for parcels whose tracking shows so much; None = for all.
    """

    id: str
    country: str
    service: str
    p50: int
    p90: int
    p99: int
    promise_days: int
    guarantee_days: int
    stages: Mapping[Intent, int]
    silence: Silence
    promise_by_platform: Mapping[str, int] = {}
    tracking: Capability | None = None
    limit_days: int | None = None
    """Beyond it no buyer is patient: what own deliveries say never moves a stage past it (R5)."""
    learn: bool = True
    """Whether own deliveries may replace these figures."""
    learned: int = 0
    """From how many own deliveries the figures are; 0: they are the configured ones."""

    @cached_property
    def steps(self) -> tuple[timedelta, ...]:
        """From day 0 to each of STAGES: a ladder has all of them."""
        return tuple(timedelta(days=self.stages[stage]) for stage in STAGES)


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What own deliveries took to one country by one service: days from day 0 by percentile, over `count` parcels."""

    count: int
    p50: float
    p80: float
    p90: float
    p95: float
    p99: float


class Untrackable(msgspec.Struct, frozen=True, kw_only=True):
    """When a parcel counts as untrackable (destinations.toml [untrackable]); only what a source answered counts."""

    pre_scan_task_biz: int
    pre_scan_verdict_biz: int
    two_sources_answers: int
    two_sources_days: int
    one_source_answers: int
    one_source_days: int
    fresh_not_found_hours: int
    customs_hold_days: int = 60
    """Days without a scan after which silence speaks of a parcel that customs hold, too."""


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """Days that silence and loss verdicts gain on a leg (D19): origin, destination or any; inclusive local dates."""

    id: str
    leg: str
    country: str | None
    start: date
    end: date
    add_days: int
    causes: Mapping[str, str] = {}
    """The words for `{cause}` by language, where the buyer is told (R35)."""

    @property
    def occasion(self) -> str:
        """This year's instance: what a buyer is told of a season, he is told once a year."""
        return f"{self.id}-{self.start.year}"


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """Who transports (carriers.toml): its name on paper, its public tracking page, whose working days it keeps.

    `url` holds `{number}`; `post` marks designated postal operators, whose parcels fall back to the UPU's claim terms; `codes`
    are the numbers under which sources know this carrier (source's adapter name -> code).
    """

    id: str
    name: str
    url: str | None = None
    country: str | None = None
    post: bool = False
    sources: tuple[str, ...] = ()
    codes: Mapping[str, str] = {}


class NumberHint(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that look like this `pattern` (a regular expression over the normal form) may be of `carrier` (carriers.toml).

    A hint, never a verdict: the carrier that a file or a person names wins.
    """

    id: str
    pattern: str
    carrier: str
    likely: bool = True


class PrefixCapability(msgspec.Struct, frozen=True, kw_only=True):
    """What tracking shows by the first letter of an S10 number, where services.toml is silent (destinations.toml)."""

    id: str
    prefixes: tuple[str, ...]
    tracking: Capability
    countries: tuple[str, ...] = ()
    """Destinations it holds for; empty = everywhere."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A bought service (services.toml): which texts of files mean it, and what it is.

    `service` is the product's name (claim rules match it), `ladder` the kind of profile it follows: standard, registered,
    express, economy. The first service whose pattern is found in the text wins; the operator's own entries come first.
    """

    id: str
    patterns: tuple[re.Pattern[str], ...]
    carrier: str | None
    service: str
    ladder: str = "standard"
    capability: Capability | None = None
    settled_by: str | None = None
    contract: str | None = None
