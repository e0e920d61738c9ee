"""Every layout that sellers have, each by a sample of its own, recognised unasked (facts/file-formats.md sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.intake.sheets import SHOPS, rules
from tracker.intake.profiles import Formats
from tracker.intake.reading import read_file
from tracker.model import ImportBatch, OrderFacts, OrderState

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
REGISTER = "claims_register_proposed.xlsx"


class Told(NamedTuple):
    """What one sample says: its format, the order that is looked at, its parcels, and what hangs on the site's own ways."""

    format: str
    order: tuple[str, str, str | None, str] | None
    """Store, number, country, what was paid."""
    parcels: tuple[str, ...] = ()
    ordered_at: datetime | None = None
    more: Mapping[str, object] = MappingProxyType({})
    encoding: str = "utf-8"


def at(year: int, month: int, day: int, *clock: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC) + timedelta(**dict(zip(("hours", "minutes", "seconds"), clock, strict=False)))


TOLD = {
    "aftership_import.csv": Told("aftership_csv_import", None, ("LV204567891CN", "LP00612345678901")),
    "aliexpress_orders_zh.xls": Told(
        "aliexpress_seller_zh",
        ("lights", "8170000000000022", "RU", "9.90 USD"),
        ("RB123456785CN", "LV204567891CN"),
        at(2026, 9, 1, 19),
        {"state": OrderState.SHIPPED, "shipped_at": at(2026, 9, 3, 16, 30)},
        "binary",
    ),
    "aliexpress_template_zh.csv": Told(
        "aliexpress_seller_zh",
        ("lights", "8170000000000055", "BR", "17.10 USD"),
        more={"buyer_email": "ana@buyers.example"},
        encoding="utf-8-sig",
    ),
    "amazon_all_orders.txt": Told(
        "amazon_all_orders", ("lights-amazon", "112-9739103-0000001", "MX", "199.00 MXN"), (), at(2026, 9, 10, 9, 15)
    ),
    "amazon_orders_report.txt": Told(
        "amazon_orders_report",
        ("lights-amazon", "303-1000000-0000001", "DE", "27.00 EUR"),
        (),
        at(2026, 9, 10, 7, 15),
        {"buyer_name": "Jürgen Weiß", "promised_at": at(2026, 10, 9, 22), "paid_at": at(2026, 9, 10, 7, 20)},
        "cp1252",
    ),
    "amazon_ship_confirm.txt": Told(
        "amazon_ship_confirm", ("lights-amazon", "112-9739103-0000001", None, "None None"), ("RB123456785CN",)
    ),
    "amazon_ship_confirm_localised.txt": Told(
        "amazon_ship_confirm",
        ("lights-amazon", "303-1000000-0000001", None, "None None"),
        ("UM303000011YP",),
        more={"shipped_at": at(2026, 9, 12)},
    ),
    "amazon_unshipped.txt": Told(
        "amazon_unshipped_orders",
        ("lights-amazon", "408-4870009-0000001", "US", "None None"),
        (),
        at(2026, 10, 30, 8, 34, 47),
        {"promised_at": None},
    ),
    "cn_erp_orders.xlsx": Told(
        "cn_erp_orders",
        ("lights-ebay", "12-10000-00088", "RU", "None None"),
        ("UM088000011YP",),
        at(2026, 9, 5, 2),
        {"shipped_at": at(2026, 9, 6, 12), "refunded_amount": None},
        "binary",
    ),
    "cn_forwarder_shipments.xlsx": Told("cn_forwarder_shipments", None, ("UM305678905YP", "LV204567891CN"), encoding="binary"),
    "cn_logistics_export.csv": Told("cn_logistics_export", None, ("UM088000011YP",), encoding="gb18030"),
    "cn_wms_pick_list.csv": Told(
        "cn_wms_pick_list", ("lights", "8170000000000077", "BR", "None None"), ("UM077000024YP",), encoding="gb18030"
    ),
    "dianxiaomi_orders.xlsx": Told(
        "dianxiaomi_orders",
        ("lights-ebay", "12-34567-89012", "RU", "22.50 USD"),
        ("UM305678905YP",),
        at(2026, 9, 5, 2),
        encoding="binary",
    ),
    "ebay_orders_au_12.csv": Told(
        "ebay_orders_au",
        ("lights-ebay", "16-14679-61003", None, "3013.00 AUD"),
        ("99721007682101004582503",),
        at(2026, 5, 26, 7),
    ),
    "ebay_orders_de.csv": Told(
        "ebay_orders_de",
        ("lights-ebay", "23-10000-00017", "AT", "1090.00 EUR"),
        ("LV017000013CN",),
        at(2025, 12, 10, 8),
        {"buyer_name": "Jörg Größe", "promised_at": at(2026, 1, 31, 8)},
        "cp1252",
    ),
    "ebay_orders_fr.csv": Told(
        "ebay_orders_fr",
        ("lights-ebay", "05-10000-00009", "BR", "1234.50 EUR"),
        ("LV009000011CN",),
        at(2026, 10, 5, 7),
        {"paid_at": at(2026, 10, 6, 7)},
        "utf-8-sig",
    ),
    "ebay_orders_uk.csv": Told(
        "ebay_orders_uk",
        ("lights-ebay", "07-10000-00511", "GB", "1012.50 GBP"),
        ("LV511000019CN",),
        at(2026, 9, 26, 7),
        {"promised_at": at(2026, 11, 2, 8), "shipped_at": at(2026, 9, 28, 7), "region": "West Yorkshire"},
        "utf-8-sig",
    ),
    "ebay_orders_us.csv": Told(
        "ebay_orders_us",
        ("lights-ebay", "11-10000-00002", "DE", "29.55 USD"),
        ("RS406789018SG",),
        at(2026, 8, 25, 7),
        encoding="utf-8-sig",
    ),
    "ebay_orders_us_older.csv": Told(
        "ebay_orders_us",
        ("lights-ebay", "12-10000-00077", "US", "11.90 USD"),
        ("LV077000015CN",),
        at(2025, 10, 1, 6, 45),
        {"promised_at": at(2025, 11, 5, 8)},
        "utf-8-sig",
    ),
    "etsy_sold_orders.csv": Told(
        "etsy_sold_orders",
        ("crafts", "3935000001", "DE", "90.00 USD"),
        (),
        at(2026, 9, 25, 4),
        {"state": OrderState.SHIPPED, "shipped_at": at(2026, 9, 27, 4)},
    ),
    "mercadolivre_vendas_br.xlsx": Told(
        "mercadolivre_vendas_br",
        ("luzes", "2000012345678901", "BR", "129.90 BRL"),
        ("NX123456789BR",),
        at(2026, 8, 21, 19, 10),
        {"shipped_at": at(2026, 8, 25, 13)},
        "binary",
    ),
    "order_sheet_unicode.txt": Told(
        "order_sheet",
        ("lamps", "5001", "AT", "25.00 EUR"),
        ("LZ005000016CN", "LZ005000020CN"),
        more={"buyer_name": "Jörg Muster", "window_end": at(2026, 11, 20, 6)},
        encoding="utf-16",
    ),
    "shopee_orders_br.xlsx": Told(
        "shopee_orders_br",
        ("luzes-shopee", "260901ABCDEF01", "BR", "129.90 BRL"),
        ("LV260900015CN",),
        at(2026, 9, 1, 13),
        {"tax_number": "390.533.447-05", "shipped_at": at(2026, 9, 3, 21, 30)},
        "binary",
    ),
    "shopify_orders_export.csv": Told(
        "shopify_orders", ("lampshop", "1001", "BR", "144.98 BRL"), (), at(2026, 9, 1, 12, 58, 12), {"tax_number": "39053344705"}
    ),
    "tiktok_shop_orders.csv": Told(
        "tiktok_shop_orders",
        ("clips", "576460000000000001", "US", "12.50 USD"),
        ("LV576000018CN",),
        at(2026, 9, 25, 22, 4, 5),
        {"shipped_at": at(2026, 9, 27, 17)},
        "utf-8-sig",
    ),
    "woocommerce_ast_tracking.csv": Told(
        "woocommerce_ast_tracking",
        ("lamps", "4321", None, "None None"),
        ("UM305678905YP",),
        more={"shipped_at": at(2026, 10, 2, 6)},
    ),
    "woocommerce_orders.csv": Told(
        "woocommerce_advanced_export",
        ("lamps", "4321", "MX", "35.20 MXN"),
        (),
        at(2026, 10, 1, 19, 5),
        encoding="utf-8-sig",
    ),
}


def whole(batch: ImportBatch, number: str) -> OrderFacts:
    (found,) = [order for order in batch.orders if order.number == number]
    return found


@pytest.mark.parametrize("name", TOLD)
def test_a_layout_is_recognised_unasked_and_says_what_its_sample_says(formats: Formats, name: str) -> None:
    """Orders, parcels, money and dates, by the site's own notation and the zone of the store; nothing is rejected."""
    told = TOLD[name]
    batch = read_file(SAMPLES / name, formats=formats, rules=rules(*SHOPS))
    assert (batch.format, batch.rejected) == (told.format, ())
    number = told.order[1] if told.order else None
    assert tuple(parcel.number for parcel in batch.shipments if parcel.order == number) == told.parcels
    if told.order is not None:
        order = whole(batch, told.order[1])
        assert (order.store, order.number, order.country, f"{order.amount} {order.currency}") == told.order
        assert order.ordered_at == told.ordered_at
        assert {field: getattr(order, field) for field in told.more} == told.more


def test_every_layout_and_every_sample_has_its_line(formats: Formats) -> None:
    """A new format comes with a sample, a new sample with what it says."""
    samples = {path.name for path in SAMPLES.iterdir() if path.suffix != ".md"}
    assert samples - {REGISTER} == TOLD.keys()
    assert {told.format for told in TOLD.values()} == {one.id for one in formats.format} - {"claims_register_proposal"}


@pytest.mark.parametrize("name", [name for name, told in TOLD.items() if told.encoding != "binary"])
def test_a_sample_is_in_the_encoding_that_sellers_meet(name: str) -> None:
    data, encoding = (SAMPLES / name).read_bytes(), TOLD[name].encoding
    data.decode(encoding)
    if encoding in {"cp1252", "gb18030"}:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")
    assert data.startswith(b"\xef\xbb\xbf") is (encoding == "utf-8-sig")
