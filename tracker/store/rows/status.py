"""What is counted, and the instants that something is due at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tracker.store.rows.polling import Breaker


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


class SourceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One account: its breaker, and when it last answered."""

    account: str
    breaker: Breaker
    last_answer_at: int | None
    used_today: int


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """The parcels of one carrier (None: not known) that are asked about for the same reason (`tracker.polling.budget.Turn`).

    `waiting`: their turn has passed and they were put off, which is no failure. `failing`: the last poll got no answer.
    """

    carrier: str | None
    turn: str
    count: int
    waiting: int
    answered_today: int
    failing: int


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
    leak: Mapping[str, str]
    """What expired unfiled within 31 days, by currency; `?` is what nobody knows the worth of."""
    leaked: int
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
