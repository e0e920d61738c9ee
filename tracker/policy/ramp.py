"""A cliff becomes a ramp: what came due all at once goes out at a tenth of the backlog a day (D21). The arithmetic alone."""

from __future__ import annotations

from decimal import ROUND_CEILING

from tracker.rules import Manners


def share(waiting: int, gone_today: int, manners: Manners) -> int:
    """How many of a store's backlog may go out today in all: a tenth of what the day began with, a small backlog at once."""
    tenth = int((manners.ramp_share * (waiting + gone_today)).to_integral_value(ROUND_CEILING))
    return max(tenth, manners.ramp_floor)


def days(waiting: int, manners: Manners, gone_today: int = 0) -> int:
    """Calendar days until a backlog is through, today included; 0 for none."""
    left, count = waiting - max(share(waiting, gone_today, manners) - gone_today, 0), 1
    while left > 0:
        left -= share(left, 0, manners)
        count += 1
    return count if waiting > 0 else 0
