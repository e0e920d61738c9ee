"""`tracker report evidence` and `savings`: a folder an order, what a month brought (R13, R78, D10)."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

AT = ("--at", "2026-03-02")


def test_r78_an_order_by_its_number(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    told = shell.json("report", "evidence", shop.order, "--out", str(tmp_path / "out"), *AT)
    (packed,) = told["evidence"]
    assert {"evidence.html", "evidence.json", "evidence.zip"} <= set(packed["files"])
    assert all((Path(packed["folder"]) / name).is_file() for name in packed["files"])
    assert shop.order in (Path(packed["folder"]) / "evidence.html").read_text(encoding="utf-8")


def test_r13_no_case_is_due(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    said = shell("report", "evidence", "--cases", "--due", "3d", "--out", str(tmp_path / "out"), *AT)
    assert (said.code, said.out) == (0, "no open case wants an answer within 3d\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name orders, or take those of the open cases: --cases"),
        (("8001", "--cases"), "name orders, or take those of the open cases: --cases"),
        (("--cases", "--due", "soon"), "'soon' is no length of time; write 24h or 3d"),
        (("no-such-order",), "No order and no parcel is called"),
    ],
)
def test_what_cannot_be_asked_is_said(words: tuple[str, ...], message: str, shop: Shop, shell: Shell) -> None:
    said = shell("report", "evidence", *words, *AT)
    assert said.code in {1, 2}
    assert message in said.err


def test_the_command_tells_all_four_books(shop: Shop, shell: Shell) -> None:
    said = shell("report", "savings", "--month", "2026-02", "--at", "2026-03-02")
    assert said.code == 0
    assert said.out.count("nothing") == 4
    assert shell.json("report", "savings", "--month", "2026-02", "--at", "2026-03-02")["lines"] == []
    assert "'2026-13' is no month" in shell("report", "savings", "--month", "2026-13").err


def test_r89_the_handover_as_a_page(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """R53, R89: for the wall; the same words as the text, and nothing that could run."""
    file = tmp_path / "shift.html"
    said = shell("report", "handover", "--out", str(file), *AT)
    told = file.read_text(encoding="utf-8")
    assert said.code == 0
    assert "<script" not in told
    assert all(html.escape(line.strip()) in told for line in said.out.splitlines() if line)
