"""`tracker decisions` and `tracker config accept`: what a wrong rule decided is found, taken back, or let go."""

from __future__ import annotations

import asyncio

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.desk.world import NOW as WORLD
from tests.desk.world import World
from tracker.clock import FixedClock
from tracker.model import HoldReason, Intent
from tracker.store import open_store

NOW = "2026-03-02T09:00Z"
BY = ("--by", "Mei", "--at", NOW)
VERSION = "4f2a91c0d7e83b56"


def wait(shop: Shop, *, many: bool = True) -> None:
    """Rules of this hash are in force, wait for acceptance, and hold a stage."""

    async def write() -> None:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(WORLD))
        try:
            await store.begin_ruleset(VERSION, b"", WORLD)
            row = await World(store).effect(1, Intent.STAGE1, hold=HoldReason.RULES_WAIT)
            await store._db.write(lambda tx: tx.run("UPDATE outbox SET config_version = ? WHERE id = ?", VERSION, row))
            await store.settle_ruleset(VERSION, WORLD, waits=many, touched=80, open_parcels=400, summary={"new": {"stage1": 80}})
        finally:
            await store.close()

    asyncio.run(write())


def test_decisions_are_listed_by_rule_configuration_and_time(shop: Shop, shell: Shell) -> None:
    wait(shop)
    assert len(shell.json("decisions", "list")["decisions"]) == 8
    [one] = shell.json("decisions", "list", "--config", "4f2a91c0")["decisions"]
    assert (one["intent"], one["hold"], one["config"], one["withdrawal"]) == ("stage1", "rules_wait", VERSION, "cancelled")
    assert shell.json("decisions", "list", "--config", "4f2a91c0", "--rule", "window.extend")["decisions"] == []
    assert shell.json("decisions", "list", "--since", "2026-03-02")["decisions"] == []
    assert {each["intent"] for each in shell.json("decisions", "list", "--intent", "refund")["decisions"]} == {"refund"}
    assert len(shell.json("decisions", "list", "--limit", "3")["decisions"]) == 3
    text = shell("decisions", "list", "--config", "4f2a91c0").out
    assert "A-1" in text
    assert "4f2a91c0" in text


def test_a_configuration_is_named_by_its_file_or_by_its_hash(shop: Shop, shell: Shell) -> None:
    """`--config` of this command is both; a file of that name is a file."""
    wait(shop)
    folder, shell.config = shell.config, None
    assert shell("decisions", "list", "--config", VERSION).code == 2, "a hash alone names no shop"
    assert len(shell.json("decisions", "list", "--config", VERSION, "--config", str(folder))["decisions"]) == 1


def test_withdrawing_takes_back_what_it_can_and_lists_the_rest(shop: Shop, shell: Shell) -> None:
    wait(shop)
    dry = shell.json("decisions", "withdraw", "--store", "lume", "--reason", "too early", "--dry-run", *BY)
    assert (dry["dry_run"], dry["cancelled"], dry["dropped"], dry["still_in_force"]) == (True, 3, 3, VERSION)
    said = shell("decisions", "withdraw", "--store", "lume", "--reason", "too early", *BY)
    assert said.code == 0
    assert said.out.startswith("3 effects cancelled, 3 tasks dropped, 2 cannot be.")
    assert "they will decide the same again" in said.out
    assert "outbox list --state unknown" in said.out
    again = shell.json("decisions", "withdraw", "--store", "lume", "--reason", "too early", *BY)
    assert (again["cancelled"], again["dropped"]) == (0, 0)
    assert {each["withdrawal"] for each in again["left"]} == {"doubtful", "told"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reason", "x"), "say which decisions"),
        (("--rule", "br-standard", "--reason", " "), "say why"),
        (("--rule", "br-standard"), "--reason"),
        (("--intent", "nonsense", "--reason", "x"), "nonsense"),
    ],
)
def test_a_withdrawal_without_a_filter_or_a_reason_is_none(shop: Shop, shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert shop.folder.is_dir()
    found = shell("decisions", "withdraw", *words, *BY)
    assert found.code == 2
    assert said in found.err


@pytest.mark.parametrize("command", [("list",), ("withdraw", "--reason", "x", *BY)])
def test_a_store_or_rule_that_nobody_knows_is_no_all_clear(shop: Shop, shell: Shell, command: tuple[str, ...]) -> None:
    """What is configured no more and has decided something is found all the same."""
    for option, wrong, right in (("--store", "lumee", "lume"), ("--rule", "br-standrd", "br-standard")):
        said = shell("decisions", *command, option, wrong)
        assert (said.code, said.out, f"did you mean {right}?" in said.err) == (2, "", True)

    async def rename() -> None:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(WORLD))
        try:
            await store._db.write(lambda tx: tx.run("UPDATE outbox SET rule = 'bygone.stage1', store = 'gone'"))
            await store._db.write(lambda tx: tx.run("UPDATE dossier SET store = 'gone' WHERE number = 'A-1'"))
        finally:
            await store.close()

    asyncio.run(rename())
    for option, value in (("--store", "gone"), ("--rule", "bygone"), ("--rule", "bygone.stage1")):
        assert shell("decisions", *command, option, value).code == 0
    assert len(shell.json("decisions", "list", "--rule", "bygone")["decisions"]) > 0


def test_rules_that_wait_are_named_and_accepted(shop: Shop, shell: Shell) -> None:
    """Status names them with the next command; accepted, the text waits in line like any other."""
    wait(shop)
    status = shell("status", "--at", NOW)
    assert status.code == 1
    assert f"{VERSION} wait for acceptance: 1 effects held" in status.out
    assert f"tracker config accept {VERSION}" in status.out
    held = next(each for each in shell.json("hold", "list")["holds"] if each["hold"] == "rules_wait")
    refused = shell("hold", "release", held["id"], *BY)
    assert (refused.code, f"tracker config accept {VERSION}" in refused.out) == (1, True)
    said = shell("config", "accept", "4f2a91c0", *BY)
    assert (said.code, said.out) == (0, "Rules 4f2a91c0 are accepted: 1 effects go on.\n")
    assert shell.json("outbox", "show", held["id"])["row"]["state"] == "pending"
    again = shell("config", "accept", "4f2a91c0", *BY)
    assert (again.code, "were accepted before" in again.out) == (0, True)
    assert "wait for acceptance" not in shell("status", "--at", NOW).out


def test_a_wrong_hash_lists_what_waits(shop: Shop, shell: Shell) -> None:
    wait(shop)
    wrong = shell("config", "accept", "ffff", *BY)
    assert (wrong.code, f"tracker config accept {VERSION}" in wrong.err) == (1, True)


def test_where_nothing_waits_accepting_says_so(shop: Shop, shell: Shell) -> None:
    wait(shop, many=False)
    assert "No rules wait for acceptance" in shell("config", "accept", "ffff", *BY).err


def test_two_configurations_are_laid_side_by_side(shop: Shop, shell: Shell) -> None:
    """`config show --against`: before a reload, key by key."""
    other = shop.folder.parent / "other.toml"
    other.write_text("[outreach]\nhourly_cap = 9\n")
    found = shell.json("config", "show", "--against", other, "--section", "tracker")
    assert {each["key"]: each["after"] for each in found["differences"]}["tracker.outreach.hourly_cap"] == 9
    text = shell("config", "show", "--against", other).out
    assert "tracker.outreach.hourly_cap: 60 -> 9" in text
    assert shell("config", "show", "--against", shop.folder).out == "Nothing differs.\n"
