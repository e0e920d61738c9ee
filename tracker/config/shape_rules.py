"""The shapes of the files of rules: destinations, calendar, services, carriers, compensation, lint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tracker.config.shape import Country, Currency, Days, Entry, Hours, Positive, Regex, Shape, Versioned, Zone
from tracker.model import Capability, ClaimState, Phase

Clock = Literal["posted", "first_scan", "promised", "last_scan"]
DayKind = Literal["cal", "biz"]


class Stages(Shape):
    """Days of the stages."""

    stage1: Days
    stage2: Days
    stage3: Days


class Stale(Shape):
    """Days without any scan."""

    watch: Days
    investigate: Days
    probable_loss: Days


class Ladder(Shape):
    """What a profile and the fallback share."""

    p50: Days
    p90: Days
    p99: Days
    promise_days: Days
    guarantee_days: Days
    stage_days: Stages
    stale_days: Stale
    promise_by_platform: Mapping[str, Days] = {}


class Fallback(Ladder):
    """[fallback]."""

    evidence_of_rule: str | None = None


class Profile(Entry, Ladder):
    """A [[profile]]."""

    country: Country
    service: str
    tracking: Capability | None = None
    limit_days: Positive | None = None
    learn: bool = True


class NotFound(Shape):
    """How many answers over how many days confirm a *not found*."""

    not_found_answers: Positive
    over_days: Days


class Untrackable(Shape):
    """[untrackable]."""

    pre_scan_task_biz: Days
    pre_scan_verdict_biz: Days
    two_sources: NotFound
    one_source: NotFound
    fresh_not_found_hours: Hours
    customs_hold_days: Days


class PrefixCapability(Entry):
    """A [[capability]]."""

    prefixes: tuple[Annotated[str, Field(pattern="^[A-Z]$")], ...]
    tracking: Capability
    countries: tuple[Country, ...] = ()


class DestinationsFile(Versioned):
    """destinations.toml."""

    untrackable: Untrackable
    fallback: Fallback
    capability: tuple[PrefixCapability, ...] = ()
    profile: tuple[Profile, ...] = ()


def _month_day(text: str) -> str:
    try:
        date.fromisoformat(f"2023-{text}")
    except ValueError as error:
        raise ValueError(f'has to be a day that every year has, as "MM-DD" (got "{text}")') from error
    return text


MonthDay = Annotated[str, AfterValidator(_month_day)]


class Season(Entry):
    """A [[season]]: around a feast, or from one day of the year to another."""

    leg: Literal["origin", "destination", "any"]
    country: Country | None = None
    feast: Literal["spring_festival", "carnival"] | None = None
    start_days: int = 0
    end_days: int = 0
    start: MonthDay | None = None
    end: MonthDay | None = None
    add_days: Days
    causes: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if (self.feast is None) == (self.start is None or self.end is None):
            raise ValueError("needs either a feast, or start and end")
        return self


class RegionZone(Entry):
    """A [[zone]]: whose clock the states of a country keep; without `regions` that of every state that is not named."""

    country: Country
    zone: Zone
    regions: tuple[str, ...] = ()


class CalendarFile(Versioned):
    """calendar.toml."""

    season: tuple[Season, ...] = ()
    zone: tuple[RegionZone, ...] = ()


class Service(Entry):
    """A [[service]]."""

    match: Annotated[tuple[Regex, ...], Field(min_length=1)]
    carrier: str | None = None
    service: str
    ladder: Literal["standard", "registered", "express", "economy"] = "standard"
    capability: Capability | None = None
    settled_by: Literal["platform"] | None = None
    contract: str | None = None


class ServicesFile(Versioned):
    """services.toml."""

    service: tuple[Service, ...] = ()


TrackingPage = Annotated[str, Field(pattern=r"^https?://.*\{number\}")]
"""A public page that shows one number."""


class Carrier(Entry):
    """A [[carrier]]."""

    name: str
    url: TrackingPage | None = None
    country: Country | None = None
    post: bool = False
    sources: tuple[str, ...] = ()
    codes: Mapping[str, str] = {}


class NumberHint(Entry):
    """A [[hint]]."""

    pattern: Regex
    carrier: str
    likely: bool = True


class CarriersFile(Versioned):
    """carriers.toml."""

    default_sources: tuple[str, ...] = ()
    default_url: TrackingPage | None = None
    carrier: tuple[Carrier, ...] = ()
    hint: tuple[NumberHint, ...] = ()


class Terms(Shape):
    """What a claim rule and the defaults share."""

    clock: Clock
    earliest_days: Days
    latest_days: Days | None = None
    day_kind: DayKind = "cal"
    basis: Literal["none", "declared", "declared_plus_freight", "item_price", "postage_multiple", "sdr", "per_kg", "insured"]


class ClaimRule(Entry, Terms):
    """A [[rule]]."""

    carriers: Annotated[tuple[str, ...], Field(min_length=1)]
    phase: Phase
    services: tuple[str, ...] = ()
    origin: Country | None = None
    match: Regex | None = None
    earliest_clock: Clock | None = None
    earliest_days_eu: Days | None = None
    earliest_days_domestic: Days | None = None
    latest_months: Positive | None = None
    damage_latest_days: Days | None = None
    multiple: Decimal | None = None
    cap_amount: Decimal | None = None
    cap_per_kg: Decimal | None = None
    cap_currency: Currency | None = None
    refund_postage: bool = False
    inquiry_only: bool = False
    settled_by: Literal["platform"] | None = None
    seller_may_file: tuple[str, ...] = ()
    max_attempts: Positive | None = None
    response_days: Days | None = None
    response_day_kind: DayKind = "cal"
    appeal_days: Days | None = None
    payout_days: Days | None = None
    payout_day_kind: DayKind = "cal"
    evidence: tuple[str, ...] = ()
    evidence_not_before: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    unverified_fields: tuple[str, ...] = ()


class Timing(Shape):
    """[timing]."""

    start: Literal["watch", "investigate", "probable_loss"]
    warn_days: tuple[Days, ...]
    inquiry_above: Mapping[Currency, Decimal] = {}


class ClaimSheet(Entry):
    """A [[sheet]]: a form for a carrier, its answers, its statement."""

    kind: Literal["form", "answers", "statement"]
    carriers: Annotated[tuple[str, ...], Field(min_length=1)]
    columns: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    ignore: tuple[str, ...] = ()
    words: Mapping[ClaimState, tuple[str, ...]] = {}
    currency: Currency | None = None
    tolerance: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class CompensationFile(Versioned):
    """compensation.toml."""

    defaults: Terms
    timing: Timing
    rule: tuple[ClaimRule, ...] = ()
    sheet: tuple[ClaimSheet, ...] = ()


class LintList(Entry):
    """A [[list]]."""

    platforms: Annotated[tuple[str, ...], Field(min_length=1)]
    why: str
    words: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: Positive | None = None
    patterns: tuple[Regex, ...] = ()
    exact: tuple[Regex, ...] = ()
    links: Literal["any", "own", "none"] = "any"


class LintFile(Versioned):
    """lint.toml."""

    list: tuple[LintList, ...] = ()
