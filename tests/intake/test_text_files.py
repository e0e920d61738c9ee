"""Delimited text: encoding, separator, quoting and header row are found, never asked for."""

from __future__ import annotations

import pytest

from tests.intake.conftest import Read
from tests.intake.sheets import DIANXIAOMI, OWN, own
from tracker.intake.delimited import read_delimited
from tracker.intake.errors import FileError

CHINESE = [
    "速卖通",
    "AE-01",
    "8180000000000017",
    "P1",
    "已发货",
    "BR",
    "巴西",
    "",
    "17.10",
    "USD",
    "2026-08-22 18:40",
    "",
    "燕文航空挂号",
    "UM305678905YP",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_chinese_headers_in_every_encoding_and_separator(read: Read, encoding: str, separator: str) -> None:
    lines = "\r\n".join(separator.join(row) for row in (DIANXIAOMI, CHINESE))
    batch = read(lines.encode(encoding))
    assert (batch.format, batch.rejected) == ("dianxiaomi_orders", ())
    assert (batch.orders[0].number, batch.orders[0].country) == ("8180000000000017", "BR")
    assert batch.shipments[0].service_text == "燕文航空挂号"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("buyer", ["José Müller", "João Conceição", "Zoë"])
def test_western_names_below_an_english_header(read: Read, encoding: str, buyer: str) -> None:
    """`Müller` in cp1252 decodes as Chinese without an error: the words decide."""
    rows = ("order,country,buyer,tracking", f"1001,DE,{buyer},RB123456785CN")
    (order,) = read("\n".join(rows).encode(encoding), store="lampshop").orders
    assert order.buyer_name == buyer


def test_chinese_cells_below_an_english_header(read: Read) -> None:
    rows = ("order,country,buyer,service,tracking", "1001,巴西,张三丰,燕文航空挂号小包,RB123456785CN")
    (order,) = read("\n".join(rows).encode("gb18030"), store="lampshop").orders
    assert (order.buyer_name, order.country) == ("张三丰", "BR")


@pytest.mark.parametrize(
    ("buyer", "encoding"), [("山田太郎", "cp932"), ("やまだ はなこ", "cp932"), ("张三丰", "gb18030"), ("張三豐", "gb18030")]
)
def test_japanese_and_chinese_names_below_an_english_header(read: Read, buyer: str, encoding: str) -> None:
    """gb18030 decodes cp932 without an error: the signs decide (facts/file-formats.md section 5)."""
    (order,) = read(f"order,country,buyer\n1001,JP,{buyer}\n".encode(encoding), store="lampshop").orders
    assert order.buyer_name == buyer


def test_tab_files_know_no_quoting(read: Read) -> None:
    """facts/file-formats.md 2.3: a quote sign in a product name is a plain character."""
    batch = read(
        b'order\tcountry\ttitle\ttracking\n1001\tBR\t19" frame\tRB123456785CN\n1002\tBR\t"x\tLV204567891CN\n', store="lampshop"
    )
    assert [order.number for order in batch.orders] == ["1001", "1002"]


def test_quoted_cells_with_breaks_keep_the_line_numbers(read: Read) -> None:
    batch = read(
        b'order,country,note,tracking\n1001,BR,"two\nlines",RB123456785CN\n\n1002,Atlantis,x,LV204567891CN\n', store="lampshop"
    )
    assert batch.orders[0].row == 2
    assert [rejected.row for rejected in batch.rejected] == [5], "the number that an editor shows"


def test_header_below_title_lines_and_a_footer(read: Read) -> None:
    lines = [",,,", "Orders of August,,,", ",".join(OWN), "", ",".join(own()), ",".join(own(order="1002")), "Total: 2,,50.00"]
    batch = read("\n".join(lines).encode())
    assert (batch.rows, batch.rejected) == (2, ())
    assert [order.row for order in batch.orders] == [5, 6]


def test_repeated_headers_and_group_lines_are_no_orders(read: Read) -> None:
    lines = [",".join(OWN), "September,,,,", ",".join(own()), ",".join(OWN), ",".join(own(order="1002"))]
    batch = read("\n".join(lines).encode())
    assert (batch.rows, len(batch.orders), batch.rejected) == (2, 2, ())
    assert batch.warnings == ("a row with one filled cell was taken for a group line and left out (row 2)",)


def test_headers_are_matched_in_one_written_form(read: Read) -> None:
    header = ["*Ｏｒｄｅｒ  Number", " COUNTRY ", "Tracking number\t", "Window End"]
    (order,) = read("\n".join([",".join(header), "1001,BR,RB123456785CN,2026-12-01"]).encode(), store="lampshop").orders
    assert order.number == "1001"
    assert order.window_end is not None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"order,country\n\x00\x01", "neither a workbook nor text"),
        (b"\xff\xfeo\x00r\x00\x00\xd8", "says it is utf-16 and is not"),
        (b"order,country\n1,\x81\xff\xff\x8d", "encoding is none of utf-8-sig, gb18030, cp932, cp1252: save it as UTF-8"),
        (b'order,country\n1,"' + b"x" * 1_100_000 + b'"', "cannot be read as separated text"),
    ],
)
def test_what_is_no_text(data: bytes, why: str) -> None:
    with pytest.raises(FileError, match=why):
        read_delimited(data, {"order", "country"})
