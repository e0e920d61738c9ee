"""Rules that are well formed and yet do nothing, or rest on figures that nobody verified: warnings, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tracker.compensation.matching import ANY_POST
from tracker.config.build import ANY, Shapes
from tracker.config.merge import Merged, Section
from tracker.config.problem import Level
from tracker.rules import Rules

Found = tuple[Merged, str, Level]

_WARNING: Level = "warning"
_LADDERS = frozenset({"standard", "registered", "express", "economy"})
_UNVERIFIED = "unverified"


def check_ladders(shapes: Shapes) -> Iterator[Found]:
    """Profiles of destinations.toml that no parcel can follow."""
    known = {*_LADDERS, *(name for each in shapes.services.service for name in (each.service, each.ladder))}
    for each in shapes.destinations.profile:
        if each.service not in known:
            message = f'can never match: no service in services.toml is called "{each.service}", or follows such a ladder'
            yield ("profile", each.id, "service"), message, _WARNING


def check_services(shapes: Shapes, section: Section) -> Iterator[Found]:
    """Services that an earlier one takes every text from, and own ones whose carrier owes nothing."""
    terms = {carrier for rule in shapes.compensation.rule for carrier in rule.carriers}
    posts = {each.id for each in shapes.carriers.carrier if each.post and ANY_POST in terms}
    before: list[tuple[str, re.Pattern[str]]] = []
    for each in shapes.services.service:
        path = ("service", each.id)
        takes = [_taken(pattern, before) for pattern in each.match]
        if takes and all(takes):
            yield (*path, "match"), f"can never match: {takes[0]} comes first and takes the same texts", _WARNING
        before += [(each.id, re.compile(pattern)) for pattern in each.match]
        origin = section.origin(path)
        own = origin is not None and not origin.layer.shipped
        if own and each.carrier is not None and each.carrier not in terms | posts:
            message = f"{each.carrier} has no claim terms in compensation.toml: its losses are written down, nothing is claimed"
            yield (*path, "carrier"), message, _WARNING


def _taken(pattern: str, before: list[tuple[str, re.Pattern[str]]]) -> str | None:
    """The earlier service that matches whatever this pattern does: told of plain words, and of the very same pattern."""
    plain = pattern if re.escape(pattern).replace("\\ ", " ").replace("\\-", "-") == pattern else None
    for name, earlier in before:
        if earlier.pattern == pattern or (plain is not None and earlier.search(plain)):
            return name
    return None


def check_default_country(shapes: Shapes, rules: Rules) -> Iterator[tuple[str, Found]]:
    """Shops whose parcels follow a ladder that nobody verified, or the fallback: store id and finding."""
    evidence: Mapping[str, str | None] = {each.id: each.evidence_of_rule for each in shapes.destinations.profile}
    for id_, store in shapes.stores.items():
        country = store.default_country
        if country is None or country == ANY:
            continue
        profile = rules.profile(country, "standard")
        if profile.id == rules.fallback.id:
            message = f"no profile in destinations.toml is for {country}: its parcels follow [fallback]"
            yield id_, (("default_country",), message, _WARNING)
        elif evidence.get(profile.id) == _UNVERIFIED:
            message = f"the figures of {profile.id} are unverified: compare them with your own deliveries (tracker backtest)"
            yield id_, (("default_country",), message, _WARNING)
