"""Who works when, for which store, and who stands in: the team of team.toml. Pure: instants are arguments, aware UTC.

A shift belongs to the local day on which it begins. Leave is whole local days, both ends included; a shift over midnight that
began the day before is still worked. Source: facts/daily-operations.md ("People"), D24.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

HORIZON_DAYS = 62
"""How far a shift is looked for, back and ahead: the longest leave that a team as a whole takes."""

EVENING = 18 * 60
WORKING_WEEK = frozenset(range(5))


def folded(name: str) -> str:
    """A name as names are compared: without regard to case, width and spare spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


class Leave(msgspec.Struct, frozen=True):
    """Days off, local dates, both included."""

    first: date
    last: date


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One [[person]]. `begins`, `ends` are minutes from local midnight, `ends` past 24 h for a night shift; `days` 0 = Monday.

    No `stores` = all of them. `approve_up_to` maps a currency to the largest refund this person may approve; empty = no limit.
    `address` is `mail:ADDRESS` or `apprise:NAME` of an alert's destination.
    """

    id: str
    name: str
    zone: str = "UTC"
    stores: tuple[str, ...] = ()
    begins: int = 9 * 60
    ends: int = EVENING
    days: frozenset[int] = WORKING_WEEK
    leave: tuple[Leave, ...] = ()
    deputy: str | None = None
    approve_up_to: Mapping[str, Decimal] = {}
    address: str | None = None
    language: str | None = None

    def looks_after(self, store: str) -> bool:
        """Whether this store is theirs."""
        return not self.stores or store in self.stores

    def local_day(self, at: datetime) -> date:
        """The date on this person's calendar."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def away_on(self, day: date) -> bool:
        """Whether the local day is one of leave."""
        return any(each.first <= day <= each.last for each in self.leave)

    def away(self, at: datetime) -> bool:
        """Whether this person is on leave."""
        return self.away_on(self.local_day(at))

    def shift(self, day: date) -> tuple[datetime, datetime] | None:
        """Begin and end (aware UTC) of the shift that begins on this local day; None on a day off or of leave."""
        if day.weekday() not in self.days or self.away_on(day):
            return None
        return self._at(day, self.begins), self._at(day, self.ends)

    def works(self, at: datetime) -> bool:
        """Whether this person is at work."""
        today = self.local_day(at)
        shifts = (self.shift(today - _DAY), self.shift(today))
        return any(shift is not None and shift[0] <= at < shift[1] for shift in shifts)

    def _at(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, 24 * 60)
        wall = datetime.combine(day + days * _DAY, time(rest // 60, rest % 60), ZoneInfo(self.zone))
        return wall.astimezone(UTC)


class Team(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everybody who decides. An empty team: any name is taken, and there are no limits per person."""

    people: tuple[Person, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.people)

    @cached_property
    def _named(self) -> Mapping[str, Person]:
        return {folded(name): person for person in self.people for name in (person.name, person.id)}

    @cached_property
    def _eves(self) -> dict[tuple[str, date], datetime | None]:
        return {}

    def person(self, name: str | None) -> Person | None:
        """Whom an id or a name means; case, width and spare spaces do not count."""
        return None if name is None else self._named.get(folded(name))

    def responsible(self, store: str) -> tuple[Person, ...]:
        """Whose store it is; those who name it before those who look after all."""
        mine = [person for person in self.people if person.looks_after(store)]
        return tuple(sorted(mine, key=lambda person: not person.stores))

    def reachable(self, person: Person, at: datetime) -> Person:
        """This person, or while on leave the deputy (theirs in turn); the person where nobody stands in."""
        found, seen = person, {person.id}
        while found.away(at):
            deputy = self.person(found.deputy)
            if deputy is None or deputy.id in seen:
                return person
            found = deputy
            seen.add(found.id)
        return found

    def present(self, store: str, at: datetime) -> tuple[Person, ...]:
        """Who answers for the store: deputies in the place of those on leave, nobody for those without one."""
        found = {person.id: person for person in (self.reachable(each, at) for each in self.responsible(store))}
        return tuple(person for person in found.values() if not person.away(at))

    def on_duty(self, store: str, at: datetime) -> tuple[Person, ...]:
        """Of those who answer for the store, the ones whose working hours it is."""
        return tuple(person for person in self.present(store, at) if person.works(at))

    def assignee(self, store: str, at: datetime, key: str = "") -> Person | None:
        """Whose new task it is: of those on duty, else of those whose shift begins next; None when nobody is there.

        Several share by `key` (an order, a group): evenly, and one key always with the same person.
        """
        there = self.present(store, at)
        candidates = tuple(person for person in there if person.works(at)) or _first_back(there, at)
        named = tuple(person for person in candidates if person.stores) or candidates
        return named[zlib.crc32(key.encode()) % len(named)] if named else None

    def told_until(self, store: str, now: datetime) -> datetime:
        """Up to which deadline nobody may wait any longer (D24): those whose last working hour has begun by `now`.

        That is the last hour that somebody of the store works whole before the deadline; of a shift shorter than an hour its
        begin; without either (no team, all on leave) one hour before it. One answer for all deadlines of a store: there may be
        thousands.
        """
        today = now.astimezone(UTC).date()
        shifts = [shift for offset in range(-2, HORIZON_DAYS) for shift in self._shifts_on(store, today + offset * _DAY)]
        if any(begin <= now < end - _HOUR for begin, end in shifts) or not self.responsible(store):
            return now + _HOUR
        ahead = (begin + min(_HOUR, end - begin) for begin, end in shifts if begin > now)
        return min(ahead, default=now + HORIZON_DAYS * _DAY)

    def before_holiday(self, store: str, at: datetime) -> datetime:
        """`at`, or the begin of the store's last working day before leave of everybody.

        It moves forward when it falls on days without anybody on which leave lies, or before the second working day after them:
        who comes back finds what piled up (facts/daily-operations.md section 2).
        """
        mine = self.responsible(store)
        if not any(person.leave for person in mine):
            return at
        key = (store, mine[0].local_day(at))
        if key not in self._eves:
            self._eves[key] = self._eve(*key)
        eve = self._eves[key]
        return at if eve is None else min(at, eve)

    def _eve(self, store: str, day: date) -> datetime | None:
        """When the last working day begins before the holiday that `day` falls into, or ends the day before."""
        last = day - _DAY if self._shifts_on(store, day) else day
        first, leave = last, False
        for _ in range(HORIZON_DAYS):
            begins = self._shifts_on(store, first)
            if begins:
                leave = leave or (last == day and self._leave_ahead(store, day))
                return min(begins)[0] if leave and first != last else None
            leave = leave or self._on_leave(store, first)
            first -= _DAY
        return None

    def _leave_ahead(self, store: str, day: date) -> bool:
        """Whether the days without anybody that `day` is among go on into leave."""
        while not self._shifts_on(store, day):  # ends within a week: whoever works on no day of it is on leave on one
            if self._on_leave(store, day):
                return True
            day += _DAY
        return False

    def _on_leave(self, store: str, day: date) -> bool:
        return any(person.away_on(day) and day.weekday() in person.days for person in self.responsible(store))

    def _shifts_on(self, store: str, day: date) -> list[tuple[datetime, datetime]]:
        """The shifts of the store that begin on this local day, worked by whoever stands in then."""
        shifts = []
        for person in self.responsible(store):
            noon = datetime.combine(day, time(12), ZoneInfo(person.zone))
            shifts.append(self.reachable(person, noon).shift(day))
        return [shift for shift in shifts if shift is not None]


def _first_back(people: Iterable[Person], at: datetime) -> tuple[Person, ...]:
    """Those whose next shift begins first."""
    begins = {person.id: begin for person in people if (begin := _next_begin(person, at)) is not None}
    first = min(begins.values(), default=None)
    return tuple(person for person in people if begins.get(person.id) == first and first is not None)


def _next_begin(person: Person, at: datetime) -> datetime | None:
    today = person.local_day(at)
    shifts = (person.shift(today + offset * _DAY) for offset in range(HORIZON_DAYS))
    return next((shift[0] for shift in shifts if shift is not None and shift[0] >= at), None)
