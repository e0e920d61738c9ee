"""A short soak in every run, the judge's own judgement, and a log that nobody floods (fault 34); the long one: `make soak`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.soak.judge import FORGOTTEN, KEPT, Sample, levels
from tests.soak.town import PLATEAU, Plan, soak

SHORT = Plan(ticks=280, shipments=250, samples=40)


def _growing(samples: list[Sample]) -> list[str]:
    return [each.name for each in levels(samples, PLATEAU) if not each.ok]


@pytest.mark.timeout(600)
def test_a_short_soak_levels_off(tmp_path: Path) -> None:
    """Fault 34, fault 27: memory, handles, tables, write-ahead log and log lines level off, and retention does its work."""
    told: list[str] = []
    samples = asyncio.run(soak(SHORT, tmp_path, told.append))
    assert _growing(samples) == []
    assert len(told) == len(samples) + 1
    assert samples[-1].orders > 2 * SHORT.shipments
    for name in FORGOTTEN:
        assert 0 < samples[-1].rows[name] < 3 * SHORT.shipments
    assert samples[-1].rows["outbox"] > 0


@pytest.mark.timeout(600)
def test_a_soak_that_forgets_nothing_is_noticed(tmp_path: Path) -> None:
    """Fault 34: the same town without retention goes on growing, and the soak says what."""
    kept = replace(SHORT, ticks=140, shipments=80, keeps=True)
    samples = asyncio.run(soak(kept, tmp_path, lambda _: None))
    assert {"tracking_event", "raw_answer"} <= set(_growing(samples))


def _sample(day: int, **told: float) -> Sample:
    rows = dict.fromkeys((*KEPT, *FORGOTTEN), 1000)
    known = {"rss": 100.0, "objects": 100_000, "handles": 12, "db": 50.0, "wal": 4.0, "lines": 40} | told
    return Sample(tick=day, day=day, orders=1000, live=100, rows=rows, **known)  # type: ignore[arg-type]


def test_a_leak_of_anything_is_named() -> None:
    """Fault 34: one handle a day, a little memory, a log that gets louder: each fails by its name."""
    for name, thing, each_day in (
        ("handles", "handles", 1),
        ("rss", "memory MB", 1.0),
        ("lines", "log lines", 5),
        ("wal", "WAL MB", 2.0),
    ):
        base = {"handles": 12, "rss": 100.0, "lines": 40, "wal": 4.0}[name]
        assert _growing([_sample(day, **{name: base + each_day * (day - 40)}) for day in range(40, 71)]) == [thing]
    assert _growing([_sample(day) for day in range(40, 71)]) == []
