"""What keeps the machine going: marks, the daemon's epoch, accounts of sources and what they remember, the rate gate."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from tracker.store.tables.base import Row


class MetaRow(Row, table=True):
    """Marks that stay with the file: `created_at`, `rehearsal`."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str


class DaemonRow(Row, table=True):
    """One row (id 1): whose turn it is. Every write of a daemon checks that the epoch is still its own."""

    __tablename__ = "daemon"

    id: int = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    owner: str
    since: datetime


class AccountRow(Row, table=True):
    """One account at a source: the adapter's own memory (JSON) and the circuit breaker."""

    __tablename__ = "account"

    id: str = Field(primary_key=True)
    memory: str = "{}"
    last_answer_at: int | None = Field(default=None, sa_type=BigInteger)
    breaker_failures: int = 0
    breaker_until: datetime | None = None
    breaker_since: datetime | None = None
    breaker_kind: str | None = None


class AnswerRow(Row, table=True):
    """What one account keeps about one number: the adapter's memory (JSON), the digest of the last slice, what it said."""

    __tablename__ = "answer"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    memory: str = "{}"
    digest: bytes | None = None
    status: str | None = None
    changed_at: int = Field(sa_type=BigInteger)


class RateGateRow(Row, table=True):
    """When a source may be called next (epoch milliseconds), and what is used of the day's quota."""

    __tablename__ = "rategate"

    source: str = Field(primary_key=True)
    next_ms: int = Field(default=0, sa_type=BigInteger)
    used: int = Field(default=0, sa_type=BigInteger)
    day: date | None = None
