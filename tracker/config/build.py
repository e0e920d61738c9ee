"""From checked shapes to the compiled rules that decide() reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from carriers import registry
from tracker.config.accounts import by_api
from tracker.config.quiet import build_quiet
from tracker.config.seasons import seasons
from tracker.config.shape_cases import CasesFile
from tracker.config.shape_market import Marketplace as MarketplaceShape
from tracker.config.shape_market import MarketplacesFile, StoreFile
from tracker.config.shape_rules import (
    CalendarFile,
    CarriersFile,
    ClaimRule,
    CompensationFile,
    DestinationsFile,
    Ladder,
    LintFile,
    ServicesFile,
)
from tracker.config.shape_rules import Profile as ProfileShape
from tracker.config.shape_team import WEEKDAYS, FxFile, TeamFile, minutes
from tracker.config.shape_team import Person as PersonShape
from tracker.config.shape_times import TimesFile
from tracker.config.shape_tracker import Source, TrackerFile
from tracker.config.times import time_rules
from tracker.model import Channel, Intent, Phase
from tracker.rates import Month, Rates
from tracker.rules import (
    STAGES,
    Carrier,
    CasePolicy,
    CaseRule,
    ClaimSheet,
    CompensationRule,
    Evidence,
    Extension,
    Liability,
    LintList,
    Manners,
    Marketplace,
    Notices,
    NumberHint,
    PartialRule,
    PrefixCapability,
    Preparing,
    Profile,
    RemedyRule,
    Rules,
    Service,
    Silence,
    Store,
    Timing,
    Untrackable,
)
from tracker.team import Leave, Person, Team

ANY = "*"
_ABOUT = {"note", "evidence_of_rule"}
"""Keys that explain an entry to people and decide nothing."""


class Shapes(msgspec.Struct, frozen=True, kw_only=True):
    """All files of the configuration, checked one by one."""

    tracker: TrackerFile
    destinations: DestinationsFile
    calendar: CalendarFile
    services: ServicesFile
    carriers: CarriersFile
    marketplaces: MarketplacesFile
    compensation: CompensationFile
    time_rules: TimesFile
    lint: LintFile
    cases: CasesFile
    team: TeamFile
    fx: FxFile
    stores: Mapping[str, StoreFile]


def build_rules(shapes: Shapes, version: str) -> Rules:
    """The rules. `version` is the hash of the merged configuration."""
    carriers = {each.id: Carrier(**_plain(each.model_dump())) for each in shapes.carriers.carrier}
    messages = shapes.tracker.messages
    return Rules(
        version=version,
        profiles=tuple(_destination(each) for each in shapes.destinations.profile),
        fallback=_profile("fallback", ANY, ANY, shapes.destinations.fallback),
        untrackable=_untrackable(shapes.destinations),
        seasons=tuple(season for each in shapes.calendar.season for season in seasons(each)),
        services=tuple(_service(each.model_dump()) for each in shapes.services.service),
        marketplaces={each.id: _marketplace(each) for each in shapes.marketplaces.marketplace},
        stores={id_: _store(id_, each, by_api(shapes.tracker.marketplace_account, id_)) for id_, each in shapes.stores.items()},
        compensation=tuple(_claim_rule(each, carriers) for each in shapes.compensation.rule),
        compensation_default=_claim_default(shapes.compensation),
        timing=Timing(**shapes.compensation.timing.model_dump()),
        manners=Manners(**shapes.tracker.outreach.model_dump(), **shapes.tracker.refunds.model_dump()),
        notices=Notices(**shapes.tracker.notices.model_dump()),
        partials=tuple(PartialRule(**_plain(each.model_dump())) for each in shapes.tracker.partial),
        remedies=tuple(RemedyRule(**_plain(each.model_dump())) for each in shapes.tracker.remedy),
        liability=tuple(_liability(each.model_dump()) for each in shapes.tracker.liability),
        cases=_cases(shapes.cases),
        languages=dict(messages.languages),
        quiet=build_quiet(shapes.tracker.quiet_hours, shapes.calendar.zone),
        reviewed=messages.reviewed,
        messages_off=messages.off,
        sources=_routes(shapes.carriers, shapes.tracker.source),
        number_hints=tuple(NumberHint(**_plain(each.model_dump())) for each in shapes.carriers.hint),
        carriers=carriers,
        tracking_page=shapes.carriers.default_url,
        capabilities=tuple(PrefixCapability(**_plain(each.model_dump())) for each in shapes.destinations.capability),
        lint=tuple(_lint(each.model_dump()) for each in shapes.lint.list),
        team=Team(people=tuple(_person(each) for each in shapes.team.person)),
        rates=_rates(shapes.fx),
        claim_sheets=tuple(ClaimSheet(**_plain(each.model_dump())) for each in shapes.compensation.sheet),
        times=time_rules(shapes.time_rules, shapes.tracker.time.profile),
        store_times={
            id_: time_rules(shapes.time_rules, each.time_profile) for id_, each in shapes.stores.items() if each.time_profile
        },
        preparing=Preparing(**shapes.tracker.preparing.model_dump()),
        zones=dict(shapes.time_rules.zones),
    )


def _cases(shape: CasesFile) -> CasePolicy:
    values = shape.model_dump(exclude={"case", "form"})
    return CasePolicy(rules=tuple(CaseRule(**_plain(each.model_dump())) for each in shape.case), **values)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _ABOUT}


def _destination(shape: ProfileShape) -> Profile:
    found = _profile(shape.id, shape.country, shape.service, shape)
    return msgspec.structs.replace(found, tracking=shape.tracking, limit_days=shape.limit_days, learn=shape.learn)


def _profile(id_: str, country: str, service: str, ladder: Ladder) -> Profile:
    return Profile(
        id=id_,
        country=country,
        service=service,
        p50=ladder.p50,
        p90=ladder.p90,
        p99=ladder.p99,
        promise_days=ladder.promise_days,
        guarantee_days=ladder.guarantee_days,
        stages={stage: getattr(ladder.stage_days, stage.value) for stage in STAGES},
        silence=Silence(**ladder.stale_days.model_dump()),
        promise_by_platform=dict(ladder.promise_by_platform),
    )


def _untrackable(shape: DestinationsFile) -> Untrackable:
    found = shape.untrackable
    return Untrackable(
        pre_scan_task_biz=found.pre_scan_task_biz,
        pre_scan_verdict_biz=found.pre_scan_verdict_biz,
        two_sources_answers=found.two_sources.not_found_answers,
        two_sources_days=found.two_sources.over_days,
        one_source_answers=found.one_source.not_found_answers,
        one_source_days=found.one_source.over_days,
        fresh_not_found_hours=found.fresh_not_found_hours,
        customs_hold_days=found.customs_hold_days,
    )


def _service(values: dict[str, Any]) -> Service:
    return Service(patterns=_patterns(values.pop("match")), **_plain(values))


def _liability(values: dict[str, Any]) -> Liability:
    return Liability(words=_patterns(values.pop("words")), **_plain(values))


def _lint(values: dict[str, Any]) -> LintList:
    return LintList(patterns=_patterns(values.pop("patterns")), exact=_patterns(values.pop("exact")), **_plain(values))


def _patterns(texts: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text) for text in texts)


def _marketplace(shape: MarketplaceShape) -> Marketplace:
    values = _plain(shape.model_dump())
    values |= {
        "channel": Channel(shape.channel),
        "extension": Extension(**values["extension"]),
        "evidence": Evidence(**values["evidence"]),
    }
    return Marketplace(**values)


def _store(id_: str, shape: StoreFile, api: frozenset[str]) -> Store:
    stages = {profile: {Intent(stage): days for stage, days in own.items()} for profile, own in shape.stages.items()}
    values = shape.model_dump() | {"stages": stages, "api": api}
    values["fallback"] = tuple(Channel(each) for each in shape.fallback)
    return Store(**values | {"id": id_, "channel": Channel(shape.channel) if shape.channel else None})


def _person(shape: PersonShape) -> Person:
    begins, ends = minutes(shape.hours)
    return Person(
        id=shape.id,
        name=shape.name,
        zone=shape.zone,
        stores=shape.stores,
        begins=begins,
        ends=ends,
        days=frozenset(WEEKDAYS.index(day) for day in shape.days),
        leave=tuple(Leave(each.from_, each.to) for each in shape.leave),
        deputy=shape.deputy,
        approve_up_to=dict(shape.approve_up_to),
        address=shape.address,
        language=shape.language,
    )


def _rates(shape: FxFile) -> Rates:
    months = (Month(id=each.id, base=each.base, rates=dict(each.rates), source=each.source) for each in shape.month)
    return Rates(months=tuple(sorted(months, key=lambda each: each.id, reverse=True)))


def _claim_rule(shape: ClaimRule, carriers: Mapping[str, Carrier]) -> CompensationRule:
    """`country` is whose working days count: the origin's, else those of the first named carrier's home."""
    home = next((carriers[each].country for each in shape.carriers if each in carriers), None)
    match = re.compile(shape.match) if shape.match else None
    return CompensationRule(**shape.model_dump(exclude={"match", "evidence_of_rule"}), match=match, country=shape.origin or home,
                            evidence_of_rule=shape.evidence_of_rule or "unverified")  # fmt: skip


def _claim_default(shape: CompensationFile) -> CompensationRule:
    return CompensationRule(id="defaults", carriers=(ANY,), phase=Phase.ANY, **shape.defaults.model_dump())


def _routes(shape: CarriersFile, sources: Iterable[Source]) -> dict[str, tuple[str, ...]]:
    """Carrier -> ids of the configured sources that are asked about it; a name means a source's id or its adapter.

    A carrier that names none is asked itself where it has a source of its own, then the default ones. Without a configured
    default every source of many carriers serves the others; what is left without a source waits, and the log says so.
    """
    configured = tuple(sources)

    def expand(names: Iterable[str]) -> tuple[str, ...]:
        found = [each.id for name in names for each in configured if name in {each.id, each.adapter}]
        return tuple(dict.fromkeys(found))

    many = tuple(each.id for each in configured if _asks_about_many(each.adapter))
    default = expand(shape.default_sources) or many
    named = {each.id: expand(each.sources or (each.id, *shape.default_sources)) for each in shape.carrier}
    return {**{carrier: route for carrier, route in named.items() if route and route != default}, ANY: default}


def _asks_about_many(adapter: str) -> bool:
    """A carrier's own service must never be asked about a stranger's parcel: its "not found" would say nothing."""
    return adapter in registry.names() and registry.describe(adapter).many


def stage_days(ladder: Ladder) -> tuple[tuple[Intent, int], ...]:
    """The stages with their days, in order."""
    return tuple((stage, getattr(ladder.stage_days, stage.value)) for stage in STAGES)
