"""`tracker order set --from FILE`: what clerks did in the marketplace's own pages, told as a sheet."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

AT = ("--at", "2026-03-02")


def sheet(folder: Path, text: str, name: str = "refunds.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def refund(shop: Shop, order: str) -> tuple[str, str, str]:
    """Amount, reference and day of what was paid back, as the database has them."""
    with closing(sqlite3.connect(shop.folder / "tracker.db")) as database:
        found = database.execute(
            "SELECT refunded_amount, refund_reference, date(refunded_at) FROM dossier WHERE number = ?", (order,)
        ).fetchone()
    amount, reference, day = found
    return amount, reference, day


def test_a_sheet_of_facts_and_the_same_again(shell: Shell, shop: Shop) -> None:
    path = sheet(
        shop.folder,
        "order,store,refunded,currency,reference,date,received,hold_until,opt_out,vip,note\n"
        "A-1,lume,5.00,USD,R-77,2026-02-27,,,,,paid by hand\n"
        "A-2,,,,,,,2026-03-20,yes,是,\n",
    )
    told = shell.json("order", "set", "--from", path, "--by", "Mei", "--reason", "February's list", *AT)
    assert (told["rows"], told["noted"], told["unchanged"], told["rejected"]) == (2, 2, 0, [])
    assert refund(shop, "A-1") == ("5.00", "R-77", "2026-02-26"), "midnight in the zone of the store"
    again = shell("order", "set", "--from", path, "--by", "Mei", *AT)
    assert (again.code, again.out) == (0, f"{path}: 0 noted, 2 known already\n")
    assert refund(shop, "A-1")[0] == "5.00", "no refund is added twice (D13)"


def test_a_reference_with_a_comma_is_known_again(shell: Shell, shop: Shop) -> None:
    """I5: several are kept in one line, and one of them may hold the same comma."""
    path = sheet(shop.folder, 'order,refunded,ref\nA-1,2.00,"R-1, line 2"\nA-1,1.00,R-2\n')
    for noted in (2, 0):
        assert shell.json("order", "set", "--from", path, "--by", "Mei", *AT)["noted"] == noted
    assert refund(shop, "A-1")[0] == "3.00"


def kept(shop: Shop, order: str) -> tuple[object, ...]:
    columns = "payment, tax_number, ship_by, confirmed_at, unread_since, buyer_chat, reviewed_at, risky, stages"
    with closing(sqlite3.connect(shop.folder / "tracker.db")) as database:
        found = database.execute(f"SELECT {columns} FROM dossier WHERE number = ?", (order,)).fetchone()  # noqa: S608 - our own names
    return tuple(each[:16] if isinstance(each, str) else each for each in found)


def test_r15_r16_r60_r61_a_sheet_tells_of_orders_before_they_leave(shell: Shell, shop: Shop) -> None:
    """R15, R16, R25, R49, R60, R61, R101: what `order set` tells of one order, a sheet tells of many; again it tells nothing."""
    path = sheet(
        shop.folder,
        "order,store,payment,tax number,ship by,confirmed,unread since,chat,reviewed,risky,stages\n"
        "A-1,lume,Bank transfer,529.982.247-25,2026-03-05 12:00Z,2026-02-28T08:00Z,2026-02-27T10:00Z,991,2026-03-01,yes,"
        "40 55 70\n"
        "A-2,,boleto,,,,,,,,\n",
        "before.csv",
    )
    assert shell.json("order", "set", "--from", path, "--by", "Mei", *AT)["noted"] == 2
    payment, tax, *times, risky, stages = kept(shop, "A-1")
    assert (payment, tax, risky) == ("bank_transfer", "529.982.247-25", 1)
    assert [str(each)[:10] for each in times] == ["2026-03-05", "2026-02-28", "2026-02-27", "991", "2026-02-28"]
    assert "40" in str(stages)
    assert shell.json("order", "set", "--from", path, "--by", "Mei", *AT)["unchanged"] == 2
    assert kept(shop, "A-2")[0] == "boleto"


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("stages", "40 55", "stages: three days, for instance 40,55,70 (got '40 55')"),
        ("stages", "55 40 70", "the days of the stages have to increase"),
        ("confirmed", "2026-04-01", "lies ahead: it cannot have happened yet"),
        ("risky", "perhaps", "risky: 'perhaps' is neither yes nor no"),
        ("ship_by", "05/03/2026", "'05/03/2026' is not a date"),
    ],
)
def test_r60_r61_what_cannot_be_is_refused_before_an_order_leaves_too(
    shell: Shell, shop: Shop, column: str, cell: str, why: str
) -> None:
    said = shell("order", "set", "--from", sheet(shop.folder, f"order,{column}\nA-1,{cell}\n"), "--by", "Mei", *AT)
    assert (said.code, why in said.out) == (1, True), said.out


def test_wrong_rows_are_kept_beside_the_sheet_and_stop_no_other_one(shell: Shell, shop: Shop) -> None:
    good, bad = "A-2,,,,customs called", "A-1,,4.00,,"
    path = sheet(
        shop.folder,
        f'order,store,refunded,ref,note\n{good}\n{bad}\nA-1,,9999,R-2,\nNO-1,,,,x\nA-1,elsewhere,,,x\nA-1,,,,\n,,,,x\nA-1,,"1,5",R-3,\n',
    )
    said = shell("order", "set", "--from", path, "--by", "Mei", *AT)
    assert said.code == 3, said
    reasons = {int(line.split()[1].rstrip(":")): line for line in said.out.splitlines() if line.startswith("    row ")}
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8, 9]
    for row, why in (
        (3, "a refund needs its reference"),
        (4, "would exceed what order lume/A-1 paid"),
        (5, "No order and no parcel is called 'NO-1'"),
        (6, "store 'elsewhere' is not configured: it is one of lume, nova"),
        (7, "the row tells nothing about its order"),
        (8, "the row has no order number"),
        (9, "'1,5' is not an amount"),
    ):
        assert why in reasons[row]
    beside = Path(f"{path}.rejected.csv")
    assert beside.read_text(encoding="utf-8-sig").splitlines()[0] == "order,store,refunded,ref,note,reason"
    sheet(shop.folder, f"order,store,refunded,ref,note\n{good}\n")
    assert shell("order", "set", "--from", path, "--by", "Mei", *AT).code == 0
    assert not beside.exists(), "nothing is rejected any more"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("A-1,5.00,EUR,R-1,,,", "the refund is in EUR, the order in USD"),
        ("A-1,5.00,USD,R-1,2027-01-01,,", "lies ahead: nobody can have refunded then"),
        ("A-1,,,R-1,,,", "a reference belongs to a refund"),
        ("A-1,,,,,maybe,", "opt_out: 'maybe' is neither yes nor no"),
        ("A-1,,,,,,03/04/2026", "'03/04/2026' is not a date"),
        ("A-1,,,,,,2031-01-01", "is the year right?"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(shell: Shell, shop: Shop, row: str, why: str) -> None:
    path = sheet(shop.folder, f"order,refunded,currency,reference,date,opt_out,window_end\n{row}\n")
    said = shell("order", "set", "--from", path, "--by", "Mei", *AT)
    assert said.code == 1
    assert why in said.out


def test_a_chinese_sheet_from_a_spreadsheet_program(shell: Shell, shop: Shop) -> None:
    path = sheet(shop.folder, "订单号,店铺,退款金额,退款单号,备注\nA-1,Lume,5.00,R-9,客服已退\n", encoding="gb18030")
    assert shell.json("order", "set", "--from", path, "--by", "Mei", *AT)["noted"] == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("A-1", "--from", "x.csv"), "--from names a sheet that says everything"),
        (("--from", "x.csv", "--vip"), "--from names a sheet that says everything"),
        ((), "name the order, or a sheet of them"),
    ],
)
def test_a_sheet_or_an_order(shell: Shell, shop: Shop, words: tuple[str, ...], why: str) -> None:
    said = shell("order", "set", *words, "--by", "Mei", *AT)
    assert (said.code, why in said.err) == (2, True), shop


@pytest.mark.parametrize(
    ("text", "why"),
    [("name,amount\nx,5\n", "has no column of order numbers"), ("order,amount\nA-1,5\n", "tells nothing about its orders")],
)
def test_a_sheet_of_something_else(shell: Shell, shop: Shop, text: str, why: str) -> None:
    said = shell("order", "set", "--from", sheet(shop.folder, text), "--by", "Mei", *AT)
    assert (said.code, why in said.err) == (1, True), said
    refused = shell("order", "set", "--from", sheet(shop.folder, text, "a.csv.rejected.csv"), "--by", "Mei", *AT)
    assert "save the mended rows under another name" in refused.err


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("card 4111 1111 1111 1111", "card"),
        ("Visa 4111-1111", "card"),
        ("bank_transfer", "bank_transfer"),
        ("Bank transfer DE89 3704", "bank_transfer"),
        ("Elo **** 4242", "elo"),
        ("Lemon Way ana@buyers.example", "lemon"),
        ("x4111111111111111", "x"),
    ],
)
def test_r15_no_number_of_a_card_is_kept_anywhere(shell: Shell, shop: Shop, said: str, word: str) -> None:
    """R15, R32: a known word, or the letters of the first one; neither order nor audit keeps more, by command or sheet."""
    with closing(sqlite3.connect(shop.folder / "tracker.db")) as database, database:
        database.execute("UPDATE dossier SET payment = 'card 4111 1111' WHERE number = 'A-1'")
    assert shell("order", "set", "A-1", "--payment", said, "--by", "Mei", *AT).code == 0
    path = sheet(shop.folder, f"order,payment\nA-2,{said}\n")
    assert shell.json("order", "set", "--from", path, "--by", "Mei", *AT)["noted"] == 1
    assert (kept(shop, "A-1")[0], kept(shop, "A-2")[0]) == (word, word)
    with closing(sqlite3.connect(shop.folder / "tracker.db")) as database:
        told = database.execute("SELECT before, after FROM audit WHERE what = 'order_facts_set'").fetchall()
    assert len(told) == 2
    assert not any(secret in str(told) for secret in ("4111", "3704", "4242", "ana@"))


def test_r15_a_number_alone_is_no_way_to_pay(shell: Shell, shop: Shop) -> None:
    said = shell("order", "set", "A-1", "--payment", "4111 1111 1111 1111", "--by", "Mei", *AT)
    assert (said.code, "without a number" in said.err, "4111" in said.err) == (2, True, False)
