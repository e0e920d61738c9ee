"""From which moment on a condition is told: order files that stay away, money that waits for a word, figures that run out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.desk.world import NOW, RULES, STORE, World
from tracker import config
from tracker.alerts.conditions import Look, conditions
from tracker.clock import FixedClock
from tracker.config import Loaded
from tracker.desk import review
from tracker.metrics import count
from tracker.model import Claim, ClaimState, Phase
from tracker.model.alerts import AlertKind
from tracker.store import Store, create, open_store
from tracker.store.alerts import Raised
from tracker.store.claims import ClaimView
from tracker.store.quota import Forecast
from tracker.store.rulesets import WAITING, Ruleset

K = AlertKind
HOUR = timedelta(hours=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    opened = await open_store(url, clock=FixedClock(NOW), daemon=True)
    yield World(opened)
    await opened.close()


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    (tmp_path / "stores").mkdir()
    shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\nmode = "live"\nfiles_every_h = 24\n'
    (tmp_path / "stores" / f"{STORE}.toml").write_text(shop, encoding="utf-8")
    (tmp_path / "tracker.toml").write_text("[alerts]\nfree_mb = 500\n", encoding="utf-8")
    return config.load(tmp_path / "tracker.toml", environ={})


async def told(store: Store, loaded: Loaded, kind: AlertKind, at: datetime = NOW, **seen: Any) -> list[Raised]:
    counted = replace(await count(store, loaded, at), **seen.pop("counted", {}))
    return conditions(Look(counted=counted, loaded=loaded, **seen))[kind]


@pytest.mark.parametrize(("hours", "late"), [(36, False), (37, True), (80, True)])
async def test_d20_an_order_file_that_stays_away_is_told_after_a_day_and_a_half(
    world: World, loaded: Loaded, hours: int, *, late: bool
) -> None:
    """D20: expected every 24 hours; once by its last import, however often it is looked at."""
    assert await told(world.store, loaded, K.ORDER_FILES_LATE) == [], "a shop that was never imported is none that is late"
    await world.order("A-1")
    found = await told(world.store, loaded, K.ORDER_FILES_LATE, NOW + hours * HOUR)
    assert [(each.subject, each.store, each.facts["last"]) for each in found] == (
        [(STORE, STORE, "2026-03-01T12:30:00Z")] if late else []
    )


@pytest.mark.parametrize(("hours", "waits"), [(23, 0), (24, 1)])
async def test_d23_a_large_refund_that_nobody_else_looks_at_is_told_after_a_day(
    world: World, loaded: Loaded, hours: int, waits: int
) -> None:
    """D23: two people decide; a second one who never comes is the buyer's money that never goes."""
    row = await world.refund(await world.order("A-1", amount=Decimal(80)), Decimal(80))
    await review.decide(world.store, row, approve=True, by="Mei", reason="checked", seen=None, rules=RULES, now=NOW)
    seconds = await world.store.waiting_second()
    found = await told(world.store, loaded, K.SECOND_PERSON, NOW + hours * HOUR, seconds=seconds)
    assert [each.subject for each in found] == ["A-1"] * waits


async def test_d24_a_recommendation_is_told_in_the_last_hour_that_leaves_a_day_for_it(world: World, loaded: Loaded) -> None:
    """D11, D24: one with a date, by its sum; where nobody knows the sum the alert names none, without a date there is none."""
    for number, amount, deadline in (
        ("A-1", Decimal("12.50"), NOW + 25 * HOUR),
        ("A-2", None, NOW + 25 * HOUR),
        ("A-3", Decimal("12.50"), NOW + 26 * HOUR),
        ("A-4", Decimal("12.50"), None),
    ):
        await world.refund(await world.order(number), amount, deadline=deadline)
    found = await told(world.store, loaded, K.REVIEW_DUE, reviews=await world.store.reviews())
    assert sorted((each.subject.split()[0], each.facts["amount"]) for each in found) == [("A-1", "12.50 USD"), ("A-2", "")]


@pytest.mark.parametrize(("days", "counts"), [(20, 0), (14, 1)])
async def test_r86_a_claim_window_is_told_a_fortnight_before_it_closes(
    world: World, loaded: Loaded, days: int, counts: int
) -> None:
    """R86: of every claim in the register that can still be filed."""
    claim = Claim(
        shipment="LX1", attempt=1, state=ClaimState.READY, rule="yanwen-c-pre-scan", phase=Phase.PRE_SCAN, cause="never_scanned",
        earliest_on=NOW.date(), latest_on=NOW.date() + timedelta(days=days), payable=Decimal(9), currency="USD", opened_at=NOW,
    )  # fmt: skip
    view = ClaimView(claim=claim, carrier="yanwen", service="economy", store=STORE, order="A-1", order_id=1)
    assert len(await told(world.store, loaded, K.CLAIM_CLOSES, NOW + 12 * HOUR, claims=[view])) == counts


@pytest.mark.parametrize(("in_days", "ends"), [(4, 0), (3, 1), (0, 1), (None, 0)])
async def test_a_quota_is_told_while_there_is_time_to_buy_more(
    world: World, loaded: Loaded, in_days: int | None, ends: int
) -> None:
    """Promise 2, facts/operator-experience.md: a source whose quota is used up answers nothing, and nothing is decided."""
    on = None if in_days is None else NOW.date() + timedelta(days=in_days)
    forecast = Forecast(source="17track", used_today=900, left=2700, mean=900, ends_on=on)
    found = await told(world.store, loaded, K.QUOTA_ENDS, quota=[forecast])
    assert [each.facts["forecast"] for each in found] == [f"2700 left, 900 a day, ends on {on}"] * ends


@pytest.mark.parametrize(("parked", "tells"), [(0, 0), (2, 1)])
async def test_rows_that_nothing_can_read_are_told_once_a_day(world: World, loaded: Loaded, parked: int, tells: int) -> None:
    """Faults: one broken row is set aside and stops no other; somebody has to look at it."""
    counts = replace((await count(world.store, loaded, NOW)).counts, parked=parked)
    first, later, tomorrow = [
        await told(world.store, loaded, K.PARKED, at, counted={"counts": counts}) for at in (NOW, NOW + HOUR, NOW + 24 * HOUR)
    ]
    assert len({each.key for each in first + later}) == tells
    assert len({each.key for each in first + tomorrow}) == 2 * tells


@pytest.mark.parametrize(("megabytes", "low"), [(500, 0), (499, 1), (None, 0)])
async def test_a_disk_that_fills_is_told_at_once(world: World, loaded: Loaded, megabytes: int | None, low: int) -> None:
    """Faults: a full disk stops every promise; a system that tells no figure is not taken to be full."""
    free = None if megabytes is None else megabytes * 1024**2
    found = await told(world.store, loaded, K.DISK_LOW, free_bytes=free)
    assert [each.facts["free"] for each in found] == ["499 MB"] * low


async def test_rules_that_wait_for_their_acceptance_are_told(world: World, loaded: Loaded) -> None:
    """Fault 20: a change of the configuration that touches many parcels is held until somebody says yes."""
    waits = Ruleset(
        hash="abc", state=WAITING, first_at=NOW, in_force_at=NOW, in_force=True, compared=True, touched=90, open_parcels=100,
        held=7, summary={}, accepted_at=None, accepted_by=None,
    )  # fmt: skip
    assert await told(world.store, loaded, K.RULES_WAIT) == []
    [found] = await told(world.store, loaded, K.RULES_WAIT, counted={"rules_wait": waits})
    assert found.kind == "rules_wait"
