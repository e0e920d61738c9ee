"""What cases.toml cannot know by itself: marketplaces and time rules that are not there, advice that a wider one hides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_cases import CaseRule, CasesFile
from tracker.rules import Rules

Found = tuple[Merged, str, Level]


def check_cases(shape: CasesFile, rules: Rules) -> Iterator[Found]:
    """Every finding, with the path of its key."""
    dates = {rule.id for each in (rules.times, *rules.store_times.values()) for listed in each.values() for rule in listed}
    for at, each in enumerate(shape.case):
        path = ("case", each.id)
        for platform in sorted(each.platforms - rules.marketplaces.keys()):
            yield (*path, "platforms"), "no such marketplace" + meant(platform, rules.marketplaces), "error"
        for name, named in (("evidence", filter(None, [each.evidence])), ("clocks", each.clocks)):
            for rule in named:
                if rule not in dates:
                    yield (*path, name), "no such time rule" + meant(rule, dates), "error"
        hides = next((earlier for earlier in shape.case[:at] if _covers(earlier, each, rules.marketplaces)), None)
        if hides is not None:
            yield path, f"never reached: {hides.id} stands before it and fits all of its cases", "warning"


def _covers(wide: CaseRule, narrow: CaseRule, platforms: Mapping[str, object]) -> bool:
    """Whether the first fits wherever the second does."""
    everywhere = not wide.platforms or wide.platforms >= (narrow.platforms or platforms.keys())
    always = not wide.reasons or (bool(narrow.reasons) and wide.reasons >= narrow.reasons)
    return wide.kinds >= narrow.kinds and everywhere and always
