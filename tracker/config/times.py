"""From the checked shape of time-rules.toml to the time rules of each marketplace in one profile."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.config.shape_times import TimeRule as Shape
from tracker.config.shape_times import TimesFile
from tracker.rules import TimeRule
from tracker.times import RULE

CURRENT = "current"


def time_rules(file: TimesFile, profile: str) -> Mapping[str, tuple[TimeRule, ...]]:
    """By marketplace. A rule without a figure of this profile keeps today's."""
    shapes = {each.id: each for each in file.rule}
    found: dict[str, list[TimeRule]] = {}
    for each in file.rule:
        found.setdefault(each.marketplace, []).append(_rule(each, profile, shapes, frozenset()))
    return {name: tuple(rules) for name, rules in found.items()}


def _rule(shape: Shape, profile: str, shapes: Mapping[str, Shape], above: frozenset[str]) -> TimeRule:
    """A circle of rules, which the checks tell, ends where it closes: `above` are the rules that are counted from this one."""
    figure = (shape.profiles.seed if profile != CURRENT else None) or shape.profiles.current
    base = shapes.get(figure.anchor.removeprefix(RULE)) if figure.anchor.startswith(RULE) else None
    if base is not None and base.id in {shape.id, *above}:
        base = None
    return TimeRule(
        id=shape.id,
        marketplace=shape.marketplace,
        item=shape.item,
        kind=shape.kind,
        tz=shape.tz,
        calendar=shape.calendar,
        regions=shape.regions,
        case=frozenset(kind.value for kind in shape.case),
        opens=frozenset(kind.value for kind in shape.opens),
        ships=shape.ships,
        limits_promise=shape.limits_promise,
        profile=CURRENT if figure is shape.profiles.current else profile,
        anchor=figure.anchor,
        offset=figure.offset,
        unit=figure.unit,
        direction=figure.direction,
        offset_max=figure.offset_max,
        end_anchor=figure.end_anchor,
        choices=figure.choices,
        confidence=figure.confidence,
        consequence=figure.consequence,
        base=None if base is None else _rule(base, profile, shapes, above | {shape.id}),
    )
