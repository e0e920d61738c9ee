"""Dates that people must meet: windows that somebody can extend, claims, cases; what is overdue stands first."""

from __future__ import annotations

from datetime import datetime

from tracker.model import Pause
from tracker.policy.window import NO_EXTENSION
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.brake import Deadline


async def deadlines(store: Store, rules: Rules, until: datetime, now: datetime) -> list[Deadline]:
    """Every date until `until`, the nearest first. Where no window can be extended, its end is no work for anybody."""
    everything = Pause(id=0, reason="", by="", since=now, deadlines=True)
    found = await store.deadlines(everything, until, now)
    return [each for each in found if each.kind != "window" or _can_extend(rules, each.store)]


def _can_extend(rules: Rules, store: str) -> bool:
    """Whether the store's marketplace lets a window be extended; of a store that nobody knows any more, who can tell."""
    shop = rules.stores.get(store)
    market = None if shop is None else rules.marketplaces.get(shop.platform)
    return market is None or market.extension.mode != NO_EXTENSION
