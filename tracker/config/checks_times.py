"""What no single key of time-rules.toml can know: anchors that lead nowhere or in a circle, windows that run backwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_market import MarketplacesFile
from tracker.config.shape_times import Figure, TimeRule, TimesFile
from tracker.times import ANCHORS, ANSWERS, API, PAYPAL, RULE

Found = tuple[Merged, str, Level]

_ENDS = frozenset({"window", "window_close"})
_OPENS = _ENDS | {"window_open"}


def check_times(file: TimesFile, markets: MarketplacesFile) -> Iterator[Found]:
    """Every finding, with the path of its key."""
    by_id = {each.id: each for each in file.rule}
    known = {PAYPAL, *(each.id for each in markets.marketplace)}
    for each in file.rule:
        path: Merged = ("rule", each.id)
        if each.marketplace not in known:
            yield (*path, "marketplace"), "no such marketplace, so it can never match" + meant(each.marketplace, known), "error"
        if each.case and each.kind not in ANSWERS:
            yield (*path, "case"), f"a {each.kind} dates no answer, so this never matches: a deadline or a target does", "warning"
        if each.opens and each.kind not in _OPENS:
            yield (*path, "opens"), f"a {each.kind} opens no case: a window, window_open or window_close does", "warning"
        if each.ships and each.kind not in ANSWERS:
            yield (*path, "ships"), f"a {each.kind} is no last day to ship: a deadline or a target is", "warning"
        if each.limits_promise and each.kind not in _ENDS:
            yield (*path, "limits_promise"), f"a {each.kind} is no last day to complain: a window or window_close is", "warning"
        for profile, figure in _figures(each):
            yield from _figure((*path, "profiles", profile), each, figure, by_id, profile)


def _figures(rule: TimeRule) -> Iterator[tuple[str, Figure]]:
    yield "current", rule.profiles.current
    if rule.profiles.seed is not None:
        yield "seed", rule.profiles.seed


def _figure(path: Merged, rule: TimeRule, figure: Figure, by_id: Mapping[str, TimeRule], profile: str) -> Iterator[Found]:
    for key, anchor in (("anchor", figure.anchor), ("end_anchor", figure.end_anchor)):
        if anchor is not None:
            yield from _anchor((*path, key), anchor, by_id)
    if circle := _circle(rule, by_id, profile):
        yield (*path, "anchor"), f"goes in a circle: {' -> '.join(circle)}", "error"
    if figure.end_anchor is not None and figure.offset_max is None:
        yield (*path, "end_anchor"), "needs offset_max: how long after it the window ends", "error"
    if figure.offset_max is not None and figure.end_anchor is None and _backwards(figure):
        ends = f"the window ends ({figure.offset_max} {figure.unit} {figure.direction}) before it begins ({figure.offset})"
        yield (*path, "offset_max"), ends, "error"
    if rule.kind == "window" and figure.offset_max is None:
        yield (*path, "offset_max"), "a window needs its end: offset_max", "error"
    if figure.unit == "business_days" and rule.calendar is None:
        message = 'business days follow a calendar: add calendar = "marketplace" to the rule (D8)'
        yield (*path, "unit"), message, "error"


def _backwards(figure: Figure) -> bool:
    first, last = figure.offset, figure.offset_max or 0
    return last < first if figure.direction == "after" else last > first


def _anchor(path: Merged, anchor: str, by_id: Mapping[str, TimeRule]) -> Iterator[Found]:
    if anchor.startswith(RULE):
        other = anchor.removeprefix(RULE)
        if other not in by_id:
            yield path, "no such rule" + meant(other, by_id), "error"
    elif not anchor.startswith(API) and anchor not in ANCHORS:
        yield path, "no such anchor" + meant(anchor, ANCHORS), "error"


def _circle(rule: TimeRule, by_id: Mapping[str, TimeRule], profile: str) -> list[str]:
    """The ids from this rule back to itself; empty where there is no circle, or another rule's is told."""
    way, here = [rule.id], rule
    while True:
        figure = (here.profiles.seed if profile == "seed" else None) or here.profiles.current
        following = by_id.get(figure.anchor.removeprefix(RULE)) if figure.anchor.startswith(RULE) else None
        if following is None:
            return []
        if following.id in way:
            return [*way, following.id] if following.id == rule.id else []
        way.append(following.id)
        here = following
