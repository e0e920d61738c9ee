"""Why an order is treated as it is, at any date: the daemon's own decide(), told in words."""

from tracker.explain.explanation import Decided, Explanation, Fact, Weighed, explain
from tracker.explain.text import to_text
from tracker.explain.words import CHANGES, SENTENCES

__all__ = ["CHANGES", "SENTENCES", "Decided", "Explanation", "Fact", "Weighed", "explain", "to_text"]
