"""Rules on trial: a case of plain facts, moments, what must happen there and what must not. The same decide(). Pure."""

from tracker.ruletest.generate import generated
from tracker.ruletest.judge import Difference, judge
from tracker.ruletest.play import Happened, Told, play
from tracker.ruletest.shape import Case, CaseError, Expected, Moment, cases_of

__all__ = [
    "Case",
    "CaseError",
    "Difference",
    "Expected",
    "Happened",
    "Moment",
    "Told",
    "cases_of",
    "generated",
    "judge",
    "play",
]
