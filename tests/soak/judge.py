"""Whether something that was measured again and again levels off: the later half of the plateau is no higher than the earlier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The house at one tick. Sizes in MB; `rows` by table; `lines` of the log in the ticks since the sample before."""

    tick: int
    day: float
    orders: int
    live: int
    rss: float
    objects: int
    handles: int
    db: float
    wal: float
    lines: int
    rows: dict[str, int]


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has to level off: the highest of the plateau's earlier half, and of its later one."""

    name: str
    before: float
    after: float
    limit: float

    @property
    def ok(self) -> bool:
        """Whether it did."""
        return self.after <= self.limit


KEPT = ("dossier", "shipment", "outbox", "decision", "audit", "order_shipment", "alias", "import_batch")
"""What stays for ever, because keys, amounts and reasons must: so many rows an order, and never more."""

FORGOTTEN = ("tracking_event", "raw_answer", "answer")
"""What retention takes away: so many rows, and never more."""

_MB = 4.0


def levels(samples: Sequence[Sample], plateau_from: float) -> list[Level]:
    """What levelled off and what did not, from that day on."""
    flat = [each for each in samples if each.day >= plateau_from]
    half = len(flat) // 2
    earlier, later = flat[:half], flat[half:]

    def level(name: str, told: list[float], then: list[float], more: float, slack: float) -> Level:
        before, after = max(told), max(then)
        return Level(name=name, before=round(before, 3), after=round(after, 3), limit=before * more + slack)

    found = [
        level("memory MB", [each.rss for each in earlier], [each.rss for each in later], 1.05, _MB),
        level("objects", [each.objects for each in earlier], [each.objects for each in later], 1.05, 2000),
        level("handles", [each.handles for each in earlier], [each.handles for each in later], 1.0, 0),
        level("WAL MB", [each.wal for each in earlier], [each.wal for each in later], 1.25, _MB),
        level("log lines", _told(earlier), _told([earlier[-1], *later]), 1.1, 1),
        level("KB an order", [_kb(each) for each in earlier], [_kb(each) for each in later], 1.02, 0.05),
    ]
    found += [
        level(name, [each.rows[name] for each in earlier], [each.rows[name] for each in later], 1.08, 50) for name in FORGOTTEN
    ]
    found += [
        level(f"{name} an order", [_added(earlier, name)], [_added([earlier[-1], *later], name)], 1.1, 0.2) for name in KEPT
    ]
    return found


def _kb(sample: Sample) -> float:
    return sample.db * 1024 / max(sample.orders, 1)


def _told(samples: Sequence[Sample]) -> list[float]:
    """Lines of the log for each tick and each effect: the buyers of the slowest parcels are written to until day sixty."""
    return [
        after.lines / (after.tick - before.tick + after.rows["outbox"] - before.rows["outbox"])
        for before, after in pairwise(samples)
    ]


def _added(samples: Sequence[Sample], table: str) -> float:
    """Rows that came with an order."""
    first, last = samples[0], samples[-1]
    return (last.rows[table] - first.rows[table]) / max(last.orders - first.orders, 1)
