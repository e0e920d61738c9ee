"""The order before it travels: money, papers, address, shipping and confirming in time (R15-R18, R22, R46, R60-R62, R105)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from carriers.model import TrackingStatus
from tests.policy.build import MARKETS, RULES, at, day, decision, effect, evidence, keys, order, parcel, why
from tests.policy.build import dossier as bare
from tests.policy.build import rules as built
from tracker.dates import utc_text
from tracker.model import DecisionReason, Intent, OrderState, OutboxState, TaskState
from tracker.policy import decide
from tracker.rules import Carrier, Preparing, Rules, Service, TimeRule

CONFIRM = TimeRule(
    id="amazon.confirm",
    marketplace="amazon",
    kind="deadline",
    tz="marketplace",
    anchor="latest_ship_date",
    offset=7,
    unit="business_days",
    direction="after",
    confidence="high",
    consequence="cancelled and not paid",
)
WARN = TimeRule(
    id="amazon.confirm.warn",
    marketplace="amazon",
    kind="warning",
    tz="marketplace",
    anchor="rule:amazon.confirm",
    offset=7,
    unit="days",
    direction="before",
    confidence="medium",
    base=CONFIRM,
)
SHIP = TimeRule(
    id="amazon.ship",
    marketplace="amazon",
    kind="deadline",
    tz="UTC",
    anchor="paid",
    offset=2,
    unit="days",
    direction="after",
    confidence="high",
    ships=True,
)
PREPARING = Preparing(
    delayed_payments=frozenset({"boleto"}),
    tax_number_countries=frozenset({"BR"}),
    tax_number_from={"USD": Decimal(50)},
    channel_warnings={"BR": "the postal channel loses fewer parcels"},
    duty_countries=frozenset({"BR"}),
)
EXPRESS = Service(id="dhl-express", patterns=(), carrier="dhl", service="dhl_express", ladder="express")
EMS = Service(id="ems", patterns=(), carrier="china_post", service="ems", ladder="express")


def rules(**change: Any) -> Rules:
    values: dict[str, Any] = {
        "preparing": PREPARING,
        "times": {"amazon": (SHIP, CONFIRM, WARN)},
        "zones": {"US": "America/Los_Angeles"},
        "messages_off": frozenset({"placed", "shipped"}),
        "services": (EXPRESS, EMS),
        "carriers": {"dhl": Carrier(id="dhl", name="DHL"), "china_post": Carrier(id="china_post", name="China Post", post=True)},
    }
    return built(**(values | change))


TABLE = rules()
OWN: dict[str, Any] = {"store": "lotus", "platform": "ownshop", "shipped_at": None, "state": OrderState.PAID}
MINE = "order/lotus/8001"


def decided(when: float, *shipments: Any, table: Rules = TABLE, **change: Any) -> list[str]:
    return keys(at(when, *shipments, rules=table, **(OWN | change)))


# ------------------------------------------------------------------------------------------------------------------ payment


@pytest.mark.parametrize(
    ("payment", "when", "said"),
    [
        ("boleto", 0.9, []),
        ("boleto", 1, ["boleto_pending:0"]),
        ("boleto", 3.9, ["boleto_pending:0"]),
        ("boleto", 4, []),  # the slip has run out
        ("card", 2, []),
        (None, 2, []),
    ],
)
def test_r15_a_boleto_is_recalled_once_between_day_four_and_seven(payment: str | None, when: float, said: list[str]) -> None:
    """R15: no clock, no follow-up; ordered on day -3."""
    assert decided(when, payment=payment, state=OrderState.UNPAID, paid_at=None) == said


def test_r15_an_unpaid_order_has_no_clock_and_no_follow_up() -> None:
    """R15: not even when a number is there already, months later; nothing to ship, nothing to prepare."""
    verdict = at(
        80,
        parcel(last=None, heard=80, shipped_at=None),
        rules=TABLE,
        **(OWN | {"payment": "boleto", "state": OrderState.UNPAID, "paid_at": None}),
    )
    assert verdict.decisions == ()


def test_r15_the_reminder_is_taken_back_when_the_money_comes() -> None:
    """R15: paid is paid, and the order goes its way."""
    waiting = effect(Intent.BOLETO_PENDING, 1, subject=MINE, state=OutboxState.PENDING)
    verdict = at(2, rules=TABLE, effects=(waiting,), **(OWN | {"payment": "boleto", "country": "DE"}))
    assert [key for key, _ in verdict.withdraw] == [waiting.key]
    pasted = at(2, rules=TABLE, effects=(effect(Intent.BOLETO_PENDING, 1, subject=MINE),), payment="boleto",
                **(OWN | {"state": OrderState.UNPAID, "paid_at": None}))  # fmt: skip
    assert why(pasted, "boleto_pending") is DecisionReason.ALREADY_DONE


def test_r15_where_the_platform_reminds_nobody_else_does() -> None:
    """R15, D17: AliExpress tells the buyer itself (messages_off)."""
    verdict = at(2, rules=TABLE, payment="boleto", state=OrderState.UNPAID, paid_at=None, shipped_at=None)
    assert why(verdict, "boleto_pending") is DecisionReason.SWITCHED_OFF


# ------------------------------------------------------------------------------------------------------------------- papers


@pytest.mark.parametrize(
    ("change", "shipments", "wanted"),
    [
        ({"amount": Decimal(30)}, (), False),
        ({"amount": Decimal("50.00")}, (), True),
        ({"amount": Decimal(900), "currency": "XAF"}, (), False),  # no limit in that currency
        ({"amount": Decimal(900), "country": "DE"}, (), False),
        ({"amount": Decimal(900), "tax_number_known": True}, (), False),
        ({}, ("dhl_express", "dhl"), True),
        ({}, ("ems", "china_post"), False),  # express, but by the post
    ],
)
def test_r16_commercial_and_valuable_parcels_to_brazil_need_the_number(
    change: dict[str, Any], shipments: tuple[str, ...], wanted: bool
) -> None:
    """R16, R17: the buyer is asked, and the parcel waits."""
    parcels = [parcel(last=None, heard=0.5, shipped_at=None, service=shipments[0], carrier=shipments[1])] if shipments else []
    said = decided(0.5, *parcels, **change)
    assert [each for each in said if each != "customs_duty:0"] == (["tax_number:0", "do_not_ship:0"] if wanted else [])


def test_r17_the_task_warns_about_the_channel() -> None:
    """R17: a person chooses the channel; the text is the configuration's."""
    verdict = at(0.5, rules=TABLE, **(OWN | {"amount": Decimal(80), "ship_by": day(2)}))
    task = decision(verdict, Intent.DO_NOT_SHIP)
    assert task.evidence["channel_warning"] == "the postal channel loses fewer parcels"
    assert task.evidence["needed_for"] == "80 USD, from 50"
    assert (task.deadline, task.urgent) == (day(2), True)


def test_r17_where_the_house_knows_no_better_channel_nothing_is_said_of_it() -> None:
    """R17: the number is asked for all the same."""
    silent = rules(preparing=msgspec.structs.replace(PREPARING, channel_warnings={"KZ": "no commercial parcels"}))
    verdict = at(0.5, rules=silent, **(OWN | {"amount": Decimal(80)}))
    assert evidence(verdict, Intent.DO_NOT_SHIP) == {"destination": "BR", "needed_for": "80 USD, from 50"}


@pytest.mark.parametrize("change", [{"tax_number_known": True}, {"amount": Decimal(20)}])
def test_r16_the_task_goes_when_the_number_comes(change: dict[str, Any]) -> None:
    """R16, D17: taken back by itself, the question to the buyer too."""
    task = effect(Intent.DO_NOT_SHIP, 0, subject=MINE, task=TaskState.OPEN)
    asked = effect(Intent.TAX_NUMBER, 0, subject=MINE, state=OutboxState.PENDING)
    verdict = at(1, rules=TABLE, effects=(task, asked), **(OWN | {"amount": Decimal(80)} | change))
    assert {key for key, _ in verdict.withdraw} == {task.key, asked.key}
    again = at(1, rules=TABLE, effects=(task, asked), **(OWN | {"amount": Decimal(80)}))
    assert again.withdraw == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, True),
        ({"country": "DE"}, False),
        ({"shipped_at": day(0), "state": OrderState.SHIPPED}, False),
        ({"cutover_at": day(0)}, False),
        ({"hold_until": day(9)}, False),
        ({"store": "jade", "platform": "aliexpress"}, False),  # the platform shows duty itself
    ],
)
def test_r18_r105_the_buyer_hears_of_duty_before_the_parcel_leaves(change: dict[str, Any], said: bool) -> None:
    """R18, R105: where duty can be charged, once, on the seller's own channel."""
    assert ("customs_duty:0" in decided(1, **change)) is said


# ------------------------------------------------------------------------------------------------------ placed and shipped


def test_r22_r34_placed_and_shipped_are_off_until_they_are_switched_on() -> None:
    """R22, R34: platforms send them; switched on they go out once, while they are news."""
    talking = rules(messages_off=frozenset())
    placed: dict[str, Any] = {"country": "DE"}
    sent: dict[str, Any] = {"country": "DE", "state": OrderState.SHIPPED, "shipped_at": day(0)}
    on_its_way = parcel(last=0.5, country="DE", shipped_at=day(0))
    assert decided(0, **placed) == []
    assert decided(0, table=talking, **placed) == ["placed:0"]
    assert decided(1.5, table=talking, **placed) == [], "paid on day -2: no longer news"
    assert decided(1, on_its_way, **sent) == []
    assert decided(1, on_its_way, table=talking, **sent) == ["shipped:0"]
    assert decided(4, on_its_way, table=talking, **sent) == []


# --------------------------------------------------------------------------------------------------- address and last days


def test_r46_an_address_that_lacks_something_is_checked_before_shipping() -> None:
    """R46: one task with what is missing, no personal data; taken back when the address is mended or the parcel has left."""
    wrong = OWN | {"country": "DE", "address_problems": ("missing_phone", "bad_postcode")}
    verdict = at(1, rules=TABLE, **wrong)
    assert keys(verdict) == ["check_address:0"]
    assert evidence(verdict, Intent.CHECK_ADDRESS) == {"address": "missing_phone, bad_postcode"}
    task = effect(Intent.CHECK_ADDRESS, 1, subject=MINE, task=TaskState.OPEN)
    for change in (
        {"address_problems": ()},
        {"state": OrderState.SHIPPED},
        {"state": OrderState.CANCELLED},
        {"state": OrderState.UNPAID},
    ):
        gone = at(2, rules=TABLE, effects=(task,), **(wrong | change))
        assert [key for key, _ in gone.withdraw] == [task.key]
        assert keys(gone) == []
    assert keys(at(2, rules=TABLE, effects=(task,), **wrong)) == []


@pytest.mark.parametrize(
    ("platform", "change", "due"),
    [
        ("amazon", {"ship_by": day(5)}, 5),
        ("aliexpress", {"ship_by": day(5)}, 5),
        ("amazon", {}, 0),  # the table: two days after payment on day -2
        ("aliexpress", {}, None),
        ("amazon", {"ship_by": day(5), "state": OrderState.SHIPPED}, None),
        ("amazon", {"ship_by": day(5), "state": OrderState.UNPAID, "paid_at": None}, None),
        ("amazon", {"ship_by": day(5), "shipped_at": day(3)}, None),
    ],
)
def test_r60_a_person_is_told_when_the_last_day_to_ship_is_near(platform: str, change: dict[str, Any], due: float | None) -> None:
    """R60, D3: the marketplace's date before the table's; half a day before, not earlier, and never after it left."""
    base: dict[str, Any] = {"platform": platform, "country": "US", "state": OrderState.PAID, "shipped_at": None}
    near = (5 if due is None else due) - 0.5
    early, late = (at(when, rules=TABLE, **(base | change)) for when in (near - 0.01, near))
    assert "ship_late:0" not in keys(early)
    assert ("ship_late:0" in keys(late)) is (due is not None)
    if due is not None:
        assert decision(late, Intent.SHIP_LATE).deadline == day(due)
        assert early.next_at is not None
        assert early.next_at <= day(near)


def test_r61_r62_the_confirmation_is_warned_of_before_amazon_cancels() -> None:
    """R61, R62, D8: seven American working days after the last day to ship counted there, and a week before that."""
    base: dict[str, Any] = {"platform": "amazon", "country": "US", "state": OrderState.PAID, "ship_by": day(1)}
    sent = parcel(last=3, country="US")
    due, begins = day(10), day(3)  # in Seattle it is still Wednesday, 1 April: seven working days are Friday the 10th
    assert keys(at(2.9, sent, rules=TABLE, **base)) == []
    verdict = at(3, sent, rules=TABLE, **base)
    task = decision(verdict, Intent.CONFIRM_SHIPMENT)
    assert (task.deadline, task.not_before, task.rule) == (due, begins, "amazon.confirm.warn")
    assert task.evidence["consequence"] == "cancelled and not paid"
    made = effect(Intent.CONFIRM_SHIPMENT, 5, subject="order/jade/8001", task=TaskState.OPEN)
    assert keys(at(6, sent, rules=TABLE, effects=(made,), **base)) == []
    for change in (
        {"confirmed_at": day(6)},
        {"state": OrderState.SHIPPED},
        {"state": OrderState.CANCELLED},
        {"ship_by": day(30)},
    ):
        gone = at(7, sent, rules=TABLE, effects=(made,), **(base | change))
        assert made.key in {key for key, _ in gone.withdraw}


def test_r61_past_the_last_day_there_is_nothing_to_confirm() -> None:
    """R61, D17: Amazon has cancelled it; the task goes by time alone, and an old order of a file gets none."""
    base: dict[str, Any] = {"platform": "amazon", "country": "US", "state": OrderState.PAID, "ship_by": day(1)}
    sent, made = parcel(last=3, country="US"), effect(Intent.CONFIRM_SHIPMENT, 5, subject="order/jade/8001", task=TaskState.OPEN)
    waiting = at(9.9, sent, rules=TABLE, effects=(made,), **base)
    assert waiting.next_at is not None
    assert waiting.next_at <= day(10)
    assert made.key in {key for key, _ in at(10, sent, rules=TABLE, effects=(made,), **base).withdraw}
    for when in (10, 200):
        assert "confirm_shipment:0" not in keys(at(when, sent, rules=TABLE, **base))


def test_r61_a_doubtful_figure_warns_nobody_alone() -> None:
    """R62, D3: low confidence is a hint."""
    hint = msgspec.structs.replace(WARN, confidence="low")
    table = rules(times={"amazon": (SHIP, CONFIRM, hint)})
    base: dict[str, Any] = {"platform": "amazon", "country": "US", "state": OrderState.PAID, "ship_by": day(1)}
    assert keys(at(5, parcel(last=3, country="US"), rules=table, **base)) == []


def test_d17_one_task_for_an_order_that_is_neither_sent_nor_confirmed() -> None:
    """R60, R61, D17: from the day on which the confirmation is warned of, that task is the alert; never both."""
    base: dict[str, Any] = {
        "platform": "amazon",
        "country": "US",
        "state": OrderState.PAID,
        "shipped_at": None,
        "ship_by": day(1),
    }
    assert keys(at(2.9, rules=TABLE, **base)) == ["ship_late:0"]
    late = effect(Intent.SHIP_LATE, 1, subject="order/jade/8001", task=TaskState.OPEN)
    verdict = at(3, rules=TABLE, effects=(late,), **base)
    assert (keys(verdict), [key for key, _ in verdict.withdraw]) == (["confirm_shipment:0"], [late.key])


def test_d17_the_number_and_the_parcel_that_waits_for_it_are_one_task() -> None:
    """R16, D17: where a person pastes the question he keeps the parcel back too; the second task comes when no answer does."""
    byhand = rules(
        marketplaces={**MARKETS, "ebay": msgspec.structs.replace(MARKETS["ebay"], tasks_for=frozenset({"tax_number"}))}
    )
    base: dict[str, Any] = {"platform": "ebay", "state": OrderState.PAID, "shipped_at": None, "amount": Decimal(80)}
    assert keys(at(0.5, rules=byhand, **base)) == ["tax_number:0"]
    for state, task, then in (
        (OutboxState.PENDING, None, []),
        (OutboxState.SENT, TaskState.OPEN, []),
        (OutboxState.SENT, TaskState.IN_HAND, []),
        (OutboxState.SENT, TaskState.DONE, ["do_not_ship:0"]),
        (OutboxState.HELD, None, ["do_not_ship:0"]),  # the shop observes: nobody asks
    ):
        asked = effect(Intent.TAX_NUMBER, 0.5, subject="order/jade/8001", state=state, task=task)
        assert keys(at(1, rules=byhand, effects=(asked,), **base)) == then


def test_r16_nothing_is_wanted_for_another_country() -> None:
    """R16, D17: the country was mended after the task was opened."""
    task = effect(Intent.DO_NOT_SHIP, 0, subject=MINE, task=TaskState.OPEN)
    verdict = at(1, rules=TABLE, effects=(task,), **(OWN | {"amount": Decimal(80), "country": "DE"}))
    assert [key for key, _ in verdict.withdraw] == [task.key]


OLD: dict[str, Any] = {
    "platform": "ownshop",
    "store": "lotus",
    "state": OrderState.PAID,
    "shipped_at": None,
    "amount": Decimal(80),
    "address_problems": ("missing_phone",),
    "ship_by": day(0),
}


def test_d17_old_orders_of_a_file_prepare_nothing() -> None:
    """R16, R46, R60, R105, D17: three thousand paid orders of last year in the first import are no tasks, and no messages."""
    fresh, old = at(29.9, rules=TABLE, **OLD), at(30, rules=TABLE, **OLD)
    assert {each.intent for each in fresh.decisions} >= {Intent.CHECK_ADDRESS, Intent.SHIP_LATE, Intent.DO_NOT_SHIP}
    assert keys(old) == []
    made = tuple(effect(each, 1, subject=MINE, task=TaskState.OPEN) for each in (Intent.CHECK_ADDRESS, Intent.SHIP_LATE))
    kept = at(29.9, rules=TABLE, effects=made, **OLD)
    assert kept.next_at is not None
    assert kept.next_at <= day(30)
    assert {key for key, _ in at(30, rules=TABLE, effects=made, **OLD).withdraw} == {each.key for each in made}


def test_d17_what_lay_before_the_cut_over_was_somebody_elses() -> None:
    """R16, R46, R60: orders that were taken over bring no tasks of the time before; what comes due afterwards does."""
    assert keys(at(1.5, rules=TABLE, cutover_at=day(1), **OLD)) == []
    later = OLD | {"ship_by": day(3)}
    assert keys(at(3, rules=TABLE, cutover_at=day(1), **later)) == ["ship_late:0"]


def test_a_parcel_that_a_source_has_seen_moving_has_left() -> None:
    """R46, R60: some sources tell a status without a scan."""
    moving = parcel(last=None, heard=1, shipped_at=None, status=TrackingStatus.IN_TRANSIT)
    assert Intent.CHECK_ADDRESS not in {each.intent for each in at(1, moving, rules=TABLE, **OLD).decisions}
    label = parcel(last=None, heard=1, shipped_at=None, status=TrackingStatus.INFO_RECEIVED)
    assert Intent.CHECK_ADDRESS in {each.intent for each in at(1, label, rules=TABLE, **OLD).decisions}


def test_r60_the_alert_goes_with_its_date() -> None:
    """R60, D17: the marketplace's date was a mistake and was taken back."""
    task = effect(Intent.SHIP_LATE, 0, subject=MINE, task=TaskState.OPEN)
    verdict = at(1, rules=TABLE, effects=(task,), **(OWN | {"country": "DE"}))
    assert [key for key, _ in verdict.withdraw] == [task.key]


@pytest.mark.parametrize(
    ("first", "due"),
    [
        ({"confidence": "low"}, day(0)),  # a doubtful figure is no alert (D3): the next rule's date counts
        ({"anchor": "edd_min"}, day(0)),  # nobody promised anything
        ({"offset": 1}, day(-1)),
    ],
)
def test_r60_d3_the_last_day_to_ship_is_the_first_rule_with_a_date_to_rely_on(first: dict[str, Any], due: datetime) -> None:
    """R60, D3: of several rules of a marketplace about shipping."""
    table = rules(times={"amazon": (msgspec.structs.replace(SHIP, id="amazon.ship.first", **first), SHIP, CONFIRM, WARN)})
    verdict = at(0, rules=table, platform="amazon", country="US", state=OrderState.PAID, shipped_at=None)
    assert evidence(verdict, Intent.SHIP_LATE)["ship_by"] == utc_text(due)


def test_r61_a_marketplace_without_such_a_rule_wants_no_confirmation() -> None:
    """R61: nor does one whose date is not known."""
    for change in ({"platform": "ebay", "ship_by": day(1)}, {"platform": "amazon", "ship_by": None}):
        verdict = at(20, parcel(last=19), rules=TABLE, country="US", state=OrderState.PAID, **change)
        assert Intent.CONFIRM_SHIPMENT not in {each.intent for each in verdict.decisions}


def test_d17_the_ordinary_order_gets_no_task_before_it_leaves() -> None:
    """D17: 30,000 parcels a month: nothing to do before the last day to ship is near."""
    ordinary: dict[str, Any] = {
        "platform": "amazon",
        "country": "US",
        "state": OrderState.PAID,
        "shipped_at": None,
        "ship_by": day(3),
    }
    verdict = decide(bare(**ordinary), TABLE, day(0))
    assert verdict.decisions == ()
    assert verdict.next_at == day(3) - timedelta(hours=12)


def test_an_order_of_which_nothing_is_known_is_left_alone() -> None:
    """R15: a file without a status: unknown stays unknown until a payment is told."""
    unknown = order(state=OrderState.UNKNOWN, paid_at=None, shipped_at=None, ship_by=day(1))
    assert unknown.paid_at is None
    verdict = at(1, rules=TABLE, state=OrderState.UNKNOWN, paid_at=None, shipped_at=None, ship_by=day(1))
    assert verdict.decisions == ()
    paid = at(1, rules=TABLE, state=OrderState.UNKNOWN, shipped_at=None, ship_by=day(1))
    assert keys(paid) == ["ship_late:0"]
    assert RULES.preparing == Preparing()
