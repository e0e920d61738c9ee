"""`make chaos`: CHAOS_KILLS kills over several shops, by SEED; the last line counts. Exit code 1 unless all is well."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from tests.chaos.harness import ROOT, Wish, run
from tests.postgres import MISSING, binaries


def main() -> int:
    """Read the wish, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("CHAOS_KILLS") or 1000))
    parser.add_argument("--seed", default=os.environ.get("SEED") or "1")
    parser.add_argument("--shops", type=int, default=6, help="shops that are killed side by side")
    parser.add_argument("--fleets", type=int, help="how many of them are fleets on a PostgreSQL; by default a third")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "chaos")
    parser.add_argument("--defect", default="", help="a mistake to build in, to see that it is noticed (tests/chaos/defects.py)")
    given = parser.parse_args()
    fleets = given.shops // 3 if given.fleets is None else given.fleets
    if fleets and binaries() is None:
        print(f"No fleets are killed: {MISSING}")
        fleets = 0
    wish = Wish(kills=given.kills, seed=given.seed, shops=given.shops, fleets=fleets, folder=given.folder, defect=given.defect)
    return asyncio.run(run(wish, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    sys.exit(main())
