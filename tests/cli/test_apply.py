"""`tracker plan --out` and `tracker apply`: exactly what was due, once, and nothing at all where anything moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

NOW = "2026-03-02T09:00Z"
LATER = "2026-03-02T09:20Z"


@pytest.fixture
def plan(shop: Shop, shell: Shell, tmp_path: Path) -> Path:
    """A saved plan of a window that closes within days, so that its extension is due."""
    assert shell("order", "set", "A-1", "--window-end", "2026-03-08", "--at", NOW).code == 0
    file = tmp_path / "plan.json"
    found = shell.json("plan", "--out", file, "--at", NOW)
    assert (found["file"], found["due_now"] > 0) == (str(file), True)
    assert shop.folder.is_dir()
    return file


def keys(shell: Shell) -> set[str]:
    return {row["key"] for row in shell.json("outbox", "list", "--limit", "200")["outbox"]}


def test_a_plan_file_says_what_it_is_bound_to(plan: Path, shell: Shell) -> None:
    """A format version, the configuration's hash, and the version of the facts of every order."""
    found = json.loads(plan.read_bytes())
    assert (found["format"], found["format_version"]) == ("tracker-plan", 1)
    assert found["config"] == shell.json("plan", "--at", NOW)["config"]
    assert all(order["version"] > 0 and order["effects"] for order in found["orders"])


def test_it_applies_exactly_what_was_due(plan: Path, shell: Shell) -> None:
    due = {key for order in json.loads(plan.read_bytes())["orders"] for key in order["due"]}
    before = keys(shell)
    applied = shell.json("apply", plan, "--by", "Mei", "--at", LATER)
    assert set(applied["applied"]) == due
    assert keys(shell) - before == due
    assert applied["moved"] == []
    story = shell("logs", "A-1", "--json").out
    assert "plan_applied" in story
    assert "Mei" in story


def test_twice_changes_nothing(plan: Path, shell: Shell) -> None:
    first = shell.json("apply", plan, "--at", LATER)["applied"]
    there = keys(shell)
    again = shell.json("apply", plan, "--at", LATER)
    assert (again["applied"], sorted(again["already"])) == ([], sorted(first))
    assert keys(shell) == there


def test_it_refuses_when_a_fact_has_moved(plan: Path, shell: Shell) -> None:
    """And names the order; nothing of the others is applied either."""
    assert shell("order", "set", "A-1", "--hold-until", "2026-03-05", "--at", LATER).code == 0
    before = keys(shell)
    said = shell("apply", plan, "--at", LATER, "--json")
    assert said.code == 1
    assert said.document["applied"] == []
    assert any(what.startswith("lume/A-1: its facts have moved") for what in said.document["moved"])
    assert keys(shell) == before


def test_it_refuses_under_another_configuration(plan: Path, shop: Shop, shell: Shell) -> None:
    (shop.folder / "destinations.toml").write_text('[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 29 }\n')
    said = shell("apply", plan, "--at", LATER)
    assert said.code == 1
    assert "the configuration: the plan was made with" in said.out


def test_it_refuses_when_it_is_not_due_any_more(plan: Path, shell: Shell) -> None:
    """Time moved on: the window has closed."""
    said = shell("apply", plan, "--at", "2026-04-20T00:00Z")
    assert said.code == 1
    assert "is not due any more" in said.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "is no JSON document"),
        (b'{"format": "\xff"}', "is no JSON document"),
        ("{}", "is no plan: tracker plan --out FILE writes one"),
        ('{"format": "tracker-plan", "format_version": 9}', "has the format version 9, this Tracker reads 1"),
        ('{"format": "tracker-plan", "format_version": 1}', "is not as tracker plan wrote it"),
    ],
)
def test_a_file_that_is_no_plan(shop: Shop, shell: Shell, tmp_path: Path, content: str | bytes, says: str) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = shell("apply", file, "--at", NOW)
    assert shop.folder.is_dir()
    assert said.code == 1
    assert says in said.err


def test_a_plan_that_compares_cannot_be_saved(shop: Shop, shell: Shell) -> None:
    said = shell("plan", "--out", "p.json", "--against", shop.folder, "--at", NOW)
    assert said.code == 2
    assert "leave out --against" in said.err
