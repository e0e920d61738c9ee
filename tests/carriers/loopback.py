"""A real HTTP server on loopback for tests, and the loop that holds an adapter's conversation over a transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from carriers.base import Account, Adapter, Batch, Memory, Query, Request, Response, Transport
from carriers.errors import CarrierError

Reply = bytes | list[bytes | float]
"""Raw bytes to send; in a list, a number waits that many seconds and the connection is closed at the end."""

Handler = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Method, path with query, headers, body -> reply."""


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP/1.1 answer; `Content_Type=` becomes `Content-Type:`."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve on an ephemeral port of 127.0.0.1; gives the base URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _answered(reader, writer, handler):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    reply = handler(method, path, headers, body)
    for part in reply if isinstance(reply, list) else [reply]:
        if isinstance(part, float):
            await asyncio.sleep(part)
        else:
            writer.write(part)
            await writer.drain()
    return not isinstance(reply, list)


async def converse(
    adapter: Adapter, queries: list[Query], account: Account, memory: Memory, now: datetime, transport: Transport
) -> Batch:
    """Hold one conversation, as polling does: a failed call is thrown into it."""
    talk = adapter.ask(queries, account, memory, now)
    try:
        request: Request = next(talk)
        while True:
            try:
                response: Response = await transport.send(request)
            except CarrierError as error:
                request = talk.throw(error)
            else:
                request = talk.send(response)
    except StopIteration as end:
        batch: Batch = end.value
        return batch
