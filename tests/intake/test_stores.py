"""Which store an order belongs to: never guessed between two, the buyer would hear from the wrong shop."""

from __future__ import annotations

import pytest

from tests.intake.conftest import Read
from tests.intake.sheets import ALIEXPRESS, DIANXIAOMI, OWN, aliexpress, book, delimited, own, rules, store
from tracker.intake.errors import FileError

LIGHTS = store("lights", "aliexpress")
TOYS = store("toys", "aliexpress", names=("AE-02",))
EBAY = store("lights-ebay", "ebay")


def dianxiaomi(*names: str, platform: str = "速卖通") -> bytes:
    rows = [[platform, name, f"817000000000001{at}", "", "已发货", "BR", *[""] * 8] for at, name in enumerate(names)]
    return book(DIANXIAOMI, *rows)


def test_a_file_without_a_store_is_the_platforms_only_one(read: Read) -> None:
    assert read(book(ALIEXPRESS, aliexpress()), rules=rules(LIGHTS, EBAY)).orders[0].store == "lights"


def test_with_two_of_a_platform_the_person_says_which(read: Read) -> None:
    data = book(ALIEXPRESS, aliexpress())
    batch = read(data, rules=rules(LIGHTS, TOYS))
    assert (
        "does not say which store this is (lights, toys): name it with --store, or put the file into the folder inbox/"
        in batch.rejected[0].reason
    )
    assert read(data, rules=rules(LIGHTS, TOYS), store="toys").orders[0].store == "toys"


def test_without_any_the_row_says_what_to_add(read: Read) -> None:
    (rejected,) = read(book(ALIEXPRESS, aliexpress()), rules=rules(EBAY)).rejected
    assert rejected.reason == "no store of aliexpress is configured: add stores/<id>.toml for it"


@pytest.mark.parametrize("name", ["AE-02", "ae-02", "toys", "Toys"])
def test_names_in_the_file_are_those_of_the_config(read: Read, name: str) -> None:
    assert read(dianxiaomi(name), rules=rules(LIGHTS, TOYS)).orders[0].store == "toys"


def test_one_strange_name_is_taken_for_the_only_store_and_told(read: Read) -> None:
    batch = read(dianxiaomi("AE-77"), rules=rules(LIGHTS, EBAY))
    assert batch.orders[0].store == "lights"
    assert "the file calls the store 'AE-77'; taken for 'lights'" in batch.warnings[0]


def test_two_strange_names_are_two_shops(read: Read) -> None:
    batch = read(dianxiaomi("AE-77", "AE-78"), rules=rules(LIGHTS, EBAY))
    assert batch.orders == ()
    assert 'add names = ["AE-78"] to its file in stores/' in batch.rejected[1].reason


def test_a_strange_name_beside_a_store_that_has_names_is_another_shop(read: Read) -> None:
    assert len(read(dianxiaomi("AE-77"), rules=rules(TOYS)).rejected) == 1
    assert read(dianxiaomi("AE-77"), rules=rules(TOYS), store="toys").orders[0].store == "toys", "unless a person says so"


def test_the_platform_of_the_row_counts(read: Read) -> None:
    assert read(dianxiaomi("AE-02", platform="eBay"), rules=rules(TOYS, EBAY)).orders[0].store == "lights-ebay"
    (rejected,) = read(dianxiaomi("AE-02", platform="月球"), rules=rules(TOYS)).rejected
    assert "platform '月球' is not known" in rejected.reason


def test_a_store_of_another_platform_is_refused(read: Read) -> None:
    (rejected,) = read(book(ALIEXPRESS, aliexpress()), rules=rules(LIGHTS, EBAY), store="lights-ebay").rejected
    assert rejected.reason == "the row is of aliexpress, and store 'lights-ebay' is of ebay"


def test_a_store_that_is_not_configured_stops_the_file(read: Read) -> None:
    with pytest.raises(FileError, match="store 'nobody' is not configured: it is one of lights, lights-ebay"):
        read(book(ALIEXPRESS, aliexpress()), rules=rules(LIGHTS, EBAY), store="nobody")


def test_money_without_a_currency_takes_the_stores(read: Read) -> None:
    poor = store("lampshop", "own_shop", currency=None)
    data = delimited(OWN, own(currency=""))
    assert read(data).orders[0].currency == "USD"
    batch = read(data, rules=rules(poor))
    assert (batch.orders[0].amount, batch.orders[0].currency) == (None, None), "an amount of nothing is no amount"
    assert batch.warnings == ("amount without a currency was left out: set `currency` of the store (row 2)",)


def test_the_stores_default_country_stands_in_where_a_file_names_no_destination(read: Read) -> None:
    """facts/file-formats.md 2.2: eBay's short report has no country."""
    shop = store("shop", "own_shop", country="AU")
    header = ("order", "country", "amount", "currency", "tracking")
    rows = (("1001", "", "5.00", "AUD", "RB123456785CN"), ("1002", "NZ", "5.00", "AUD", "LZ000001200CN"))
    batch = read(delimited(header, *rows), rules=rules(shop))
    assert [(order.country, sorted(order.assumed)) for order in batch.orders] == [("AU", ["country"]), ("NZ", [])]
    assert [parcel.country for parcel in batch.shipments] == ["AU", "NZ"]
    without = read(delimited(header, *rows), rules=rules(store("shop", "own_shop")))
    assert without.orders[0].country is None
