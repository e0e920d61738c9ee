"""One measurement in a process of its own: `python -m tests.bench.worker KIND JSON` prints its figures as JSON.

So no run warms another's caches, CPU time is that of the polling process alone, and the peak of memory is that run's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tests.bench.carrier import ROOT

Figures = dict[str, float]


class Ask(Protocol):
    """Whoever measures: a process of its own, or (to see that it runs at all) this one."""

    def __call__(self, kind: str, /, **arguments: Any) -> Figures: ...


def ask(kind: str, /, **arguments: Any) -> Figures:
    """Run one measurement in a fresh process. Raises RuntimeError with what it wrote when it failed."""
    command = [sys.executable, "-m", "tests.bench.worker", kind, msgspec.json.encode(arguments).decode()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the measurement {kind!r} failed:\n{done.stderr.strip()}")
    return msgspec.json.decode(done.stdout, type=Figures)


def _floor(path: str, shipments: int) -> Figures:
    from tests.bench import floor

    return floor.measure(Path(path), shipments)


def _naive(path: str, base_url: str, shipments: int) -> Figures:
    from tests.bench import naive

    return naive.measure(Path(path), base_url, shipments)


def _enlarge(path: str, asleep: int, *, whole: bool) -> Figures:
    from tests.bench import due

    return due.enlarge(Path(path), asleep, whole=whole)


def _due(path: str, rounds: int) -> Figures:
    from tests.bench import due

    return asyncio.run(due.measure(Path(path), rounds))


def _claim(url: str, worker: str, start: float) -> Figures:
    from tests.bench import fleet

    return asyncio.run(fleet.claim(url, worker, start))


def _steps(path: str, rounds: int) -> Figures:
    from tests.bench import micro, product

    return micro.measure(rounds) | asyncio.run(product.deciding(Path(path), rounds))


def _prepare(path: str, shipments: int, *, decided: bool = True) -> Figures:
    from tests.bench import product

    return asyncio.run(product.prepare(Path(path), shipments, decided=decided))


def _cycles(path: str, base_url: str, shipments: int, *, fast: bool, apiece: bool = False) -> Figures:
    from tests.bench import product

    return asyncio.run(product.cycles(Path(path), base_url, shipments, fast=fast, apiece=apiece))


def _peak(path: str, base_url: str, shipments: int, cycle: str) -> Figures:
    from tests.bench import product

    return asyncio.run(product.peak(Path(path), base_url, shipments, cycle))


def _reading(rounds: int) -> Figures:
    from tests.bench import reading

    return reading.measure(rounds)


def _grown(rounds: int) -> Figures:
    from tests.bench import grown

    return grown.measure(rounds)


def _deciding(rounds: int) -> Figures:
    from tests.bench import rehearsal

    return rehearsal.deciding(rounds)


def _rehearsing(orders: int, repeats: int, line: str) -> Figures:
    from tests.bench import rehearsal

    return rehearsal.rehearsing(orders, repeats, line)


def _rehearsal_peak(orders: int) -> Figures:
    from tests.bench import rehearsal

    return rehearsal.peak(orders)


KINDS: Mapping[str, Callable[..., Figures]] = {
    "floor": _floor,
    "naive": _naive,
    "prepare": _prepare,
    "enlarge": _enlarge,
    "due": _due,
    "claim": _claim,
    "cycles": _cycles,
    "peak": _peak,
    "steps": _steps,
    "reading": _reading,
    "grown": _grown,
    "deciding": _deciding,
    "rehearsing": _rehearsing,
    "rehearsal_peak": _rehearsal_peak,
}


def ask_here(kind: str, /, **arguments: Any) -> Figures:
    """The same in this process: its figures mean little."""
    return KINDS[kind](**arguments)


def main(kind: str, arguments: str) -> None:
    """Measure, with the log as the daemon writes it, into memory."""
    from tracker.heap import settle
    from tracker.log import configure

    configure("json", stream=StringIO())
    settle()
    figures = ask_here(kind, **msgspec.json.decode(arguments))
    sys.stdout.write(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
