"""Rejected rows beside the file: every cell, a reason, harmless in a spreadsheet, importable once mended."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.conftest import Read
from tests.intake.sheets import ALIEXPRESS, aliexpress, book
from tracker.intake.cells import text
from tracker.intake.rejected import clear_rejected, escaped, origin_of, rejected_csv, write_rejected
from tracker.model import ImportBatch, Rank, Rejected

FORMULA = "=+-@\t\r\0＝＋－＠"


def batch_of(*rows: Rejected, header: tuple[str, ...] = ("order", "note")) -> ImportBatch:
    return ImportBatch(
        file="orders.csv",
        format="x",
        digest="",
        rank_orders=Rank.ERP,
        rank_tracking=Rank.ERP,
        rows=len(rows),
        rejected=rows,
        header=header,
    )


def read_back(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@given(st.sampled_from(FORMULA), st.text(max_size=20))
def test_nothing_in_the_rejected_file_is_a_formula(first: str, rest: str) -> None:
    """Faults row 29 (OWASP)."""
    data = rejected_csv(batch_of(Rejected(row=2, reason=first + rest, cells=(first + rest, rest))))
    for cell in (cell for row in read_back(data) for cell in row):
        assert not cell.startswith(tuple(FORMULA)) or cell.removeprefix("-").replace(".", "").isdecimal()


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30).filter(lambda cell: not cell.startswith("'")))
def test_what_is_escaped_is_read_back_as_it_was(cell: str) -> None:
    assert text(escaped(cell)) == text(cell)


@pytest.mark.parametrize(
    ("cell", "kept"), [("-12.50", True), ("17", True), ("8170000000000011", False), ("+5511961230000", False)]
)
def test_short_numbers_stay_numbers_long_ones_stay_whole(cell: str, kept: bool) -> None:
    """A spreadsheet would show the long one as 8.17E+15, and save that."""
    assert (escaped(cell) == cell) is kept


def test_every_cell_is_kept_and_the_reason_comes_last() -> None:
    rows = Rejected(row=7, reason="no", cells=("1001", "two\nlines", "beyond")), Rejected(row=9, reason="why", cells=("1002",))
    assert read_back(rejected_csv(batch_of(*rows))) == [
        ["order", "note", "reason"],
        ["1001", "two\nlines", "beyond", "row 7: no"],
        ["1002", "", "row 9: why"],
    ]


def test_a_mended_rejected_file_is_imported_like_its_origin(read: Read) -> None:
    batch = read(
        book(ALIEXPRESS, aliexpress(country="Atlantis", remark="=1+1"), aliexpress(order="8180000000000018")), "orders.xlsx"
    )
    mended = rejected_csv(batch).replace(b"Atlantis", b"Brazil")
    again = read(mended, "mended.csv")
    assert (again.format, again.rejected) == ("aliexpress_seller_zh", ())
    assert [order.number for order in again.orders] == ["8180000000000017"]
    still_bad = read(rejected_csv(batch), "mended.csv")
    assert read_back(rejected_csv(still_bad))[0].count("reason") == 1


def test_in_a_folder_of_many_files_an_older_one_is_never_overwritten(tmp_path: Path) -> None:
    first, second = (batch_of(Rejected(row=2, reason=why, cells=("1",))) for why in ("a", "b"))
    written = write_rejected(first, tmp_path)
    assert written == tmp_path / "orders.csv.rejected.csv"
    assert write_rejected(first, tmp_path) == written, "the same again is no second file"
    assert write_rejected(second, tmp_path) == tmp_path / "orders.csv.rejected-2.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv.rejected-2.csv", "orders.csv.rejected.csv"]


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("orders.xls.rejected.csv", "orders.xls"),
        ("orders.csv.rejected-3.csv", "orders.csv"),
        ("rejected.csv", None),
        ("orders.rejected.xls", None),
        ("orders.csv", None),
    ],
)
def test_whose_rejected_rows_a_file_holds(name: str, origin: str | None) -> None:
    assert origin_of(name) == origin


def test_only_what_we_wrote_is_cleared_away(tmp_path: Path) -> None:
    ours = write_rejected(batch_of(Rejected(row=2, reason="a", cells=("1",)), header=("two\nlines", "note")), tmp_path)
    kept = ["orders.csv", "other.csv.rejected.csv", "orders.csv.rejected-2.csv", "orders.csv.rejected-3.csv"]
    (tmp_path / kept[0]).write_bytes(b"")
    (tmp_path / kept[1]).write_bytes(ours.read_bytes())
    (tmp_path / kept[2]).write_bytes(b"somebody's own notes,\xff\n")
    (tmp_path / kept[3]).symlink_to(tmp_path / kept[1])
    clear_rejected(tmp_path / "orders.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
