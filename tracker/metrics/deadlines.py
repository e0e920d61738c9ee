"""Dates that people must meet: windows that somebody can extend, claims, cases; what is overdue stands first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from tracker.metrics.cases import DueCase, due_cases
from tracker.model import ActionKind, Channel, Pause
from tracker.policy.brake import Reach, stops
from tracker.policy.window import NO_EXTENSION
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.brake import Deadline


async def deadlines(
    store: Store,
    rules: Rules,
    until: datetime,
    now: datetime,
    pause: Pause | None = None,
    cases: Sequence[DueCase] | None = None,
) -> list[Deadline]:
    """Every date until `until`, the nearest first; with a `pause` those that it would let pass.

    Where no window can be extended, its end is no work for anybody. Of a case the date that holds: told by an API, a person, a
    file, else the marketplace's rule (D3); one that was answered is nobody's work (R33, R75).
    """
    wanted = pause or Pause(id=0, reason="", by="", since=now, deadlines=True)
    told = await store.deadlines(wanted, until, now)
    found = [each for each in told if each.kind != "window" or _can_extend(rules, each.store)]
    found += _cases(await due_cases(store, rules) if cases is None else cases, wanted, until)
    return sorted(found, key=lambda each: (each.at, each.subject))


def _cases(cases: Sequence[DueCase], pause: Pause, until: datetime) -> Iterator[Deadline]:
    """Overdue ones as well: what was not answered in time still wants an answer."""
    for each in cases:
        if not each.waits or each.at is None or each.at > until:
            continue
        kind, order = each.case.kind.value, each.order
        place = Reach(
            kind=ActionKind.TASK,
            store=order.store,
            rule=f"case.{kind}",
            channel=Channel.TASK,
            countries={order.country} if order.country else (),
            carriers={pause.carrier or ""},
        )
        if stops(pause, place):
            yield Deadline(kind="case", store=order.store, subject=order.number, at=each.at, what=kind)


def _can_extend(rules: Rules, store: str) -> bool:
    """Whether the store's marketplace lets a window be extended; of a store that nobody knows any more, who can tell."""
    shop = rules.stores.get(store)
    market = None if shop is None else rules.marketplaces.get(shop.platform)
    return market is None or market.extension.mode != NO_EXTENSION
