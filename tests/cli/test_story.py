"""A rehearsal through the command line only: real files in, then months of passes, decisions of people, and what came of them."""

from __future__ import annotations

import mailbox
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.cli.shell import Shell

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
FILES = ("aliexpress_orders_zh.xls", "cn_forwarder_shipments.xlsx", "dianxiaomi_orders.xlsx")
"""Of the shops below; tests/intake reads the others."""
STORES = {
    "ae": ("aliexpress", "AE-01", ""),
    "eb": ("ebay", "EB-01", ""),
    "lume": ("own_shop", "lume", 'channel = "maildir"\nsender = "Lume <care@lume.example>"\n'),
}
ORDERS = """\
order,store,status,buyer,email,country,amount,currency,paid,shipped,tracking,service
L-1,lume,shipped,Ana Kanarie,ana.kanarie@buyer.example,BR,19.90,USD,2026-03-01 10:00:00,2026-03-02 10:00:00,LB000000615CN,挂号小包
"""
SCANS = """\
运单号,扫描时间,事件代码,描述,地点,时区
LB000000615CN,2026-03-03 09:30,EMA,收寄,深圳,+08:00
LB000000615CN,2026-03-08 09:30,EMC,离开处理中心,上海,+08:00
"""


@pytest.fixture
def rehearsal(tmp_path: Path, shell: Shell) -> Iterator[Path]:
    """A rehearsal with three shops, and the files of the sellers in a folder of one's own."""
    folder = tmp_path / "rehearsal"
    assert shell("init", folder, "--rehearsal", "--at", "2026-03-01").code == 0
    for spare in (folder / "stores").glob("*.toml"):
        spare.unlink()
    for name, (platform, called, more) in STORES.items():
        (folder / "stores" / f"{name}.toml").write_text(
            f'platform = "{platform}"\nname = "{name}"\nnames = ["{called}"]\nzone = "Asia/Shanghai"\n'
            f'currency = "USD"\nmode = "live"\n{more}',
            encoding="utf-8",
        )
    shutil.copytree(SAMPLES, folder / "files")
    (folder / "files" / "own.csv").write_text(ORDERS, encoding="utf-8")
    shell.config = folder / "tracker.toml"
    yield folder
    assert shell("config", "check").code == 0


def _mails(folder: Path) -> list[str]:
    return sorted(str(mail["Subject"]) for mail in mailbox.Maildir(folder / "mailbox", create=False))


def _pass(shell: Shell, day: str) -> None:
    said = shell("run", "--once", "--at", day, "--json")
    assert (said.code, said.document["down"]) == (0, [])


def test_sellers_files_become_orders_once(rehearsal: Path, shell: Shell) -> None:
    """R29: read as sellers have them; the same files again change nothing."""
    files = [rehearsal / "files" / name for name in FILES]
    first = shell.json("import", *files, "--at", "2026-09-10")
    assert sum(each["new"] for each in first["files"]) > 0
    assert all(each["rejected"] == [] for each in first["files"])
    again = shell.json("import", *files, "--at", "2026-09-10")
    assert [(each["new"], each["updated"]) for each in again["files"]] == [(0, 0)] * len(files)
    assert shell.json("services", "--unmatched")["unmatched"] == []
    [story] = shell.json("explain", "RB123456785CN", "--at", "2026-09-10")["explanations"]
    assert story["order"] == "8170000000000022"


def test_a_parcel_that_never_arrives_is_told_extended_refunded_and_settled(rehearsal: Path, shell: Shell) -> None:
    """R1-R3, D13: day 30, day 45, day 60; the refund text goes out when a person has paid, not before."""
    (rehearsal / "scans" / "march.csv").write_text(SCANS, encoding="utf-8")
    shell.json("import", rehearsal / "files" / "own.csv", "--at", "2026-03-04")

    _pass(shell, "2026-03-20")
    assert not (rehearsal / "mailbox" / "new").exists()
    [story] = shell.json("explain", "L-1", "--at", "2026-03-20")["explanations"]
    assert {rule["reason"] for rule in story["rules"]} >= {"not_yet_due", "no_loss"}

    _pass(shell, "2026-04-03")
    _pass(shell, "2026-04-18")
    assert len(_mails(rehearsal)) == 2
    _pass(shell, "2026-04-18")
    assert len(_mails(rehearsal)) == 2, "the same day again writes to nobody"

    _pass(shell, "2026-05-03")
    [refund] = shell.json("review", "list")["reviews"]
    assert (refund["order"], refund["amount"], refund["currency"]) == ("L-1", "19.90", "USD")
    assert shell("status", "--at", "2026-05-03").code == 1
    approved = (
        "review",
        "approve",
        refund["id"],
        "--facts",
        refund["facts_version"],
        "--reason",
        "checked",
        "--by",
        "Mei",
        "--at",
        "2026-05-03T09:00Z",
    )
    assert shell(*approved).code == 0
    _pass(shell, "2026-05-03T10:00Z")
    assert len(_mails(rehearsal)) == 2, "approved is not paid"

    [task] = [each for each in shell.json("tasks", "list")["tasks"] if each["kind"] == "refund"]
    assert task["wants"] == ["amount", "reference"]
    done = ("tasks", "done", task["id"], "--amount", "19.90", "--ref", "R-4711", "--by", "Mei", "--at", "2026-05-04")
    assert shell(*done).code == 0
    _pass(shell, "2026-05-05")
    assert len(_mails(rehearsal)) == 3

    register = shell.json("report", "month-end", "--month", "2026-05", "--out", rehearsal / "reports", "--at", "2026-05-31")
    assert all(Path(file).is_file() for file in register["files"])


def test_the_tasks_go_into_a_worksheet_and_come_back(rehearsal: Path, shell: Shell) -> None:
    """A marketplace's window nears its end: a task, in the list and in the worksheet, closed there with the new end (R7)."""
    shell.json("import", rehearsal / "files" / "aliexpress_orders_zh.xls", "--at", "2026-09-10")
    _pass(shell, "2026-12-13")
    [task] = shell.json("tasks", "list")["tasks"]
    assert (task["kind"], task["wants"]) == ("extension", ["window_end"])
    sheet = rehearsal / "tasks.xlsx"
    assert shell.json("tasks", "export", sheet)["rows"] == 1
    book = openpyxl.load_workbook(sheet)
    page = book.active
    assert page is not None
    at = {cell.value: cell.column_letter for cell in page[1]}
    assert (page[f"{at['id']}2"].value, page[f"{at['order']}2"].value) == (task["id"], task["order"])
    page[f"{at['decision']}2"], page[f"{at['new window end']}2"] = "done", "2027-01-15"
    book.save(sheet)
    closed = shell.json("tasks", "import", sheet, "--by", "Mei", "--at", "2026-12-14")
    assert (closed["taken"], closed["refused"]) == (1, 0)
    _pass(shell, "2026-12-14T09:00Z")
    [story] = shell.json("explain", task["order"], "--at", "2026-12-15")["explanations"]
    assert any("2027-01-16" in fact["value"] for fact in story["facts"] if fact["name"] == "window ends")
