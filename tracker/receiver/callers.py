"""One caller's connection: uvicorn waits for it as long as it likes, and counts none. Here both have an end (faults row 9)."""

from __future__ import annotations

import asyncio

from h11 import LocalProtocolError
from uvicorn.protocols.http.h11_impl import H11Protocol


class Caller(H11Protocol):
    """A connection that is cut after `patience` seconds without a request at work, and at once where `most` are there already.

    A connection holds a descriptor, and the daemon needs the others for its database, its journal and its mails.
    """

    most: int
    patience: float
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody is gone."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """A request was answered: from now on the next one is waited for, and for the rest of a body that nobody wanted."""
        super().on_response_complete()
        self._wait()

    def send_400_response(self, msg: str) -> None:
        """What comes after an answer can be wrong too; then there is nothing left to answer, and nothing to log."""
        try:
            super().send_400_response(msg)
        except LocalProtocolError:
            self.transport.abort()

    def _wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None if self.transport.is_closing() else self.loop.call_later(self.patience, self._tire)

    def _tire(self) -> None:
        """A request at work has deadlines of its own: its body in the application, the writing in the store."""
        if getattr(self.cycle, "response_complete", True):  # there is no cycle before the first request
            self.transport.abort()
        else:
            self._wait()


def callers(most: int, patience: float) -> type[Caller]:
    """The protocol of one port: `most` connections side by side, each waited for `patience` seconds."""
    return type("Caller", (Caller,), {"most": most, "patience": patience})
