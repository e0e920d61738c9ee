"""Whose days a ladder has: the destination's, by what tracking shows, by own deliveries, by store, by order (R5, R34, R1-R3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import RULES, at, day, decision, keys, parcel, profile, rules
from tracker.model import Capability, Intent
from tracker.rules import STAGES, Learned, Manners, Profile, Rules

FAST = Learned(count=200, p50=9.0, p80=13.2, p90=16.0, p95=19.4, p99=27.1)
SLOW = Learned(count=900, p50=41.0, p80=58.0, p90=70.0, p95=81.0, p99=118.0)


def days(found: Profile) -> tuple[int, ...]:
    return tuple(found.stages[stage] for stage in STAGES)


def learning(own: Learned, **change: Any) -> Rules:
    return replace(RULES, learned={"BR/standard": own}, profiles=(profile(**change), *RULES.profiles[1:]))


@pytest.mark.parametrize(
    ("own", "change", "expected"),
    [
        (FAST, {}, (14, 20, 28)),
        (replace(FAST, count=199), {}, (30, 45, 60)),
        (FAST, {"learn": False}, (30, 45, 60)),
        (SLOW, {}, (58, 81, 118)),
        (SLOW, {"limit_days": 60}, (58, 59, 60)),  # R5: the limit of patience stays
        (SLOW, {"guarantee_days": 75}, (58, 65, 75)),  # stage 2 ten days before the protection ends, none after it
        (replace(FAST, p80=1.0, p95=1.0, p99=2.0), {"limit_days": 1}, (30, 45, 60)),  # no room for three stages: the prior
    ],
)
def test_r5_own_deliveries_replace_the_days_once_there_are_enough(
    own: Learned, change: dict[str, Any], expected: tuple[int, ...]
) -> None:
    assert days(learning(own, **change).profile("BR", "standard")) == expected


def test_r34_the_expected_range_is_learned_too() -> None:
    found = learning(FAST).profile("BR", "standard")
    assert (found.p50, found.p90, found.p99, found.learned) == (9, 16, 28, 200)


def test_zero_switches_learning_off() -> None:
    shop = replace(learning(FAST), manners=Manners(learn_from=0))
    assert days(shop.profile("BR", "standard")) == (30, 45, 60)


def test_a_profile_for_what_tracking_shows_goes_before_the_general_one() -> None:
    """Ladders follow destination, service and tracking capability: the first match wins."""
    blind = profile(id="br-blind", tracking=Capability.EXPORT_ONLY)
    shop = rules(profiles=(*RULES.profiles, blind))
    assert shop.profile("BR", "standard", tracking=Capability.EXPORT_ONLY).id == "br-blind"
    assert shop.profile("BR", "standard", tracking=Capability.END_TO_END).id == "br-standard"


def test_r1_a_stores_own_days_go_before_the_destination_and_before_what_was_learned() -> None:
    store = replace(RULES.stores["jade"], stages={"br-standard": {Intent.STAGE1: 35}})
    shop = replace(learning(FAST), stores={**RULES.stores, "jade": store})
    assert days(shop.profile("BR", "standard", store="jade")) == (35, 45, 60)
    assert days(replace(RULES, stores={"jade": store}).profile("BR", "standard", store="jade")) == (35, 45, 60)
    assert keys(at(34, parcel(last=32), rules=replace(RULES, stores={"jade": store}))) == []
    found = decision(at(35, parcel(last=32), rules=replace(RULES, stores={"jade": store})), Intent.STAGE1)
    assert (found.intent, found.evidence["ladder"]) == (Intent.STAGE1, "store")


def test_r1_an_orders_own_days_go_before_all() -> None:
    days40 = {Intent.STAGE1: 40}
    assert keys(at(39, parcel(last=37), stages=days40)) == []
    found = decision(at(40, parcel(last=38), stages=days40), Intent.STAGE1)
    assert (found.intent, found.not_before, found.evidence["ladder"]) == (Intent.STAGE1, day(40), "order")


def test_what_was_learned_stands_in_the_evidence() -> None:
    found = decision(at(14, parcel(last=12), rules=learning(FAST)), Intent.STAGE1)
    assert (found.intent, found.evidence["own_deliveries"]) == (Intent.STAGE1, "200")
    assert found.not_before == day(0) + timedelta(days=14)
