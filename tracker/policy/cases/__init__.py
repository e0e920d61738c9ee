"""Cases: what a buyer or a marketplace has opened and wants answered by a date; what is advised, and what a person has to do."""

from tracker.policy.cases.answering import TASKS, answer, case_id, facts_of, rank
from tracker.policy.cases.urging import Urge, urged
from tracker.policy.cases.weighing import Weighed, weigh

__all__ = ["TASKS", "Urge", "Weighed", "answer", "case_id", "facts_of", "rank", "urged", "weigh"]
