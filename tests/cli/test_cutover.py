"""A shop with thousands of parcels on their way starts today (faults row 35; daily-operations "Cut-over"): files and passes."""

from __future__ import annotations

import mailbox
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell

TODAY = date(2026, 6, 1)
NOW = "2026-06-01T08:00Z"
AGES = 71
"""20 to 90 days: a thousandth part of such a shop has as many parcels as there are ages."""

HEADER = "order,store,status,buyer,email,country,amount,currency,paid,shipped,tracking,service,window end\n"
SCANS = "运单号,扫描时间,事件代码,描述,地点,时区\n"
STORE = (
    'platform = "own_shop"\nname = "Lume"\nnames = ["lume"]\nzone = "Asia/Shanghai"\ncurrency = "USD"\n'
    'mode = "live"\nchannel = "maildir"\nsender = "Lume <care@lume.example>"\n'
)


def number(index: int) -> str:
    return f"LB{index:08d}5CN"


def age(index: int) -> int:
    """Days since the parcel left, on the day of the start."""
    return 20 + index % AGES


def left(index: int) -> date:
    return TODAY - timedelta(days=age(index))


def row(index: int, window_end: date | None = None) -> str:
    paid = left(index) - timedelta(days=1)
    return (
        f"L-{index},lume,shipped,Ana {index},ana{index}@buyer.example,BR,19.90,USD,{paid} 10:00:00,{left(index)} 10:00:00,"
        f"{number(index)},Yanwen Registered,{window_end or ''}\n"
    )


def scans(index: int, last: date) -> str:
    first = f"{number(index)},{left(index)} 11:00,EMA,收寄,深圳,+08:00\n"
    return f"{first}{number(index)},{last} 11:00,EMC,离开处理中心,上海,+08:00\n"


def bring(
    folder: Path, which: Iterable[int], name: str, windows: dict[int, date] | None = None, quiet: Iterable[int] = ()
) -> Path:
    """Orders as a file, and what the carrier says: every parcel moved three days ago, those in `quiet` two days after it left."""
    wanted, ends, silent = list(which), windows or {}, set(quiet)
    path = folder / f"{name}.csv"
    path.write_text(HEADER + "".join(row(index, ends.get(index)) for index in wanted), encoding="utf-8")
    last = {index: left(index) + timedelta(days=2) if index in silent else TODAY - timedelta(days=3) for index in wanted}
    (folder / "scans" / f"{name}.csv").write_text(SCANS + "".join(scans(each, last[each]) for each in wanted), encoding="utf-8")
    return path


@pytest.fixture
def shop(tmp_path: Path, shell: Shell) -> Iterator[Path]:
    """A rehearsal with one live shop that sends into a folder, and has run since January."""
    folder = tmp_path / "shop"
    assert shell("init", folder, "--rehearsal", "--at", "2026-01-01").code == 0
    for spare in (folder / "stores").glob("*.toml"):
        spare.unlink()
    (folder / "stores" / "lume.toml").write_text(STORE, encoding="utf-8")
    shell.config = folder / "tracker.toml"
    first = HEADER + row(9_999).replace("shipped", "finished")
    (folder / "first.csv").write_text(first, encoding="utf-8")
    shell.json("import", folder / "first.csv", "--at", "2026-01-02")
    yield folder
    assert shell("config", "check").code == 0


def passed(shell: Shell, at: str = NOW) -> None:
    said = shell("run", "--once", "--at", at, "--json")
    assert (said.code, said.document["down"]) == (0, [])


def mails(folder: Path) -> list[str]:
    """The dedup keys of what reached buyers, and of nothing else."""
    with sqlite3.connect(folder / "tracker.db") as database:
        sent = [each[0] for each in database.execute("SELECT dedup_key FROM outbox WHERE state = 'sent' AND kind = 'message'")]
    there = len(mailbox.Maildir(folder / "mailbox", create=False)) if (folder / "mailbox" / "new").exists() else 0
    assert there == len(sent) == len(set(sent))
    return sent


def told(shell: Shell, *words: str) -> Any:
    return shell.json("backlog", *words, "--at", NOW)


def skipped(document: Any) -> dict[str, int]:
    return {pile["kind"]: len(pile["orders"]) for pile in document["skipped"]}


@pytest.mark.timeout(240)  # three thousand orders, twice
def test_without_a_cut_over_three_thousand_old_parcels_write_to_nobody(shop: Path, shell: Shell) -> None:
    """Faults row 35, into a shop that is live and has run for long: all that is due waits for a person, and says since when."""
    shell.json("import", bring(shop, range(3_000), "orders"), "--at", NOW)
    passed(shell)
    assert mails(shop) == []
    left_behind = told(shell, "list")
    assert (left_behind["skipped"], left_behind["in_line"]) == ([], [])
    held = {(each["hold"], each["intent"]): each["rows"] for each in left_behind["held"]}
    assert held == {("first_start", f"stage{stage}"): count for stage, count in ((1, 638), (2, 630), (3, 1260))}


def test_with_a_cut_over_only_live_danger_enters_the_queue(shop: Path, shell: Shell) -> None:
    """Window within 10 days, proven untrackable; of the rest nothing is said until something new is due.

    D2: who is 60 days old since the start, and still moves, reads an apology where nothing can be extended.
    """
    soon, later, over = (TODAY + timedelta(days=days) for days in (6, 60, -20))
    old = next(index for index in range(AGES) if age(index) == 70)
    windows = dict.fromkeys(range(AGES), later) | {old: soon, old + 1: over}
    path = bring(shop, range(AGES), "orders", windows, quiet=[AGES - 1])
    file = shell.json("import", path, "--cutover", "2026-06-01", "--at", NOW)["files"][0]
    assert (file["new"], file["taken_over"]) == (2 * AGES, AGES)
    passed(shell)
    today = ["order/lume/L-10:stage1:0", "order/lume/L-25:stage2:0", "order/lume/L-40:delay:stage3"]
    assert sorted(mails(shop)) == today, "30, 45 and 60 days old this very morning: that is ours"
    queue = {(each["order"], each["reason"]) for each in shell.json("review", "list")["reviews"]}
    assert queue == {(f"L-{old}", "window_closes_unarrived"), (f"L-{AGES - 1}", "silent_beyond_limit")}
    found = told(shell, "list")
    assert skipped(found) == {"stage1": 14, "stage2": 14, "stage3": 28}
    assert (found["held"], found["in_line"]) == ([], [])
    [story] = shell.json("explain", "L-12", "--at", NOW)["explanations"]
    assert "taken over 2026-06-01" in next(each["detail"] for each in story["rules"] if each["reason"] == "before_cutover")
    assert any((fact["name"], fact["value"]) == ("cut over", "2026-06-01") for fact in story["facts"])

    passed(shell, "2026-06-03T08:00Z")
    since = [f"order/lume/L-{index}:stage{stage}:0" for stage, index in ((1, 8), (1, 9), (2, 23), (2, 24))]
    since += [f"order/lume/L-{index}:delay:stage3" for index in (38, 39)]
    assert sorted(mails(shop)) == sorted(today + since), "what comes due speaks as on any day"


def test_what_was_skipped_is_settled_as_done_sent_or_never(shop: Path, shell: Shell) -> None:
    """D21: what is sent after all stands in line, on fresh facts, with the name of who wanted it; the rest stays unsaid."""
    shell.json("import", bring(shop, range(AGES), "orders"), "--cutover", "2026-06-01", "--at", NOW)
    passed(shell)
    assert skipped(told(shell, "list")) == {"stage1": 14, "stage2": 14, "stage3": 30}
    why = ("--reason", "agreed", "--by", "Mei")
    preview = told(shell, "settle", "--as", "send", "--stage", "stage2", *why, "--dry-run")
    assert preview["settled"] == [{"store": "lume", "kind": "stage2", "orders": 14}]
    assert [(each["waiting"], each["today"], each["through_on"]) for each in preview["in_line"]] == [(14, 20, "2026-06-01")]
    assert told(shell, "settle", "--as", "send", "--stage", "stage2", *why)["refused"] == []
    assert told(shell, "settle", "L-11", "--as", "done", "--on", "2026-05-31", *why)["settled"][0]["orders"] == 1
    assert told(shell, "settle", "--stage", "stage1", "--as", "skip", *why)["settled"][0]["orders"] == 13
    assert told(shell, "settle", "L-41", "--as", "send", *why)["settled"][0]["kind"] == "stage3"
    nothing = shell("backlog", "settle", "L-0", "--as", "send", *why, "--at", NOW, "--json")
    assert (nothing.code, nothing.document["refused"][0]["order"]) == (1, "lume/L-0")
    passed(shell, "2026-06-01T09:00Z")
    sent = [f"order/lume/L-{index}:stage2:0" for index in range(25, 40)]
    apologies = [f"order/lume/L-{index}:delay:stage3" for index in (40, 41)]
    assert sorted(mails(shop)) == sorted(["order/lume/L-10:stage1:0", *sent, *apologies]), "D2: L-41 by Mei's word"
    assert skipped(told(shell, "list")) == {"stage3": 29}
    [story] = shell.json("explain", "L-11", "--at", NOW)["explanations"]
    assert any(rule["detail"] == "contacted outside on 2026-05-31" for rule in story["rules"])
    assert told(shell, "settle", "L-12", "--as", "send", *why)["settled"][0]["orders"] == 1
    passed(shell, "2026-06-01T10:00Z")
    assert "order/lume/L-12:stage1:0" in mails(shop), "who said never can say otherwise"
    passed(shell, "2026-06-09T08:00Z")
    advised = {each["order"] for each in shell.json("review", "list")["reviews"]}
    assert advised == {f"L-{index}" for index in range(32, 42)}, "60 days old since the start, and the one that was asked for"


def test_with_contacts_no_stage_is_told_twice(shop: Path, shell: Shell) -> None:
    """The list may come with the orders or after them; a row that finds no order is kept, and taken when its order has come."""
    list_of = shop / "contacted.csv"
    which = [index for index in range(AGES) if age(index) >= 30]
    rows = "".join(f"L-{index},{'2026-05-31' if index % 2 else ''},{'45' if index == 60 else ''}\n" for index in which)
    list_of.write_text(f"订单号,日期,阶段\n{rows}L-77,2026-05-30,\nL-78,someday,\n", encoding="utf-8")
    said = shell("import", bring(shop, range(AGES), "orders"), "--contacted", list_of, "--at", NOW, "--json")
    assert said.code == 3
    contacts = said.document["contacted"]
    assert (contacts["noted"], [each["row"] for each in contacts["rejected"]]) == (len(which), [len(which) + 2, len(which) + 3])
    passed(shell)
    assert mails(shop) == []
    holds = [each["order"] for each in shell.json("hold", "list")["holds"]]
    assert holds == ["L-25", "L-60"], "told stage 1 the day before its stage 2, and told stage 2 alone at 80 days"
    for day in ("2026-06-05", "2026-06-10", "2026-06-15"):
        passed(shell, f"{day}T08:00Z")
    sent = mails(shop)
    assert sent
    for key in sent:
        subject, stage, _ = key.split(":")
        index = int(subject.rpartition("-")[2])
        assert age(index) < {"stage1": 30, "stage2": 45, "delay": 60}[stage], "what was due at the start was told outside"
    late = shell(
        "import", bring(shop, [77], "late"), "--contacted", contacts["rejected_file"], "--at", "2026-06-15T09:00Z", "--json"
    )
    assert (late.code, late.document["contacted"]["noted"], len(late.document["contacted"]["rejected"])) == (3, 1, 1)


def test_a_list_that_cannot_be_read_stops_before_the_orders(shop: Path, shell: Shell) -> None:
    bad = shop / "bad.csv"
    bad.write_text("buyer,when\nAna,2026-05-01\n", encoding="utf-8")
    said = shell("import", bring(shop, range(2), "orders"), "--contacted", bad, "--at", NOW)
    assert said.code == 1
    assert "no column of order numbers (found: buyer, when). Expected: order (订单号)" in said.err
    assert shell("explain", "L-1", "--at", NOW).code == 1
    assert "days ahead" in shell("import", shop / "orders.csv", "--cutover", "2062-06-01", "--at", NOW).err


def test_a_cut_over_that_was_forgotten_can_be_told_the_same_day_and_is_never_moved(shop: Path, shell: Shell) -> None:
    path = bring(shop, range(AGES), "orders")
    shell.json("import", path, "--at", NOW)
    passed(shell)
    assert shell.json("hold", "list")["holds"] != []
    first = shell.json("import", path, "--cutover", "2026-06-01", "--at", "2026-06-01T09:00Z")["files"][0]
    passed(shell, "2026-06-01T10:00Z")
    holds = [each["order"] for each in shell.json("hold", "list")["holds"]]
    assert holds == ["L-10", "L-25", "L-40"], "due on the very day: ours"
    moved = shell.json("import", path, "--cutover", "2026-06-20", "--at", "2026-06-01T11:00Z")["files"][0]
    assert (first["taken_over"], moved.get("taken_over", 0)) == (AGES, 0)
    text = shell("import", path, "--cutover", "2026-06-20", "--at", "2026-06-01T11:00Z", "--dry-run").out
    assert "71 orders followed since before that day, or taken over on another, as before" in text
    assert skipped(told(shell, "list"))["stage1"] == 14


def test_what_waits_behind_a_hold_is_settled_too_as_it_was_seen(shop: Path, shell: Shell) -> None:
    """The way out of a start without a cut-over: thousands of held rows in three commands, each on what the person saw."""
    shell.json("import", bring(shop, range(AGES), "orders"), "--at", NOW)
    passed(shell)
    stage1, stage2, stage3 = sorted(told(shell, "list", "--store", "lume")["held"], key=lambda each: each["intent"])
    assert (stage1["rows"], stage2["rows"], stage3["rows"]) == (15, 15, 30)
    why = ("--store", "lume", "--reason", "told in May", "--by", "Mei")
    some = ("--stage", "stage1", "--seen", stage1["seen"], *why)
    assert told(shell, "settle", "--as", "done", *some)["settled"] == [{"store": "lume", "kind": "stage1", "orders": 15}]
    again = shell("backlog", "settle", "--as", "send", *some, "--at", NOW, "--json")
    assert (again.code, again.document["error"]["kind"]) == (1, "moved_on")
    said = shell("backlog", "settle", "--as", "send", "--stage", "stage2", "--seen", stage2["seen"], *why, "--at", NOW).out
    assert "lume: 15 × stage2 sent after all" in said
    assert "lume: 15 wait for their turn, at most 20 go out today, through on 2026-06-01" in said
    third = ("--stage", "stage3", "--seen", stage3["seen"], *why)
    assert told(shell, "settle", "--as", "done", *third)["settled"] == [{"store": "lume", "kind": "stage3", "orders": 30}]
    passed(shell, "2026-06-01T09:00Z")
    assert sorted(mails(shop)) == sorted(f"order/lume/L-{index}:stage2:0" for index in range(25, 40))
    assert "Nothing is left behind." in shell("backlog", "list", "--at", "2026-06-01T09:30Z").out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("--as", "skip", "--reason", " "), 2, "needs a reason", id="no reason"),
        pytest.param(
            ("--as", "skip", "--reason", "x", "--seen", "ab"), 2, "name its --store and --stage", id="seen without line"
        ),
        pytest.param(("--as", "skip", "--reason", "x", "--store", "lune"), 1, "is not configured: lume", id="unknown store"),
        pytest.param(("--as", "send", "--reason", "x", "--on", "2026-05-01"), 1, "--on belongs to --as done", id="when sent"),
        pytest.param(("--as", "done", "--reason", "x", "--on", "2026-07-01"), 1, "lies ahead", id="told tomorrow"),
        pytest.param(("--as", "send", "--reason", "x", "L-4711"), 1, "No order and no parcel", id="unknown order"),
    ],
)
def test_a_settlement_that_cannot_be_is_refused(shop: Path, shell: Shell, words: tuple[str, ...], code: int, says: str) -> None:
    said = shell("backlog", "settle", *words, "--by", "Mei", "--at", NOW)
    assert said.code == code
    assert says in said.out + said.err
