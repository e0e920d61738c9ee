"""Decisions and what became of them: the past effects that a dossier remembers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from tracker.model.cases import CaseKind, CaseOutcome, CaseReason, DateSource
from tracker.model.claims import ClaimMove
from tracker.model.words import (
    ActionKind,
    DecisionReason,
    HoldReason,
    Intent,
    OutboxState,
    Remedy,
    TaskState,
)


class Effect(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One outbox row as the decider sees it, with the task it became where it went to a person.

    `done_at` is the instant the effect counts: sent for a channel, `task.done` for a task (D17).
    """

    key: str
    subject: str
    intent: Intent
    occasion: str
    kind: ActionKind
    state: OutboxState
    reason: DecisionReason
    created_at: datetime
    shipment: str | None = None
    """The parcel it speaks of: a split order's refunds are told apart by it (D23)."""
    decided_at: datetime | None = None
    """When a person approved or rejected it."""
    rejected: bool = False
    """A person said no: rejected in review, dropped by hand. What the facts took back is cancelled or dropped without it."""
    hold: HoldReason | None = None
    task: TaskState | None = None
    done_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    remedy: Remedy | None = None
    """Of a recommendation: what it proposes, or what a person made of it."""

    @property
    def open(self) -> bool:
        """Still on its way: neither done nor given up."""
        if self.state in {OutboxState.FAILED, OutboxState.CANCELLED}:
            return False
        if self.task is not None:
            return self.task in {TaskState.OPEN, TaskState.IN_HAND}
        return self.state is not OutboxState.SENT

    @property
    def acted(self) -> bool:
        """It has reached, or may have reached, the one it is for: such a slot is used up (at most once)."""
        if self.task is not None:
            return self.task is TaskState.DONE or self.state is OutboxState.UNKNOWN
        return self.state in {OutboxState.SENT, OutboxState.SENDING, OutboxState.UNKNOWN}


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Anything of the buyer or the marketplace that has a response deadline (inquiry, dispute, chargeback ...).

    Times are aware UTC. `due_at` is until when an answer is due, `due_source` whose word that is (D3); None = the table of time
    rules says it (tracker.times). `evidence_due_at`: until when the platform wants evidence (R13).
    """

    id: str
    kind: CaseKind
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    due_source: DateSource | None = None
    reason: CaseReason = CaseReason.UNKNOWN
    evidence_due_at: datetime | None = None
    answered_at: datetime | None = None
    outcome: CaseOutcome | None = None
    amount: Decimal | None = None
    currency: str | None = None
    shipment: str | None = None
    """The parcel it is about, where somebody named it."""
    note: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Action + reason + rule id + evidence. `not_before` delays the effect, `deadline` says until when it makes sense.

    `evidence` maps the facts used to their values as text; it is stored, shown by explain and carried to the person who decides.
    `template` is the message's key in config/messages; `shipment` the number it speaks of.
    """

    kind: ActionKind
    reason: DecisionReason
    rule: str
    subject: str
    intent: Intent
    occasion: str = "0"
    shipment: str | None = None
    template: str | None = None
    not_before: datetime | None = None
    deadline: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    urgent: bool = False
    remedy: Remedy | None = None
    """Of a recommendation: what is proposed."""
    approved_by: str | None = None
    """Who said yes before it was made (`tracker backlog settle --as send`): that answers the guards which ask a person."""
    evidence: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """Dedup key = subject : intent : occasion, UNIQUE in the outbox (DESIGN, D12)."""
        return f"{self.subject}:{self.intent.value}:{self.occasion}"


class Considered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule that was looked at and did nothing, because ... `looks_again` is when that can change by time alone."""

    rule: str
    reason: DecisionReason
    shipment: str | None = None
    detail: str = ""
    looks_again: datetime | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer of decide(): what to do, what was looked at and left, when it can change next.

    `next_at` None means: by time alone nothing will ever change. `waits_for_answer` wakes the dossier at the next successful
    answer of a source; `ask_now` names the shipments to ask afresh first (D20). `withdraw` lists keys of open effects that the
    facts no longer want. `day0` names the shipments a stage acts on now (number -> day 0): from here on it may move earlier,
    never later (D1).
    """

    decisions: tuple[Decision, ...] = ()
    considered: tuple[Considered, ...] = ()
    withdraw: tuple[tuple[str, DecisionReason], ...] = ()
    claims: tuple[ClaimMove, ...] = ()
    next_at: datetime | None = None
    waits_for_answer: bool = False
    ask_now: tuple[str, ...] = ()
    day0: Mapping[str, datetime] = {}
