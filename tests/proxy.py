"""A TCP proxy on loopback whose lines go wrong on demand: it stands before a source, a mail server or a database.

In a coroutine `async with Proxy(port) as proxy:`, in a plain function `with proxied(port) as proxy:` (a thread of its own, and
the same calls without `await`). Clients use `127.0.0.1:{proxy.port}`. A fault may change while connections are open.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 seconds: a close sends RST and drops what was not sent."""


@dataclass(frozen=True)
class Line:
    """What is wrong with one direction. Bytes are counted from a connection's beginning."""

    latency: float = 0.0
    """Seconds that each piece is kept back."""
    drip: float = 0.0
    """Seconds before each single byte."""
    cut: int | None = None
    """The connection is closed (FIN, both ways) after so many bytes; 0: with the first one, which is not passed on."""
    reset: int | None = None
    """The same with a RST."""
    hole: bool = False
    """Nothing passes any more: bytes are kept until the line heals, nobody is told. A black hole is both lines."""


HOLE = Line(hole=True)


class Proxy:
    """Passes bytes between whoever connects and `127.0.0.1:target`; `up` is towards the server, `down` the answers."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.connections = 0
        """Accepted so far."""
        self.passed = {"up": 0, "down": 0}
        """Bytes that went through."""
        self._target = target
        self._lines = {"up": Line(), "down": Line()}
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        await self.drop()

    async def fail(self, *, up: Line | None = None, down: Line | None = None) -> None:
        """From now on the lines are like this, for open connections too; one that is not named is sound."""
        self._lines = {"up": up or Line(), "down": down or Line()}
        self._changed.set()
        self._changed = asyncio.Event()
        await self._listen()

    async def heal(self) -> None:
        """Both lines are sound, new connections are accepted, what a hole kept goes on."""
        await self.fail()

    async def refuse(self) -> None:
        """New connections are refused (the port is closed) until `fail` or `heal`; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def drop(self) -> None:
        """Reset every open connection (RST on both sides)."""
        tasks = list(self._open)
        for task in tasks:
            _abort(self._open[task])
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._open[task] = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._open[task].append(far_writer)
            up = asyncio.create_task(self._pass("up", reader, far_writer))
            down = asyncio.create_task(self._pass("down", far_reader, writer))
            try:
                done, _ = await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                if any(each.result() for each in done):
                    _abort(self._open[task])
                elif up in done and not up.result() and down not in done:
                    await asyncio.wait({down}, timeout=1.0)
            finally:
                up.cancel()
                down.cancel()
                await asyncio.gather(up, down, return_exceptions=True)
        except OSError:
            pass
        except asyncio.CancelledError:
            # `drop`, or the end of the test: nobody awaits this task but `drop`, and the server wants it to end quietly.
            pass
        finally:
            for each in self._open.pop(task):
                each.close()

    async def _pass(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass one direction on until it ends. Tells whether the connection has to be reset."""
        writer.transport.set_write_buffer_limits(high=0)
        count = 0
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(1 if self._lines[way].drip else _CHUNK):
                while self._lines[way].hole:
                    await self._changed.wait()
                line = self._lines[way]
                await asyncio.sleep(line.drip or line.latency)
                limit = min((each for each in (line.cut, line.reset) if each is not None), default=count + len(piece))
                kept = piece[: max(0, limit - count)]
                writer.write(kept)
                await writer.drain()
                count += len(kept)
                self.passed[way] += len(kept)
                if len(kept) < len(piece):
                    return line.reset is not None
        return False


def _abort(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()


class Remote:
    """A Proxy that lives on the loop of another thread: the same words, without `await`."""

    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy = proxy
        self._loop = loop

    @property
    def port(self) -> int:
        return self._proxy.port

    @property
    def connections(self) -> int:
        return self._proxy.connections

    @property
    def passed(self) -> dict[str, int]:
        return dict(self._proxy.passed)

    def fail(self, *, up: Line | None = None, down: Line | None = None) -> None:
        self._do(self._proxy.fail(up=up, down=down))

    def heal(self) -> None:
        self._do(self._proxy.heal())

    def refuse(self) -> None:
        self._do(self._proxy.refuse())

    def drop(self) -> None:
        self._do(self._proxy.drop())

    def _do(self, call: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(call, self._loop).result(timeout=10)


@contextmanager
def proxied(target: int) -> Iterator[Remote]:
    """A proxy before `127.0.0.1:target` for a test without a loop, or for a process that it starts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()

    async def begin() -> Proxy:
        return await Proxy(target).__aenter__()

    try:
        proxy = asyncio.run_coroutine_threadsafe(begin(), loop).result(timeout=10)
        try:
            yield Remote(proxy, loop)
        finally:
            asyncio.run_coroutine_threadsafe(proxy.__aexit__(), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
