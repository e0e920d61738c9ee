"""The benchmark runs, and says what it says in the agreed form. How fast anything is, is no test's business."""

from __future__ import annotations

from datetime import UTC, datetime
from json import loads
from pathlib import Path

import msgspec
import pytest

from carriers import registry
from carriers.base import Response
from carriers.model import TrackingStatus
from carriers.seventeen_track import SeventeenTrack
from tests.bench import fleet
from tests.bench.__main__ import Plan, run
from tests.bench.answers import BATCH, body, number, numbers
from tests.bench.reading import BODIES, journeys
from tests.bench.rehearsal import AS_OF, _ladder_over, _visits, deciding, past_orders, rules
from tests.bench.report import line, median, table, write
from tests.bench.worker import ask, ask_here
from tests.postgres import MISSING, binaries
from tracker.backtest import replay

AGAINST = {"peak_memory_same", "naive_same", "naive_one", "naive_first", "growth_first", "growth_same", "due_p95"}
STEPS = {"split_digest", "read", "decide", "import", "decide_quiet", "backtest", "peak_memory_backtest"}
READING = {f"{name} {step}" for name in BODIES for step in ("unchanged", "changed")}
GROWN = {
    f"{name} read" for name in registry.names() if name not in {"seventeen_track", "trackingmore", "aftership", "sheet", "fake"}
}


def test_every_figure_stands_beside_its_baseline(tmp_path: Path) -> None:
    """`build/bench.json` is a contract: name, value, unit, baseline and a ratio that is theirs.

    What "first" touched is decided in the sweep: a cycle without it would flatter us (facts: performance).
    """
    plan = Plan(
        shipments=80, repeats=1, memory_shipments=40, rounds=2, past_orders=20, due_rows=200, naive_shipments=5, fleet_due=0
    )
    lines = run(plan, tmp_path, ask_here)
    write(tmp_path / "build" / "bench.json", lines)
    figures = loads((tmp_path / "build" / "bench.json").read_bytes())["figures"]
    assert all(set(figure) == {"name", "value", "unit", "baseline", "ratio"} for figure in figures)
    assert all(figure["ratio"] > 0 and isinstance(figure["unit"], str) for figure in figures)
    assert all(figure["ratio"] == pytest.approx(figure["value"] / figure["baseline"], rel=0.01, abs=0.01) for figure in figures)
    value = {figure["name"]: figure["value"] for figure in figures}
    assert len(value) == len(figures)
    assert {"floor_same", "floor_first", "same", "one", "first", "peak_memory_same"} | AGAINST | STEPS | READING | GROWN <= set(
        value
    )
    assert not any(name.startswith("karrio") for name in value), "measured only where its interpreter is named"
    assert value["first"] == pytest.approx(value["first_poll"] + value["first_sweep"], rel=0.01)


def test_a_quiet_order_costs_a_few_ladders_at_most() -> None:
    """The aim is 4 times the hand-written ladder; a guard that a busy machine cannot trip stands at 10."""
    found = deciding(100)
    assert found["quiet"] / found["ladder"] < 10


def test_both_sides_of_the_rehearsal_do_the_same_work() -> None:
    """The ladder acts on the very same looks: it tells as many buyers of day 30 as the rules do."""
    known, past = rules(), list(past_orders(60, "_abroad"))
    outcomes = [replay(each, known, AS_OF) for each in past]
    visits = _visits(past, known)
    assert [each.visits for each in outcomes] == list(map(len, visits))
    counts = _ladder_over(past, visits)
    assert counts["stage1"] == sum(each.messages.count("stage1") for each in outcomes) > 0


def test_an_answer_has_the_agreed_size() -> None:
    """40 numbers, about 100 kB, 10-30 scans each, 20 on average."""
    answer = body(numbers(BATCH), datetime(2026, 3, 3, tzinfo=UTC))
    items = msgspec.json.decode(answer)["data"]["accepted"]
    scans = [len(item["track_info"]["tracking"]["providers"][0]["events"]) for item in items]
    assert 90_000 < len(answer) < 130_000
    assert (min(scans), max(scans)) == (10, 30)
    assert 18 <= sum(scans) / len(scans) <= 22


@pytest.mark.parametrize("name", BODIES)
def test_every_adapter_is_measured_on_the_same_scans(name: str) -> None:
    """A body that its adapter cannot read would be read very fast."""
    adapter, write = BODIES[name]
    source, asked = registry.get(adapter), list(journeys())
    slices = source.split(Response(status=200, body=write(journeys())), asked)
    read = [source.read(cut) for cut in slices.values() if isinstance(cut, bytes)]
    assert [(told.number, told.status, told.unmapped) for told in read] == [(n, TrackingStatus.IN_TRANSIT, ()) for n in asked]
    assert [sorted(e.description for e in told.events) for told in read] == [
        sorted(scan.text for scan in scans) for scans in journeys().values()
    ]


def test_two_answers_differ_in_what_the_digest_must_not_see() -> None:
    """The sync time moves with every answer; the slice, and so the digest, does not (facts: performance, 9.3)."""
    adapter, asked = SeventeenTrack(), [number(0), number(7)]
    one, other = (body(asked, datetime(2026, 3, day, tzinfo=UTC)) for day in (3, 4))
    assert one != other
    slices = adapter.split(Response(status=200, body=one), asked)
    assert slices == adapter.split(Response(status=200, body=other), asked)
    read = adapter.read(slices[number(0)])  # type: ignore[arg-type]
    assert (read.number, read.status, read.unmapped) == (number(0), TrackingStatus.IN_TRANSIT, ())


@pytest.mark.parametrize(
    ("name", "ratio", "said"),
    [
        ("same", 4.9, "<= 5   reached"),
        ("same", 5.1, "<= 5   not reached"),
        ("naive_same", 60.1, ">= 60  reached"),
        ("naive_same", 59.9, ">= 60  not reached"),
    ],
)
def test_the_table_says_whether_an_aim_was_reached(name: str, ratio: float, said: str) -> None:
    """The aim for "same" is 5 times the floor at most, and a sixtieth of what a naive build takes."""
    other = line("naive_one", 10.0, "us", 10.0, what="", against="us")
    shown = table([line(name, ratio * 10, "us", 10.0, what=name, against="us floor"), other])
    assert shown.splitlines()[1].endswith(said)


def test_medians_are_values_that_were_measured() -> None:
    assert median([3.0, 1.0, 9.0]) == 3.0
    assert median([4.0, 1.0]) == 1.0


def test_each_measurement_has_a_process_of_its_own(tmp_path: Path) -> None:
    """And one that fails says why."""
    assert set(ask("floor", path=str(tmp_path / "floor.db"), shipments=40)) == {"first", "same", "one"}
    with pytest.raises(RuntimeError, match=r"'floor' failed:(.|\n)*unable to open database file"):
        ask("floor", path=str(tmp_path / "absent" / "floor.db"), shipments=40)


@pytest.mark.skipif(binaries() is None, reason=MISSING)
def test_two_workers_claim_what_is_due_and_nothing_twice() -> None:
    """What several workers take in hand is counted in the database, which must agree with them."""
    (claims,) = fleet.lines(ask, 1200, 1)
    assert claims.figure.ratio > 0


def test_a_measurement_of_nothing_is_an_error() -> None:
    """A benchmark that did not run must not report that it was fast."""
    with pytest.raises(ValueError, match="same: nothing was measured"):
        line("same", 0.0, "us", 10.0, what="", against="")
