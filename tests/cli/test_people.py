"""A team on the command line: who may speak, two people for large refunds, many small ones at once, whose tasks are whose."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.desk.world import NOW, World
from tracker.clock import FixedClock
from tracker.model import DecisionReason
from tracker.store import open_store

AT = ("--at", "2026-03-02T09:00Z")
TEAM = """\
[[person]]
id = "mei"
name = "Mei Wang"
zone = "Asia/Shanghai"
deputy = "lin"
approve_up_to = { USD = 100 }
leave = [{ from = 2026-03-10, to = 2026-03-20 }]

[[person]]
id = "lin"
name = "Lin"
zone = "Asia/Shanghai"
"""


@pytest.fixture
def team(shop: Shop) -> Path:
    """The shop has a team from now on."""
    file = shop.folder / "team.toml"
    file.write_text(TEAM, encoding="utf-8")
    return file


def refunds(shop: Shop, **amounts: str) -> list[int]:
    """More recommendations, one an order; the ids of their rows."""

    async def fill() -> list[int]:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW))
        try:
            world = World(store)
            return [
                await world.refund(
                    await world.order(number, amount=Decimal(amount)), Decimal(amount), reason=DecisionReason.NEVER_SCANNED
                )
                for number, amount in amounts.items()
            ]
        finally:
            await store.close()

    return asyncio.run(fill())


@pytest.mark.parametrize(
    "words",
    [
        ("review", "approve", "{refund}", "--reason", "so"),
        ("review", "reject", "{refund}", "--reason", "so"),
        ("review", "snooze", "{refund}", "--until", "2026-03-03", "--reason", "so"),
        ("review", "edit", "{refund}", "--amount", "3", "--reason", "so"),
        ("review", "approve", "--reason", "never_scanned", "--up-to", "8"),
        ("tasks", "take", "{task}"),
        ("tasks", "done", "{task}"),
        ("tasks", "drop", "{task}", "--reason", "so"),
        ("tasks", "assign", "{task}", "--to", "lin"),
        ("tasks", "list", "--mine"),
        ("outbox", "resolve", "{doubtful}", "--to", "sent", "--reason", "so"),
        ("hold", "release", "{hold}"),
        ("order", "set", "{order}", "--vip"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
@pytest.mark.usefixtures("team")
def test_only_the_team_decides(shop: Shop, shell: Shell, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown or absent name is a usage error that names the people; the login name is never taken silently."""
    line = [word.format(**{name: getattr(shop, name) for name in shop.__struct_fields__}) for word in words]
    said = shell(*line, "--by", "Mei Wong", *AT)
    assert said.code == 2
    assert '"Mei Wong" is nobody of the team, did you mean "Mei Wang"' in said.err
    assert "The people of team.toml are: Mei Wang (mei), Lin." in said.err
    monkeypatch.delenv("TRACKER_BY")
    said = shell(*line, *AT)
    assert said.code == 2
    assert "say who you are: --by NAME" in said.err
    assert shell(*line, "--by", "MEI  WANG", *AT).code == 0


@pytest.mark.usefixtures("team")
def test_the_audit_keeps_the_id(shop: Shop, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """$TRACKER_BY says it once for a whole session."""
    monkeypatch.setenv("TRACKER_BY", "mei wang")
    assert shell("tasks", "take", shop.task, *AT).code == 0
    assert shell.json("tasks", "show", shop.task)["task"]["taken_by"] == "mei"


def test_without_a_team_nobody_is_root(shop: Shop, shell: Shell) -> None:
    """facts/systemd.md section 9: never the login root."""
    said = shell("tasks", "take", shop.task, "--by", "root", *AT, "--json")
    assert said.code == 2
    assert said.document["error"]["kind"] == "usage"
    assert "say who you are: --by NAME" in said.document["error"]["message"]


@pytest.mark.usefixtures("team")
def test_a_large_refund_wants_two_people(shop: Shop, shell: Shell) -> None:
    """D23: the list says who has approved and that somebody else has to."""
    [row] = refunds(shop, B1="60")
    said = shell("review", "approve", row, "--reason", "never scanned", "--by", "mei", *AT)
    assert said.out.strip() == f"{row}: approved; waits for a second person, Mei Wang has approved it"
    assert "waits for a second person" in shell("review", "list", *AT).out
    again = shell("review", "approve", row, "--reason", "never scanned", "--by", "Mei Wang", *AT)
    assert again.code == 1
    assert "waits for a second person: mei has approved it already" in again.out
    assert shell.json("review", "approve", row, "--reason", "so", "--by", "lin", *AT)["results"][0]["state"] == "pending"


@pytest.mark.usefixtures("team")
def test_above_the_own_limit(shop: Shop, shell: Shell) -> None:
    [row] = refunds(shop, B1="101")
    first = shell("review", "approve", row, "--reason", "never scanned", "--by", "mei", *AT)
    assert (first.code, "waits for a second person, Mei Wang has approved it" in first.out) == (0, True), "Lin may approve it"
    second = shell("review", "approve", row, "--reason", "never scanned", "--by", "lin", *AT)
    assert (second.code, second.out) == (0, f"{row}: approved\n")


def test_many_small_refunds_of_one_reason(shop: Shop, shell: Shell) -> None:
    """D23: the total is shown before, `--dry-run` writes nothing, what is larger goes one by one."""
    small = refunds(shop, B1="3.50", B2="8")
    [large] = refunds(shop, B3="8.01")
    words = ("review", "approve", "--reason", "never_scanned", "--up-to", "20", *AT)
    tried = shell(*words, "--dry-run")
    assert tried.code == 0
    assert "2 refunds, together 11.50 USD" in tried.out
    assert f"1 more are above the limit for many at once and go one by one: {large}" in tried.out
    assert shell.json(*words, "--dry-run")["totals"] == {"USD": "11.50"}
    done = shell.json(*words, "--by", "Mei", "--note", "list of Monday")
    assert [each["id"] for each in done["results"]] == small
    assert (done["approved"], done["one_by_one"]) == ({"USD": "11.50"}, [large])
    assert {each["id"] for each in shell.json("review", "list", *AT)["reviews"]} == {shop.refund, large}
    nothing = shell(*words)
    assert nothing.code == 0
    assert "No small refund of this reason waits." in nothing.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("approve", "1", "--reason", "never_scanned", "--up-to", "8"), "leave out the ids"),
        (("approve", "--reason", "never_scaned", "--up-to", "8"), "did you mean never_scanned"),
        (("approve", "1", "--reason", "so", "--dry-run"), "belong to --up-to AMOUNT"),
        (("approve", "--reason", "so"), "name at least one id"),
        (("snooze", "--until", "2026-03-03", "--reason", "so"), "name at least one id"),
        (("snooze", "1", "--until", "soon", "--reason", "so"), "is no time"),
        (("edit", "1", "--amount", "much", "--reason", "so"), "is no amount"),
    ],
)
def test_wrong_usage_of_review(shell: Shell, words: tuple[str, ...], says: str) -> None:
    said = shell("review", *words)
    assert said.code == 2
    assert says in said.err


def test_what_is_put_off_is_counted_and_comes_back(shop: Shop, shell: Shell) -> None:
    words = ("review", "snooze", shop.refund, "--until", "2026-03-04", "--reason", "asks his post office", *AT)
    assert shell(*words).out.strip() == f"{shop.refund}: put off"
    said = shell("review", "list", *AT).out
    assert "Nothing waits for your word." in said
    assert "1 more are put off until later: tracker review list --snoozed" in said
    listed = shell.json("review", "list", "--snoozed", *AT)
    assert (listed["snoozed"], listed["reviews"][0]["snoozed_until"]) == (1, "2026-03-04T00:00:00Z")
    assert shell.json("review", "list", "--at", "2026-03-04T00:00Z")["reviews"][0]["id"] == shop.refund


def test_another_amount(shop: Shop, shell: Shell) -> None:
    edited = shell("review", "edit", shop.refund, "--amount", "9.90", "--reason", "one of two arrived", *AT)
    assert edited.out.strip() == f"{shop.refund}: changed"
    assert shell.json("review", "show", shop.refund)["review"]["amount"] == "9.90"
    assert shell("review", "edit", shop.refund, "--amount", "12.51", "--reason", "so", *AT).code == 1


@pytest.mark.usefixtures("team")
def test_tasks_belong_to_people(shop: Shop, shell: Shell) -> None:
    """Assigned, taken from each other (and said), the deputy's during leave, handed over all at once."""
    assert (
        shell("tasks", "assign", shop.task, "--to", "mei", "--by", "lin", *AT).out.strip()
        == f"{shop.task}: Mei Wang's from now on"
    )
    assert "Mei Wang" in shell("tasks", "list", "--mine", "--by", "mei", *AT).out
    assert shell.json("tasks", "list", "--to", "Lin", *AT)["tasks"] == []
    away = ("--at", "2026-03-12T09:00Z")
    [mine] = shell.json("tasks", "list", "--mine", "--by", "lin", *away)["tasks"]
    assert (mine["id"], mine["assigned_to"], mine["owner"]) == (shop.task, "mei", "lin")
    given = shell("tasks", "assign", shop.extension, "--to", "mei", "--by", "lin", *away)
    assert given.out.strip() == f"{shop.extension}: Mei Wang's from now on; on leave; Lin stands in"
    taken = shell("tasks", "take", shop.task, "--by", "lin", *away)
    assert taken.out.strip() == f"{shop.task}: in hand; it was assigned to Mei Wang"
    handed = shell.json("tasks", "assign", "--from", "mei", "--to", "lin", "--by", "lin", *away)
    assert [each["id"] for each in handed["results"]] == [shop.extension]
    assert shell("tasks", "assign", shop.task, "--from", "mei", "--to", "lin", "--by", "lin", *away).code == 2
    assert shell("tasks", "assign", "--to", "lin", "--by", "lin", *away).code == 2
    assert shell("tasks", "list", "--mine", "--to", "lin", "--by", "lin", *away).code == 2
    assert shell("tasks", "assign", shop.task, "--to", "Ana", "--by", "lin", *away).code == 2


def test_a_count_belongs_to_one_task(shop: Shop, shell: Shell) -> None:
    assert shell("tasks", "done", shop.task, shop.payout, "--items", "1", *AT).code == 2
    assert shell("tasks", "drop", shop.task, shop.payout, "--reason", "so", "--items", "1", *AT).code == 2
    said = shell("tasks", "done", shop.task, "--items", "2", *AT)
    assert said.code == 1
    assert f"Task {shop.task} has 1 items now, not 2" in said.out
