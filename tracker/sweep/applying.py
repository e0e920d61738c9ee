"""`tracker apply`: exactly the effects that a saved plan found due, through the sweep's own path, or nothing at all.

Every order of the plan that had something due is decided again, now. Where the configuration, an order's facts, or what is due of
it has changed since, nothing is applied and all that moved is named. What is applied becomes rows of the outbox as if the sweep
had found it: stores' modes, approvals, holds and the guards of the moment stand before it as ever. Twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from tracker.model import Dossier
from tracker.plan import SavedOrder, SavedPlan
from tracker.policy import decide
from tracker.policy.view import taken_back
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.rows import VerdictWrite
from tracker.sweep.gate import RulesGate, withhold
from tracker.sweep.sweeper import written

PAGE = 400


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: dedup keys that are in the outbox now, those that were there before, and what had moved.

    Where anything has `moved`, nothing was applied.
    """

    applied: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


class _Moved(Exception):  # noqa: N818 - caught two lines further on
    """Why this order cannot be applied."""


async def apply_plan(saved: SavedPlan, *, store: Store, rules: Rules, gate: RulesGate, by: str, now: datetime) -> Applied:
    """Apply a plan. Raises Conflict where facts move at the very moment of writing; nothing is written then either."""
    if saved.config != rules.version:
        moved = f"the configuration: the plan was made with {saved.config}, this is {rules.version}"
        return Applied(moved=(moved,))
    wanted = [order for order in saved.orders if order.due]
    writes: list[VerdictWrite] = []
    already: list[str] = []
    moved_: list[str] = []
    waits = await gate.standing()
    for start in range(0, len(wanted), PAGE):
        page = wanted[start : start + PAGE]
        known = {dossier.order.id: dossier for dossier in await store.load_dossiers([order.id for order in page])}
        for order in page:
            try:
                dossier = _same(order, known.get(order.id))
                left = set(order.due) - {effect.key for effect in dossier.effects if not taken_back(effect)}
                already += sorted(set(order.due) - left)
                if left:
                    write = _write(dossier, left, rules, now)
                    writes.append(write if waits is None else withhold(dossier, write, waits, now))
            except _Moved as error:
                moved_.append(f"{order.store}/{order.order}: {error}")
    if moved_:
        return Applied(moved=tuple(moved_))
    opened = await store.apply_verdicts(writes, by=by, now=now) if writes else ()
    return Applied(applied=tuple(opened), already=tuple(already))


def _same(order: SavedOrder, dossier: Dossier | None) -> Dossier:
    if dossier is None or (dossier.order.store, dossier.order.number) != (order.store, order.order):
        raise _Moved("is not in this database")
    there = {effect.key for effect in dossier.effects if not taken_back(effect)}
    if dossier.version != order.version and not there.issuperset(order.due):
        raise _Moved(f"its facts have moved (version {order.version} when planned, now {dossier.version})")
    return dossier


def _write(dossier: Dossier, keys: set[str], rules: Rules, now: datetime) -> VerdictWrite:
    """The planned part of today's verdict; everything else of it is the next sweep's, which is due at once."""
    verdict = decide(dossier, rules, now)
    planned = tuple(decision for decision in verdict.decisions if decision.key in keys)
    for key in sorted(keys - {decision.key for decision in planned}):
        raise _Moved(f"{key} is not due any more")
    only = replace(verdict, decisions=planned, withdraw=(), claims=(), ask_now=())
    return replace(written(dossier, only, rules, now), verdict=replace(only, next_at=now))
