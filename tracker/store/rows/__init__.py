"""The plain values that go in and out of the store where tracker.model has none. Hot times are epochs, others aware UTC."""

from tracker.store.rows.cases import CaseTold, CaseView, CaseWrite
from tracker.store.rows.desk import OrderPatch, OrderRef, OutboxView, TaskItem, TaskResult, TaskView, Waiting
from tracker.store.rows.effects import Freed, NewRow, SendingRow, SweepWritten, VerdictWrite
from tracker.store.rows.markets import Capable, Doubtful, DueWindow, WindowSeen
from tracker.store.rows.polling import (
    AccountMemory,
    AnswerWrite,
    Breaker,
    DueShipment,
    Link,
    PollChange,
    Polled,
    PollFailure,
    PollQuiet,
    PollWrite,
    PollWritten,
    Remembered,
)
from tracker.store.rows.status import DueInstants, Orphan, SourceHealth, StatusCounts, UnmatchedText
from tracker.store.rows.story import AnswerView, AuditEntry, EventView, RawAnswer, VerdictView

__all__ = [
    "AccountMemory",
    "AnswerView",
    "AnswerWrite",
    "AuditEntry",
    "Breaker",
    "Capable",
    "CaseTold",
    "CaseView",
    "CaseWrite",
    "Doubtful",
    "DueInstants",
    "DueShipment",
    "DueWindow",
    "EventView",
    "Freed",
    "Link",
    "NewRow",
    "OrderPatch",
    "OrderRef",
    "Orphan",
    "OutboxView",
    "PollChange",
    "PollFailure",
    "PollQuiet",
    "PollWrite",
    "PollWritten",
    "Polled",
    "RawAnswer",
    "Remembered",
    "SendingRow",
    "SourceHealth",
    "StatusCounts",
    "SweepWritten",
    "TaskItem",
    "TaskResult",
    "TaskView",
    "UnmatchedText",
    "VerdictView",
    "VerdictWrite",
    "Waiting",
    "WindowSeen",
]
