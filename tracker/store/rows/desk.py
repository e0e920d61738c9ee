"""What people see and say: orders, outbox rows, tasks, facts from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType

from tracker.model import (
    Intent,
    OutboxRow,
    TaskState,
)


class OrderRef(msgspec.Struct, frozen=True, kw_only=True):
    """How people call an order."""

    id: int
    store: str
    platform: str
    number: str
    country: str | None
    version: int


class OutboxView(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row as people see it. `order.version` is the facts version that a decision must name."""

    row: OutboxRow
    order: OrderRef
    decided_at: datetime | None = None
    rejected: bool = False
    held_since: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str | None = None
    task_id: int | None = None
    body: str | None = None
    """The text as it was sent, subject and body; None until then."""
    first_approved_by: str | None = None
    """Who said yes first to a sum that wants two people; the row waits for somebody else's word (D23)."""
    snoozed_until: datetime | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that waits for a second person's word, and since when (D23)."""

    view: OutboxView
    since: datetime


class TaskItem(msgspec.Struct, frozen=True, kw_only=True):
    """One effect inside a task. A grouped task has many, any other exactly one."""

    row_id: int
    key: str
    order_id: int
    order: str
    facts: Mapping[str, str]
    text: str | None = None
    twin: str | None = None
    url: str | None = None
    deadline: datetime | None = None
    dropped: bool = False
    added_at: datetime | None = None
    """When it joined the task: a grouped one grows until somebody takes it."""
    version: int = 0
    """The facts version of its order today; `facts` are those of when it joined."""


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """A person's task. `order` is the first item's; `result` holds what it was closed with (texts)."""

    id: int
    kind: str
    title: str
    store: str
    order: str
    state: TaskState
    created_at: datetime
    items: tuple[TaskItem, ...]
    deadline: datetime | None = None
    valid_until: datetime | None = None
    group: str | None = None
    wants: tuple[str, ...] = ()
    assigned_to: str | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    result: Mapping[str, str] = {}

    @property
    def live(self) -> tuple[TaskItem, ...]:
        """The items that are still wanted."""
        return tuple(item for item in self.items if not item.dropped)


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a person closes a task with. `unsure`: cannot say whether it was pasted; the rows become `unknown` (D17)."""

    window_end: datetime | None = None
    amount: Decimal | None = None
    reference: str | None = None
    tracking_number: str | None = None
    """Under which number the parcel travels that was sent again, or on (R84, R85)."""
    note: str | None = None
    unsure: bool = False


class OrderPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Facts from outside (`tracker order set`). UNSET leaves a fact alone, None takes it back.

    `refunded` is an amount that was paid at `refunded_at` (UNSET: now), added to earlier ones; it needs no currency: it is the
    order's.
    """

    refunded: Decimal | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    paid_again: Decimal | UnsetType = UNSET
    """What the buyer paid again whose parcel came after the refund, with its `reference` (R4)."""
    refunded_at: datetime | UnsetType = UNSET
    received_at: datetime | UnsetType | None = UNSET
    window_end: datetime | UnsetType | None = UNSET
    hold_until: datetime | UnsetType | None = UNSET
    waiting_since: datetime | UnsetType | None = UNSET
    opted_out: bool | UnsetType = UNSET
    vip: bool | UnsetType = UNSET
    note: str | UnsetType | None = UNSET
    tax_number: str | UnsetType | None = UNSET
    """The number itself: dossiers only ever learn that it is there (R16)."""
    payment: str | UnsetType | None = UNSET
    ship_by: datetime | UnsetType | None = UNSET
    confirmed_at: datetime | UnsetType | None = UNSET
    unread_since: datetime | UnsetType | None = UNSET
    buyer_chat: str | UnsetType | None = UNSET
    reviewed_at: datetime | UnsetType | None = UNSET
    risky: bool | UnsetType = UNSET
    stages: Mapping[Intent, int] | UnsetType | None = UNSET
    """Days of this very order's own ladder."""
