"""The next date of a parcel that people or money must meet: polling asks oftener before it (R6, D3, D20)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import RULES, day, delivered, dossier, parcel, window
from tracker.model import Case, CaseKind, Claim, ClaimState, Dossier, OrderState, Phase
from tracker.policy.deadlines import moved_deadlines

NOW = day(50)
OPEN = window(60)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def moved(told: Dossier, now: datetime = NOW) -> dict[int, int | None]:
    return dict(moved_deadlines(told, RULES, now))


def case(**change: Any) -> Case:
    values: dict[str, Any] = {"id": "C1", "kind": CaseKind.DISPUTE, "opened_at": day(48), "due_at": day(53)}
    return Case(**(values | change))


def claim(**change: Any) -> Claim:
    values: dict[str, Any] = {
        "shipment": "LP1",
        "attempt": 0,
        "state": ClaimState.READY,
        "rule": "yanwen",
        "phase": Phase.PRE_SCAN,
        "cause": "carrier_says_lost",
        "earliest_on": None,
        "latest_on": day(55).date(),
        "payable": None,
        "currency": None,
        "opened_at": day(45),
    }
    return Claim(**(values | change))


def test_r6_the_end_of_the_window_is_the_date_of_what_is_under_way() -> None:
    """R6: it is told once; what polling knows already is no news, and what has arrived has no such date."""
    told = dossier(parcel(), window=OPEN)
    assert moved(told) == {1: seconds(OPEN.end)}
    known = replace(told, shipments=(replace(told.shipments[0], deadline_at=seconds(OPEN.end)),))
    assert moved(known) == {}
    there = delivered(known.shipments[0], 49)
    assert moved(replace(known, shipments=(there,))) == {1: None}
    assert moved(known, now=OPEN.end + timedelta(seconds=1)) == {1: None}, "it has passed"


@pytest.mark.parametrize(
    "change",
    [
        {"window": None},
        {"received_at": day(49)},
        {"refunded_at": day(49)},
        {"state": OrderState.FINISHED},
        {"state": OrderState.CANCELLED},
    ],
    ids=["no window", "received", "refunded", "finished", "cancelled"],
)
def test_a_settled_order_has_no_window_to_meet(change: dict[str, Any]) -> None:
    assert moved(dossier(parcel(), **({"window": OPEN} | change))) == {}


@pytest.mark.parametrize(
    ("cases", "claims", "date"),
    [
        ((case(),), (), day(53)),
        ((case(closed_at=day(49)),), (), OPEN.end),
        ((case(answered_at=day(49)),), (), OPEN.end),
        ((case(answered_at=day(49), evidence_due_at=day(52)),), (), day(52)),
        ((case(due_at=day(49)),), (), OPEN.end),
        ((case(shipment="OTHER"),), (), OPEN.end),
        ((case(shipment="LP1"),), (), day(53)),
        ((), (claim(),), datetime.combine(day(56).date(), datetime.min.time(), UTC)),
        ((), (claim(state=ClaimState.FILED),), OPEN.end),
        ((), (claim(latest_on=None),), OPEN.end),
        ((), (claim(shipment="OTHER"),), OPEN.end),
        ((case(),), (claim(latest_on=day(51).date()),), datetime.combine(day(52).date(), datetime.min.time(), UTC)),
    ],
)
def test_d3_the_nearest_of_what_is_still_to_be_done(cases: tuple[Case, ...], claims: tuple[Claim, ...], date: datetime) -> None:
    """D3: a case by its own date, evidence, an unfiled claim to the end of its last day; what is done or over counts no more."""
    told = replace(dossier(parcel(), cases=cases, window=OPEN), claims=claims)
    assert moved(told) == {1: seconds(date)}


def test_d20_an_open_case_keeps_a_delivered_parcel_followed() -> None:
    """D20: money is open, and a delivery can be taken back."""
    there = delivered(parcel(), 30)
    assert there.status is TrackingStatus.DELIVERED
    assert moved(dossier(there, cases=(case(),), window=OPEN)) == {1: seconds(day(53))}
    assert moved(dossier(there, window=OPEN)) == {}
