"""The sweep: due dossiers are decided whether or not a carrier answers; one that raises stops nobody (faults row 33)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests import house
from tests.conftest import Lines
from tests.house import SHOP, START
from tracker.clock import SimulatedClock
from tracker.model import (
    ActionKind,
    Channel,
    Decision,
    DecisionReason,
    Dossier,
    HoldReason,
    Intent,
    Mode,
    Order,
    OutboxState,
    Verdict,
)
from tracker.policy import decide
from tracker.rules import Rules
from tracker.store import Store, SweepWritten, Unwritable, VerdictWrite
from tracker.sweep import SOONEST, Sweeper, born, written
from tracker.sweep import sweeper as module

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
def rules() -> Rules:
    return house.rules()


def sweeper_of(store: Store, clock: SimulatedClock, rules: Rules) -> Sweeper:
    return Sweeper(store=store, clock=clock, rules=rules)


def dossier(platform: str = "own_shop") -> Dossier:
    return Dossier(order=Order(id=1, store=SHOP, platform=platform, number="1001"), version=3)


def decision(kind: ActionKind, intent: Intent, template: str | None = None) -> Decision:
    return Decision(
        kind=kind, reason=DecisionReason.STAGE_DUE, rule="r", subject="order/lamps/1001", intent=intent, template=template
    )


@pytest.mark.parametrize(
    ("kind", "mode", "state", "hold", "channel"),
    [
        (ActionKind.MESSAGE, Mode.LIVE, OutboxState.PENDING, None, Channel.MAILDIR),
        (ActionKind.MESSAGE, Mode.APPROVE, OutboxState.HELD, HoldReason.MESSAGE_NEEDS_APPROVAL, Channel.MAILDIR),
        (ActionKind.MESSAGE, Mode.OBSERVE, OutboxState.HELD, HoldReason.STORE_OBSERVES, Channel.MAILDIR),
        (ActionKind.REFUND, Mode.LIVE, OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL, Channel.TASK),
        (ActionKind.EXTENSION, Mode.OBSERVE, OutboxState.PENDING, None, Channel.TASK),
        (ActionKind.COMPENSATION, Mode.OBSERVE, OutboxState.PENDING, None, Channel.REGISTER),
        (ActionKind.TASK, Mode.OBSERVE, OutboxState.PENDING, None, Channel.TASK),
    ],
)
def test_how_a_decision_is_born(
    kind: ActionKind, mode: Mode, state: OutboxState, hold: HoldReason | None, channel: Channel
) -> None:
    """D11: money waits for a person everywhere. D22: messages follow the store's mode. Tasks and claims reach no buyer."""
    made = house.rules(house.shop(mode=mode, channel=Channel.MAILDIR))
    row = born(decision(kind, Intent.STAGE1, "stage1"), dossier(), made)
    assert row is not None
    assert (row.state, row.hold, row.channel) == (state, hold, channel)


def test_a_store_without_a_channel_of_its_own_uses_the_marketplaces() -> None:
    made = house.rules(house.shop(platform="aliexpress"))
    row = born(decision(ActionKind.MESSAGE, Intent.STAGE2, "stage2"), dossier("aliexpress"), made)
    assert row is not None
    assert row.channel is made.marketplace("aliexpress").channel


def test_some_types_go_to_a_person_even_where_mail_would_do() -> None:
    made = house.rules(house.shop(channel=Channel.MAILDIR))
    (kind, *_) = sorted(made.marketplace("own_shop").tasks_for)
    row = born(decision(ActionKind.MESSAGE, Intent.LATE_ARRIVAL, kind), dossier(), made)
    assert row is not None
    assert row.channel is Channel.TASK


def test_a_decision_to_do_nothing_becomes_no_row(rules: Rules) -> None:
    assert born(decision(ActionKind.NOTHING, Intent.STAGE1), dossier(), rules) is None


def test_a_verdict_never_asks_to_be_looked_at_at_once_again(rules: Rules) -> None:
    early = written(dossier(), Verdict(next_at=START), rules, START)
    assert early.verdict.next_at == START + SOONEST
    late = written(dossier(), Verdict(next_at=START + DAY), rules, START)
    assert late.verdict.next_at == START + DAY
    assert (late.order_id, late.version, late.config_version) == (1, 3, rules.version)


def test_an_order_that_was_acted_upon_is_looked_at_again_with_the_effect_in_sight() -> None:
    """D2: a recommendation lapses after 7 days; the verdict that made it could not know that date yet."""
    made = house.rules(house.shop(channel=Channel.MAILDIR))
    verdict = Verdict(decisions=(decision(ActionKind.REFUND, Intent.REFUND),), next_at=START + 30 * DAY)
    assert written(dossier(), verdict, made, START).verdict.next_at == START + SOONEST


async def test_imported_orders_are_decided_once_and_then_when_their_time_comes(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    await house.bring_parcels(store, 5)
    sweeper = sweeper_of(store, clock, rules)
    assert (await sweeper.sweep_once()).worked == 5
    assert (await sweeper.sweep_once()).worked == 0
    due = (await store.next_due()).decide
    assert due is not None
    assert due > START.timestamp()
    (line,) = log_lines()
    assert (line["event"], line["dossiers"]) == ("sweep.done", 5)


async def test_an_order_that_cannot_be_decided_is_parked_and_the_others_go_on(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.bring_parcels(store, 5)

    def stumble(one: Dossier, *rest: object) -> Verdict:
        if one.order.id in {3, 4}:
            raise ZeroDivisionError
        return decide(one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "decide", stumble)
    sweeper = sweeper_of(store, clock, rules)
    assert (await sweeper.sweep_once()).worked == 5
    assert (await sweeper.sweep_once()).worked == 0
    parked = [line for line in log_lines() if line["event"] == "sweep.parked"]
    assert [line["order"] for line in parked] == ["100002", "100003"]
    assert ["exception" in line for line in parked] == [True, False]
    assert (await store.status(clock.now())).parked == 2
    monkeypatch.undo()
    clock.advance_to(START + DAY)
    assert (await sweeper.sweep_once()).worked >= 1
    assert (await store.status(clock.now())).parked == 0


async def test_a_store_whose_file_is_gone_is_named_and_its_orders_are_decided_an_hour_after_it_is_back(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 33: moved away or renamed while orders are under way; no traceback, nothing lost."""
    await house.bring_parcels(store, 1)
    word = Verdict(decisions=(replace(decision(ActionKind.MESSAGE, Intent.STAGE1, "stage1"), subject="order/lamps/100000"),))
    monkeypatch.setattr(module, "decide", lambda *_: word)
    await sweeper_of(store, clock, replace(rules, stores={})).sweep_once()
    (line,) = [line for line in log_lines() if line["event"] == "sweep.parked"]
    assert (line["order"], "exception" in line) == ("100000", False)
    assert "put stores/lamps.toml back" in line["error"]
    assert await store.open_orders() == {SHOP: 1}
    clock.advance_to(START + timedelta(hours=1))
    assert (await sweeper_of(store, clock, rules).sweep_once()).worked == 1
    assert sum((await store.status(clock.now())).outbox.values()) == 1
    assert (await store.status(clock.now())).parked == 0


async def test_an_order_that_cannot_even_be_loaded_is_parked_and_the_others_go_on(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.bring_parcels(store, 4)
    load = store.load_dossiers

    async def stumble(ids: list[int]) -> list[Dossier]:
        if 2 in ids:
            raise ValueError("not a word of ours")
        return await load(ids)

    monkeypatch.setattr(store, "load_dossiers", stumble)
    assert (await sweeper_of(store, clock, rules).sweep_once()).worked == 4
    assert [line["event"] for line in log_lines()] == ["sweep.parked", "sweep.done"]
    assert log_lines()[1]["dossiers"] == 3


async def test_a_verdict_that_cannot_be_written_is_parked_and_the_others_are(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 33: one poisonous order must not keep 400 undecided for ever."""
    await house.bring_parcels(store, 5)
    write = store.write_verdicts

    async def stumble(verdicts: Sequence[VerdictWrite], now: datetime) -> SweepWritten:
        if 2 in {each.order_id for each in verdicts}:
            raise ValueError("no text that the database takes")
        return await write(verdicts, now)

    monkeypatch.setattr(store, "write_verdicts", stumble)
    sweeper = sweeper_of(store, clock, rules)
    assert (await sweeper.sweep_once()).worked == 5
    assert (await sweeper.sweep_once()).worked == 0
    assert [line["event"] for line in log_lines()] == ["sweep.parked", "sweep.done"]
    assert (await store.status(clock.now())).parked == 1


async def test_a_full_disk_parks_nobody(
    store: Store, clock: SimulatedClock, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.bring_parcels(store, 2)

    async def full(*_args: object) -> SweepWritten:
        raise Unwritable("the disk is full")

    monkeypatch.setattr(store, "write_verdicts", full)
    with pytest.raises(Unwritable):
        await sweeper_of(store, clock, rules).sweep_once()
    assert (await store.status(clock.now())).parked == 0
