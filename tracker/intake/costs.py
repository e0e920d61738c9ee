"""What a file costs at the sources that want each number to be registered (daily-operations, Quota)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from carriers import registry
from tracker.config import Source
from tracker.intake.report import FileReport
from tracker.model import Followed
from tracker.store.quota import Forecast, forecast, plan_of

ANY = "*"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """New registrations at one source, and how its quota stands before them; `waiting` do not fit into what is left today."""

    registrations: int
    quota: Forecast
    waiting: int = 0


def costs(
    reports: Iterable[FileReport],
    sources: Iterable[Source],
    routes: Mapping[str, tuple[str, ...]],
    days: Mapping[str, Mapping[date, int]],
    today: date,
) -> list[Cost]:
    """One for each source that registers, also where a file brings it nothing.

    `routes` are `Rules.sources`, `days` what `Gate.quota_days` counted.
    """
    paid = {source.id: source for source in sources if registry.describe(source.adapter).registers}
    wanted = registrations((each for report in reports for each in report.followed), routes, paid)
    return [_cost(source, wanted[id_], days.get(id_, {}), today) for id_, source in paid.items()]


def registrations(followed: Iterable[Followed], routes: Mapping[str, tuple[str, ...]], paid: Collection[str]) -> Counter[str]:
    """New registrations by source: a parcel is registered at the first source of its carrier, once."""
    found: Counter[str] = Counter()
    for parcel in set(followed):
        source = next(iter(routes.get(parcel.carrier or ANY) or routes.get(ANY, ())), None)
        if source is not None and source in paid and source not in parcel.registered:
            found[source] += 1
    return found


def _cost(source: Source, wanted: int, days: Mapping[date, int], today: date) -> Cost:
    told = forecast(source.id, days, plan_of(source), today, wanted=wanted)
    return Cost(registrations=wanted, quota=told, waiting=0 if told.left_today is None else max(wanted - told.left_today, 0))


def cost_document(cost: Cost) -> dict[str, Any]:
    """`{"source", "registrations", "waiting", "used_today", "left_today", "left", "mean", "ends_on"}`; null = not limited."""
    return {"registrations": cost.registrations, "waiting": cost.waiting, **msgspec.structs.asdict(cost.quota)}


def cost_lines(listed: Iterable[Cost]) -> list[str]:
    """A line a source: `17track: 120 new registrations (4100 left, 1050 a day, ends on 2026-09-24)`."""
    return [_line(cost) for cost in listed]


def _line(cost: Cost) -> str:
    noun = "registration" if cost.registrations == 1 else "registrations"
    late = f"; {cost.waiting} of them wait for another day" if cost.waiting else ""
    return f"{cost.quota.source}: {cost.registrations} new {noun} ({cost.quota.said()}){late}"
