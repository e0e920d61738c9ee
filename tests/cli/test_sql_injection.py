"""SQL in every text that a stranger or a clerk may write is kept and shown as text, and no table is missing (fault 30)."""

from __future__ import annotations

import csv
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

EVIL = "Robert'); DROP TABLE dossier; --"
QUOTED = 'x" OR "1"="1'
ROW = {
    "order": "E-1",
    "store": "lume",
    "status": "shipped",
    "buyer": "Ana",
    "email": "",
    "country": "BR",
    "amount": "19.90",
    "currency": "USD",
    "paid": "2026-02-01 10:00:00",
    "shipped": "2026-02-02 10:00:00",
    "tracking": "LB000000615CN",
    "service": "挂号小包",
    "product": "lamp",
}


def _tables(folder: Path) -> dict[str, int]:
    database = sqlite3.connect(f"file:{folder / 'tracker.db'}?mode=ro", uri=True)
    try:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608 - names of its own
    finally:
        database.close()


def _value(folder: Path, sql: str) -> object:
    database = sqlite3.connect(folder / "tracker.db")
    try:
        return database.execute(sql).fetchone()[0]
    finally:
        database.close()


def _file(folder: Path, **changes: str) -> Path:
    path = folder / "evil.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ROW)
        writer.writeheader()
        writer.writerow(ROW | changes)
    return path


def test_sql_in_a_cell_is_text(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Fault 30: what a marketplace's file says ends in a bound value."""
    before = _tables(shop.folder)
    texts = {"buyer": EVIL, "email": f"{QUOTED}@x.example", "service": EVIL + QUOTED, "product": QUOTED, "status": EVIL}
    said = shell("import", _file(tmp_path, **texts), "--json")
    assert said.code in {0, 3}, said
    after = _tables(shop.folder)
    assert after.keys() == before.keys()
    assert after["dossier"] == before["dossier"] + 1
    assert _value(shop.folder, "SELECT buyer_name FROM dossier WHERE number = 'E-1'") == EVIL
    assert shell("db", "check").code == 0


@pytest.mark.parametrize("column", ["order", "tracking", "country", "amount", "store"])
def test_sql_in_a_name_or_number_rejects_the_row(column: str, shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Fault 30: what must be a number, a country or a store is never anything else."""
    before = _tables(shop.folder)
    said = shell("import", _file(tmp_path, **{column: EVIL}))
    assert said.code != 0, said
    assert "Traceback" not in said.err
    after = _tables(shop.folder)
    assert (after.keys(), after["dossier"]) == (before.keys(), before["dossier"])


LOOKS = [
    ("explain", EVIL),
    ("logs", EVIL),
    ("order", "set", EVIL, "--note", "x"),
    ("review", "list", "--store", EVIL),
    ("tasks", "list", "--store", EVIL),
    ("tasks", "list", "--to", EVIL),
    ("hold", "list", "--reason", EVIL),
    ("hold", "list", "--carrier", QUOTED),
    ("cases", "list", "--store", QUOTED),
    ("claims", "list", "--carrier", EVIL),
    ("outbox", "list", "--store", EVIL),
    ("decisions", "list", "--store", EVIL),
    ("pause", "--rule", EVIL, "--reason", EVIL, "--by", EVIL),
    ("resume", "--rule", QUOTED),
    ("report", "evidence", EVIL),
]


def test_sql_in_a_question_finds_nothing_and_breaks_nothing(shop: Shop, shell: Shell) -> None:
    """Fault 30: search, explain, filters, the brake; `OR 1=1` finds no more than any other name that nobody has."""
    before = _tables(shop.folder)
    for words in LOOKS:
        said = shell(*words)
        assert "Traceback" not in said.err, words
        assert shop.parcel not in said.out, words
    after = _tables(shop.folder)
    assert after.keys() == before.keys()
    assert after["dossier"] == before["dossier"]


def test_a_note_of_sql_is_read_back_as_it_was(shop: Shop, shell: Shell) -> None:
    """Fault 30: written, kept and shown letter by letter."""
    assert shell("order", "set", shop.order, "--note", EVIL, "--reason", QUOTED, "--by", "O'Brien").code == 0
    assert _value(shop.folder, "SELECT note FROM dossier WHERE number = 'A-1'") == EVIL


def test_the_database_may_lie_in_a_folder_with_an_odd_name(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Faults 30 and 31: a quote in a path is no end of a statement (`VACUUM INTO` of the backup)."""
    odd = shutil.move(shop.folder, tmp_path / "o'dd; DROP")
    shell.config = Path(odd) / "tracker.toml"
    assert shell("db", "backup").code == 0
    assert shell("db", "check").code == 0
