"""The compiled rules: what tracker.config builds from TOML and tracker.policy reads.

Pure values: no parsing, no defaults of money. Days are calendar days unless a name says `biz` (working days). Every rule
carries the id under which an override, `explain`, the log and the tests know it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

import msgspec

from tracker.model import Capability, Channel, Intent, Mode, Phase
from tracker.rates import Rates
from tracker.team import Team

STAGES = (Intent.STAGE1, Intent.STAGE2, Intent.STAGE3)
_S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Days without any scan: look closer, ask the carrier (draft the claim), verdict (facts/transit.md section 3)."""

    watch: int
    investigate: int
    probable_loss: int


class Profile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A destination's ladder and thresholds (destinations.toml). `stages` maps stage1, stage2, stage3 to days; they increase."""

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

    @cached_property
    def steps(self) -> tuple[timedelta | None, ...]:
        """From day 0 to each of STAGES; None for a stage that this ladder lacks."""
        return tuple(None if stage not in self.stages else timedelta(days=self.stages[stage]) for stage in STAGES)


class Untrackable(msgspec.Struct, frozen=True, kw_only=True):
    """When a parcel counts as untrackable (destinations.toml [untrackable]); only what a source answered counts."""

    pre_scan_task_biz: int
    pre_scan_verdict_biz: int
    two_sources_answers: int
    two_sources_days: int
    one_source_answers: int
    one_source_days: int
    fresh_not_found_hours: int


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """Days that silence and loss verdicts gain on a leg (D19): origin, destination or any; inclusive local dates."""

    id: str
    leg: str
    country: str | None
    start: date
    end: date
    add_days: int


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


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """How a marketplace's delivery window is extended (R7): mode api | manual | none."""

    mode: str
    trigger_days: int
    days: tuple[int, ...]
    max_extensions: int


class LastDay(msgspec.Struct, frozen=True, kw_only=True):
    """A last day on which the buyer can complain: `days` after `anchor` (promised | paid | window_end), facts/time-rules.toml."""

    anchor: str
    days: int


class Marketplace(msgspec.Struct, frozen=True, kw_only=True):
    """What a marketplace allows (marketplaces.toml). `channel` carries buyers' messages there."""

    id: str
    names: tuple[str, ...] = ()
    """How files name it (速卖通, AliExpress ...)."""
    channel: Channel
    own_shop: bool
    zone: str
    extension: Extension
    window_field: bool = False
    messages_off: frozenset[str] = frozenset()
    tasks_for: frozenset[str] = frozenset()
    """On a manual channel: the types that become a task each (D17)."""
    grouped: frozenset[str] = frozenset()
    """On a manual channel: the types that become one grouped worksheet a day."""
    order_url: str | None = None
    max_characters: int | None = None
    freeze_days: int = 0
    """What an untrackable parcel under dispute costs (D6): shown, never computed with."""
    last_complaint: tuple[LastDay, ...] = ()
    """Where the seller cannot extend: the earliest of them limits a promised deadline (D18); empty = the day is not known."""


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One shop of the seller (stores/<id>.toml)."""

    id: str
    platform: str
    name: str
    zone: str
    currency: str | None
    mode: Mode
    modes: Mapping[str, Mode] = {}
    """Mode per message type; overrides `mode` (D22)."""
    channel: Channel | None = None
    sender: str | None = None
    signature: str | None = None
    names: tuple[str, ...] = ()
    """How files name this store (店铺账号, footer, ...)."""
    hourly_cap: int | None = None
    default_country: str | None = None
    payment_hint: str | None = None
    refund_offer_approved: bool = True
    """The standing offer of stage2, approved once per store (D11)."""
    files_every_h: int | None = None
    """How often an order file of this store is expected, hours; None: nobody watches (D20)."""

    def mode_for(self, template: str) -> Mode:
        """Mode of one message type."""
        return self.modes.get(template, self.mode)


class CompensationRule(msgspec.Struct, frozen=True, kw_only=True):
    """One carrier's terms (compensation.toml; keys explained in its head). Amounts are decimals with their currency."""

    id: str
    carriers: tuple[str, ...]
    phase: Phase
    clock: str
    earliest_days: int
    services: tuple[str, ...] = ()
    origin: str | None = None
    match: re.Pattern[str] | None = None
    country: str | None = None
    """Whose working days `day_kind = "biz"` counts: the origin, else the carrier's home."""
    earliest_clock: str | None = None
    earliest_days_eu: int | None = None
    earliest_days_domestic: int | None = None
    day_kind: str = "cal"
    latest_days: int | None = None
    latest_months: int | None = None
    damage_latest_days: int | None = None
    basis: str = "none"
    multiple: Decimal | None = None
    cap_amount: Decimal | None = None
    cap_per_kg: Decimal | None = None
    cap_currency: str | None = None
    refund_postage: bool = False
    inquiry_only: bool = False
    settled_by: str | None = None
    seller_may_file: tuple[str, ...] = ()
    """The only complaint types a seller may file where the platform settles non-receipt."""
    max_attempts: int | None = None
    response_days: int | None = None
    response_day_kind: str = "cal"
    appeal_days: int | None = None
    payout_days: int | None = None
    payout_day_kind: str = "cal"
    evidence: tuple[str, ...] = ()
    evidence_not_before: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    evidence_of_rule: str = "unverified"
    unverified_fields: tuple[str, ...] = ()
    note: str = ""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When claims start and warn (compensation.toml [timing])."""

    warn_days: tuple[int, ...] = (14, 5)
    start: str = "investigate"


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """Caps and limits of outreach (R45, D20-D25; tracker.toml [outreach], [refunds])."""

    rounds: int = 3
    quiet_hours_between: int = 72
    hourly_cap: int = 60
    """Of a store's first month; a limit of its own goes before both."""
    hourly_cap_later: int = 240
    stale_stage_days: int = 5
    ramp_share: Decimal = Decimal("0.1")
    ramp_floor: int = 20
    """A backlog this small goes out on its first day (D21)."""
    facts_age_message_hours: int = 48
    facts_age_money_hours: int = 24
    moved_within_days: int = 10
    refund_before_window_days: int = 7
    recommendation_days: int = 7
    buyer_waiting_hours: int = 24
    plausibility_factor: int = 3
    plausibility_parcels: int = 20
    grace_days_after_promise: int = 5
    second_person_above: Mapping[str, Decimal] = {}
    """Refunds above it want two people, by currency (D23); without any figure one is enough."""
    bulk_up_to: Mapping[str, Decimal] = {}
    """Refunds up to it can be approved many at once, by currency (D23)."""
    cutover_window_days: int = 10
    """Of an order taken over on its way, old refund advice is live danger so many days before the window closes."""
    cutover_claim_days: int = 14
    """And an old claim so many days before its own window closes."""
    delay_days: int = 15
    """The delay that the text `delay` names where nothing better is known: one extension's length."""


class LintList(msgspec.Struct, frozen=True, kw_only=True):
    """One list of the content lint (lint.toml, facts/messages.md section 6); it blocks texts of its `platforms` ("*" = all).

    `words`: one of them within `within` words of one of `near` (either order; None = anywhere in the text; empty `near` = it
    alone). `patterns` are regular expressions. Both see the folded text: lower case, without diacritics. `exact` patterns see
    the text as it is. `links`: "any" | "own" (only the parcel's tracking page) | "none".
    """

    id: str
    platforms: tuple[str, ...]
    why: str
    words: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: int | None = None
    patterns: tuple[re.Pattern[str], ...] = ()
    exact: tuple[re.Pattern[str], ...] = ()
    links: str = "any"


class Rules(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything decide() and release() may read. `version` is the hash of the merged config, a column of every effect."""

    version: str
    profiles: tuple[Profile, ...]
    fallback: Profile
    untrackable: Untrackable
    seasons: tuple[Season, ...]
    services: tuple[Service, ...]
    marketplaces: Mapping[str, Marketplace]
    stores: Mapping[str, Store]
    compensation: tuple[CompensationRule, ...]
    compensation_default: CompensationRule
    timing: Timing
    manners: Manners
    languages: Mapping[str, str] = {}
    """Destination country -> language of the messages; else `en`."""
    reviewed: frozenset[str] = frozenset({"en", "pt-BR"})
    messages_off: frozenset[str] = frozenset()
    """Message types that are switched off (placed, shipped, delivered ... by default)."""
    sources: Mapping[str, tuple[str, ...]] = {}
    """Carrier id -> the sources that are asked about it, first choice first; "*" for every other."""
    carriers: Mapping[str, Carrier] = {}
    tracking_page: str | None = None
    """Page that shows the number of a carrier that is not known, or has no page of its own; holds `{number}`."""
    capabilities: tuple[PrefixCapability, ...] = ()
    lint: tuple[LintList, ...] = ()
    team: Team = Team()
    rates: Rates = Rates()

    @cached_property
    def _profiles_found(self) -> dict[tuple[str | None, str], Profile]:
        return {}

    @cached_property
    def _ladders(self) -> Mapping[str, str]:
        return {service.service: service.ladder for service in self.services}

    def profile(self, country: str | None, service: str) -> Profile:
        """(country, service), ("*", service), (country, "standard"), then the fallback (facts/transit.md section 1).

        A product without a profile of its own follows its ladder: `ems` that of `express`.
        """
        found = self._profiles_found.get((country, service))
        if found is None:
            found = self._profiles_found[country, service] = self._match_profile(country, service)
        return found

    def _match_profile(self, country: str | None, service: str) -> Profile:
        ladder = self._ladders.get(service, service)
        for want in ((country, service), ("*", service), (country, ladder), ("*", ladder), (country, "standard")):
            for profile in self.profiles:
                if (profile.country, profile.service) == want:
                    return profile
        return self.fallback

    def service(self, text: str) -> Service | None:
        """The service that a channel's text in a file means; None where services.toml does not know it."""
        folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        return next((each for each in self.services if any(pattern.search(folded) for pattern in each.patterns)), None)

    def capability(self, number: str, country: str | None) -> Capability:
        """What tracking can show for an S10 number to `country`, by its first letter; END_TO_END for every other number."""
        if _S10.fullmatch(number):
            for each in self.capabilities:
                if number[0] in each.prefixes and (not each.countries or country in each.countries):
                    return each.tracking
        return Capability.END_TO_END

    def marketplace(self, platform: str) -> Marketplace:
        """The marketplace of an order; KeyError is a configuration error that `config check` and import find first."""
        return self.marketplaces[platform]

    def language(self, country: str | None) -> str:
        """Language of a destination, else English."""
        return self.languages.get(country or "", "en")
