"""What is known: orders, parcels, the links between them, scans, and where it was read.

Money is a decimal as text beside its ISO currency; hot times are epoch seconds in a BigInteger, all others aware UTC. JSON is
text. A `dossier` row is the order itself: the unit that is decided.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from tracker.store.tables.base import Row

_LINKED = text("linked_number IS NOT NULL")
_LEASED = text("lease_token IS NOT NULL")


class DossierRow(Row, table=True):
    """One marketplace order. Identity: (store, number).

    `stamps` says for each fact whose word it is (JSON, field -> [rank, sequence]); `verdict_digest` is that of the last verdict
    written. `contacted` maps stages to when the buyer was written to outside of this product (JSON); `backlog` says what a person
    settled about the stages that were due before `cutover_at`; `address_problems` and `stages`
    are JSON too. `purged_at`: since then it names nobody any more.
    """

    __tablename__ = "dossier"
    __table_args__ = (
        UniqueConstraint("store", "number"),
        Index(
            "ix_dossier_due",
            "next_decide_at",
            sqlite_where=text("next_decide_at IS NOT NULL"),
            postgresql_where=text("next_decide_at IS NOT NULL"),
        ),
        Index("ix_dossier_number", "number"),
        Index("ix_dossier_vip", "store", sqlite_where=text("vip"), postgresql_where=text("vip")),
    )

    id: int | None = Field(default=None, primary_key=True)
    store: str
    number: str
    platform: str
    state: str
    raw_state: str | None = None
    country: str | None = None
    region: str | None = None
    language: str | None = None
    buyer_name: str | None = None
    buyer_email: str | None = None
    tax_number: str | None = None
    amount: str | None = None
    currency: str | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    promised_at: datetime | None = None
    window_end: datetime | None = None
    window_source: str | None = None
    window_extensions: int = 0
    refunded_at: datetime | None = None
    refunded_amount: str | None = None
    refund_reference: str | None = None
    received_at: datetime | None = None
    opted_out: bool = False
    vip: bool = False
    hold_until: datetime | None = None
    waiting_since: datetime | None = None
    cutover_at: datetime | None = None
    contacted: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    backlog: str | None = None
    note: str | None = None
    promised_from: datetime | None = None
    ship_by: datetime | None = None
    confirmed_at: datetime | None = None
    payment: str | None = None
    address_problems: str | None = None
    buyer_phone: str | None = None
    buyer_chat: str | None = None
    unread_since: datetime | None = None
    risky: bool = Field(default=False, sa_column_kwargs={"server_default": "0"})
    reviewed_at: datetime | None = None
    stages: str | None = None
    stamps: str = "{}"
    batch_id: int | None = None
    version: int = 0
    next_decide_at: int | None = Field(default=None, sa_type=BigInteger)
    waits_for_answer: bool = False
    verdict_digest: bytes | None = None
    failures: int = 0
    parked_for: str | None = None
    purged_at: datetime | None = None
    lease_until: int | None = Field(default=None, sa_type=BigInteger)


class ItemRow(Row, table=True):
    """One line of an order. `rank` and `batch_id` say which file's word all lines of the order are."""

    __tablename__ = "order_item"
    __table_args__ = ({"sqlite_with_rowid": False},)

    order_id: int = Field(primary_key=True, foreign_key="dossier.id")
    line: int = Field(primary_key=True)
    sku: str | None = None
    title: str | None = None
    quantity: int
    price: str | None = None
    currency: str | None = None
    rank: int
    batch_id: int


class RecoveryRow(Row, table=True):
    """What a buyer paid again whose parcel came after the refund (R4); a reference counts once an order."""

    __tablename__ = "recovery"
    __table_args__ = (UniqueConstraint("order_id", "reference"),)

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="dossier.id")
    at: datetime
    amount: str
    currency: str | None = None
    reference: str
    who: str


class ShipmentRow(Row, table=True):
    """One parcel. Identity: its number or any alias. The journey is packed (MessagePack): a dossier loads without its events.

    `status` and `moved_at` repeat two facts of the journey for the cadence and the counters; `fingerprints` are the 8-byte keys
    of the stored scans. `day0_seen` is day 0 as a stage was decided on, `day0` the one that a stage has acted on (D1).
    `linked_number` is the last-mile number its source told, `linked_carrier` whose it is; `deadline_at` (epoch seconds) the next
    date of its order that people or money must meet.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        Index(
            "ix_shipment_due",
            "next_poll_at",
            sqlite_where=text("next_poll_at IS NOT NULL"),
            postgresql_where=text("next_poll_at IS NOT NULL"),
        ),
        Index("ix_shipment_unmatched", "service_text", sqlite_where=text("NOT matched"), postgresql_where=text("NOT matched")),
        Index("ix_shipment_linked", "linked_number", sqlite_where=_LINKED, postgresql_where=_LINKED),
        Index("ix_shipment_leased", "lease_token", sqlite_where=_LEASED, postgresql_where=_LEASED),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    carrier: str | None = None
    service: str | None = None
    service_text: str | None = None
    matched: bool = True
    capability: str | None = None
    settled_by: str | None = None
    origin: str | None = None
    country: str | None = None
    shipped_at: datetime | None = None
    declared_value: str | None = None
    declared_currency: str | None = None
    freight: str | None = None
    freight_currency: str | None = None
    stamps: str = "{}"
    batch_id: int | None = None
    next_poll_at: int | None = Field(default=None, sa_type=BigInteger)
    last_answer_at: int | None = Field(default=None, sa_type=BigInteger)
    failures: int = 0
    failed_kind: str | None = None
    status: str = "unknown"
    moved_at: int | None = Field(default=None, sa_type=BigInteger)
    journey: bytes | None = None
    fingerprints: bytes = b""
    day0: datetime | None = None
    day0_seen: datetime | None = None
    linked_number: str | None = None
    linked_carrier: str | None = None
    deadline_at: int | None = Field(default=None, sa_type=BigInteger)
    lease_token: str | None = None
    lease_until: int | None = Field(default=None, sa_type=BigInteger)


class LinkRow(Row, table=True):
    """Which parcel carries which order (n:m). `share` is the parcel's part of the amount where somebody named it (D23)."""

    __tablename__ = "order_shipment"
    __table_args__ = (Index("ix_order_shipment_shipment", "shipment_id"), {"sqlite_with_rowid": False})

    order_id: int = Field(primary_key=True, foreign_key="dossier.id")
    shipment_id: int = Field(primary_key=True, foreign_key="shipment.id")
    share: str | None = None


class AliasRow(Row, table=True):
    """Every number a parcel ever had, the present one included."""

    __tablename__ = "alias"
    __table_args__ = (Index("ix_alias_shipment", "shipment_id"), {"sqlite_with_rowid": False})

    number: str = Field(primary_key=True)
    shipment_id: int = Field(foreign_key="shipment.id")


class AwaitedOrderRow(Row, table=True):
    """A parcel whose file named an order that no file has told about yet. `store` is empty where the file did not name it."""

    __tablename__ = "awaited_order"
    __table_args__ = ({"sqlite_with_rowid": False},)

    number: str = Field(primary_key=True)
    store: str = Field(primary_key=True)
    shipment_id: int = Field(primary_key=True, foreign_key="shipment.id")


class TrackingEventRow(Row, table=True):
    """One scan. `key` is the fingerprint of the raw carrier fields; `seq` keeps the carrier's order where no time is known.

    No reference to the parcel is declared: it costs a tenth of the hot path, and the row is there.
    """

    __tablename__ = "tracking_event"
    __table_args__ = ({"sqlite_with_rowid": False},)

    shipment_id: int = Field(primary_key=True)
    key: bytes = Field(primary_key=True)
    seq: int
    time: int | None = Field(default=None, sa_type=BigInteger)
    local_time: str | None = None
    offset_minutes: int | None = None
    status: str
    reason: str | None = None
    raw_code: str | None = None
    description: str = ""
    location: str = ""
    country: str | None = None
    source: str
    seen_at: int = Field(sa_type=BigInteger)


class ImportBatchRow(Row, table=True):
    """One file, recognised by its bytes. The id orders files: a newer one beats an older one of the same rank."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    file: str
    format: str
    first_at: datetime
    last_at: datetime
    finished: bool = False
    rows: int = 0
    rejected: int = 0


class StoreStartRow(Row, table=True):
    """When a store was first heard of: what was due before is held once (D22)."""

    __tablename__ = "store_start"

    store: str = Field(primary_key=True)
    since: datetime


class OrderFileRow(Row, table=True):
    """When a store's last order file was read (epoch seconds): inputs have an age limit as facts have (D20)."""

    __tablename__ = "order_file"

    store: str = Field(primary_key=True)
    last_at: int = Field(sa_type=BigInteger)
    file: str
