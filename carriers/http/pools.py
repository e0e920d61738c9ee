"""Connections: to judged addresses, few at a time; plain httpx, or aiohttp under its API (`fast`)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache
from typing import cast

import httpcore
import httpx

from carriers.reach import Reach, Resolve, addresses, resolve_by_system

ANYWHERE = Reach()
"""To public addresses, and to this machine where a URL spells it out."""

_MOST_TRIED = 3
"""Addresses of one host that are tried for a connection."""

_IDLE = 30.0
"""Seconds an unused connection is kept."""


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates costs 30 ms: once a process, not once a source.
    return httpx.create_ssl_context()


def make_transport(
    *,
    fast: bool | None = None,
    connections: int = 8,
    proxy: str | None = None,
    reach: Reach = ANYWHERE,
    resolve: Resolve = resolve_by_system,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncBaseTransport:
    """A pool of at most `connections` to be given to HttpTransport, through the HTTP `proxy` where one is named.

    `fast` takes the extra of that name (half the CPU): True insists on it and raises RuntimeError where it is not installed, None
    takes it where it is, False never does. One a source: what a source may take is its own.
    A connection is made to an address that `resolve` gave and `reach` allows (facts: faults, 12). A proxy looks names up itself.
    """
    tls = tls or _tls()
    if proxy is not None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE)
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False, proxy=proxy)
    if fast is not False:
        try:
            return _fast(connections, reach, resolve, tls)
        except ImportError:
            if fast:
                raise RuntimeError("the fast transport is not installed: pip install '.[fast]'") from None
    judged = _Judged(reach, resolve)
    return _Lanes(connections, lambda: _Plain(1, tls, judged))


class _Judged(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only. Runs once a connection: a request over an open one costs nothing."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach = reach
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await addresses(host, port, self._reach, self._resolve)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answers") from None
        # The preferred address of both kinds goes first: one of them often leads nowhere.
        other = [each for each in found if (":" in each) is not (":" in found[0])]
        tried = list(dict.fromkeys([found[0], *other[:1], *found]))[:_MOST_TRIED]
        share = None if timeout is None else timeout / len(tried)
        for address in tried[:-1]:
            try:
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(tried[-1], port, share, local_address, socket_options)


class _Plain(httpx.AsyncHTTPTransport):
    """httpx's own, over a pool that connects as told: httpx takes the pool's settings, but not how it reaches the network."""

    def __init__(self, connections: int, tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_IDLE,
            network_backend=network,
        )


class _Lanes(httpx.AsyncBaseTransport):
    """At most `connections` transports of one connection each, the last used one first.

    A pool of several looks at every connection for every idle one, several times a request: with eight that is a third of the
    client's CPU, with 32 three quarters (facts: performance, HTTP client).
    """

    def __init__(self, connections: int, lane: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._lane = lane
        self._turns = asyncio.Semaphore(connections)
        self._free: dict[tuple[str, str, int | None], list[httpx.AsyncBaseTransport]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request.extensions.get("timeout", {}).get("pool"))
        url = request.url
        free = self._free.setdefault((url.scheme, url.host, url.port), [])
        lane = free.pop() if free else self._lane()

        def give_back() -> None:
            free.append(lane)
            self._turns.release()

        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            give_back()
            raise
        response.stream = _Lent(cast("httpx.AsyncByteStream", response.stream), give_back)
        return response

    async def _turn(self, patience_s: float | None) -> None:
        try:
            async with asyncio.timeout(patience_s if self._turns.locked() else None):
                await self._turns.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are taken") from None

    async def aclose(self) -> None:
        for free in self._free.values():
            for lane in free:
                await lane.aclose()


class _Lent(httpx.AsyncByteStream):
    """An answer's body, after which its connection is free again."""

    def __init__(self, stream: httpx.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._give_back()


def _fast(connections: int, reach: Reach, resolve: Resolve, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult
    from httpx_aiohttp import AiohttpTransport

    class Fast(AiohttpTransport):
        """Says httpx's error also where aiohttp says one of its own that the bridge does not know (a broken status line, say)."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except aiohttp.ClientError as error:
                raise httpx.RemoteProtocolError(type(error).__name__) from None

    class Judged(AbstractResolver):
        """What _Judged is to httpcore; aiohttp connects to what it is given, and judges an address in a URL by `_url` alone."""

        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host,
                    host=address,
                    port=port,
                    family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
                for address in await addresses(host, port, reach, resolve)
            ]

        async def close(self) -> None:
            """Nothing is held."""

    def session() -> aiohttp.ClientSession:
        pool = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_IDLE, ssl=tls, resolver=Judged())
        return aiohttp.ClientSession(connector=pool, cookie_jar=aiohttp.DummyCookieJar())

    return Fast(client=session, verify=tls)
