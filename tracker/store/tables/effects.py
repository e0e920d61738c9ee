"""What was decided and what became of it: the outbox, tasks, claims, cases, verdicts, the audit and the totals."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from tracker.store.tables.base import Row

_WAITING = text("state = 'pending'")
_LIVE = text("state IN ('held', 'pending', 'sending', 'unknown')")
_OVERDUE = text("overdue")
_OPEN = text("state IN ('open', 'in_hand')")
_UNTAKEN = text("state = 'open'")
_BACKLOG = text("overdue AND state = 'pending'")
_UNTOLD = text("state = 'waiting'")


class OutboxTable(Row, table=True):
    """One decided effect. `dedup_key` = subject : intent : occasion; all else is a column, never part of it (D12).

    `due_at` says since when it is due (D21 counts `overdue` messages), `not_before` when it may go; `epoch` is the claimer's.
    `in_line_since` (epoch seconds): since when the brake or a ramp lets it wait.
    `answered` is the hold that a person let it out of last.
    `body` is the text as it was sent: evidence, until retention takes it.
    `first_approved_by` has said yes to a sum that wants a second person (D23).
    `withdrawn`: the facts took it back before it reached anyone; if they want it again, the same row is used again ("delivered"
    revoked, D15).
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "not_before", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_outbox_live", "state", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_outbox_overdue", "store", "sent_at", sqlite_where=_OVERDUE, postgresql_where=_OVERDUE),
        Index("ix_outbox_backlog", "store", "state", "overdue", sqlite_where=_BACKLOG, postgresql_where=_BACKLOG),
        Index("ix_outbox_config", "config_version", "created_at"),
        Index("ix_outbox_order", "order_id"),
        Index("ix_outbox_subject", "subject"),
        Index("ix_outbox_task", "task_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    dedup_key: str = Field(unique=True)
    subject: str
    intent: str
    occasion: str
    kind: str
    state: str
    channel: str
    reason: str
    rule: str
    order_id: int = Field(foreign_key="dossier.id")
    store: str
    shipment: str | None = None
    template: str | None = None
    created_at: datetime
    not_before: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    overdue: bool = False
    in_line_since: int | None = Field(default=None, sa_type=BigInteger)
    deadline: datetime | None = None
    amount: str | None = None
    currency: str | None = None
    urgent: bool = False
    hold: str | None = None
    held_since: datetime | None = None
    approved_by: str | None = None
    first_approved_by: str | None = None
    snoozed_until: int | None = Field(default=None, sa_type=BigInteger)
    answered: str | None = None
    decided_at: datetime | None = None
    rejected: bool = False
    withdrawn: bool = False
    attempts: int = 0
    who: str | None = None
    epoch: int | None = Field(default=None, sa_type=BigInteger)
    sent_at: datetime | None = None
    provider_id: str | None = None
    result: str | None = None
    task_id: int | None = Field(default=None, foreign_key="task.id")
    config_version: str = ""
    evidence: str = "{}"
    remedy: str | None = None
    body: str | None = None
    tried: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})
    lease_until: int | None = Field(default=None, sa_type=BigInteger)


class TaskRow(Row, table=True):
    """What a person is asked to do; its effects are the `task_item` rows. One task a `group_key` that nobody has taken."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_open", "valid_until", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("uq_task_group", "group_key", unique=True, sqlite_where=_UNTAKEN, postgresql_where=_UNTAKEN),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    title: str
    store: str
    state: str
    created_at: datetime
    deadline: datetime | None = None
    valid_until: int | None = Field(default=None, sa_type=BigInteger)
    group_key: str | None = None
    wants: str = "[]"
    assigned_to: str | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    result: str = "{}"


class TaskItemRow(Row, table=True):
    """One effect inside a task, with the facts and the ready text of its order."""

    __tablename__ = "task_item"
    __table_args__ = ({"sqlite_with_rowid": False},)

    task_id: int = Field(primary_key=True, foreign_key="task.id")
    row_id: int = Field(primary_key=True, foreign_key="outbox.id")
    order_id: int
    order_number: str
    facts: str = "{}"
    body: str | None = None
    twin: str | None = None
    url: str | None = None
    deadline: datetime | None = None
    dropped: bool = False


class ClaimRow(Row, table=True):
    """What the carrier owes for one parcel, and its whole course. Days are local dates at the origin.

    `payments`, `exchange` and `papers` are JSON; `revision` counts the changes, each of which is a row of `claim_history`.
    """

    __tablename__ = "claim"
    __table_args__ = (UniqueConstraint("shipment_id", "attempt"), Index("ix_claim_state", "state"))

    id: int | None = Field(default=None, primary_key=True)
    shipment_id: int = Field(foreign_key="shipment.id")
    row_id: int = Field(foreign_key="outbox.id")
    attempt: int
    state: str
    rule: str
    phase: str
    cause: str
    earliest_on: date | None = None
    latest_on: date | None = None
    payable: str | None = None
    currency: str | None = None
    opened_at: datetime
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    rule_version: str = Field(default="", sa_column_kwargs={"server_default": ""})
    loss_type: str = Field(default="lost", sa_column_kwargs={"server_default": "lost"})
    liable: str = Field(default="carrier", sa_column_kwargs={"server_default": "carrier"})
    closes_first: bool = Field(default=False, sa_column_kwargs={"server_default": "0"})
    inquiry_on: date | None = None
    inquiry_ref: str | None = None
    filed_on: date | None = None
    carrier_ref: str | None = None
    claimed: str | None = None
    claimed_currency: str | None = None
    answer_due_on: date | None = None
    papers_wanted_on: date | None = None
    answered_on: date | None = None
    approved: str | None = None
    exchange: str | None = None
    appeal_until: date | None = None
    payout_due_on: date | None = None
    payments: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})
    reversed_on: date | None = None
    item_cost: str | None = None
    item_cost_currency: str | None = None
    weight_kg: str | None = None
    insured: str | None = None
    insured_currency: str | None = None
    papers: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    owner: str | None = None
    note: str | None = None


class ClaimHistoryRow(Row, table=True):
    """Every change of a claim (append-only; R86, R87). `on` is the day of the event, `month` where it is posted.

    `late` names the closed month that a late entry belongs to. `amount` is what the open sum moved by, `settled` the money in it.
    """

    __tablename__ = "claim_history"
    __table_args__ = (Index("ix_claim_history_claim", "claim_id"), Index("ix_claim_history_month", "month"))

    id: int | None = Field(default=None, primary_key=True)
    claim_id: int = Field(foreign_key="claim.id")
    at: datetime
    who: str
    event: str
    on: date
    before: str | None = None
    after: str
    why: str = ""
    fields: str = "{}"
    month: str
    late: str | None = None
    amount: str = "0"
    settled: str = "0"
    currency: str | None = None
    count: int = 0
    carrier: str | None = None


class StatementLineRow(Row, table=True):
    """One line of a carrier's statement that was used; it is used once. What it settled stands in `statement_use`."""

    __tablename__ = "statement_line"
    __table_args__ = (UniqueConstraint("carrier", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    carrier: str
    key: str
    file: str
    line: int
    on: date
    tracking_no: str
    amount: str
    currency: str
    used_at: datetime
    used_by: str


class StatementUseRow(Row, table=True):
    """Which claims a line settled: one line may settle many, one claim may be paid in parts."""

    __tablename__ = "statement_use"
    __table_args__ = ({"sqlite_with_rowid": False},)

    line_id: int = Field(primary_key=True, foreign_key="statement_line.id")
    claim_id: int = Field(primary_key=True, foreign_key="claim.id")
    amount: str


class ClosedMonthRow(Row, table=True):
    """A month whose register is frozen: `sheet` and `book` are the very bytes of its .csv and .xlsx."""

    __tablename__ = "closed_month"

    id: str = Field(primary_key=True)
    closed_at: datetime
    closed_by: str
    sheet: bytes
    book: bytes


class BuyerCaseRow(Row, table=True):
    """Anything of the buyer or the marketplace with a response deadline. `id` is the marketplace's."""

    __tablename__ = "buyer_case"
    __table_args__ = (Index("ix_buyer_case_order", "order_id"),)

    id: str = Field(primary_key=True)
    order_id: int = Field(foreign_key="dossier.id")
    kind: str
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    due_source: str | None = None
    reason: str = Field(default="unknown", sa_column_kwargs={"server_default": "unknown"})
    evidence_due_at: datetime | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    amount: str | None = None
    currency: str | None = None
    shipment: str | None = None
    note: str | None = None


class DecisionRow(Row, table=True):
    """A verdict that says something else than the one before it (append-only). `verdict` is the whole answer as JSON."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_order", "order_id"),)

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="dossier.id")
    at: datetime
    config_version: str
    verdict: str


class AuditRow(Row, table=True):
    """Who did what, when, why (append-only)."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_order", "order_id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    who: str
    what: str
    order_id: int | None = None
    subject: str
    reason: str
    before: str = "{}"
    after: str = "{}"


class TotalRow(Row, table=True):
    """Messages that left, by store, channel and hour (epoch hours): the caps count them in the claim's own transaction."""

    __tablename__ = "total"
    __table_args__ = ({"sqlite_with_rowid": False},)

    store: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    sent: int = 0


class BadParcelRow(Row, table=True):
    """A parcel that turned untrackable or lost, once each: what the plausibility hold counts (D25)."""

    __tablename__ = "bad_parcel"
    __table_args__ = (Index("ix_bad_parcel_carrier", "carrier", "at"), {"sqlite_with_rowid": False})

    shipment_id: int = Field(primary_key=True, foreign_key="shipment.id")
    carrier: str
    at: int = Field(sa_type=BigInteger)


class AlertRow(Row, table=True):
    """Something that operators are told, once a `key`. Those of one kind that wait go out as one message a shift (D24).

    `state`: waiting | told | failed | over (it ended before anybody was told). `deliver_at` is epoch seconds.
    """

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_due", "deliver_at", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    store: str | None = None
    subject: str
    facts: str = "{}"
    state: str = "waiting"
    raised_at: datetime
    deadline: datetime | None = None
    deliver_at: int = Field(sa_type=BigInteger)
    told_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    result: str | None = None
