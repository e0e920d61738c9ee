"""What the rules cost: decide() on a quiet order, and a backtest, each beside the hand-written ladder on the very same looks."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from carriers.model import TrackingStatus
from tests.bench import ladder
from tests.bench.micro import cpu_us
from tests.bench.report import median
from tracker import config
from tracker.backtest import Counts, PastOrder, replay
from tracker.model import Dossier, Order, OrderState, Scan, Shipment, Window, WindowSource
from tracker.policy import decide
from tracker.policy.decider import weigh
from tracker.rules import Rules

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF = BEGIN + timedelta(days=365 + 60)
_YEAR_S = 365 * ladder.DAY
LINES: Mapping[str, tuple[float, float, float]] = {"": (7.1, 0.77, 0.011), "_abroad": (18.0, 0.55, 0.02)}
"""Median days to delivery, spread of their logarithm, share that never comes.

The first as measured in Brazil (facts/transit.md 5: half within 7.1 days, 2.7 % past 30, 1.1 % never), the second a postal line
from abroad: half within 18 days, one order in four is written to.
"""


def rules() -> Rules:
    """As shipped."""
    return config.load(None, environ={}).rules


def quiet_order() -> tuple[Dossier, datetime]:
    """On its way for 12 days, scanned two days ago, answered an hour ago: nothing is due for weeks."""
    day0 = datetime(2026, 4, 1, tzinfo=UTC)
    now = day0 + timedelta(days=12)
    first, last = (
        Scan(earliest=at, latest=at, status=TrackingStatus.IN_TRANSIT, country="CN") for at in (day0, day0 + timedelta(days=10))
    )
    parcel = Shipment(
        id=1,
        number="LP00123456789012",
        carrier="china_post",
        country="BR",
        shipped_at=day0,
        status=TrackingStatus.IN_TRANSIT,
        first_scan=first,
        last_scan=last,
        last_answer_at=now - timedelta(hours=1),
    )
    order = Order(
        id=1,
        store="bench",
        platform="aliexpress",
        number="8100000001",
        state=OrderState.SHIPPED,
        country="BR",
        amount=Decimal("24.90"),
        currency="USD",
        paid_at=day0,
        shipped_at=day0,
        window=Window(end=day0 + timedelta(days=75), source=WindowSource.FILE),
    )
    return Dossier(order=order, shipments=(parcel,)), now


def deciding(rounds: int) -> dict[str, float]:
    """CPU microseconds of one look at a quiet order: the ladder, decide(), and the long way of an order that is not quiet."""
    known, (dossier, now) = rules(), quiet_order()
    begun, at = int(now.timestamp()) - 12 * ladder.DAY, int(now.timestamp())
    parcel = ladder.Parcel(begun, begun + 75 * ladder.DAY)
    parcel.last, parcel.answered = begun + 10 * ladder.DAY, at - 3600
    assert not decide(dossier, known, now).decisions
    assert not ladder.look(parcel, at)[0]
    found: dict[str, list[float]] = {"ladder": [], "quiet": [], "weigh": []}
    for _ in range(5):
        found["ladder"].append(cpu_us(lambda: ladder.look(parcel, at), 20 * rounds))
        found["quiet"].append(cpu_us(lambda: decide(dossier, known, now), 20 * rounds))
        found["weigh"].append(cpu_us(lambda: weigh(dossier, known, now), rounds))
    return {name: median(values) for name, values in found.items()}


def past_orders(count: int, line: str = "", seed: int = 7) -> Iterator[PastOrder]:
    """Orders of a year, one after the other: memory must not follow how many there are."""
    chance = random.Random(seed)  # noqa: S311 - the same year every time
    median_days, spread, lost = LINES[line]
    for row in range(count):
        handed = BEGIN + timedelta(seconds=chance.randrange(_YEAR_S))
        took = timedelta(days=median_days * chance.lognormvariate(0.0, spread))
        arrived = None if chance.random() < lost else handed + took
        yield PastOrder(
            row=row,
            number=f"{row:012d}",
            platform="own_shop",
            country="BR",
            status="shipped" if arrived is None else "delivered",
            purchased_at=handed - timedelta(days=3),
            paid_at=handed - timedelta(days=2),
            handed_over_at=handed,
            delivered_at=arrived,
            promised_at=handed + timedelta(days=60),
            amount=Decimal("24.90"),
            currency="USD",
        )


def rehearsing(orders: int, repeats: int = 3, line: str = "") -> dict[str, float]:
    """CPU microseconds an order: the backtest, and the ladder at the same instants. `visits` are looks an order."""
    known = rules()
    past = list(past_orders(orders, line))
    visits = _visits(past, known)
    ours, theirs = [], []
    for _ in range(repeats):
        started = time.process_time()
        counts = Counts(AS_OF)
        for each in past:
            counts.add(each, replay(each, known, AS_OF))
        ours.append((time.process_time() - started) * 1e6 / orders)
        started = time.process_time()
        _ladder_over(past, visits)
        theirs.append((time.process_time() - started) * 1e6 / orders)
    looks = sum(map(len, visits)) / orders
    return {"backtest": median(ours), "ladder": median(theirs), "visits": looks}


def _visits(past: list[PastOrder], known: Rules) -> list[list[int]]:
    """The instants (epoch seconds) at which the backtest looks at each order."""
    found: list[list[int]] = []

    def noting(dossier: Dossier, rules: Rules, now: datetime) -> Any:
        found[-1].append(int(now.timestamp()))
        return decide(dossier, rules, now)

    with mock.patch("tracker.backtest.replay.decide", noting):
        for each in past:
            found.append([])
            replay(each, known, AS_OF)
    return found


def _ladder_over(past: list[PastOrder], visits: list[list[int]]) -> dict[str, int]:
    """The ladder, looked at at the same instants, with what it decides done and counted."""
    counts: dict[str, int] = {}
    for each, instants in zip(past, visits, strict=True):
        assert each.handed_over_at is not None
        begun = int(each.handed_over_at.timestamp())
        arrives = ladder.NEVER if each.delivered_at is None else int(each.delivered_at.timestamp())
        parcel = ladder.Parcel(begun, begun + 60 * ladder.DAY)
        for now in instants:
            parcel.answered = now
            parcel.delivered = arrives <= now
            act, _ = ladder.look(parcel, now)
            if act:
                ladder.done(parcel, act)
                for what in act:
                    counts[what] = counts.get(what, 0) + 1
    return counts


def peak(orders: int) -> dict[str, float]:
    """Peak memory of a backtest of so many orders, MB."""
    known, counts = rules(), Counts(AS_OF)
    for each in past_orders(orders):
        counts.add(each, replay(each, known, AS_OF))
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
