"""Whose word it is. With a team only its people decide; without one any name does, but never a login that is everybody's."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tracker.desk.errors import NotNamed
from tracker.team import Person, Team, folded

NOBODY = frozenset({"root", "daemon"})
"""No person: the login of every administrator, and what the audit calls the daemon itself."""

SAY = "say who you are: --by NAME"


def decider(by: str | None, team: Team, *, login: str | None = None) -> str:
    """The name that the audit keeps: the id of a person of the team; without a team the name as given, else the login name.

    Raises `NotNamed`.
    """
    given = (by or "").strip()
    if team:
        return _of_team(given, team, SAY).id
    name = given or (login or "").strip()
    if not name or folded(name) in NOBODY:
        raise NotNamed(f"{SAY}, or set TRACKER_BY" + (f" ({name} is no person)" if name else ""))
    return name


def named(name: str, team: Team) -> str:
    """Somebody else whom a command names (`--to`): the id of a person of the team; without a team any name. Raises `NotNamed`."""
    given = name.strip()
    if team:
        return _of_team(given, team, "name a person").id
    if not given or folded(given) in NOBODY:
        raise NotNamed(f'"{given}" is no person')
    return given


def name_of(id_: str | None, team: Team) -> str | None:
    """How the audit's name of a person is shown: by name where the team knows it."""
    person = team.person(id_)
    return id_ if person is None else person.name


def listed(people: Iterable[Person]) -> str:
    """People as a sentence names them: `Mei (mei), Lin (lin)`."""
    return ", ".join(_both(person) for person in people)


def _both(person: Person) -> str:
    return person.name if folded(person.name) == folded(person.id) else f"{person.name} ({person.id})"


def _of_team(given: str, team: Team, say: str) -> Person:
    found = team.person(given)
    if found is not None:
        return found
    people = f"The people of team.toml are: {listed(team.people)}."
    if not given:
        raise NotNamed(f"{say}. {people}")
    known = {folded(name): name for person in team.people for name in (person.id, person.name)}
    near = get_close_matches(folded(given), known, n=1)
    meant = f', did you mean "{known[near[0]]}"' if near else ""
    raise NotNamed(f'"{given}" is nobody of the team{meant}. {people}')
