"""Our code tables against the tables of the fact sheets: every row is there, with the same meaning (facts: code tables)."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from carriers import codes

REFERENCE = os.environ.get("TRACKER_REFERENCE")

Row = dict[str, str]


def _plain(row: Row) -> str:
    return next(iter(row.values()))


def _field(row: Row) -> str:
    return f"{row['field']} {row['code']}"


def _kind(row: Row) -> str:
    return row["code"] if row["kind"] == "checkpoint" else f"{row['kind']} {row['code']}"


TABLES = {
    "cainiao_action_codes": ("cainiao", _plain),
    "fedex_status": ("fedex", _plain),
    "ups_type": ("ups", lambda row: f"type {_plain(row)}"),
    "upu_emsevt_events": ("upu_emsevt", _plain),
    "yanwen_codes": ("yanwen", _kind),
    "yunexpress_codes": ("yunexpress", _field),
}
"""Table of the fact sheets -> our table, and the key there of a row here."""


@pytest.mark.skipif(not REFERENCE, reason="$TRACKER_REFERENCE names no folder")
@pytest.mark.parametrize("name", TABLES)
def test_every_code_of_the_fact_sheets_means_the_same_with_us(name: str) -> None:
    ours, key = TABLES[name]
    columns = ("field", "code") if ours == "ups" else (next(iter(codes.rows(ours)[0])),)
    known = codes.table(ours, *columns)
    text = Path(REFERENCE or "", "facts", "codes", f"{name}.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["status"]]
    assert rows
    assert {key(row): known.get(key(row)) for row in rows} == {key(row): codes.meaning(row) for row in rows}
