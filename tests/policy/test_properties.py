"""What must hold for every order at every time: I4, I7, idempotence, and that nothing is due between two looks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import CARNIVAL, CNY, PEAK, RULES, day, dossier, parcel, rules, scan, window
from tracker.dates import DAY
from tracker.model import (
    ActionKind,
    Capability,
    Case,
    CaseKind,
    Dossier,
    Intent,
    NotFound,
    OrderState,
    OutboxState,
    Settle,
    Settled,
    Shipment,
    TaskState,
    WindowSource,
)
from tracker.policy import decide
from tracker.timeline import Assume, carry_out

SEASONAL = rules(seasons=(CNY, PEAK, CARNIVAL))
NOTHING_DONE = Assume(messages=False, extensions=False, refunds=False)
OUTREACH = {Intent.STAGE1, Intent.STAGE2}


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


PARCEL = st.fixed_dictionaries(
    {
        "last": st.one_of(st.none(), st.integers(0, 80)),
        "heard": st.one_of(st.none(), st.integers(0, 120)),
        "status": st.sampled_from(TrackingStatus),
        "seen_in": one_of(None, "CN", "BR"),
        "reason": one_of(None, TrackingReason.LOST, TrackingReason.DUTIES_UNPAID, TrackingReason.CUSTOMS_HOLD),
        "capability": st.sampled_from(Capability),
        "matched": st.booleans(),
        "settled_by": one_of(None, "platform"),
        "suspect": one_of(None, None, None, "another_parcel"),
        "share": one_of(None, Decimal("12.00"), Decimal("25.00")),
        "not_found": one_of(None, NotFound(answers=6, since=day(3)), NotFound(answers=2, since=day(9), sources=2)),
        "country": one_of("BR", "US", "MX"),
        "service_text": one_of(None, "a text"),
    }
)
SEND, SKIP = (Settled(how=how, by="Mei", at=day(34)) for how in (Settle.SEND, Settle.SKIP))
ORDER = st.fixed_dictionaries(
    {
        "state": st.sampled_from(OrderState),
        "platform": one_of("aliexpress", "ebay", "ownshop"),
        "window": one_of(None, window(57), window(75, WindowSource.ESTIMATED), window(80, extensions=2)),
        "opted_out": st.booleans(),
        "waiting_since": one_of(None, None, day(28)),
        "received_at": one_of(None, None, None, day(30)),
        "hold_until": one_of(None, None, day(50)),
        "cutover_at": one_of(None, None, day(35), day(62)),
        "contacted": one_of({}, {}, {Intent.STAGE1: day(31)}, {Intent.STAGE3: day(33)}),
        "settled": one_of({}, {}, {Intent.STAGE2: SEND, Intent.STAGE3: SEND}, {Intent.STAGE1: SKIP, Intent.STAGE3: SKIP}),
        "refunded_at": one_of(None, None, None, day(40)),
        "refunded_amount": one_of(Decimal("30.00"), Decimal("10.00")),
        "amount": one_of(None, Decimal("30.00"), Decimal("30.01")),
    }
)
CASES = one_of((), (), (Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(44)),))


def made(number: str, values: dict[str, Any]) -> Shipment:
    told = dict(values)
    last, status, country = told.pop("last"), told.pop("status"), told.pop("seen_in")
    shipment = parcel(number, last=last, **told)
    if last is None:
        return shipment
    end = scan(last, status, country=country)
    return replace(shipment, status=status, last_scan=end, delivered_scan=end if status is TrackingStatus.DELIVERED else None)


def told_by(parcels: list[dict[str, Any]], facts: dict[str, Any], cases: tuple[Case, ...]) -> Dossier:
    if facts["refunded_at"] is None:
        facts = facts | {"refunded_amount": None}
    shipments = [replace(made(f"LP{index}", values), id=index) for index, values in enumerate(parcels, 1)]
    return dossier(*shipments, cases=cases, **facts)


DOSSIERS = st.builds(told_by, st.lists(PARCEL, min_size=1, max_size=2), ORDER, CASES)
WHEN = st.integers(0, 130 * 24).map(lambda hours: day(hours / 24))
many = settings(max_examples=120, deadline=None)


@many
@given(DOSSIERS, WHEN)
def test_deciding_twice_changes_nothing(told: Dossier, now: Any) -> None:
    """Level-triggered: with its effects stored, the same question has no new answer."""
    verdict = decide(told, SEASONAL, now)
    after = carry_out(told, verdict, SEASONAL, now, NOTHING_DONE)
    again = decide(after, SEASONAL, now)
    assert (again.decisions, again.withdraw) == ((), ())
    assert decide(told, SEASONAL, now) == verdict


@many
@given(DOSSIERS, WHEN, st.floats(0.001, 0.999))
def test_nothing_becomes_due_before_it_looks_again(told: Dossier, now: Any, part: float) -> None:
    """engine.md 2.2: `next_at` is when the answer can change by time alone; a sleeping dossier misses nothing."""
    after = carry_out(told, decide(told, SEASONAL, now), SEASONAL, now, NOTHING_DONE)
    verdict = decide(after, SEASONAL, now)
    assert verdict.next_at is None or verdict.next_at > now
    until = now + 90 * DAY if verdict.next_at is None else verdict.next_at
    between = now + (until - now) * part
    later = decide(after, SEASONAL, between)
    assert (later.decisions, later.withdraw) == ((), ())


@many
@given(DOSSIERS, WHEN)
def test_i4_no_outreach_where_it_must_not_be(told: Dossier, now: Any) -> None:
    """I4: after delivered, refunded, an open dispute, opt-out, or while the buyer waits; and none about a suspect number."""
    verdict = decide(told, RULES, now)
    written = [each for each in verdict.decisions if each.intent in OUTREACH]
    order = told.order
    stopped = (
        told.dispute_open
        or order.opted_out
        or order.waiting_since is not None
        or order.received_at is not None
        or order.state in {OrderState.CANCELLED, OrderState.FINISHED, OrderState.UNPAID}
        or all(each.delivered for each in told.shipments)
        or (order.refunded_at is not None)
    )
    assert not (stopped and written)
    by_number = {each.number: each for each in told.shipments}
    for each in written:
        about = by_number[each.shipment or ""]
        assert not about.delivered
        assert about.suspect is None
        assert about.last_answer_at is not None
        assert now - about.last_answer_at <= timedelta(hours=48), "D20"


@many
@given(DOSSIERS, st.lists(WHEN, min_size=1, max_size=6).map(sorted))
def test_i7_refunds_never_exceed_what_was_paid(told: Dossier, moments: list[Any]) -> None:
    """I7: open, approved and paid refunds together, over any course of days."""
    for now in moments:
        fresh = [replace(each, last_answer_at=now) for each in told.shipments]
        told = replace(told, shipments=tuple(fresh))
        told = carry_out(told, decide(told, RULES, now), RULES, now, NOTHING_DONE)
    if told.order.amount is None:
        return
    promised = [each.amount or Decimal(0) for each in told.effects if each.kind is ActionKind.REFUND and each.open]
    assert sum(promised, told.order.refunded_amount or Decimal(0)) <= told.order.amount


@many
@given(DOSSIERS, WHEN)
def test_every_rule_that_does_nothing_says_why(told: Dossier, now: Any) -> None:
    """Promise 3: a named reason for nothing; I4: no stage is skipped without one."""
    verdict = decide(told, RULES, now)
    assert verdict.decisions or verdict.considered
    spoke = {each.intent for each in verdict.decisions} | {each.rule.rpartition(".")[2] for each in verdict.considered}
    assert spoke >= OUTREACH or "ladder" in spoke
    assert len({each.key for each in verdict.decisions}) == len(verdict.decisions)


@many
@given(DOSSIERS, WHEN)
def test_what_it_takes_back_can_be_taken_back(told: Dossier, now: Any) -> None:
    """D17: only what nobody called and nobody has in hand."""
    told = carry_out(told, decide(told, RULES, day(46)), RULES, day(46), NOTHING_DONE)
    taken = dict(decide(told, RULES, now).withdraw)
    for each in told.effects:
        if each.key in taken:
            assert each.state in {OutboxState.HELD, OutboxState.PENDING} or each.task is TaskState.OPEN


@many
@given(DOSSIERS, WHEN)
def test_nobody_is_told_a_stage_that_he_was_told_outside_or_before_the_cut_over(told: Dossier, now: Any) -> None:
    """Faults row 35: a takeover writes to nobody twice, and of what was due before only what a person wants."""
    order = told.order
    for each in decide(told, RULES, now).decisions:
        if each.intent not in OUTREACH:
            continue
        assert not [stage for stage in order.contacted if stage >= each.intent]
        word = order.settled.get(each.intent)
        assert word != SKIP
        assert word == SEND or order.cutover_at is None or (each.not_before or now) >= order.cutover_at
