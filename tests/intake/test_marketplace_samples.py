"""The marketplaces' own exports, whole: each sample read unasked, and the stories that several files tell together."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.intake.conftest import NOW
from tests.intake.sheets import SHOPS, rules
from tracker.intake.importing import Knowledge, import_files
from tracker.intake.profiles import Formats
from tracker.intake.reading import read_file
from tracker.intake.report import FileReport
from tracker.model import ImportBatch, OrderFacts, OrderState
from tracker.store.opening import Store

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"


@pytest.fixture
def shops(formats: Formats) -> Knowledge:
    return Knowledge(formats=formats, rules=rules(*SHOPS))


def sample(name: str, known: Knowledge) -> ImportBatch:
    batch = read_file(SAMPLES / name, formats=known.formats, rules=known.rules)
    assert batch.rejected == ()
    return batch


def money_of(order: OrderFacts) -> tuple[str, str | None]:
    return str(order.amount), order.currency


def test_ebay_us_with_its_footer_summary_rows_and_promised_date(shops: Knowledge) -> None:
    """facts/file-formats.md 2.2: header in line 2, the footer names the store, the latest estimated date is the promise."""
    batch = sample("ebay_orders_us.csv", shops)
    first, second, third = batch.orders
    assert (batch.format, batch.rows) == ("ebay_orders_us", 5)
    assert (first.store, first.number, first.country, *money_of(first)) == ("lights-ebay", "11-10000-00001", "BR", "9.90", "USD")
    assert first.promised_at == datetime(2026, 11, 20, 8, tzinfo=UTC), "Nov-20-26 in the store's zone"
    assert (second.number, second.country, *money_of(second)) == ("11-10000-00002", "DE", "29.55", "USD"), "of the summary row"
    assert (third.number, *money_of(third)) == ("SRN-303", "1050.00", "USD"), "provisional: the report has no number yet"
    assert any("SRN-<sales record> stands for it, provisionally (row 8)" in warning for warning in batch.warnings)
    assert [(parcel.order, parcel.number) for parcel in batch.shipments] == [
        ("11-10000-00001", "LV204567891CN"),
        ("11-10000-00002", "RS406789018SG"),
    ], "two items in one parcel"


def test_ebay_au_short_report(shops: Knowledge) -> None:
    batch = sample("ebay_orders_au_12.csv", shops)
    assert batch.format == "ebay_orders_au"
    assert [(order.number, *money_of(order), order.country) for order in batch.orders] == [
        ("16-14679-61003", "3013.00", "AUD", None),
        ("01-14701-30101", "404.35", "AUD", None),
    ]
    assert batch.orders[0].ordered_at == datetime(2026, 5, 26, 7, tzinfo=UTC)
    assert [parcel.number for parcel in batch.shipments] == ["99721007682101004582503", "LK274426961AU"]


def test_amazon_unshipped_orders_promise_no_delivery(shops: Knowledge) -> None:
    """facts/file-formats.md, traps: `promise-date` is the last day to ship, not a delivery date."""
    (order,) = sample("amazon_unshipped.txt", shops).orders
    assert (order.number, order.country, order.promised_at) == ("408-4870009-0000001", "US", None)
    assert order.paid_at == datetime(2026, 10, 30, 8, 34, 47, tzinfo=UTC)


def test_mercado_livre_with_its_duplicate_names_and_words_for_dates(shops: Knowledge) -> None:
    """facts/file-formats.md 2.9: header row 6, `Estado` twice, a date without its year, a summary row whose status is none."""
    batch = sample("mercadolivre_vendas_br.xlsx", shops)
    first, package = batch.orders
    assert (batch.format, batch.rows) == ("mercadolivre_vendas_br", 3)
    assert (first.state, first.country, first.region, first.tax_number) == (
        OrderState.SHIPPED,
        "BR",
        "São Paulo",
        "390.533.447-05",
    )
    assert money_of(first) == ("129.90", "BRL"), "what the buyer paid, not what the fees leave"
    assert first.ordered_at == datetime(2026, 8, 21, 19, 10, tzinfo=UTC)
    assert first.shipped_at == datetime(2026, 8, 25, 13, tzinfo=UTC), "25 de agosto | 10:00, in the year of the sale"
    assert (package.state, package.raw_state, *money_of(package)) == (OrderState.FINISHED, "Entregue", "80.00", "BRL")
    assert [parcel.order for parcel in batch.shipments] == ["2000012345678901", "2000012345678902"]
    assert not any("status" in warning for warning in batch.warnings), "`Pacote de 2 produtos` is no status"


def test_shopify_takes_the_orders_cells_from_its_first_row(shops: Knowledge) -> None:
    """facts/file-formats.md 2.4: one order of two line items, no parcel yet; the CPF stands in the note attributes."""
    batch = sample("shopify_orders_export.csv", shops)
    (order,) = batch.orders
    assert (batch.rows, order.number, order.country, order.tax_number) == (2, "1001", "BR", "39053344705")
    assert money_of(order) == ("144.98", "BRL")
    assert (order.state, order.shipped_at) == (OrderState.SHIPPED, datetime(2026, 9, 2, 12, tzinfo=UTC))
    assert batch.shipments == ()


async def imported(tmp_path: Path, store: Store, known: Knowledge, names: Sequence[str]) -> list[FileReport]:
    paths = [Path(shutil.copy(SAMPLES / name, tmp_path)) for name in names]
    return await import_files(paths, store, NOW, knowledge=known)


@pytest.mark.parametrize(
    ("names", "number", "told"),
    [
        (("amazon_all_orders.txt", "amazon_ship_confirm.txt"), "112-9739103-0000001", ("MX", "199.00", "RB123456785CN")),
        (("amazon_ship_confirm.txt", "amazon_all_orders.txt"), "112-9739103-0000001", ("MX", "199.00", "RB123456785CN")),
        (("woocommerce_orders.csv", "woocommerce_ast_tracking.csv"), "4321", ("MX", "35.20", "UM305678905YP")),
        (("woocommerce_ast_tracking.csv", "woocommerce_orders.csv"), "4321", ("MX", "35.20", "UM305678905YP")),
    ],
)
async def test_orders_and_their_numbers_join_in_any_order(
    shops: Knowledge, store: Store, tmp_path: Path, names: tuple[str, str], number: str, told: tuple[str, str, str]
) -> None:
    """facts/file-formats.md section 4: an order file without numbers, and the seller's own file that has them."""
    reports = await imported(tmp_path, store, shops, names)
    assert [(report.error, report.rejected) for report in reports] == [(None, ())] * 2
    (found,) = await store.find_orders(number)
    (dossier,) = await store.load_dossiers([found.id])
    (parcel,) = dossier.shipments
    assert (dossier.order.country, str(dossier.order.amount), parcel.number) == told
    assert await store.orphans() == []


async def test_aftership_finds_its_parcels_by_number_where_it_cannot_name_the_store(
    shops: Knowledge, store: Store, tmp_path: Path
) -> None:
    """Stories 8170000000000011 and 8170000000000022: the file names no shop, and nine are configured; nothing is doubled."""
    names = ("aliexpress_orders_zh.xls", "dianxiaomi_orders.xlsx", "aftership_import.csv", "cn_forwarder_shipments.xlsx")
    reports = await imported(tmp_path, store, shops, names)
    assert (reports[2].new, reports[2].orders, reports[2].rejected) == (0, 0, ())
    assert reports[2].warnings[0].startswith("the file does not say whose order it is: the parcel was taken without it")
    for number, parcels in (("8170000000000011", 1), ("8170000000000022", 2)):
        (found,) = await store.find_orders(number)
        (dossier,) = await store.load_dossiers([found.id])
        assert len(dossier.shipments) == parcels


def test_aftership_of_a_named_store_keeps_its_orders(shops: Knowledge) -> None:
    one = rules(SHOPS[0])
    batch = read_file(SAMPLES / "aftership_import.csv", formats=shops.formats, rules=one)
    assert [(parcel.order, parcel.origin) for parcel in batch.shipments] == [
        ("8170000000000022", "CN"),
        ("8170000000000011", "CN"),
    ], "CHN is ISO3"


async def test_every_sample_again_changes_nothing(shops: Knowledge, store: Store, tmp_path: Path) -> None:
    names = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md" and "register" not in path.name)
    await imported(tmp_path, store, shops, names)
    again = [await import_files([tmp_path / name], store, NOW, knowledge=shops) for name in names]
    assert {name: (report.new, report.rejected) for name, (report,) in zip(names, again, strict=True)} == dict.fromkeys(
        names, (0, ())
    )
