"""Where requests may go (fault 12): every spelling of an address inside is refused; what was judged is what is connected to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any

import httpcore
import httpx
import pytest

from carriers import reach
from carriers.base import Request
from carriers.errors import CarrierError, ErrorKind
from carriers.http import NOT_SENT, HttpTransport, make_transport
from carriers.reach import ForbiddenError, Reach, addresses, is_here, reach_of, url_refusal
from tests.carriers.loopback import http, serving

OUTSIDE = reach_of("https://api.carrier.example/v1", private=False)
INSIDE = Reach(private=True)
PUBLIC = "93.184.215.14"

SPELLINGS = [
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://127.0.0.1/",
    "https://127.255.255.254/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[fd00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://api.carrier.example@127.0.0.1/",
    "https://127.0.0.1\\@api.carrier.example/",
    "https://api.carrier.example:443@10.0.0.1/",
    "https://127%2e0.0.1/",
    "https://127.0.0.1%00.carrier.example/",
    "https://127。0。0。1/",
    "https://１２７.0.0.1/",
    "https://ⓛocalhost/",
    "https://xn--/",
    "https://api..carrier.example/",
    "https://-api.carrier.example/",
    "https://api.carrier.example\t.evil.example/",
    "http://api.carrier.example/",
    "//api.carrier.example/",
    "https:///",
    "gopher://api.carrier.example/",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_spelling_of_an_address_inside_is_called(url: str) -> None:
    """Fault 12: neither does the check of the configuration let it through, nor the client, should a source answer with it."""
    if url != "https://xn--/":  # what is no name at all is found out by the client alone
        assert url_refusal(url, OUTSIDE) is not None
    for fast in (False, True):
        transport = HttpTransport(
            account_id="a", reach=OUTSIDE, transport=make_transport(fast=fast, reach=OUTSIDE, resolve=_never)
        )
        try:
            with pytest.raises(CarrierError) as error:
                await transport.send(Request(method="GET", url=url))
        finally:
            await transport.close()
        assert error.value.kind is ErrorKind.INVALID_REQUEST


async def _never(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize(
    ("url", "allowed", "said"),
    [
        ("https://10.0.0.1/", INSIDE, None),
        ("https://localhost./", INSIDE, None),
        ("http://warehouse.lan:8080/", INSIDE, None),
        ("https://[::ffff:10.0.0.1]/", INSIDE, None),
        ("http://127.0.0.1:8080/v1", Reach(), None),
        ("http://localhost:8080/v1", Reach(), None),
        ("http://[::1]:8080/v1", Reach(), None),
        ("https://api.17track.net/track/v2.2", OUTSIDE, None),
        ("https://xn--mnchen-3ya.example/", OUTSIDE, None),
        ("https://8.8.8.8/", OUTSIDE, None),
        ("https://[64:ff9b::8.8.8.8]/", OUTSIDE, None),
        ("http://oms.api.yunexpress.com", reach_of("http://oms.api.yunexpress.com", private=False), None),
        ("https://10.0.0.1/", OUTSIDE, "10.0.0.1 is a private network: allow_private_hosts = true allows it"),
        ("https://127.0.0.1/", OUTSIDE, "127.0.0.1 is this machine: allow_private_hosts = true allows it"),
        ("https://169.254.169.254/", INSIDE, "169.254.169.254 is an address where no such service can be"),
        ("https://[::ffff:169.254.169.254]/", INSIDE, "::ffff:169.254.169.254 is an address where no such service can be"),
        ("https://u:p@api.17track.example/", INSIDE, "holds a user or password: credentials are secrets, by reference"),
        ("https://[::1/", INSIDE, "is not a URL"),
        ("https://api.17track.net:99999/", INSIDE, "is not a URL"),
    ],
)
def test_what_is_meant_is_allowed_and_what_is_refused_says_how(url: str, allowed: Reach, said: str | None) -> None:
    """Fault 12: this machine spelled out, private networks by permission; the metadata of a cloud never."""
    assert url_refusal(url, allowed) == said


def test_an_account_reaches_what_its_own_address_says() -> None:
    """Fault 12: a carrier on the Internet cannot lead to this machine by a link, nor out of TLS; a stand-in here can be asked."""
    assert reach_of("https://api.carrier.example", private=False) == Reach(here=False, private=False, plain=False)
    assert reach_of("http://127.0.0.1:8080/v1", private=False) == Reach(here=True, private=False, plain=True)
    assert reach_of("https://warehouse.lan", private=True).private
    assert [is_here(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "localhost.", "127.1", "10.0.0.1", "")] == [
        *[True] * 4,
        *[False] * 4,
    ]


def answering(*answers: list[str]) -> tuple[reach.Resolve, list[str]]:
    """A name server that says something else each time, the last answer for ever; and who was looked up."""
    left, asked = list(answers), list[str]()

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve, asked


@pytest.mark.parametrize(
    ("found", "allowed", "left"),
    [
        ([PUBLIC, "127.0.0.1"], OUTSIDE, [PUBLIC]),
        (["::ffff:127.0.0.1", "2606:2800:21f:cb07::1"], OUTSIDE, ["2606:2800:21f:cb07::1"]),
        (["10.0.0.1", PUBLIC], INSIDE, ["10.0.0.1", PUBLIC]),
        (["169.254.169.254", "10.0.0.1"], INSIDE, ["10.0.0.1"]),
        (["64:ff9b::5db8:d822"], OUTSIDE, ["64:ff9b::5db8:d822"]),
    ],
)
async def test_of_many_addresses_those_inside_are_left_out(found: list[str], allowed: Reach, left: list[str]) -> None:
    """Fault 12: an attacker's name has both, and counts on the first one failing."""
    assert await addresses("api.carrier.example", 443, allowed, answering(found)[0]) == left


@pytest.mark.parametrize("found", [["127.0.0.1"], ["::1"], ["10.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], []])
async def test_a_name_that_leads_inside_is_not_connected_to(found: list[str]) -> None:
    """Fault 12: also where this machine may be asked by its own name."""
    with pytest.raises(ForbiddenError, match=r"api\.carrier\.example"):
        await addresses("api.carrier.example", 443, Reach(), answering(found)[0])


async def test_localhost_is_this_machine_and_nothing_else() -> None:
    """Fault 12."""
    assert await addresses("localhost", 80, Reach(), answering(["::1", "127.0.0.1"])[0]) == ["::1", "127.0.0.1"]
    with pytest.raises(ForbiddenError, match=r"localhost leads to 10\.0\.0\.1"):
        await addresses("localhost", 80, Reach(), answering(["10.0.0.1"])[0])


class Dialled(httpcore.AsyncNetworkBackend):
    """A network that notes who is called, and has nobody there."""

    def __init__(self) -> None:
        self.called: list[str] = []

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.called.append(host)
        raise httpcore.ConnectError("nobody there")


async def test_a_name_that_changes_its_mind_is_judged_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 12, rebinding: one look-up a connection, and the connection goes to the address that was judged, not to the name."""
    network = Dialled()
    monkeypatch.setattr("carriers.http.pools.httpcore.AnyIOBackend", lambda: network)
    resolve, asked = answering([PUBLIC], ["127.0.0.1"])
    async with contextlib.aclosing(_Ours(resolve)) as ours:
        assert (await ours.refused()).message == "ConnectError on the way to rebound.example"
        assert (asked, network.called) == (["rebound.example"], [PUBLIC])
        second = await ours.refused()
        assert "rebound.example leads to 127.0.0.1, this machine: allow_private_hosts = true" in second.message
        assert (second.kind, second.code) == (ErrorKind.UNAVAILABLE, NOT_SENT)
        assert network.called == [PUBLIC], "nobody was called"


class _Ours:
    def __init__(self, resolve: reach.Resolve, *, fast: bool = False) -> None:
        pool = make_transport(fast=fast, reach=OUTSIDE, resolve=resolve)
        self.http = HttpTransport(account_id="a", reach=OUTSIDE, transport=pool)

    async def refused(self, url: str = "https://rebound.example/") -> CarrierError:
        with pytest.raises(CarrierError) as error:
            await self.http.send(Request(method="GET", url=url))
        return error.value

    async def aclose(self) -> None:
        await self.http.close()


async def test_both_kinds_of_address_are_tried_and_three_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults 6, 12: an IPv6 address that leads nowhere must not keep us from the IPv4 one."""
    network = Dialled()
    monkeypatch.setattr("carriers.http.pools.httpcore.AnyIOBackend", lambda: network)
    six = ["2606:2800:21f::1", "2606:2800:21f::2", "2606:2800:21f::3"]
    async with contextlib.aclosing(_Ours(answering([*six, PUBLIC])[0])) as ours:
        await ours.refused()
    assert network.called == [six[0], PUBLIC, six[1]]


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
async def test_a_server_here_hears_nothing_from_a_name_that_leads_to_it(fast: bool) -> None:
    """Fault 12, over real sockets, with both transports."""
    if fast:
        pytest.importorskip("httpx_aiohttp")
    heard: list[str] = []

    def handler(_: str, path: str, *__: object) -> bytes:
        heard.append(path)
        return http(200, b"{}")

    async with serving(handler) as base:
        port = httpx.URL(base).port
        async with contextlib.aclosing(_Ours(answering(["127.0.0.1"])[0], fast=fast)) as ours:
            error = await ours.refused(f"https://rebound.example:{port}/")
        assert "rebound.example leads to 127.0.0.1, this machine" in error.message
        assert error.code == NOT_SENT
        allowed = make_transport(fast=fast, reach=INSIDE, resolve=answering(["127.0.0.1"])[0])
        transport = HttpTransport(account_id="a", reach=INSIDE, transport=allowed)
        try:
            await transport.send(Request(method="GET", url=f"http://warehouse.lan:{port}/meant"))
        finally:
            await transport.close()
    assert heard == ["/meant"]


async def test_a_name_is_looked_up_once_a_connection_not_once_a_request() -> None:
    """Fault 12 costs nothing where speed counts: a thousand requests over one connection ask the name server once."""
    resolve, asked = answering(["127.0.0.1"])
    async with serving(lambda *_: http(200, b"{}")) as base:
        pool = make_transport(fast=False, connections=1, reach=INSIDE, resolve=resolve)
        transport = HttpTransport(account_id="a", reach=INSIDE, transport=pool)
        try:
            for number in range(20):
                await transport.send(Request(method="GET", url=f"http://source.lan:{httpx.URL(base).port}/{number}"))
        finally:
            await transport.close()
    assert asked == ["source.lan"]


async def test_a_name_server_that_is_silent_is_waited_for_as_long_as_a_connection() -> None:
    """Fault 6."""

    async def silent(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    pool = make_transport(fast=False, reach=OUTSIDE, resolve=silent)
    transport = HttpTransport(account_id="a", reach=OUTSIDE, transport=pool, timeout=httpx.Timeout(0.05))
    try:
        with pytest.raises(CarrierError, match="no name server answers") as error:
            await transport.send(Request(method="GET", url="https://silent.example/"))
    finally:
        await transport.close()
    assert (error.value.kind, error.value.code) == (ErrorKind.UNAVAILABLE, NOT_SENT)


async def test_the_system_is_asked_for_names() -> None:
    found = await reach.resolve_by_system("localhost", 80)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert found
    with pytest.raises(socket.gaierror):
        await reach.resolve_by_system("no-such-name.invalid", 80)
