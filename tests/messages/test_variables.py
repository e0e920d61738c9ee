"""What fills the blanks of a text: never a date in the past, never a promise beyond the buyer's protection."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.messages.build import DAY0, NUMBER, about, day, dossier, loaded, parcel, rules, scan, values, window
from tracker.messages import variables, variant
from tracker.model import Capability, Intent, WindowSource
from tracker.rules import STAGES


def test_the_facts_of_a_stage1() -> None:
    """R1, R36: the number, where to look, the last event with the date that the carrier gives it."""
    found = values("stage1", dossier(), day(30))
    assert {
        name: found[name] for name in ("name", "order", "tracking", "carrier", "url", "last_event", "last_date", "store")
    } == {
        "name": "Maria Teste",
        "order": "8170000000000099",
        "tracking": NUMBER,
        "carrier": "China Post",
        "url": f"https://t.17track.net/en#nums={NUMBER}",
        "last_event": "Arrived in Curitiba",
        "last_date": date(2026, 4, 21),
        "store": "Casa Lume",
    }
    assert found["signature"] == "Equipe de atendimento Casa Lume", "R57: the closing names the store"


def test_the_local_date_stands_also_where_the_instant_is_unknown() -> None:
    """R1: `{last_date}` is the carrier's own date, not one converted from bounds."""
    vague = scan(local_time="2026-04-20T23:30:00", earliest=day(19), latest=day(20.9))
    assert values("stage1", dossier(parcel(last_scan=vague)), day(30))["last_date"] == date(2026, 4, 20)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (10, "2026-04-23", "2026-05-16"),  # day 22 and day 45 of the Brazilian profile
        (30, "2026-05-01", "2026-05-16"),  # never before today
        (44, "2026-05-15", "2026-05-16"),
        (45, "2026-05-16", None),  # a range that does not lie ahead is none
        (60, "2026-05-31", None),
    ],
)
def test_a_range_is_never_in_the_past(now: int, first: str, last: str | None) -> None:
    """R34: `{eta_from}` is the later of today and day 0 + p50, `{eta_to}` day 0 + p90."""
    found = values("stage1", dossier(), day(now))
    assert str(found["eta_from"]) == first
    assert found.get("eta_to") == (last and date.fromisoformat(last))


def test_d18_the_next_date_is_that_of_the_ladder_which_the_parcel_follows() -> None:
    """D18, R1: the order's own days, and those for what tracking shows, also in what a text promises."""
    own = dossier(stages={Intent.STAGE1: 40, Intent.STAGE2: 55, Intent.STAGE3: 70})
    assert values("stage1", own, day(40))["new_deadline"] == day(55).date()
    plain = rules().profile("BR", "standard")
    blind = replace(plain, id="blind", tracking=Capability.EXPORT_ONLY, stages=dict(zip(STAGES, (40, 50, 60), strict=True)))
    table = replace(rules(), profiles=(*rules().profiles, blind))
    unseen = dossier(parcel(capability=Capability.EXPORT_ONLY))
    found = variables(unseen, about("stage1"), table, {}, day(40))
    assert found["new_deadline"] == day(50).date()


@given(hours=st.integers(min_value=0, max_value=24 * 200))
def test_no_range_and_no_deadline_is_ever_behind_the_reader(hours: int) -> None:
    """R34, D18: at every hour of 200 days."""
    now = DAY0 + timedelta(hours=hours)
    found = values("stage2", dossier(), now)
    first, last, deadline = found["eta_from"], found.get("eta_to"), found.get("new_deadline")
    assert isinstance(first, date)
    assert first >= now.date()
    assert last is None or (isinstance(last, date) and last > first)
    assert deadline is None or (isinstance(deadline, date) and deadline > now.date() + timedelta(days=1))


def ends(count: int, source: WindowSource = WindowSource.FILE) -> dict[str, Any]:
    return {"window": window(day(count), source)}


@pytest.mark.parametrize(
    ("platform", "facts", "deadline"),
    [
        # where the window can be extended it is the protection itself
        ("aliexpress", ends(75), "2026-06-15"),
        ("aliexpress", ends(75, WindowSource.API), "2026-06-15"),
        ("aliexpress", ends(75, WindowSource.ESTIMATED), "2026-05-31"),  # no confirmed end: the day of stage 3
        ("aliexpress", {}, "2026-05-31"),
        ("aliexpress", ends(46), None),  # not after tomorrow
        # an own shop has no platform whose protection runs out
        ("own_shop", {}, "2026-05-31"),
        # elsewhere five days before the last day to complain (D18)
        ("ebay", {"promised_at": day(60)}, "2026-05-31"),  # EDD + 30 is far: the day of stage 3
        ("ebay", {"promised_at": day(25)}, "2026-05-21"),  # EDD + 30 - 5
        ("ebay", {"promised_at": day(22)}, "2026-05-18"),
        ("ebay", {"promised_at": day(20)}, None),  # only tomorrow would be left
        ("ebay", {"promised_at": None}, None),  # the last day is not known
        ("amazon", {"promised_at": day(20)}, "2026-05-31"),  # EDD + 90
        ("shopee", ends(70), "2026-06-05"),  # the window's own end - 5
        ("shopee", {}, None),
        ("mercadolibre", {"promised_at": day(60)}, None),  # never known there
    ],
)
def test_a_deadline_never_talks_a_buyer_out_of_his_protection(platform: str, facts: dict[str, Any], deadline: str | None) -> None:
    """D18: what `{new_deadline}` names on day 45, and where no date can be promised."""
    found = values("stage2", dossier(platform=platform, **facts), day(45))
    assert found.get("new_deadline") == (deadline and date.fromisoformat(deadline))
    assert variant("stage2", found) == ("stage2" if deadline else "stage2_nodate")


def test_stage1_promises_the_day_of_stage2() -> None:
    """R1: without a confirmed end the next stage is the next time that something happens."""
    assert values("stage1", dossier(), day(30))["new_deadline"] == day(45).date()


@pytest.mark.parametrize(
    ("platform", "promised", "days"),
    [
        ("aliexpress", 60, 15),
        ("own_shop", 60, 15),
        ("ebay", 60, 15),
        ("ebay", 40, 5),
        ("ebay", 35, None),
        ("mercadolibre", 60, None),
    ],
)
def test_a_delay_keeps_the_same_limit(platform: str, promised: int, days: int | None) -> None:
    """D18: `{extra_days}` from day 60 never reaches into the last five days to complain."""
    case = dossier(platform=platform, promised_at=day(promised))
    assert values("delay", case, day(60)).get("extra_days") == days
    told = values("delay", case, day(60), evidence={"extra_days": "4"}).get("extra_days")
    assert told == (None if days is None else min(days, 4)), "what an advisory says, under the same limit"


@pytest.mark.parametrize(
    ("key", "scanned", "wanted"),
    [
        ("stage1", True, "stage1"),
        ("stage1", False, "stage1_noscan"),
        ("stage2", True, "stage2"),
        ("stage2", False, "stage2_noscan"),
        ("stage3", False, "stage3"),
    ],
)
def test_a_parcel_without_a_scan_takes_the_other_text(key: str, scanned: bool, wanted: str) -> None:
    """R1, R2: the same type and slot, another wording."""
    case = dossier(parcel(last_scan=scan() if scanned else None), **ends(75))
    assert variant(key, values(key, case, day(45))) == wanted


def test_a_scan_without_words_is_told_by_its_place() -> None:
    """R1: and one that says nothing at all counts as none."""
    assert (
        values("stage1", dossier(parcel(last_scan=scan(description="", location="Curitiba"))), day(30))["last_event"]
        == "Curitiba"
    )
    silent = values("stage1", dossier(parcel(last_scan=scan(description=""))), day(30))
    assert variant("stage1", silent) == "stage1_noscan"


def test_of_several_parcels_the_most_delayed_one() -> None:
    """D12: several parcels of one order share the slot; the text speaks of the one that is longest on its way."""
    younger = parcel(number="LX000000014CN", day0=day(5))
    delivered = parcel(number="LX000000028CN", day0=day(-9), status=TrackingStatus.DELIVERED)
    assert values("stage1", dossier(younger, parcel(), delivered), day(30), shipment=None)["tracking"] == NUMBER
    assert values("stage1", dossier(younger, parcel()), day(30), shipment=younger.number)["tracking"] == younger.number
    assert "tracking" not in values("stage1", dossier(younger), day(30), shipment="LX999999999CN")


def test_a_late_arrival_tells_the_day_of_delivery() -> None:
    """R4: not that of a later scan."""
    case = dossier(parcel(delivered_scan=scan(local_time="2026-06-20T10:00:00")))
    assert values("late_arrival", case, day(85))["last_date"] == date(2026, 6, 20)


def test_a_refund_names_what_was_paid_back() -> None:
    """D13: the amount of the row, else what the order says was refunded."""
    paid = {"refunded_amount": Decimal("9.90")}
    assert values("stage3", dossier(**paid), day(60), amount=Decimal(5), currency="EUR")["amount"] == Decimal(5)
    found = values("stage3", dossier(**paid), day(60))
    assert (found["amount"], found["currency"]) == (Decimal("9.90"), "USD")


def test_what_a_person_said_beats_the_default_words() -> None:
    """R35: the cause of an advisory, a typed date, a typed number of days."""
    said = {"cause": "enchentes", "due_date": "2026-05-30", "extra_days": "9"}
    found = values("delay", dossier(), day(50), evidence=said)
    assert (found["cause"], found["due_date"], found["extra_days"]) == ("enchentes", date(2026, 5, 30), 9)
    assert values("delay", dossier(), day(50))["cause"] == "lentidão no transporte internacional"


@pytest.mark.parametrize(("at", "named"), [(50, True), (59, True), (61, False)])
def test_a_date_that_has_passed_is_not_told(at: float, named: bool) -> None:
    """R14, R36: a text that waited for a person must not say "by yesterday"; without its date it is a person's again."""
    found = values("storage_expiring", dossier(), day(at), evidence={"due_date": "2026-05-30"})
    assert ("due_date" in found) is named


def test_a_shops_own_words() -> None:
    """R57: signature and payment hint of the store's file."""
    shop = replace(rules().stores["own_shop"], signature="Ana, Casa Lume", payment_hint="Pix")
    mine = replace(rules(), stores={"own_shop": shop})
    found = variables(dossier(platform="own_shop"), about("late_arrival"), mine, loaded().texts.words_of("pt-BR"), day(80))
    assert (found["signature"], found["payment_hint"]) == ("Ana, Casa Lume", "Pix")


def test_unknown_facts_are_not_there() -> None:
    """R59: an empty blank blocks the text, so it must not be there at all."""
    bare = dossier(parcel(carrier=None, day0=None, last_scan=None), buyer_name="", currency=None)
    found = variables(bare, about("stage1"), replace(rules(), tracking_page=None), {}, day(30))
    assert (
        not {"name", "carrier", "url", "last_event", "last_date", "eta_from", "eta_to", "new_deadline", "currency"} & found.keys()
    )


@pytest.mark.parametrize("carrier", [None, "nobody_knows"])
def test_r1_a_parcel_of_an_unknown_carrier_has_a_tracking_page_too(carrier: str | None) -> None:
    """R1, R36: an unmatched channel text takes the country's ladder; its buyers get number and page like all others."""
    found = values("stage1", dossier(parcel(carrier=carrier)), day(30))
    assert found["url"] == f"https://t.17track.net/en#nums={NUMBER}"


def test_day_zero_can_be_given() -> None:
    """D1: as the decision saw it, where the parcel keeps none yet."""
    case = dossier(parcel(day0=None))
    given_day0: datetime = day(3)
    found = variables(case, about("stage1"), rules(), {}, day(10), day0=given_day0)
    assert found["eta_from"] == day(25).date()


def test_a_number_cannot_leave_its_place_in_the_tracking_page() -> None:
    """R36: whatever a file calls a number, the link stays one link."""
    odd = parcel(number="A B/../?x=1&y")
    assert (
        values("stage1", dossier(odd), day(30), shipment=odd.number)["url"]
        == "https://t.17track.net/en#nums=A%20B%2F..%2F%3Fx%3D1%26y"
    )


def test_what_was_said_in_one_language_stays_in_it() -> None:
    """R35, R59: an advisory's cause by language; one of the language's own words; else the default of the language."""
    said = {"cause_pt-BR": "uma enchente", "cause": "a flood"}
    assert values("delay", dossier(), day(40), evidence=said)["cause"] == "uma enchente"
    assert values("delay", dossier(), day(40), language="en", evidence=said)["cause"] == "a flood"
    assert values("delay", dossier(), day(40), language="ru", evidence={"cause": "strike"})["cause"] == "забастовки"
    assert values("delay", dossier(), day(40), language="es")["cause"] == "la lentitud del transporte internacional"


@pytest.mark.parametrize(
    ("key", "language", "action"),
    [
        ("customs_hold", "pt-BR", "enviar à alfândega os documentos ou o CPF solicitados"),
        ("duties_unpaid", "en", "pay the amount named in the notice of the carrier or of customs"),
    ],
)
def test_what_a_buyer_has_to_do_is_told_in_his_language(key: str, language: str, action: str) -> None:
    """R14, R105: a default per type; a person's own words go before it."""
    assert values(key, dossier(), day(20), language=language)["buyer_action"] == action
    assert values(key, dossier(), day(20), evidence={"buyer_action": "call them"})["buyer_action"] == "call them"
    assert "buyer_action" not in values("stage1", dossier(), day(20))


def test_an_order_without_a_parcel_has_a_range_too() -> None:
    """R22, R34: `placed` counts from the last day to ship, else from the payment; no exact day, never in the past."""
    case = dossier()
    bare = type(case)(order=replace(case.order, ship_by=day(3)))
    found = values("placed", bare, day(-1), shipment=None)
    assert (found["eta_from"], found["eta_to"]) == (day(3 + 22).date(), day(3 + 45).date())
    paid = values("placed", type(case)(order=case.order), day(-1), shipment=None)
    assert paid["eta_from"] == day(-2 + 22).date()
    assert "eta_from" not in values("boleto_pending", bare, day(-1), shipment=None)
    assert "eta_to" not in values("placed", bare, day(90), shipment=None)
