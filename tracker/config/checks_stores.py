"""Whether a shop's own days of stages fit the ladder they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tracker.config.build import Shapes, stage_days
from tracker.config.merge import Merged
from tracker.config.problem import Level, meant

FALLBACK = "fallback"


def check_stages(id_: str, shapes: Shapes) -> Iterator[tuple[Merged, str, Level]]:
    """A profile that does not exist, days that do not increase, a stage after the protection ends."""
    ladders = {each.id: each for each in shapes.destinations.profile}
    for profile, told in shapes.stores[id_].stages.items():
        own = {str(stage): days for stage, days in told.items()}
        ladder = shapes.destinations.fallback if profile == FALLBACK else ladders.get(profile)
        path: Merged = ("stages", profile)
        if ladder is None:
            yield path, "no such profile in destinations.toml" + meant(profile, {*ladders, FALLBACK}), "error"
            continue
        days = [(stage.value, own.get(stage.value, usual)) for stage, usual in stage_days(ladder)]
        for (before, earlier), (after, later) in pairwise(days):
            if earlier >= later:
                yield path, f"the stages have to increase: {after} on day {later} is not after {before} on day {earlier}", "error"
        name, last = days[-1]
        if last > ladder.guarantee_days:
            yield path, f"{name} on day {last} comes after the protection ends on day {ladder.guarantee_days}", "warning"
