"""Orders and their shipments: what was bought, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from carriers.model import TrackingReason, TrackingStatus
from tracker.model.words import Capability, Intent, OrderState, Settle, WindowSource


class Window(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """End of the delivery window: until when the buyer is protected or must confirm. Aware UTC."""

    end: datetime
    source: WindowSource
    extensions: int = 0
    """How often this order's window was extended so far."""


class WindowChange(msgspec.Struct, frozen=True, kw_only=True):
    """One end of an order's window, from `at` on (aware UTC): who showed it, and where; evidence in a dispute (R7).

    `end` None: it was taken back; `days`: by how many we extended it.
    """

    at: datetime
    end: datetime | None
    source: WindowSource | None
    by: str
    days: int | None = None
    proof: str | None = None


class Settled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person's word about a stage that a backlog left: SEND or SKIP (DONE is a contact), whose, when (aware UTC)."""

    how: Settle
    by: str
    at: datetime


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A marketplace order. Times are aware UTC; `amount` is what the buyer paid, in `currency` (ISO 4217).

    `promised_at` (EDD), the guarantee of the profile and `window` are three dates. `waiting_since` is set while a buyer waits
    for an answer. `cutover_at` marks an order that was taken over on its way: what was due before is skipped. `contacted` says
    which stages the buyer was told outside of this product, and when; `settled` what a person said about stages left behind.
    """

    id: int
    store: str
    platform: str
    number: str
    state: OrderState = OrderState.UNKNOWN
    country: str | None = None
    region: str | None = None
    language: str | None = None
    buyer_name: str | None = None
    buyer_email: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    promised_at: datetime | None = None
    window: Window | None = None
    refunded_at: datetime | None = None
    refunded_amount: Decimal | None = None
    refund_reference: str | None = None
    received_at: datetime | None = None
    opted_out: bool = False
    vip: bool = False
    hold_until: datetime | None = None
    waiting_since: datetime | None = None
    cutover_at: datetime | None = None
    contacted: Mapping[Intent, datetime] = {}
    settled: Mapping[Intent, Settled] = {}
    note: str | None = None
    promised_from: datetime | None = None
    """Earliest estimated delivery; `promised_at` is the latest (EDD)."""
    ship_by: datetime | None = None
    """Latest ship date as the marketplace has it (R60)."""
    confirmed_at: datetime | None = None
    """When the shipment was confirmed to the marketplace (R61)."""
    payment: str | None = None
    """How it is paid, in one folded word: boleto, paypal, card ... (R15, R32)."""
    tax_number_known: bool = False
    """Whether CPF, CNPJ or the like is there; the number itself never enters a dossier (R16)."""
    address_problems: tuple[str, ...] = ()
    """What the address lacks, as words: missing_phone, missing_postcode ... (R46); no personal data."""
    buyer_phone: str | None = None
    buyer_chat: str | None = None
    """The buyer's chat with the shop's bot: he opened it, a bot can start none."""
    unread_since: datetime | None = None
    """Since when the marketplace or a clerk shows that the buyer has not read our last message (R25)."""
    risky: bool = False
    """A person marked the buyer (R49)."""
    reviewed_at: datetime | None = None
    """The buyer has left a review (R101)."""
    vip_with: str | None = None
    """An older order of the same buyer and store that is to be looked after as well: he is written to with that one (R91)."""
    stages: Mapping[Intent, int] = {}
    """Days of this very order's own ladder, where a person set them; they go before the destination's."""

    @property
    def subject(self) -> str:
        """The order's half of a dedup key (D12): stable across files, machines and databases."""
        return f"order/{self.store}/{self.number}"

    @property
    def paid_left(self) -> Decimal | None:
        """What can still be refunded (I7); None where the amount is unknown."""
        if self.amount is None:
            return None
        return max(self.amount - (self.refunded_amount or Decimal(0)), Decimal(0))


class Scan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One scan as the dossier needs it. An instant whose zone is unknown keeps bounds [local - 14 h, local + 12 h]."""

    earliest: datetime
    latest: datetime
    local_time: str | None = None
    status: TrackingStatus = TrackingStatus.UNKNOWN
    reason: TrackingReason | None = None
    description: str = ""
    location: str = ""
    country: str | None = None

    @property
    def exact(self) -> bool:
        """Whether the carrier told the zone."""
        return self.latest - self.earliest < timedelta(seconds=1)


class NotFound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run of *not found* answers that is going on: only answers count, never failed polls (R8)."""

    answers: int
    since: datetime
    sources: int = 1


class Shipment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One parcel. The journey is a fold over its events and the sources' answers (tracker.model.journey).

    `carrier` is who transports; `service` and `capability` come from services.toml, `matched` says whether the channel's text was
    known there (an unmatched one is never lost by silence and gets no claim filed). `share` is this parcel's part of the order's
    amount (D23). `last_answer_at` is the last *successful* answer of a source: silence is counted to it, never to a failed poll.
    """

    id: int
    number: str
    carrier: str | None = None
    service: str = "standard"
    service_text: str | None = None
    matched: bool = True
    capability: Capability = Capability.END_TO_END
    settled_by: str | None = None
    origin: str | None = "CN"
    country: str | None = None
    shipped_at: datetime | None = None
    share: Decimal | None = None
    declared_value: Decimal | None = None
    declared_currency: str | None = None
    freight: Decimal | None = None
    freight_currency: str | None = None
    status: TrackingStatus = TrackingStatus.UNKNOWN
    reason: TrackingReason | None = None
    raw_status: str | None = None
    first_scan: Scan | None = None
    last_scan: Scan | None = None
    delivered_scan: Scan | None = None
    not_found: NotFound | None = None
    last_answer_at: datetime | None = None
    registered_at: datetime | None = None
    unanswered: str | None = None
    """Why the polls since the last answer had none: the kind of the newest error (carriers.errors.ErrorKind)."""
    stopped_at: datetime | None = None
    """Since when the source has stopped looking (17TRACK's Expired): its answers repeat themselves and prove no silence."""
    suspect: str | None = None
    last_mile: tuple[str, str | None] | None = None
    """The number under which it travels on in its destination, and whose that is, as its source told them."""
    day0: datetime | None = None
    """Day 0 that a stage has already acted on: it may move earlier, never later (D1)."""
    deadline_at: int | None = None
    """The next date that people or money must meet as polling knows it (epoch seconds)."""

    @property
    def subject(self) -> str:
        """The parcel's half of a dedup key."""
        return f"shipment/{self.number}"

    @property
    def delivered(self) -> bool:
        """Handed to the buyer, as far as the sources say (a revoked delivery is not)."""
        return self.status is TrackingStatus.DELIVERED
