"""The proxy of these tests does to a line what it says, else the faults behind it would prove nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.proxy import HOLE, Line, Proxy, proxied

WORDS = b"twenty bytes of words"


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Proxy, list[bytes]]]:
    """A proxy before a server that answers with what it got; and what it got."""
    got: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1000):
                got.append(piece)
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        async with Proxy(server.sockets[0].getsockname()[1]) as proxy:
            yield proxy, got
    finally:
        server.close()


async def ask(port: int, seconds: float = 5.0) -> bytes:
    """Say WORDS and read until as much came back, or the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(seconds):
            writer.write(WORDS)
            answer = b""
            while len(answer) < len(WORDS) and (piece := await reader.read(1000)):
                answer += piece
            return answer
    finally:
        writer.close()


async def test_a_sound_line_passes_everything_both_ways() -> None:
    async with echoing() as (proxy, got):
        assert await ask(proxy.port) == WORDS
    assert (b"".join(got), proxy.connections, proxy.passed) == (WORDS, 1, {"up": 21, "down": 21})


async def test_latency_and_drip_take_their_time() -> None:
    async with echoing() as (proxy, _):
        started = asyncio.get_running_loop().time()
        await proxy.fail(up=Line(latency=0.1), down=Line(drip=0.01))
        assert await ask(proxy.port) == WORDS
        assert asyncio.get_running_loop().time() - started > 0.1 + 0.01 * len(WORDS)


async def test_a_cut_ends_the_answer_and_a_reset_breaks_it() -> None:
    async with echoing() as (proxy, got):
        await proxy.fail(down=Line(cut=6))
        assert await ask(proxy.port) == b"twenty"
        await proxy.fail(up=Line(cut=3))
        assert (await ask(proxy.port), got[-1]) == (b"twe", b"twe")
        await proxy.fail(down=Line(reset=0))
        with pytest.raises(ConnectionResetError):
            await ask(proxy.port)


async def test_a_hole_keeps_everything_until_it_heals() -> None:
    async with echoing() as (proxy, got):
        await proxy.fail(up=HOLE, down=HOLE)
        with pytest.raises(TimeoutError):
            await ask(proxy.port, 0.1)
        assert got == []
        waiting = asyncio.create_task(ask(proxy.port))
        await asyncio.sleep(0.05)
        await proxy.heal()
        assert await waiting == WORDS


async def test_a_closed_port_refuses_and_comes_back_with_the_same_number() -> None:
    async with echoing() as (proxy, _):
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await ask(proxy.port)
        await proxy.heal()
        assert await ask(proxy.port) == WORDS


async def test_open_connections_are_dropped_with_a_reset() -> None:
    async with echoing() as (proxy, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(WORDS)
        await reader.readexactly(len(WORDS))
        await proxy.drop()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()


def test_the_same_from_a_plain_function() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):
                far, _ = server.accept()
                with far:
                    far.sendall(far.recv(100))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with proxied(server.getsockname()[1]) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as near:
                near.sendall(WORDS)
                assert near.recv(100) == WORDS
            proxy.fail(down=Line(cut=6))
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as near:
                near.sendall(WORDS)
                assert near.recv(100) == b"twenty"
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
            proxy.heal()
            assert proxy.connections == 2
        thread.join(timeout=5)
