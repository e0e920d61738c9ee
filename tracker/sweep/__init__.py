"""The shell that decides, and the guard between two sets of rules that stands at its door."""

from tracker.sweep.applying import Applied, apply_plan
from tracker.sweep.gate import GateReport, RulesGate, changed_since, tell_differences
from tracker.sweep.sweeper import SOONEST, Sweeper, SweepReport, born, written

__all__ = [
    "SOONEST",
    "Applied",
    "GateReport",
    "RulesGate",
    "SweepReport",
    "Sweeper",
    "apply_plan",
    "born",
    "changed_since",
    "tell_differences",
    "written",
]
