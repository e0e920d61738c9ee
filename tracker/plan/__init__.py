"""What will happen, by the same decide(): ahead for one set of rules, compared for two, and what of it needs a person. Pure."""

from tracker.plan.ahead import ASSUMED, Chore, Forecast, Planned, Work, forecast, identity
from tracker.plan.compare import Change, Changed, compare
from tracker.plan.saved import FORMAT, FORMAT_VERSION, PlanFileError, SavedOrder, SavedPlan, read_plan, saved_order, write_plan
from tracker.plan.tally import COUNTED, ChoreLine, Chores, Comparison, Line, Tally, Total
from tracker.plan.touch import FLOOR, HORIZON, SHARE, Touch, awaits_rules, too_many, touch, without_waiting

__all__ = [
    "ASSUMED",
    "COUNTED",
    "FLOOR",
    "FORMAT",
    "FORMAT_VERSION",
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
    "PlanFileError",
    "Planned",
    "SavedOrder",
    "SavedPlan",
    "Tally",
    "Total",
    "Touch",
    "Work",
    "awaits_rules",
    "compare",
    "forecast",
    "identity",
    "read_plan",
    "saved_order",
    "too_many",
    "touch",
    "without_waiting",
    "write_plan",
]
