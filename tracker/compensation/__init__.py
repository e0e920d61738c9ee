"""What a carrier owes for a lost parcel: which terms hold, until when, how much, and the life of a claim."""

from tracker.compensation.matching import equal_rank, match, phase_of
from tracker.compensation.payable import Payable, payable
from tracker.compensation.states import TERMINAL, ClaimEvent, IllegalMove, advance, due_event, events_from, money_open
from tracker.compensation.window import ClaimWindow, window

__all__ = [
    "TERMINAL",
    "ClaimEvent",
    "ClaimWindow",
    "IllegalMove",
    "Payable",
    "advance",
    "due_event",
    "equal_rank",
    "events_from",
    "match",
    "money_open",
    "payable",
    "phase_of",
    "window",
]
