"""Until when a buyer may be asked to wait: never beyond his protection (D18)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.model import Intent, Order, WindowSource
from tracker.rules import STAGES, LastDay, Marketplace, Profile

KEEP_DAYS = 5
"""Days between a promised date and the last day on which the buyer can complain (D18)."""


def new_deadline(
    order: Order, market: Marketplace, profile: Profile, key: str, day0: datetime | None, today: date
) -> date | None:
    """The date that `{new_deadline}` names: the confirmed end of the window, else the day of the ladder's next stage.

    Where the platform has no extension it keeps five days from the last day to complain. None where no date after tomorrow is
    left, or where that last day is not known: then no date is promised.
    """
    end = _confirmed_end(order, market) or _next_stage(profile, key, day0)
    if end is None:
        return None
    if _limited(market):
        last = last_complaint(order, market)
        if last is None:
            return None
        end = min(end, last - timedelta(days=KEEP_DAYS))
    return end if end > today + timedelta(days=1) else None


def extra_days(order: Order, market: Marketplace, days: int, today: date) -> int | None:
    """The delay that `{extra_days}` names, under the same limit; None where none can be named."""
    if _limited(market):
        last = last_complaint(order, market)
        if last is None:
            return None
        days = min(days, (last - timedelta(days=KEEP_DAYS) - today).days)
    return days if days > 0 else None


def last_complaint(order: Order, market: Marketplace) -> date | None:
    """The earliest of the last days on which the buyer can complain there; None when one of them is not known."""
    days = [_last_day(order, each, market) for each in market.last_complaint]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


def _limited(market: Marketplace) -> bool:
    """Own shops have no platform whose protection runs out; where the seller can extend, the window itself is the protection."""
    return not market.own_shop and market.extension.mode == "none"


def _confirmed_end(order: Order, market: Marketplace) -> date | None:
    if order.window is None or order.window.source is WindowSource.ESTIMATED:
        return None
    return order.window.end.astimezone(ZoneInfo(market.zone)).date()


def _next_stage(profile: Profile, key: str, day0: datetime | None) -> date | None:
    if day0 is None:
        return None
    following = STAGES[1] if key == Intent.STAGE1 else STAGES[2]
    return (day0 + timedelta(days=profile.stages[following])).date()


def _last_day(order: Order, rule: LastDay, market: Marketplace) -> date | None:
    window_end = order.window.end if order.window and order.window.source is not WindowSource.ESTIMATED else None
    anchor = {"promised": order.promised_at, "paid": order.paid_at, "window_end": window_end}[rule.anchor]
    return None if anchor is None else anchor.astimezone(ZoneInfo(market.zone)).date() + timedelta(days=rule.days)
