"""No text of a stranger runs in a clerk's spreadsheet, whatever separator his language has (fault 29)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.intake.rejected import rejected_csv
from tracker.messages.cells import disarmed, like_a_formula
from tracker.model import ImportBatch, Rank, Rejected
from tracker.reports.sheet import Column, Sheet, csv_bytes, xlsx_bytes

SIGNS = "=+-@\t\r\n\0＝＋－＠﹢﹣﹦﹫"
TEXTS = st.text(st.one_of(st.sampled_from(SIGNS + ";,|'\" a1"), st.characters(exclude_categories=["Cs"])), max_size=30)
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def cells(data: bytes, separator: str) -> list[str]:
    """All cells, as a spreadsheet whose language separates so reads them: quotes count at the beginning of a cell only."""
    text = data.decode("utf-8-sig")
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


@given(TEXTS, TEXTS)
@example("x;=1+1", "x")
@example("x", "a\"; =cmd|' /C calc'!A0")
@example("x\n@SUM(A1)", "x\t=1")
@example("\0=1", "=1")
def test_no_cell_of_a_csv_runs(first: str, second: str) -> None:
    """Fault 29: read with comma, semicolon and TAB; OWASP: a separator within the text begins a cell of its own."""
    sheet = Sheet(name="x", columns=(Column(title="a"), Column(title="b")), rows=((first, second), (second, first)))
    batch = ImportBatch(
        file="x.csv",
        format="test",
        digest="d",
        rank_orders=Rank.MARKETPLACE,
        rank_tracking=Rank.MARKETPLACE,
        rows=1,
        header=("a", first),
        rejected=(Rejected(row=2, reason=second, cells=(first, second)),),
    )
    for data in (csv_bytes(sheet), rejected_csv(batch)):
        for separator in ",;\t":
            found = [cell for cell in cells(data, separator) if cell]
            assert [cell for cell in found if like_a_formula(cell) and cell[0] not in "\n\r\t\0"] == []
    assert cells(csv_bytes(sheet), ",")[2:4] == [disarmed(first), disarmed(second)], "the rest of the text stays as it was"


@given(TEXTS)
def test_no_cell_of_a_workbook_runs(text: str) -> None:
    """Fault 29: written as text, marked as text, and read back as the very text."""
    kept = "".join(char for char in text if char.isprintable() or char in "\t\n")
    data = xlsx_bytes([Sheet(name="x", columns=(Column(title="a"),), rows=((kept,),))], created=NOW)
    cell = openpyxl.load_workbook(io.BytesIO(data)).active["A2"]
    assert cell.data_type in {"s", "n"}, "n is the type of an empty cell"
    assert (cell.value or "") == kept or not kept.isascii() or "_x" in kept.lower()


@pytest.mark.parametrize("text", ["-1.5", "RB123456785CN", "a; b", "订单 7; 8", "12;50"])
def test_what_runs_nowhere_stays(text: str) -> None:
    """Fault 29: an apostrophe stands before what begins a formula, and nowhere else."""
    assert disarmed(text) == (f"'{text}" if text.startswith("-") else text)
