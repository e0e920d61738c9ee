"""What a carrier owes for a lost parcel: which terms hold, until when, how much, and the life of a claim."""

from tracker.compensation.course import BadEntry, Entry, Ground, due_after, record
from tracker.compensation.exchange import converted, gain, rounded, to_base
from tracker.compensation.ledger import ASKED, OPEN, age_band, moved, outstanding
from tracker.compensation.matching import equal_rank, match, phase_of, terms_of
from tracker.compensation.papers import PaperState, checklist, known_codes
from tracker.compensation.payable import Known, Payable, payable
from tracker.compensation.states import TERMINAL, ClaimEvent, IllegalMove, advance, due_event, event_for, events_from, money_open
from tracker.compensation.window import ClaimWindow, origin_days, window

__all__ = [
    "ASKED",
    "OPEN",
    "TERMINAL",
    "BadEntry",
    "ClaimEvent",
    "ClaimWindow",
    "Entry",
    "Ground",
    "IllegalMove",
    "Known",
    "PaperState",
    "Payable",
    "advance",
    "age_band",
    "checklist",
    "converted",
    "due_after",
    "due_event",
    "equal_rank",
    "event_for",
    "events_from",
    "gain",
    "known_codes",
    "match",
    "money_open",
    "moved",
    "origin_days",
    "outstanding",
    "payable",
    "phase_of",
    "record",
    "rounded",
    "terms_of",
    "to_base",
    "window",
]
