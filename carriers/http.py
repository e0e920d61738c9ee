"""The one HTTP client, for carriers, channels and marketplaces: deadlines, size caps, redaction, politeness.

httpx is imported here alone. A request goes straight to an httpx transport: no redirects, no cookies, no log lines with query
strings, and a fifth less CPU than through its client (facts: performance, HTTP client). Everything that goes wrong is a
CarrierError; a status of 400 and more is an answer, which the adapter judges.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Protocol, cast

import httpx
import msgspec

from carriers.answers import LONGEST_WAIT
from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind

TIMEOUT = httpx.Timeout(connect=5, read=20, write=10, pool=5)
"""Seconds for each step; `read` is for one chunk only, the total deadline stands beside it (facts: faults, 6 and 9)."""

WAIT_UNASKED = 1.0
"""Seconds to hold back after a 429 that names none."""

NOT_SENT = "not_sent"
"""Code of an error before the first byte left: whoever writes to buyers may try again, nobody has read it."""

_BEFORE_SENDING = (httpx.ConnectError, httpx.PoolTimeout)
"""Not ConnectTimeout: the fast transport calls by that name a server, too, that hung up after it had read the request."""

_GZIP = 47
"""zlib: the largest window, gzip or zlib header recognised by itself."""

_MOST_URLS = 512
_IDLE = 30.0
"""Seconds an unused connection is kept."""

_REDIRECTS = range(300, 400)
_PAUSES = {429, 503}
_ENCODINGS = {"", "identity", "gzip", "x-gzip"}


class Gate(Protocol):
    """Who may call a source, and when: one token bucket a source, shared by everybody who asks it."""

    async def pass_(self, source: str) -> None:
        """Wait for one's turn."""
        ...

    async def push_back(self, source: str, seconds: float) -> None:
        """Let nobody pass for `seconds`: the source said so."""
        ...


class Clock(Protocol):
    """The clock of whoever owns one."""

    def now(self) -> datetime:
        """The time, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One call, told without secrets: no query, no header, no body. `status` is None without an answer, `error` its kind then."""

    source: str
    host: str
    path: str
    status: int | None
    error: ErrorKind | None
    seconds: float | None
    size: int


class OnOutcome(Protocol):
    """Who hears about every call: a log, a metric, a breaker."""

    def __call__(self, outcome: Outcome) -> None:
        """Take note; must not block or raise."""
        ...


def retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds of a Retry-After header (seconds, or an HTTP date, which needs `now`), six hours at most; None if unusable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if now is None:
        return None
    # "-0000" parses to a naive time; HTTP dates are GMT.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_WAIT)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates costs 30 ms: once a process, not once a source.
    return httpx.create_ssl_context()


def make_transport(*, fast: bool | None = None, connections: int = 8, proxy: str | None = None) -> httpx.AsyncBaseTransport:
    """A pool of at most `connections` to be given to HttpTransport, through the HTTP `proxy` where one is named.

    `fast` takes the extra of that name (half the CPU): True insists on it and raises RuntimeError where it is not installed, None
    takes it where it is, False never does. Pools slow down beyond 16 connections: one a source (facts: performance, HTTP client).
    """
    if fast is not False and proxy is None:
        try:
            return _fast(connections)
        except ImportError:
            if fast:
                raise RuntimeError("the fast transport is not installed: pip install '.[fast]'") from None
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE)
    return httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False, proxy=proxy)


def _fast(connections: int) -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    class Fast(AiohttpTransport):
        """Says httpx's error also where aiohttp says one of its own that the bridge does not know (a broken status line, say)."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except aiohttp.ClientError as error:
                raise httpx.RemoteProtocolError(type(error).__name__) from None

    def session() -> aiohttp.ClientSession:
        pool = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_IDLE, ssl=_tls())
        return aiohttp.ClientSession(connector=pool, cookie_jar=aiohttp.DummyCookieJar())

    return Fast(client=session, verify=_tls())


class HttpTransport:
    """A `carriers.base.Transport` for one account of one source. `connections` beyond 16 make it slower, not faster."""

    def __init__(  # noqa: PLR0913 - settings by name, all with defaults
        self,
        *,
        account_id: str,
        connections: int = 8,
        timeout: httpx.Timeout = TIMEOUT,
        total_deadline_s: float = 60.0,
        max_body_bytes: int = 16 * 1024 * 1024,
        gate: Gate | None = None,
        clock: Clock | None = None,
        on_outcome: OnOutcome | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._source = account_id
        self._deadline = total_deadline_s
        self._cap = max_body_bytes
        self._gate = gate
        self._clock = clock
        self._on_outcome = on_outcome
        self._transport = transport or make_transport(connections=connections)
        self._extensions = {"timeout": timeout.as_dict()}
        self._urls: dict[str, httpx.URL] = {}

    async def send(self, request: Request) -> Response:
        """Perform the call. Raises CarrierError: unavailable, bad_response (redirect, too large, broken), invalid_request."""
        url = self._url(request.url)
        prepared = self._prepare(request, url)
        if self._gate is not None:
            await self._gate.pass_(self._source)
        started = self._clock.monotonic() if self._clock is not None else None
        try:
            response = await self._perform(prepared)
        except CarrierError as error:
            self._tell(url, started, None, error.kind, 0)
            raise
        self._tell(url, started, response.status, None, len(response.body))
        if response.status in _PAUSES:
            response = await self._hold_back(response)
        if response.status in _REDIRECTS:
            raise CarrierError(
                ErrorKind.BAD_RESPONSE, f"HTTP {response.status}: a redirect, which is not followed", code=str(response.status)
            )
        return response

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _url(self, text: str) -> httpx.URL:
        url = self._urls.get(text)
        if url is None:
            try:
                url = httpx.URL(text)
            except httpx.InvalidURL:
                raise CarrierError(ErrorKind.INVALID_REQUEST, "base_url is not a URL") from None
            if url.scheme not in {"http", "https"} or not url.host:
                raise CarrierError(ErrorKind.INVALID_REQUEST, "base_url must start with https:// (or http://) and name a host")
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            self._urls[text] = url
        return url

    def _prepare(self, request: Request, url: httpx.URL) -> httpx.Request:
        headers = {"user-agent": "logistics-tracker", "accept": "*/*", **request.headers, "accept-encoding": "gzip"}
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise CarrierError(ErrorKind.INVALID_REQUEST, "a header, perhaps a credential, holds a character that HTTP forbids")
        return httpx.Request(request.method, url, headers=headers, content=request.body, extensions=self._extensions)

    async def _perform(self, request: httpx.Request) -> Response:
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._transport.handle_async_request(request)
                try:
                    body = await self._body(answer)
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise CarrierError(ErrorKind.UNAVAILABLE, f"no complete answer within {self._deadline:g} s") from None
        except (httpx.TransportError, OSError) as error:
            said = f"{type(error).__name__} on the way to {request.url.host}"
            code = NOT_SENT if isinstance(error, _BEFORE_SENDING) else None
            raise CarrierError(ErrorKind.UNAVAILABLE, said, code=code) from None
        return Response(status=answer.status_code, body=body, headers={k.lower(): v for k, v in answer.headers.items()})

    async def _body(self, answer: httpx.Response) -> bytes:
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"a body in an encoding that was not asked for: {encoding[:20]!r}")
        reader = _Inflated(self._cap) if encoding.endswith("gzip") else _Plain(self._cap)
        async for chunk in cast("httpx.AsyncByteStream", answer.stream):
            reader.feed(chunk)
        return reader.whole()

    async def _hold_back(self, response: Response) -> Response:
        """Keep others from asking for as long as the source wants; adapters read the seconds from the header, dates included."""
        asked = retry_after(response.headers, self._clock.now() if self._clock is not None else None)
        seconds = asked if asked is not None else WAIT_UNASKED if response.status == 429 else 0.0  # noqa: PLR2004 - Too Many Requests
        if self._gate is not None and seconds > 0:
            await self._gate.push_back(self._source, seconds)
        headers = {name: value for name, value in response.headers.items() if name != "retry-after"}
        if asked is not None:
            headers["retry-after"] = str(round(asked))
        return Response(status=response.status, body=response.body, headers=headers)

    def _tell(self, url: httpx.URL, started: float | None, status: int | None, error: ErrorKind | None, size: int) -> None:
        if self._on_outcome is None:
            return
        seconds = self._clock.monotonic() - started if self._clock is not None and started is not None else None
        self._on_outcome(
            Outcome(source=self._source, host=url.host, path=url.path, status=status, error=error, seconds=seconds, size=size)
        )


class _Plain:
    """Collects a body up to `cap` bytes."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._left = cap
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"a body larger than {self._cap} bytes")
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        return b"".join(self._chunks)


class _Inflated(_Plain):
    """The same after decompression: never one byte more than the cap is inflated (facts: faults, 10)."""

    def __init__(self, cap: int) -> None:
        super().__init__(cap)
        self._member = zlib.decompressobj(_GZIP)
        self._started = False

    def feed(self, chunk: bytes) -> None:
        while chunk:
            self._started = True
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                super().feed(self._member.decompress(chunk, self._left + 1))
            except zlib.error:
                raise CarrierError(ErrorKind.BAD_RESPONSE, "a body that says gzip and is none") from None
            chunk = self._member.unconsumed_tail or self._member.unused_data

    def whole(self) -> bytes:
        if self._started and not self._member.eof:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "a compressed body that was cut off")
        return super().whole()
