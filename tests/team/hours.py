"""The last working hour before one deadline, by looking at every shift: `Team.told_until` answers for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.team import Team

HOUR = timedelta(hours=1)
_DAYS = 60


def last_working_hour(team: Team, deadline: datetime, store: str) -> datetime:
    """When the last hour begins that somebody of the store works whole before `deadline`; else one hour before it (D24)."""
    return max(_hours(team, deadline, store), default=deadline - HOUR)


def _hours(team: Team, deadline: datetime, store: str) -> Iterator[datetime]:
    for offset in range(-_DAYS, 2):
        day = deadline.date() + timedelta(days=offset)
        for person in team.responsible(store):
            noon = datetime.combine(day, time(12), ZoneInfo(person.zone))
            shift = team.reachable(person, noon).shift(day)
            if shift is not None and deadline - shift[0] >= min(HOUR, shift[1] - shift[0]):
                yield max(shift[0], min(shift[1], deadline) - HOUR)
