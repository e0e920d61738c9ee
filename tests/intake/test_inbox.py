"""The watched folder: unattended, and whoever writes into it is not trusted (faults row 31)."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Lines
from tests.intake.conftest import NOW
from tests.intake.sheets import ALIEXPRESS, aliexpress, book, rules
from tests.intake.sheets import store as shop
from tracker.config import load
from tracker.intake.errors import FileError
from tracker.intake.importing import Knowledge
from tracker.intake.inbox import Inbox, InboxReport, Moved, failed_files, scan_once
from tracker.intake.layouts import Layouts
from tracker.store.opening import Store

LIGHTS, TOYS = shop("lights", "aliexpress"), shop("toys", "aliexpress")
GOOD = book(ALIEXPRESS, aliexpress())


class Desk:
    """An inbox, its store, and a clock that moves a minute a look."""

    def __init__(self, folder: Path, knowledge: Knowledge, store: Store) -> None:
        self.folder, self.knowledge, self.store = folder, knowledge, store
        self.inbox, self.now = Inbox(folder), NOW

    async def look(self, *, patient: bool = True, later: timedelta = timedelta(minutes=1)) -> InboxReport:
        self.now += later
        return await scan_once(self.inbox, self.store, self.now, knowledge=self.knowledge, patient=patient)

    async def take(self) -> Moved:
        moved = (await self.look(patient=False)).moved
        assert moved is not None
        return moved

    def names(self, where: str) -> list[str]:
        return sorted(path.name for path in (self.folder / where).iterdir())


@pytest.fixture
def desk(tmp_path: Path, knowledge: Knowledge, store: Store) -> Desk:
    return Desk(tmp_path, knowledge, store)


async def test_a_good_file_is_imported_and_moved(desk: Desk, log_lines: Lines) -> None:
    (desk.folder / "orders.xlsx").write_bytes(GOOD)
    moved = await desk.take()
    assert (moved.report.new, moved.note, moved.to) == (2, None, str(desk.folder / "done" / "orders.xlsx"))
    assert (desk.names("done"), desk.names("failed")) == (["orders.xlsx"], [])
    assert [line["event"] for line in log_lines()] == ["inbox.imported"]


async def test_one_file_a_call_until_none_is_left(desk: Desk) -> None:
    for name in ("b.xlsx", "a.xlsx"):
        (desk.folder / name).write_bytes(GOOD)
    first, second, third = [await desk.look(patient=False) for _ in range(3)]
    assert first.moved is not None
    assert (first.moved.name, first.more, second.more, third.moved) == ("a.xlsx", True, False, None)


async def test_workers_that_share_a_folder_take_turns(desk: Desk, log_lines: Lines) -> None:
    """Fault 21: of two workers on one host one takes the file; the other neither finds it half moved nor calls it broken."""
    (desk.folder / "orders.xlsx").write_bytes(GOOD)
    other = os.open(desk.folder, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert await desk.look(patient=False) == InboxReport()
        assert (desk.folder / "orders.xlsx").exists()
    finally:
        os.close(other)
    assert (await desk.look(patient=False)).moved is not None
    assert [line["event"] for line in log_lines()] == ["inbox.imported"]


async def test_a_file_that_is_still_written_waits(desk: Desk) -> None:
    path = desk.folder / "orders.xlsx"
    path.write_bytes(GOOD[:100])
    assert await desk.look() == InboxReport(waiting=1), "seen for the first time"
    path.write_bytes(GOOD)
    assert await desk.look() == InboxReport(waiting=1), "it has grown"
    assert await desk.look(later=timedelta(seconds=1)) == InboxReport(waiting=1), "a second is no proof"
    moved = (await desk.look()).moved
    assert moved is not None
    assert moved.report.error is None


@pytest.mark.parametrize("name", [".hidden.csv", "~$orders.xlsx", "orders.xlsx.part", "orders.tmp", "orders.csv.crdownload"])
async def test_unfinished_and_hidden_files_are_left_alone(desk: Desk, name: str) -> None:
    (desk.folder / name).write_bytes(GOOD)
    assert await desk.look(patient=False) == InboxReport()
    assert (desk.folder / name).exists()


async def test_a_bad_file_goes_to_failed_with_its_reason(desk: Desk, log_lines: Lines) -> None:
    (desk.folder / "orders.csv").write_bytes(b"what,is,this\n1,2,3\n")
    moved = await desk.take()
    assert desk.names("failed") == ["orders.csv", "orders.csv.reason.txt"]
    reason = (desk.folder / "failed" / "orders.csv.reason.txt").read_text(encoding="utf-8")
    assert reason.startswith("no header row within the first 15 rows")
    assert "move the file back into the inbox" in reason
    assert moved.note == moved.report.error
    assert [line["event"] for line in log_lines()] == ["inbox.failed"]


async def test_links_are_not_followed(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    secret.write_bytes(GOOD)
    (desk.folder / "orders.csv").symlink_to(secret)
    moved = await desk.take()
    assert "is a link" in str(moved.report.error)
    assert await desk.store.find_orders("8180000000000017") == []
    assert secret.read_bytes() == GOOD


async def test_pipes_do_not_block_the_daemon(desk: Desk) -> None:
    os.mkfifo(desk.folder / "orders.csv")
    assert "is not a regular file" in str((await desk.take()).report.error)


async def test_folders_in_the_inbox_are_nobodys_business(desk: Desk) -> None:
    (desk.folder / "orders.csv").mkdir()
    assert await desk.look(patient=False) == InboxReport()


@pytest.mark.parametrize("name", ["orders.zip", "orders", "orders.pdf"])
async def test_other_suffixes_are_refused(desk: Desk, name: str) -> None:
    (desk.folder / name).write_bytes(GOOD)
    assert "has no suffix of an order file: .csv, .tsv, .txt, .xls, .xlsx" in str((await desk.take()).note)


async def test_nothing_in_done_or_failed_is_overwritten(desk: Desk) -> None:
    for _ in range(2):
        (desk.folder / "orders.xlsx").write_bytes(GOOD)
        (desk.folder / "bad.csv").write_bytes(b"x")
        await desk.take()
        await desk.take()
    assert desk.names("done") == ["orders-2.xlsx", "orders.xlsx"]
    assert desk.names("failed") == ["bad-2.csv", "bad-2.csv.reason.txt", "bad.csv", "bad.csv.reason.txt"]


async def test_the_same_file_again_is_told_and_done(desk: Desk) -> None:
    for name in ("orders.xlsx", "orders (1).xlsx"):
        (desk.folder / name).write_bytes(GOOD)
    notes = {(await desk.take()).note for _ in range(2)}
    assert notes == {None, "already imported: nothing in it is new"}
    assert desk.names("failed") == []


async def test_rejected_rows_of_a_good_file_wait_in_failed(desk: Desk) -> None:
    (desk.folder / "orders.xlsx").write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis"), aliexpress()))
    moved = await desk.take()
    assert moved.report.rejected_file == str(desk.folder / "failed" / "orders.xlsx.rejected.csv")
    assert (desk.names("done"), desk.names("failed")) == (["orders.xlsx"], ["orders.xlsx.rejected.csv"])


async def test_a_file_of_which_no_row_could_be_taken_has_failed(desk: Desk) -> None:
    (desk.folder / "orders.xlsx").write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis")))
    moved = await desk.take()
    assert str(moved.note).startswith("no row could be taken; row 2: 'Atlantis' is not a country")
    assert desk.names("failed") == ["orders.xlsx", "orders.xlsx.reason.txt", "orders.xlsx.rejected.csv"]


async def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_look(desk: Desk) -> None:
    """Nothing is lost: what came meanwhile has not been read."""
    path = desk.folder / "orders.xlsx"
    path.write_bytes(GOOD)
    desk.inbox.look(NOW, patient=False)
    path.write_bytes(GOOD + b" ")
    assert desk.inbox.move("orders.xlsx", "done") is None
    assert path.exists()


async def test_a_file_that_cannot_be_moved_is_not_imported_over_and_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "orders.xlsx").write_bytes(GOOD)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "rename", refuse)
    moved = await desk.take()
    assert (moved.to, moved.note) == (None, "imported; left where it is: it was changed meanwhile, or cannot be moved")
    assert await desk.look(patient=False) == InboxReport()
    (desk.folder / "orders.xlsx").write_bytes(GOOD + b" ")
    assert (await desk.take()).name == "orders.xlsx", "a new file of that name is looked at"


async def test_a_name_too_long_for_a_reason_file_fails_all_the_same(desk: Desk) -> None:
    name = "o" * 245 + ".csv"
    (desk.folder / name).write_bytes(b"x")
    await desk.take()
    assert desk.names("failed") == [name]


async def test_an_inbox_that_cannot_be_used_says_so(desk: Desk) -> None:
    (desk.folder / "done").touch()
    with pytest.raises(FileError, match=r"the inbox .* cannot be used: File exists"):
        await desk.look()


async def test_a_stores_own_folder_says_whose_the_files_are(desk: Desk) -> None:
    """A file that names no store, of a seller with two of the platform: nobody stands by to type --store."""
    desk.knowledge = Knowledge(formats=desk.knowledge.formats, rules=rules(LIGHTS, TOYS))
    (desk.folder / "orders.xlsx").write_bytes(GOOD)
    refused = await desk.take()
    assert "(lights, toys): name it with --store, or put the file into the folder inbox/<store>/" in str(refused.note)
    (desk.folder / "toys").mkdir()
    (desk.folder / "toys" / "orders.xlsx").write_bytes(GOOD)
    moved = await desk.take()
    assert (moved.name, moved.to) == ("toys/orders.xlsx", str(desk.folder / "done" / "toys" / "orders.xlsx"))
    (found,) = await desk.store.find_orders("8180000000000017")
    assert found.store == "toys"


async def test_what_fails_in_a_stores_folder_keeps_its_folder(desk: Desk) -> None:
    (desk.folder / "lights").mkdir()
    (desk.folder / "lights" / "bad.csv").write_bytes(b"x")
    (desk.folder / "lights" / "orders.xlsx").write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis"), aliexpress()))
    await desk.take()
    moved = await desk.take()
    assert moved.report.rejected_file == str(desk.folder / "failed" / "lights" / "orders.xlsx.rejected.csv")
    assert desk.names("failed/lights") == ["bad.csv", "bad.csv.reason.txt", "orders.xlsx.rejected.csv"]
    reason = (desk.folder / "failed" / "lights" / "bad.csv.reason.txt").read_text(encoding="utf-8")
    assert "move the file back into inbox/lights" in reason
    assert failed_files(desk.folder) == ["lights/bad.csv", "lights/orders.xlsx.rejected.csv"]


async def test_a_folder_that_is_no_store_is_told_once(desk: Desk, log_lines: Lines) -> None:
    (desk.folder / "lihgts").mkdir()
    assert await desk.look(patient=False) == InboxReport()
    assert log_lines() == []
    (desk.folder / "lihgts" / "orders.xlsx").write_bytes(GOOD)
    for _ in range(2):
        assert await desk.look(patient=False) == InboxReport()
    (line,) = log_lines()
    assert (line["event"], line["folder"], line["files"]) == ("inbox.strange_folder", "lihgts", 1)


async def test_a_link_is_no_folder_of_a_store(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "orders.xlsx").write_bytes(GOOD)
    (desk.folder / "lights").symlink_to(elsewhere)
    await desk.take()
    assert (elsewhere / "orders.xlsx").read_bytes() == GOOD
    assert await desk.store.find_orders("8180000000000017") == []


async def test_our_own_rejected_rows_are_refused(desk: Desk) -> None:
    (desk.folder / "orders.xlsx.rejected.csv").write_bytes(b"order,reason\n1,row 2: no\n")
    assert "save the mended rows under another name" in str((await desk.take()).note)


async def test_a_layout_that_is_agreed_to_is_recognised_without_a_reload(tmp_path: Path, log_lines: Lines) -> None:
    """A seller agrees to a profile by using it; the daemon beside him takes the next file by itself."""
    (tmp_path / "tracker.toml").write_text("", encoding="utf-8")
    layouts = Layouts(load(tmp_path / "tracker.toml", environ={}))
    known = layouts.now()
    assert layouts.now() is known
    (tmp_path / "profiles").mkdir()
    profile = tmp_path / "profiles" / "x.toml"
    text = '[[format]]\nid = "x"\ntitle = "x"\nrank_orders = 1\nrank_tracking = 1\nzone = "UTC"\nrequires = []\ncolumns = {}\n'
    profile.write_text(text, encoding="utf-8")
    assert layouts.now().formats.by_id("x") is not None
    profile.write_text(text + "colour = 1\n", encoding="utf-8")
    assert layouts.now().formats.by_id("x") is not None
    assert layouts.now().formats.by_id("x") is not None
    (line,) = log_lines()
    assert (line["event"], line["problems"]) == ("inbox.profiles_rejected", 1)
    assert "unknown field `colour`" in line["first"]
