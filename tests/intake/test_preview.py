"""`tracker import --dry-run`: what would become of each row, and what it costs at the sources (daily-operations, Quota)."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from tests.intake.conftest import NOW
from tests.intake.sheets import OWN, book, own
from tracker.config import Source
from tracker.intake.costs import cost_document, cost_lines, costs, registrations
from tracker.intake.importing import Knowledge, import_files
from tracker.intake.report import FileReport, document, summary
from tracker.model import Followed
from tracker.store.opening import Store

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
TODAY = date(2026, 9, 10)


def source(id_: str = "tracks", adapter: str = "seventeen_track", **plan: int) -> Source:
    none = {"base_url": "https://tracks.example", "secrets": {}, "options": {}, "rps": 3.0, "connections": 1, "batch": None}
    return Source(**{"id": id_, "adapter": adapter, "daily_quota": None, **none, **plan})  # type: ignore[arg-type]


async def rehearsed(paths: list[Path], store: Store, knowledge: Knowledge) -> list[FileReport]:
    return await import_files(paths, store, NOW, knowledge=knowledge, dry_run=True)


async def test_each_row_says_what_would_become_of_it(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(OWN, own(), own(order="1002", tracking="RB123456799CN")))
    await import_files([path], store, NOW, knowledge=knowledge)
    path.write_bytes(
        book(OWN, own(amount="26.00"), own(order="1002", tracking="RB123456799CN"), own(order="1003"), own(country="Atlantis"))
    )
    reports = await rehearsed([path], store, knowledge)
    (file,) = document(reports)["files"]
    told = [(row["row"], row["what"], row["outcome"]) for row in file["changes"]]
    assert told == [
        (2, "order", "updated"),
        (2, "shipment", "unchanged"),
        (3, "order", "unchanged"),
        (3, "shipment", "unchanged"),
        (4, "order", "new"),
        (4, "shipment", "updated"),
    ]
    assert [(field["name"], str(field["before"]), str(field["after"])) for field in file["changes"][0]["fields"]] == [
        ("amount", "25.00", "26.00")
    ]
    assert [row["row"] for row in file["rejected"]] == [5]
    said = summary(reports)
    assert "    row 2: updated order 1001: amount 25.00 -> 26.00\n" in said
    assert "    row 4: new order 1003 (lampshop)\n" in said
    assert "    row 4: updated parcel RB123456785CN: order nothing -> 1003" in said
    assert not (tmp_path / "orders.xlsx.rejected.csv").exists()


async def test_a_terminal_gets_the_first_rows_and_how_to_see_the_rest(knowledge: Knowledge, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(book(OWN, *(own(order=str(2000 + at), tracking="") for at in range(30))))
    reports = await rehearsed([path], store, knowledge)
    assert summary(reports, 5).count("new order") == 5
    assert summary(reports, 5).endswith("… and 25 more; --limit 0 shows them all")
    assert summary(reports, 0).count("new order") == 30
    assert len(document(reports)["files"][0]["changes"]) == 30, "--json is never cut"


async def test_files_are_rehearsed_together_and_an_import_then_does_what_was_told(
    knowledge: Knowledge, store: Store, tmp_path: Path
) -> None:
    """The forwarder's sheet alone is followed by nobody; with its orders its parcels are."""
    names = ("cn_forwarder_shipments.xlsx", "aliexpress_orders_zh.xls", "dianxiaomi_orders.xlsx")
    paths = [Path(shutil.copy(SAMPLES / name, tmp_path)) for name in names]
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(b"PK\x03\x04 no")
    told = await rehearsed([*paths[:1], damaged, *paths[1:]], store, knowledge)
    assert "damaged" in str(told[1].error)
    assert (await store.status(NOW)).orders == 0
    done = await import_files(paths, store, NOW, knowledge=knowledge)
    counts = [(report.new, report.updated, report.unchanged) for report in told if report.error is None]
    assert counts == [(report.new, report.updated, report.unchanged) for report in done]
    assert {each.number for each in told[-1].followed} == {due.number for due in await store.due_shipments(NOW, 100)}


def test_a_parcel_is_registered_once_at_the_first_source_of_its_carrier() -> None:
    routes = {"*": ("tracks",), "correios": ("post", "tracks")}
    parcels = [
        Followed(number="A", carrier=None),
        Followed(number="A", carrier=None),
        Followed(number="B", carrier="yanwen"),
        Followed(number="C", carrier="correios"),
        Followed(number="D", carrier="yanwen", registered=("tracks",)),
    ]
    assert registrations(parcels, routes, {"tracks"}) == {"tracks": 2}, "the post itself wants no registration, D has one"
    assert registrations(parcels, {}, {"tracks"}) == {}


def test_what_a_file_costs_and_what_has_to_wait() -> None:
    """`4100 left, 1050 a day, ends on the 14th`: with the file's own share taken."""
    report = FileReport(file="x.csv", followed=tuple(Followed(number=f"N{at}", carrier=None) for at in range(30)))
    days = {"tracks": {date(2026, 9, 9): 10, TODAY: 80}}
    plan = source(daily_quota=100, quota=530)
    (cost,) = costs([report], [plan, source("post", "correios")], {"*": ("tracks",)}, days, TODAY)
    assert cost_lines([cost]) == [
        "tracks: 30 new registrations (440 left, 10 a day, ends on 2026-10-21, 20 left today); 10 of them wait for another day"
    ]
    assert cost_document(cost) == {
        "source": "tracks",
        "registrations": 30,
        "waiting": 10,
        "used_today": 80,
        "left_today": 20,
        "left": 440,
        "mean": 10,
        "ends_on": date(2026, 10, 21),
    }
