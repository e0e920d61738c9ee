"""What to do about an order, and whether to do it now: decide() and release(), both pure."""

from tracker.policy.decider import decide
from tracker.policy.release import release
from tracker.policy.view import look

__all__ = ["decide", "look", "release"]
