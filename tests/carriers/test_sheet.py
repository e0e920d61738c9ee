"""A forwarder's sheets: tables as forwarders write them, from a real folder (facts: file formats 2.8, import rules)."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from carriers import codes
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.drop import LISTING, DropFile, DropTransport, pack
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.sheet import Sheet, tables
from tests.carriers.loopback import converse

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Sheet()
ONE, TWO = "LB000000619CN", "LB000000622CN"


async def ask(root: Path, *numbers: str, **options: str) -> Batch:
    account = Account(id="forwarder", base_url="", options=options)
    return await converse(ADAPTER, [Query(number=number) for number in numbers], account, Memory(), NOW, DropTransport(root))


def read(body: bytes | str, number: str = ONE) -> Tracking:
    raw = body if isinstance(body, bytes) else body.encode()
    cut = ADAPTER.split(Response(status=200, body=raw), [number])[number]
    assert isinstance(cut, bytes), cut
    return ADAPTER.read(cut)


def workbook(*rows: list[Any]) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(buffer)
    return buffer.getvalue()


async def test_all_sheets_of_the_folder_tell_one_story(tmp_path: Path) -> None:
    """Today's sheet goes on where yesterday's ended; a scan in both counts once, in whatever order the files come."""
    (tmp_path / "monday.csv").write_text(
        f"单号,时间,代码\n{ONE},2026-04-01 10:00,EMA\n{ONE},2026-04-02 10:00,EMC\n", encoding="utf-8"
    )
    (tmp_path / "tuesday.csv").write_text(
        f"单号,时间,代码\n{ONE},2026-04-02 10:00,EMC\n{ONE},2026-04-20 10:00,EME\n", encoding="utf-8"
    )
    (tmp_path / "readme.txt").write_text("hello", encoding="utf-8")
    first = (await ask(tmp_path, ONE)).answers[ONE]
    os.utime(tmp_path / "tuesday.csv", (1, 1))
    second = (await ask(tmp_path, ONE)).answers[ONE]
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    told = ADAPTER.read(first)
    assert ADAPTER.read(second) == told
    assert [event.raw_code for event in told.events] == ["EMA", "EMC", "EME"]
    assert (told.status, told.reason) == (TrackingStatus.IN_TRANSIT, TrackingReason.CUSTOMS_HOLD)


async def test_a_number_that_no_sheet_lists_is_an_error_never_not_found(tmp_path: Path) -> None:
    """Promise 2: the forwarder said nothing about it; also when the folder is empty."""
    (tmp_path / "monday.csv").write_text(f"单号,时间,代码\n{ONE},2026-04-01 10:00,EMA\n", encoding="utf-8")
    for answers in ((await ask(tmp_path, ONE, TWO)).answers, (await ask(tmp_path / "..", TWO)).answers):
        told = answers[TWO]
        assert isinstance(told, CarrierError)
        assert told.kind is ErrorKind.BAD_RESPONSE


async def test_the_accounts_zone_places_times_that_name_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"单号,时间,代码,时区\n{ONE},2026-04-01 10:00,EMA,\n{ONE},2026-04-02 10:00,EMC,Z?\n", encoding="utf-8"
    )
    cut = (await ask(tmp_path, ONE, zone="Asia/Shanghai")).answers[ONE]
    assert isinstance(cut, bytes)
    assert [event.offset for event in ADAPTER.read(cut).events] == [480, None]


async def test_a_time_that_is_none_stays_none_in_whatever_zone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"单号,时间,代码\n{ONE},2026-04-01 99:00,EMA\n{ONE},2026-4-31 9:00,EMA\n", encoding="utf-8")
    cut = (await ask(tmp_path, ONE, zone="Asia/Shanghai")).answers[ONE]
    assert isinstance(cut, bytes)
    assert [(event.time, event.local_time) for event in ADAPTER.read(cut).events] == [(None, None), (None, None)]


async def test_when_no_file_can_be_read_the_source_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xff\xff")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(CarrierError, match=r"b\.xlsx: a workbook that cannot be opened") as failed:
        await ask(tmp_path, ONE)
    assert "a.csv: neither a workbook nor a text" in failed.value.message


def test_a_file_beyond_the_cap_is_said_and_others_are_read() -> None:
    files = [DropFile("big.csv", 2, b"", "larger than 5 bytes"), DropFile("a.csv", 1, f"单号,时间\n{ONE},2026-04-01\n".encode())]
    told = ADAPTER.split(Response(status=200, body=pack(files), headers={"content-type": LISTING}), [ONE])
    assert isinstance(told[ONE], bytes)
    with pytest.raises(CarrierError, match=r"big\.csv: larger than 5 bytes"):
        ADAPTER.split(Response(status=200, body=pack(files[:1]), headers={"content-type": LISTING}), [ONE])
    with pytest.raises(CarrierError, match="not a listing"):
        ADAPTER.split(Response(status=200, body=b"\xc1", headers={"content-type": LISTING}), [ONE])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_separators_are_found(separator: str, encoding: str) -> None:
    lines = [
        ["注：本周扫描"],
        ["*运单号", "扫描时间", "轨迹描述"],
        [ONE, "2026-04-01 10:00", "已签收"],
        ["", "2026-04-01", "合计"],
    ]
    told = read("\r\n".join(separator.join(line) for line in lines).encode(encoding))
    assert (told.status, len(told.events)) == (TrackingStatus.DELIVERED, 1)


@pytest.mark.parametrize(
    ("written", "wall"),
    [
        ("2026-04-01 10:05:09", "2026-04-01T10:05:09"),
        ("2026/4/1 9:05", "2026-04-01T09:05:00"),
        ("2026.04.01", "2026-04-01T00:00:00"),
        ("2026年4月1日 10:05", "2026-04-01T10:05:00"),
        ("01/04/2026 10:05", None),
        ("2026/13/1 10:05", None),
        ("", None),
    ],
)
def test_only_year_first_times_are_read_day_and_month_are_never_guessed(written: str, wall: str | None) -> None:
    told = read(f"单号,时间,代码\n{ONE},{written},EMA\n")
    assert [event.local_time for event in told.events] == [wall]
    assert [event.time for event in told.events] == [None]
    assert told.status is (TrackingStatus.UNKNOWN if wall is None else TrackingStatus.IN_TRANSIT)


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("+08:00", 480),
        ("GMT+8", 480),
        ("utc-3", -180),
        ("-0330", -210),
        ("America/Sao_Paulo", -180),
        ("+99:00", None),
        ("Mars/Olympus", None),
        ("../../etc/passwd", None),
        ("", None),
    ],
)
def test_a_zone_is_an_offset_or_a_place_or_unknown(zone: str, offset: int | None) -> None:
    (event,) = read(f"单号,时间,代码,时区\n{ONE},2026-04-01 10:00,EMA,{zone}\n").events
    assert event.offset == offset
    assert (event.time is None) == (offset is None)


@pytest.mark.parametrize(
    ("columns", "status", "unmapped"),
    [
        ("EMI,whatever", TrackingStatus.DELIVERED, ()),
        (",Out for Delivery", TrackingStatus.OUT_FOR_DELIVERY, ()),
        ("in_transit,", TrackingStatus.IN_TRANSIT, ()),
        ("Z9,已签收", TrackingStatus.DELIVERED, ()),
        ("Z9,somewhere", TrackingStatus.UNKNOWN, ("Z9",)),
        (",somewhere", TrackingStatus.UNKNOWN, ("somewhere",)),
        (",", TrackingStatus.UNKNOWN, ()),
        ("not_found,", TrackingStatus.UNKNOWN, ("not_found",)),
        ("expired,", TrackingStatus.UNKNOWN, ("expired",)),
    ],
)
def test_codes_are_the_upus_the_forwarders_words_or_ours_else_unknown(
    columns: str, status: TrackingStatus, unmapped: tuple[str, ...]
) -> None:
    told = read(f"单号,时间,代码,描述\n{ONE},2026-04-01 10:00,{columns}\n")
    assert (told.status, told.unmapped) == (status, unmapped)


@pytest.mark.parametrize("row", codes.rows("upu_emsevt"), ids=lambda row: row["event"])
@pytest.mark.parametrize("written", ["{0}", "{1}", " {0} - text", "{1}: text"])
def test_every_event_of_the_upu_is_read_however_it_is_written(row: dict[str, str], written: str) -> None:
    """Facts: carriers 26, EMSEVT: 25 events, from the posting (EMA) to the delivery (EMI)."""
    code = written.format(row["event"], row["event"].lower())
    told = read(f"Tracking;Time;Code\n{ONE};2026-04-01 10:00;{code}\n")
    assert (told.status.value, told.reason or "", told.unmapped) == (row["status"], row["reason"], ())


@pytest.mark.parametrize(
    ("columns", "status", "reason", "unmapped"),
    [
        ("EME,50", "in_transit", "documents_missing", ()),
        ("eme,19", "in_transit", "prohibited_content", ()),
        ("EME,", "in_transit", "customs_hold", ()),
        ("EME,未缴税", "in_transit", "duties_unpaid", ()),
        ("EME,duties_unpaid", "in_transit", "duties_unpaid", ()),
        ("EME,whatever", "in_transit", "customs_hold", ("reason whatever",)),
        ("EMH,Refused", "failed_attempt", "refused", ()),
        ("EMH,50", "failed_attempt", None, ("reason 50",)),
        ("海关扣留,资料不全", "in_transit", "documents_missing", ()),
        ("EMI,damaged", "delivered", None, ()),
        ("returned,拒收", "returned", None, ()),
        ("Z9,lost", "unknown", None, ("Z9",)),
    ],
)
def test_a_reason_column_says_why_and_never_what(
    columns: str, status: str, reason: str | None, unmapped: tuple[str, ...]
) -> None:
    """Facts: carriers 26: EME carries a retention reason. It never makes or unmakes a delivery."""
    told = read(f"单号,时间,代码,留置原因\n{ONE},2026-04-01 10:00,{columns}\n")
    assert (told.status.value, told.reason, told.unmapped) == (status, reason, unmapped)


def test_a_reason_belongs_to_the_description_and_tells_two_scans_apart() -> None:
    told = read(f"单号,时间,代码,描述,原因\n{ONE},2026-04-01 10:00,EME,Held,50\n{ONE},2026-04-01 10:00,EME,Held,\n")
    assert [event.description for event in told.events] == ["Held: 50", "Held"]


def test_what_is_signed_for_on_its_way_back_the_sender_signed() -> None:
    """Rules across carriers 6: no buyer is told that his parcel came."""
    told = read(f"单号,时间,描述\n{ONE},2026-04-01 10:00,退件中\n{ONE},2026-04-09 10:00,已签收\n")
    assert told.status is TrackingStatus.RETURNED


def test_the_number_of_a_bag_tells_of_no_parcel_in_it() -> None:
    """Rules across carriers 3: one parcel's delivery is not the other's."""
    body = f"运单号,转单号,时间,代码\n{ONE},BAG1,2026-04-01 10:00,EMI\n{TWO},BAG1,2026-04-01 10:00,EMA\n".encode()
    told = ADAPTER.split(Response(status=200, body=body), ["BAG1", TWO])
    assert isinstance(told["BAG1"], CarrierError)
    assert isinstance(told[TWO], bytes)


def test_a_parcel_is_found_by_its_last_mile_number_too() -> None:
    """Facts: file formats 2.8: 转单号 replaces the first number; whichever is asked for, the scans are the parcel's."""
    body = f"运单号,转单号,时间,代码\n{ONE},nx 000000795br,2026-04-01 10:00,EMA\n{ONE},,2026-04-20 10:00,EMD\n".encode()
    first, last = "LB000000619CN", "NX000000795BR"
    told = ADAPTER.split(Response(status=200, body=body), [last, first])
    read_ = {number: ADAPTER.read(cut) for number, cut in told.items() if isinstance(cut, bytes)}
    assert (read_[first].linked_number, len(read_[first].events)) == (last, 2)
    assert (read_[last].linked_number, len(read_[last].events)) == (None, 1)
    assert list(ADAPTER.split(Response(status=200, body=body), ())) == [ONE]
    alone = read(f"转单号,时间,代码\n{ONE},2026-04-01 10:00,EMA\n")
    assert (alone.number, alone.linked_number) == (ONE, None)


def test_cells_of_a_workbook_are_read_as_what_they_mean() -> None:
    """Import rules: numbers that are names are text; a number that has lost digits is none."""
    told = read(
        workbook(
            ["Tracking No.", "Date", "Code", "Details"],
            [20260001.0, datetime.fromisoformat("2026-04-01T10:05"), "EMA", 1.5],
            ["20260001 ", "2026-04-02 10:05", "EMC", True],
            [1.23e15, "2026-04-03 10:05", "EMI", ""],
            ["'20260001"],
        ),
        "20260001",
    )
    assert [(event.local_time, event.raw_code, event.description) for event in told.events] == [
        ("2026-04-01T10:05:00", "EMA", "1.5"),
        ("2026-04-02T10:05:00", "EMC", "True"),
        (None, None, ""),
    ]
    assert read('单号,时间,代码\n"=""20260001""",2026-04-01,EMA\n', "20260001").status is TrackingStatus.IN_TRANSIT


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no header row"),
        (b"a,b\n" * 30, "no header row"),
        (f"单号,备注\n{ONE},x\n".encode(), "no header row"),
        (b"\x00\x00", "neither a workbook nor a text"),
        (b"\xff\xfe\x00", "neither a workbook nor a text"),
        (b'a,"' + b"x" * 200_000, "is no line of a table"),
        (workbook(), "an empty workbook"),
        (b"PK\x03\x04", "cannot be opened"),
        (b"\xd0\xcf\x11\xe0", "cannot be opened"),
    ],
    ids=["empty", "no header", "nothing told", "zeros", "odd utf-16", "endless cell", "empty workbook", "no zip", "no ole"],
)
def test_what_is_no_scan_sheet_says_so(body: bytes, words: str) -> None:
    with pytest.raises(CarrierError, match=words) as failed:
        ADAPTER.split(Response(status=200, body=body), [ONE])
    assert failed.value.kind is ErrorKind.BAD_RESPONSE


@pytest.mark.parametrize("limit", [131_072, 1_000_000])
def test_the_cap_of_a_cell_is_ours_whatever_limit_the_process_has(limit: int) -> None:
    """Somebody else in the process may allow longer cells: the csv module knows one limit for all."""
    before = csv.field_size_limit(limit)
    try:
        test_what_is_no_scan_sheet_says_so(b'a,"' + b"x" * 200_000, "is no line of a table")
    finally:
        csv.field_size_limit(before)


def test_a_workbook_that_unpacks_without_end_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults 10, for sheets."""
    monkeypatch.setattr(tables, "_MOST_INFLATED", 10_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 20_000)
    with pytest.raises(CarrierError, match="larger than 10000 bytes when unpacked"):
        ADAPTER.split(Response(status=200, body=buffer.getvalue()), [ONE])


def test_a_slice_without_rows_is_no_number() -> None:
    assert ADAPTER.read(b"[]") == Tracking(number=None, status=TrackingStatus.UNKNOWN)
