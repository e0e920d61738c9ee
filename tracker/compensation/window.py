"""From when until when a claim can be made (facts/compensation.md sections 1 and 2).

Day 0 is the local date of the clock's event at origin. Where its instant is not known the opening counts from the later bound and
the close, a deadline, from the earlier one. Seasons and advisories never shift these clocks (D19).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta

import msgspec

from tracker.dates import add_working_days, posting_dates
from tracker.model import Order, Shipment
from tracker.rules import CompensationRule

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - reads as a list
)


class ClaimWindow(msgspec.Struct, frozen=True, kw_only=True):
    """First and last day (local dates at origin, both inclusive) on which the carrier takes an inquiry or a claim.

    `earliest_on` None: the opening is not known. `latest_on` None: no end is known. `why` says how both were counted, or what is
    missing. `at_once`: it would open after it closes, so the inquiry is opened at once (DHL Express with a late promise).
    """

    earliest_on: date | None
    latest_on: date | None
    why: str
    at_once: bool = False

    @property
    def known(self) -> bool:
        """Whether it is known when it opens."""
        return self.at_once or self.earliest_on is not None

    def is_open(self, today: date) -> bool:
        """Whether the carrier takes it today (local date at origin)."""
        opened = self.at_once or (self.earliest_on is not None and today >= self.earliest_on)
        return opened and not self.is_over(today)

    def is_over(self, today: date) -> bool:
        """Whether the last day has passed."""
        return self.latest_on is not None and today > self.latest_on


class _DayZero(msgspec.Struct, frozen=True):
    """A clock's event: its local dates by the earlier and the later bound of its instant."""

    earliest: date
    latest: date


def window(rule: CompensationRule, shipment: Shipment, order: Order, cause: str = "lost") -> ClaimWindow:
    """The claim window of one parcel under `rule`. `cause`: lost | damaged | short."""
    clock = _day_zero(rule.clock, shipment, order)
    opening = _day_zero(rule.earliest_clock or rule.clock, shipment, order)
    earliest = None if opening is None else _opens(rule, opening.latest, shipment, order)
    latest = None if clock is None else _closes(rule, clock.earliest, cause)
    why = f"{_tell_opening(rule, opening, shipment, order)}; {_tell_close(rule, clock, cause)}"
    if earliest is not None and latest is not None and earliest > latest:
        why = f"opens on {earliest} after it closes on {latest}: open the inquiry at once ({why})"
        return ClaimWindow(earliest_on=earliest, latest_on=latest, why=why, at_once=True)
    if opening is None:
        why = f"window unknown, because {_MISSING[rule.earliest_clock or rule.clock]}; {_tell_close(rule, clock, cause)}"
    return ClaimWindow(earliest_on=earliest, latest_on=latest, why=why)


_MISSING = {
    "posted": "nobody knows when the parcel was handed over",
    "first_scan": "there is no first scan yet",
    "last_scan": "there is no scan yet",
    "promised": "no promised date is known",
}


def _day_zero(clock: str, shipment: Shipment, order: Order) -> _DayZero | None:
    bounds = _instants(clock, shipment, order)
    return None if bounds is None else _DayZero(*posting_dates(*bounds, shipment.origin))


def _instants(clock: str, shipment: Shipment, order: Order) -> tuple[datetime, datetime] | None:
    """Earliest and latest instant of the clock's event. Posted is handed over, else accepted: the first scan."""
    known = {"promised": order.promised_at, "posted": shipment.shipped_at or order.shipped_at}.get(clock)
    if known is not None:
        return known, known
    scan = {"posted": shipment.first_scan, "first_scan": shipment.first_scan, "last_scan": shipment.last_scan}.get(clock)
    return None if scan is None else (scan.earliest, scan.latest)


def _opening_days(rule: CompensationRule, shipment: Shipment, order: Order) -> int:
    destination = shipment.country or order.country
    if rule.earliest_days_domestic is not None and destination is not None and destination == shipment.origin:
        return rule.earliest_days_domestic
    if rule.earliest_days_eu is not None and destination in EUROPEAN_UNION:
        return rule.earliest_days_eu
    return rule.earliest_days


def _opens(rule: CompensationRule, day0: date, shipment: Shipment, order: Order) -> date:
    days = _opening_days(rule, shipment, order)
    if rule.day_kind == "biz":
        return add_working_days(day0, days, rule.country or shipment.origin)
    return day0 + timedelta(days=days)


def _closes(rule: CompensationRule, day0: date, cause: str) -> date | None:
    if cause != "lost" and rule.damage_latest_days is not None:
        return day0 + timedelta(days=rule.damage_latest_days)
    if rule.latest_days is not None:
        return day0 + timedelta(days=rule.latest_days)
    return None if rule.latest_months is None else add_months(day0, rule.latest_months)


def origin_days(now: datetime, origin: str | None) -> tuple[date, date]:
    """Today at the origin: the earlier day, by which a window opens, and the later one, by which it closes.

    One day where the origin's zone is known; else the zones of the world part them, and both ends stay on the safe side.
    """
    return posting_dates(now, now, origin)


def add_months(day: date, count: int) -> date:
    """Calendar months: 31 August + 6 months is the last day of February."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def _tell_opening(rule: CompensationRule, opening: _DayZero | None, shipment: Shipment, order: Order) -> str:
    if opening is None:
        return ""
    kind = f"working days of {rule.country or shipment.origin}" if rule.day_kind == "biz" else "days"
    return (
        f"opens {_opening_days(rule, shipment, order)} {kind} after {_clock(rule.earliest_clock or rule.clock)} {opening.latest}"
    )


def _tell_close(rule: CompensationRule, clock: _DayZero | None, cause: str) -> str:
    damaged = cause != "lost" and rule.damage_latest_days is not None
    if not damaged and rule.latest_days is None and rule.latest_months is None:
        return "no known end"
    if clock is None:
        return f"its end is unknown, because {_MISSING[rule.clock]}"
    months = f"{rule.latest_months} months" if rule.latest_months is not None else f"{rule.latest_days} days"
    span = f"{rule.damage_latest_days} days (damage)" if damaged else months
    return f"closes {span} after {_clock(rule.clock)} {clock.earliest}"


def _clock(clock: str) -> str:
    return {"posted": "posting", "first_scan": "the first scan", "last_scan": "the last scan"}.get(clock, "the promised day")
