"""Until when a buyer may be asked to wait: never beyond his protection (D18)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.model import Dossier, Intent, Order, WindowSource
from tracker.rules import STAGES, Marketplace, Profile, Rules, TimeRule
from tracker.times import country_of, order_anchors, rules_for, when

KEEP_DAYS = 5
"""Days between a promised date and the last day on which the buyer can complain (D18)."""


def new_deadline(dossier: Dossier, rules: Rules, profile: Profile, key: str, day0: datetime | None, today: date) -> date | None:
    """The date that `{new_deadline}` names: the confirmed end of the window, else the day of the ladder's next stage.

    Where the platform has no extension it keeps five days from the last day to complain. None where no date after tomorrow is
    left, or where that last day is not known: then no date is promised.
    """
    market = rules.marketplace(dossier.order.platform)
    end = _confirmed_end(dossier.order, market) or _next_stage(profile, key, day0)
    if end is None:
        return None
    limits = _limits(dossier, rules, market)
    if limits is not None:
        last = _earliest(limits, dossier, rules, market)
        if last is None:
            return None
        end = min(end, last - timedelta(days=KEEP_DAYS))
    return end if end > today + timedelta(days=1) else None


def extra_days(dossier: Dossier, rules: Rules, today: date, days: int | None = None) -> int | None:
    """The delay that `{extra_days}` names, under the same limit; None where none can be named.

    `days` is that of an advisory or a season; None: one extension's length.
    """
    market, days = rules.marketplace(dossier.order.platform), days or rules.manners.delay_days
    limits = _limits(dossier, rules, market)
    if limits is not None:
        last = _earliest(limits, dossier, rules, market)
        if last is None:
            return None
        days = min(days, (last - timedelta(days=KEEP_DAYS) - today).days)
    return days if days > 0 else None


def _limits(dossier: Dossier, rules: Rules, market: Marketplace) -> list[TimeRule] | None:
    """The rules that limit a promise; None where nothing does: the seller can extend, or no platform protects the buyer."""
    if market.extension.mode != "none":
        return None
    limits = [each for each in rules_for(dossier.order, rules) if each.limits_promise]
    return None if market.own_shop and not limits else limits


def _earliest(limits: list[TimeRule], dossier: Dossier, rules: Rules, market: Marketplace) -> date | None:
    """None also where one of them is not known: it might be the earliest."""
    anchors, country = order_anchors(dossier), country_of(dossier.order, rules)
    moments = [when(each, anchors, rules=rules, country=country) for each in limits]
    ends = [each.until or each.at for each in moments if each is not None]
    if not ends or len(ends) < len(limits):
        return None
    return min(ends).astimezone(ZoneInfo(market.zone)).date()


def _confirmed_end(order: Order, market: Marketplace) -> date | None:
    if order.window is None or order.window.source is WindowSource.ESTIMATED:
        return None
    return order.window.end.astimezone(ZoneInfo(market.zone)).date()


def _next_stage(profile: Profile, key: str, day0: datetime | None) -> date | None:
    if day0 is None:
        return None
    following = STAGES[1] if key == Intent.STAGE1 else STAGES[2]
    return (day0 + timedelta(days=profile.stages[following])).date()
