"""When something opens, closes or is due at a marketplace: figures, zones, working days, whose word counts (D3, D8, D9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker import config
from tracker.config.shape_times import TimesFile
from tracker.config.times import time_rules
from tracker.model import Case, CaseKind, DateSource, Dossier, Mode, Order, Scan, Shipment, Window, WindowSource
from tracker.rules import Rules, Store, TimeRule
from tracker.times import case_anchors, case_due, country_of, find, order_anchors, order_moment, rules_for, when

DAY = datetime(2026, 4, 1, 12, tzinfo=UTC)
"""A Wednesday."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def rules(profile: str = "current", *, site: str | None = None) -> Rules:
    """The shipped rules in one profile, with one shop of a marketplace's site."""
    loaded = config.load(None, environ={"TRACKER__TIME__PROFILE": profile}).rules
    shop = Store(id="jade", platform="amazon", name="Jade", zone="UTC", currency="USD", mode=Mode.LIVE, site=site)
    return replace(loaded, stores={"jade": shop})


def dossier(platform: str = "ebay", country: str | None = "US", *shipments: Shipment, **change: Any) -> Dossier:
    order = Order(id=1, store="jade", platform=platform, number="7", country=country, amount=Decimal(9), currency="USD")
    return Dossier(order=replace(order, **change), shipments=shipments)


def rule(**change: Any) -> TimeRule:
    values: dict[str, Any] = {
        "id": "x",
        "marketplace": "ebay",
        "kind": "deadline",
        "tz": "UTC",
        "anchor": "paid",
        "offset": 3,
        "unit": "days",
        "direction": "after",
        "confidence": "high",
    }
    return TimeRule(**(values | change))


def at(one: TimeRule, anchor: datetime, country: str | None = "US") -> datetime:
    found = when(one, {one.anchor: anchor}, rules=rules(), country=country)
    assert found is not None
    return found.at


# ----------------------------------------------------------------------------------------------------------------- counting


@pytest.mark.parametrize(
    ("change", "start", "end"),
    [
        # a day keeps the wall clock of the zone: 23 hours on 2026-03-08, 25 on 2026-11-01
        ({"tz": "America/Los_Angeles", "offset": 1}, "2026-03-07T20:00", "2026-03-08T19:00"),
        ({"tz": "America/Los_Angeles", "offset": 1}, "2026-10-31T19:00", "2026-11-01T20:00"),
        ({"tz": "America/Los_Angeles", "offset": 10, "direction": "before"}, "2026-03-12T06:59:59", "2026-03-02T07:59:59"),
        ({"tz": "America/Los_Angeles", "offset": 10, "direction": "before"}, "2026-11-05T07:59:59", "2026-10-26T06:59:59"),
        # hours are hours, whatever the clocks do
        ({"tz": "America/Los_Angeles", "offset": 24, "unit": "hours"}, "2026-03-07T20:00", "2026-03-08T20:00"),
        ({"tz": "America/Los_Angeles", "offset": 48, "unit": "hours"}, "2026-10-31T19:00", "2026-11-02T19:00"),
        ({"offset": 5, "unit": "minutes"}, "2026-11-01T08:58", "2026-11-01T09:03"),
        # an hour that is skipped, one that comes twice: the earlier of what it can mean
        ({"tz": "America/Los_Angeles", "offset": 1}, "2026-03-07T10:30", "2026-03-08T10:30"),
        ({"tz": "America/Los_Angeles", "offset": 1}, "2026-10-31T08:30", "2026-11-01T08:30"),
        # eBay's promised dates fall on midnight Pacific, written in UTC, and are counted there
        ({"offset": 1}, "2026-03-08T08:00", "2026-03-09T08:00"),
        ({"tz": "Asia/Shanghai", "offset": 3}, "2026-03-07T16:30", "2026-03-10T16:30"),
    ],
)
def test_days_keep_the_wall_clock_of_the_marketplace(change: Mapping[str, Any], start: str, end: str) -> None:
    """D9: the change-over dates 2026-03-08 and 2026-11-01, in Los Angeles, in UTC and in Shanghai."""
    assert at(rule(**change), utc(start)) == utc(end)


@pytest.mark.parametrize(
    ("country", "start", "end"),
    [
        ("US", "2026-07-01T15:00", "2026-07-07T15:00"),  # Friday 3 July is off there, then the weekend
        ("GB", "2026-07-01T15:00", "2026-07-06T15:00"),
        ("DE", "2026-04-30T15:00", "2026-05-06T15:00"),  # Labour Day
        ("CN", "2026-02-13T15:00", "2026-02-25T15:00"),  # the Spring Festival, and a Saturday that is worked
        (None, "2026-07-01T15:00", "2026-07-06T15:00"),
    ],
)
def test_business_days_are_those_of_the_marketplace_country(country: str | None, start: str, end: str) -> None:
    """D8: not China's, unless it is a Chinese marketplace."""
    assert at(rule(unit="business_days", tz="UTC"), utc(start), country) == utc(end)


def test_business_days_count_backwards_too() -> None:
    """D8: Monday 6 July, two working days before in the USA, over the holiday and the weekend."""
    one = rule(unit="business_days", offset=2, direction="before")
    assert at(one, utc("2026-07-06T15:00")) == utc("2026-07-01T15:00")


@pytest.mark.parametrize(
    ("tz", "country", "end"),
    [
        ("marketplace", "US", "2026-11-01T20:00"),
        ("marketplace", "DE", "2026-11-01T19:00"),
        ("region", "BR", "2026-11-01T19:00"),
        ("marketplace", "ZZ", "2026-11-01T19:00"),  # not known: eBay's own zone
    ],
)
def test_a_zone_by_country(tz: str, country: str, end: str) -> None:
    """D9: the zone of the marketplace's country, or of the shop's region."""
    assert at(rule(tz=tz, offset=1), utc("2026-10-31T19:00"), country) == utc(end)


def test_a_value_that_carries_its_offset_is_counted_in_it() -> None:
    """D9, Mercado Libre: -03 or -04 stands in the value; one that came in UTC counts in the marketplace's zone."""
    one = rule(tz="value-offset", marketplace="mercadolibre", unit="business_days", offset=1)
    assert at(one, datetime.fromisoformat("2026-04-03T23:30:00-04:00"), "BR") == utc("2026-04-07T03:30")
    assert at(one, utc("2026-04-06T02:00"), "BR") == utc("2026-04-07T02:00")


def test_a_window_has_two_ends_and_the_second_its_own_anchor() -> None:
    """R101: from five days after the earliest promised date to thirty after the latest."""
    one = find(rules(), "amazon.review", "US")
    assert one is not None
    found = when(one, {"edd_min": DAY, "edd_max": utc("2026-04-10T12:00")}, rules=rules(), country="US")
    assert found is not None
    assert (found.at, found.until) == (utc("2026-04-06T12:00"), utc("2026-05-10T12:00"))
    half = when(one, {"edd_min": DAY}, rules=rules(), country="US")
    assert half is not None
    assert half.until is None
    assert when(one, {"edd_max": DAY}, rules=rules(), country="US") is None


def test_a_rule_counts_from_another_one_in_its_own_profile() -> None:
    """R62: seven days before the deadline of R61, in today's figures and in the guide's."""
    order: dict[str, Any] = {"ship_by": DAY, "ordered_at": DAY}
    for profile, confirm, warn in (
        ("current", "2026-04-10T12:00", "2026-04-03T12:00"),
        ("seed", "2026-05-01T12:00", "2026-04-24T12:00"),
    ):
        table = rules(profile)
        for rule_id, end in (("amazon.confirm", confirm), ("amazon.confirm.warn", warn)):
            found = order_moment(rule_id, dossier("amazon", **order), table)
            assert found is not None
            assert found.at == utc(end)


@pytest.mark.parametrize(("source", "known"), [(DateSource.API, True), (DateSource.TYPED, False), (DateSource.FILE, False)])
def test_d3_a_date_of_the_api_is_the_marketplaces_own_date_of_any_name(source: DateSource, *, known: bool) -> None:
    """D3: a mediation ends when the marketplace says so; what a person typed is not taken for its word."""
    one = find(rules(), "ml.respond", "BR")
    assert one is not None
    assert one.anchor.startswith("api:")
    told = Case(id="1", kind=CaseKind.DISPUTE, opened_at=DAY, due_at=utc("2026-04-09T10:00"), due_source=source)
    found = when(one, case_anchors(told, dossier("mercadolibre", "BR")), rules=rules(), country="BR")
    assert (None if found is None else found.at) == (told.due_at if known else None)


def test_an_api_anchor_knows_no_date_without_the_api() -> None:
    """D3: Shopee's due date is delivered, or nobody knows it; a marketplace's error never has a date."""
    one = find(rules(), "shopee.respond", "BR")
    refusal = find(rules(), "ebay.refund.final", "US")
    assert one is not None
    assert refusal is not None
    assert when(one, {}, rules=rules(), country="BR") is None
    told = when(one, {"api": DAY}, rules=rules(), country="BR")
    assert told is not None
    assert told.at == DAY
    assert when(refusal, {"api": DAY}, rules=rules(), country="US") is None


# ------------------------------------------------------------------------------------------------------------ which rule


@pytest.mark.parametrize(
    ("profile", "country", "first", "last"),
    [
        ("seed", "US", "2026-04-21T12:00", "2026-05-20T12:00"),
        ("seed", "GB", "2026-04-21T12:00", "2026-05-20T12:00"),
        ("seed", "DE", "2026-04-02T12:00", "2026-05-16T12:00"),
        ("current", "US", "2026-04-21T12:00", "2026-05-20T12:00"),
        ("current", "DE", "2026-04-21T12:00", "2026-05-20T12:00"),
    ],
)
def test_item_not_received_opens_and_closes_by_country(profile: str, country: str, first: str, last: str) -> None:
    """R30: promised date + 1 to + 30; in Germany payment + 1 to + 45, by the guide."""
    order = dossier("ebay", country, paid_at=DAY, promised_at=utc("2026-04-20T12:00"))
    opens, closes = (order_moment(f"ebay.inr.open.{end}", order, rules(profile)) for end in ("first", "last"))
    assert opens is not None
    assert closes is not None
    assert (opens.at, closes.at) == (utc(first), utc(last))
    assert opens.hint is (country == "DE" and profile == "current"), "Germany of today is not confirmed"


@pytest.mark.parametrize(
    ("profile", "first", "last"),
    [("seed", "2026-04-02T12:00", "2026-05-16T12:00"), ("current", "2026-04-11T12:00", "2026-05-11T12:00")],
)
def test_not_as_described_has_its_window(profile: str, first: str, last: str) -> None:
    """R31: payment + 1 to + 45 by the guide, today thirty days from delivery."""
    scan = Scan(earliest=utc("2026-04-11T12:00"), latest=utc("2026-04-11T14:00"), status=TrackingStatus.DELIVERED)
    parcel = Shipment(id=1, number="LP1", status=TrackingStatus.DELIVERED, delivered_scan=scan)
    found = order_moment("ebay.snad.window", dossier("ebay", "US", parcel, paid_at=DAY), rules(profile))
    assert found is not None
    assert (found.at, found.until) == (utc(first), utc(last))


@pytest.mark.parametrize(
    ("profile", "first", "last"),
    [("seed", "2026-04-02T12:00", "2026-05-16T12:00"), ("current", "2026-04-01T12:00", "2026-09-28T12:00")],
)
def test_paypal_has_a_window_of_its_own(profile: str, first: str, last: str) -> None:
    """R32: 45 days by the guide, 180 today; for orders that are paid with it, wherever they were made."""
    table = rules(profile)
    paid = dossier("own_shop", paid_at=DAY, payment="paypal")
    [open_] = [each for each in rules_for(paid.order, table) if each.id == "paypal.open"]
    found = when(open_, order_anchors(paid), rules=table, country="US")
    assert found is not None
    assert (found.at, found.until) == (utc(first), utc(last))
    assert not list(rules_for(replace(paid.order, payment="card"), table))


def test_a_variant_for_a_country_stands_in_for_the_general_rule() -> None:
    """R30: never both, and a rule for one country says nothing about another (R5)."""
    german = {each.id for each in rules_for(dossier("ebay", "DE").order, rules())}
    assert "ebay.inr.open.first.de" in german
    assert "ebay.inr.open.first" not in german
    assert find(rules(), "ae.brazil.expect", "US") is None
    assert find(rules(), "ae.brazil.expect", "BR") is not None
    assert find(rules(), "no.such.rule", "BR") is None


def test_r61_a_variant_stands_in_for_its_own_rule_alone() -> None:
    """R61, R62: a warning for one country is no variant of the deadline that it warns of; both ids begin alike."""
    warn = rule(id="amazon.confirm.warn.de", marketplace="amazon", kind="warning", regions=frozenset({"DE"}))
    table = replace(rules(), times={"amazon": (*rules().times["amazon"], warn)})
    german = {each.id for each in rules_for(dossier("amazon", "DE").order, table)}
    assert {"amazon.confirm", "amazon.confirm.warn.de"} <= german
    assert "amazon.confirm.warn" not in german
    found = find(replace(table, times={"amazon": (warn, *rules().times["amazon"])}), "amazon.confirm", "DE")
    assert found is not None
    assert found.id == "amazon.confirm"


def test_r62_a_date_counted_from_a_doubtful_one_is_a_hint() -> None:
    """D3: low confidence passes on along `rule:`."""
    doubtful = rule(id="base", confidence="low")
    found = when(rule(anchor="rule:base", base=doubtful), {"paid": DAY}, rules=rules(), country="US")
    assert found is not None
    assert found.hint


def test_the_country_is_that_of_the_site() -> None:
    """D8: the store's site goes before the marketplace's only one, that before the buyer's country."""
    assert country_of(dossier("ebay", "FR").order, rules()) == "FR"
    assert country_of(dossier("ebay", "FR").order, rules(site="DE")) == "DE"
    assert country_of(dossier("taobao", "FR").order, rules()) == "CN"


def test_a_store_may_name_its_own_profile() -> None:
    """D3: one shop counts by the guide, every other by today's figures."""
    own = replace(rules(), store_times={"jade": rules("seed").times})
    order = dossier("ebay", "DE", paid_at=DAY, promised_at=DAY)
    theirs = replace(order, order=replace(order.order, store="other"))
    assert [order_moment("ebay.inr.open.last", each, own) for each in (order, theirs)] == [
        order_moment("ebay.inr.open.last", order, rules("seed")),
        order_moment("ebay.inr.open.last", order, rules()),
    ]


# ----------------------------------------------------------------------------------------------------------------- cases


def case(kind: CaseKind, **change: Any) -> Case:
    return Case(id="c", kind=kind, opened_at=DAY, **change)


@pytest.mark.parametrize(
    ("platform", "kind", "current", "seed"),
    [
        ("ebay", CaseKind.INQUIRY, "2026-04-06T12:00", "2026-04-07T12:00"),  # R33: 3 working days | 6 days
        ("ebay", CaseKind.CHARGEBACK, "2026-04-06T12:00", "2026-04-06T12:00"),
        ("amazon", CaseKind.A_TO_Z, "2026-04-04T12:00", "2026-04-06T12:00"),  # R75: 72 hours | 3 working days
        ("amazon", CaseKind.CHARGEBACK, "2026-04-08T12:00", "2026-04-08T12:00"),  # R79
        ("amazon", CaseKind.RETURN_REQUEST, "2026-04-03T12:00", "2026-04-03T12:00"),  # R69
        ("amazon", CaseKind.BUYER_MESSAGE, "2026-04-02T12:00", "2026-04-02T12:00"),  # R55
        ("taobao", CaseKind.BUYER_MESSAGE, "2026-04-01T12:05", "2026-04-01T12:05"),  # R82
        ("aliexpress", CaseKind.DISPUTE, "2026-04-06T12:00", "2026-04-06T12:00"),  # R10
        ("own_shop", CaseKind.DISPUTE, None, None),
    ],
)
def test_an_answer_is_due_by_the_table(platform: str, kind: CaseKind, current: str | None, seed: str | None) -> None:
    """R33, R55, R69, R75, R79, R82: by profile, where nobody told the date."""
    for profile, end in (("current", current), ("seed", seed)):
        due = case_due(case(kind), dossier(platform), rules(profile))
        assert (due and due.at) == (end and utc(end))
        assert due is None or (due.source is DateSource.TABLE and "table:" in due.why)


@pytest.mark.parametrize("source", list(DateSource))
@pytest.mark.parametrize("profile", ["current", "seed"])
def test_a_date_that_was_told_beats_both_profiles(source: DateSource, profile: str) -> None:
    """D3: what the API, a person or a file said stands as it was said."""
    told = case(CaseKind.INQUIRY, due_at=utc("2026-04-02T07:00"), due_source=source)
    due = case_due(told, dossier("ebay"), rules(profile))
    assert due is not None
    assert (due.at, due.source, due.rule) == (utc("2026-04-02T07:00"), source, None)


def test_of_several_dates_the_earliest_counts_and_a_doubtful_one_last() -> None:
    """R32, R44: a dispute of an order paid with PayPal; eBay's soft target is only a hint to people."""
    paid = dossier("aliexpress", payment="paypal")
    both = case_due(case(CaseKind.DISPUTE), paid, rules())
    assert both is not None
    assert both.rule == "ae.respond"
    soft = case_due(case(CaseKind.BUYER_MESSAGE), dossier("ebay"), rules())
    assert soft is not None
    assert (soft.rule, soft.hint) == ("ebay.message", True)


def test_a_deadline_counts_from_the_earlier_bound() -> None:
    """DESIGN, I8: of a scan whose zone is not known the earlier instant starts the clock."""
    scan = Scan(earliest=DAY, latest=utc("2026-04-02T14:00"), status=TrackingStatus.DELIVERED, country="US")
    parcel = Shipment(id=1, number="LP1", status=TrackingStatus.DELIVERED, delivered_scan=scan, first_scan=scan)
    found = order_anchors(dossier("ebay", "US", parcel))
    assert found["delivered"] == DAY


def test_only_a_confirmed_window_end_is_an_anchor() -> None:
    """D18: an end that was guessed promises nothing."""
    ends = {source: dossier("shopee", window=Window(end=DAY, source=source)) for source in WindowSource}
    assert {source for source, each in ends.items() if "window_end" in order_anchors(each)} == set(WindowSource) - {
        WindowSource.ESTIMATED
    }


def test_what_left_in_parts_is_shipped_when_the_last_part_left() -> None:
    """AliExpress counts its first day of dispute from the last parcel."""
    parts = [Shipment(id=i, number=f"LP{i}", shipped_at=at_) for i, at_ in ((1, DAY), (2, utc("2026-04-05T12:00")))]
    assert order_anchors(dossier("aliexpress", "BR", *parts))["shipped_all"] == utc("2026-04-05T12:00")
    waiting = replace(parts[1], shipped_at=None)
    assert "shipped_all" not in order_anchors(dossier("aliexpress", "BR", parts[0], waiting))


def test_every_shipped_rule_has_a_figure_in_both_profiles() -> None:
    """D3: the guide's where it gives one, else today's; each is marked with the profile that it is from."""
    file = TimesFile.model_validate(dict(config.load(None, environ={}).sections["time-rules"].data))
    current, seed = (
        {each.id: each for group in time_rules(file, name).values() for each in group} for name in ("current", "seed")
    )
    assert current.keys() == seed.keys()
    own = {each.id for each in file.rule if each.profiles.seed is not None}
    assert {id_ for id_, each in seed.items() if each.profile == "seed"} == own
    assert {each.profile for each in current.values()} == {"current"}
