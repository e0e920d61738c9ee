"""Tables as files: read back, they say what was written, and no cell becomes a formula (faults row 29)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.reports.sheet import Cell, Column, Sheet, plain, write_csv, write_xlsx

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
COLUMNS = (Column(title="text"), Column(title="day"), Column(title="money"), Column(title="decision", choices=("done", "drop")))


def _sheet(*rows: tuple[Cell, ...]) -> Sheet:
    return Sheet(name="tasks", columns=COLUMNS, rows=rows)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "＠A1", "\0=1"])
def test_text_never_becomes_a_formula(text: str, tmp_path: Path) -> None:
    assert plain(text)[0] == "'"
    assert plain(text).replace("'", "") == text
    if "\0" not in text and "\r" not in text:  # XML holds neither as it is
        write_xlsx(tmp_path / "a.xlsx", [_sheet((text, None, None, None))], created=NOW)
        cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["A2"]
        assert (cell.data_type, cell.value) == ("s", text)


@pytest.mark.parametrize("text", ["", "RB123456785CN", "订单 =1", "12.50"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_csv_cell_is_read_back_whole(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow([plain(text), "end"])
    [row] = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert row == [plain(text), "end"]
    assert row[0][:1] not in {"=", "+", "-", "@", "\t", "\r", "\0"}


def test_numbers_and_dates_stay_numbers_and_dates(tmp_path: Path) -> None:
    """A refund of 12.50 adds up in a spreadsheet; negative money needs no apostrophe."""
    rows = (("ação 你好", date(2026, 3, 1), Decimal("12.50"), None), ("b", NOW, Decimal("-1.10"), None))
    write_xlsx(tmp_path / "a.xlsx", [_sheet(*rows)], created=NOW)
    page = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [cell.value for cell in page[2]] == ["ação 你好", datetime(2026, 3, 1), 12.5, None]  # noqa: DTZ001 - a cell has no zone
    assert page["B3"].value == datetime(2026, 3, 1, 12, 30)  # noqa: DTZ001 - as above
    [choice] = page.data_validations.dataValidation
    assert (str(choice.sqref), choice.formula1) == ("D2:D3", '"done,drop"')
    write_csv(tmp_path / "a.csv", _sheet(*rows))
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbftext,day,money,decision\r\n"), "Excel knows UTF-8 by its byte order mark"
    assert raw.decode("utf-8-sig").splitlines()[1:] == ["ação 你好,2026-03-01,12.50,", "b,2026-03-01T12:30:00Z,-1.10,"]


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    """Running a month's report again gives the same file (facts/compensation.md section 6)."""
    for name in ("a.xlsx", "b.xlsx"):
        write_xlsx(tmp_path / name, [_sheet(("x", None, Decimal(1), None))], created=NOW)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_text_longer_than_a_cell_is_cut(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [_sheet(("x" * 40_000, None, None, None))], created=NOW)
    assert len(openpyxl.load_workbook(tmp_path / "a.xlsx").active["A2"].value) == 32_767


def test_an_empty_table_is_a_header(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [_sheet()], created=NOW)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").active.max_row == 1
