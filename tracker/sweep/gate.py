"""The guard on rule changes (faults row 20): new rules run, but what only they would do waits until a person accepts them.

From the first sweep under new rules their new effects are held, while all open orders are compared in the background, a batch a
call. Few enough: everything goes on, nobody is asked. More than 1 % of the open parcels, and at least 50: they wait for
`tracker config accept`. What the rules before would do too is never held, nor is a deadline of ours: an extension, a claim, a
task, a refund to propose inside an open case that must be answered by a date. Who works when is a fact, no rule: both sets are
measured with the team of today. Where nothing waits, a sweep pays nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from tracker import config
from tracker.clock import Clock, epoch, instant
from tracker.config import Loaded, RebuildError
from tracker.log import Event, get_logger
from tracker.model import ActionKind, Decision, Dossier, Effect, HoldReason, OutboxState
from tracker.plan import Planned, Touch, awaits_rules, identity, too_many, touch, without_waiting
from tracker.policy import decide
from tracker.policy.brake import pressing
from tracker.rules import Rules
from tracker.store import Store, StoreError
from tracker.store.rows import Freed, NewRow, VerdictWrite
from tracker.store.rulesets import Begun, OpenDossier

BATCH = 100
"""Orders compared in one go: the loop stands still for some 30 ms."""

SHOWN = 40
"""Differences that one log line names."""

EXAMPLES = 3

_MAY_WAIT = frozenset({ActionKind.MESSAGE, ActionKind.REFUND})
"""What may wait: it reaches buyers or costs money, and may come a day later. A deadline may not."""

_log = get_logger()

Rebuild = Callable[[bytes, str], Rules]


class Waiting(msgspec.Struct, frozen=True):
    """Rules that are not accepted: `before` are those to measure by, None where this version cannot build them any more."""

    before: Rules | None


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: `worked` orders were compared, whether more are left."""

    worked: int = 0
    more: bool = False


class _Count:
    """What a comparison has found so far."""

    def __init__(self) -> None:
        self.after = 0
        self.touched = 0
        self.open_parcels = 0
        self.undecided = 0
        self.new: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add(self, found: Touch) -> None:
        self.touched += found.parcels
        self.open_parcels += found.open_parcels
        for effect in found.effects:
            self._effect(effect)

    def _effect(self, effect: Planned) -> None:
        self.new[effect.intent.value] += 1
        shown = self.examples.setdefault(effect.intent.value, [])
        if len(shown) < EXAMPLES:
            shown.append(f"{effect.store}/{effect.order}")

    def summary(self, before: str, *, comparable: bool) -> dict[str, Any]:
        return {
            "before": before,
            "comparable": comparable,
            "new": dict(sorted(self.new.items())),
            "examples": self.examples,
            "undecided": self.undecided,
        }


class RulesGate:
    """Whether the rules of this run wait, and the comparison that finds it out. One unit of work a call."""

    def __init__(self, *, store: Store, clock: Clock, rules: Rules, snapshot: bytes, rebuild: Rebuild = config.rebuild) -> None:
        """`snapshot` is what `rules` were built from, as it is kept for the next change; `rebuild` reads such a one."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._snapshot = snapshot
        self._rebuild = rebuild
        self._begun = False
        self._beginning = asyncio.Lock()
        self._waiting: Waiting | None = None
        self._measure: Waiting | None = None
        self._before = ""
        self._count: _Count | None = None
        self._started = 0.0

    async def standing(self) -> Waiting | None:
        """What a sweep must know: None where nothing waits."""
        await self._begin()
        return self._waiting

    async def work_once(self) -> GateReport:
        """Compare the next orders, else look whether a person has accepted meanwhile. Nothing to do: no statement."""
        await self._begin()
        if self._count is not None:
            return await self._compare(self._count)
        if self._waiting is not None:
            await self._look()
        return GateReport()

    async def told(self) -> str:
        """For the status line: what waits, or nothing."""
        if self._waiting is None or self._count is not None:
            return ""
        known = next((each for each in await self._store.rulesets() if each.waits), None)
        return "" if known is None else f"rules {known.hash} wait for acceptance: {known.held} effects held"

    async def _begin(self) -> None:
        if self._begun:
            return
        async with self._beginning:  # a sweep and the comparison start side by side
            await self._begin_alone()

    async def _begin_alone(self) -> None:
        if not self._begun:
            await self._take(await self._store.begin_ruleset(self._rules.version, self._snapshot, self._clock.now()))
            self._begun = True

    async def _take(self, begun: Begun) -> None:
        if begun.baseline is None or (begun.compared and not begun.waits):
            return
        self._before, packed = begun.baseline
        before = self._rebuilt(packed)
        self._measure = Waiting(None if before is None else replace(before, team=self._rules.team))
        if before is not None and replace(before, version=self._rules.version) == self._rules:
            await self._settle(_Count(), waits=False)
            return
        if begun.waits:
            self._waiting = self._measure
        if not begun.compared:
            self._count, self._started = _Count(), self._clock.monotonic()
        else:
            _log.warning(Event.RULES_WAIT, config=self._rules.version, before=self._before)

    def _rebuilt(self, packed: bytes) -> Rules | None:
        try:
            return self._rebuild(packed, self._before)
        except RebuildError as error:
            _log.warning(Event.RULES_NOT_COMPARABLE, config=self._rules.version, before=self._before, reason=str(error))
            return None

    # -------------------------------------------------------------------------------------------------------- the comparison

    async def _compare(self, count: _Count) -> GateReport:
        page = await self._store.open_dossiers(count.after, BATCH)
        now = self._clock.now()
        known = {each.id: each for each in page.found}
        loaded = await self._load(list(known))
        touched = [(each.order.id, self._touch(each, known[each.order.id], now)) for each in loaded]
        decided = [(order_id, found) for order_id, found in touched if found is not None]
        early = [(order_id, at) for order_id, found in decided if (at := _sooner(found, known[order_id], now)) is not None]
        await self._store.advance_dossiers(early)
        # Counted when nothing can fail any more: a batch that is compared again must not count twice.
        count.undecided += len(known) - len(decided)
        for _, found in decided:
            count.add(found)
        if page.last is not None:
            count.after = page.last
            return GateReport(worked=len(known), more=True)
        self._count = None
        await self._settle(count, waits=self._waiting is not None and too_many(count.touched, count.open_parcels))
        if self._waiting is not None:
            await self._look()
        return GateReport(worked=len(known))

    async def _load(self, ids: Sequence[int]) -> list[Dossier]:
        """All at once; where one of them cannot be loaded, one by one without it: the sweep will park it and say so."""
        try:
            return await self._store.load_dossiers(ids)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever one order does, it must not stop the guard
            if len(ids) == 1:
                return []
        return [dossier for order_id in ids for dossier in await self._load([order_id])]

    def _touch(self, dossier: Dossier, known: OpenDossier, now: datetime) -> Touch | None:
        asleep = None if known.next_decide_at is None else instant(known.next_decide_at)
        before = None if self._measure is None else self._measure.before
        try:
            return touch(dossier, before, self._rules, now, asleep_until=asleep)
        except Exception:  # noqa: BLE001 - the same
            return None

    async def _settle(self, count: _Count, *, waits: bool) -> None:
        comparable = self._measure is not None and self._measure.before is not None
        await self._store.settle_ruleset(
            self._rules.version,
            self._clock.now(),
            waits=waits,
            touched=count.touched,
            open_parcels=count.open_parcels,
            summary=count.summary(self._before, comparable=comparable),
        )
        if not waits and self._waiting is not None:
            accepted = await self._store.free_ruleset(self._rules.version, self._clock.now())
            # None: another worker of the fleet has found that they must wait.
            self._waiting = self._waiting if accepted is None else None
        log, event = (_log.warning, Event.RULES_WAIT) if waits else (_log.info, Event.RULES_COMPARED)
        log(
            event,
            config=self._rules.version,
            before=self._before,
            touched=count.touched,
            open_parcels=count.open_parcels,
            new=dict(count.new),
            seconds=round(self._clock.monotonic() - self._started, 1) if self._started else 0.0,
        )

    async def _look(self) -> None:
        freed = await self._store.free_ruleset(self._rules.version, self._clock.now())
        if freed is not None:
            self._waiting = None
            _log.info(Event.RULES_ACCEPTED, config=self._rules.version)


async def changed_since(store: Store, loaded: Loaded) -> None:
    """At start: say what differs from the rules that were in force last, if anything does."""
    last = next(iter(await store.rulesets()), None)
    if last is None or last.hash == loaded.rules.version:
        return
    snapshot = await store.snapshot_of(last.hash)
    if snapshot is None:
        return
    try:
        found = config.differences_since(snapshot, loaded)
    except RebuildError:
        return
    tell_differences(found, before=last.hash, after=loaded.rules.version)


def tell_differences(found: Sequence[config.Differs], *, before: str, after: str) -> None:
    """One line with what changed, key by key; secrets are masked."""
    if found:
        shown = [str(each) for each in found[:SHOWN]]
        _log.info(Event.CONFIG_CHANGED, config=after, before=before, changes=len(found), changed=shown)


def withhold(dossier: Dossier, write: VerdictWrite, waits: Waiting, now: datetime) -> VerdictWrite:
    """A verdict of rules that wait: its new effects are held; what the rules before want by now too is let go."""
    held = [effect for effect in dossier.effects if awaits_rules(effect)]
    if not write.rows and not held:
        return write
    wanted, looks_again = _wanted(dossier, waits.before, now)
    urgent = pressing(dossier)
    rows = tuple(row if _goes(row.decision, wanted, urgent=urgent) else _held_back(row) for row in write.rows)
    free = tuple(_freed(effect) for effect in held if _goes(effect, wanted, urgent=urgent))
    verdict = write.verdict
    if looks_again is not None:
        # When the rules before would do it, it goes: that is a date to look at too.
        verdict = replace(verdict, next_at=min(looks_again, verdict.next_at or looks_again))
    return replace(write, verdict=verdict, rows=rows, free=free)


def _wanted(dossier: Dossier, before: Rules | None, now: datetime) -> tuple[frozenset[str] | None, datetime | None]:
    """What the rules before would do now (None: nobody can tell), and when they would look again."""
    if before is None:
        return None, None
    try:
        verdict = decide(without_waiting(dossier), before, now)
    except Exception:  # noqa: BLE001 - they may know nothing of a marketplace that is new
        return None, None
    return frozenset(identity(decision) for decision in verdict.decisions), verdict.next_at


def _goes(what: Decision | Effect, wanted: frozenset[str] | None, *, urgent: bool) -> bool:
    """`urgent`: a case must be answered by a date; then a refund goes before a person now, who decides about it anyway (D25)."""
    deadline = what.kind not in _MAY_WAIT or (urgent and what.kind is ActionKind.REFUND)
    return deadline or (wanted is not None and identity(what) in wanted)


def _held_back(row: NewRow) -> NewRow:
    return replace(row, state=OutboxState.HELD, hold=HoldReason.RULES_WAIT)


def _freed(effect: Effect) -> Freed:
    """Money still waits for its own approval; what else holds a message back is asked before it is sent."""
    return Freed(effect.key, HoldReason.MONEY_NEEDS_APPROVAL if effect.kind is ActionKind.REFUND else None)


def _sooner(found: Touch, known: OpenDossier, now: datetime) -> datetime | None:
    """When the new rules want to look at an order that the ones before would have let sleep longer."""
    at = now if found.waits and not known.waits_for_answer else found.look_at
    if at is None or (known.next_decide_at is not None and known.next_decide_at <= epoch(at)):
        return None
    return at
