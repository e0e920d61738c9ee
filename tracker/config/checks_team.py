"""What is wrong with a team: names that lead nowhere, two people of one name, leave that nobody covers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_team import Person, TeamFile
from tracker.team import folded

Found = tuple[Merged, str, Level]


def check_team(team: TeamFile, stores: Collection[str]) -> Iterator[Found]:
    """Every finding: where, what, how bad."""
    people = {each.id: each for each in team.person}
    for each in team.person:
        yield from _person(each, people, stores)
        yield from _deputy(each, people)
    yield from _names(team)
    for store in sorted(stores):
        if people and not any(not each.stores or store in each.stores for each in team.person):
            where = ("person", team.person[-1].id, "stores")
            yield where, f"nobody is responsible for the store {store}: its tasks are assigned to nobody", "warning"


def _person(person: Person, people: Collection[str], stores: Collection[str]) -> Iterator[Found]:
    path = ("person", person.id)
    for store in person.stores:
        if store not in stores:
            yield (*path, "stores"), "no such store in stores/" + meant(store, stores), "error"
    if person.deputy is not None and person.deputy not in people:
        yield (*path, "deputy"), "no such person" + meant(person.deputy, people), "error"
    if not person.days:
        yield (*path, "days"), "must not be empty", "error"
    for leave in person.leave:
        if leave.to < leave.from_:
            yield (*path, "leave"), f"ends before it begins (from {leave.from_}, to {leave.to})", "error"


def _deputy(person: Person, people: dict[str, Person]) -> Iterator[Found]:
    """A circle of deputies, told once at the first of its ids; and leave of both at the same time."""
    path = ("person", person.id, "deputy")
    circle = [person.id]
    while (deputy := people[circle[-1]].deputy) in people and deputy not in circle:
        circle.append(deputy)
    if deputy == person.id and person.id == min(circle):
        yield path, f"the deputies go round in a circle: {' -> '.join([*circle, person.id])}", "error"
    deputies = people.get(person.deputy or "")
    if deputies is None or deputies is person:
        return
    for mine in person.leave:
        for theirs in deputies.leave:
            first, last = max(mine.from_, theirs.from_), min(mine.to, theirs.to)
            if first <= last:
                yield path, f"{deputies.name} is on leave at the same time ({first} to {last}): nobody stands in", "warning"


def _names(team: TeamFile) -> Iterator[Found]:
    """Decisions name a person by id or by name: one word must not mean two people."""
    seen: dict[str, str] = {}
    for each in team.person:
        for key, word in (("id", each.id), ("name", each.name)):
            other = seen.setdefault(folded(word), each.id)
            if other != each.id:
                yield ("person", each.id, key), f'"{word}" is how {other} is called too: --by could not tell them apart', "error"
