"""What a pause stops: by store, country, carrier, rule, template, channel; deadlines go on (operator experience, the brake)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import RULES, at, day, decision, dossier, parcel, refund, row, window
from tracker.model import ActionKind, Case, CaseKind, Channel, Intent, Pause
from tracker.policy.brake import Reach, pressing, reach, rule_ids, scope, stopping, stops
from tracker.policy.ramp import days, share
from tracker.rules import Manners

STAGE1 = Reach(
    kind=ActionKind.MESSAGE,
    store="jade",
    rule="br-standard.stage1",
    channel=Channel.TASK,
    template="stage1",
    countries=("BR",),
    carriers=("yanwen",),
)


def pause(**change: Any) -> Pause:
    values: dict[str, Any] = {"id": 1, "reason": "r", "by": "Mei", "since": day(0)}
    return Pause(**(values | change))


@pytest.mark.parametrize(
    ("named", "stopped"),
    [
        ({}, True),
        ({"store": "jade"}, True),
        ({"store": "lotus"}, False),
        ({"country": "BR"}, True),
        ({"country": "US"}, False),
        ({"carrier": "yanwen"}, True),
        ({"carrier": "ups"}, False),
        ({"rule": "br-standard"}, True),
        ({"rule": "br-standard.stage1"}, True),
        ({"rule": "br-standard.stage"}, False),
        ({"rule": "br-standard.stage2"}, False),
        ({"template": "stage1"}, True),
        ({"template": "stage2"}, False),
        ({"channel": "task"}, True),
        ({"channel": "smtp"}, False),
        ({"store": "jade", "country": "BR", "template": "stage1"}, True),
        ({"store": "jade", "country": "US", "template": "stage1"}, False),
    ],
)
def test_a_pause_stops_what_matches_all_that_it_names(named: dict[str, str], *, stopped: bool) -> None:
    assert stops(pause(**named), STAGE1) is stopped
    assert scope(pause(**named)) == (", ".join(f"{name} {value}" for name, value in named.items()) or "everything")


@pytest.mark.parametrize(
    ("kind", "pressing", "stopped", "with_deadlines"),
    [
        (ActionKind.MESSAGE, False, True, True),
        (ActionKind.MESSAGE, True, True, True),
        (ActionKind.REFUND, False, True, True),
        (ActionKind.REFUND, True, False, True),
        (ActionKind.EXTENSION, False, False, True),
        (ActionKind.COMPENSATION, False, False, True),
        (ActionKind.TASK, False, False, True),
    ],
)
def test_deadlines_go_on_unless_the_pause_names_them(
    kind: ActionKind, *, pressing: bool, stopped: bool, with_deadlines: bool
) -> None:
    """Extensions, claims, alerts about cases, and a refund that a case waits for (D20, D25)."""
    one = replace(STAGE1, kind=kind, pressing=pressing)
    assert stops(pause(), one) is stopped
    assert stops(pause(deadlines=True), one) is with_deadlines


def test_a_row_is_seen_with_its_own_parcels_country_and_carrier() -> None:
    mine = row(decision(at(30.5, parcel(heard=30.4)), Intent.STAGE1), 30.5)
    other = parcel("LP2", carrier="ups", country="US")
    two = dossier(parcel(), other)
    assert reach(mine, two) == replace(STAGE1, countries={"BR"}, carriers={"yanwen"})
    assert reach(replace(mine, shipment=None), two).carriers == {"yanwen", "ups"}
    assert reach(replace(mine, template="stage1_noscan"), two).template == "stage1"
    assert reach(replace(mine, template=None), two).template is None


def test_d25_a_case_presses_while_it_is_open_and_has_a_date() -> None:
    """D25: contested money always has one, in the marketplace's rules if nowhere else."""
    case = Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(40), due_at=day(43))
    assert pressing(dossier(parcel(), cases=(case,)))
    assert pressing(dossier(parcel(), cases=(replace(case, due_at=None),)))
    assert not pressing(dossier(parcel(), cases=(replace(case, due_at=None, kind=CaseKind.BAD_REVIEW),)))
    assert not pressing(dossier(parcel(), cases=(replace(case, closed_at=day(41)),)))


def test_the_longest_of_several_is_told() -> None:
    short, long, endless = pause(until=day(3)), pause(id=2, until=day(9)), pause(id=3)
    assert stopping([short, long], STAGE1, day(1)) == long
    assert stopping([short, endless, long], STAGE1, day(1)) == endless
    assert stopping([short, long], STAGE1, day(9)) is None
    assert stopping([pause(store="lotus")], STAGE1, day(1)) is None


def test_every_rule_that_decides_can_be_named() -> None:
    known = rule_ids(RULES)
    found = {
        each.rule
        for verdict in (
            at(31, parcel(last=28)),
            at(46, parcel(last=40)),
            at(61, parcel(last=45)),
            at(50, parcel(last=20), window=window(57)),
            at(40, parcel(last=None)),
            at(70, parcel(last=20), effects=(refund(61),)),
            at(31, parcel(last=28), waiting_since=day(28)),
        )
        for each in verdict.decisions
    }
    assert len(found) >= 6
    assert found <= known
    assert {"br-standard", "refund", "window", "yanwen-after", "defaults", "late_arrival"} <= known
    assert "br-standard.stage" not in known


@pytest.mark.parametrize(
    ("waiting", "gone", "today", "lasts"),
    [(0, 0, 20, 0), (5, 0, 20, 1), (20, 0, 20, 1), (21, 0, 20, 2), (300, 0, 30, 14), (270, 30, 30, 14), (10_000, 0, 1000, 47)],
)
def test_d21_a_tenth_of_the_backlog_a_day_and_a_small_one_at_once(waiting: int, gone: int, today: int, lasts: int) -> None:
    assert share(waiting, gone, Manners()) == today
    assert days(waiting, Manners(), gone) == lasts
