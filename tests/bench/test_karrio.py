"""karrio's poller beside ours: only where somebody has installed it, and never a condition of anything.

The last test runs it; it wants `KARRIO_PYTHON`, an interpreter that has karrio-server (docs/performance.md says how to have one).
"""

from __future__ import annotations

import os
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carriers.base import Response
from carriers.dhl_unified import DhlUnified
from carriers.seventeen_track import SeventeenTrack
from tests.bench import __main__ as bench
from tests.bench import karrio
from tests.bench.answers import body, number
from tests.bench.carrier import carrier
from tests.bench.report import Line
from tests.bench.unified import unified
from tests.bench.worker import Figures, ask_here

INSTALLED = os.environ.get(karrio.VARIABLE)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[bench.Plan]:
    """What was measured, without measuring it."""
    plans: list[bench.Plan] = []

    def run(plan: bench.Plan, folder: Path) -> list[Line]:
        plans.append(plan)
        return []

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.delenv(karrio.VARIABLE, raising=False)
    return plans


def test_without_it_the_benchmark_says_how_to_have_it(
    measured: list[bench.Plan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 0, and all else is measured."""
    assert bench.main(["--out", str(tmp_path / "bench.json")]) == 0
    assert "karrio's poller is left out" in capsys.readouterr().out
    assert [plan.karrio for plan in measured] == [None]


@pytest.mark.parametrize(
    ("python", "said"), [(sys.executable, "-m pip install karrio_server"), ("/absent/python", "cannot be run")]
)
def test_an_interpreter_without_it_is_told_before_anything_is_measured(
    measured: list[bench.Plan], capsys: pytest.CaptureFixture[str], python: str, said: str
) -> None:
    """Ours has none and shall have none: importing it turns certificate checks off (facts: carriers, section 27)."""
    assert bench.main(["--karrio", python]) == 1
    assert said in capsys.readouterr().err
    assert measured == []


def test_the_variable_names_it_where_the_command_does_not(
    measured: list[bench.Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(karrio.VARIABLE, "/somewhere/python")
    monkeypatch.setattr(karrio, "version", lambda _: "2026.1")
    assert bench.main(["--out", str(tmp_path / "bench.json")]) == 0
    assert [plan.karrio for plan in measured] == ["/somewhere/python"]


@pytest.mark.parametrize("news", [False, True])
def test_dhl_tells_the_scans_that_17track_tells(news: bool) -> None:
    """Both sides hear the same of a parcel: as many scans, at the same instants, with the same words."""
    asked = number(7)
    dhl, track17 = DhlUnified(), SeventeenTrack()
    (one,) = dhl.split(Response(status=200, body=unified(asked, news=news)), [asked]).values()
    answer = body([asked], datetime(2026, 3, 3, tzinfo=UTC), news=news)
    (other,) = track17.split(Response(status=200, body=answer), [asked]).values()
    assert isinstance(one, bytes)
    assert isinstance(other, bytes)
    read, told = dhl.read(one), track17.read(other)
    assert read.number == asked
    assert sorted((e.time, e.description, e.location) for e in read.events) == sorted(
        (e.time, e.description, e.location) for e in told.events
    )


def test_the_stand_in_answers_one_number_a_get() -> None:
    """As karrio's connector asks: a connection of its own for each number."""
    with carrier(0.0) as base_url:
        for path, news in (("", False), ("/news", True)):
            with urllib.request.urlopen(f"{base_url}{path}/track/shipments?trackingNumber={number(3)}&language=en") as answer:  # noqa: S310 - loopback
                assert answer.read() == unified(number(3), news=news)


def test_ours_is_measured_one_a_request_too(tmp_path: Path) -> None:
    """What is unlike about forty a request must not be all that we are faster by."""
    path = tmp_path / "few.db"
    ask_here("prepare", path=str(path), shipments=12)
    with carrier(0.0) as base_url:
        found = ask_here("cycles", path=str(path), base_url=base_url, shipments=12, fast=False, apiece=True)
    assert min(found.values()) > 0


def test_a_figure_stands_beside_both_ways_of_ours() -> None:
    """Medians of the repeats; "same" has the aim of 150 times (facts: performance, section 8)."""
    found: list[Figures] = [{"first": 9.0, "same": value, "one": 8.0, "again": 12.0} for value in (7.0, 6.0, 30.0)]
    ours, single = {"first": 0.9, "same": 0.1, "one": 0.5}, {"first": 3.0, "same": 2.0, "one": 2.0}
    figures = {one.figure.name: one.figure.ratio for one in karrio.lines(found, ours, single)}
    assert figures == {
        "karrio_first": 10.0,
        "karrio_same": 70.0,
        "karrio_one": 16.0,
        "karrio_again": 120.0,
        "karrio_single_first": 3.0,
        "karrio_single_same": 3.5,
        "karrio_single_one": 4.0,
    }


@pytest.mark.skipif(not INSTALLED, reason=f"{karrio.VARIABLE} names no interpreter that has karrio-server; docs/performance.md")
@pytest.mark.timeout(600)
def test_its_released_poller_runs_and_keeps_what_was_told(tmp_path: Path) -> None:
    """`measure` counts the scans after every pass: a poller that failed would be very fast."""
    assert INSTALLED
    assert karrio.version(INSTALLED)
    karrio.prepare(INSTALLED, tmp_path / "karrio")
    with carrier(0.0) as base_url:
        found = karrio.measure(INSTALLED, tmp_path / "karrio", tmp_path / "run", base_url, 12)
    assert min(found.values()) > 0
