"""Orders along time: the whole story of a slow parcel, after downtime, and as it stood at any date (promise 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus
from tests.policy.build import DAY0, RULES, day, dossier, effect, order, parcel, refund, scan, window
from tracker.model import (
    ActionKind,
    Case,
    CaseKind,
    CaseOutcome,
    Claim,
    ClaimState,
    DecisionReason,
    Dossier,
    Heard,
    Intent,
    NotFound,
    OutboxState,
    Phase,
    TaskState,
)
from tracker.policy import decide
from tracker.timeline import Assume, History, Seen, Step, answers_of, as_of, carry_out, run

R = DecisionReason
S = TrackingStatus
ZERO = int(DAY0.timestamp())


def event(at: float, status: TrackingStatus = S.IN_TRANSIT, **change: Any) -> TrackingEvent:
    values: dict[str, Any] = {"key": f"{at}{status}".encode()[:8].ljust(8), "time": ZERO + int(at * 86_400), "local_time": None}
    return TrackingEvent(**(values | {"status": status, "description": "scan", "country": "CN"} | change))


def heard(at: float, *events: TrackingEvent, status: TrackingStatus | None = None, reason: TrackingReason | None = None) -> Heard:
    told = status or (events[-1].status if events else S.NOT_FOUND)
    return Heard(at=ZERO + int(at * 86_400), tracking=Tracking(number="LP1", status=told, reason=reason, events=events))


def story(steps: list[Step]) -> list[tuple[float, str, str]]:
    """What was decided: day, intent, reason; tasks of clerks left out."""
    return [
        (round((step.at - DAY0) / timedelta(days=1), 1), each.intent.value, each.reason.value)
        for step in steps
        for each in step.verdict.decisions
        if each.kind is not ActionKind.TASK
    ]


def told(*answers: Heard, until: float, assume: Assume | None = None, since: float = 0, **change: Any) -> list[Step]:
    history: History = {"LP1": answers}
    start = dossier(parcel(last=None, shipped_at=day(-1)), **change)
    return run(start, history, RULES, day(since), day(until), assume)


def test_the_story_of_a_parcel_that_never_came() -> None:
    """R1, R2, R3, R7, R8, R86, D13: told, soothed, claimed, recommended, extended; the text after the refund."""
    steps = told(heard(0.2, event(0)), heard(8.5, event(0), event(8)), until=90, window=window(57))
    assert story(steps) == [
        (30, "stage1", "stage_due"),
        (33, "compensation", "silence_reached_investigate"),
        (45, "stage2", "stage_due"),
        (47, "extension", "window_closes_soon"),
        (47, "extended", "window_was_extended"),
        (53, "refund", "silent_beyond_limit"),
        (53, "refund_issued", "refund_was_paid"),
    ]
    assert steps[-1].verdict.next_at is None


def test_the_story_of_a_parcel_that_comes_in_time() -> None:
    steps = told(heard(0.2, event(0)), heard(20, event(0), event(19, S.DELIVERED)), until=120)
    assert story(steps) == []
    assert steps[-1].verdict.next_at is None, "nothing is left to look at"


def test_the_story_of_a_parcel_that_keeps_moving() -> None:
    """D2: day 60 passes while it moves; the window is extended, and its second end asks for the money."""
    scans = [event(each) for each in range(0, 100, 5)]
    answers = [heard(each + 0.1, *scans[: index + 1]) for index, each in enumerate(range(0, 100, 5))]
    shown = story(told(*answers, until=90, window=window(60)))
    assert [each[1:] for each in shown] == [
        ("stage1", "stage_due"),
        ("stage2", "stage_due"),
        ("extension", "window_closes_soon"),
        ("extended", "window_was_extended"),
        ("extension", "window_closes_soon"),
        ("extended", "window_was_extended"),
        ("refund", "window_closes_unarrived"),
        ("stage3", "refund_was_paid"),
    ]


def test_the_story_of_a_recommendation_that_nobody_answers() -> None:
    """D2: it lapses after seven days and is made again."""
    quiet = Assume(refunds=False)
    answers = [heard(0.2, event(0)), heard(24, event(0), event(24)), heard(48, event(24), event(48))]
    steps = told(*answers, until=72.9, assume=quiet)
    shown = [(each.at, each.verdict) for each in steps]
    made = [each.occasion for _, verdict in shown for each in verdict.decisions if each.intent is Intent.REFUND]
    lapsed = [reason for _, verdict in shown for key, reason in verdict.withdraw if ":refund:" in key]
    assert made == ["0", "1"]
    assert lapsed == [R.LAPSED]


def test_a_week_of_downtime_says_what_is_due_now() -> None:
    """Level-triggered: started on day 46 the order has one message, the severe one."""
    shown = story(told(heard(0.2, event(0)), heard(44, event(0), event(43)), since=46, until=50))
    assert shown == [(46, "stage2", "stage_due")]


def test_sources_that_do_not_answer_prove_nothing() -> None:
    """Promise 2: the same parcel, sources down from day 9 on: no verdict, no claim; deadlines come all the same."""
    down = Assume(answering=False)
    steps = told(heard(0.2, event(0)), heard(8.5, event(0), event(8)), until=60, assume=down, window=window(57))
    assert {each[1] for each in story(steps)} == {"extension", "extended"}


def test_delivered_taken_back_goes_on_where_it_stopped() -> None:
    """D15: delivered on day 28, taken back on day 31: stage 1 is due at once."""
    answers = [
        heard(0.2, event(0)),
        heard(15.1, event(0), event(15)),
        heard(28.1, event(0), event(28, S.DELIVERED)),
        heard(31, event(0), event(28, S.DELIVERED), event(30.9, country="BR")),
    ]
    assert story(told(*answers, until=35)) == [(31, "stage1", "stage_due")]


def test_what_is_not_taken_to_be_done_stays_open() -> None:
    start = dossier(parcel(last=45, heard=61))
    verdict = decide(start, RULES, day(61))
    after = carry_out(start, verdict, RULES, day(61), Assume(messages=False, extensions=False, refunds=False))
    assert [(each.intent, each.state) for each in after.effects] == [(Intent.REFUND, OutboxState.HELD)]
    assert (after.version, after.order.refunded_at) == (1, None)
    assert after.shipments[0].day0 is None
    near = dossier(parcel(last=47), window=window(57))
    left = carry_out(near, decide(near, RULES, day(50)), RULES, day(50), Assume(extensions=False))
    assert [each.task for each in left.effects if each.kind is ActionKind.EXTENSION] == [TaskState.OPEN]
    assert left.order.window == window(57)
    again = replace(verdict, decisions=(*verdict.decisions, *verdict.decisions))
    assert len(carry_out(start, again, RULES, day(61)).effects) == 1


def test_what_the_facts_take_back_is_marked() -> None:
    open_task = effect(Intent.EXTENSION, 47, kind=ActionKind.EXTENSION, task=TaskState.OPEN, occasion=day(57).date().isoformat())
    pending = effect(Intent.STAGE1, 30, state=OutboxState.PENDING)
    sent = effect(Intent.STAGE2, 45)
    start = dossier(parcel(last=45), effects=(open_task, pending, sent))
    verdict = replace(decide(start, RULES, day(1)), withdraw=tuple((each.key, R.DELIVERED) for each in start.effects))
    after = {each.intent: each for each in carry_out(start, verdict, RULES, day(50)).effects}
    assert after[Intent.EXTENSION].task is TaskState.DROPPED
    assert after[Intent.STAGE1].state is OutboxState.CANCELLED
    assert after[Intent.STAGE2] == sent


# ------------------------------------------------------------------------------------------------------------ looking back


def seen(at: float, *events: TrackingEvent) -> list[Seen]:
    return [Seen(event=each, at=ZERO + int(at * 86_400), source="17") for each in events]


SCANS = [*seen(0.5, event(0)), *seen(20.5, event(20)), *seen(40.5, event(40, S.DELIVERED))]


def now_delivered(**change: Any) -> Dossier:
    end = scan(40, S.DELIVERED)
    done = parcel(last=40, heard=60, status=S.DELIVERED, first_scan=scan(0), last_scan=end, delivered_scan=end)
    return dossier(done, **change)


def test_a_dossier_as_it_stood_before_a_scan_was_seen() -> None:
    then = as_of(now_delivered(), {"LP1": SCANS}, day(40.2)).shipments[0]
    assert (then.status, then.last_answer_at) == (S.IN_TRANSIT, day(40.2))
    assert then.last_scan is not None
    assert then.last_scan.latest == day(20)
    before = as_of(now_delivered(), {"LP1": SCANS}, day(0.1)).shipments[0]
    assert (before.status, before.last_scan, before.last_answer_at) == (S.UNKNOWN, None, None)


def test_a_dossier_as_it_stands_is_left_alone() -> None:
    told_now = now_delivered()
    assert as_of(told_now, {"LP1": SCANS}, day(70)) == told_now
    assert as_of(dossier(parcel(last=None)), {}, day(70)) == dossier(parcel(last=None))


def test_the_answers_that_brought_the_scans() -> None:
    answers = answers_of("LP1", SCANS)
    assert [(each.at - ZERO) / 86_400 for each in answers] == [0.5, 20.5, 40.5]
    assert [len(each.tracking.events) for each in answers] == [1, 2, 3]
    assert answers[-1].tracking.status is S.DELIVERED
    timeless = answers_of("LP1", seen(3, event(0, time=None)))
    assert timeless[0].tracking.status is S.UNKNOWN


def test_a_run_of_not_found_as_far_as_it_had_come() -> None:
    lost = parcel(last=None, heard=13, status=S.NOT_FOUND, not_found=NotFound(answers=10, since=day(3)), registered_at=day(1))
    half = as_of(dossier(lost), {}, day(8)).shipments[0]
    assert (half.status, half.not_found) == (S.NOT_FOUND, NotFound(answers=5, since=day(3)))
    early = as_of(dossier(lost), {}, day(2)).shipments[0]
    assert (early.not_found, early.last_answer_at) == (None, day(2))
    assert as_of(dossier(lost), {}, day(20)).shipments[0] == lost


def test_facts_of_later_days_are_not_known_yet() -> None:
    claim = Claim(
        shipment="LP1",
        attempt=1,
        state=ClaimState.READY,
        rule="yanwen-after",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=None,
        latest_on=None,
        payable=None,
        currency=None,
        opened_at=day(33),
    )
    paid = replace(refund(53, state=OutboxState.SENT, task=TaskState.DONE, decided_at=day(54)), done_at=day(55))
    stage2 = replace(effect(Intent.STAGE2, 45), done_at=day(46))
    task = replace(
        effect(Intent.EXTENSION, 47, task=TaskState.DONE, kind=ActionKind.EXTENSION, occasion="2026-05-28"), done_at=day(48)
    )
    late = Dossier(
        order=order(
            window=replace(window(72), extensions=1),
            refunded_at=day(55),
            refunded_amount=Decimal(30),
            refund_reference="R-1",
            received_at=day(80),
            waiting_since=day(79),
        ),
        shipments=(parcel(last=40, heard=60, day0=day(0)),),
        cases=(
            Case(
                id="1",
                kind=CaseKind.DISPUTE,
                opened_at=day(41),
                answered_at=day(48),
                closed_at=day(50),
                outcome=CaseOutcome.WON,
            ),
            Case(id="2", kind=CaseKind.INQUIRY, opened_at=day(70)),
        ),
        claims=(claim,),
        effects=(effect(Intent.STAGE1, 30), stage2, task, paid),
    )
    then = as_of(late, {}, day(45.5))
    assert (then.order.refunded_at, then.order.refunded_amount, then.order.received_at, then.order.waiting_since) == (None,) * 4
    assert then.order.window is not None
    assert (then.order.window.end, then.order.window.extensions) == (day(57), 0)
    assert [(each.id, each.answered_at, each.closed_at, each.outcome) for each in then.cases] == [("1", None, None, None)]
    assert [each.outcome for each in as_of(late, {}, day(51)).cases] == [CaseOutcome.WON]
    assert then.claims == (claim,)
    assert [(each.intent, each.state, each.done_at) for each in then.effects] == [
        (Intent.STAGE1, OutboxState.SENT, day(30)),
        (Intent.STAGE2, OutboxState.PENDING, None),
    ]
    assert then.shipments[0].day0 == day(0)
    assert as_of(late, {}, day(29)).shipments[0].day0 is None
    on_54 = {each.intent: each for each in as_of(late, {}, day(54.5)).effects}
    assert (on_54[Intent.REFUND].task, on_54[Intent.REFUND].done_at) == (TaskState.OPEN, None)
    on_53 = {each.intent: each for each in as_of(late, {}, day(53.5)).effects}
    assert (on_53[Intent.REFUND].state, on_53[Intent.REFUND].decided_at) == (OutboxState.HELD, None)
    assert as_of(late, {}, day(60)).order.refund_reference == "R-1"


@pytest.mark.parametrize("at", [10, 29, 31, 46])
def test_looking_back_decides_what_was_decided_then(at: float) -> None:
    """Promise 3: explain --at reads any dossier as of that time, through the same decide()."""
    then = as_of(now_delivered(), {"LP1": SCANS}, day(at))
    decided = [each.intent.value for each in decide(then, RULES, day(at)).decisions]
    assert decided == (["stage1"] if at == 31 else [])
