"""The outbox's state machine as a table (facts/engine.md 2.5). The store runs the statements; a test compares them."""

from __future__ import annotations

from tracker.model import OutboxState, TaskState

_NEW = None

MOVES: dict[tuple[OutboxState | None, OutboxState], str] = {
    (_NEW, OutboxState.PENDING): "decided",
    (_NEW, OutboxState.HELD): "decided, but a person looks first",
    (OutboxState.HELD, OutboxState.PENDING): "a person approved or released it",
    (OutboxState.HELD, OutboxState.CANCELLED): "a person rejected it, or the facts no longer want it",
    (OutboxState.PENDING, OutboxState.HELD): "release() says hold",
    (OutboxState.PENDING, OutboxState.PENDING): "release() says defer; or another channel",
    (OutboxState.PENDING, OutboxState.FAILED): "the template does not render",
    (OutboxState.PENDING, OutboxState.CANCELLED): "the facts no longer want it",
    (OutboxState.PENDING, OutboxState.SENDING): "claimed; committed before the call",
    (OutboxState.PENDING, OutboxState.SENT): "no outside call: row and task, or row and claim, in one transaction",
    (OutboxState.SENDING, OutboxState.SENT): "the provider accepted it",
    (OutboxState.SENDING, OutboxState.FAILED): "a definite refusal without a retry",
    (OutboxState.SENDING, OutboxState.PENDING): "a definite refusal that allows a retry",
    (OutboxState.SENDING, OutboxState.UNKNOWN): "nobody knows: timeout after the data was handed over, or a crash",
    (OutboxState.SENT, OutboxState.UNKNOWN): "the clerk cannot say whether he pasted it (channel task only)",
    (OutboxState.UNKNOWN, OutboxState.SENT): "a person found out, or the provider said so",
    (OutboxState.UNKNOWN, OutboxState.FAILED): "a person found out, or the provider said so",
    (OutboxState.CANCELLED, OutboxState.PENDING): "the facts took it back before it reached anyone, and want it again",
    (OutboxState.CANCELLED, OutboxState.HELD): "the same, and a person looks first",
    (
        OutboxState.SENT,
        OutboxState.PENDING,
    ): "the facts dropped its task before anyone took it, and want it again (channel task only)",
    (OutboxState.SENT, OutboxState.HELD): "the same, and a person looks first",
}
"""(from, to) -> when. Everything that is not here is forbidden; `unknown` never goes back to `pending` (never resent, I1)."""

TASK_MOVES: dict[tuple[TaskState | None, TaskState], str] = {
    (None, TaskState.OPEN): "opened with its row",
    (TaskState.OPEN, TaskState.IN_HAND): "a person took it",
    (TaskState.OPEN, TaskState.DONE): "done without taking it first",
    (TaskState.IN_HAND, TaskState.DONE): "done",
    (TaskState.OPEN, TaskState.DROPPED): "given up by a person, or the facts no longer want it",
    (TaskState.IN_HAND, TaskState.DROPPED): "given up by the person who had it",
    (TaskState.OPEN, TaskState.EXPIRED): "its time has passed",
    (TaskState.IN_HAND, TaskState.EXPIRED): "its time has passed",
    (TaskState.DROPPED, TaskState.DONE): "the clerk could not say; a person found out that it was pasted",
}
"""The same for tasks. Nothing leads back to `open`: a text that may have been pasted is never handed out again (D17)."""


def allowed(before: OutboxState | None, after: OutboxState) -> bool:
    """Whether a row may go from `before` (None: it is new) to `after`."""
    return (before, after) in MOVES
