"""Files as sellers have them, whole: the samples of the repository, and those of the reference folder where it is named."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.intake.sheets import SHOPS, rules
from tracker.intake.errors import FileError
from tracker.intake.headers import find_header, normalise
from tracker.intake.profiles import Formats
from tracker.intake.reading import read_file, sheets_of
from tracker.model import Capability, ImportBatch, OrderState, Rank

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
REFERENCE = os.environ.get("TRACKER_REFERENCE")


def sample(name: str, formats: Formats) -> ImportBatch:
    return read_file(SAMPLES / name, formats=formats, rules=rules())


def test_aliexpress_orders_with_their_parcels(formats: Formats) -> None:
    batch = sample("aliexpress_orders_zh.xls", formats)
    assert (batch.format, batch.rows, batch.rejected, batch.warnings) == ("aliexpress_seller_zh", 4, (), ())
    assert (batch.rank_orders, batch.rank_tracking) == (Rank.MARKETPLACE, Rank.FORWARDER)
    first, second, third, fourth = batch.orders
    assert (first.store, first.number, first.country, first.amount, first.currency) == (
        "lights",
        "8170000000000011",
        "BR",
        Decimal("17.10"),
        "USD",
    )
    assert first.paid_at == datetime(2026, 8, 23, 1, 40, tzinfo=UTC), "2026-08-22 18:40 in Los Angeles"
    assert first.tax_number == "39053344705", "the CPF of the remark, and nothing else of it"
    assert (second.country, second.state) == ("RU", OrderState.SHIPPED)
    assert (third.state, third.received_at) == (OrderState.FINISHED, datetime(2026, 8, 11, 22, 20, tzinfo=UTC))
    assert (fourth.state, fourth.paid_at) == (OrderState.UNPAID, None), "R29: not paid, not shipped"
    assert [(parcel.order, parcel.number, parcel.carrier) for parcel in batch.shipments] == [
        ("8170000000000011", "LP00612345678901", None),
        ("8170000000000022", "RB123456785CN", "china_post"),
        ("8170000000000022", "LV204567891CN", "china_post"),
        ("8170000000000033", "UM305678905YP", "yanwen"),
    ]


def test_dianxiaomi_orders_of_two_platforms(formats: Formats) -> None:
    batch = sample("dianxiaomi_orders.xlsx", formats)
    assert (batch.format, batch.rows, batch.rejected, batch.warnings) == ("dianxiaomi_orders", 2, (), ())
    aliexpress, ebay = batch.orders
    assert (aliexpress.platform, aliexpress.store, aliexpress.number) == ("aliexpress", "lights", "8170000000000011")
    assert (ebay.platform, ebay.store, ebay.number, ebay.country) == ("ebay", "lights-ebay", "12-34567-89012", "RU")
    assert ebay.amount == Decimal("22.50")
    assert ebay.shipped_at == datetime(2026, 9, 6, 12, tzinfo=UTC), "20:00 in Shanghai"
    assert [(p.number, p.matched, p.service_text) for p in batch.shipments] == [
        ("LP00612345678901", False, "菜鸟标准-线上发货"),
        ("UM305678905YP", True, "燕文航空挂号"),
    ]


def test_forwarders_sheet_keeps_every_number_of_a_parcel(formats: Formats) -> None:
    batch = sample("cn_forwarder_shipments.xlsx", formats)
    assert (batch.format, batch.orders, batch.rejected) == ("cn_forwarder_shipments", (), ())
    first, second = batch.shipments
    assert (first.number, first.aliases, first.order) == ("UM305678905YP", ("YW000012345", "ATR26090001"), None)
    assert (second.number, second.carrier, second.capability) == ("LV204567891CN", "4px", Capability.ARRIVAL_AND_DELIVERY)


reference = pytest.mark.skipif(REFERENCE is None, reason="the reference folder is not here: set TRACKER_REFERENCE")


@reference
def test_header_row_is_found_in_every_reference_sample(formats: Formats) -> None:
    """facts/file-formats.md section 6: most alias hits among the first 15 rows."""
    folder = Path(str(REFERENCE))
    for facts in json.loads((folder / "facts" / "file-headers.json").read_text(encoding="utf-8")).values():
        (sheet,) = sheets_of((folder / "samples" / "imports" / facts["sample"]).read_bytes(), formats.header_names())
        at, _ = find_header(sheet.rows(), formats.header_names())
        assert sheet.lines[at].number == facts["header_row"], facts["sample"]
        seen = [normalise(str(cell)) for cell in sheet.lines[at].cells]
        assert seen == [normalise(header) for header in facts["headers"]], facts["sample"]


@reference
def test_every_reference_sample_is_read_or_refused(formats: Formats) -> None:
    """Each by the format that the facts name it by, unasked."""
    folder = Path(str(REFERENCE))
    known = json.loads((folder / "facts" / "file-headers.json").read_text(encoding="utf-8"))
    for format_id, facts in known.items():
        path = folder / "samples" / "imports" / facts["sample"]
        if format_id == "claims_register_proposal":
            with pytest.raises(FileError, match="no order file"):
                read_file(path, formats=formats, rules=rules(*SHOPS))
        else:
            batch = read_file(path, formats=formats, rules=rules(*SHOPS))
            assert (batch.format, batch.rejected) == (format_id, ())
