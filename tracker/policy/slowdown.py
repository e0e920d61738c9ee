"""What slows parcels for a while: the seasons of the calendar and the advisories of people (D19, R35).

They shift silence and loss verdicts on their leg and place, the longest alone; and a buyer whose promised date falls inside is
told. No stage, promised date, guarantee, window, claim or case clock ever looks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from tracker.dates import SeasonDays, on_leg
from tracker.model import Advisory, DecisionReason, Dossier, Shipment
from tracker.policy.view import Parcel, View
from tracker.rules import Season


class Slowdown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One season or advisory as the buyer is told of it. `made_at` is aware UTC.

    `start` is its first local day; `end` the last day on which it is worth telling: the promised date, which lies inside (D19).
    """

    occasion: str
    reason: DecisionReason
    start: date
    end: date
    add_days: int
    causes: Mapping[str, str]
    made_at: datetime | None = None


def slow_days(view: View, shipment: Shipment) -> Sequence[SeasonDays]:
    """The seasons, and the advisories that concern this parcel's carrier and region; leg and country are looked at with them."""
    if not view.dossier.advisories:
        return view.rules.seasons
    return (*view.rules.seasons, *advisories_for(view.dossier, shipment))


def advisories_for(dossier: Dossier, shipment: Shipment) -> list[Advisory]:
    """Those that hold for the parcel's carrier and the order's region, each until it ended; one that never began is none."""
    found = []
    for each in dossier.advisories:
        held = _until_ended(each)
        mine = each.carrier in {None, shipment.carrier} and (each.region is None or _same(each.region, dossier.order.region))
        if mine and held.start <= held.end:
            found.append(held)
    return found


def slowdowns_on(view: View, parcel: Parcel) -> list[Slowdown]:
    """What slows this parcel on the leg it is on, begun or ahead, and has its promised date inside; none once that has passed."""
    day = promised_on(view, parcel)
    if day is None:
        return []
    seasons = view.rules.seasons_on(day)
    advisories = advisories_for(view.dossier, parcel.shipment) if view.dossier.advisories else ()
    if not seasons and not advisories:
        return []
    today = view.now.astimezone(UTC).date()
    if today > day:
        return []
    touching = [each for each in (*seasons, *advisories) if each.start <= day <= each.end]
    return [_told(each, day) for each in touching if on_leg(each, parcel.shipment, parcel.shipment.last_scan)]


def promised_on(view: View, parcel: Parcel) -> date | None:
    """The date until which the buyer expects it: as the marketplace told him, else day 0 and the promise of the destination."""
    promised = view.order.promised_at
    if promised is not None:
        return promised.astimezone(UTC).date()
    if parcel.day0 is None:
        return None
    days = parcel.profile.promise_by_platform.get(view.order.platform, parcel.profile.promise_days)
    return (parcel.day0 + timedelta(days=days)).date()


def _same(region: str, other: str | None) -> bool:
    return other is not None and region.casefold() == other.casefold()


def _until_ended(advisory: Advisory) -> Advisory:
    """One that a person ended early held until the day before; one that was ended before it began holds on no day."""
    if advisory.ended_at is None:
        return advisory
    last = min(advisory.end, advisory.ended_at.astimezone(UTC).date() - timedelta(days=1))
    return msgspec.structs.replace(advisory, end=last)


def _told(each: Season | Advisory, promised: date) -> Slowdown:
    if isinstance(each, Advisory):
        return Slowdown(
            occasion=str(each.id),
            reason=DecisionReason.ADVISORY_HOLDS,
            start=each.start,
            end=promised,
            add_days=each.add_days,
            causes=each.causes,
            made_at=each.created_at,
        )
    return Slowdown(
        occasion=each.occasion,
        reason=DecisionReason.SEASON_SLOWS,
        start=each.start,
        end=promised,
        add_days=each.add_days,
        causes=each.causes,
    )
