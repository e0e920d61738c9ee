"""PostgreSQL repeats in its errors what was to be written: rows, keys, the line of the statement. Ours do not (faults row 27)."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError

_DATA = "22"
"""SQLSTATE class 22, data exceptions: there the sentence itself ends in the value."""


def discreet(error: DBAPIError | psycopg.Error) -> BaseException:
    """The driver's own error, of the same kind, with its sentence and code and nothing of the data."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return error
    sentence = cause.diag.message_primary or next(iter(str(cause).strip().splitlines()), "")
    if (cause.sqlstate or "").startswith(_DATA):
        sentence = sentence.partition(":")[0]
    code = f" (SQLSTATE {cause.sqlstate})" if cause.sqlstate else ""
    return type(cause)(f"{sentence}{code}").with_traceback(error.__traceback__)
