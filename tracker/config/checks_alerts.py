"""What is wrong with whom operators hear from: kinds, stores and people that do not exist, a way that leads nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_alerts import Target
from tracker.config.shape_team import TeamFile
from tracker.config.shape_tracker import TrackerFile
from tracker.model.alerts import AlertKind
from tracker.team import folded

Found = tuple[Merged, str, Level]


def check_alerts(tracker: TrackerFile, team: TeamFile, stores: Collection[str]) -> Iterator[Found]:
    """Every finding in tracker.toml: where, what, how bad."""
    for each in tracker.target:
        yield from _target(each, tracker, stores)
    targets = {each.id for each in tracker.target}
    people = {name for person in team.person for name in (person.id, folded(person.name), folded(person.id))}
    path = ("reports", "handover", "to")
    for name in tracker.reports.handover.to:
        if name not in targets and folded(name) not in people:
            yield path, "neither a [[target]] nor a person of team.toml" + meant(name, {*targets, *people}), "error"
    if tracker.reports.handover.at is not None and not targets and not tracker.reports.handover.to:
        yield ("reports", "handover", "at"), "nobody is told: describe a [[target]]", "warning"


def check_addresses(tracker: TrackerFile, team: TeamFile) -> Iterator[Found]:
    """Every finding in team.toml about addresses."""
    targets = {each.id for each in tracker.target}
    for person in team.person:
        way, _, name = (person.address or "").partition(":")
        path = ("person", person.id, "address")
        if way == "apprise" and name not in targets:
            yield path, "no such [[target]] in tracker.toml" + meant(name, targets), "error"
        if way == "mail" and tracker.smtp is None:
            yield path, "mail wants [smtp] in tracker.toml", "warning"


def _target(target: Target, tracker: TrackerFile, stores: Collection[str]) -> Iterator[Found]:
    path = ("target", target.id)
    for kind in sorted(target.kinds - set(AlertKind)):
        yield (*path, "kinds"), "no such kind of alert" + meant(kind, AlertKind), "error"
    for store in sorted(target.stores - set(stores)):
        yield (*path, "stores"), "no such store in stores/" + meant(store, stores), "error"
    if target.kind == "mail" and tracker.smtp is None:
        yield (*path, "kind"), "mail wants [smtp] in tracker.toml", "warning"
