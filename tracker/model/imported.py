"""What a file says: orders, parcels and the links between them, before the store joins them with what it knows.

A None means "the file does not say", never "empty": it does not overwrite. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import msgspec

from tracker.model.words import Capability, Intent, OrderState


class Rank(IntEnum):
    """Whose word counts: the higher one wins.

    A newer file beats an older one of the same rank (facts/file-formats.md section 4).
    """

    FORWARDER = 1
    ERP = 2
    MARKETPLACE = 3


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order: what was sold, how many, the price of one in `currency` (ISO 4217)."""

    sku: str | None = None
    title: str | None = None
    quantity: int = 1
    price: Decimal | None = None
    currency: str | None = None


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One order as one file tells it. Identity: (store, number)."""

    store: str
    platform: str
    number: str
    row: int
    state: OrderState | None = None
    raw_state: str | None = None
    country: str | None = None
    region: str | None = None
    buyer_name: str | None = None
    buyer_email: str | None = None
    tax_number: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    promised_at: datetime | None = None
    received_at: datetime | None = None
    window_end: datetime | None = None
    refunded_amount: Decimal | None = None
    promised_from: datetime | None = None
    ship_by: datetime | None = None
    confirmed_at: datetime | None = None
    payment: str | None = None
    """How it is paid, as one word of formats.toml `[payments]`, else as the file has it."""
    address_problems: tuple[str, ...] | None = None
    """What the address lacks (R46); None where the file has no addresses."""
    buyer_phone: str | None = None
    items: tuple[OrderItem, ...] = ()
    """In the order of the file; none where it names no goods."""
    assumed: frozenset[str] = frozenset()
    """Names of facts that no file said: the store's default stands in, and whatever a file says goes before it."""


class ShipmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel as one file tells it. Identity: its number, or any of its aliases.

    `order` is the order's number where the file knows it (with `store`); a forwarder's sheet does not: it joins by number alone.
    """

    number: str
    row: int
    aliases: tuple[str, ...] = ()
    store: str | None = None
    order: str | None = None
    service_text: str | None = None
    carrier: str | None = None
    service: str | None = None
    capability: Capability | None = None
    settled_by: str | None = None
    matched: bool = False
    origin: str | None = None
    country: str | None = None
    shipped_at: datetime | None = None
    declared_value: Decimal | None = None
    declared_currency: str | None = None
    freight: Decimal | None = None
    freight_currency: str | None = None
    warnings: tuple[str, ...] = ()
    assumed: frozenset[str] = frozenset()
    """As with an order."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be taken: its number in the file (1 = first line), its cells as they were, and why."""

    row: int
    reason: str
    cells: tuple[str, ...] = ()


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer was told a stage outside of this product: of which order, which stage, when (aware UTC)."""

    store: str
    number: str
    stage: Intent
    at: datetime


class ImportBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One file, read. `digest` (hex) recognises the same bytes; `rows` counts the data rows, rejected ones included."""

    file: str
    format: str
    digest: str
    rank_orders: Rank
    rank_tracking: Rank
    rows: int
    orders: tuple[OrderFacts, ...] = ()
    shipments: tuple[ShipmentFacts, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    cutover_at: datetime | None = None
    """Orders that are new with this file are taken over at this instant (D21)."""
    contacted: tuple[Contact, ...] = ()
    """What a person's list says about orders of this file."""
    header: tuple[str, ...] = ()
    """The header cells as they stand in the file: the rejected file repeats them."""
    warnings: tuple[str, ...] = ()
    """What a person should know about rows that were taken, each sentence once."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a file does to one order or parcel (`what`: order | shipment; `outcome`: new | updated | unchanged).

    `row` is its first row in the file. `after` holds the fields that change, or those of a new one; `before` what stood there.
    """

    what: str
    row: int
    store: str | None
    number: str
    outcome: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that would be asked about because of a file; `registered` are the accounts that know it already."""

    number: str
    carrier: str | None
    registered: tuple[str, ...] = ()


class ImportOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What saving a batch changed: counts of orders and shipments together, and the orphans that wait for a partner.

    A rehearsal also tells every change, and which parcels would be asked about for the first time.
    """

    new: int
    updated: int
    unchanged: int
    orphans: tuple[str, ...] = ()
    batch: int | None = None
    taken_over: int = 0
    """Orders of the file whose cut-over is the file's."""
    changes: tuple[Change, ...] = ()
    followed: tuple[Followed, ...] = ()
