"""One decided effect on its way out: the outbox row, the totals that guard it, and the guard's verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from tracker.model.words import ActionKind, Channel, DecisionReason, HoldReason, Intent, OutboxState, Remedy


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox. `key` is UNIQUE; rule, channel, template and config_version are columns, never part of it (D12)."""

    id: int
    key: str
    subject: str
    intent: Intent
    occasion: str
    kind: ActionKind
    state: OutboxState
    channel: Channel
    reason: DecisionReason
    rule: str
    order_id: int
    store: str
    created_at: datetime
    not_before: datetime
    shipment: str | None = None
    template: str | None = None
    deadline: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    urgent: bool = False
    hold: HoldReason | None = None
    approved_by: str | None = None
    attempts: int = 0
    config_version: str = ""
    evidence: Mapping[str, str] = {}
    result: str | None = None
    answered: HoldReason | None = None
    """The hold that a person let it out of last: that question is not asked again."""
    remedy: Remedy | None = None
    """Of a recommendation: what it proposes, or what a person made of it."""
    tried: tuple[str, ...] = ()
    """Channels that definitely refused it before this one (R25)."""
    overdue: bool = False
    """It came due long before it could be decided, or waited in a hold for long: it goes out as part of a ramp (D21)."""
    in_line_since: datetime | None = None
    """Since when the brake or a ramp lets it wait: that wait makes it no staler."""


class JournalEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, as the send journal keeps it: `attempt` counts from 1, `provider_id` is the provider's own."""

    attempt: int
    state: OutboxState
    provider_id: str | None = None
    result: str | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """The brake: an effect that matches every named field waits until `until`, or until somebody resumes; none named = all.

    `rule` names a rule or all below it (`br-standard` is `br-standard.stage1` too), `template` a type of message. Deadlines of
    ours (extensions, the claims register, tasks about cases) go on unless `deadlines` stops them, too.
    """

    id: int
    reason: str
    by: str
    since: datetime
    until: datetime | None = None
    store: str | None = None
    country: str | None = None
    carrier: str | None = None
    rule: str | None = None
    template: str | None = None
    channel: str | None = None
    deadlines: bool = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The newest attempt of one key in the send journal. `end` None: nobody knows how it ended; `at` is its newest line's."""

    key: str
    attempt: int
    channel: Channel
    at: datetime
    end: JournalEnd | None = None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What `release()` must know beyond the dossier: read in the transaction that claims the send, so that caps hold."""

    sent_this_hour: int = 0
    """Messages of this store and channel within the running hour."""
    last_message_at: datetime | None = None
    """Newest message (round) to this order's buyer."""
    overdue_backlog: int = 0
    """Rows of this store that came due all at once and still wait (D21)."""
    released_today: int = 0
    """Of them, already released today."""
    turned_bad_24h: int = 0
    """Parcels of this row's carrier that turned untrackable or lost within 24 h (D25)."""
    bad_per_day_28d: float = 0.0
    """The usual number: mean per day over the 28 days before."""
    time_guard: bool = False
    """The clock is not trusted at the moment."""
    store_since: datetime | None = None
    """First start of this store: what was due before it is held once (D22)."""
    order_since: datetime | None = None
    """When the order itself came in: what was due before that was somebody else's to say, or is old (D22)."""
    paused: tuple[Pause, ...] = ()
    """The pauses that stand, whether or not they concern this row."""
    order_file_at: datetime | None = None
    """When an order file of this store was read last; None = never, as far as anybody noted (D20)."""
    restored_until: datetime | None = None
    """The database is a restored backup: what was due by then is put before a person once (faults row 36)."""


class ReleaseVerdict(StrEnum):
    """send, hold (a person), defer (later), cancel (the facts no longer want it)."""

    SEND = "send"
    HOLD = "hold"
    DEFER = "defer"
    CANCEL = "cancel"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The guard's answer, with a named reason: `hold` for HOLD, `why` (a word or a DecisionReason value) for every verdict.

    `detail` says more for eyes (who paused it, the ramp's numbers); `in_line` marks a wait that the brake or a ramp causes; `cap`
    is the hour's limit of a message that may go, to be held in the transaction that claims it.
    """

    verdict: ReleaseVerdict
    why: str
    hold: HoldReason | None = None
    until: datetime | None = None
    detail: str = ""
    in_line: bool = False
    cap: int | None = None

    @property
    def said(self) -> str:
        """The reason with its detail."""
        return f"{self.why}: {self.detail}" if self.detail else self.why


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered message ready for a channel. `message_id` comes from the dedup key: the same row has the same id for ever."""

    key: str
    message_id: str
    sender: str
    recipient: str | None
    recipient_name: str | None
    subject: str
    body: str
    language: str
    store: str
    order: str
    in_reply_to: str | None = None
    template: str = ""
    """The type of message: a messenger sends a template that was approved for it."""
    phone: str | None = None
    """The buyer's number, as his address has it."""
    chat: str | None = None
    """The buyer's chat with the shop's bot, where he opened one."""
    blanks: Mapping[str, str] = {}
    """The facts as the text's language writes them, by the name of their blank."""
    unsubscribe: str | None = None
    """Address that takes a buyer off the list; only courtesies (review, vip) carry it."""
    unsubscribe_url: str | None = None
    """And the shop's own page that does so by one POST, where it has one."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked to do: the facts, ready text with its twin, until when it makes sense.

    `wants` names what `tasks done` must be given (for instance `window_end`, or `amount` and `reference`), `assigned_to` the
    person of the team whose work it is.
    """

    kind: str
    title: str
    store: str
    order: str
    facts: Mapping[str, str] = {}
    text: str | None = None
    twin: str | None = None
    url: str | None = None
    deadline: datetime | None = None
    valid_until: datetime | None = None
    group: str | None = None
    wants: tuple[str, ...] = ()
    assigned_to: str | None = None
