"""The manners of outreach: caps, limits, and the lists of the content lint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """Caps and limits of outreach (R45, D20-D25; tracker.toml [outreach], [refunds])."""

    rounds: int = 3
    quiet_hours_between: int = 72
    hourly_cap: int = 60
    """Of a store's first month; a limit of its own goes before both."""
    hourly_cap_later: int = 240
    stale_stage_days: int = 5
    ramp_share: Decimal = Decimal("0.1")
    ramp_floor: int = 20
    """A backlog this small goes out on its first day (D21)."""
    facts_age_message_hours: int = 48
    facts_age_money_hours: int = 24
    moved_within_days: int = 10
    refund_before_window_days: int = 7
    recommendation_days: int = 7
    buyer_waiting_hours: int = 24
    plausibility_factor: int = 3
    plausibility_parcels: int = 20
    grace_days_after_promise: int = 5
    learn_from: int = 200
    """Own deliveries per country and service from which on they replace the configured ladder; 0 = never."""
    second_person_above: Mapping[str, Decimal] = {}
    """Refunds above it want two people, by currency (D23); without any figure one is enough."""
    bulk_up_to: Mapping[str, Decimal] = {}
    """Refunds up to it can be approved many at once, by currency (D23)."""
    early_below: Mapping[str, Decimal] = {}
    """In a case, goods up to it are refunded without a fight, by currency (R41): a recommendation like any other."""
    partial_share: Decimal | None = None
    """The part of the money that a partial refund proposes where no PartialRule fits (D7); None: a person names the sum."""
    problem_hours: int = 48
    """Until when a problem on the way is to be solved (R83)."""
    problem_days: int = 30
    """A problem that is older when it is first seen is history, unless a case or the window's end makes it danger."""
    stuck_days: int = 10
    """Without a scan for so many days a parcel counts as stuck, for the alert about a carrier or a route (R93)."""
    stuck_parcels: int = 20
    stuck_share: Decimal = Decimal("0.5")
    """So many of them, and this part of all that are on their way there, are a cluster."""
    cutover_window_days: int = 10
    """Of an order taken over on its way, old refund advice is live danger so many days before the window closes."""
    cutover_claim_days: int = 14
    """And an old claim so many days before its own window closes."""
    delay_days: int = 15
    """The delay that the text `delay` names where nothing better is known: one extension's length."""


class LintList(msgspec.Struct, frozen=True, kw_only=True):
    """One list of the content lint (lint.toml, facts/messages.md section 6); it blocks texts of its `platforms` ("*" = all).

    `words`: one of them within `within` words of one of `near` (either order; None = anywhere in the text; empty `near` = it
    alone). `patterns` are regular expressions. Both see the folded text: lower case, without diacritics. `exact` patterns see
    the text as it is. `links`: "any" | "own" (only the parcel's tracking page) | "none".
    """

    id: str
    platforms: tuple[str, ...]
    why: str
    words: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: int | None = None
    patterns: tuple[re.Pattern[str], ...] = ()
    exact: tuple[re.Pattern[str], ...] = ()
    links: str = "any"
