"""One line of the doctor's list."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """ok; warn: it works, look when you have time; fail: something does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, how it stands, and what to do next where it does not stand well."""

    level: Level
    about: str
    says: str
    next: str = ""


def ok(about: str, says: str) -> Finding:
    """All is well."""
    return Finding(level=Level.OK, about=about, says=says)


def warn(about: str, says: str, then: str) -> Finding:
    """It works; `then` says what to do about it."""
    return Finding(level=Level.WARN, about=about, says=says, next=then)


def fail(about: str, says: str, then: str) -> Finding:
    """It does not work; `then` says how to mend it."""
    return Finding(level=Level.FAIL, about=about, says=says, next=then)
