"""Exceptions that a user can cause -> kind, message, exit code. What is not named here is our fault and keeps its traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tracker.config import Problem

DAEMON_USAGE, DAEMON_DAMAGED, DAEMON_AGAIN, DAEMON_CONFIG = 64, 74, 75, 78
"""Codes of the resident `tracker run` (facts/systemd.md section 6)."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What is said and how the process ends: `code` for every command, `daemon_code` for the resident `tracker run`."""

    kind: str
    message: str
    code: int
    daemon_code: int = DAEMON_USAGE
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
    from tracker.store import errors as store

    match error:
        case UsageError():
            return Failure(kind="usage", message=str(error), code=2)
        case Failed() | desk.Refused():
            return Failure(kind=error.kind, message=str(error), code=1, daemon_code=DAEMON_AGAIN)
        case OSError() if error.filename:
            message = f"{error.filename}: {error.strerror}"
            return Failure(kind="file", message=message, code=1, daemon_code=DAEMON_AGAIN)
        case store.StoreError():
            kind, code, daemon_code = next(row for of, row in _STORE.items() if isinstance(error, getattr(store, of)))
            return Failure(kind=kind, message=str(error), code=code, daemon_code=daemon_code)
        case _:
            return _config_failure(error)


_STORE: Mapping[str, tuple[str, int, int]] = {
    "DatabaseMissing": ("no_database", 2, DAEMON_AGAIN),
    "SchemaTooOld": ("schema_too_old", 2, DAEMON_AGAIN),
    "SchemaTooNew": ("schema_too_new", 2, DAEMON_CONFIG),
    "UnsupportedDatabase": ("unsupported_database", 2, DAEMON_CONFIG),
    "NotARehearsal": ("not_a_rehearsal", 2, DAEMON_USAGE),
    "AnotherDaemon": ("another_daemon", 1, DAEMON_AGAIN),
    "Locked": ("locked", 1, DAEMON_AGAIN),
    "Damaged": ("database_damaged", 1, DAEMON_DAMAGED),
    "Unwritable": ("database_unwritable", 1, DAEMON_DAMAGED),
    "NotThere": ("not_there", 1, DAEMON_AGAIN),
    "NotUnique": ("not_unique", 1, DAEMON_AGAIN),
    "Conflict": ("conflict", 1, DAEMON_AGAIN),
    "StoreError": ("database", 1, DAEMON_AGAIN),
}
"""Error of the store -> its word for scripts, the exit code of a command, that of the resident daemon. The first that fits."""


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
        daemon_code=DAEMON_CONFIG,
        details={"problems": [problem_document(problem) for problem in error.problems]},
    )
