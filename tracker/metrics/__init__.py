"""Numbers for Prometheus: counted from the database, told in a text file or at an endpoint of this machine."""

from tracker.metrics.cases import DueCase, dated, due_cases
from tracker.metrics.count import Count, Watched, count
from tracker.metrics.deadlines import deadlines
from tracker.metrics.families import families
from tracker.metrics.publish import Publisher
from tracker.metrics.reporter import Reporter

__all__ = ["Count", "DueCase", "Publisher", "Reporter", "Watched", "count", "dated", "deadlines", "due_cases", "families"]
