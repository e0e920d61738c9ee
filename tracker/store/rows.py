"""The plain values that go in and out of the store where tracker.model has none. Hot times are epochs, others aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from carriers.model import TrackingEvent, TrackingStatus
from tracker.model import (
    Channel,
    Decision,
    HoldReason,
    OutboxRow,
    OutboxState,
    TaskState,
    Verdict,
)
from tracker.model.journey import Journey

# ------------------------------------------------------------------------------------------------------------------ intake


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel without its order (`kind` "shipment") or an order without any parcel ("order"): kept, joined later."""

    kind: str
    number: str
    store: str | None = None
    waits_for: str | None = None
    """The order number that the parcel's file named, where it named one."""


class UnmatchedText(msgspec.Struct, frozen=True, kw_only=True):
    """A channel text that services.toml does not know, with the number of parcels that carry it."""

    text: str
    shipments: int


# ----------------------------------------------------------------------------------------------------------------- polling


class DueShipment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One parcel that is due to be asked about: what a query and the cadence need, nothing more.

    `moved_at` is the newest scan, `last_answer_at` the last successful answer, `failures` the failed polls since then.
    """

    id: int
    number: str
    next_poll_at: int
    carrier: str | None
    service: str
    country: str | None
    shipped_at: datetime | None
    status: TrackingStatus
    moved_at: int | None
    last_answer_at: int | None
    failures: int


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """What one account's adapter keeps about one number, and the digest of the last slice that was read."""

    memory: Mapping[str, Any]
    digest: bytes | None


class AccountMemory(msgspec.Struct, frozen=True):
    """An account's own memory, and what it keeps about the numbers asked for (unknown ones are absent)."""

    account: Mapping[str, Any]
    numbers: Mapping[str, Remembered]


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """The stored journey of a parcel whose slice changed. `fingerprints` = 8-byte event keys, one after the other."""

    id: int
    number: str
    journey: Journey
    fingerprints: bytes
    shipped_at: datetime | None
    country: str | None

    def knows(self) -> frozenset[bytes]:
        """The keys of the events that are stored already: what is not in here is new."""
        packed = self.fingerprints
        return frozenset(packed[at : at + 8] for at in range(0, len(packed), 8))


class PollChange(msgspec.Struct, frozen=True, kw_only=True):
    """One successful answer that says something else than before. `events` are the new ones only, oldest first.

    `material` False keeps dossiers asleep and their version as it is (a further *not found* of a run that is only counted),
    except those that wait for an answer.
    """

    id: int
    number: str
    next_poll_at: int | None
    journey: Journey
    source: str
    events: tuple[TrackingEvent, ...] = ()
    material: bool = True


class PollQuiet(msgspec.Struct, frozen=True, gc=False):
    """One successful answer that says what it said before: two columns move, nothing else."""

    id: int
    number: str
    next_poll_at: int | None


class PollFailure(msgspec.Struct, frozen=True, gc=False):
    """One poll without an answer: `last_answer_at` stands still, so nothing ages."""

    id: int
    number: str
    next_poll_at: int


class AnswerWrite(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to keep per account and number. None leaves the stored value as it is."""

    account: str
    number: str
    memory: Mapping[str, Any] | None = None
    digest: bytes | None = None
    status: TrackingStatus | None = None


class PollWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction of at most 400 parcels. `at` is the epoch second of the answers.

    `answered` names the accounts that answered at all; `accounts` holds their own memory where it changed.
    """

    at: int
    changed: tuple[PollChange, ...] = ()
    quiet: tuple[PollQuiet, ...] = ()
    failed: tuple[PollFailure, ...] = ()
    answers: tuple[AnswerWrite, ...] = ()
    answered: tuple[str, ...] = ()
    accounts: Mapping[str, Mapping[str, Any]] = {}


class PollWritten(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: new events, dossiers that were woken."""

    events: int
    woken: int


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """Circuit breaker of one account. Closed while `open_until` is None; `kind` is the error that opened it."""

    failures: int = 0
    open_until: datetime | None = None
    since: datetime | None = None
    kind: str | None = None


# ------------------------------------------------------------------------------------------------------------------- sweep


class NewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on its way into the outbox: `state` is HELD (with its `hold`) or PENDING."""

    decision: Decision
    channel: Channel
    state: OutboxState
    hold: HoldReason | None = None


class Freed(msgspec.Struct, frozen=True):
    """An effect that need not wait for the acceptance of its rules any more; `hold` is what else holds it back."""

    key: str
    hold: HoldReason | None = None


class VerdictWrite(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of decide() for one dossier, with the version that it was given on: a stale one is dropped whole.

    A decision's `not_before` in the past says since when the effect is due (the ramp of D21 looks at that).
    """

    order_id: int
    version: int
    verdict: Verdict
    rows: tuple[NewRow, ...] = ()
    free: tuple[Freed, ...] = ()
    config_version: str = ""


class SweepWritten(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch of verdicts. `opened` are the dedup keys that are new in the outbox, `closed` those withdrawn."""

    written: int
    stale: int
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------------------- dispatch


class SendingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was found `sending` at start, and what it became: `unknown`, or what the journal's end line says."""

    id: int
    key: str
    state: OutboxState


# -------------------------------------------------------------------------------------------------------------------- desk


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
    note: str | None = None
    unsure: bool = False


class OrderPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Facts from outside (`tracker order set`). UNSET leaves a fact alone, None takes it back.

    `refunded` is an amount that was paid now, added to earlier ones; it needs no currency: it is the order's.
    """

    refunded: Decimal | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    received_at: datetime | UnsetType | None = UNSET
    window_end: datetime | UnsetType | None = UNSET
    hold_until: datetime | UnsetType | None = UNSET
    waiting_since: datetime | UnsetType | None = UNSET
    opted_out: bool | UnsetType = UNSET
    vip: bool | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


class SourceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One account: its breaker, and when it last answered."""

    account: str
    breaker: Breaker
    last_answer_at: int | None
    used_today: int


class StatusCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `tracker status` counts. Mappings are keyed by the enum's value; absent keys are zero."""

    orders: int
    shipments: int
    shipments_by_status: Mapping[str, int]
    followed: int
    """Parcels that are to be asked about, now or later."""
    due_to_ask: int
    due_to_decide: int
    oldest_ask_due: int | None
    oldest_decide_due: int | None
    parked: int
    unanswered: int
    """Parcels that no source ever answered about: three times in a row, or put off for half a day and more."""
    unanswered_sample: str | None
    outbox: Mapping[str, int]
    tasks: Mapping[str, int]
    holds: Mapping[str, int]
    reviews: int
    claims: Mapping[str, int]
    orphans: int
    unmatched_texts: int
    sources: tuple[SourceHealth, ...]
    daemon_since: datetime | None
    rehearsal: bool


class DueInstants(msgspec.Struct, frozen=True, kw_only=True):
    """The earliest epoch second of each clock; None = nothing waits. The simulated engine jumps to the smallest."""

    poll: int | None
    decide: int | None
    dispatch: int | None
    tasks: int | None

    @property
    def first(self) -> int | None:
        """The smallest of them."""
        known = [at for at in (self.poll, self.decide, self.dispatch, self.tasks) if at is not None]
        return min(known, default=None)


# ----------------------------------------------------------------------------------------------------------------- explain


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored scan, who told it and when we first saw it."""

    event: TrackingEvent
    source: str
    seen_at: datetime


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """What an account last said about a number, and since when it says so."""

    account: str
    number: str
    status: TrackingStatus | None
    changed_at: datetime


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as it was given; stored only where it says something else than the one before."""

    at: datetime
    config_version: str
    verdict: Verdict


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when, why; `before` and `after` hold the facts that moved (I6)."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
