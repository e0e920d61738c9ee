"""What keeps the machine going: marks, the daemon's epoch, accounts of sources and what they remember, the rate gate."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from tracker.store.tables.base import Row

_STANDING = text("ended_at IS NULL")


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


class WorkerRow(Row, table=True):
    """A worker of a fleet, by its name: every write of it checks that the epoch is still its own. `seen_at`: its last sign."""

    __tablename__ = "worker"

    name: str = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    owner: str
    since: datetime
    seen_at: int = Field(sa_type=BigInteger)


class AccountRow(Row, table=True):
    """One account at a source: the adapter's own memory (JSON), the circuit breaker, and whose turn it is to ask (fleet)."""

    __tablename__ = "account"

    id: str = Field(primary_key=True)
    memory: str = "{}"
    last_answer_at: int | None = Field(default=None, sa_type=BigInteger)
    breaker_failures: int = 0
    breaker_until: datetime | None = None
    breaker_since: datetime | None = None
    breaker_kind: str | None = None
    turn_token: str | None = None
    turn_until: int | None = Field(default=None, sa_type=BigInteger)


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
    """When a source may be called next (epoch milliseconds)."""

    __tablename__ = "rategate"

    source: str = Field(primary_key=True)
    next_ms: int = Field(default=0, sa_type=BigInteger)


class QuotaDayRow(Row, table=True):
    """What is used of a source's quota on each (UTC) day: today's is the limit's, all of them are the forecast's."""

    __tablename__ = "quota_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    used: int = Field(default=0, sa_type=BigInteger)


class PauseRow(Row, table=True):
    """The brake: what matches every named column waits. All columns empty: everything. `until` is epoch seconds.

    `deadlines`: extensions, the claims register and tasks about cases wait as well.
    """

    __tablename__ = "pause"
    __table_args__ = (Index("ix_pause_standing", "until", sqlite_where=_STANDING, postgresql_where=_STANDING),)

    id: int | None = Field(default=None, primary_key=True)
    store: str | None = None
    country: str | None = None
    carrier: str | None = None
    rule: str | None = None
    template: str | None = None
    channel: str | None = None
    reason: str
    by: str
    since: datetime
    until: int | None = Field(default=None, sa_type=BigInteger)
    deadlines: bool = False
    ended_at: datetime | None = None
    ended_by: str | None = None


class AdvisoryRow(Row, table=True):
    """Parcels are slow there for a while, says a person (R35, D19). Empty columns of the scope: everywhere.

    `first_on` and `last_on` are inclusive local dates, `causes` a JSON object: language -> words for the buyer.
    """

    __tablename__ = "advisory"

    id: int | None = Field(default=None, primary_key=True)
    leg: str
    country: str | None = None
    region: str | None = None
    carrier: str | None = None
    first_on: date
    last_on: date
    add_days: int
    causes: str
    by: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_because: str | None = None


class RulesetRow(Row, table=True):
    """A configuration that was in force, by the hash that every effect carries.

    `state`: accepted | waiting (its new effects wait). `touched` of `open_parcels` get other effects by it, `summary` (JSON)
    counts them, and `snapshot` is what its rules were built from.
    """

    __tablename__ = "ruleset"

    hash: str = Field(primary_key=True)
    first_at: datetime
    in_force_at: datetime
    state: str
    touched: int = 0
    open_parcels: int = 0
    summary: str = "{}"
    snapshot: bytes
    accepted_at: datetime | None = None
    accepted_by: str | None = None


class ErrandRow(Row, table=True):
    """Work of a schedule: the last occasion that was done (a local date, a month; empty: never) and what came of it.

    `failed_at` and `error` tell of a failure since then.
    """

    __tablename__ = "errand"

    name: str = Field(primary_key=True)
    occasion: str
    at: datetime
    result: str = ""
    failed_at: datetime | None = None
    error: str | None = None


class SpentKeyRow(Row, table=True):
    """A dedup key that the send journal knows and a restored backup does not, of an order that the backup lacks as well.

    Should that order come back and want the effect again, the row is born with what the journal says (faults row 36).
    """

    __tablename__ = "spent_key"

    dedup_key: str = Field(primary_key=True)
    state: str
    channel: str
    attempts: int
    at: datetime
    provider_id: str | None = None
    result: str | None = None


class TransitRow(Row, table=True):
    """Quantiles of days from day 0 to delivery, of own parcels: they replace the configured ladder once there are enough."""

    __tablename__ = "transit"
    __table_args__ = ({"sqlite_with_rowid": False},)

    country: str = Field(primary_key=True)
    service: str = Field(primary_key=True)
    delivered: int
    p50: float
    p80: float
    p90: float
    p95: float
    p99: float
    measured_at: datetime


class RawAnswerRow(Row, table=True):
    """What an account said about a number when it said something new, compressed (zlib): evidence, kept for a set time (D10).

    `at` is the epoch second of the answer, `size` the length of the whole slice; a long one is kept as its beginning.
    """

    __tablename__ = "raw_answer"
    __table_args__ = (Index("ix_raw_answer_number", "number"), Index("ix_raw_answer_at", "at"))

    id: int | None = Field(default=None, primary_key=True)
    number: str
    account: str
    at: int = Field(sa_type=BigInteger)
    size: int
    body: bytes


class PushedRow(Row, table=True):
    """One slice that a source pushed and that has not been heard yet. `at` is the epoch second at which it came."""

    __tablename__ = "pushed"

    id: int | None = Field(default=None, primary_key=True)
    account: str
    number: str
    slice: bytes
    at: int = Field(sa_type=BigInteger)


class PushSeenRow(Row, table=True):
    """The digest of a pushed body (SHA-256): the same body again is a duplicate or a replay, and changes nothing."""

    __tablename__ = "push_seen"
    __table_args__ = (Index("ix_push_seen_at", "at"), {"sqlite_with_rowid": False})

    account: str = Field(primary_key=True)
    digest: bytes = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)


class UnmappedCodeRow(Row, table=True):
    """A code of a source that no table knows: when it came first and last (epoch seconds), how often, and with which number."""

    __tablename__ = "unmapped_code"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    number: str
    first_at: int = Field(sa_type=BigInteger)
    last_at: int = Field(sa_type=BigInteger)
    times: int = Field(default=1, sa_type=BigInteger)
