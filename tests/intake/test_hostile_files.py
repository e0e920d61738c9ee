"""Files that nobody sane writes: they are refused in a sentence, and never stop the ones behind them (faults rows 10, 31, 33)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import Lines
from tests.intake.conftest import Read
from tests.intake.sheets import ALIEXPRESS, aliexpress, book, rules
from tests.intake.test_inbox import GOOD, LIGHTS, Desk, desk
from tracker.intake import importing
from tracker.intake.delimited import read_delimited
from tracker.intake.errors import FileError, RowError
from tracker.intake.importing import Knowledge
from tracker.intake.money import money
from tracker.store import Locked

__all__ = ["desk"]

HEADER = b"order id,country,tracking number\n"
NAMES = ["order id", "country", "tracking number"]


@pytest.mark.parametrize("cell", ["99999999999999999999999999999.5", 1e300, "1000000000000000"])
def test_an_amount_that_nobody_pays_rejects_its_row(cell: str | float) -> None:
    """It could not be rounded: the whole file, and in the inbox all files behind it, would stand still."""
    with pytest.raises(RowError, match="more than anybody pays"):
        money(cell, "en_US", {})
    assert money("999999999999999.99", "en_US", {}) == (Decimal("999999999999999.99"), None)


@pytest.mark.parametrize(
    "data",
    [HEADER.strip() + b",a" * 20_000 + b"\n", HEADER + b"," * 20_000, HEADER + b"\n" * 6_000_001],
    ids=["a header of 20,000 columns", "20,000 separators", "six million empty lines"],
)
def test_a_text_file_without_measure_is_refused(data: bytes) -> None:
    """Workbooks have such a limit; 60 MB of separators or line breaks took five gigabytes."""
    with pytest.raises(FileError, match="too many lines or columns"):
        read_delimited(data, NAMES)


def test_one_long_line_among_others_is_read() -> None:
    sheet = read_delimited(HEADER + b'1,BR,"' + b"x" * 1_000_000 + b'"\n', NAMES)
    assert [line.number for line in sheet.lines] == [1, 2]


async def test_a_file_that_nobody_foresaw_stops_no_other(desk: Desk, log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 33: a bad one is put aside, the next one goes on."""
    real = importing.import_contents

    async def odd(path: Path, *rest: object, **more: object) -> object:
        if path.name == "a.xlsx":
            raise ZeroDivisionError("odd")
        return await real(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("tracker.intake.inbox.import_contents", odd)
    (desk.folder / "a.xlsx").write_bytes(GOOD)
    (desk.folder / "b.xlsx").write_bytes(book(ALIEXPRESS, aliexpress()))
    first, second = await desk.take(), await desk.take()
    assert "ZeroDivisionError('odd')" in (first.report.error or "")
    assert (desk.names("failed"), second.report.error) == (["a.xlsx", "a.xlsx.reason.txt"], None)
    assert [line["event"] for line in log_lines()] == ["inbox.failed", "inbox.imported"]


async def test_a_database_that_does_not_answer_is_not_the_files_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where it is, and is read at the next look."""

    async def locked(*_: object, **__: object) -> object:
        raise Locked("locked")

    (desk.folder / "a.xlsx").write_bytes(GOOD)
    with monkeypatch.context() as patch:
        patch.setattr("tracker.intake.inbox.import_contents", locked)
        with pytest.raises(Locked):
            await desk.look(patient=False)
    assert (await desk.take()).report.new == 2


@pytest.mark.parametrize("where", ["failed", "done", "failed/lights"])
async def test_a_link_in_the_place_of_our_folders_leads_nowhere(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, where: str
) -> None:
    """Row 31: whoever writes into the inbox must not choose where the daemon puts its files."""
    desk.knowledge = Knowledge(formats=desk.knowledge.formats, rules=rules(LIGHTS))
    outside = tmp_path_factory.mktemp("outside")
    (desk.folder / "lights").mkdir()
    (desk.folder / "lights" / "tracker.db-wal").write_text("not ours")
    (desk.folder / where).parent.mkdir(exist_ok=True)
    (desk.folder / where).symlink_to(outside)
    with pytest.raises(FileError, match="link"):
        await desk.look(patient=False)
    assert list(outside.iterdir()) == []


def test_a_workbook_of_two_tables_is_refused(read: Read) -> None:
    """A sheet a month: one of them was read, the others were lost without a word."""
    data = book(ALIEXPRESS, aliexpress(), extra=[ALIEXPRESS, aliexpress(order="8180000000000025")])
    with pytest.raises(FileError, match="sheet Sheet1, sheet Notes"):
        read(data, "orders.xlsx")
    assert read(book(ALIEXPRESS, aliexpress(), extra=[ALIEXPRESS]), "orders.xlsx").rows == 1
