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


def test_r13_r42_the_open_cases_that_want_an_answer_soon_the_most_pressing_first(
    shop: Shop, shell: Shell, tmp_path: Path
) -> None:
    """R13, R42: what is overdue too; not what was answered, nor what has more time; said for people, and told as a document."""

    def dispute(order: str, due: str) -> str:
        words = ("--kind", "dispute", "--opened", "2026-02-27T08:00Z", "--due", due, "--force", *AT)
        return str(shell.json("cases", "add", order, *words)["case"]["id"])

    dispute(shop.order, "2026-03-04T08:00Z")
    overdue = dispute("A-2", "2026-03-01T08:00Z")
    out = tmp_path / "out"
    soon, later = (shell.json("report", "evidence", "--cases", "--due", due, "--out", str(out), *AT) for due in ("24h", "3d"))
    assert [each["order"] for each in soon["evidence"]] == ["A-2"]
    assert [each["order"] for each in later["evidence"]] == ["A-2", shop.order]
    shell.json("cases", "done", overdue, "--answered", *AT)
    said = shell("report", "evidence", "--cases", "--due", "3d", "--out", str(out), *AT)
    assert (said.code, said.out.splitlines()) == (0, [f"order {shop.order}: {out / shop.order} (to send: evidence.zip)"])


def test_r13_a_folder_that_cannot_be_written_fails_that_order_and_no_other(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """R13: the clerk has five cases to answer; the pages of four are there, and the fifth says why not."""
    out = tmp_path / "out"
    out.mkdir()
    (out / shop.order).write_text("a file where the folder should be", encoding="utf-8")
    said = shell("report", "evidence", shop.order, "A-2", "--out", str(out), *AT)
    assert (said.code, (out / "A-2" / "evidence.html").is_file()) == (3, True)
    assert shop.order in said.out.splitlines()[1]
    assert shell("report", "evidence", shop.order, "--out", str(out), *AT).code == 1


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
