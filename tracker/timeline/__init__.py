"""decide() along time: a dossier as it stood at any date, and what would be decided from one instant to another."""

from tracker.timeline.past import Seen, answers_of, as_of
from tracker.timeline.run import Assume, History, Step, carry_out, run

__all__ = ["Assume", "History", "Seen", "Step", "answers_of", "as_of", "carry_out", "run"]
