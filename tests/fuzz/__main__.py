"""`python -m tests.fuzz`: so many cases over all cores; those that fail lie in build/fuzz/ and can be tried again.

    python -m tests.fuzz --cases 1000000 --seed 7
    python -m tests.fuzz --carrier ship24 --cases 20000
    python -m tests.fuzz --replay build/fuzz/ship24-7-1234.json

Exit code 1 where anything failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import corpus, search

FOLDER = Path("build", "fuzz")
MOST_SAVED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    parser.add_argument("--carrier", action="append", help="only this adapter; may be repeated")
    parser.add_argument("--workers", type=int, help="processes; as many as there are cores")
    parser.add_argument("--replay", type=Path, help="try one saved case again")
    told = parser.parse_args(arguments)
    if told.replay is not None:
        return _replay(told.replay)
    names = tuple(told.carrier or corpus.names())
    print(f"seed {told.seed}: {told.cases} cases, {len(names)} adapters", flush=True)
    return _search(told.seed, told.cases, names, told.workers)


def _search(seed: int, cases: int, names: Sequence[str], workers: int | None) -> int:
    started, done, failed = time.monotonic(), 0, 0
    for tried, failures in search.all_cores(seed, cases, names, workers):
        done += tried
        for failure in failures[: max(0, MOST_SAVED - failed)]:
            path = search.save(failure, FOLDER)
            print(f"\n{failure.text.rstrip().splitlines()[-1]}\n  python -m tests.fuzz --replay {path}", flush=True)
        failed += len(failures)
        if done % 50_000 == 0:
            print(f"{done} cases, {failed} failed, {time.monotonic() - started:.0f} s", flush=True)
    print(f"seed {seed}: {done} cases in {time.monotonic() - started:.0f} s, {failed} failed")
    return 1 if failed else 0


def _replay(path: Path) -> int:
    case = search.load(path)
    search.warm([case.carrier])
    failure = search.attempt(case, measure=True)
    print(failure.text if failure else f"{case.carrier}: nothing wrong any more")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
