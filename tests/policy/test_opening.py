"""When a buyer may open which case, and a word before he can about parcels at risk (R8, R9, R30, R31, R32, R74, D17)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import MARKETS, at, day, decision, delivered, dossier, effect, evidence, keys, parcel, refund, rules, why
from tracker import config
from tracker.model import Case, CaseKind, DecisionReason, Intent, OutboxState, TaskState
from tracker.policy.opening import openings
from tracker.rules import Rules

EBAY: dict[str, Any] = {"platform": "ebay", "country": "US"}


@cache
def table(profile: str = "current") -> Rules:
    """The plain rules of these tests with the shipped dates of marketplaces."""
    shipped = config.load(None, environ={"TRACKER__TIME__PROFILE": profile}).rules
    return rules(times=shipped.times, zones=shipped.zones, marketplaces=MARKETS)


def opens(platform: str, profile: str, **change: Any) -> dict[str, tuple[datetime, datetime | None]]:
    found = openings(dossier(parcel(), platform=platform, **({"country": "US"} | change)), table(profile))
    return {each.rule: (each.opens, each.closes) for each in found}


# ------------------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("profile", "country", "rule", "first", "last"),
    [
        ("current", "US", "ebay.inr.open.first", 21, 50),
        ("seed", "GB", "ebay.inr.open.first", 21, 50),
        ("current", "DE", "ebay.inr.open.first.de", 21, 50),
        ("seed", "DE", "ebay.inr.open.first.de", -1, 43),  # paid on day -2
    ],
)
def test_r30_item_not_received(profile: str, country: str, rule: str, first: int, last: int) -> None:
    """R30: promised date + 1 to + 30; by the guide in Germany payment + 1 to + 45."""
    assert opens("ebay", profile, country=country, promised_at=day(20))[rule] == (day(first), day(last))


def test_r31_not_as_described() -> None:
    """R31: payment + 1 to + 45 by the guide; today from delivery, so unknown before it."""
    assert opens("ebay", "seed")["ebay.snad.window"] == (day(-1), day(43))
    assert "ebay.snad.window" not in opens("ebay", "current")
    came = dossier(delivered(parcel(), 25), platform="ebay", country="US")
    assert {each.rule: (each.opens, each.closes) for each in openings(came, table())}["ebay.snad.window"] == (day(25), day(55))


@pytest.mark.parametrize(("profile", "first", "last"), [("current", -2, 178), ("seed", -1, 43)])
def test_r32_paypal(profile: str, first: int, last: int) -> None:
    """R32: for an order that is paid with it, wherever it was made."""
    found = opens("ownshop", profile, payment="paypal", store="lotus")
    assert found == {"paypal.open": (day(first), day(last))}
    assert opens("ownshop", profile, payment="card", store="lotus") == {}


def test_r74_an_a_to_z_claim() -> None:
    """R74: three days after the latest promised date, until ninety."""
    assert opens("amazon", "current", promised_at=day(20)) == {"amazon.atoz.first": (day(23), day(110))}


def test_a_date_without_its_anchor_is_not_there() -> None:
    """R30: no promised date, no first day."""
    assert opens("ebay", "current") == {}


# ----------------------------------------------------------------------------------------------------------------- warning


def risky(when: float, **change: Any) -> Any:
    """A parcel that two weeks of silence put at risk; the promised date is day 30."""
    silent = parcel(last=1, country="US")
    return at(when, silent, rules=table(), **(EBAY | {"promised_at": day(30)} | change))


def test_r8_r30_a_parcel_at_risk_is_shown_before_the_buyer_can_open_a_case() -> None:
    """R8, R9, R30: three days before the first day, one task an order, with both dates and why; gone once the risk is."""
    early, due = risky(26), risky(28)
    assert "window_opens:ebay.inr.open.first" not in keys(early)
    assert why(early, "window_opens") is DecisionReason.NOT_YET_DUE
    task = decision(due, Intent.WINDOW_OPENS)
    assert (task.deadline, task.not_before, task.urgent) == (day(31), day(28), True)
    assert task.evidence["closes_at"] == (day(60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert task.shipment == "LP1"


def test_d17_an_ordinary_order_gets_no_task() -> None:
    """D17: it moves, or its silence is within the limit: no task, and not one thought about dates."""
    for last in (20, 27):
        verdict = at(28, parcel(last=last, country="US"), rules=table(), **(EBAY | {"promised_at": day(30)}))
        assert Intent.WINDOW_OPENS not in {each.intent for each in verdict.decisions}
        assert why(verdict, "window_opens") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cases": (Case(id="c", kind=CaseKind.INQUIRY, opened_at=day(27)),)}, "a case is there"),
        ({"effects": (refund(20, state=OutboxState.HELD),)}, "a refund is recommended: that is the warning"),
        ({"received_at": day(27)}, "the buyer has it"),
        ({"promised_at": None}, "no date to warn of"),
        ({"country": "DE"}, "Germany of today is not confirmed: a hint warns nobody alone"),
    ],
)
def test_nobody_is_warned_where(change: dict[str, Any], reason: str) -> None:
    """R9, D15, D17: what speaks against the task."""
    verdict = risky(28, **change)
    assert Intent.WINDOW_OPENS not in {each.intent for each in verdict.decisions}, reason


def test_the_task_goes_when_the_facts_change() -> None:
    """D17: the parcel moves, a case is opened, a refund is recommended, or the first day has passed."""
    made = effect(Intent.WINDOW_OPENS, 28, occasion="ebay.inr.open.first", task=TaskState.OPEN)
    assert risky(29, effects=(made,)).withdraw == ()
    assert why(risky(29, effects=(made,)), "window_opens") is DecisionReason.ALREADY_DONE
    moved = at(29, parcel(last=28.5, country="US"), rules=table(), effects=(made,), **(EBAY | {"promised_at": day(30)}))
    opened = risky(29, effects=(made,), cases=(Case(id="c", kind=CaseKind.INQUIRY, opened_at=day(29)),))
    advised = risky(29, effects=(made, refund(28)))
    over = risky(31.5, effects=(made,))
    for verdict in (moved, opened, advised, over):
        assert made.key in {key for key, _ in verdict.withdraw}


def test_d17_the_task_goes_when_the_date_moves_away() -> None:
    """R30, D17: eBay gave a later promised date: the warning comes anew, with the new date."""
    made = effect(Intent.WINDOW_OPENS, 28, occasion="ebay.inr.open.first", task=TaskState.OPEN)
    moved = risky(29, effects=(made,), promised_at=day(40))
    assert dict(moved.withdraw) == {made.key: DecisionReason.NOT_YET_DUE}
    assert why(moved, "window_opens") is DecisionReason.NOT_YET_DUE


def test_late_and_not_moving_is_a_risk_too() -> None:
    """R74: past the promised date without a scan for ten days; a claim can be filed three days after it."""
    late = parcel(last=18, country="US")
    ways: dict[str, Any] = {"platform": "amazon", "country": "US", "promised_at": day(28)}
    verdict = at(28.5, late, rules=table(), **ways)
    assert decision(verdict, Intent.WINDOW_OPENS).rule == "amazon.atoz.first"
    assert evidence(verdict, Intent.WINDOW_OPENS)["risk"] == "late_and_still"
    moving = at(28.5, replace(late, last_scan=parcel(last=25).last_scan), rules=table(), **ways)
    assert Intent.WINDOW_OPENS not in {each.intent for each in moving.decisions}


def test_lateness_comes_by_time_alone() -> None:
    """R74: no answer of a source is needed to look again when the promise has passed, or ten days after the last scan."""
    ways: dict[str, Any] = {"platform": "amazon", "country": "US", "promised_at": day(28)}
    for last, looks in ((17.5, 28), (18.5, 28.5)):
        verdict = at(27.9, parcel(last=last, country="US"), rules=table(), **ways)
        assert verdict.next_at is not None
        assert verdict.next_at <= day(looks)


def test_d17_one_task_about_a_parcel_that_was_never_scanned() -> None:
    """R8, D17: the question to the forwarder names the first day of a dispute; a second task follows only when it is closed."""
    ways: dict[str, Any] = {"promised_at": day(2), "country": "BR", "shipped_at": day(0), "paid_at": day(-1)}
    silent = parcel(last=None, heard=8, shipped_at=day(0))
    verdict = at(8, silent, rules=table(), **ways)
    assert keys(verdict) == ["forwarder_inquiry:0"]
    assert evidence(verdict, Intent.FORWARDER_INQUIRY)["opens_at"] == "2026-04-11T01:00:00Z"
    for state, told in ((TaskState.OPEN, []), (TaskState.IN_HAND, []), (TaskState.DONE, ["window_opens:ae.open.first"])):
        asked = effect(Intent.FORWARDER_INQUIRY, 8, subject="shipment/LP1", task=state)
        assert keys(at(8.5, replace(silent, last_answer_at=None), rules=table(), effects=(asked,), **ways)) == told


def test_the_cost_of_a_freeze_is_shown() -> None:
    """D6, R8: where a ruling closes the shop, the task says for how long."""
    ways: dict[str, Any] = {"promised_at": day(2), "country": "BR", "shipped_at": day(0), "paid_at": day(-1)}
    silent = parcel(last=None, heard=8, shipped_at=day(0))
    asked = effect(Intent.FORWARDER_INQUIRY, 7.5, subject="shipment/LP1", task=TaskState.DONE)
    verdict = at(8, silent, rules=table(), effects=(asked,), **ways)
    if any(each.intent is Intent.REFUND for each in verdict.decisions):
        pytest.fail("the refund would be the warning")
    task = decision(verdict, Intent.WINDOW_OPENS)
    assert (task.rule, task.evidence["freeze_days"]) == ("ae.open.first", "7")
    assert task.deadline == day(0) + timedelta(days=10)
