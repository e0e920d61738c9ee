"""uvicorn inside the daemon's loop: no signals, no lines of its own, stopped with the daemon (facts/dependencies.md 6.6)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from uvicorn import Config, Server

from tracker.clock import Clock
from tracker.log import Event, get_logger
from tracker.receiver.app import Limits, make_app
from tracker.receiver.callers import callers
from tracker.receiver.door import Doorkeeper

AGAIN = 30.0
"""Seconds until a port that was taken is tried again: the daemon before this one may still be draining."""

_SILENT = logging.CRITICAL + 1
"""Strangers can make a web server warn as often as they like; what matters are our own events."""

_BESIDE = 96
"""Callers that may be connected besides those whose push is in hand: a web server in front keeps some for later."""

_log = get_logger()


def callers_most(at_once: int) -> int:
    """How many may be connected at the same time: each holds a descriptor, and the daemon needs the others for its work."""
    return at_once + _BESIDE


class Receiver:
    """One open port. A port that cannot be had, or is lost, stops nothing but the door: it is tried again, and said once."""

    def __init__(
        self, keeper: Doorkeeper, limits: Limits, listen: tuple[str, int], clock: Clock, *, drain_seconds: float
    ) -> None:
        """`listen` is an address of this machine; port 0 takes any. `drain_seconds`: what a push in hand may take at the stop."""
        self._keeper = keeper
        self._app = make_app(keeper, limits)
        self._most = callers_most(limits.at_once)
        self._caller = callers(self._most, limits.body_seconds)
        self._listen = listen
        self._clock = clock
        self._drain_seconds = drain_seconds
        self._told: str | None = None
        self.port: int | None = None
        """Where it listens; None while it does not."""

    @property
    def refused(self) -> Mapping[tuple[str, str], int]:
        """(account, reason) -> pushes that were refused since the start."""
        return self._keeper.refused

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what is in hand."""
        ending = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._serve(self._bound(), ending)
                except Exception as error:  # noqa: BLE001 - whatever ends the door, the daemon works on and opens it again
                    self._tell(str(error) or repr(error))
                if not stop.is_set():
                    await _first(ending, asyncio.create_task(self._clock.sleep(AGAIN)))
        finally:
            ending.cancel()

    def _bound(self) -> socket.socket:
        host, port = self._listen
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)

    def _tell(self, error: str) -> None:
        if error != self._told:
            host, port = self._listen
            _log.error(Event.RECEIVER_FAILED, listen=f"{host}:{port}", error=error)
        self._told = error

    async def _serve(self, door: socket.socket, ending: asyncio.Task[bool]) -> None:
        server = _Quiet(
            Config(
                self._app,
                http=self._caller,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=_SILENT,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=self._most,
                timeout_graceful_shutdown=max(int(self._drain_seconds), 1),
            )
        )
        self.port, self._told = door.getsockname()[1], None
        _log.info(Event.RECEIVER_OPEN, listen=f"{self._listen[0]}:{self.port}")
        serving = asyncio.create_task(server.serve(sockets=[door]), name="receiver")
        try:
            await asyncio.wait({ending, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.port = None
            server.should_exit = True
            try:
                await serving
            finally:
                door.close()


class _Quiet(Server):
    """A server that leaves the daemon's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: SIGTERM is the daemon's, and so is the end of this server."""
        yield


async def _first(ending: asyncio.Task[bool], pause: asyncio.Task[None]) -> None:
    """Wait for the end, or for the pause."""
    try:
        await asyncio.wait({ending, pause}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        pause.cancel()
