"""`python -m tests.bench` prints the table and writes build/bench.json.

Exit code 0 also where an aim is missed (a benchmark informs), 1 where it could not run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from tests.bench import fleet, grown, karrio, reading, report
from tests.bench.carrier import carrier
from tests.bench.probe import probe
from tests.bench.report import Line, line, median
from tests.bench.worker import Ask, Figures, ask

PEAK_AIM_MB = 170.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    shipments: int = 2000
    repeats: int = 5
    memory_shipments: int = 100_000
    """Asked about by one process, among ten times as many that are not due."""
    due_rows: int = 5_000_000
    """Parcels of the largest database in which due ones are looked for; the smallest has a fiftieth."""
    naive_shipments: int = 200
    fleet_due: int = 100_000
    """Parcels that workers on PostgreSQL take in hand, where its binaries are on the machine."""
    latency_s: float = 0.0
    rounds: int = 100
    """Of each single step."""
    past_orders: int = 10_000
    """Of a backtest."""
    fast: bool = find_spec("httpx_aiohttp") is not None
    """Also with the extra `fast`."""
    karrio: str | None = None
    """An interpreter that has karrio-server, where somebody has one."""
    trackers: int = 150
    """Parcels that it is asked about, and we one by one."""


def run(plan: Plan, folder: Path, ask: Ask = ask) -> list[Line]:
    """All lines. `folder` takes the databases, which the caller removes."""
    template = folder / "template.db"
    imported = ask("prepare", path=str(template), shipments=plan.shipments)
    transports = {"": False} | ({"_fast": True} if plan.fast else {})
    floors: list[Figures] = []
    naives: list[Figures] = []
    runs: dict[str, list[Figures]] = {name: [] for name in transports}
    peers: list[Figures] = []
    single: list[Figures] = []
    if plan.karrio:
        karrio.prepare(plan.karrio, folder / "karrio")
        ask("prepare", path=str(folder / "few.db"), shipments=plan.trackers)
    with carrier(plan.latency_s) as base_url:
        for repeat in range(plan.repeats):
            floors.append(ask("floor", path=str(folder / f"floor{repeat}.db"), shipments=plan.shipments))
            naive = ask("naive", path=str(folder / f"naive{repeat}.db"), base_url=base_url, shipments=plan.naive_shipments)
            naives.append(naive)
            for name, fast in transports.items():
                copy = shutil.copy(template, folder / f"run{name}{repeat}.db")
                runs[name].append(ask("cycles", path=str(copy), base_url=base_url, shipments=plan.shipments, fast=fast))
            if plan.karrio:
                peers.append(karrio.measure(plan.karrio, folder / "karrio", folder / f"karrio{repeat}", base_url, plan.trackers))
                copy = shutil.copy(folder / "few.db", folder / f"few{repeat}.db")
                single.append(ask("cycles", path=str(copy), base_url=base_url, shipments=plan.trackers, fast=False, apiece=True))
        lines = _cycle_lines(floors, runs, imported)
        lines += _naive_lines(naives, runs[""])
        if peers:
            lines += karrio.lines(peers, _cycles(runs[""]), _cycles(single))
        lines += _step_lines(ask("steps", path=str(template), rounds=plan.rounds))
        lines += reading.lines(ask("reading", rounds=plan.rounds))
        lines += grown.lines(ask("grown", rounds=plan.rounds))
        years = {line_: ask("rehearsing", orders=plan.past_orders, repeats=plan.repeats, line=line_) for line_ in ("", "_abroad")}
        lines += _rule_lines(ask("deciding", rounds=plan.rounds), years)
        if plan.memory_shipments:
            lines += _size_lines(ask, folder, base_url, plan.memory_shipments)
            lines.append(_flat_line(ask, plan.memory_shipments))
        if plan.due_rows:
            lines.append(_due_line(ask, folder / "due.db", plan.due_rows, plan.rounds))
        if plan.fleet_due:
            lines += fleet.lines(ask, plan.fleet_due, plan.repeats)
    return lines


def _cycle_lines(floors: Sequence[Figures], runs: dict[str, list[Figures]], imported: Figures) -> list[Line]:
    floor = {name: median(one[name] for one in floors) for name in ("same", "one", "first")}
    lines = [
        line(f"floor_{name}", value, "us", value, what=f'floor "{name}": typed decode, raw SQLite', against="us")
        for name, value in floor.items()
    ]
    for name, found in runs.items():
        over = "aiohttp" if name else "httpx"
        same, poll, sweep = (median(one[key] for one in found) for key in ("same", "first_poll", "first_sweep"))
        one_new, first = (median(_cycle(each, cycle) for each in found) for cycle in ("one", "first"))
        lines += [
            line(f"same{name}", same, "us", floor["same"], what=f'"same" over {over}', against="us floor"),
            line(f"one{name}", one_new, "us", floor["one"], what=f'"1 new" over {over}: poll and sweep', against="us floor"),
            line(f"first{name}", first, "us", floor["first"], what=f'"first" over {over}: poll and sweep', against="us floor"),
            line(f"first_poll{name}", poll, "us", floor["first"], what="  of it the poll", against="us floor"),
            line(f"first_sweep{name}", sweep, "us", floor["first"], what="  of it the sweep", against="us floor"),
        ]
    lines.append(
        line("import", imported["import"], "us", floor["first"], what="import of an order and its parcel", against="us floor")
    )
    return lines


def _cycle(spent: Figures, cycle: str) -> float:
    """What a cycle cost: what it woke is decided in the sweep, "same" wakes nothing."""
    return spent[cycle] if cycle == "same" else spent[f"{cycle}_poll"] + spent[f"{cycle}_sweep"]


def _cycles(found: Sequence[Figures]) -> Figures:
    return {cycle: median(_cycle(one, cycle) for one in found) for cycle in ("same", "one", "first")}


def _naive_lines(naives: Sequence[Figures], found: Sequence[Figures]) -> list[Line]:
    """How much dearer the build is that anybody would write first, beside ours over plain httpx."""
    ours = _cycles(found)
    return [
        line(
            f"naive_{cycle}",
            median(one[cycle] for one in naives),
            "us",
            ours[cycle],
            what=f'naive build, "{word}"',
            against="us ours",
        )
        for cycle, word in (("same", "same"), ("one", "1 new"), ("first", "first"))
    ]


def _step_lines(steps: Figures) -> list[Line]:
    loads, against = steps["json_loads"], "us json.loads"
    return [
        line("split_digest", steps["split_digest"], "us", loads, what="cut an answer and digest the slice", against=against),
        line("read", steps["read"], "us", loads, what="read a slice of 20 scans", against=against),
        line("decide", steps["decide"], "us", loads, what="decide() one dossier", against=against),
    ]


def _rule_lines(deciding: Figures, years: dict[str, Figures]) -> list[Line]:
    """What the rules cost, each beside the hand-written ladder on the same looks."""
    hand = "us ladder by hand"
    lines = [
        line("decide_quiet", deciding["quiet"], "us", deciding["ladder"], what="decide() a quiet order, all rules", against=hand),
        line("decide_weighed", deciding["weigh"], "us", deciding["ladder"], what="  its reasons, when asked for", against=hand),
    ]
    for name, year in years.items():
        what = f"backtest of an order{name.replace('_', ' from ')}, {year['visits']:.1f} looks"
        lines.append(line(f"backtest{name}", year["backtest"], "us", year["ladder"], what=what, against=hand))
    return lines


def _size_lines(ask: Ask, folder: Path, base_url: str, shipments: int) -> list[Line]:
    """What a large shop costs: memory, and CPU a parcel beside that of a shop with a hundredth of the parcels."""
    small, large = max(shipments // 10, 1), folder / "large.db"
    ask("prepare", path=str(folder / "small.db"), shipments=small, decided=False)
    ask("prepare", path=str(large), shipments=shipments, decided=False)
    total = ask("enlarge", path=str(large), asleep=9 * shipments, whole=True)["parcels"]
    lines = []
    for cycle in ("first", "same"):
        few = ask("peak", path=str(folder / "small.db"), base_url=base_url, shipments=small, cycle=cycle)
        many = ask("peak", path=str(large), base_url=base_url, shipments=shipments, cycle=cycle)
        what = f'peak memory, "{cycle}" of {shipments:,} among {total:,.0f}'
        lines.append(line(f"peak_memory_{cycle}", many["peak_mb"], "MB", PEAK_AIM_MB, what=what, against="MB"))
        grown_what = f'poll of "{cycle}" among {total:,.0f} parcels'
        lines.append(line(f"growth_{cycle}", many["us"], "us", few["us"], what=grown_what, against=f"us among {small:,}"))
    return lines


def _due_line(ask: Ask, path: Path, rows: int, rounds: int) -> Line:
    """Whether finding what is due feels how much is not."""
    few = max(rows // 50, 2)
    ask("prepare", path=str(path), shipments=max(few // 100, 1), decided=False)
    ask("enlarge", path=str(path), asleep=few, whole=False)
    small = ask("due", path=str(path), rounds=rounds)
    total = ask("enlarge", path=str(path), asleep=rows - few, whole=False)["parcels"]
    large = ask("due", path=str(path), rounds=rounds)
    what = f"claim of {large['found']:.0f} due among {total:,.0f}, p95"
    return line("due_p95", large["p95"], "us", small["p95"], what=what, against=f"us among {few:,}")


def _flat_line(ask: Ask, orders: int) -> Line:
    """Memory must not follow how many orders are replayed: so many against a tenth of them."""
    few, many = (ask("rehearsal_peak", orders=count)["peak_mb"] for count in (max(orders // 10, 1), orders))
    what = f"peak memory, backtest of {orders:,}"
    return line("peak_memory_backtest", many, "MB", few, what=what, against="MB of a tenth")


def main(argv: Sequence[str]) -> int:
    """Measure, print, write."""
    default = Plan()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--shipments", type=int, default=default.shipments, help="parcels of a cycle (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=default.repeats, help="interleaved repeats (default: %(default)s)")
    parser.add_argument(
        "--memory-shipments", type=int, default=default.memory_shipments, help="0 leaves out what a large shop costs"
    )
    parser.add_argument("--due-rows", type=int, default=default.due_rows, help="0 leaves out the search for due ones")
    parser.add_argument("--fleet-due", type=int, default=default.fleet_due, help="0 leaves PostgreSQL out")
    parser.add_argument("--latency", type=float, default=default.latency_s, help="seconds that the carrier waits (default: none)")
    parser.add_argument(
        "--karrio",
        metavar="PYTHON",
        default=os.environ.get(karrio.VARIABLE) or None,
        help=f"an interpreter that has karrio-server, to measure its poller beside ours (default: ${karrio.VARIABLE})",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the figures go (default: %(default)s)")
    given = parser.parse_args(argv)
    plan = Plan(
        shipments=given.shipments,
        repeats=given.repeats,
        memory_shipments=given.memory_shipments,
        due_rows=given.due_rows,
        fleet_due=given.fleet_due,
        latency_s=given.latency,
        karrio=given.karrio,
    )
    try:
        beside = f"karrio-server {karrio.version(plan.karrio)} beside ours" if plan.karrio else karrio.LEFT_OUT
    except RuntimeError as error:
        print(f"The benchmark could not run: {error}", file=sys.stderr)
        return 1
    print(probe())
    print(beside)
    print(
        f"{plan.repeats} times {plan.shipments:,} parcels, then {plan.memory_shipments:,} for the memory: a quarter of an hour",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        try:
            lines = run(plan, Path(folder))
        except (RuntimeError, ValueError, OSError) as error:
            print(f"The benchmark could not run: {error}", file=sys.stderr)
            return 1
    report.write(given.out, lines)
    print(report.table(lines))
    print(f"written to {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
