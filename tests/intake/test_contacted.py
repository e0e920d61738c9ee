"""`--contacted`: whom a shop has written to already (facts/file-formats.md section 7). A row is noted, or kept with a reason."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.intake.conftest import NOW
from tests.intake.sheets import book
from tracker.intake.contacted import Contacts, ContactsReport, read_contacts
from tracker.intake.errors import FileError
from tracker.intake.importing import Knowledge
from tracker.model import ImportBatch, Intent, OrderFacts, OrderState, Rank, ShipmentFacts
from tracker.store.opening import Store

SHIPPED = NOW - timedelta(days=50)


def batch(knowledge: Knowledge, *numbers: str, store: str | None = None) -> ImportBatch:
    """Orders to Brazil that were shipped fifty days ago."""
    shop = knowledge.rules.stores[store or min(knowledge.rules.stores)]
    return ImportBatch(
        file="orders.csv",
        format="test",
        digest=f"{shop.id}{numbers}".encode().hex(),
        rank_orders=Rank.MARKETPLACE,
        rank_tracking=Rank.MARKETPLACE,
        rows=len(numbers),
        orders=tuple(
            OrderFacts(
                store=shop.id,
                platform=shop.platform,
                number=number,
                row=at,
                state=OrderState.SHIPPED,
                country="BR",
                amount=Decimal(10),
                currency="USD",
                paid_at=SHIPPED - timedelta(days=1),
            )
            for at, number in enumerate(numbers, 2)
        ),
        shipments=tuple(
            ShipmentFacts(number=f"LB{number}CN", row=at, store=shop.id, order=number, shipped_at=SHIPPED)
            for at, number in enumerate(numbers, 2)
        ),
    )


def told(knowledge: Knowledge, path: Path, *lines: str) -> Contacts:
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_contacts(path, knowledge.rules, NOW)


async def known(store: Store, number: str) -> Mapping[Intent, datetime]:
    [dossier] = await store.load_dossiers([(await store.order_ref(number)).id])
    return dossier.order.contacted


async def noted(contacts: Contacts, store: Store, knowledge: Knowledge) -> ContactsReport:
    await contacts.tell_known(store, knowledge.rules, NOW, dry_run=False)
    return await contacts.report(dry_run=False)


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("stage1", Intent.STAGE1),
        ("Stage 2", Intent.STAGE2),
        ("3", Intent.STAGE3),
        ("45", Intent.STAGE2),
        ("第一次", Intent.STAGE1),
        ("第三阶段", Intent.STAGE3),
        ("", Intent.STAGE2),
    ],
)
async def test_a_stage_is_named_in_many_ways_or_follows_from_the_age(
    word: str, stage: Intent, store: Store, knowledge: Knowledge, tmp_path: Path
) -> None:
    """Not named: what the ladder says of a parcel that left 49 days before."""
    await store.save_import(batch(knowledge, "7001"), NOW)
    day = (NOW - timedelta(days=1)).date()
    report = await noted(told(knowledge, tmp_path / "c.csv", "订单号;阶段;联系日期", f"7001;{word};{day}"), store, knowledge)
    assert (report.noted, report.rejected) == (1, ())
    assert list(await known(store, "7001")) == [stage]


async def test_a_day_counts_to_its_end_no_date_is_now_and_the_last_one_counts(
    store: Store, knowledge: Knowledge, tmp_path: Path
) -> None:
    """72 hours count from the later one; the same list again changes nothing."""
    await store.save_import(batch(knowledge, "7001", "7002", "7003"), NOW)
    lines = ["order,stage,date", "7001,1,2026-01-05", "7001,1,2026-01-03", "7002,1,2026-01-05 09:30", "7003,1,"]
    await noted(told(knowledge, tmp_path / "c.csv", *lines), store, knowledge)
    assert await known(store, "7001") == {Intent.STAGE1: datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC)}
    assert await known(store, "7002") == {Intent.STAGE1: datetime(2026, 1, 5, 9, 30, tzinfo=UTC)}
    assert await known(store, "7003") == {Intent.STAGE1: NOW}
    version = (await store.order_ref("7001")).version
    await noted(told(knowledge, tmp_path / "c.csv", *lines), store, knowledge)
    assert (await store.order_ref("7001")).version == version
    [entry] = [each for each in await store.audit_of((await store.order_ref("7001")).id) if each.what == "contacted_outside"]
    assert (entry.who, entry.reason) == ("import", "c.csv")


async def test_rows_that_cannot_be_taken_are_kept_with_their_reason(store: Store, knowledge: Knowledge, tmp_path: Path) -> None:
    """Nothing is lost: the file of rejected rows is the same list, and is read again."""
    first, second, *_ = sorted(knowledge.rules.stores)
    blank = batch(knowledge, "7009")
    undated = [OrderFacts(store=each.store, platform=each.platform, number="7009", row=2, country="BR") for each in blank.orders]
    for each in (batch(knowledge, "7001", store=first), batch(knowledge, "7001", store=second)):
        await store.save_import(each, NOW)
    await store.save_import(replace(blank, orders=tuple(undated), shipments=()), NOW)
    tomorrow = (NOW + timedelta(days=2)).date()
    lines = [
        "order,store,stage,date,note",
        "7001,,1,2026-01-05,=two shops",
        f"7001,{first},1,2026-01-05,",
        f"7001,{first},9,2026-01-05,",
        "7001,nobody,1,2026-01-05,",
        f"7001,{first},1,{tomorrow},",
        "7009,,,2026-01-05,",
        "8.17E+15,,1,2026-01-05,",
        ",,1,2026-01-05,",
        "4711,,1,2026-01-05,",
    ]
    contacts = told(knowledge, tmp_path / "c.csv", *lines)
    await contacts.tell_known(store, knowledge.rules, NOW, dry_run=False)
    report = await contacts.report(dry_run=False)
    assert (report.rows, report.noted) == (9, 1)
    reasons = {each.row: each.reason for each in report.rejected}
    assert sorted(reasons) == [2, 4, 5, 6, 7, 8, 9, 10]
    for at, says in {
        2: "order 7001 is one of several stores",
        4: "'9' is no stage: write stage1",
        5: "store 'nobody' is not configured",
        6: "lies ahead",
        7: "name the stage",
        8: "the spreadsheet destroyed this number",
        9: "no order number",
        10: "order 4711 is not known",
    }.items():
        assert says in reasons[at]
    assert report.rejected_file is not None
    kept = rows_of(Path(report.rejected_file))
    assert kept[0] == ["order", "store", "stage", "date", "note", "reason"]
    assert kept[1][4] == "'=two shops"
    again = await noted(read_contacts(Path(report.rejected_file), knowledge.rules, NOW), store, knowledge)
    assert (again.rows, again.noted) == (8, 0)
    assert report.lines(limit=1)[-1] == "    … and 7 more"


async def test_a_contact_is_saved_with_the_order_it_came_with(store: Store, knowledge: Knowledge, tmp_path: Path) -> None:
    """Faults row 35: the daemon beside it must not decide between the order and what is known about it."""
    contacts = told(knowledge, tmp_path / "c.csv", "order,date", f"7001,{(NOW - timedelta(days=10)).date()}", "7002,")
    attached = contacts.attach(batch(knowledge, "7001", "7005"), knowledge.rules)
    assert [(each.number, each.stage) for each in attached.contacted] == [("7001", Intent.STAGE1)]
    await store.save_import(attached, NOW)
    assert list(await known(store, "7001")) == [Intent.STAGE1]
    assert await known(store, "7005") == {}
    report = await contacts.report(dry_run=True)
    assert (report.noted, [each.row for each in report.rejected], report.rejected_file) == (1, [3], None)
    assert report.document()["dry_run"] is True


def test_a_workbook_is_read_and_a_list_without_orders_says_what_is_expected(knowledge: Knowledge, tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    path.write_bytes(book(("订单编号", "次数", "发送日期"), (7001, "第二次", datetime(2026, 1, 5))))  # noqa: DTZ001 - a workbook knows no zone
    [contact] = read_contacts(path, knowledge.rules, NOW).attach(batch(knowledge, "7001"), knowledge.rules).contacted
    assert (contact.stage, contact.at) == (Intent.STAGE2, datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC))
    for words in ("who,when\nAna,2026-01-05\n", "7001\n7002\n"):
        path = tmp_path / "c.csv"
        path.write_text(words, encoding="utf-8")
        with pytest.raises(FileError, match=r"no column of order numbers .found: .*Expected: order .订单号."):
            read_contacts(path, knowledge.rules, NOW)


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
