"""A short run of `make chaos`, and proof that it can fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos import plan
from tests.chaos.defects import DEFECTS
from tests.chaos.harness import Wish, run
from tests.postgres import DEMANDED, MISSING, binaries

KILLS = int(os.environ.get("CHAOS_KILLS", "24"))

pytestmark = pytest.mark.timeout(600)


async def told(wish: Wish) -> tuple[int, list[str]]:
    """Exit code, and what was said."""
    said = list[str]()
    return await run(wish, said.append), said


async def test_kills_lose_nothing_double_nothing_and_hide_nothing(tmp_path: Path) -> None:
    """I1, I2, I5, fault 1, fault 2, fault 21, fault 36: daemons and commands killed anywhere, counted from outside."""
    code, said = await told(Wish(kills=KILLS, seed="suite", shops=3, folder=tmp_path / "chaos"))
    *_, last = said
    assert (code, last.startswith(f"kills={KILLS} lost=0 doubled=0 unknown=")) == (0, True), "\n".join(said)
    counts = dict(word.split("=") for word in last.split())
    assert counts["unknown"] == counts["shown"]


@pytest.mark.skipif(binaries() is None and os.environ.get(DEMANDED) != "required", reason=MISSING)
async def test_a_fleet_loses_nothing_either(tmp_path: Path) -> None:
    """I1, I2, I5, fault 1, fault 2, fault 5, fault 21: three workers on a PostgreSQL, all of them killed in each round."""
    code, said = await told(Wish(kills=12, seed="fleet", shops=1, fleets=1, folder=tmp_path / "chaos"))
    assert (code, said[-1].startswith("kills=12 lost=0 doubled=0 unknown=")) == (0, True), "\n".join(said)


WHERE = {"resend": "send_after_call", "forget": "send_after_claim", "hide": "send_after_claim"}
"""Defect -> the kill after which it does its harm."""

NOTICED = {"resend": "accepted it 2 times", "forget": "the mail server never had it", "hide": "not shown as unknown"}


@pytest.mark.parametrize("defect", DEFECTS)
async def test_the_harness_notices_a_defect(defect: str, tmp_path: Path) -> None:
    """I1, fault 1: a daemon that sends again, forgets or hides what a kill left behind ends the run with exit code 1."""
    wish = Wish(kills=3, seed="defect", shops=1, folder=tmp_path / "chaos", defect=defect, points=(WHERE[defect],))
    code, said = await told(wish)
    assert code == 1, "\n".join(said)
    assert NOTICED[defect] in "\n".join(said)
    assert (tmp_path / "chaos" / "shop-1" / "tracker.toml").exists(), "the folder is kept"


def test_every_point_that_the_product_names_is_killed_at() -> None:
    """Fault 1: a new crash point finds its process here, and its kills with it."""
    assert plan.named_in_code() == plan.POINTS.keys() | plan.ELSEWHERE


def test_a_seed_is_a_plan() -> None:
    """The same seed kills at the same points, another one elsewhere."""
    points = plan.points(fleet=False)
    first, again, other = (plan.rounds(seed, 40, 1, points) for seed in ("7/shop-1", "7/shop-1", "8/shop-1"))
    assert first == again != other
    assert {life.crash_at.partition(":")[0] for round_ in first for life in round_.lives} > {"", "poll_before_commit"}


def test_four_workers_die_in_one_round() -> None:
    """Fault 21: a fleet loses more than one worker at a time, and exactly as many as were asked for."""
    made = plan.rounds("7", 50, 4, plan.points(fleet=True))
    assert sum(len(each.lives) or 1 for each in made) == 50
    assert max(len(each.lives) for each in made) == 4
