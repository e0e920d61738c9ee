"""How the store talks to its database: one file on one machine, or one PostgreSQL for many.

`base` has what both have in common, `sqlite` and `postgres` one each; `address` says which an address means.
"""

from tracker.store.connection.address import is_postgres, place, sqlite_path
from tracker.store.connection.base import Database, Tx
from tracker.store.connection.sqlite import (
    COMMAND_BUSY_MS,
    SqliteDatabase,
    driver,
    open_engine,
    plain,
    told,
)
from tracker.store.connection.values import Record, instant_of, required, stored

__all__ = [
    "COMMAND_BUSY_MS",
    "Database",
    "Record",
    "SqliteDatabase",
    "Tx",
    "driver",
    "instant_of",
    "is_postgres",
    "open_engine",
    "place",
    "plain",
    "required",
    "sqlite_path",
    "stored",
    "told",
]
