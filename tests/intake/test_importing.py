"""`tracker import`: files into the store, what it reports, and what it leaves beside the file."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

from tests.intake.conftest import NOW
from tests.intake.sheets import ALIEXPRESS, aliexpress, book
from tracker.intake.importing import Knowledge, import_files
from tracker.intake.report import document, exit_code, summary
from tracker.store.opening import Store

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
NAMES = ("aliexpress_orders_zh.xls", "cn_forwarder_shipments.xlsx", "dianxiaomi_orders.xlsx")


def copied(tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(SAMPLES / name, tmp_path)) for name in NAMES]


async def test_the_json_contract(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    """DESIGN "Commands": file, format, rows, orders, shipments, new, updated, unchanged, rejected."""
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(ALIEXPRESS, aliexpress(), aliexpress(order="8.17E+15")))
    told = document(await import_files([path], store, NOW, knowledge=knowledge))
    (file,) = told["files"]
    reason = "the spreadsheet destroyed this number: 8.17E+15. Format the column as text and export the file again"
    assert told["schema_version"] == 1
    assert {
        name: file[name] for name in ("file", "format", "rows", "orders", "shipments", "new", "updated", "unchanged", "rejected")
    } == {
        "file": str(path),
        "format": "aliexpress_seller_zh",
        "rows": 2,
        "orders": 1,
        "shipments": 1,
        "new": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": [{"row": 3, "reason": reason}],
    }


async def test_files_of_one_story_join_in_any_order(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    """facts/file-formats.md section 4: the forwarder's sheet knows no order, and came first; 店小秘 names the store."""
    aliexpress_file, forwarder, dianxiaomi = copied(tmp_path)
    reports = await import_files([forwarder, dianxiaomi, aliexpress_file], store, NOW, knowledge=knowledge)
    assert [(report.new, report.orphans) for report in reports] == [
        (2, ("LV204567891CN", "UM305678905YP")),
        (3, ()),
        (4, ("8170000000000044",)),
    ]
    assert [orphan.number for orphan in await store.orphans()] == ["8170000000000044"], "not shipped yet: it waits"


async def test_importing_again_changes_nothing(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    paths = copied(tmp_path)
    await import_files(paths, store, NOW, knowledge=knowledge)
    again = await import_files(paths, store, NOW, knowledge=knowledge)
    assert [(report.new, report.updated, report.unchanged, report.nothing_new) for report in again] == [
        (0, 0, 8, True),
        (0, 0, 2, True),
        (0, 0, 4, True),
    ]


async def test_a_bad_file_does_not_stop_the_next(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    reports = await import_files([empty, tmp_path, *copied(tmp_path)[:1]], store, NOW, knowledge=knowledge)
    assert [bool(report.error) for report in reports] == [True, True, False]
    assert exit_code(reports) == 3
    assert exit_code(reports[:2]) == 1
    assert exit_code(reports[2:]) == 0
    assert "is empty: export it again" in summary(reports)


async def test_rejected_rows_are_written_beside_the_file(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis", remark="=cmd"), aliexpress()))
    reports = await import_files([path], store, NOW, knowledge=knowledge)
    written = tmp_path / "orders.xlsx.rejected.csv"
    assert reports[0].rejected_file == str(written)
    header, row = csv.reader(written.read_text(encoding="utf-8-sig").splitlines(keepends=True))
    assert header[-1] == "reason"
    cells = dict(zip(header, row, strict=True))
    assert (cells["收货国家"], cells["订单备注"]) == ("Atlantis", "'=cmd")
    assert cells["reason"].startswith("row 2: 'Atlantis' is not a country that is known")
    assert exit_code(reports) == 3
    assert "1 row rejected" in summary(reports)


async def test_a_dry_run_writes_nothing(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis"), aliexpress()))
    (report,) = await import_files([path], store, NOW, knowledge=knowledge, dry_run=True)
    assert (report.new, report.rejected_file, os.listdir(tmp_path)) == (2, None, ["orders.xlsx"])  # noqa: PTH208
    assert await store.find_orders("8180000000000017") == []
    assert "would be 2 new" in summary([report])


async def test_a_folder_that_cannot_be_written_loses_no_reason(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis")))
    (tmp_path / "x").write_bytes(path.read_bytes())
    long_name = tmp_path / ("o" * 245 + ".xlsx")  # ".rejected.csv" makes it longer than a name may be
    path.rename(long_name)
    (report,) = await import_files([long_name], store, NOW, knowledge=knowledge)
    assert "could not be written beside the file (File name too long)" in report.warnings[0]
    assert len(report.rejected) == 1


async def test_text_for_eyes_names_orphans_warnings_and_unknown_channels(
    knowledge: Knowledge, store: Store, tmp_path: Path
) -> None:
    reports = await import_files(copied(tmp_path), store, NOW, knowledge=knowledge)
    text = summary(reports)
    assert "aliexpress_seller_zh, 4 rows\n  4 orders, 4 parcels\n  8 new, 0 updated, 0 unchanged" in text
    assert "  1 waits for the file that names its partner: 8170000000000044" in text
    assert "channels that services.toml does not know, handled with caution: '菜鸟标准-线上发货' (1 parcel)" in text


async def test_two_tools_that_word_it_differently_do_not_take_turns(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    """Importing again changes nothing: "已发货" and "shipped" are one state, and a combined parcel has one declared value."""
    ours = tmp_path / "ours.csv"
    ours.write_text(
        "order,platform,status,country,paid,shipped,tracking,declared value,declared currency\n"
        "8170000000000071,aliexpress,shipped,BR,2026-03-01,2026-03-02,LX400100119CN,6.30,USD\n"
        "8170000000000072,aliexpress,shipped,BR,2026-03-01,2026-03-02,LX400100119CN,4.90,USD\n",
        encoding="utf-8",
    )
    theirs = tmp_path / "theirs.csv"
    theirs.write_text(
        "订单号,平台,订单状态,国家,付款时间,发货时间,运单号\n8170000000000071,aliexpress,已发货,BR,2026-03-01,2026-03-02,LX400100119CN\n",
        encoding="utf-8",
    )
    await import_files([ours, theirs], store, NOW, knowledge=knowledge)
    again = await import_files([ours, theirs], store, NOW, knowledge=knowledge)
    assert [(report.new, report.updated, report.rejected) for report in again] == [(0, 0, ()), (0, 0, ())]


async def test_rejected_rows_stay_beside_the_file_only_as_long_as_they_are_rejected(
    knowledge: Knowledge, store: Store, tmp_path: Path
) -> None:
    """A stale file would send somebody to mend what is good long since."""
    path, beside = tmp_path / "orders.xlsx", tmp_path / "orders.xlsx.rejected.csv"
    path.write_bytes(book(ALIEXPRESS, aliexpress(country="Atlantis"), aliexpress(order="8180000000000018")))
    await import_files([path], store, NOW, knowledge=knowledge)
    first = beside.read_bytes()
    path.write_bytes(book(ALIEXPRESS, aliexpress(country="Utopia"), aliexpress(order="8180000000000018")))
    (report,) = await import_files([path], store, NOW, knowledge=knowledge)
    assert report.rejected_file == str(beside)
    assert beside.read_bytes() != first
    path.write_bytes(book(ALIEXPRESS, aliexpress(), aliexpress(order="8180000000000018")))
    await import_files([path], store, NOW, knowledge=knowledge)
    assert not beside.exists()


async def test_our_own_rejected_rows_are_no_input(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    """`import *.xls*` takes them too: beside their origin they are left out, alone they are refused."""
    path, beside = tmp_path / "orders.xlsx", tmp_path / "orders.xlsx.rejected.csv"
    path.write_bytes(book(ALIEXPRESS, aliexpress(), aliexpress(country="Atlantis")))
    await import_files([path], store, NOW, knowledge=knowledge)
    rehearsed = await import_files([path, beside], store, NOW, knowledge=knowledge, dry_run=True)
    reports = await import_files([path, beside], store, NOW, knowledge=knowledge)
    for told in (rehearsed, reports):
        assert [(report.skipped is None, report.error) for report in told] == [(True, None), (False, None)]
    assert summary(reports).endswith("left out: the rows of orders.xlsx that were rejected before")
    assert document(reports)["files"][1]["rows"] == 0
    (alone,) = await import_files([beside], store, NOW, knowledge=knowledge)
    assert "save the mended rows under another name" in str(alone.error)
