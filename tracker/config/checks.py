"""What no single file can know: names that lead nowhere, rules that contradict each other, channels that cannot send."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise

from babel import Locale
from babel.core import get_global

from carriers import registry
from tracker.config.accounts import check_accounts, check_modes
from tracker.config.build import Shapes, stage_days
from tracker.config.checks_alerts import check_addresses, check_alerts
from tracker.config.checks_cases import check_cases
from tracker.config.checks_channels import check_channels, check_messengers
from tracker.config.checks_claims import check_claims
from tracker.config.checks_hosts import check_hosts
from tracker.config.checks_ladders import check_default_country, check_ladders, check_services
from tracker.config.checks_sources import check_politeness, check_settings
from tracker.config.checks_stores import check_stages
from tracker.config.checks_team import check_team
from tracker.config.checks_times import check_times
from tracker.config.merge import Merged, Section
from tracker.config.problem import Level, Problem, meant
from tracker.config.pushes import check_pushes
from tracker.config.shape_rules import Ladder
from tracker.messages import MESSAGE_TYPES
from tracker.rules import Rules

Found = tuple[Merged, str, Level]
"""Where, what, how bad; the section adds file and line."""

_ERROR: Level = "error"
_WARNING: Level = "warning"
_UNIONS = frozenset({"EU", "ZZ"})


def check(shapes: Shapes, rules: Rules, sections: Mapping[str, Section], adapters: Collection[str]) -> Iterator[Problem]:
    """Every finding, with file and line."""
    checks: Iterable[tuple[str, Iterator[Found]]] = (
        ("destinations", _destinations(shapes)),
        ("destinations", check_ladders(shapes)),
        ("services", _services(shapes)),
        ("services", check_services(shapes, sections["services"])),
        ("carriers", _carriers(shapes, adapters)),
        ("marketplaces", _marketplaces(shapes)),
        ("time-rules", check_times(shapes.time_rules, shapes.marketplaces)),
        ("compensation", check_claims(shapes, rules)),
        ("lint", _lint(shapes)),
        ("cases", check_cases(shapes.cases, rules)),
        ("team", check_team(shapes.team, shapes.stores)),
        ("team", check_addresses(shapes.tracker, shapes.team)),
        ("tracker", check_alerts(shapes.tracker, shapes.team, shapes.stores)),
        ("tracker", _messages(shapes)),
        ("tracker", check_messengers(shapes)),
        ("tracker", _sources(shapes, adapters)),
        ("tracker", check_politeness(shapes.tracker.source)),
        ("tracker", check_settings(shapes.tracker.source)),
        ("tracker", check_hosts(shapes.tracker)),
        ("tracker", _source_stores(shapes)),
        ("tracker", check_pushes(shapes.tracker)),
        (
            "tracker",
            check_accounts(shapes.tracker.marketplace_account, shapes.stores, [each.id for each in shapes.tracker.source]),
        ),
        (
            "marketplaces",
            check_modes(
                shapes.marketplaces.marketplace, shapes.stores, shapes.tracker.marketplace_account, sections["marketplaces"]
            ),
        ),
    )
    for name, found in checks:
        yield from (sections[name].problem(path, message, level) for path, message, level in found)
    for id_ in shapes.stores:
        yield from (sections[f"stores/{id_}"].problem(*each) for each in _store(id_, shapes))
    yield from (sections[f"stores/{id_}"].problem(*found) for id_, found in check_default_country(shapes, rules))


def first_steps(file: str, *, stores: bool, sources: bool) -> Iterator[Problem]:
    """What a fresh tracker.toml lacks before it does anything. Nothing is wrong with it: only `config check` asks."""
    if not stores:
        message = (
            "no shop is described, so no order file can be read: copy stores/example.toml.sample to stores/<id>.toml and edit it"
        )
        yield Problem(file=file, line=None, key="stores", message=message, level=_WARNING)
    if not sources:
        message = (
            "nobody is asked about parcels, so none is followed: add a [[source]] (tracker carriers list names the adapters)"
        )
        yield Problem(file=file, line=None, key="source", message=message, level=_WARNING)


def _unknown(path: Merged, what: str, got: str, allowed: Iterable[str]) -> Found:
    return path, f"no such {what}" + meant(got, allowed), _ERROR


def _destinations(shapes: Shapes) -> Iterator[Found]:
    yield from _ladder(("fallback",), shapes.destinations.fallback)
    seen: dict[tuple[str, str, str | None], str] = {}
    for each in shapes.destinations.profile:
        path = ("profile", each.id)
        yield from _ladder(path, each)
        other = seen.setdefault((each.country, each.service, each.tracking), each.id)
        if other != each.id:
            yield path, f"the profile {other} has the same country and service ({each.country}, {each.service})", _ERROR


def _ladder(path: Merged, ladder: Ladder) -> Iterator[Found]:
    for (before, earlier), (after, later) in pairwise(stage_days(ladder)):
        if earlier >= later:
            where = (*path, "stage_days", after.value)
            yield (
                where,
                f"the stages have to increase: {after.value} on day {later} is not after {before.value} on day {earlier}",
                _ERROR,
            )
    last_stage, last = stage_days(ladder)[-1]
    if last > ladder.guarantee_days:
        where = (*path, "stage_days", last_stage.value)
        yield where, f"{last_stage.value} on day {last} comes after the protection ends on day {ladder.guarantee_days}", _WARNING
    for names, shape in ((("p50", "p90", "p99"), ladder), (("watch", "investigate", "probable_loss"), ladder.stale_days)):
        values = [getattr(shape, name) for name in names]
        if values != sorted(values):
            where = path if shape is ladder else (*path, "stale_days")
            yield where, f"{', '.join(names)} have to increase (got {', '.join(map(str, values))})", _ERROR


def _services(shapes: Shapes) -> Iterator[Found]:
    known = {each.id for each in shapes.carriers.carrier}
    ladders: dict[str, str] = {}
    for each in reversed(shapes.services.service):  # the shipped ones first: a contradiction is the operator's
        if each.carrier is not None and each.carrier not in known:
            yield _unknown(("service", each.id, "carrier"), "carrier in carriers.toml", each.carrier, known)
        if ladders.setdefault(each.service, each.ladder) != each.ladder:
            message = f'"{each.service}" follows the ladder {ladders[each.service]} in another entry, {each.ladder} here'
            yield ("service", each.id, "ladder"), message, _ERROR


def _carriers(shapes: Shapes, adapters: Collection[str]) -> Iterator[Found]:
    known = {*adapters, *(each.id for each in shapes.tracker.source)}
    for name in shapes.carriers.default_sources:
        if name not in known:
            yield _unknown(("default_sources",), "source or adapter", name, known)
    for each in shapes.carriers.carrier:
        for name in (*each.sources, *each.codes):
            if name not in known:
                key = "sources" if name in each.sources else "codes"
                yield _unknown(("carrier", each.id, key), "source or adapter", name, known)
    carriers = {each.id for each in shapes.carriers.carrier}
    for hint in shapes.carriers.hint:
        if hint.carrier not in carriers:
            yield _unknown(("hint", hint.id, "carrier"), "carrier", hint.carrier, carriers)


def _marketplaces(shapes: Shapes) -> Iterator[Found]:
    for each in shapes.marketplaces.marketplace:
        path = ("marketplace", each.id)
        for key in ("tasks_for", "grouped", "messages_off"):
            for name in sorted(getattr(each, key) - MESSAGE_TYPES.keys()):
                yield _unknown((*path, key), "type of message", name, MESSAGE_TYPES)
        for name in sorted((each.tasks_for | each.grouped) & each.messages_off):
            yield (*path, "messages_off"), f"{name} is switched off, and named as a task too", _WARNING
        if each.extension.mode != "none" and not (each.extension.days and each.extension.max_extensions):
            yield (*path, "extension"), "needs days = [...] and max_extensions", _ERROR
        if not each.own_shop and each.channel != "task":
            yield (*path, "channel"), _NO_MAIL, _ERROR


_NO_MAIL = 'contact outside the platform is forbidden there, so its buyers are reached by "task" (D5)'


def _lint(shapes: Shapes) -> Iterator[Found]:
    known = {"*", *(each.id for each in shapes.marketplaces.marketplace)}
    for each in shapes.lint.list:
        for name in each.platforms:
            if name not in known:
                yield _unknown(("list", each.id, "platforms"), "marketplace", name, known)


def _messages(shapes: Shapes) -> Iterator[Found]:
    for name in sorted(shapes.tracker.messages.off - MESSAGE_TYPES.keys()):
        yield _unknown(("messages", "off"), "type of message", name, MESSAGE_TYPES)
    for code in sorted(shapes.tracker.messages.languages.keys() - _countries()):
        yield ("messages", "languages", code), f'no country has these two letters (got "{code}")', _ERROR


@cache
def _countries() -> frozenset[str]:
    """Every country by its two letters: a territory of CLDR that has a currency; unions and test codes are none."""
    money: Collection[str] = get_global("territory_currencies")
    return frozenset(code for code in map(str, Locale("en").territories) if code in money) - _UNIONS


_ADDRESS = re.compile(r"drop:|(?i:https?)://[^/?#\s]")
"""What a source can be reached by: a folder, or a web address with a host. Anything else would fail at the first poll only."""


def _sources(shapes: Shapes, adapters: Collection[str]) -> Iterator[Found]:
    for each in shapes.tracker.source:
        path = ("source", each.id)
        reads_folder = each.adapter in registry.names() and registry.describe(each.adapter).drop
        if each.base_url and not reads_folder and not _ADDRESS.match(each.base_url):
            message = f'has to begin with https:// (or http://) and a host, or with drop: and a folder (got "{each.base_url}")'
            yield (*path, "base_url"), message, _ERROR
        if each.adapter not in adapters:
            near = registry.likely(each.adapter)
            if near in adapters:
                yield (*path, "adapter"), f'no such adapter (got "{each.adapter}", did you mean "{near}")', _ERROR
            else:
                yield _unknown((*path, "adapter"), "adapter", each.adapter, adapters)
            continue
        if each.adapter not in registry.names():
            continue
        adapter = registry.describe(each.adapter)
        for name in sorted(set(adapter.secrets) - each.secrets.keys()):
            yield (
                (*path, "secrets"),
                f'{adapter.title} wants a secret "{name}" (for instance {name} = "credential:{each.id}")',
                _ERROR,
            )
        if adapter.drop and not each.base_url.startswith("drop:"):
            yield (*path, "base_url"), f'{adapter.title} reads a folder: base_url = "drop:FOLDER" (got "{each.base_url}")', _ERROR
        if each.batch is not None and each.batch > adapter.batch_size:
            yield (
                (*path, "batch"),
                f"{adapter.title} takes at most {adapter.batch_size} numbers at once (got {each.batch})",
                _ERROR,
            )


def _source_stores(shapes: Shapes) -> Iterator[Found]:
    for each in shapes.tracker.source:
        for store in each.stores:
            if store not in shapes.stores:
                yield _unknown(("source", each.id, "stores"), "store in stores/", store, shapes.stores)


def _store(id_: str, shapes: Shapes) -> Iterator[Found]:
    store = shapes.stores[id_]
    markets = {each.id: each for each in shapes.marketplaces.marketplace}
    market = markets.get(store.platform)
    if store.default_country == "*":
        yield ("default_country",), "has to be one country: leave it out where orders go to many", _ERROR
    if market is None:
        yield _unknown(("platform",), "marketplace", store.platform, markets)
        return
    channel = store.channel or market.channel
    if channel == "smtp" and shapes.tracker.smtp is None:
        where = ("channel",) if store.channel else ("platform",)
        yield where, 'mails its buyers, and tracker.toml has no [smtp] (add it, or channel = "maildir" to try without)', _ERROR
    if store.channel not in {None, "task"} and not market.own_shop:
        yield ("channel",), _NO_MAIL, _ERROR
    for name in sorted(store.modes.keys() - MESSAGE_TYPES.keys()):
        yield _unknown(("modes",), "type of message", name, MESSAGE_TYPES)
    yield from check_stages(id_, shapes)
    yield from check_channels(id_, shapes)
    yield from _shared_names(id_, shapes)


def _shared_names(id_: str, shapes: Shapes) -> Iterator[Found]:
    """Two shops of one platform with the same name in files: an order could be either's. Told once, at the later one."""
    mine = shapes.stores[id_]
    for other in shapes.stores:
        if other < id_ and shapes.stores[other].platform == mine.platform:
            for name in sorted(set(mine.names) & set(shapes.stores[other].names)):
                yield ("names",), f'files name the shop {other} "{name}" too', _ERROR
