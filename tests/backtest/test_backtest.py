"""The backtest: its figures on invented rows, every kind of dirty row by name, and the totals of the reference orders."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.backtest.rows import AS_OF, RULES, document, row, tried, written
from tracker.backtest import COST_DAYS
from tracker.cli import main
from tracker.model import Intent

REFERENCE = os.environ.get("TRACKER_REFERENCE")
CONTRACT = {
    "as_of",
    "orders",
    "shipped",
    "never_shipped",
    "open_longer_than",
    "messages",
    "extensions",
    "refunds",
    "compensation",
    "never_arrived_by_day",
    "refund_cost_by_day",
    "compared",
    "suspect",
    "rejected",
}
NEVER = {"delivered_at": "", "status": "shipped"}


def test_the_document_has_every_key_of_the_contract(tmp_path: Path) -> None:
    assert set(tried(tmp_path, row())) >= CONTRACT


def test_a_parcel_that_never_came_is_told_about_apologised_for_and_refunded(tmp_path: Path) -> None:
    """R1, R2, R3: day 30, day 45, and on day 60 the refund, which counts as paid at once: then its text (D13)."""
    found = tried(tmp_path, row(**NEVER, amount="30.00", currency="USD"))
    assert found["messages"] == {"stage1": 1, "stage2": 1, "stage3": 1}
    assert found["refunds"] == {"recommended": 1, "later_delivered": 0, "amounts": {"USD": "30.00"}}
    assert found["open_longer_than"] == {"30": 1, "45": 1, "60": 1, "90": 1}


def test_a_refunded_parcel_that_comes_later_is_told(tmp_path: Path) -> None:
    """R4: what a refund on day 60 would have given away."""
    found = tried(tmp_path, row(delivered_at="2025-05-20T12:00:00"))
    assert found["refunds"] == {"recommended": 1, "later_delivered": 1, "amounts": {}}


@pytest.mark.parametrize(("hour", "longer"), [("09:00:00", 0), ("09:00:01", 1)])
def test_open_longer_counts_strictly(tmp_path: Path, hour: str, longer: int) -> None:
    """30 x 24 h to the second is not longer than 30 days (DESIGN, backtest)."""
    assert tried(tmp_path, row(delivered_at=f"2025-04-02T{hour}"))["open_longer_than"]["30"] == longer


def test_what_lies_after_as_of_has_not_happened(tmp_path: Path) -> None:
    """An order is judged by what was known then: handed over, not delivered yet, and nothing due."""
    found = document(written(tmp_path, row(), row(order_id="a2", handed_over_at="2025-03-12T00:00:00")), as_of="2025-03-10")
    assert (found["orders"], found["shipped"], found["never_shipped"]) == (2, 1, 1)
    assert found["open_longer_than"]["30"] == 0
    assert found["refund_cost_by_day"]["0"] == {"orders": 1, "later_delivered": 0, "amounts": {}}


def test_naive_times_share_one_zone(tmp_path: Path) -> None:
    """`--tz` is the zone of the file and of --as-of alike."""
    found = tried(tmp_path, row(), zone="America/Sao_Paulo")
    assert found["as_of"].isoformat() == "2025-12-31T15:00:00+00:00"


def test_a_marketplace_that_extends_is_extended_before_the_promised_date(tmp_path: Path) -> None:
    """R7: promised_at stands in for the end of the window; without a platform it is an own shop, which has none to extend."""
    assert tried(tmp_path, row(**NEVER))["extensions"] == 0
    assert tried(tmp_path, row(**NEVER, platform="AliExpress"))["extensions"] > 0


def test_a_carrier_with_terms_gets_a_claim(tmp_path: Path) -> None:
    """R86: the loss is registered where the file names a service that services.toml knows, and its terms pay."""
    singpost = {"service": "SingPost registered", "tracking_number": "RB123456785SG"}
    assert tried(tmp_path, row(**NEVER, **singpost))["compensation"] == {"opened": 1}
    assert tried(tmp_path, row(**NEVER))["compensation"] == {"opened": 0}


def test_the_tables_tell_what_refunding_at_each_day_would_have_cost(tmp_path: Path) -> None:
    """One of two open parcels never came; money by currency where amounts are there, in orders otherwise."""
    late = row(order_id="late", delivered_at="2025-04-09T09:00:00", amount="12.50", currency="EUR")
    found = tried(tmp_path, late, row(order_id="lost", **NEVER, amount="30", currency="USD"), row(order_id="bare", **NEVER))
    assert found["never_arrived_by_day"]["30"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["never_arrived_by_day"]["40"] == 1.0
    assert found["refund_cost_by_day"]["30"] == {
        "orders": 3,
        "later_delivered": 1,
        "amounts": {"EUR": "12.50", "USD": "30"},
    }
    assert list(found["refund_cost_by_day"]) == [str(day) for day in COST_DAYS]


def test_whether_it_never_came_is_not_judged_too_early(tmp_path: Path) -> None:
    """A parcel handed over three weeks ago is open, not lost: no share without parcels that had time to come."""
    found = document(written(tmp_path, row(**NEVER)), as_of="2025-03-25")
    assert found["never_arrived_by_day"]["14"] is None


DIRTY: dict[str, dict[str, str]] = {
    "handed_over_before_payment": {"paid_at": "2025-03-04T00:00:00"},
    "handed_over_before_purchase": {"purchased_at": "2025-03-04T00:00:00"},
    "delivered_before_handed_over": {"delivered_at": "2025-03-02T00:00:00"},
    "delivered_before_payment": {"paid_at": "2025-03-21T00:00:00", "handed_over_at": "2025-03-22T00:00:00"},
    "delivered_without_date": {"delivered_at": ""},
    "delivered_without_hand_over": {"handed_over_at": ""},
    "date_contradicts_status": {"status": "canceled"},
    "no_date_at_all": dict.fromkeys(("purchased_at", "paid_at", "handed_over_at", "delivered_at"), ""),
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_dirty_row_is_named_and_replayed(tmp_path: Path, name: str) -> None:
    """Never a crash, never a row dropped in silence."""
    found = tried(tmp_path, row(), row(order_id="dirty", **DIRTY[name]))
    assert found["orders"] == 2
    assert found["rejected"] == []
    [odd] = found["suspect"]
    assert odd["row"] == 3
    assert name in odd["reason"].split(", ")


def test_an_order_that_is_told_twice_is_named(tmp_path: Path) -> None:
    """Two exports in one file would count it twice in every figure; two parcels of one order are no repeat."""
    many = [row(order_id=f"n{number}") for number in range(1500)]
    parcels = [row(tracking_number=number) for number in ("LP1", "LP2")]
    found = tried(tmp_path, *many, *parcels, row(order_id="n700"), row(tracking_number="LP2"))
    assert found["orders"] == 1504
    assert found["suspect"] == [{"row": number, "reason": "order_id_repeated"} for number in (1504, 1505)]


def test_lines_that_a_quotation_mark_swallows_are_named(tmp_path: Path) -> None:
    """None is dropped in silence: the row says how far it runs."""
    file = written(tmp_path, row())
    with file.open("a", encoding="utf-8") as lines:
        lines.write('"a2,BR\na3,BR\na4,BR\n')
    [rejected] = document(file)["rejected"]
    assert rejected["row"] == 3
    assert "it runs on to line 5" in rejected["reason"]


@pytest.mark.parametrize(
    "change", [{"paid_at": ""}, {"destination_state": ""}, {"handed_over_at": "2025-04-03T00:00:00", "delivered_at": ""}]
)
def test_an_incomplete_row_is_not_suspect(tmp_path: Path, change: dict[str, str]) -> None:
    """Empty cells are usual, a hand-over after the promised date is a trap and no error."""
    assert (
        tried(tmp_path, row(**({"status": "shipped"} | change)) if "delivered_at" in change else row(**change))["suspect"] == []
    )


REJECTED: dict[str, tuple[dict[str, str], str]] = {
    "no number": ({"order_id": ""}, "order_id is empty"),
    "broken time": ({"paid_at": "yesterday"}, "paid_at 'yesterday' is no time; write 2026-03-01T12:30:00"),
    "a day that is none": ({"delivered_at": "2025-02-30T00:00:00"}, "delivered_at '2025-02-30T00:00:00' is no time"),
    "another age": ({"promised_at": "0001-01-01T00:00:00"}, "promised_at '0001-01-01T00:00:00' lies outside of the years"),
    "money without a currency": ({"amount": "12.00"}, "amount '12.00' has no currency"),
    "two currencies": ({"amount": "12.00 USD", "currency": "EUR"}, "the amount is in USD, the column currency says EUR"),
    "no currency": ({"amount": "1", "currency": "ABC"}, "'ABC' is not a currency"),
    "no amount": ({"amount": "much", "currency": "USD"}, "'much' is not an amount"),
    "negative": ({"amount": "-3", "currency": "USD"}, "negative"),
    "unknown platform": ({"platform": "bazaar"}, "platform 'bazaar' is in no marketplaces.toml; known: aliexpress"),
    "unknown country": ({"destination_country": "Atlantis"}, "'Atlantis' is not a country"),
}


@pytest.mark.parametrize("what", REJECTED)
def test_a_row_that_cannot_be_read_is_rejected_with_its_reason(tmp_path: Path, what: str) -> None:
    change, reason = REJECTED[what]
    found = tried(tmp_path, row(**change), row(order_id="good"))
    assert found["orders"] == 1
    [bad] = found["rejected"]
    assert bad["row"] == 2
    assert reason in bad["reason"]


def test_a_row_of_another_width_is_rejected(tmp_path: Path) -> None:
    file = written(tmp_path, row())
    file.write_text(file.read_text(encoding="utf-8") + "b2,BR,SP\n", encoding="utf-8")
    assert document(file)["rejected"] == [{"row": 3, "reason": "has 3 cells, the header 14"}]


# ------------------------------------------------------------------------------------------------------------- the command


def told(capfd: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    capfd.readouterr()
    code = main(["backtest", *map(str, words), "--json"])
    return code, json.loads(capfd.readouterr().out)


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRACKER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def test_it_needs_neither_configuration_nor_database(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, found = told(capfd, written(tmp_path, row()), "--as-of", AS_OF)
    assert (code, found["orders"], found["as_of"]) == (0, 1, "2025-12-31T12:00:00Z")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["past.csv"]


def test_rejected_rows_are_done_in_part(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, found = told(capfd, written(tmp_path, row(), row(order_id="")), "--as-of", AS_OF)
    assert (code, len(found["rejected"])) == (3, 1)


def test_other_rules_are_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Stage 1 ten days later: the parcel that came on day 35 is never written about."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "tracker.toml").write_text("", encoding="utf-8")
    (other / "destinations.toml").write_text('[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 40 }\n', encoding="utf-8")
    file = written(tmp_path, row(delivered_at="2025-04-07T09:00:00"))
    _, found = told(capfd, file, "--as-of", AS_OF, "--compare", other)
    assert found["compared"]["figures"]["messages.stage1"] == {"this": 1, "other": 0, "difference": -1}
    assert found["compared"]["figures"]["refunds.recommended"]["difference"] == 0
    assert found["compared"]["config"] != found["compared"]["against"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--tz", "Mars/Olympus"), "no such time zone: 'Mars/Olympus'"),
        (("--as-of", "soon"), "--as-of 'soon' is no time"),
    ],
)
def test_a_wrong_option_is_a_usage_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, found = told(capfd, written(tmp_path, row()), *words)
    assert code == 2
    assert says in found["error"]["message"]


def test_a_file_that_lacks_columns_is_a_usage_error_with_its_place(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, row(), columns=("order_id", "status", "purchased_at"))
    code, found = told(capfd, file)
    assert code == 2
    assert f"{file}:1: lacks the columns destination_country, destination_state, paid_at" in found["error"]["message"]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), ("order_id;Stra\xdfe\n".encode("latin-1"), "is no UTF-8 text"), (b"a,a\n", "lacks the columns")],
)
def test_a_file_that_is_none_is_a_usage_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    code, found = told(capfd, tmp_path / "odd.csv")
    assert code == 2
    assert says in found["error"]["message"]


def test_a_file_that_is_not_there_failed(capfd: pytest.CaptureFixture[str]) -> None:
    code, found = told(capfd, "nowhere.csv")
    assert (code, found["error"]["kind"]) == (1, "unreadable_file")


def test_the_text_names_figures_and_odd_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = written(
        tmp_path,
        row(**NEVER, amount="30", currency="USD"),
        row(order_id="d", **DIRTY["delivered_without_date"]),
        row(order_id=""),
    )
    assert main(["backtest", str(file), "--as-of", AS_OF]) == 3
    out = capfd.readouterr().out
    assert "2 orders as of 2025-12-31 12:00Z, 2 of them handed over" in out
    assert "delivered_without_date (line 3)" in out
    assert "order_id is empty (line 4)" in out
    assert "30 USD" in out


def test_a_zone_of_another_ladder_changes_the_day(tmp_path: Path) -> None:
    """--compare in the pure room: the same decide(), other numbers."""
    late = {Intent.STAGE1: 40, Intent.STAGE2: 50, Intent.STAGE3: 60}
    profiles = tuple(replace(each, stages=late) if each.id == "br-standard" else each for each in RULES.profiles)
    found = tried(tmp_path, row(delivered_at="2025-04-07T09:00:00"), other=replace(RULES, version="late", profiles=profiles))
    assert found["messages"] == {"stage1": 1}
    assert found["compared"]["figures"]["messages.stage1"]["difference"] == -1


# -------------------------------------------------------------------------------------------------------- reference orders


@pytest.mark.skipif(REFERENCE is None, reason="the reference folder is not here: set TRACKER_REFERENCE")
@pytest.mark.parametrize(
    ("only", "totals"),
    [
        (None, {"orders": 5202, "shipped": 4689, "never_shipped": 513, "open": [475, 384, 363, 333]}),
        ({"random", "both"}, {"orders": 2974, "shipped": 2923, "never_shipped": 51, "open": [107, 43, 33, 27]}),
    ],
)
def test_the_totals_of_the_reference_orders(tmp_path: Path, only: set[str] | None, totals: dict[str, Any]) -> None:
    """Olist's Brazilian orders (facts: transit 5, 6), counted exactly as their page says."""
    assert REFERENCE is not None
    file = Path(REFERENCE) / "data" / "deliveries-br.csv"
    if only is not None:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            kept = [each for each in reader if each["sample"] in only]
        file = written(tmp_path, *kept)
    found = document(file, as_of="2018-10-17T17:30:18")
    assert {name: found[name] for name in ("orders", "shipped", "never_shipped")} == {
        name: totals[name] for name in ("orders", "shipped", "never_shipped")
    }
    assert list(found["open_longer_than"].values()) == totals["open"]
    assert found["rejected"] == []
    if only is None:
        assert len({each["row"] for each in found["suspect"]}) == 59
