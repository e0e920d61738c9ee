"""The books of claims close in whatever order things are said, through three months that are closed meanwhile (R86, R87)."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.desk.world import NOW, RULES, World, new_world
from tracker.compensation import OPEN, IllegalMove, event_for, outstanding
from tracker.compensation.ledger import ACCEPTED
from tracker.desk import claims as desk
from tracker.desk.errors import Refused
from tracker.model import Claim, ClaimState, Intent, Liable, LossType, Phase, Settlement
from tracker.reports.month_end import MonthEnd, closes, month_end
from tracker.reports.postings import Posting, postings
from tracker.store.claims import ClaimView, after_month
from tracker.store.errors import Conflict

S = ClaimState
AMOUNTS = st.none() | st.sampled_from(
    [Decimal("0.004"), Decimal(5), Decimal("12.345"), Decimal("19.99"), Decimal(20), Decimal(30)]
)
SAID = st.fixed_dictionaries(
    {"state": st.integers(0, 20), "amount": AMOUNTS, "whole": st.booleans(), "how": st.sampled_from(Settlement)}
)
PATCH = st.sampled_from(
    [
        {"item_cost": Decimal(8), "item_cost_currency": "USD"},
        {"item_cost": Decimal(25)},
        {"claimed": Decimal("20.005")},
        {"claimed_currency": "EUR"},
        {"liable": Liable.SELLER},
    ]
)
STEP = st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(-40, 1), SAID | PATCH | st.just("close") | st.just("again"))


async def opened(world: World, count: int) -> list[int]:
    """Claims that can be filed, each of a parcel of its own, of 20 USD."""
    found = []
    for at in range(count):
        number = f"RB12345678{at}CN"
        order = await world.order(f"A-{at}", number)
        row = await world.effect(order, Intent.COMPENSATION, subject=f"shipment/{number}", shipment=number, occasion="1")
        [dossier] = await world.store.load_dossiers([order])
        values: dict[str, Any] = {"shipment": number, "attempt": 1, "state": S.READY, "rule": "yanwen-c-pre-scan"}
        values |= {"phase": Phase.IN_TRANSIT, "cause": "carrier_says_lost", "earliest_on": NOW.date(), "latest_on": None}
        fresh = Claim(**values, payable=Decimal("20.00"), currency="USD", opened_at=NOW)
        claim = await world.store.open_claim(row, fresh, version=dossier.version, now=NOW)
        assert claim is not None
        found.append(claim)
    return found


def doing(world: World, now: datetime = NOW) -> desk.Desk:
    return desk.Desk(store=world.store, rules=RULES, by="Mei", now=now)


async def ends(world: World, month: str) -> tuple[MonthEnd, list[ClaimView]]:
    views = await world.store.claims()
    return month_end(views, await world.store.claim_changes(), month), views


async def step(world: World, now: datetime, claim: int, back: int, said: Any) -> None:
    """One thing that somebody says; what is refused is refused."""
    seen = await world.store.claim(claim)
    try:
        if said == "close":
            month = f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"
            await world.store.close_month(month, b"", b"", by="Mei", now=now)
        elif said == "again":
            await desk.again(doing(world, now), claim, "once more")
        elif "state" in said:
            possible = [each for each in S if each is not S.WITHDRAWN and _leads(seen.claim.state, each)]
            state = possible[said["state"] % len(possible)] if said["state"] < 20 and possible else S.WITHDRAWN
            word = desk.Said(
                **{**said, "state": state},
                on=now.date() + timedelta(days=back),
                reference=f"{now}",
                currency="USD",
                why="because",
            )
            await desk.say(doing(world, now), claim, word, desk.ClaimPatch())
        else:
            await desk.say(doing(world, now), claim, None, desk.ClaimPatch(**said))
    except (Refused, Conflict):
        return


def _leads(state: ClaimState, wanted: ClaimState) -> bool:
    try:
        event_for(state, wanted)
    except IllegalMove:
        return False
    return state is not wanted


def sums(booked: list[Posting], account: str) -> Decimal:
    """Debit less credit of an account, in the claim's own currency."""
    debit = sum((each.amount for each in booked if each.debit == account), Decimal(0))
    return debit - sum((each.amount for each in booked if each.credit == account), Decimal(0))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=4, max_size=40))
def test_r86_whatever_is_said_in_three_months_every_month_closes_to_the_cent(steps: list[tuple[int, int, int, Any]]) -> None:
    """R86: opening + what moved = closing = the list of open claims, with late corrections, appeals, attempts, closed months."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_three_months(Path(folder), steps))


async def _three_months(folder: Path, steps: list[tuple[int, int, int, Any]]) -> None:
    async with new_world(folder / "tracker.db") as world:
        claims, now = await opened(world, 3), NOW
        for which, days, back, said in steps:
            now += timedelta(days=days)
            await step(world, now, claims[which], back, said)
        months = ["2026-01"]
        while months[-1] < f"{now + timedelta(days=40):%Y-%m}":
            months.append(after_month(months[-1]))
        closing: dict[tuple[str, str], tuple[int, Decimal]] = {}
        booked: list[Posting] = []
        end, views = await ends(world, months[0])
        changes = await world.store.claim_changes()
        for month in months:
            end, views = await ends(world, month)
            assert closes(end)
            opening = {(roll.carrier, roll.currency): (roll.opening.count, roll.opening.amount) for roll in end.rolls}
            assert {key: value for key, value in opening.items() if any(value)} == {k: v for k, v in closing.items() if any(v)}
            closing = {(roll.carrier, roll.currency): (roll.closing.count, roll.closing.amount) for roll in end.rolls}
            booked += postings(views, changes, month, RULES.rates)
        still = {view.claim.number: outstanding(view.claim) for view in views if outstanding(view.claim)}
        assert {each.claim.number: each.open for each in end.open if each.open} == still
        assert sum(count for count, _ in closing.values()) == sum(view.claim.state in OPEN for view in views)
        for view in views:
            _books_of(view.claim, [each for each in booked if each.claim == view.claim.number])


def _books_of(claim: Claim, booked: list[Posting]) -> None:
    """The receivable is what was accepted and not paid; of a loss that is decided nothing is pending any more."""
    receivable = sums(booked, "receivable")
    if claim.reversed_on is None:
        assert receivable == (outstanding(claim) if claim.state in ACCEPTED else 0)
    if claim.item_cost is not None and claim.claimed_currency == "USD" == claim.item_cost_currency and claim.state in ACCEPTED:
        assert sums(booked, "loss_pending") == 0
    if claim.state is S.WITHDRAWN:
        assert sums(booked, "inventory") == 0


async def test_r86_a_month_before_must_be_closed_first_so_that_its_bytes_are_kept(world: World) -> None:
    """R86: closing May does not leave April open to change for ever."""
    [claim] = await opened(world, 1)
    filed = desk.Said(state=S.FILED, on=date(2026, 4, 2))
    await desk.say(doing(world, NOW + timedelta(days=40)), claim, filed, desk.ClaimPatch())
    with pytest.raises(Conflict, match="2026-03 has postings"):
        await world.store.close_month("2026-04", b"", b"", by="Mei", now=NOW)
    await world.store.close_month("2026-03", b"", b"", by="Mei", now=NOW)
    with pytest.raises(Conflict, match="posted in 2026-04 meanwhile"):
        await world.store.close_month("2026-04", b"", b"", by="Mei", now=NOW, seen=1)


async def test_r86_a_parcel_that_changes_its_carrier_leaves_the_sums_where_they_were_booked(world: World) -> None:
    """R86: what closed with Yanwen opens with Yanwen."""
    [claim] = await opened(world, 1)
    await desk.say(doing(world), claim, desk.Said(state=S.FILED), desk.ClaimPatch())
    changes, [view] = await world.store.claim_changes(), await world.store.claims()
    told = [each for each in changes if each.carrier is None]
    assert told == changes  # the world's parcels have none
    yanwen = [msgspec.structs.replace(each, carrier="yanwen") for each in changes]
    moved = msgspec.structs.replace(view, carrier="fourpx")
    assert [roll.carrier for roll in month_end([moved], yanwen, "2026-04").rolls] == ["yanwen"]


async def test_r86_a_currency_that_was_mistyped_is_two_postings(world: World) -> None:
    """facts/compensation.md 7: sums of two currencies are never one."""
    [claim] = await opened(world, 1)
    await desk.say(doing(world), claim, desk.Said(state=S.FILED), desk.ClaimPatch())
    await desk.say(doing(world), claim, None, desk.ClaimPatch(claimed_currency="EUR"))
    end, _ = await ends(world, "2026-03")
    assert [(roll.currency, roll.closing.count, roll.closing.amount) for roll in end.rolls] == [
        ("EUR", 1, Decimal("20.00")),
        ("USD", 0, Decimal("0.00")),
    ]
    await desk.say(doing(world), claim, desk.Said(state=S.APPROVED), desk.ClaimPatch())
    with pytest.raises(Refused, match="what was claimed stands"):
        await desk.say(doing(world), claim, None, desk.ClaimPatch(claimed_currency="USD"))


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"state": S.PAID, "on": date(2026, 2, 1), "amount": Decimal(5)}, "lies before"),
        ({"state": S.PAID, "amount": Decimal("0.004")}, "no payment"),
        ({"state": S.PAID, "amount": Decimal(30)}, "more than the 20"),
        ({"state": S.PAID, "amount": Decimal(5), "settles": Decimal(-5)}, "is none"),
    ],
)
async def test_r87_money_that_contradicts_the_claim_is_refused(world: World, said: dict[str, Any], match: str) -> None:
    """R87: paid before it was filed, nothing after rounding, more than is open, less than nothing."""
    [claim] = await opened(world, 1)
    for state in (S.FILED, S.APPROVED):
        await desk.say(doing(world), claim, desk.Said(state=state), desk.ClaimPatch())
    with pytest.raises(Refused, match=match):
        await desk.say(doing(world), claim, desk.Said(**said), desk.ClaimPatch())


async def test_r86_an_appeal_takes_its_receivable_back_before_the_next_approval(world: World) -> None:
    """R86: 10 approved, appealed, 20 approved: the carrier owes 20, not 30."""
    [claim] = await opened(world, 1)
    whats: list[tuple[ClaimState, Decimal | None]] = [
        (S.FILED, None),
        (S.APPROVED, Decimal(10)),
        (S.APPEALED, None),
        (S.APPROVED, Decimal(20)),
    ]
    for state, amount in whats:
        await desk.say(doing(world), claim, desk.Said(state=state, amount=amount), desk.ClaimPatch())
    [view], changes = await world.store.claims(), await world.store.claim_changes()
    booked = postings([view], changes, "2026-03", RULES.rates)
    assert sums(list(booked), "receivable") == Decimal(20)


async def test_r87_an_attempt_that_was_never_filed_uses_none_up(world: World) -> None:
    """R87: the carrier counts what it was asked; and a kind of loss with a window of its own moves it."""
    [claim] = await opened(world, 1)
    twice = msgspec.structs.replace(RULES.compensation[0], id="twice", max_attempts=1, latest_days=60, damage_latest_days=7)
    rules = msgspec.structs.replace(RULES, compensation=(twice,))
    mine = msgspec.structs.replace(doing(world), rules=rules)
    before = (await world.store.claim(claim)).claim
    under = msgspec.structs.replace(before, rule="twice", attempt=1)
    await world.store.change_claim(before, under, event="corrected", on=NOW.date(), who="Mei", why="", now=NOW)
    damaged = await desk.say(mine, claim, None, desk.ClaimPatch(loss_type=LossType.DAMAGED))
    assert damaged.claim.latest_on == (NOW - timedelta(days=51)).date()
    for state in (S.FILED, S.REJECTED):
        await desk.say(mine, claim, desk.Said(state=state), desk.ClaimPatch())
    with pytest.raises(Refused, match="1 were filed"):
        await desk.again(mine, claim, "once more")
