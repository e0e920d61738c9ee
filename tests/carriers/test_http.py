"""The HTTP client against real servers on loopback: whatever a server does, an answer or a CarrierError comes out, in time."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from carriers import http as client
from carriers.answers import LONGEST_WAIT
from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport, Outcome, make_transport, pools, retry_after
from tests.carriers.loopback import Handler, Reply, http, serving

NOW = datetime(2026, 5, 2, 12, 0, 0, tzinfo=UTC)
BOMB = gzip.compress(b"\0" * 50_000_000, mtime=0)


class Told:
    """A gate, a clock and a listener that remember."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.pushed: list[tuple[str, float]] = []
        self.outcomes: list[Outcome] = []
        self.ticks = 0.0

    async def pass_(self, source: str) -> None:
        self.passed.append(source)

    async def push_back(self, source: str, seconds: float) -> None:
        self.pushed.append((source, seconds))

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        self.ticks += 0.25
        return self.ticks

    def __call__(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@asynccontextmanager
async def asking(told: Told | None = None, **settings: Any) -> AsyncIterator[HttpTransport]:
    parts: dict[str, Any] = {} if told is None else {"gate": told, "clock": told, "on_outcome": told}
    transport = HttpTransport(account_id="acc", **parts, **settings)
    try:
        yield transport
    finally:
        await transport.close()


async def send(reply: Reply | Handler, told: Told | None = None, **settings: Any) -> Response:
    """One GET of a server that gives `reply`."""
    handler = reply if callable(reply) else lambda *_: reply
    async with serving(handler) as base, asking(told, **settings) as transport:
        return await transport.send(Request(method="GET", url=f"{base}/path?key=secret"))


async def refused(reply: Reply, told: Told | None = None, **settings: Any) -> CarrierError:
    with pytest.raises(CarrierError) as error:
        await send(reply, told, **settings)
    return error.value


@pytest.fixture(params=[False, True], ids=["plain", "fast"])
def pool(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Both transports keep the same promises; `fast` is an extra."""
    if request.param:
        pytest.importorskip("httpx_aiohttp")
    return {"transport": make_transport(fast=request.param, connections=2)}


async def test_a_request_arrives_as_the_adapter_wrote_it_and_the_answer_comes_back(pool: dict[str, Any]) -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    def handler(method: str, path: str, headers: Any, body: bytes) -> Reply:
        seen.append((method, path, headers["accept-encoding"], body))
        assert headers["17token"] == "k"
        assert "cookie" not in headers
        return http(200, b'{"code":0}', Content_Type="application/json", Set_Cookie="a=b")

    async with serving(handler) as base, asking(**pool) as transport:
        request = Request(method="POST", url=f"{base}/register", headers={"17token": "k"}, body=b"[]")
        await transport.send(request)
        answer = await transport.send(request)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b'{"code":0}', "application/json")
    assert seen == [("POST", "/register", "gzip", b"[]")] * 2


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("x-gzip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("identity", b"hello"),
        ("", b"hello"),
    ],
)
async def test_a_compressed_body_is_unpacked(pool: dict[str, Any], encoding: str, body: bytes) -> None:
    assert (await send(http(200, body, Content_Encoding=encoding), **pool)).body == b"hello"


async def test_an_empty_body_that_says_gzip_is_empty(pool: dict[str, Any]) -> None:
    assert (await send(http(429, b"", Content_Encoding="gzip"), **pool)).body == b""


async def test_a_zip_bomb_is_stopped_at_the_cap(pool: dict[str, Any]) -> None:
    """Faults 10: 50 MB in 50 kB."""
    error = await refused(http(200, BOMB, Content_Encoding="gzip"), max_body_bytes=100_000, **pool)
    assert (error.kind, error.message) == (ErrorKind.BAD_RESPONSE, "a body larger than 100000 bytes")


async def test_a_large_plain_body_is_stopped_at_the_cap() -> None:
    assert (await refused(http(200, b"x" * 1001), max_body_bytes=1000)).kind is ErrorKind.BAD_RESPONSE
    assert len((await send(http(200, b"x" * 1000), max_body_bytes=1000)).body) == 1000


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", gzip.compress(b"hello" * 100, mtime=0)[:-9], "cut off"),
        ("gzip", b"no gzip", "says gzip and is none"),
        ("br", b"anything", "not asked for"),
        ("deflate", zlib.compress(b"x"), "not asked for"),
    ],
    ids=["gzip cut off", "no gzip", "br", "deflate"],
)
async def test_a_broken_encoding_is_a_bad_response(encoding: str, body: bytes, words: str) -> None:
    error = await refused(http(200, body, Content_Encoding=encoding))
    assert error.kind is ErrorKind.BAD_RESPONSE
    assert words in error.message


async def test_a_dripping_body_ends_at_the_total_deadline(pool: dict[str, Any]) -> None:
    """Faults 9: httpx's read timeout is per chunk; a byte now and then never reaches it."""
    drops: list[bytes | float] = [b"x", 0.05] * 40
    drip: list[bytes | float] = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *drops]
    error = await refused(drip, total_deadline_s=0.3, **pool)
    assert (error.kind, error.message) == (ErrorKind.UNAVAILABLE, "no complete answer within 0.3 s")


async def test_silence_ends_at_the_timeout_of_the_step(pool: dict[str, Any]) -> None:
    error = await refused([0.5], timeout=httpx.Timeout(0.1), **pool)
    assert error.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    "reply",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"],
        [b""],
        [b"SMTP? 220 ready\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ],
    ids=["truncated", "closed", "another protocol", "broken chunk"],
)
async def test_a_broken_connection_is_an_unavailable_source(pool: dict[str, Any], reply: Reply) -> None:
    """Faults 6: a transport error never says anything about a parcel."""
    error = await refused(reply, **pool)
    assert error.kind is ErrorKind.UNAVAILABLE
    assert error.retry
    assert "127.0.0.1" in error.message
    assert "secret" not in error.message


async def test_a_dead_port_is_an_unavailable_source(pool: dict[str, Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with asking(**pool) as transport:
        with pytest.raises(CarrierError) as error:
            await transport.send(Request(method="GET", url=f"http://127.0.0.1:{port}/"))
    assert error.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(pool: dict[str, Any], status: int) -> None:
    """Fault 11: not to another host, not to the cloud's metadata, not at all."""
    asked: list[str] = []

    def handler(_: str, path: str, *__: object) -> Reply:
        asked.append(path)
        return http(status, Location="/elsewhere")

    async with serving(handler) as base, asking(**pool) as transport:
        with pytest.raises(CarrierError, match="redirect") as error:
            await transport.send(Request(method="GET", url=f"{base}/here"))
    assert (error.value.kind, error.value.code) == (ErrorKind.BAD_RESPONSE, str(status))
    assert asked == ["/here"]


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://new.carrier.example/v2?key=secret", "HTTP 302: a redirect to new.carrier.example, which is not followed"),
        ("http://169.254.169.254/latest/meta-data/", "HTTP 302: a redirect to 169.254.169.254, which is not followed"),
        ("/elsewhere", "HTTP 302: a redirect, which is not followed"),
        ("http://[::1", "HTTP 302: a redirect, which is not followed"),
        ("https://xn--/", "HTTP 302: a redirect, which is not followed"),
    ],
)
async def test_a_redirect_says_where_a_source_has_moved_and_no_secret(location: str, said: str) -> None:
    """Faults 11, 26."""
    assert (await refused(http(302, Location=location))).message == said


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, {"Retry_After": "120"}, 120.0),
        (429, {"Retry_After": "Sat, 02 May 2026 12:01:30 GMT"}, 90.0),
        (429, {"Retry_After": "Sat, 02 May 2026 11:00:00 GMT"}, None),
        (429, {"Retry_After": "99999999"}, LONGEST_WAIT),
        (429, {"Retry_After": "soon"}, client.WAIT_UNASKED),
        (429, {}, client.WAIT_UNASKED),
        (503, {"Retry_After": "5"}, 5.0),
        (503, {}, None),
        (200, {"Retry_After": "5"}, None),
    ],
)
async def test_who_asks_us_to_wait_closes_the_gate_for_everybody(
    status: int, header: dict[str, str], seconds: float | None
) -> None:
    """Faults 7: Retry-After as seconds or HTTP date, capped, pushes the shared gate; a 429 that names none a second."""
    told = Told()
    answer = await send(http(status, b"{}", **header), told)
    assert answer.status == status
    assert told.passed == ["acc"]
    assert told.pushed == ([] if seconds is None else [("acc", seconds)])


async def test_adapters_read_the_wait_as_seconds_also_from_a_date() -> None:
    answer = await send(http(429, Retry_After="Sat, 02 May 2026 12:01:30 GMT"), Told())
    assert answer.headers["retry-after"] == "90"
    assert "retry-after" not in (await send(http(429, Retry_After="Sat, 02 May 2026 12:01:30 GMT"))).headers


def test_retry_after_without_a_zone_is_gmt_as_http_dates_are() -> None:
    assert retry_after({"retry-after": "Sat, 02 May 2026 12:01:30 -0000"}, NOW) == 90.0
    assert retry_after({"retry-after": "Sat, 02 May 2026 12:01:30 GMT"}, None) is None
    assert retry_after({}, NOW) is None


async def test_every_call_is_told_without_its_secrets() -> None:
    """Faults 26: host and path, never the query; what failed is told too."""
    told = Told()
    await send(http(200, b"hello"), told)
    await refused([b""], told)
    first, second = told.outcomes
    assert first == Outcome(source="acc", host="127.0.0.1", path="/path", status=200, error=None, seconds=0.25, size=5)
    assert (second.status, second.error, second.size) == (None, ErrorKind.UNAVAILABLE, 0)
    assert "secret" not in repr(told.outcomes)


async def test_without_a_clock_a_call_is_told_without_its_duration() -> None:
    outcomes: list[Outcome] = []
    await send(http(200), on_outcome=outcomes.append)
    assert [outcome.seconds for outcome in outcomes] == [None]


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "/only/a/path", "https://", "file:///etc/passwd", "http://[::1", "http://xn--", "drop:*"]
)
async def test_a_base_url_that_is_none_is_the_configurations_mistake(url: str) -> None:
    async with asking() as transport:
        with pytest.raises(CarrierError, match="base_url") as error:
            await transport.send(Request(method="GET", url=url))
    assert error.value.kind is ErrorKind.INVALID_REQUEST


@pytest.mark.parametrize("credential", ["line\r\nbreak", "ключ", "nul\0"])
async def test_a_credential_that_http_forbids_is_refused_without_being_shown(credential: str) -> None:
    """Faults 25: no header ever contains a line break."""
    async with asking() as transport:
        with pytest.raises(CarrierError, match="a header") as error:
            await transport.send(Request(method="GET", url="http://127.0.0.1:9/", headers={"17token": credential}))
    assert error.value.kind is ErrorKind.INVALID_REQUEST
    assert credential not in str(error.value)


async def test_urls_that_never_come_back_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MOST_URLS", 3)
    async with serving(lambda *_: http(200)) as base, asking() as transport:
        for number in range(10):
            await transport.send(Request(method="GET", url=f"{base}/{number}"))
        assert len(transport._urls) <= 3


def test_the_fast_transport_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx_aiohttp", None)
    with pytest.raises(RuntimeError, match=r"pip install '\.\[fast\]'"):
        make_transport(fast=True)
    assert isinstance(make_transport(), pools._Lanes)


async def test_a_proxy_is_asked_for_the_name_and_looks_it_up_itself() -> None:
    """Fault 12: behind a company's proxy no name is known here; whoever writes the proxy down trusts it with the names."""
    asked: list[str] = []

    def proxy(method: str, target: str, _: object, __: bytes) -> Reply:
        asked.append(f"{method} {target}")
        return http(200, b"{}")

    async def unknown(host: str, port: int) -> list[str]:
        raise AssertionError("nobody here looks a name up")

    async with serving(proxy) as base:
        pool = make_transport(proxy=base, resolve=unknown)
        async with asking(transport=pool) as transport:
            answer = await transport.send(Request(method="GET", url="http://source.example/track"))
    assert (answer.body, asked) == (b"{}", ["GET http://source.example/track"])


def test_certificates_and_names_are_checked() -> None:
    assert pools._tls().verify_mode is ssl.CERT_REQUIRED
    assert pools._tls().check_hostname


async def test_who_finds_no_free_connection_has_sent_nothing() -> None:
    """Faults 6: it may be tried again; and the one connection serves whoever comes when it is free."""
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        entered.set()
        await go_on.wait()
        return httpx.Response(200, stream=httpx.ByteStream(b"done"), request=request)

    pool = pools._Lanes(1, lambda: httpx.MockTransport(slow))
    transport = HttpTransport(account_id="acc", transport=pool, timeout=httpx.Timeout(5, pool=0.01))
    ask = Request(method="GET", url="http://127.0.0.1/")
    first = asyncio.create_task(transport.send(ask))
    await entered.wait()
    with pytest.raises(CarrierError, match="PoolTimeout") as error:
        await transport.send(ask)
    assert error.value.code == client.NOT_SENT
    go_on.set()
    assert (await first).body == (await transport.send(ask)).body == b"done"
