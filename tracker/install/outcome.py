"""What became of a step."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Did(StrEnum):
    """`would`: on a dry run, what had been done. `needs_you`: left for a person, the note says what."""

    DONE = "done"
    KEPT = "kept"
    WOULD = "would"
    NEEDS_YOU = "needs_you"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report. `owner` is set where the owner could not be: only root can give a file away."""

    did: Did
    path: str
    note: str = ""
    owner: str | None = None
