"""What a PostgreSQL server says, as our errors: each with a sentence that names the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tracker.store.connection.discretion import discreet
from tracker.store.errors import Damaged, DatabaseMissing, Gone, Locked, StoreError, Unwritable

_KINDS: tuple[tuple[type[psycopg.Error], type[StoreError], str], ...] = (
    (pg.SerializationFailure, Locked, "is busy; try again"),
    (pg.DeadlockDetected, Locked, "is busy; try again"),
    (pg.LockNotAvailable, Locked, "is kept locked by somebody else; look at pg_stat_activity"),
    (pg.QueryCanceled, Locked, "took too long to answer; look at pg_stat_activity"),
    (pg.IdleInTransactionSessionTimeout, Gone, "heard nothing of us in the middle of a transaction and broke it off"),
    (pg.DiskFull, Unwritable, "cannot grow: the server's disk is full. Nothing was written"),
    (pg.ReadOnlySqlTransaction, Unwritable, "may not be written: it is a standby, or read-only"),
    (pg.InsufficientPrivilege, Unwritable, "may not be used by this user: GRANT what is missing"),
    (pg.DataCorrupted, Damaged, "is damaged. Stop all workers and put a backup back"),
    (pg.IndexCorrupted, Damaged, "is damaged. Stop all workers and put a backup back"),
    (pg.InvalidCatalogName, DatabaseMissing, "does not exist. Make it with: createdb, then: tracker db upgrade"),
    (pg.InvalidPassword, DatabaseMissing, "does not take this user and password; look at database.url"),
    (pg.InvalidAuthorizationSpecification, DatabaseMissing, "does not take this user; look at database.url and pg_hba.conf"),
    (pg.TooManyConnections, Gone, "takes no more connections; raise max_connections or put PgBouncer before it"),
)


@contextmanager
def told(where: str) -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except PoolTimeout as error:
        raise Locked(f"All connections to the database {where} were busy for too long; look at pg_stat_activity") from error
    except (DBAPIError, psycopg.Error) as error:
        reason = explained(error, where)
        if reason is None:
            raise discreet(error) from None
        raise reason from error


def explained(error: BaseException, where: str) -> StoreError | None:
    """Our error for a driver's, or None where it is a mistake of ours that must not be dressed up."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    for kind, ours, sentence in _KINDS:
        if isinstance(cause, kind):
            return ours(f"The database {where} {sentence} ({_first_line(cause)})")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        text = _first_line(cause)
        for words, kind_, sentence in _AT_THE_DOOR:
            if words in text:
                return kind_(f"The database {where} {sentence} ({text})")
        return Gone(f"The database {where} does not answer: {text}")
    return None


_AT_THE_DOOR: tuple[tuple[str, type[StoreError], str], ...] = (
    ("does not exist", DatabaseMissing, "or its user does not exist: createdb, createuser, then: tracker db upgrade"),
    ("password authentication failed", DatabaseMissing, "does not take this password; look at database.url"),
    ("no password supplied", DatabaseMissing, "wants a password; look at database.url"),
    ("no pg_hba.conf entry", DatabaseMissing, "does not let this user in; look at pg_hba.conf"),
    ("too many", Gone, "takes no more connections; raise max_connections or put PgBouncer before it"),
)
"""What a server says before there is a connection comes without a code."""


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
