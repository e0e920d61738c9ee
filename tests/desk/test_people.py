"""Whose word it is: people of the team by id or name; without a team any name, never everybody's login (facts/systemd.md 9)."""

from __future__ import annotations

import pytest

from tracker.desk import NotNamed, people
from tracker.team import Person, Team

TEAM = Team(people=(Person(id="mei", name="Mei Wang"), Person(id="lin", name="Lin")))


@pytest.mark.parametrize("said", ["mei", " MEI ", "Mei Wang", "mei  wang", "\uff2d\uff25\uff29"])
def test_a_person_of_the_team_by_id_or_name(said: str) -> None:
    """The audit keeps the id, whatever was typed."""
    assert people.decider(said, TEAM, login="root") == "mei"
    assert people.named(said, TEAM) == "mei"


@pytest.mark.parametrize(
    ("said", "login", "says"),
    [
        ("Meii", "lin", '"Meii" is nobody of the team, did you mean "mei". The people of team.toml are: Mei Wang (mei), Lin.'),
        ("root", None, '"root" is nobody of the team. The people of team.toml are: Mei Wang (mei), Lin.'),
        (None, "mei", "say who you are: --by NAME. The people of team.toml are: Mei Wang (mei), Lin."),
        ("  ", "mei", "say who you are: --by NAME. The people of team.toml are: Mei Wang (mei), Lin."),
    ],
)
def test_with_a_team_strangers_and_the_nameless_decide_nothing(said: str | None, login: str | None, says: str) -> None:
    """The login name is never taken silently; the answer names the people."""
    with pytest.raises(NotNamed) as refused:
        people.decider(said, TEAM, login=login)
    assert str(refused.value) == says


@pytest.mark.parametrize(("said", "login", "name"), [(" Ana ", None, "Ana"), (None, "ana", "ana"), ("Ana", "root", "Ana")])
def test_without_a_team_any_name_does(said: str | None, login: str | None, name: str) -> None:
    assert people.decider(said, Team(), login=login) == name


@pytest.mark.parametrize(("said", "login"), [(None, "root"), ("root", "ana"), ("ROOT", None), (None, None), ("daemon", "ana")])
def test_nobody_is_root(said: str | None, login: str | None) -> None:
    with pytest.raises(NotNamed, match="say who you are: --by NAME, or set TRACKER_BY"):
        people.decider(said, Team(), login=login)


def test_somebody_else_is_named_the_same_way() -> None:
    assert people.named(" Ana ", Team()) == "Ana"
    for name, team in (("root", Team()), ("", Team()), ("Ana", TEAM), ("", TEAM)):
        with pytest.raises(NotNamed):
            people.named(name, team)


def test_shown_by_name() -> None:
    assert people.name_of("mei", TEAM) == "Mei Wang"
    assert people.name_of("ana", TEAM) == "ana"
    assert people.name_of(None, TEAM) is None
