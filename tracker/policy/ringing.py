"""Quiet hours: what rings, rings between nine and eight on the buyer's own clock; mail and tasks at any time (D16, R25, R81).

The zone is that of the buyer's state where the country has several and the state is known; else it has to be a good hour in all
zones of the country, because nobody knows in which of them the buyer sleeps.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tracker.model import Channel, Order
from tracker.rules import QuietHours

RINGS = frozenset({Channel.WHATSAPP, Channel.TELEGRAM})
"""Channels that make a telephone ring. A call itself is a person's task, which tells the hours (R81)."""

_DAYS_AHEAD = 3
_NOWHERE = ("UTC",)


def zones_of(order: Order, quiet: QuietHours) -> tuple[str, ...]:
    """The zones in which the buyer may live: one where the state is known, else all of the country; UTC without one."""
    country = order.country or ""
    states = quiet.regions.get(country, {})
    if order.region and states:
        found = states.get(fold(order.region)) or states.get("")
        if found:
            return (found,)
    return quiet.zones.get(country) or _NOWHERE


def rings_from(order: Order, quiet: QuietHours, now: datetime) -> datetime | None:
    """When it may ring next (aware); None: now.

    Where no hour is good in all zones of a country, it is the next morning of the first one.
    """
    zones = tuple(ZoneInfo(name) for name in zones_of(order, quiet))
    if all(_awake(zone, quiet, now) for zone in zones):
        return None
    mornings = sorted(at for zone in zones for ahead in range(_DAYS_AHEAD) if (at := _morning(zone, quiet, now, ahead)) > now)
    return next((at for at in mornings if all(_awake(zone, quiet, at) for zone in zones)), mornings[0])


def _awake(zone: ZoneInfo, quiet: QuietHours, at: datetime) -> bool:
    return quiet.begins <= at.astimezone(zone).time() < quiet.ends


def _morning(zone: ZoneInfo, quiet: QuietHours, now: datetime, ahead: int) -> datetime:
    """Of a day of the calendar: 24 hours after 23:59 may be the day after tomorrow when the clocks go forward (faults row 14)."""
    day = now.astimezone(zone).date() + timedelta(days=ahead)
    return datetime.combine(day, quiet.begins, zone).astimezone(now.tzinfo)


@lru_cache(maxsize=4096)
def fold(region: str) -> str:
    """Lower case, no accents: "São Paulo" and "SAO PAULO" are one state."""
    plain = unicodedata.normalize("NFKD", region.casefold())
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())
