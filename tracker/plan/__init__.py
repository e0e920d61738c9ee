"""What will happen, by the same decide(): ahead for one set of rules, compared for two, and what of it needs a person. Pure."""

from tracker.plan.ahead import ASSUMED, Chore, Forecast, Planned, Work, forecast, identity
from tracker.plan.compare import Change, Changed, compare
from tracker.plan.tally import COUNTED, ChoreLine, Chores, Comparison, Line, Tally, Total
from tracker.plan.touch import FLOOR, HORIZON, SHARE, Touch, awaits_rules, too_many, touch, without_waiting

__all__ = [
    "ASSUMED",
    "COUNTED",
    "FLOOR",
    "HORIZON",
    "SHARE",
    "Change",
    "Changed",
    "Chore",
    "ChoreLine",
    "Chores",
    "Comparison",
    "Forecast",
    "Line",
    "Planned",
    "Tally",
    "Total",
    "Touch",
    "Work",
    "awaits_rules",
    "compare",
    "forecast",
    "identity",
    "too_many",
    "touch",
    "without_waiting",
]
