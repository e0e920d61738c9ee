"""Figures, their aims, and how they are shown: a table for eyes, `build/bench.json` for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

AIMS: Mapping[str, float] = {
    "same": 5.0,
    "same_fast": 4.0,
    "one": 6.0,
    "one_fast": 6.0,
    "first": 4.0,
    "first_fast": 4.0,
    "naive_same": 60.0,
    "naive_one": 40.0,
    "naive_first": 25.0,
    "karrio_same": 150.0,
    "due_p95": 1.2,
    "growth_same": 1.1,
    "growth_first": 1.1,
    "seventeen_track unchanged": 0.2,
    "seventeen_track changed": 1.5,
    "seventeen_track_full unchanged": 0.2,
    "seventeen_track_full changed": 1.5,
    "trackingmore changed": 5.0,
    "aftership changed": 5.0,
    "decide_quiet": 4.0,
    "backtest": 12.0,
    "backtest_abroad": 12.0,
    "fleet_claims": 1.6,
    "peak_memory_backtest": 1.1,
    "peak_memory_first": 1.0,
    "peak_memory_same": 1.0,
}
"""Figure -> the ratio to its baseline that we aim at (facts: performance, section 8)."""

AT_LEAST = frozenset({"naive_same", "naive_one", "naive_first", "karrio_same", "fleet_claims"})
"""Figures whose ratio is meant to be large: how much dearer others are, how much more two workers do."""

READING_AIM = 5.0
"""Of every other adapter's `NAME read`."""


def aim_of(figure: str) -> float | None:
    """The ratio that we aim at; None where a figure only informs."""
    return READING_AIM if figure.endswith(" read") else AIMS.get(figure)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `ratio` = value / baseline; the baseline is in the same unit."""

    name: str
    value: float
    unit: str
    baseline: float
    ratio: float


class Line(msgspec.Struct, frozen=True):
    """A figure with the words for eyes: what it is, and what its baseline is."""

    figure: Figure
    what: str
    against: str


def line(name: str, value: float, unit: str, baseline: float, *, what: str, against: str) -> Line:
    """A line with its ratio. Raises ValueError where something that was to be measured took no time at all."""
    if value <= 0 or baseline <= 0:
        raise ValueError(f"{name}: nothing was measured ({value} {unit} against {baseline})")
    figure = Figure(name=name, value=round(value, 3), unit=unit, baseline=round(baseline, 3), ratio=round(value / baseline, 3))
    return Line(figure, what, against)


def _reached(figure: Figure, aim: float) -> bool:
    return figure.ratio >= aim if figure.name in AT_LEAST else figure.ratio <= aim


def median(values: Iterable[float]) -> float:
    """The middle one; the lower of the two middle ones of an even number."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def write(path: Path, lines: Sequence[Line]) -> None:
    """`{"figures": [{"name", "value", "unit", "baseline", "ratio"}]}`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"figures": [one.figure for one in lines]}), indent=2) + b"\n")


def table(lines: Sequence[Line]) -> str:
    """The figures for a terminal of 130 columns."""
    rows = [("", "value", "baseline", "ratio", "aim", "")]
    for one in lines:
        figure, aim = one.figure, aim_of(one.figure.name)
        rows.append(
            (
                one.what,
                f"{figure.value:,.1f} {figure.unit}",
                f"{figure.baseline:,.1f} {one.against}",
                f"{figure.ratio:.2f}",
                "" if aim is None else f"{'>=' if figure.name in AT_LEAST else '<='} {aim:g}",
                "" if aim is None else "reached" if _reached(figure, aim) else "not reached",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
