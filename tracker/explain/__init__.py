"""Why an order is treated as it is, at any date: the daemon's own decide(), told in words."""

from tracker.explain.explanation import Decided, Explanation, Weighed, explain
from tracker.explain.facts import Fact
from tracker.explain.text import to_text
from tracker.explain.words import changes, sentence

__all__ = ["Decided", "Explanation", "Fact", "Weighed", "changes", "explain", "sentence", "to_text"]
