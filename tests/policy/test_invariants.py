"""The invariants of facts/faults.md for the pure core, under the shipped rules: I1, I2, I4, I5, I7; and quick answers are true.

Orders of every sort: unpaid, taken over, in dispute, with advisories, remedies and ladders of their own, on every kind of
marketplace, along random days on which people approve, reject, pay and close.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import day, parcel, scan, window
from tracker import config
from tracker.dates import DAY
from tracker.messages import MESSAGE_TYPES, base_key
from tracker.model import (
    ActionKind,
    Advisory,
    Capability,
    Case,
    CaseKind,
    CaseReason,
    Dossier,
    Effect,
    Intent,
    Mode,
    NotFound,
    Order,
    OrderState,
    OutboxState,
    Remedy,
    Shipment,
    TaskState,
    WindowSource,
)
from tracker.policy import decide
from tracker.policy.decider import weigh
from tracker.rules import Rules, Store
from tracker.timeline import Assume, carry_out

_LOADED = config.load(None, environ={}).rules
PLATFORMS = ("aliexpress", "amazon", "ebay", "mercadolibre", "own_shop", "shopee", "taobao")
RULES: Rules = replace(
    _LOADED,
    messages_off=frozenset(),
    stores={
        name: Store(id=name, platform=name, name=name, zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE) for name in PLATFORMS
    },
)
"""As shipped, with every type of message switched on: a core rule works when it is switched on."""

WAITS = Assume(messages=False, extensions=False, refunds=False)
STORM = Advisory(id=1, start=date(2026, 5, 1), end=date(2026, 5, 20), add_days=9, causes={"en": "a storm"}, country="BR")


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


PARCEL = st.fixed_dictionaries(
    {
        "last": st.one_of(st.none(), st.integers(0, 80)),
        "heard": st.one_of(st.none(), st.integers(0, 120)),
        "status": st.sampled_from(TrackingStatus),
        "seen_in": one_of(None, "CN", "BR"),
        "reason": st.one_of(st.none(), st.sampled_from(TrackingReason)),
        "capability": st.sampled_from(Capability),
        "matched": st.booleans(),
        "settled_by": one_of(None, None, "platform"),
        "suspect": one_of(None, None, None, "another_parcel"),
        "carrier": one_of("yanwen", "china_post", "cainiao", "correios", None),
        "service": one_of("standard", "registered", "express", "economy"),
        "share": one_of(None, Decimal("12.00"), Decimal("25.00")),
        "not_found": one_of(None, None, NotFound(answers=6, since=day(3)), NotFound(answers=3, since=day(9), sources=2)),
        "country": one_of("BR", "US", "RU", "CL"),
        "stopped_at": one_of(None, None, None, day(30)),
        "service_text": one_of(None, "a text"),
    }
)
ORDER = st.fixed_dictionaries(
    {
        "platform": st.sampled_from(PLATFORMS),
        "state": st.sampled_from(OrderState),
        "country": one_of("BR", "US", "RU", None),
        "amount": one_of(None, Decimal("5.00"), Decimal("30.00"), Decimal("300.01")),
        "paid_at": one_of(None, day(-2)),
        "shipped_at": one_of(None, day(-1)),
        "promised_at": one_of(None, day(30), day(60)),
        "window": one_of(None, window(57), window(75, WindowSource.ESTIMATED), window(80, WindowSource.API, extensions=2)),
        "opted_out": st.booleans(),
        "vip": st.booleans(),
        "risky": st.booleans(),
        "waiting_since": one_of(None, None, day(28)),
        "received_at": one_of(None, None, None, day(30)),
        "reviewed_at": one_of(None, None, day(50)),
        "hold_until": one_of(None, None, day(50)),
        "cutover_at": one_of(None, None, day(35)),
        "refunded_at": one_of(None, None, None, day(40)),
        "payment": one_of(None, "boleto", "paypal", "card"),
        "ship_by": one_of(None, day(1), day(5)),
        "confirmed_at": one_of(None, day(0)),
        "tax_number_known": st.booleans(),
        "address_problems": one_of((), ("missing_phone",)),
        "unread_since": one_of(None, None, day(46)),
        "stages": one_of({}, {}, {Intent.STAGE1: 20}),
    }
)
CASES = st.lists(
    st.builds(
        Case,
        id=one_of("C-1", "C-2"),
        kind=st.sampled_from(CaseKind),
        reason=st.sampled_from(CaseReason),
        opened_at=one_of(day(20), day(44), day(61)),
        due_at=one_of(None, day(50), day(64)),
        evidence_due_at=one_of(None, day(47)),
        closed_at=one_of(None, None, day(70)),
        amount=one_of(None, Decimal("30.00")),
        currency=one_of("USD"),
    ),
    max_size=2,
    unique_by=lambda case: case.id,
)


def _shipment(index: int, values: dict[str, Any]) -> Shipment:
    told = dict(values)
    last, status, country = told.pop("last"), told.pop("status"), told.pop("seen_in")
    made = replace(parcel(f"LP{index}", last=last, **told), id=index)
    if last is None:
        return made
    end = scan(last, status, country=country)
    return replace(made, status=status, last_scan=end, delivered_scan=end if status is TrackingStatus.DELIVERED else None)


def _told(parcels: list[dict[str, Any]], facts: dict[str, Any], cases: list[Case], advised: bool) -> Dossier:
    refunded = {"refunded_amount": facts["amount"], "refund_reference": "R"} if facts["refunded_at"] is not None else {}
    order = Order(id=1, store=facts["platform"], number="8001", currency="USD", ordered_at=day(-3), **facts, **refunded)
    shipments = tuple(_shipment(index, values) for index, values in enumerate(parcels, 1))
    return Dossier(order=order, shipments=shipments, cases=tuple(cases), advisories=(STORM,) if advised else ())


DOSSIERS = st.builds(_told, st.lists(PARCEL, max_size=2), ORDER, CASES, st.booleans())
WHEN = st.integers(-2 * 24, 130 * 24).map(lambda hours: day(hours / 24))
COURSE = st.lists(st.tuples(WHEN, st.integers(0, 5)), min_size=1, max_size=6).map(sorted)
many = settings(max_examples=150, deadline=None)


def _approve(effect: Effect, now: datetime) -> Effect:
    if effect.state is OutboxState.HELD:
        return replace(effect, state=OutboxState.SENT, hold=None, task=TaskState.OPEN, decided_at=now)
    return effect


def _reject(effect: Effect, now: datetime) -> Effect:
    if effect.state is OutboxState.HELD:
        return replace(effect, state=OutboxState.CANCELLED, rejected=True, decided_at=now)
    return effect


def _partly(effect: Effect, now: datetime) -> Effect:
    if effect.state is OutboxState.HELD and effect.amount is not None:
        return _approve(replace(effect, amount=effect.amount / 2, remedy=Remedy.PARTIAL_REFUND), now)
    return effect


def _send(effect: Effect, now: datetime) -> Effect:
    return replace(effect, state=OutboxState.SENT, done_at=now) if effect.state is OutboxState.PENDING else effect


def _doubt(effect: Effect, now: datetime) -> Effect:
    return replace(effect, state=OutboxState.UNKNOWN, decided_at=now) if effect.state is OutboxState.PENDING else effect


def _close(effect: Effect, now: datetime) -> Effect:
    if effect.task is TaskState.OPEN and effect.kind is not ActionKind.REFUND:
        return replace(effect, task=TaskState.DONE, done_at=now)
    return effect


PEOPLE: tuple[Callable[[Effect, datetime], Effect], ...] = (_approve, _reject, _partly, _send, _doubt, _close)


def lived(told: Dossier, course: list[tuple[datetime, int]]) -> tuple[Dossier, list[str], list[Any]]:
    """The dossier after this course of days and people's words, keys that were decided while they stood, all decisions."""
    keys: list[str] = []
    made: list[Any] = []
    for now, word in course:
        told = replace(told, shipments=tuple(replace(each, last_answer_at=now) for each in told.shipments))
        verdict = decide(told, RULES, now)
        open_before = {
            each.key for each in told.effects if each.state is not OutboxState.CANCELLED and each.task is not TaskState.DROPPED
        }
        gone = {key for key, _ in verdict.withdraw}
        keys += [each.key for each in verdict.decisions if each.key in open_before - gone]
        made += [(told, each, now) for each in verdict.decisions]
        told = carry_out(told, verdict, RULES, now, WAITS)
        told = replace(told, effects=tuple(PEOPLE[word](each, now) for each in told.effects))
    return told, keys, made


@many
@given(DOSSIERS, COURSE)
def test_i1_no_key_is_decided_while_it_stands(told: Dossier, course: list[tuple[datetime, int]]) -> None:
    """I1, D12: a slot that is used, or is on its way, is never opened again; one verdict never names a key twice."""
    _, again, made = lived(told, course)
    assert again == []
    for now in {at for _, _, at in made}:
        assert max(Counter(each.key for _, each, at in made if at == now).values()) == 1


@many
@given(DOSSIERS, WHEN, st.floats(0.001, 0.999))
def test_i2_nothing_comes_due_before_it_looks_again(told: Dossier, now: datetime, part: float) -> None:
    """I2: what is due is decided; between two looks nothing new is, and time alone wakes it.

    A claim's own day begins in the morning of its origin, and is looked for by the hour: that alone may be an hour late.
    """
    after = carry_out(told, decide(told, RULES, now), RULES, now, WAITS)
    verdict = decide(after, RULES, now)
    assert (verdict.decisions, verdict.withdraw) == ((), ())
    assert verdict.next_at is None or verdict.next_at > now
    until = now + 90 * DAY if verdict.next_at is None else verdict.next_at
    later = decide(after, RULES, now + (until - now) * part)
    assert (later.decisions, later.withdraw) == ((), ())


@many
@given(DOSSIERS, COURSE)
def test_i4_no_outreach_where_it_must_not_be(told: Dossier, course: list[tuple[datetime, int]]) -> None:
    """I4, D15: stage and courtesy stop after delivered, refunded, in a contested case, on opt-out, while the buyer waits."""
    for before, decision, _ in lived(told, course)[2]:
        if decision.kind is not ActionKind.MESSAGE or not MESSAGE_TYPES[base_key(decision.template)].kind.outreach:
            continue
        order = before.order
        assert not order.opted_out
        assert order.waiting_since is None
        assert not before.dispute_open
        assert order.refunded_at is None
        if MESSAGE_TYPES[base_key(decision.template)].kind.counts:
            about = next(each for each in before.shipments if each.number == decision.shipment)
            assert not about.delivered
            assert about.suspect is None


@many
@given(DOSSIERS, COURSE)
def test_i5_i7_money_is_counted_once_and_never_beyond_what_was_paid(told: Dossier, course: list[tuple[datetime, int]]) -> None:
    """I5, I7: over any course of approvals, halves and refusals; a claim is opened once an attempt."""
    after, _, _ = lived(told, course)
    keys = [each.key for each in after.effects]
    assert len(keys) == len(set(keys))
    attempts = [(each.shipment, each.attempt) for each in after.claims]
    assert len(attempts) == len(set(attempts))
    if after.order.amount is None:
        return
    promised = [each.amount or Decimal(0) for each in after.effects if each.kind is ActionKind.REFUND and each.open]
    assert sum(promised, after.order.refunded_amount or Decimal(0)) <= after.order.amount


@many
@given(DOSSIERS, COURSE, WHEN)
def test_the_quick_answer_for_a_quiet_order_is_the_whole_answer(
    told: Dossier, course: list[tuple[datetime, int]], now: datetime
) -> None:
    """What decide() spares a quiet order changes nothing: the same effects, the same next look, the same reasons when asked."""
    for each in (told, lived(told, course)[0]):
        quick, whole = decide(each, RULES, now), weigh(each, RULES, now)
        assert (quick.decisions, quick.withdraw, quick.claims, quick.day0) == (
            whole.decisions,
            whole.withdraw,
            whole.claims,
            whole.day0,
        )
        assert (quick.next_at, quick.waits_for_answer, quick.ask_now) == (whole.next_at, whole.waits_for_answer, whole.ask_now)
        assert quick.considered == whole.considered
