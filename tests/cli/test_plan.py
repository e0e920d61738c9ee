"""`tracker plan`: reads only; ahead, compared, and what needs a person (daily operations, "Guard on rule changes")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

NOW = "2026-03-02T09:00Z"
EARLY = '[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 5, stage2 = 6, stage3 = 7 }\n'


def closing(shell: Shell) -> None:
    """A window that closes within three weeks."""
    assert shell("order", "set", "A-1", "--window-end", "2026-03-20", "--at", NOW).code == 0


def other(shop: Shop, tmp_path: Path, text: str = EARLY) -> Path:
    """The shop's configuration with another ladder, beside it."""
    folder = tmp_path / "other"
    (folder / "stores").mkdir(parents=True)
    for file in ("tracker.toml", "stores/lume.toml", "stores/nova.toml"):
        (folder / file).write_text((shop.folder / file).read_text())
    (folder / "destinations.toml").write_text(text)
    return folder / "tracker.toml"


def test_a_plan_is_grouped_by_day_and_store_and_writes_nothing(shop: Shop, shell: Shell) -> None:
    closing(shell)
    before = (shop.folder / "tracker.db").read_bytes()
    plan = shell.json("plan", "--until", "+30d", "--at", NOW)
    assert set(plan["totals"]) == {"messages", "extensions", "refund_proposals", "claims", "tasks"}
    assert (plan["at"], plan["until"]) == ("2026-03-02T09:00:00Z", "2026-04-01T09:00:00Z")
    assert plan["orders"] == 2
    assert plan["assumes"]
    told = sum(day["count"] for day in plan["days"])
    assert told == sum(total["count"] for total in plan["totals"].values()) > 0
    assert all(day["store"] == "lume" and day["examples"] for day in plan["days"])
    assert plan["undecided"] == {"count": 0, "examples": []}
    assert (shop.folder / "tracker.db").read_bytes() == before
    said = shell("plan", "--until", "+30d", "--at", NOW)
    assert (said.code, "2 open orders" in said.out, "Assumed: sources keep answering" in said.out) == (0, True, True)


@pytest.mark.parametrize(
    ("until", "end"),
    [("+36h", "2026-03-03T21:00:00Z"), ("+2w", "2026-03-16T09:00:00Z"), ("2026-03-05", "2026-03-05T00:00:00Z")],
)
def test_how_far_it_looks(shop: Shop, shell: Shell, until: str, end: str) -> None:
    assert shop.folder.is_dir()
    assert shell.json("plan", "--until", until, "--at", NOW)["until"] == end


def test_other_rules_show_their_difference(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """`--against`: what only they do, with orders to look at, and whether a reload would wait for a word."""
    plan = shell.json("plan", "--against", other(shop, tmp_path), "--until", "+3d", "--at", NOW)
    assert plan["against"] != plan["config"]
    assert plan["at_once"]["would_wait"] is False
    assert plan["at_once"]["open_parcels"] == 2
    assert all({"how", "what", "intent", "count", "examples", "amounts", "held"} == set(each) for each in plan["differences"])
    same = shell("plan", "--against", shop.folder, "--at", NOW)
    assert "Both do the same." in same.out
    assert "No difference until" in same.out


def test_a_difference_is_summed_up_in_one_line(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Like "+1,240 messages, 88 refund proposals"; here a marketplace that is not extended any more."""
    market = '[[marketplace]]\nid = "aliexpress"\nextension = { mode = "none" }\n'
    config = other(shop, tmp_path, "")
    (config.parent / "marketplaces.toml").write_text(market)
    closing(shell)
    said = shell("plan", "--against", config, "--until", "+14d", "--at", NOW)
    assert said.code == 0, said
    [head, *_] = said.out.splitlines()
    assert head.startswith("-1 extensions, -1 messages until")
    rows = shell.json("plan", "--against", config, "--until", "+14d", "--at", NOW)["differences"]
    assert [(each["how"], each["what"], each["intent"], each["examples"]) for each in rows] == [
        ("gone", "extensions", "extension", ["A-1"]),
        ("gone", "messages", "extended", ["A-1"]),
    ]


def test_what_a_holiday_needs_of_people(shop: Shop, shell: Shell) -> None:
    """`--needs-person`: by day, store and kind of work, with the first deadline of it."""
    closing(shell)
    plan = shell.json("plan", "--needs-person", "--from", "2026-03-09", "--to", "2026-03-12", "--at", NOW)
    [day] = [each for each in plan["days"] if each["work"] == "extend_by_hand"]
    assert (day["day"], day["store"], day["count"], day["examples"]) == ("2026-03-11", "lume", 1, ["A-1"])
    assert day["first_deadline"].startswith("2026-03-21T06:59")
    assert plan["totals"]["extend_by_hand"]["count"] == 1
    said = shell("plan", "--needs-person", "--from", "2026-03-09", "--to", "2026-03-12", "--at", NOW)
    assert "extend by hand" in said.out
    assert shop.order in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--until", "soon"), "write +14d"),
        (("--until", "2020-01-01"), "lies in the past"),
        (("--until", "+400d"), "a year ahead"),
        (("--until", "9999-12-31T23:59-12:00"), "+14d"),
        (("--needs-person",), "belong together"),
        (("--from", "2026-03-09", "--to", "2026-03-12"), "belong together"),
        (("--needs-person", "--from", "2026-03-09"), "belong together"),
        (("--needs-person", "--from", "2026-03-09", "--to", "2026-03-01"), "before --from"),
        (("--needs-person", "--from", "2026-01-01", "--to", "2026-01-05"), "in the past"),
        (("--needs-person", "--from", "2026-03-09", "--to", "2029-01-01"), "a year ahead"),
        (("--needs-person", "--from", "2026-03-09", "--to", "9999-12-31"), "a year ahead"),
        (("--needs-person", "--from", "2026-03-09", "--to", "2026-03-10", "--against", "x.toml"), "one at a time"),
        (("--store", "nobody"), "lume, nova"),
    ],
)
def test_what_cannot_be_asked_is_said(shop: Shop, shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert shop.folder.is_dir()
    found = shell("plan", *words, "--at", NOW)
    assert found.code == 2
    assert said in found.err


def test_a_broken_or_missing_other_configuration_is_told_like_any(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    assert shell("plan", "--against", other(shop, tmp_path, "[[profile]\n")).code == 2
    missing: Any = shell("plan", "--against", tmp_path / "nothing.toml")
    assert (missing.code, "there is no such file" in missing.err) == (2, True)


def test_an_order_of_a_store_that_is_not_configured_any_more_is_counted(shop: Shop, shell: Shell) -> None:
    closing(shell)
    (shop.folder / "stores" / "lume.toml").unlink()
    plan = shell.json("plan", "--until", "+30d", "--at", NOW)
    assert plan["undecided"]["count"] >= 1
    assert plan["undecided"]["examples"][0].startswith("lume/")
