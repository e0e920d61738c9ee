"""A carrier that costs the polling process nothing: a process of its own that answers as fast as it can.

`tracker.demo.standin` plays the whole protocol; this one only knows what the benchmark asks (17TRACK's register and gettrackinfo,
one number of DHL's), because its speed must not be the limit. Started with `with carrier(latency_s) as base_url`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.bench.answers import CARRIER, body
from tests.bench.unified import unified


class _Asked(msgspec.Struct):
    number: str


_ASKED = msgspec.json.Decoder(list[_Asked])
ROOT = Path(__file__).parents[2]
_END_OF_HEAD = b"\r\n\r\n"


class _Protocol(asyncio.Protocol):
    """HTTP/1.1 with kept connections, as much of it as one client needs."""

    def __init__(self, latency_s: float) -> None:
        self._latency = latency_s
        self._got = b""
        self._out: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(_END_OF_HEAD)) >= 0:
            head = self._got[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            start = end + len(_END_OF_HEAD)
            if len(self._got) < start + length:
                return
            line, asked = self._got.partition(b"\r\n")[0], self._got[start : start + length]
            self._got = self._got[start + length :]
            answer = _look_up(line) if line.startswith(b"GET ") else _told(line, asked)
            asyncio.get_running_loop().call_later(self._latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if self._out is not None and not self._out.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
            self._out.write(head + answer)


def _told(line: bytes, asked: bytes) -> bytes:
    return _register(asked) if b"/register " in line else _look(asked, news=b"/news/" in line)


def _look_up(line: bytes) -> bytes:
    """`GET …/track/shipments?trackingNumber=…`: one number, and no other way of asking."""
    url = urlsplit(line.split()[1].decode())
    return unified(parse_qs(url.query)["trackingNumber"][0], news="/news/" in url.path)


def _look(asked: bytes, *, news: bool) -> bytes:
    return body([one.number for one in _ASKED.decode(asked)], datetime.now(UTC), news=news)


def _register(asked: bytes) -> bytes:
    accepted = [{"origin": 2, "number": one.number, "carrier": CARRIER} for one in _ASKED.decode(asked)]
    return msgspec.json.encode({"code": 0, "data": {"accepted": accepted, "rejected": []}})


async def _serve(latency_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Protocol(latency_s), "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        # Our end of this pipe closes when the benchmark ends, however it ends.
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def carrier(latency_s: float) -> Iterator[str]:
    """Run the carrier; yields its base URL. Raises RuntimeError when it did not start."""
    command = [sys.executable, "-m", "tests.bench.carrier", str(latency_s)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the carrier stand-in did not start")
        try:
            yield f"http://127.0.0.1:{port}/track/v2.2"
        finally:
            process.stdin.close()
            process.wait(10)


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
