"""`tracker cases`: by hand, from a marketplace's list, as a worksheet; nothing half applied, the same twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Shop
from tests.cli.shell import Said, Shell

AT = ("--at", "2026-03-01T12:30:00Z")
LATER = ("--at", "2026-03-09T12:30:00Z")

List = Callable[..., Path]


@pytest.fixture
def paper(shop: Shop) -> List:
    def write(*rows: str, name: str = "cases.csv", encoding: str = "utf-8") -> Path:
        path = shop.folder / name
        path.write_text("\n".join(rows) + "\n", encoding=encoding)
        return path

    return write


def cases(shell: Shell, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.json("cases", "list", *words, *AT)["cases"]
    return found


def ids(shell: Shell, *words: str) -> list[str]:
    return [case["id"] for case in cases(shell, *words)]


def add(shell: Shell, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = shell.json("cases", "add", *words, *AT)["case"]
    return made


def refused(said: Said) -> str:
    assert said.code != 0, said
    return said.err + said.out


# ------------------------------------------------------------------------------------------------------------------ by hand


def test_r75_a_claim_from_a_mail_gets_the_marketplaces_date_and_the_advice(shell: Shell, shop: Shop) -> None:
    """R75, R33: no API tells it; the table says until when, in the marketplace's own zone (D9)."""
    made = add(shell, "A-1", "--kind", "dispute", "--reason", "tracking_invalid", "--opened", "2026-03-01T08:00Z")
    assert (made["due_at"], made["due_source"], made["due_rule"]) == ("2026-03-06T08:00:00Z", "table", "ae.respond")
    assert made["facts"]["options"] == "refund, reject_with_evidence"
    assert made["advice"] == "verify"
    shown = shell("cases", "show", made["id"], *AT).out
    assert "look first: no source has answered about the parcel" in shown
    assert "our own tracking; a second source" in shown
    assert "case_opened" in shown


def test_d3_a_date_that_a_person_read_beats_the_table(shell: Shell, shop: Shop) -> None:
    """D3, D9: a day is its last second where the marketplace is."""
    made = add(shell, "A-1", "--kind", "dispute", "--due", "2026-03-04")
    assert (made["due_at"], made["due_source"]) == ("2026-03-05T07:59:59Z", "typed")


def test_r43_an_account_alert_needs_no_order(shell: Shell, shop: Shop) -> None:
    """R43: it stands first, with the store's newest order."""
    add(shell, "A-1", "--kind", "buyer_message", "--due", "2026-03-01T13:00Z")
    add(shell, "A-1", "--kind", "dispute")
    made = add(shell, "--kind", "account_alert", "--store", "lume", "--note", "listing removed")
    assert made["order"] == "A-2"
    assert [case["kind"] for case in cases(shell)] == ["account_alert", "dispute", "buyer_message"], "R42: cases before messages"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("A-1", "--kind", "quarrel"), "--kind: 'quarrel' is not known; there are: a_to_z"),
        (("A-1", "--kind", "disputes"), "did you mean dispute?"),
        (("A-1", "--kind", "dispute", "--reason", "bored"), "--reason: 'bored' is not known"),
        (("A-1", "--kind", "dispute", "--due", "2026-02-01"), "--due 2026-02-02 07:59Z has passed: is it right? --force"),
        (("A-1", "--kind", "dispute", "--due", "2036-02-01"), "is the year right?"),
        (("A-1", "--kind", "dispute", "--due", "soon"), "--due: 'soon' is no time"),
        (("A-1", "--kind", "dispute", "--opened", "2026-04-01"), "lies ahead"),
        (("A-1", "--kind", "dispute", "--amount", "5"), "an amount needs its currency"),
        (("A-1", "--kind", "dispute", "--amount=-5", "--currency", "USD"), "what is claimed is more than 0"),
        (("A-1", "--kind", "dispute", "--amount", "0", "--currency", "USD"), "what is claimed is more than 0"),
        (("A-1", "--kind", "dispute", "--amount", "5", "--currency", "EURO"), "'EURO' is no currency"),
        (("A-9", "--kind", "dispute"), "No order and no parcel is called 'A-9'"),
        (("--kind", "dispute"), "name the order"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(shell: Shell, shop: Shop, words: tuple[str, ...], why: str) -> None:
    assert why in refused(shell("cases", "add", *words, *AT))
    assert ids(shell) == []


def test_a_date_that_has_passed_is_taken_on_purpose_and_stands_as_late(shell: Shell, shop: Shop) -> None:
    made = add(shell, "A-1", "--kind", "dispute", "--due", "2026-02-01", "--force")
    assert made["due_at"] == "2026-02-02T07:59:59Z"
    assert ids(shell) == [made["id"]]


def test_one_open_case_of_a_kind_is_enough_unless_it_has_a_name(shell: Shell, shop: Shop) -> None:
    first = add(shell, "A-1", "--kind", "dispute")
    assert "has an open dispute already" in refused(shell("cases", "add", "A-1", "--kind", "dispute", *AT))
    assert add(shell, "A-1", "--kind", "dispute", "--id", "D-7")["id"] == "D-7"
    assert "is there already" in refused(shell("cases", "add", "A-1", "--kind", "dispute", "--id", "D-7", *AT))
    shell.json("cases", "done", first["id"], "--outcome", "won", *AT)
    shell.json("cases", "done", "D-7", "--outcome", "lost", *AT)
    assert add(shell, "A-1", "--kind", "dispute")["id"] == f"{first['id']}-2"


# --------------------------------------------------------------------------------------------------------------------- done


@pytest.mark.parametrize(
    ("kind", "words", "state"),
    [
        ("dispute", ("--outcome", "agreed"), (True, True, "agreed")),
        ("dispute", ("--outcome", "cancelled_by_buyer"), (False, True, "cancelled_by_buyer")),
        ("dispute", ("--answered",), (True, False, None)),
        ("dispute", ("--answered", "--outcome", "rejected_with_proposal"), (True, False, "rejected_with_proposal")),
        ("dispute", ("--answered", "--outcome", "agreed"), (True, True, "agreed")),
        ("dispute", ("--answered", "--outcome", "won"), (True, True, "won")),
        ("dispute", ("--answered", "--outcome", "lost"), (True, True, "lost")),
        ("dispute", ("--answered", "--outcome", "cancelled_by_buyer"), (True, True, "cancelled_by_buyer")),
        ("buyer_message", ("--answered",), (True, True, "answered")),
        ("buyer_message", ("--no-answer-needed",), (False, True, "no_answer_needed")),
    ],
)
def test_r10_r56_how_a_case_ends(
    shell: Shell, shop: Shop, kind: str, words: tuple[str, ...], state: tuple[bool, bool, str | None]
) -> None:
    """R10: agreed, rejected with a proposal, cancelled by the buyer; R56: no answer needed; R55: an answered message is over."""
    made = add(shell, "A-1", "--kind", kind)
    for _ in range(2):
        done = shell.json("cases", "done", made["id"], *words, *AT)["case"]
        assert (done["answered_at"] is not None, done["closed_at"] is not None, done["outcome"]) == state
    assert len(shell.json("cases", "show", made["id"], *AT)["case"]["history"]) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "say what became of it"),
        (("--no-answer-needed", "--answered"), "says all"),
        (("--outcome", "forgotten"), "--outcome: 'forgotten' is not known"),
        (("--outcome", "gone_from_list"), "is not known"),
        (("--outcome", "won", "--facts", "0"), "have moved since you looked"),
    ],
)
def test_a_word_that_says_nothing_or_comes_too_late_is_refused(
    shell: Shell, shop: Shop, words: tuple[str, ...], why: str
) -> None:
    made = add(shell, "A-1", "--kind", "dispute")
    assert why in refused(shell("cases", "done", made["id"], *words, *AT))
    shell.json("cases", "done", made["id"], "--outcome", "won", *AT)
    assert "is closed already (won" in refused(shell("cases", "done", made["id"], "--outcome", "lost", *AT))
    assert "No case is called 'D-404'" in refused(shell("cases", "done", "D-404", "--outcome", "lost", *AT))


# --------------------------------------------------------------------------------------------------------------------- lists

OWN = "order,case,kind,reason,opened,due,amount,currency,status"


def take(shell: Shell, path: Path, *words: str) -> dict[str, Any]:
    return shell.json("cases", "import", path, "--store", "lume", *words, *AT)


def test_a_list_opens_changes_and_the_same_again_does_nothing(shell: Shell, shop: Shop, paper: List) -> None:
    row = "A-1,D-1,dispute,in transit,2026-02-28,2026-03-05,12.50,USD,processing"
    first = take(shell, paper(OWN, row))
    assert (first["new"], first["updated"], first["unchanged"], first["rejected"]) == (["D-1"], [], 0, [])
    made = cases(shell)[0]
    assert (made["reason"], made["due_source"], made["amount"], made["currency"]) == ("in_transit", "file", "12.50", "USD")
    assert made["due_at"] == "2026-03-06T07:59:59Z", "D9: the last second of that day in California"
    again = take(shell, paper(OWN, row))
    assert (again["new"], again["updated"], again["unchanged"]) == ([], [], 1)
    moved = take(shell, paper(OWN, row.replace("03-05", "03-07")))
    assert (moved["updated"], moved["unchanged"]) == (["D-1"], 0)
    later = shell.json("cases", "import", shop.folder / "cases.csv", "--store", "lume", *LATER)
    assert later["unchanged"] == 1, "a date that was told before is not asked about again, though it has passed"


@pytest.mark.parametrize(
    ("head", "row", "kind", "reason", "due"),
    [
        (
            "order_no,issue_id,issue_status,issue_reason,gmt_create,type",
            "A-1,5001,processing,Cannot find tracking information,2026-03-01 00:10:00,dispute",
            "dispute",
            "tracking_invalid",
            "2026-03-06T08:10:00Z",
        ),
        (
            "orderId,inquiryId,inquiryStatus,respondByDate,claimAmount,currency,kind",
            "A-1,5002,WAITING_SELLER_RESPONSE,2026-03-04T07:00:00.000Z,12.50,USD,INR",
            "inquiry",
            "unknown",
            "2026-03-04T07:00:00Z",
        ),
        (
            "order_sn,return_sn,reason,return_seller_due_date,type",
            "A-1,5003,other,1772700000,return",
            "return_request",
            "other",
            "2026-03-05T08:40:00Z",
        ),
        (
            "resource_id,id,type,reason_id,due_date,date_created",
            "A-1,5004,mediations,PNR9501,null,2026-02-28T10:00:00.000-04:00",
            "dispute",
            "not_received",
            "2026-03-05T14:00:00Z",
        ),
        (
            "订单号,纠纷号,类型,纠纷原因,截止时间,退款金额,币种,状态",
            "A-1,5005,纠纷,未收到货,2026-03-04 18:00,12.50,USD,进行中",
            "dispute",
            "not_received",
            "2026-03-05T02:00:00Z",
        ),
    ],
    ids=["aliexpress", "ebay", "shopee", "mercadolibre", "chinese"],
)
def test_marketplaces_own_words_are_understood(
    shell: Shell, shop: Shop, paper: List, head: str, row: str, kind: str, reason: str, due: str
) -> None:
    """facts/marketplaces.md: fields and words of each API; epoch seconds, null, offsets; D3, D9."""
    take(shell, paper(head, row))
    [made] = cases(shell)
    assert (made["kind"], made["reason"], made["due_at"]) == (kind, reason, due)


def test_wrong_rows_are_told_with_their_place_and_stop_no_other(shell: Shell, shop: Shop, paper: List) -> None:
    """A case of unknown type, money without a currency, a deadline in the past: where it is, what to do."""
    head = "order,case,kind,due,amount,currency,status,opened"
    path = paper(
        head,
        "A-2,D-2,dispute,2026-03-05,,,,",
        "A-1,D-3,quarell,,,,,",
        "A-1,D-4,dispute,,12.50,,,",
        "A-1,D-5,dispute,2026-02-01,,,,",
        "A-1,D-6,dispute,03/05/2026,,,,",
        ",D-7,dispute,,,,,",
        "A-9,D-8,dispute,,,,,",
        "A-1,D-9,dispute,,,,mystery,",
        "A-1,D-10,dispute,,12.50,EURO,,",
        "A-1,D-11,dispute,,,,,2026-04-01",
    )
    said = shell("cases", "import", path, "--store", "lume", *AT)
    assert said.code == 3, said
    reasons = [line.strip() for line in said.out.splitlines() if line.startswith("    row ")]
    for row, why in (
        (3, "column C \"kind\": 'quarell' is not known; it is one of inquiry"),
        (4, "column E \"amount\": '12.50' has no currency"),
        (5, "due: 2026-02-02 07:59Z has passed"),
        (6, "column D \"due\": '03/05/2026' is not a date"),
        (7, 'column A "order": the row has no order number'),
        (8, "No order and no parcel is called 'A-9'"),
        (9, "column G \"status\": 'mystery' is not known"),
        (10, "'EURO' is not a currency"),
        (11, "which lies ahead"),
    ):
        assert any(line.startswith(f"row {row}: ") and why in line for line in reasons), (row, reasons)
    assert ids(shell) == ["D-2"]
    beside = Path(f"{path}.rejected.csv")
    assert beside.read_text(encoding="utf-8-sig").splitlines()[0] == f"{head},rejected because"
    paper(head, "A-2,D-2,dispute,2026-03-05,,,,")
    take(shell, path)
    assert not beside.exists()


def test_a_date_that_has_passed_is_taken_from_a_list_with_force(shell: Shell, shop: Shop, paper: List) -> None:
    path = paper("order,case,kind,due", "A-1,D-1,dispute,2026-02-01")
    assert shell("cases", "import", path, "--store", "lume", *AT).code == 1
    take(shell, path, "--force")
    assert cases(shell)[0]["due_at"] == "2026-02-02T07:59:59Z"


@pytest.mark.parametrize(
    ("rows", "words", "why"),
    [
        (("order,case,kind,due dates", "A-1,D-1,dispute,2026-03-05"), (), 'column D "due dates" (did you mean "due date")'),
        (("case,kind", "D-1,dispute"), (), "has no column of order numbers"),
        (("order,case", "A-1,D-1"), (), "does not say what sort of cases"),
        (("order,case,kind",), ("--complete",), "would close every one"),
        (("order,case,kind", "A-1,D-1,dispute"), ("--kind", "fight"), "--kind: 'fight' is not known"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused_whole(
    shell: Shell, shop: Shop, paper: List, rows: tuple[str, ...], words: tuple[str, ...], why: str
) -> None:
    """Unknown columns: a deadline may stand in one. Nothing is half applied."""
    said = shell("cases", "import", paper(*rows), "--store", "lume", *words, *AT)
    assert why in refused(said)
    assert ids(shell) == []


def test_unknown_columns_are_left_out_on_purpose(shell: Shell, shop: Shop, paper: List) -> None:
    path = paper("order,case,mood", "A-1,D-1,angry")
    found = take(shell, path, "--ignore-columns", "--kind", "dispute")
    assert (found["new"], found["ignored_columns"]) == (["D-1"], ["mood"])


def test_a_complete_list_closes_what_is_missing_of_its_kinds(shell: Shell, shop: Shop, paper: List) -> None:
    """facts/daily-operations.md: a case missing from a full list is closed; a message is no dispute's business."""
    add(shell, "A-1", "--kind", "buyer_message")
    take(shell, paper(OWN, "A-1,D-1,dispute,,,,,,", "A-2,D-2,dispute,,,,,,"))
    path = paper(OWN, "A-2,D-2,dispute,,,,,,")
    assert take(shell, path)["closed"] == [], "not without being told that it is complete"
    tried = take(shell, path, "--complete", "--dry-run")
    assert (tried["closed"], len(ids(shell))) == (["D-1"], 3)
    assert take(shell, path, "--complete")["closed"] == ["D-1"]
    assert shell.json("cases", "show", "D-1", *AT)["case"]["outcome"] == "gone_from_list"
    assert take(shell, path, "--complete")["closed"] == []
    back = take(shell, paper(OWN, "A-1,D-1,dispute,,,,,,", "A-2,D-2,dispute,,,,,,"))
    assert (back["updated"], len(ids(shell))) == (["D-1"], 3)
    empty = take(shell, paper(OWN), "--complete", "--kind", "dispute", "--force")
    assert sorted(empty["closed"]) == ["D-1", "D-2"]
    assert [case["kind"] for case in cases(shell)] == ["buyer_message"]


def test_a_list_that_lacks_most_of_what_is_open_closes_nothing_unasked(shell: Shell, shop: Shop, paper: List) -> None:
    """R33: a page, or a filter of the export: what it closes nobody would answer any more."""
    rows = [f"A-{1 + count % 2},D-{count},dispute,,,,,," for count in range(6)]
    take(shell, paper(OWN, *rows))
    path = paper(OWN, rows[0])
    said = shell("cases", "import", path, "--store", "lume", "--complete", *AT)
    assert "would close 5 of 6 open cases" in refused(said)
    assert (len(ids(shell)), len(take(shell, path, "--complete", "--dry-run")["closed"])) == (6, 5)
    assert len(take(shell, path, "--complete", "--force")["closed"]) == 5


def test_two_rows_of_one_order_are_two_cases_whatever_was_told_by_hand(shell: Shell, shop: Shop, paper: List) -> None:
    """R33: the case by hand is the first of them; the second one's deadline is not lost in it."""
    by_hand = add(shell, "A-1", "--kind", "dispute")["id"]
    rows = ("A-1,D-1,dispute,,,2026-03-05,,,", "A-1,D-2,dispute,,,2026-03-06,,,")
    found = take(shell, paper(OWN, *rows))
    assert (found["new"], found["updated"]) == (["D-2"], [by_hand])
    assert take(shell, paper(OWN, *reversed(rows)))["unchanged"] == 2


def test_rejected_rows_are_mended_and_imported_with_all_that_they_said(shell: Shell, shop: Shop, paper: List) -> None:
    """R33, faults row 29: a case has a `reason` of its own; ours stands beside it, and nobody reads it."""
    said = shell("cases", "import", paper(OWN, "A-1,D-1,fight,in transit,,2026-03-05,,,"), "--store", "lume", *AT)
    beside = Path(f"{shop.folder / 'cases.csv'}.rejected.csv")
    rows = beside.read_text(encoding="utf-8-sig").splitlines()
    assert (said.code, rows[0]) == (1, f"{OWN},rejected because")
    assert rows[1].startswith("A-1,D-1,fight,in transit,,2026-03-05,,,,")
    mended = paper(*(row.replace(",fight,", ",dispute,") for row in rows), name="mended.csv")
    assert take(shell, mended)["new"] == ["D-1"]
    assert cases(shell)[0]["reason"] == "in_transit"
    assert shell("cases", "import", paper(*rows, name="still.csv"), "--store", "lume", *AT).code == 1
    again = Path(f"{shop.folder / 'still.csv'}.rejected.csv").read_text(encoding="utf-8-sig").splitlines()
    assert again[0] == rows[0], "one column of ours, not two"


def test_a_case_that_two_rows_tell_differently_is_not_the_later_ones(shell: Shell, shop: Shop, paper: List) -> None:
    """R33: nobody knows which deadline is right; the same row twice is no news."""
    rows = ("A-1,D-1,dispute,,,2026-03-05,,,", "A-1,D-1,dispute,,,2026-03-05,,,", "A-1,D-1,dispute,,,2026-03-25,,,")
    said = shell("cases", "import", paper(OWN, *rows), "--store", "lume", *AT)
    assert said.code == 3
    assert "row 4: case D-1 is told otherwise in row 2" in said.out
    assert "row 3" not in said.out
    assert [case["due_at"] for case in cases(shell)] == ["2026-03-06T07:59:59Z"]


def test_a_list_with_rejected_rows_closes_nothing(shell: Shell, shop: Shop, paper: List) -> None:
    take(shell, paper(OWN, "A-1,D-1,dispute,,,,,,", "A-2,D-2,dispute,,,,,,"))
    said = shell(
        "cases", "import", paper(OWN, "A-2,D-2,dispute,,,,,,", "A-1,D-1,fight,,,,,,"), "--store", "lume", "--complete", *AT
    )
    assert said.code == 3
    assert "nothing was closed" in said.out
    assert len(ids(shell)) == 2


def test_what_was_told_by_hand_and_what_a_person_closed_stays(shell: Shell, shop: Shop, paper: List) -> None:
    """A list that is older than a clerk's word opens nothing again; his own case takes the marketplace's row."""
    by_hand = add(shell, "A-1", "--kind", "dispute", "--note", "wrote to him")["id"]
    found = take(shell, paper(OWN, "A-1,D-1,dispute,,,2026-03-05,,,"))
    assert (found["new"], found["updated"]) == ([], [by_hand])
    shell.json("cases", "done", by_hand, "--outcome", "agreed", *AT)
    again = take(shell, paper("order,kind,due", "A-1,dispute,2026-03-05"))
    assert (again["new"], again["updated"], again["unchanged"]) == ([], [], 1)
    assert ids(shell) == []


def test_a_case_of_another_order_is_not_taken_over(shell: Shell, shop: Shop, paper: List) -> None:
    take(shell, paper(OWN, "A-1,D-1,dispute,,,,,,"))
    said = shell("cases", "import", paper(OWN, "A-2,D-1,dispute,,,,,,"), "--store", "lume", *AT)
    assert "case D-1 belongs to order A-1" in refused(said)


# ---------------------------------------------------------------------------------------------------------------- worksheet


def test_the_worksheet_goes_out_and_comes_in_again(shell: Shell, shop: Shop) -> None:
    """One line a case with date, advice, options; two cases of one order are two lines."""
    dispute = add(shell, "A-1", "--kind", "dispute", "--reason", "short")["id"]
    message = add(shell, "A-1", "--kind", "buyer_message")["id"]
    path = shop.folder / "cases.xlsx"
    assert shell.json("cases", "export", path, *AT)["rows"] == 2
    book = load_workbook(path)
    sheet = book.worksheets[0]
    head = {str(cell.value).partition(" (")[0]: cell.column for cell in sheet[1]}
    assert "photos of one unit on the scale" in str(sheet.cell(2, head["gather"]).value)
    words = {dispute: "rejected with a proposal", message: "no answer needed"}
    for row in (2, 3):
        sheet.cell(row, head["decision"]).value = words[str(sheet.cell(row, head["id"]).value)]
    book.save(path)
    for taken in (2, 0):
        told = shell.json("cases", "import", path, "--by", "Mei", *AT)
        assert (told["taken"], told["unchanged"], told["refused"]) == (taken, 2 - taken, 0), told
    found = {case["id"]: case for case in cases(shell, "--all")}
    assert (found[dispute]["outcome"], found[dispute]["closed_at"]) == ("rejected_with_proposal", None)
    assert found[message]["outcome"] == "no_answer_needed"


def test_a_line_whose_facts_have_moved_comes_back(shell: Shell, shop: Shop) -> None:
    made = add(shell, "A-1", "--kind", "dispute")["id"]
    path = shop.folder / "cases.xlsx"
    shell.json("cases", "export", path, *AT)
    shell.json("order", "set", "A-1", "--note", "he called", *AT)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    column = next(cell.column for cell in sheet[1] if cell.value == "decision")
    sheet.cell(2, column).value = "won"
    book.save(path)
    said = shell("cases", "import", path, "--by", "Mei", *AT)
    assert said.code == 1
    assert "the facts have moved since the export" in said.out
    assert (shop.folder / "cases.rejected.xlsx").exists()
    assert ids(shell) == [made]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--by", "Mei", "--store", "lume"), "--by belongs to a worksheet"),
        (("--by", "Mei", "--complete"), "--complete: of a marketplace's list"),
        (("--kind", "dispute"), "say whose it is: --store STORE"),
    ],
)
def test_a_worksheet_and_a_list_are_two_things(shell: Shell, shop: Shop, words: tuple[str, ...], why: str) -> None:
    """DESIGN, Commands: --by together with --store is a usage error."""
    said = shell("cases", "import", "x.xlsx", *words, *AT)
    assert said.code == 2
    assert why in said.err
