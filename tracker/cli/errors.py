"""Exceptions that a user can cause -> kind, message, exit code. What is not named here is our fault and keeps its traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tracker.config import Problem


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, and the exit code. `kind` is a word for scripts, `details` more of it."""

    kind: str
    message: str
    code: int
    details: Mapping[str, Any] = {}


class UsageError(Exception):
    """The command line asks for something that cannot be: exit code 2. The message says what to write instead."""


class Failed(Exception):  # noqa: N818 - what happened, said plainly
    """The command could not do it, and nothing but the world is to blame: exit code 1. `kind` is a word for scripts."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def failure_of(error: Exception) -> Failure | None:
    """What to say about an exception; None for a bug. The rooms' errors are imported here: only a failure needs them."""
    from tracker import desk
    from tracker.intake.errors import FileError
    from tracker.store import errors as store

    match error:
        case UsageError() | desk.NotNamed():
            return Failure(kind="usage", message=str(error), code=2)
        case Failed() | desk.Refused():
            return Failure(kind=error.kind, message=str(error), code=1)
        case OSError() if error.filename:
            message = f"{error.filename}: {error.strerror}"
            return Failure(kind="file", message=message, code=1)
        case FileError():
            return Failure(kind="file", message=str(error), code=1)
        case store.StoreError():
            kind, code = next(row for of, row in _STORE.items() if isinstance(error, getattr(store, of)))
            return Failure(kind=kind, message=str(error), code=code)
        case _:
            return _config_failure(error)


_STORE: Mapping[str, tuple[str, int]] = {
    "DatabaseMissing": ("no_database", 2),
    "SchemaTooOld": ("schema_too_old", 2),
    "SchemaTooNew": ("schema_too_new", 2),
    "UnsupportedDatabase": ("unsupported_database", 2),
    "NotARehearsal": ("not_a_rehearsal", 2),
    "Retired": ("retired", 2),
    "AnotherDaemon": ("another_daemon", 1),
    "BackupRefused": ("backup_refused", 1),
    "JournalMissing": ("journal_missing", 1),
    "Locked": ("locked", 1),
    "Damaged": ("database_damaged", 1),
    "Unwritable": ("database_unwritable", 1),
    "Gone": ("database_gone", 1),
    "NotThere": ("not_there", 1),
    "NotUnique": ("not_unique", 1),
    "Conflict": ("conflict", 1),
    "StoreError": ("database", 1),
}
"""Error of the store -> its word for scripts and the exit code; the first that fits. The resident daemon has codes of its own."""


def problem_document(problem: Problem) -> dict[str, Any]:
    """One finding about the configuration, for `--json`."""
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "message": problem.message,
        "level": problem.level,
    }


def _config_failure(error: Exception) -> Failure | None:
    from tracker.config import ConfigError

    if not isinstance(error, ConfigError):
        return None
    return Failure(
        kind="config",
        message="\n".join(["the configuration has problems (tracker config check lists them):", *map(str, error.problems)]),
        code=2,
        details={"problems": [problem_document(problem) for problem in error.problems]},
    )
