"""Learning how long parcels take: once a month, from a shop's own deliveries by country and service (facts/transit.md).

Only parcels that left long enough ago count: of younger ones the slow half is still on its way, and the quantiles would lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tracker.dates import DAY, day0
from tracker.model import Dossier
from tracker.rules import Learned
from tracker.store import Store

RIPE = timedelta(days=120)
"""Younger parcels do not count: even the slowest lines have delivered nearly all they ever will."""

MEMORY = timedelta(days=365 + 120)
"""Older ones do not count either: lines change."""

_PAGE = 400


async def learn(store: Store, now: datetime) -> tuple[dict[str, Learned], bool]:
    """Measure, and keep what was measured; it, and whether it differs from what was known."""
    days: dict[str, list[float]] = {}
    seen: set[int] = set()
    last = 0
    while ids := await store.delivered_orders(now - MEMORY, last, _PAGE):
        for dossier in await store.load_dossiers(ids):
            _measure(dossier, now, days, seen)
        last = ids[-1]
    learned = {name: quantiles(each) for name, each in sorted(days.items())}
    return learned, await store.save_learned(learned, now)


def quantiles(days: Sequence[float]) -> Learned:
    """The quantiles of at least one time of transit, in days: the value at floor(q x n) of the sorted list."""
    ordered = sorted(days)

    def at(percent: int) -> float:
        return round(ordered[min(percent * len(ordered) // 100, len(ordered) - 1)], 2)

    return Learned(count=len(ordered), p50=at(50), p80=at(80), p90=at(90), p95=at(95), p99=at(99))


def _measure(dossier: Dossier, now: datetime, days: dict[str, list[float]], seen: set[int]) -> None:
    order = dossier.order
    for parcel in dossier.shipments:
        country, begun, scan = parcel.country or order.country, day0(order, parcel), parcel.delivered_scan
        if parcel.id in seen or country is None or begun is None or scan is None or not parcel.delivered or not parcel.matched:
            continue
        seen.add(parcel.id)
        took = (scan.latest - begun) / DAY
        if took >= 0 and RIPE <= now - begun <= MEMORY:
            days.setdefault(f"{country}/{parcel.service}", []).append(took)
