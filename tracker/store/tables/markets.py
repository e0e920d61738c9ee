"""What marketplaces tell us and do for us: windows over time, what is read next, extensions tried, what is switched off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from tracker.store.tables.base import Row

_UNSETTLED = text("settled_at IS NULL")


class WindowHistoryRow(Row, table=True):
    """One end of an order's delivery window, from the moment somebody told it (append-only): evidence in a dispute.

    `source`: api | typed | file. `days`: by how many we extended it; `proof`: where the end was read.
    """

    __tablename__ = "window_history"
    __table_args__ = (Index("ix_window_history_order", "order_id"),)

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="dossier.id")
    at: datetime
    window_end: datetime | None = None
    source: str | None = None
    by: str
    days: int | None = None
    proof: str | None = None


class WindowWatchRow(Row, table=True):
    """An order whose window its marketplace's API is asked for, and when next (epoch seconds). Gone when the order is over."""

    __tablename__ = "window_watch"
    __table_args__ = (Index("ix_window_watch_due", "store", "next_at"), {"sqlite_with_rowid": False})

    order_id: int = Field(primary_key=True, foreign_key="dossier.id")
    store: str
    next_at: int = Field(sa_type=BigInteger)
    failures: int = 0


class ExtensionAttemptRow(Row, table=True):
    """One call that asks for an extension, written before it is made. `outcome`: extended | refused | not_extended."""

    __tablename__ = "extension_attempt"
    __table_args__ = (
        Index("ix_extension_attempt_row", "row_id"),
        Index("ix_extension_attempt_open", "order_id", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
    )

    id: int | None = Field(default=None, primary_key=True)
    row_id: int = Field(foreign_key="outbox.id")
    order_id: int = Field(foreign_key="dossier.id")
    attempt: int
    days: int
    end_before: datetime
    at: datetime
    settled_at: datetime | None = None
    outcome: str | None = None
    end_after: datetime | None = None
    result: str | None = None


class MarketplaceStateRow(Row, table=True):
    """One capability of one account: read last when, next when, up to which order; why it is switched off, and since when."""

    __tablename__ = "marketplace_state"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account: str = Field(primary_key=True)
    capability: str = Field(primary_key=True)
    read_at: int | None = Field(default=None, sa_type=BigInteger)
    next_at: int = Field(default=0, sa_type=BigInteger)
    seen_order: int = 0
    stopped_at: datetime | None = None
    fault: str | None = None
    why: str | None = None
