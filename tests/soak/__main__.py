"""`python -m tests.soak`: seventy days of a busy shop in simulated time; exit code 1 where anything goes on growing.

    python -m tests.soak --ticks 10000 --shipments 100000

The last line says whether everything levelled off.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.soak.judge import levels
from tests.soak.town import PLATEAU, Plan, soak


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--ticks", type=int, default=Plan().ticks)
    parser.add_argument("--shipments", type=int, default=Plan().shipments, help="under way at a time")
    told = parser.parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tracker-soak-") as folder:
        plan = Plan(ticks=told.ticks, shipments=told.shipments)
        samples = asyncio.run(soak(plan, Path(folder), partial(print, flush=True)))
    found = levels(samples, PLATEAU)
    for each in found:
        print(f"{each.name:>24}: {each.before:>14,.3f} -> {each.after:>14,.3f}  {'level' if each.ok else 'GROWS'}")
    growing = [each.name for each in found if not each.ok]
    seconds = time.monotonic() - started
    verdict = f"not level: {', '.join(growing)}" if growing else "all levelled off"
    print(f"{told.ticks:,} ticks, {samples[-1].orders:,} orders, {told.shipments:,} under way, {seconds:,.0f} s: {verdict}")
    return 1 if growing else 0


if __name__ == "__main__":
    sys.exit(main())
