"""Why a person's word was not taken."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - an answer to a person, not a fault of ours
    """It contradicts what is known; nothing was written. `kind` is a word for scripts, the message says what to do instead."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class NotNamed(Exception):  # noqa: N818 - an answer to a person, not a fault of ours
    """Nobody knows whose word it is: a stranger to the team, or no name at all. A usage error; the message names the people."""
