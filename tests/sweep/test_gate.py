"""The guard on rule changes: new rules run, what only they would do waits; no deadline of the old ones does (faults row 20)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests import house
from tests.conftest import Lines
from tests.house import SHOP, START
from tests.policy.build import RULES, day, dossier, parcel
from tracker import config
from tracker.clock import SimulatedClock, epoch
from tracker.config import RebuildError
from tracker.model import Capability, Case, CaseKind, Channel, Dossier, HoldReason, Intent
from tracker.policy import decide
from tracker.rules import Rules
from tracker.store import Locked, OrderPatch, PollQuiet, PollWrite, Store
from tracker.store.rulesets import Ruleset
from tracker.sweep import RulesGate, Sweeper, changed_since
from tracker.sweep.gate import Waiting, withhold
from tracker.sweep.sweeper import written
from tracker.team import Leave, Person, Team

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
AGE = 27
"""Days since shipping at which the rules change: past day 20, before day 30."""

OLD = replace(house.rules(house.shop(platform="aliexpress")), version="0ld")


def laddered(rules: Rules, version: str, **days: int) -> Rules:
    stages = {Intent(name): value for name, value in days.items()}
    return replace(
        rules, version=version, profiles=tuple(replace(each, stages={**each.stages, **stages}) for each in rules.profiles)
    )


EARLY = laddered(OLD, "ea71", stage1=20)
KNOWN = {rules.version.encode(): rules for rules in (OLD, EARLY)}


def rebuild(packed: bytes, version: str) -> Rules:
    return replace(KNOWN[packed], version=version)


def forgotten(_packed: bytes, _version: str) -> Rules:
    raise RebuildError("profile[br-standard].weeks: unknown key")


class Run:
    """The sweep and the guard of one configuration."""

    def __init__(self, store: Store, clock: SimulatedClock, rules: Rules, read: Any = rebuild) -> None:
        self.store, self.clock = store, clock
        self.gate = RulesGate(store=store, clock=clock, rules=rules, snapshot=rules.version.encode(), rebuild=read)
        self.sweeper = Sweeper(store=store, clock=clock, rules=rules, gate=self.gate)

    async def compare(self) -> None:
        while (await self.gate.work_once()).more:
            pass

    async def sweep(self) -> None:
        while (await self.sweeper.sweep_once()).more:
            pass

    async def day(self) -> None:
        """What a day brings: answers without news, then the sweep."""
        self.clock.advance_to(self.clock.now() + DAY)
        await answered(self.store, self.clock.now())
        await self.sweep()


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


async def answered(store: Store, now: datetime) -> None:
    """All parcels were asked about, and nothing is new."""
    due = await store.due_shipments(now + 400 * DAY, 10_000)
    quiet = tuple(PollQuiet(each.id, each.number, epoch(now + DAY)) for each in due)
    await store.write_poll(PollWrite(at=epoch(now), quiet=quiet, answered=("tracks",)))


async def follow(store: Store, clock: SimulatedClock, count: int, rules: Rules = OLD) -> Run:
    """So many slow parcels under the old rules, 27 days after they left; scanned in time, so that nothing counts as lost."""
    orders = [house.order(f"10{row:04d}", row=row, platform="aliexpress") for row in range(count)]
    kind = Capability.EXPORT_ONLY
    parcels = [house.parcel(each, f"10{row:04d}", row=row, capability=kind) for row, each in enumerate(house.numbers(count))]
    await house.bring(store, orders, parcels, START)
    clock.advance_to(START + AGE * DAY)
    await answered(store, clock.now())
    run = Run(store, clock, rules)
    await run.sweep()
    clock.advance_to(clock.now() + HOUR)
    return run


async def held(store: Store) -> dict[Intent, int]:
    """What waits for the acceptance of its rules."""
    counts: dict[Intent, int] = {}
    for view in await store.holds():
        if view.row.hold is HoldReason.RULES_WAIT:
            counts[view.row.intent] = counts.get(view.row.intent, 0) + 1
    return counts


async def ruleset(store: Store, rules: Rules) -> Ruleset:
    return next(each for each in await store.rulesets() if each.hash == rules.version)


async def test_a_change_that_touches_fifty_parcels_waits(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """More than 1 % and at least 50: the rules run, their new effects are held, and the log says so."""
    await follow(store, clock, 60)
    run = Run(store, clock, EARLY)
    await run.compare()
    await run.sweep()
    assert await held(store) == {Intent.STAGE1: 60}
    found = await ruleset(store, EARLY)
    assert (found.waits, found.touched, found.open_parcels, found.held) == (True, 60, 60, 60)
    assert found.summary["new"] == {"stage1": 60}
    assert len(found.summary["examples"]["stage1"]) == 3
    [line] = [line for line in log_lines() if line["event"] == "rules.wait"]
    assert (line["config"], line["before"], line["touched"], line["new"]) == ("ea71", "0ld", 60, {"stage1": 60})
    assert await run.gate.told() == "rules ea71 wait for acceptance: 60 effects held"


async def test_a_change_that_touches_few_goes_unasked(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """49 parcels: what the sweep held in the meantime goes on."""
    await follow(store, clock, 49)
    run = Run(store, clock, EARLY)
    await run.gate.standing()
    await store.advance_dossiers([(row, clock.now()) for row in range(1, 11)])
    await run.sweep()
    assert await held(store) == {Intent.STAGE1: 10}, "nobody knows yet how many they are"
    await run.compare()
    await run.sweep()
    assert await held(store) == {}
    due = await store.due_rows(clock.now(), 100)
    assert [(row.intent, row.overdue) for row in due] == [(Intent.STAGE1, True)] * len(due)
    assert len(due) == 49
    assert "rules.compared" in {line["event"] for line in log_lines()}
    assert await run.gate.told() == ""


async def test_new_rules_look_at_orders_that_the_old_ones_let_sleep(store: Store, clock: SimulatedClock) -> None:
    """Without that, a ladder moved to day 20 would act on day 30."""
    await follow(store, clock, 3)
    assert await store.due_dossiers(clock.now(), 10) == []
    await Run(store, clock, EARLY).compare()
    assert len(await store.due_dossiers(clock.now(), 10)) == 3


async def test_what_the_old_rules_would_do_too_is_never_held(store: Store, clock: SimulatedClock) -> None:
    """A window that closes is extended under both; the stage of day 30 goes on day 30."""
    await follow(store, clock, 60)
    closing = clock.now() + 5 * DAY
    await store.set_order_facts(1, OrderPatch(window_end=closing), by="Mei", reason="", now=clock.now())
    run = Run(store, clock, EARLY)
    await run.compare()
    await run.sweep()
    assert await held(store) == {Intent.STAGE1: 60}
    due = {row.intent for row in await store.due_rows(clock.now(), 100)}
    assert due == {Intent.EXTENSION}
    for _ in range(2):
        await run.day()
        assert await held(store) == {Intent.STAGE1: 60}
    await run.day()
    assert await held(store) == {}, "day 30: the old rules want it too"
    due = {row.intent for row in await store.due_rows(clock.now(), 100)}
    assert due == {Intent.EXTENSION, Intent.STAGE1}


async def test_accepted_rules_are_in_force_without_restraint(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    await follow(store, clock, 60)
    run = Run(store, clock, EARLY)
    await run.compare()
    await run.sweep()
    assert await store.accept_ruleset("ea71", by="Mei", now=clock.now()) == 60
    assert await run.gate.standing() is not None, "another process has accepted: nobody has told this one"
    await run.gate.work_once()
    assert await run.gate.standing() is None
    assert "rules.accepted" in {line["event"] for line in log_lines()}
    due = await store.due_rows(clock.now(), 100)
    assert len(due) == 60
    assert all(row.overdue for row in due), "D21: they ramp"


async def test_a_word_that_comes_while_a_sweep_decides_leaves_nothing_behind(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 20: accepted between the look and the write, an effect held for these rules would wait for ever."""
    await follow(store, clock, 60)
    run = Run(store, clock, EARLY)
    await run.compare()
    load = store.load_dossiers

    async def meanwhile(ids: Sequence[int]) -> list[Dossier]:
        monkeypatch.setattr(store, "load_dossiers", load)
        await store.accept_ruleset("ea71", by="Mei", now=clock.now())
        await run.gate.work_once()
        return await load(ids)

    monkeypatch.setattr(store, "load_dossiers", meanwhile)
    await run.sweep()
    await run.sweep()
    assert await held(store) == {}
    assert len(await store.due_rows(clock.now(), 100)) == 60


async def test_a_batch_that_could_not_be_written_is_counted_once(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults rows 3, 20: a full disk or a lock must not turn 40 touched parcels into 80, which wait for a person."""
    await follow(store, clock, 40)
    run = Run(store, clock, EARLY)
    advance = store.advance_dossiers

    async def locked(dossiers: Sequence[tuple[int, datetime]]) -> int:
        monkeypatch.setattr(store, "advance_dossiers", advance)
        raise Locked(f"{len(dossiers)} orders, and the database is locked")

    monkeypatch.setattr(store, "advance_dossiers", locked)
    with pytest.raises(Locked):
        await run.gate.work_once()
    await run.compare()
    found = await ruleset(store, EARLY)
    assert (found.touched, found.open_parcels, found.state) == (40, 40, "accepted")


async def test_leave_is_a_fact_and_no_change_of_rules(store: Store, clock: SimulatedClock) -> None:
    """R7: sixty windows are extended before a holiday of the team that was entered today; nobody is asked, nothing waits."""
    team = Team(people=(Person(id="mei", name="Mei"),))
    before = replace(OLD, version="0ff1", team=team)
    await follow(store, clock, 60, before)
    now = clock.now()
    today = now.date()
    for order in range(1, 61):
        await store.set_order_facts(order, OrderPatch(window_end=now + 18 * DAY), by="Mei", reason="", now=now)
    await Run(store, clock, before).sweep()
    assert await store.due_rows(now, 100) == [], "its ten days have not begun"
    leave = (Leave(today + DAY, today + 16 * DAY),)
    after = replace(before, version="1ea7", team=Team(people=(Person(id="mei", name="Mei", leave=leave),)))
    known = {rules.version.encode(): rules for rules in (OLD, before, after)}
    run = Run(store, clock, after, lambda packed, version: replace(known[packed], version=version))
    await run.compare()
    await run.sweep()
    assert await held(store) == {}
    assert [row.intent for row in await store.due_rows(clock.now(), 100)] == [Intent.EXTENSION] * 60
    found = await ruleset(store, after)
    assert (found.waits, found.touched) == (False, 0)


async def test_a_deadline_of_the_new_rules_alone_does_not_wait(store: Store, clock: SimulatedClock) -> None:
    """R7, R86: while sixty texts wait for acceptance, what new rules extend or claim earlier goes: it may be the last day."""
    await follow(store, clock, 60)
    closing = clock.now() + 12 * DAY
    await store.set_order_facts(1, OrderPatch(window_end=closing), by="Mei", reason="", now=clock.now())
    markets = {
        name: replace(market, extension=replace(market.extension, trigger_days=14)) for name, market in EARLY.marketplaces.items()
    }
    sooner = replace(EARLY, version="500e", marketplaces=markets)
    known = {rules.version.encode(): rules for rules in (OLD, sooner)}
    run = Run(store, clock, sooner, lambda packed, version: replace(known[packed], version=version))
    await run.compare()
    await run.sweep()
    assert await held(store) == {Intent.STAGE1: 60}
    assert [row.intent for row in await store.due_rows(clock.now(), 100)] == [Intent.EXTENSION]


@pytest.mark.parametrize(
    ("kind", "due_at", "hold"),
    [
        (CaseKind.BAD_REVIEW, None, HoldReason.RULES_WAIT),
        (CaseKind.BAD_REVIEW, day(70), HoldReason.MONEY_NEEDS_APPROVAL),
        (CaseKind.INQUIRY, None, HoldReason.MONEY_NEEDS_APPROVAL),
    ],
)
def test_a_refund_inside_a_case_with_a_date_does_not_wait(kind: CaseKind, due_at: datetime | None, hold: HoldReason) -> None:
    """D25, R8: the marketplace decides the case on its date. The recommendation goes before a person, who decides anyway."""
    patient = laddered(RULES, "0ld", stage3=90)
    told = dossier(parcel(last=40, heard=65), cases=(Case(id="1", kind=kind, opened_at=day(60), due_at=due_at),))
    write = written(told, decide(told, RULES, day(65)), RULES, day(65))
    found = withhold(told, write, Waiting(patient), day(65))
    assert [row.hold for row in found.rows if row.decision.intent is Intent.REFUND] == [hold]


async def test_a_restart_knows_what_waits(store: Store, clock: SimulatedClock) -> None:
    """The same files, another process: it neither forgets the guard nor compares again."""
    await follow(store, clock, 60)
    first = Run(store, clock, EARLY)
    await first.compare()
    again = Run(store, clock, EARLY)
    assert (await again.gate.work_once()).worked == 0
    await again.sweep()
    assert await held(store) == {Intent.STAGE1: 60}


async def test_a_restart_in_the_middle_of_the_comparison_compares_again(store: Store, clock: SimulatedClock) -> None:
    await follow(store, clock, 120)
    first = Run(store, clock, EARLY)
    assert (await first.gate.work_once()).more
    await first.sweep()
    assert await held(store) == {Intent.STAGE1: 100}
    again = Run(store, clock, EARLY)
    await again.compare()
    assert (await ruleset(store, EARLY)).touched == 120, "what is held already counts again"


async def test_rules_that_are_put_back_leave_nothing_behind(store: Store, clock: SimulatedClock) -> None:
    """The operator mends his mistake: no buyer hears of it, and day 30 comes as before."""
    await follow(store, clock, 60)
    wrong = Run(store, clock, EARLY)
    await wrong.compare()
    await wrong.sweep()
    right = Run(store, clock, OLD)
    await right.compare()
    await right.sweep()
    assert await held(store) == {}
    assert await store.due_rows(clock.now(), 100) == []
    for _ in range(3):
        await right.day()
    assert {row.intent for row in await store.due_rows(clock.now(), 100)} == {Intent.STAGE1}


async def test_a_change_of_anything_else_is_no_change_of_rules(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """A text, an interval: another hash, the same decisions. Nothing is compared, nothing waits."""
    await follow(store, clock, 60)
    run = Run(store, clock, replace(OLD, version="7e87"))
    assert (await run.gate.work_once()).worked == 0
    assert await run.gate.standing() is None
    assert (await ruleset(store, replace(OLD, version="7e87"))).state == "accepted"
    assert "rules.wait" not in {line["event"] for line in log_lines()}


async def test_rules_that_cannot_be_built_any_more(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """An upgrade changed the form of the files: what orders were not due for is new. Messages wait, deadlines never."""
    await follow(store, clock, 60)
    run = Run(store, clock, EARLY, forgotten)
    await run.compare()
    closing = clock.now() + 5 * DAY
    await store.set_order_facts(1, OrderPatch(window_end=closing), by="Mei", reason="", now=clock.now())
    await run.sweep()
    assert await held(store) == {Intent.STAGE1: 60}
    assert {row.intent for row in await store.due_rows(clock.now(), 100)} == {Intent.EXTENSION}
    found = await ruleset(store, EARLY)
    assert (found.waits, found.touched, found.summary["comparable"]) == (True, 60, False)
    [line] = [line for line in log_lines() if line["event"] == "rules.not_comparable"]
    assert "weeks" in line["reason"]


async def test_an_order_that_cannot_be_compared_stops_nobody(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 33: it is counted, and the sweep will park it."""
    await follow(store, clock, 60)
    load = store.load_dossiers

    async def stumble(ids: Sequence[int]) -> list[Dossier]:
        if 7 in ids:
            raise ValueError("not a word of ours")
        return await load(ids)

    monkeypatch.setattr(store, "load_dossiers", stumble)
    await Run(store, clock, EARLY).compare()
    found = await ruleset(store, EARLY)
    assert (found.touched, found.summary["undecided"]) == (59, 1)


async def test_orders_that_the_new_rules_cannot_decide_are_counted(store: Store, clock: SimulatedClock) -> None:
    """A marketplace was taken out of the files: the sweep parks and tells them, the guard goes on."""
    await follow(store, clock, 2)
    await Run(store, clock, replace(EARLY, version="b1a0", marketplaces={})).compare()
    found = await ruleset(store, replace(EARLY, version="b1a0"))
    assert (found.state, found.summary["undecided"]) == ("accepted", 2)


async def test_a_start_tells_what_differs_from_the_rules_of_before(store: Store, tmp_path: Path, log_lines: Lines) -> None:
    """Once: the same files, and a snapshot that nobody can read, say nothing."""
    before = config.load(None, environ={})
    (tmp_path / "tracker.toml").write_text("[outreach]\nhourly_cap = 9\n")
    after = config.load(tmp_path / "tracker.toml", environ={})
    await changed_since(store, before)
    await store.begin_ruleset(before.rules.version, config.snapshot(before), START)
    await changed_since(store, before)
    assert log_lines() == []
    await changed_since(store, after)
    [line] = log_lines()
    assert (line["event"], line["changes"], line["before"]) == ("config.changed", 1, before.rules.version)
    assert line["changed"] == ["tracker.outreach.hourly_cap: 60 -> 9"]
    await store.begin_ruleset("bad", b"?", START)
    await changed_since(store, after)
    assert len(log_lines()) == 1


async def test_a_marketplace_that_the_old_rules_did_not_know_holds_no_deadline(store: Store, clock: SimulatedClock) -> None:
    """Nobody can ask them: then only what reaches buyers waits."""
    blind = replace(OLD, version="b11d", marketplaces={})
    run = await follow(store, clock, 1)
    closing = clock.now() + 5 * DAY
    await store.set_order_facts(1, OrderPatch(window_end=closing), by="Mei", reason="", now=clock.now())
    later = Run(store, clock, EARLY, lambda _packed, _version: blind)
    await later.gate.standing()
    await later.sweep()
    assert await held(store) == {Intent.STAGE1: 1}
    assert {row.intent for row in await store.due_rows(clock.now(), 100)} == {Intent.EXTENSION}
    assert run.gate is not later.gate


async def test_where_nothing_waits_the_guard_asks_the_database_nothing(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hot path pays nothing: neither a statement nor a second decide()."""
    run = await follow(store, clock, 3)
    statements: list[str] = []
    for name in ("rulesets", "begin_ruleset", "free_ruleset", "open_dossiers", "settle_ruleset"):

        async def count(*_args: object, _name: str = name, **_kwargs: object) -> None:
            statements.append(_name)

        monkeypatch.setattr(store, name, count)
    await run.gate.work_once()
    await run.sweep()
    assert await run.gate.standing() is None
    assert await run.gate.told() == ""
    assert statements == []


def test_the_shop_of_these_tests_is_live_by_task() -> None:
    """Otherwise the holds above would have another reason."""
    assert OLD.stores[SHOP].channel is None
    assert OLD.marketplace("aliexpress").channel is Channel.TASK
