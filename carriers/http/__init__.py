"""The one HTTP client, for carriers, channels and marketplaces: deadlines, size caps, redaction, politeness.

httpx is imported here alone. A request goes straight to an httpx transport: no redirects, no cookies, no log lines with query
strings, and a fifth less CPU than through its client (facts: performance, HTTP client). Everything that goes wrong is a
CarrierError; a status of 400 and more is an answer, which the adapter judges.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, cast

import httpx
import msgspec

from carriers.answers import LONGEST_WAIT
from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http.bodies import Inflated, Plain
from carriers.http.pools import ANYWHERE, make_transport
from carriers.reach import ForbiddenError, Reach, host_refusal

__all__ = [
    "ANYWHERE",
    "NOT_SENT",
    "TIMEOUT",
    "WAIT_UNASKED",
    "Clock",
    "Gate",
    "HttpTransport",
    "OnOutcome",
    "Outcome",
    "make_transport",
    "retry_after",
]

TIMEOUT = httpx.Timeout(connect=5, read=20, write=10, pool=5)
"""Seconds for each step; `read` is for one chunk only, the total deadline stands beside it (facts: faults, 6 and 9)."""

WAIT_UNASKED = 1.0
"""Seconds to hold back after a 429 that names none."""

NOT_SENT = "not_sent"
"""Code of an error before the first byte left: whoever writes to buyers may try again, nobody has read it."""

_BEFORE_SENDING = (httpx.ConnectError, httpx.PoolTimeout)
"""Not ConnectTimeout: the fast transport calls by that name a server, too, that hung up after it had read the request."""

_MOST_URLS = 512
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


def _before_sending(error: BaseException | None, host: str) -> str | None:
    """What kept a connection from being made, in words for an operator; None where a request may have left (facts: faults, 6)."""
    while error is not None:
        match error:
            case ForbiddenError():
                return str(error)
            case socket.gaierror():
                return f"the name {host} is not known, or no name server answers: {error.strerror}"
            case ssl.SSLCertVerificationError(verify_message=str(said)):
                return f"the certificate of {host} is not trusted: {said}"
            case ConnectionRefusedError():
                return f"{host} refuses connections: nobody listens at that port"
            case _:
                error = error.__cause__ or error.__context__
    return None


def _redirect(response: Response) -> CarrierError:
    """It is not followed; its host is told, for a source that has moved (facts: faults, 11). The rest may hold a secret."""
    try:
        host = httpx.URL(response.headers.get("location", "")).host[:100]
    except (httpx.InvalidURL, UnicodeError):
        host = ""
    said = f"HTTP {response.status}: a redirect{host and f' to {host}'}, which is not followed"
    return CarrierError(ErrorKind.BAD_RESPONSE, said, code=str(response.status))


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
        reach: Reach = ANYWHERE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`reach`: where the requests may go; a `transport` that is given wants to be made with the same."""
        self._source = account_id
        self._deadline = total_deadline_s
        self._cap = max_body_bytes
        self._gate = gate
        self._clock = clock
        self._on_outcome = on_outcome
        self._reach = reach
        self._transport = transport or make_transport(connections=connections, reach=reach)
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
            raise _redirect(response)
        return response

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _url(self, text: str) -> httpx.URL:
        url = self._urls.get(text)
        if url is None:
            try:
                url = httpx.URL(text)
            except (httpx.InvalidURL, UnicodeError):
                raise CarrierError(ErrorKind.INVALID_REQUEST, "base_url is not a URL") from None
            refusal = host_refusal(url.scheme, url.raw_host.decode("ascii"), self._reach)
            if refusal is None and url.userinfo:
                refusal = "holds a user or password"
            if refusal is not None:
                raise CarrierError(ErrorKind.INVALID_REQUEST, f"base_url {refusal}")
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
            said = _before_sending(error, request.url.host)
            code = NOT_SENT if said or isinstance(error, _BEFORE_SENDING) else None
            said = said or f"{type(error).__name__} on the way to {request.url.host}"
            raise CarrierError(ErrorKind.UNAVAILABLE, said, code=code) from None
        return Response(status=answer.status_code, body=body, headers={k.lower(): v for k, v in answer.headers.items()})

    async def _body(self, answer: httpx.Response) -> bytes:
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"a body in an encoding that was not asked for: {encoding[:20]!r}")
        reader = Inflated(self._cap) if encoding.endswith("gzip") else Plain(self._cap)
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
