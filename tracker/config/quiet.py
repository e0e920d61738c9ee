"""The zones of countries and states: zone1970.tab of the tz database, and the states that calendar.toml names (D16)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from tracker.config.shape_rules import RegionZone
from tracker.config.shape_tracker import QuietHours as QuietShape
from tracker.policy.ringing import fold
from tracker.rules import QuietHours

_TABLE = "zoneinfo/zone1970.tab"


def build_quiet(shape: QuietShape, zones: Iterable[RegionZone]) -> QuietHours:
    """The hours with every country's zones, and every named state's."""
    regions: dict[str, dict[str, str]] = {}
    for each in zones:
        states = regions.setdefault(each.country, {})
        states |= {fold(state): each.zone for state in each.regions or ("",)}
    return QuietHours(begins=shape.from_, ends=shape.to, zones=country_zones(), regions=regions)


@cache
def country_zones() -> dict[str, tuple[str, ...]]:
    """Country -> its zones, as the tz database lists them (a zone that several countries share stands under each)."""
    found: dict[str, list[str]] = {}
    for line in files("tzdata").joinpath(_TABLE).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        codes, _, zone = line.split("\t")[:3]
        for code in codes.split(","):
            found.setdefault(code, []).append(zone)
    return {code: tuple(zones) for code, zones in found.items()}
