"""What every channel promises: one message, one answer, and three honest outcomes."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tracker.model import Outgoing


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """The provider accepted the message. `provider_id` is its own word for it (a queue id, a file name)."""

    provider_id: str


class Refused(Exception):  # noqa: N818 - an outcome, not a fault of ours
    """Definitely not accepted. `retry` says whether the same message may be tried again later, with the same Message-ID."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry
        self.reason = reason


class Ambiguous(Exception):  # noqa: N818 - an outcome, not a fault of ours
    """Nobody can say whether it was accepted (faults row 18): the row becomes `unknown` and is never sent again by itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Channel(Protocol):
    """A way to a buyer. The caller has committed `sending` before it calls, and writes the outcome after."""

    async def deliver(self, message: Outgoing) -> Delivered:
        """Deliver one message to one recipient. Raises `Refused` or `Ambiguous`, nothing else that an operator could cause."""
        ...
