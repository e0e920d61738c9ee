"""Files that cannot be taken: a sentence that says what is wrong and how to mend it, never a traceback, never a dead daemon."""

from __future__ import annotations

import io
import os
import random
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from tests.intake.conftest import Read
from tests.intake.sheets import ALIEXPRESS, OWN, aliexpress, book, own, rules
from tracker.intake import files, workbook
from tracker.intake.errors import FileError
from tracker.intake.profiles import Formats
from tracker.intake.reading import read_file
from tracker.intake.workbook import read_workbook

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"  \r\n ", "is empty"),
        (b"<html><table><tr><td>1</td></tr></table>", "is a web page, whatever its name says"),
        (b"PK\x03\x04 truncated", "damaged or no workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "damaged or no workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (
            b"just\nsome\ntext",
            "no header row within the first 15 rows .read as utf-8-sig, separated by ,.; the first row says: just",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", "neither a workbook nor text"),
    ],
)
def test_what_is_no_order_file(read: Read, data: bytes, why: str) -> None:
    with pytest.raises(FileError, match=why):
        read(data, "orders.xlsx")


def test_directories_pipes_and_nothing(tmp_path: Path, formats: Formats) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, why in (
        (".", "is a directory: name the files in it"),
        ("pipe.csv", "not a regular file"),
        ("gone", "No such file"),
    ):
        with pytest.raises(FileError, match=why):
            read_file(tmp_path / name, formats=formats, rules=rules())


def test_a_file_beyond_the_limit(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1024 * 1024)
    with pytest.raises(FileError, match="larger than 1 MiB: export a shorter period"):
        read(b"x" * (1024 * 1024 + 1))


def test_an_unknown_layout_is_told_with_the_nearest_format(read: Read) -> None:
    with pytest.raises(FileError) as told:
        read("Номер заказа;Tracking Number;Order Date;Сумма\n1;2;3;4\n".encode())
    message = str(told.value)
    assert "Headers seen: Номер заказа | Tracking Number | Order Date | Сумма." in message
    assert "The nearest format is" in message
    assert "missing there:" in message


def test_a_layout_with_too_many_strange_columns_is_not_guessed(read: Read) -> None:
    header = "order,tracking,Lot,Hammer Price,Consignor,Catalogue,Estimate"
    with pytest.raises(FileError, match=r"it does not know Lot \| Hammer Price \| Consignor"):
        read(f"{header}\n1,2,3,4,5,6,7\n".encode())


def test_a_forced_format_must_fit_and_the_register_is_no_order_file(read: Read) -> None:
    data = book(ALIEXPRESS, aliexpress())
    assert read(data, format="aliexpress_seller_zh").rejected == ()
    with pytest.raises(FileError, match="not a file of format cn_forwarder_shipments: no column"):
        read(data, format="cn_forwarder_shipments")
    with pytest.raises(FileError, match=r"no order file .+ a register of claims is written at the end of a month, never read in"):
        read((SAMPLES / "claims_register_proposed.xlsx").read_bytes())
    with pytest.raises(FileError, match="format 'ebay' is not known: it is one of aliexpress_seller_zh, dianxiaomi_orders"):
        read(data, format="ebay")


def test_text_that_calls_itself_a_workbook_is_read_as_text(read: Read) -> None:
    rows = [",".join(row) for row in (OWN, own())]
    assert read("\n".join(rows).encode(), "orders.xls").orders[0].number == "1001"


def test_a_lone_cell_far_outside_does_not_take_us_down() -> None:
    """The library would ask for 512 GiB and abort the process."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book_:
        sheet = book_.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write(1_048_575, 16_383, "y")
    assert read_workbook(out.getvalue()).error == "unreadable"


def swollen(size: int) -> bytes:
    """A workbook of a few kilobytes with one cell of `size` bytes."""
    good, bomb = io.BytesIO(book(OWN)), io.BytesIO()
    cell = b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + b"x" * size + b"</t></is></c></row>"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(
                name, content.replace(b"</sheetData>", cell + b"</sheetData>") if name.endswith("sheet1.xml") else content
            )
    return bomb.getvalue()


def test_a_zip_bomb_does_not_reach_us(monkeypatch: pytest.MonkeyPatch) -> None:
    data = swollen(workbook.MOST_TEXT + 1)
    assert len(data) < 1_000_000
    assert read_workbook(data).error == "too_large", "its text is not handed on"
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1024 * 1024)
    assert workbook._read(data).error == "too_large", "what it says to be is not even unpacked"


def test_more_cells_than_a_file_of_orders_has() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book_:
        sheet = book_.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write(9_999, 700, "y")
    assert read_workbook(out.getvalue()).error == "too_large"


@pytest.mark.parametrize("name", ["aliexpress_orders_zh.xls", "dianxiaomi_orders.xlsx"])
def test_damaged_workbooks_are_read_or_refused(name: str, read: Read) -> None:
    whole = (SAMPLES / name).read_bytes()
    dice = random.Random(name)  # noqa: S311 -- which bytes are damaged
    for _ in range(6):
        damaged = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            damaged[dice.randrange(8, len(damaged))] = dice.randrange(256)
        try:
            assert read(bytes(damaged), name).rows >= 0
        except FileError as error:
            assert str(error)  # noqa: PT017 -- either is right, an abort is not


def test_a_reader_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SECONDS", 0.001)
    assert read_workbook(book(OWN, own())).error == "too_large"
