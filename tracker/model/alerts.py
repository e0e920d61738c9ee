"""What operators are told about."""

from __future__ import annotations

from enum import StrEnum


class AlertKind(StrEnum):
    """Kinds of alert: one message a shift for each (D24). Their sentences stand in config/operators, table [alert]."""

    DOUBTFUL_SEND = "doubtful_send"
    SOURCE_DOWN = "source_down"
    ORDER_FILES_LATE = "order_files_late"
    FILE_FAILED = "file_failed"
    WINDOW_CLOSES = "window_closes"
    CLAIM_CLOSES = "claim_closes"
    CLAIM_EXPIRED = "claim_expired"
    CASE_DUE = "case_due"
    ANSWER_NOW = "answer_now"
    """A first answer that a platform wants within minutes (R82, R83), or one that saves the account (R43)."""
    TASK_DUE = "task_due"
    REVIEW_DUE = "review_due"
    SECOND_PERSON = "second_person"
    STUCK_CLUSTER = "stuck_cluster"
    """Many parcels of one carrier or route stand still at once (R93)."""
    RULES_WAIT = "rules_wait"
    ERRAND_FAILED = "errand_failed"
    QUOTA_ENDS = "quota_ends"
    PARKED = "parked"
    DISK_LOW = "disk_low"
    CLOCK = "clock"
    MARKETPLACE_STOPPED = "marketplace_stopped"
    WORK_FAILS = "work_fails"
    """A unit of work has failed for minutes: a full disk, a locked database (facts/faults.md rows 3 and 4)."""

    @property
    def at_once(self) -> bool:
        """Whether it does not wait for the next shift: the work itself is in danger."""
        return self in _AT_ONCE


_AT_ONCE = frozenset(
    {
        AlertKind.ANSWER_NOW,
        AlertKind.CLOCK,
        AlertKind.DISK_LOW,
        AlertKind.ERRAND_FAILED,
        AlertKind.RULES_WAIT,
        AlertKind.WORK_FAILS,
    }
)
