"""Whoever may write into the inbox, and means harm: what he exchanges while the daemon looks leads nowhere (fault 31)."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Lines
from tests.intake.sheets import ALIEXPRESS, aliexpress, book, rules
from tests.intake.test_inbox import GOOD, LIGHTS, Desk, desk
from tracker import log
from tracker.intake import inbox as inbox_module
from tracker.intake.errors import FileError
from tracker.intake.files import MOST_BYTES, read_contents
from tracker.intake.importing import Knowledge

__all__ = ["desk"]

FOREIGN = book(ALIEXPRESS, aliexpress(order="8180000000009999"))


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the daemon may read and the stranger may not, with a file that looks like orders."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "orders.xlsx").write_bytes(FOREIGN)
    return folder


def _exchanged(monkeypatch: pytest.MonkeyPatch, exchange: Callable[[], object]) -> None:
    """Between the look and the opening, the stranger is quicker."""

    def read(path: Path, **more: Path) -> object:
        exchange()
        return read_contents(path, **more)

    monkeypatch.setattr(inbox_module, "read_contents", read)


def _link(at: Path, to: Path) -> None:
    at.rename(at.with_name(".gone"))
    at.symlink_to(to)


async def test_a_file_that_becomes_a_link_is_not_read(desk: Desk, foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 31: O_NOFOLLOW decides at the opening, not what the name was at the look."""
    file = desk.folder / "orders.xlsx"
    file.write_bytes(GOOD)
    _exchanged(monkeypatch, lambda: _link(file, foreign / "orders.xlsx"))
    assert "is a link" in ((await desk.take()).report.error or "")
    assert (foreign / "orders.xlsx").read_bytes() == FOREIGN


async def test_a_stores_folder_that_becomes_a_link_leads_nowhere(
    desk: Desk, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 31: every step is opened from the one before; nothing of the foreign folder is read, moved or told."""
    desk.knowledge = Knowledge(formats=desk.knowledge.formats, rules=rules(LIGHTS))
    folder = desk.folder / "lights"
    folder.mkdir()
    (folder / "orders.xlsx").write_bytes(GOOD)
    _exchanged(monkeypatch, lambda: _link(folder, foreign))
    moved = await desk.take()
    assert moved.report.error is not None
    assert moved.report.new == 0
    assert os.listdir(foreign) == ["orders.xlsx"]  # noqa: PTH208 - a test may block its loop
    assert (foreign / "orders.xlsx").read_bytes() == FOREIGN


@pytest.mark.parametrize("what", ["pipe", "folder", "nothing", "device"])
async def test_a_file_that_becomes_something_else_fails(desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 31: fstat of what was opened, without waiting for a writer."""
    file = desk.folder / "orders.xlsx"
    file.write_bytes(GOOD)

    def exchange() -> None:
        file.unlink()
        match what:
            case "pipe":
                os.mkfifo(file)
            case "folder":
                file.mkdir()
            case "device":
                try:
                    os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 5))
                except PermissionError:
                    pytest.skip("only root makes devices")

    _exchanged(monkeypatch, exchange)
    async with asyncio.timeout(10):
        assert (await desk.take()).report.error is not None


async def test_the_contents_that_were_opened_are_those_that_are_imported(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 31: another file under the same name is another file: it stays, and is taken at the next look."""
    file = desk.folder / "orders.xlsx"
    file.write_bytes(GOOD)
    real = read_contents

    def read(path: Path, **more: Path) -> object:
        found = real(path, **more)
        other = desk.folder / ".new"
        other.write_bytes(FOREIGN)
        other.rename(file)
        return found

    monkeypatch.setattr(inbox_module, "read_contents", read)
    first = await desk.take()
    monkeypatch.undo()
    assert (first.to, first.report.new) == (None, 2)
    assert (await desk.take()).report.new > 0


@pytest.mark.parametrize("name", ["a\nb.csv", "a\x1b[31m.csv", "-rf.csv", "a b;$(x).csv", "é\u202e.csv", "a" * 250 + ".csv"])
async def test_an_odd_name_stays_in_the_folder(desk: Desk, name: str, log_lines: Lines) -> None:
    """Fault 31: there are no separators in a name; what is odd about it goes with the file, one line in the log each."""
    (desk.folder / name).write_bytes(b"what,is,this\n1,2,3\n")
    moved = await desk.take()
    assert moved.report.error is not None
    assert name in desk.names("failed")
    assert {path.parent for path in desk.folder.rglob("*.csv")} <= {desk.folder, desk.folder / "failed"}
    assert [line["event"] for line in log_lines()] == ["inbox.failed"]


def test_a_name_forges_no_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults 28 and 31: in both forms of the log a line break or an escape of the terminal in a name is written out."""
    name = "a\n2026-03-01 [info] all is well\x1b[2J.csv"
    for form in ("json", "console"):
        log.configure(form)
        log.get_logger().error(log.Event.INBOX_FAILED, file=name, reason=name)
        said = capsys.readouterr().err
        assert said.count("\n") == 1, said
        assert "\x1b[2J" not in said


def test_a_file_larger_than_the_cap_is_read_no_further(tmp_path: Path) -> None:
    """Faults 10 and 31: sparse, so that it costs nothing to make."""
    path = tmp_path / "orders.csv"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES * 4)
    with pytest.raises(FileError, match="larger than"):
        read_contents(path, inside=tmp_path)


@pytest.mark.parametrize("parts", [("..", "orders.csv"), ("lights", "..", "..", "orders.csv")])
def test_a_path_out_of_the_inbox_is_a_mistake_of_ours(tmp_path: Path, parts: tuple[str, ...]) -> None:
    """Fault 31: a name comes from a listing of the folder; one that leads out of it would be read by nobody's wish."""
    (tmp_path / "inbox" / "lights").mkdir(parents=True)
    (tmp_path / "orders.csv").write_bytes(b"order id\n1\n")
    with pytest.raises(FileError):
        read_contents((tmp_path / "inbox").joinpath(*parts), inside=tmp_path / "inbox")
