"""Past orders under today's rules: the same decide(), run back over what really happened. Pure."""

from tracker.backtest.counts import COST_DAYS, FOLLOW_UP, OPEN_DAYS, Counts, compared
from tracker.backtest.past import REPEATED, PastOrder, RejectedRow, Repeats, suspicions
from tracker.backtest.replay import Outcome, replay

__all__ = [
    "COST_DAYS",
    "FOLLOW_UP",
    "OPEN_DAYS",
    "REPEATED",
    "Counts",
    "Outcome",
    "PastOrder",
    "RejectedRow",
    "Repeats",
    "compared",
    "replay",
    "suspicions",
]
