"""All rules together: what decide() and release() may read, and how a parcel finds its own."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Hashable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from tracker.model import Capability
from tracker.rates import Rates
from tracker.rules.cases import CasePolicy
from tracker.rules.claims import ClaimSheet, CompensationRule, Timing
from tracker.rules.manners import LintList, Manners
from tracker.rules.markets import Marketplace, Store
from tracker.rules.notices import Notices
from tracker.rules.preparing import Preparing
from tracker.rules.quiet import QuietHours
from tracker.rules.remedies import Liability, PartialRule, RemedyRule
from tracker.rules.times import TimeRule
from tracker.rules.transit import (
    BEFORE_WINDOW_END,
    STAGES,
    Carrier,
    Learned,
    NumberHint,
    PrefixCapability,
    Profile,
    Season,
    Service,
    Untrackable,
)
from tracker.team import Team

_S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")


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
    notices: Notices = Notices()
    cases: CasePolicy = CasePolicy()
    remedies: tuple[RemedyRule, ...] = ()
    partials: tuple[PartialRule, ...] = ()
    """What is proposed by cause and value, first match first (R40)."""
    liability: tuple[Liability, ...] = ()
    """Who bears what the carrier reports, first match first (R14, R70)."""
    quiet: QuietHours = QuietHours()
    languages: Mapping[str, str] = {}
    """Destination country -> language of the messages; else `en`."""
    reviewed: frozenset[str] = frozenset({"en", "pt-BR"})
    messages_off: frozenset[str] = frozenset()
    """Message types that are switched off (placed, shipped, delivered ... by default)."""
    sources: Mapping[str, tuple[str, ...]] = {}
    """Carrier id -> the sources that are asked about it, first choice first; "*" for every other."""
    number_hints: tuple[NumberHint, ...] = ()
    """Patterns beyond the shipped ones (carriers/codes/number_hints.csv), looked at before those."""
    carriers: Mapping[str, Carrier] = {}
    tracking_page: str | None = None
    """Page that shows the number of a carrier that is not known, or has no page of its own; holds `{number}`."""
    capabilities: tuple[PrefixCapability, ...] = ()
    lint: tuple[LintList, ...] = ()
    team: Team = Team()
    rates: Rates = Rates()
    claim_sheets: tuple[ClaimSheet, ...] = ()
    """Forms, answers and statements of carriers, a carrier's own first."""
    learned: Mapping[str, Learned] = {}
    """What own deliveries say, by "COUNTRY/service"; used from `manners.learn_from` parcels on."""

    times: Mapping[str, tuple[TimeRule, ...]] = {}
    """The dates of each marketplace, "paypal" among them, in the profile of tracker.toml `[time]` (D3)."""
    store_times: Mapping[str, Mapping[str, tuple[TimeRule, ...]]] = {}
    """The same for stores that name a profile of their own."""
    preparing: Preparing = Preparing()
    zones: Mapping[str, str] = {}
    """Country of a marketplace's site -> the zone in which it counts days."""

    def times_of(self, store: str | None) -> Mapping[str, tuple[TimeRule, ...]]:
        """The time rules that hold for a store."""
        return self.store_times.get(store or "", self.times)

    @cached_property
    def shortest_claims(self) -> Mapping[str, int | None]:
        """Carrier -> the fewest days after posting within which claims that pay can be made; "*" for every other carrier.

        None: no such claim ever closes. Cheap to look up on the quiet path.
        """
        found: dict[str, int | None] = {"*": None}
        paying = [rule for rule in self.compensation if rule.basis != "none"]
        spans = [(rule, rule.latest_days or (rule.latest_months or 0) * 28) for rule in paying]
        named = {carrier for rule in paying for carrier in rule.carriers} | {"*"}
        for carrier in named | {each.id for each in self.carriers.values()}:
            post = carrier in self.carriers and self.carriers[carrier].post
            wide = {carrier, "*", *(("upu",) if post else ())}
            found[carrier] = min((days for rule, days in spans if days and wide & set(rule.carriers)), default=None)
        return found

    @cached_property
    def kinds(self) -> dict[Hashable, Any]:
        """What the quiet path worked out for each kind of order (policy.quiet), kept for as long as these rules."""
        return {}

    @cached_property
    def times_found(self) -> dict[tuple[str, str | None, str | None], TimeRule | None]:
        """What `tracker.times.find` found by rule, country and store, kept for as long as these rules."""
        return {}

    @cached_property
    def _profiles_found(self) -> dict[tuple[str | None, str, str | None, Capability | None], Profile]:
        return {}

    @cached_property
    def _ladders(self) -> Mapping[str, str]:
        return {service.service: service.ladder for service in self.services}

    def profile(
        self, country: str | None, service: str, *, store: str | None = None, tracking: Capability | None = None
    ) -> Profile:
        """(country, service), ("*", service), (country, "standard"), then the fallback (facts/transit.md section 1).

        A product without a profile of its own follows its ladder: `ems` that of `express`. Of each pair the profile for exactly
        this `tracking` goes first. Own deliveries replace its figures once there are enough; the `store`'s own days go first.
        """
        found = self._profiles_found.get((country, service, store, tracking))
        if found is None:
            found = self._tuned(self._match_profile(country, service, tracking), country, service, store)
            self._profiles_found[country, service, store, tracking] = found
        return found

    def _match_profile(self, country: str | None, service: str, tracking: Capability | None) -> Profile:
        ladder = self._ladders.get(service, service)
        for want in ((country, service), ("*", service), (country, ladder), ("*", ladder), (country, "standard")):
            fits = [each for each in self.profiles if (each.country, each.service) == want and each.tracking in {None, tracking}]
            if fits:
                return next((each for each in fits if each.tracking is not None), fits[0])
        return self.fallback

    def _learn(self, profile: Profile, country: str | None, service: str) -> Profile:
        """Stages at p80, p95 and p99 of own deliveries, stage 2 at least 10 days before the window ends (facts/transit.md).

        None lies after the protection's end, nor beyond the profile's limit.
        """
        own, least = self.learned.get(f"{country}/{service}"), self.manners.learn_from
        if own is None or not profile.learn or not least or own.count < least:
            return profile
        last = min(math.ceil(own.p99), profile.guarantee_days, profile.limit_days or profile.guarantee_days)
        second = min(math.ceil(own.p95), profile.guarantee_days - BEFORE_WINDOW_END, last - 1)
        first = min(math.ceil(own.p80), second - 1)
        if first < 1:
            return profile
        return msgspec.structs.replace(
            profile,
            p50=math.ceil(own.p50),
            p90=math.ceil(own.p90),
            p99=math.ceil(own.p99),
            stages=dict(zip(STAGES, (first, second, last), strict=True)),
            learned=own.count,
        )

    def _tuned(self, profile: Profile, country: str | None, service: str, store: str | None) -> Profile:
        """With the store's own days: what a person set is not mixed with what was learned."""
        shop = None if store is None else self.stores.get(store)
        days = None if shop is None else shop.stages.get(profile.id)
        if days:
            return msgspec.structs.replace(profile, stages={**profile.stages, **days})
        return self._learn(profile, country, service)

    @cached_property
    def _seasons_by_day(self) -> dict[date, tuple[Season, ...]]:
        return {}

    def seasons_on(self, day: date) -> tuple[Season, ...]:
        """The seasons that `day` lies in; most days lie in none."""
        found = self._seasons_by_day.get(day)
        if found is None:
            found = self._seasons_by_day[day] = tuple(each for each in self.seasons if each.start <= day <= each.end)
        return found

    def ladder(self, service: str) -> str:
        """The kind of profile that a product follows: standard, registered, express, economy."""
        return self._ladders.get(service, service)

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
