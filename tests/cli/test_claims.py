"""The carrier's money from the loss to the statement, as a clerk types it (R86, R87, R90; facts/daily-operations.md)."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tracker.config import english

FX = """
[[month]]
id = "2026-03"
base = "CNY"
rates = { USD = "0.14" }
"""


@pytest.fixture
def desk(shop: Shop, shell: Shell) -> Shell:
    """The shop with rates for March alone; its only claim has the id 1, is Yanwen's, and can be filed."""
    (shop.folder / "fx.toml").write_text(FX, encoding="utf-8")
    with sqlite3.connect(shop.folder / "tracker.db") as raw:
        raw.execute("UPDATE shipment SET carrier = 'yanwen'")
    raw.close()
    return shell


def filed(shell: Shell, amount: str = "20.00") -> None:
    shell.json("claims", "set", 1, "--state", "filed", "--on", "2026-03-02", "--ref", "YW-1", "--amount", amount,
               "--currency", "USD")  # fmt: skip


def approved(shell: Shell, amount: str = "20.00") -> None:
    filed(shell)
    shell.json("claims", "set", 1, "--state", "approved", "--on", "2026-03-02", "--amount", amount)


def sheet(folder: Path, *lines: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_r87_a_claim_goes_its_whole_way_and_every_step_is_kept(desk: Shell) -> None:
    """R87: opened, negotiating, paid; who, when, which day, what for. The same words again change nothing."""
    filed(desk)
    filed(desk)
    desk.json("claims", "set", 1, "--state", "acknowledged")
    desk.json("claims", "set", 1, "--state", "approved", "--amount", "15")
    desk.json("claims", "set", 1, "--state", "paid", "--amount", "5", "--ref", "S-1")
    desk.json("claims", "set", 1, "--state", "paid", "--amount", "10", "--ref", "S-2")
    shown = desk.json("claims", "show", 1)
    assert shown["claim"]["state"] == "paid"
    assert [each["event"] for each in shown["history"]] == [
        "opened", "filed", "acknowledged", "approved_partly", "paid_partly", "paid",
    ]  # fmt: skip
    assert {each["who"] for each in shown["history"][1:]} == {"Tester"}
    assert shown["history"][1]["fields"]["claimed"] == ["", "20.00"]


def test_r87_an_illegal_change_is_an_error_with_what_is_possible(desk: Shell) -> None:
    """R87: never a silent no-op."""
    said = desk("claims", "set", 1, "--state", "paid", "--amount", "5")
    assert said.code == 1
    assert "possible here" in said.err
    assert desk.json("claims", "show", 1)["claim"]["state"] == "ready"


def test_what_the_seller_bears_cannot_be_claimed(desk: Shell) -> None:
    """R70: quality and packing are the seller's."""
    desk.json("claims", "set", 1, "--liable", "seller")
    said = desk("claims", "set", 1, "--state", "filed", "--amount", "5", "--currency", "USD")
    assert (said.code, "borne by the seller" in said.err) == (1, True)


def test_explain_names_terms_window_money_papers_and_who_files(desk: Shell) -> None:
    """R86: one look says why, until when and with what."""
    desk.json("claims", "set", 1, "--evidence", "proof_of_value=invoice.pdf@2026-03-01")
    told = desk.json("claims", "explain", 1)
    assert {"rule", "phase_because", "window", "days_left", "payable", "papers", "attempts_left", "files"} <= told.keys()
    assert [(each["code"], each["present"]) for each in told["papers"]] == [("proof_of_value", True)]


def test_r90_a_carriers_answers_are_taken_once_each(desk: Shell, tmp_path: Path) -> None:
    """R90: EasyPost's words and Chinese ones; the same file twice changes nothing."""
    filed(desk)
    answers = sheet(tmp_path, "tracking_code,status,approved_amount,reference,status_timestamp",
                    "RB123456785CN,approved_partial,12.5,EP-9,2026-03-02T10:00:00Z", "LX000000005CN,rejected,,,")  # fmt: skip
    first = desk("claims", "import", answers, "--carrier", "yanwen", "--json")
    assert (first.code, first.document["taken"], first.document["refused"]) == (3, 1, 1)
    assert "no claim with this carrier" in first.document["rows"][1]["message"]
    claim = desk.json("claims", "show", 1)["claim"]
    assert (claim["state"], claim["approved"], claim["carrier_ref"]) == ("approved_partial", "12.50", "EP-9")
    assert desk("claims", "import", answers, "--carrier", "yanwen", "--json").document["unchanged"] == 1


def test_a_column_that_nobody_knows_stops_the_file_with_its_place(desk: Shell, tmp_path: Path) -> None:
    """R90: a clear message with its place, and nothing is applied."""
    filed(desk)
    answers = sheet(tmp_path, "运单号,结果,神秘列", "RB123456785CN,拒赔,1")
    said = desk("claims", "import", answers, "--carrier", "yanwen")
    assert said.code == 1
    assert 'line 1: nobody knows the column "神秘列" (column C)' in said.err
    assert desk.json("claims", "show", 1)["claim"]["state"] == "filed"


def test_by_and_carrier_do_not_go_together(desk: Shell, tmp_path: Path) -> None:
    answers = sheet(tmp_path, "运单号,结果", "RB123456785CN,拒赔")
    said = desk("claims", "import", answers, "--carrier", "yanwen", "--by", "Mei")
    assert (said.code, "not both" in said.err) == (2, True)


def test_a_statement_is_matched_once_and_what_is_left_over_is_told(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: matched, unknown, missing; a line is used once; within the tolerance a payment is whole."""
    approved(desk)
    lines = ("Tracking number,Amount,Currency,Date,Reference", "RB123456785CN,19.98,USD,2026-03-02,ST-1",
             "LX000000005CN,3.00,USD,2026-03-02,ST-2")  # fmt: skip
    statement = sheet(tmp_path, *lines)
    dry = desk("claims", "reconcile", statement, "--carrier", "yanwen", "--month", "2026-03", "--dry-run", "--json")
    assert (dry.code, len(dry.document["matched"]), len(dry.document["unknown"])) == (3, 1, 1)
    assert desk.json("claims", "show", 1)["claim"]["state"] == "approved"
    real = desk("claims", "reconcile", statement, "--carrier", "yanwen", "--month", "2026-03", "--json").document
    assert real["not_on_statement"] == []
    claim = desk.json("claims", "show", 1)["claim"]
    assert (claim["state"], claim["payments"][0]["amount"]) == ("paid", "19.98")
    again = desk("claims", "reconcile", statement, "--carrier", "yanwen", "--month", "2026-03", "--json").document
    assert (len(again["used_before"]), again["matched"]) == (1, [])


def test_a_part_on_the_statement_leaves_the_claim_open_and_an_absent_one_is_named(desk: Shell, tmp_path: Path) -> None:
    approved(desk)
    part = sheet(tmp_path, "运单号,金额,币种,日期", "RB123456785CN,8,USD,2026-03-02")
    said = desk("claims", "reconcile", part, "--carrier", "yanwen", "--month", "2026-03", "--json")
    assert (said.code, said.document["partly_paid"][0]["left"]) == (3, "12.00")
    nothing = sheet(tmp_path, "运单号,金额,币种,日期", name="empty.csv")
    told = desk("claims", "reconcile", nothing, "--carrier", "yanwen", "--month", "2026-03", "--json").document
    assert [each["open"] for each in told["not_on_statement"]] == ["12.00"]


def test_the_month_closes_to_the_cent_and_a_closed_one_stays_byte_for_byte(desk: Shell, tmp_path: Path) -> None:
    """R86: roll-forward, postings, charts; late corrections go into the open month with a reference to the old one."""
    approved(desk, "15")
    first = desk.json("report", "month-end", "--month", "2026-03", "--out", tmp_path / "a", "--close", "--at", "2026-04-01")
    [roll] = first["roll_forward"]
    assert (roll["closing"]["amount"], first["closes"]) == ("15.00", True)
    assert {each["debit"] for each in first["postings"]} == {"receivable"}
    desk.json("claims", "set", 1, "--state", "paid", "--on", "2026-03-03", "--amount", "15", "--ref", "S", "--at", "2026-04-02")
    desk.json("report", "month-end", "--month", "2026-03", "--out", tmp_path / "b", "--at", "2026-04-02")
    for kind in ("csv", "xlsx"):
        name = f"register-2026-03.{kind}"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    april = desk.json("report", "month-end", "--month", "2026-04", "--out", tmp_path / "c", "--at", "2026-04-02")
    [roll] = april["roll_forward"]
    assert (roll["opening"]["amount"], roll["moves"]["paid"]["amount"], roll["closing"]["amount"]) == ("15.00", "-15.00", "0.00")
    assert [each["late"] for each in april["postings"]] == ["2026-03"]
    with zipfile.ZipFile(tmp_path / "c" / "register-2026-04.xlsx") as book:
        assert any("chart" in name for name in book.namelist())


def test_a_month_that_is_not_over_cannot_be_closed(desk: Shell, tmp_path: Path) -> None:
    said = desk("report", "month-end", "--month", "2026-03", "--out", tmp_path, "--close", "--at", "2026-03-20")
    assert (said.code, "not over" in said.err) == (2, True)


def test_the_rate_is_frozen_and_a_missing_one_leaves_the_base_empty(desk: Shell) -> None:
    """facts/compensation.md 7: never 1; the reason stands beside it."""
    approved(desk)
    assert desk.json("claims", "show", 1)["claim"]["exchange"]["base"] == "142.86"
    desk.json("claims", "set", 1, "--state", "paid", "--on", "2026-04-01", "--amount", "20", "--at", "2026-04-02")
    [payment] = desk.json("claims", "show", 1)["claim"]["payments"]
    assert (payment["exchange"]["base"], payment["exchange"]["why"]) == (None, "fx.toml has no rates of 2026-04")


def test_the_carriers_form_holds_what_is_ready_and_a_worksheet_comes_back(desk: Shell, tmp_path: Path) -> None:
    """R90: out and in again, line by line, on the facts that were seen."""
    form = desk.json("claims", "export", tmp_path / "form.csv", "--ready", "--carrier", "yanwen", "--unverified")
    assert form["claims"] == 1
    book = tmp_path / "claims.xlsx"
    assert desk.json("claims", "export", book)["rows"] == 1
    assert desk("claims", "import", book, "--json").document["silent"] == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("export",), "name the worksheet to write, or the carrier whose form it is"),
        (("export", "form.csv", "--carrier", "yanwen"), "add --ready"),
        (("export", "form.pdf", "--ready", "--carrier", "yanwen"), "form.pdf should end in .xlsx or .csv"),
        (("import", "answers.csv", "--carrier", "yanwen", "--store", "lume"), "leave out --store"),
        (("reconcile", "bill.csv", "--carrier", "yanwen", "--month", "2026-13"), "'2026-13' is no month; write 2026-11"),
    ],
)
def test_r90_files_of_claims_are_asked_for_in_one_way(words: tuple[str, ...], why: str, desk: Shell) -> None:
    """R90: what was meant is said, and nothing is read or written."""
    said = desk("claims", *words)
    assert (said.code, why in said.err) == (2, True)


def test_r86_a_form_holds_verified_terms_alone_unless_a_person_says_more(shop: Shop, desk: Shell, tmp_path: Path) -> None:
    """R86: what nobody has read in the carrier's own words is looked up first; and no file is written over."""
    form = tmp_path / "form.csv"

    def export(*more: str) -> tuple[int, int]:
        told = desk.json("claims", "export", form, "--ready", "--carrier", "yanwen", "--force", *more)
        return told["claims"], told["unverified_left_out"]

    assert export() == (0, 1)
    assert export("--unverified") == (1, 0)
    said = desk("claims", "export", form, "--ready", "--carrier", "yanwen", "--force")
    assert english().say("claim_files.unverified", count=1) in said.out
    over = desk("claims", "export", form, "--ready", "--carrier", "yanwen")
    assert (over.code, "give another name, or --force" in over.err) == (1, True)
    with sqlite3.connect(shop.folder / "tracker.db") as raw:
        raw.execute("UPDATE claim SET rule = 'cn-registered-aliexpress-online'")
    raw.close()
    assert export() == (1, 0)


def test_r90_answers_are_tried_before_they_are_taken(desk: Shell, tmp_path: Path) -> None:
    """R90: the same table of results, and nothing is written."""
    filed(desk)
    answers = sheet(tmp_path, "运单号,结果", "RB123456785CN,拒赔")
    tried = desk("claims", "import", answers, "--carrier", "yanwen", "--dry-run", "--json").document
    assert (tried["dry_run"], tried["taken"], tried["rows"][0]["state"]) == (True, 1, "rejected")
    assert desk.json("claims", "show", 1)["claim"]["state"] == "filed"


def test_the_statement_is_told_to_people_with_what_it_does_not_name(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: what was approved and is on no statement is the money to ask for."""
    approved(desk)
    statement = sheet(tmp_path, "Tracking number,Amount,Currency", "LX000000005CN,3.00,USD")
    said = desk("claims", "reconcile", statement, "--carrier", "yanwen", "--month", "2026-03", "--dry-run")
    assert said.code == 3
    lines = [line.split() for line in said.out.splitlines()]
    assert any({"LX000000005CN", "3.00"} <= set(line) for line in lines)
    assert any({"RB123456785CN", "20.00", "2026-03-02"} <= set(line) for line in lines)
    assert english().say("worksheet_result.tried") in said.out


def test_json_of_the_list_is_one_document(desk: Shell) -> None:
    said = desk("claims", "list", "--json")
    assert json.loads(said.out)["claims"][0]["state"] == "ready"


def reconciled(desk: Shell, statement: Path) -> dict[str, Any]:
    return desk("claims", "reconcile", statement, "--carrier", "yanwen", "--month", "2026-03", "--json").document


def test_a_statement_saved_again_in_another_form_settles_nothing_twice(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: a line is used once, whatever a spreadsheet makes of its sums, days and words."""
    approved(desk)
    head = "Tracking number,Amount,Currency,Date,Reference"
    first = sheet(tmp_path, head, "RB123456785CN,8.00,USD,2026-03-02,ST-1", name="one.csv")
    second = sheet(tmp_path, head, "rb123456785cn,8,usd,2026/3/2,ST-1", name="two.csv")
    assert len(reconciled(desk, first)["partly_paid"]) == 1
    again = reconciled(desk, second)
    assert (len(again["used_before"]), again["partly_paid"]) == (1, [])
    assert desk.json("claims", "show", 1)["claim"]["open"] == "12.00"


def test_two_lines_alike_are_two_payments(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: one claim may be paid in parts, also in equal ones of one day."""
    approved(desk)
    line = "RB123456785CN,8.00,USD,2026-03-02,ST-1"
    statement = sheet(tmp_path, "Tracking number,Amount,Currency,Date,Reference", line, line)
    assert [each["left"] for each in reconciled(desk, statement)["partly_paid"]] == ["12.00", "4.00"]
    assert desk.json("claims", "show", 1)["claim"]["open"] == "4.00"


def test_a_small_sum_in_another_currency_is_a_part_and_no_whole(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 7: 50 CNY are 7 of the 20 USD that are open; the rest is not given away."""
    approved(desk)
    statement = sheet(tmp_path, "Tracking number,Amount,Currency,Date", "RB123456785CN,50,CNY,2026-03-02")
    [line] = reconciled(desk, statement)["partly_paid"]
    assert line["left"] == "13.00"
    claim = desk.json("claims", "show", 1)["claim"]
    assert (claim["state"], claim["open"]) == ("approved", "13.00")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("RB123456785CN,-3.00,USD", "takes money back: tracker claims set 1 --state reversed"),
        ("RB123456785CN,0,USD", "no payment"),
        ("RB123456785CN,50,EUR", "no rate of 2026-03 between USD and EUR"),
        ("RB123456785CN,50,CHY", "no currency"),
    ],
)
def test_lines_that_are_no_payment_are_told_and_change_nothing(line: str, why: str, desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: money taken back, nothing, a currency without a rate, a word that is no currency."""
    approved(desk)
    desk.json("claims", "set", 1, "--state", "paid", "--amount", "5", "--ref", "S-1", "--on", "2026-03-02")
    statement = sheet(tmp_path, "Tracking number,Amount,Currency", line)
    [told] = reconciled(desk, statement)["unknown"]
    assert why in told["why"]
    assert desk.json("claims", "show", 1)["claim"]["open"] == "15.00"


def test_a_number_twice_in_one_line_is_one_parcel(desk: Shell, tmp_path: Path) -> None:
    """facts/compensation.md 6: one line may settle many claims, each once."""
    approved(desk)
    statement = sheet(tmp_path, "Tracking number,Amount,Currency", "RB123456785CN RB123456785CN,20,USD")
    assert [each["claims"] for each in reconciled(desk, statement)["matched"]] == [[1]]


def _fill(book: Path, **cells: object) -> None:
    """Write into the only line of a worksheet, by the columns' headings."""
    paper = openpyxl.load_workbook(book)
    page = paper.worksheets[0]
    heads = {str(cell.value).split(" (")[0]: at for at, cell in enumerate(page[1], start=1)}
    for name, value in cells.items():
        page.cell(2, heads[english().say(f"worksheet.{name}", zone="Asia/Shanghai").split(" (")[0]]).value = value
    paper.save(book)


def test_r90_a_filled_line_of_the_worksheet_moves_its_claim_once(desk: Shell, tmp_path: Path) -> None:
    """R90: filed with its day, sum and currency, though nobody knew what is payable; the same file again changes nothing."""
    book = tmp_path / "claims.xlsx"
    desk.json("claims", "export", book, "--at", "2026-03-02")
    _fill(book, decision="filed", on="2026-03-02", figure="12.50 USD", reference="YW-9")
    told = desk("claims", "import", book, "--by", "Mei", "--at", "2026-03-02", "--json")
    assert told.code == 0, told
    claim = desk.json("claims", "show", 1)["claim"]
    assert (claim["state"], claim["claimed"], claim["claimed_currency"], claim["carrier_ref"], claim["filed_on"]) == (
        "filed", "12.50", "USD", "YW-9", "2026-03-02",
    )  # fmt: skip
    assert desk("claims", "import", book, "--by", "Mei", "--at", "2026-03-02", "--json").code == 0
    assert [each["event"] for each in desk.json("claims", "show", 1)["history"]] == ["opened", "filed"]


def test_r86_a_closed_month_stays_as_it_was_whatever_is_renamed_or_forgotten(shop: Shop, desk: Shell, tmp_path: Path) -> None:
    """R86: another name of the store, another language, other rates, and nothing kept of the scans."""
    approved(desk)
    first = desk("report", "month-end", "--month", "2026-03", "--out", tmp_path / "a", "--close", "--at", "2026-04-01")
    assert first.code == 0
    (shop.folder / "fx.toml").write_text(FX.replace("0.14", "0.20"), encoding="utf-8")
    store = shop.folder / "stores" / "lume.toml"
    store.write_text(store.read_text(encoding="utf-8").replace("Lume", "Other"), encoding="utf-8")
    with (shop.folder / "tracker.toml").open("a", encoding="utf-8") as file:
        file.write('\n[operators]\nlanguage = "zh-CN"\n')
    with sqlite3.connect(shop.folder / "tracker.db") as raw:
        raw.execute("UPDATE shipment SET journey = NULL, carrier = 'fourpx'")
    raw.close()
    assert desk("report", "month-end", "--month", "2026-03", "--out", tmp_path / "b", "--at", "2026-05-02").code == 0
    for kind in ("csv", "xlsx"):
        name = f"register-2026-03.{kind}"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    april = desk.json("report", "month-end", "--month", "2026-04", "--out", tmp_path / "c", "--at", "2026-05-02")
    assert [(roll["carrier"], roll["opening"]["amount"]) for roll in april["roll_forward"]] == [("yanwen", "20.00")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--item-cost", "4.20"), "--item-cost needs its currency"),
        (("--weight", "350"), "it is in kg, from 0.001 to 100"),
        (("--weight", "0.0001"), "it is in kg, from 0.001 to 100"),
        (("--evidence", "proof_of_valeu=a.pdf"), "--evidence proof_of_valeu: no document is called so"),
        (("--state", "filed", "--on", "2025-03-02", "--amount", "5", "--currency", "USD"), "was posted on 2026-01-02 only"),
    ],
)
def test_r86_what_cannot_be_of_a_claim_is_refused(desk: Shell, words: tuple[str, ...], why: str) -> None:
    """R86: a slip of the finger is told at once, and the claim stays as it was."""
    said = desk("claims", "set", 1, *words)
    assert (said.code, why in said.err) == (1, True), said
    assert [each["event"] for each in desk.json("claims", "show", 1)["history"]] == ["opened"]


def test_r86_an_unknown_document_is_answered_with_those_that_are_known(desk: Shell) -> None:
    assert "proof_of_value" in desk("claims", "set", 1, "--evidence", "bill=a.pdf").err


def test_r86_a_correction_tells_the_field_with_its_old_and_new_value(desk: Shell) -> None:
    desk.json("claims", "set", 1, "--weight", "0.35")
    desk.json("claims", "set", 1, "--weight", "0.4", "--note", "the slip says so")
    shown = desk("claims", "show", 1).out
    assert "weight_kg: - -> 0.35" in shown
    assert "weight_kg: 0.35 -> 0.4; note: - -> the slip says so" in shown
    assert "the slip says so; the slip says so" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("export", "form.csv", "--ready"),
        ("reconcile", "statement.csv", "--month", "2026-03"),
        ("import", "statement.csv"),
    ],
)
def test_r90_a_carrier_that_nobody_knows_is_answered_with_the_nearest(
    desk: Shell, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """R90: an empty form, or a statement without a claim, would look like good news."""
    sheet(tmp_path, "Tracking number,Amount,Currency", "RB123456785CN,3,USD", name="statement.csv")
    said = desk("claims", words[0], *words[1:], "--carrier", "yanwn")
    assert (said.code, "did you mean yanwen?" in said.err) == (2, True), said
    assert not (tmp_path / "form.csv").exists()
