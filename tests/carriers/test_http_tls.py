"""TLS over a pinned address: the name of the URL is asked for and checked, whatever was connected to (faults 6, 12)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import NOT_SENT, HttpTransport, make_transport
from carriers.reach import Reach
from tests.carriers.certificates import Certificates, made
from tests.carriers.loopback import http

NAME = "api.carrier.example"
INSIDE = Reach(private=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[False, True], ids=["plain", "fast"])
def fast(request: pytest.FixtureRequest) -> bool:
    if request.param:
        pytest.importorskip("httpx_aiohttp")
    return bool(request.param)


class Heard:
    """What a TLS server got to know."""

    def __init__(self) -> None:
        self.asked_for: list[str | None] = []
        self.hosts: list[str] = []


@asynccontextmanager
async def serving_tls(context: ssl.SSLContext, heard: Heard) -> AsyncIterator[int]:
    """A server of one request a connection; gives its port."""

    def named(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        heard.asked_for.append(name)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heard.hosts += [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("host:")]
            writer.write(http(200, b"{}"))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    context.sni_callback = named  # type: ignore[assignment,unused-ignore]
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def asked(port: int, trust: ssl.SSLContext, *, fast: bool) -> Response:
    async def resolve(host: str, _port: int) -> Sequence[str]:
        assert host == NAME
        return ["127.0.0.1"]

    pool = make_transport(fast=fast, connections=1, reach=INSIDE, resolve=resolve, tls=trust)
    transport = HttpTransport(account_id="a", reach=INSIDE, transport=pool)
    try:
        return await transport.send(Request(method="GET", url=f"https://{NAME}:{port}/v1?key=secret"))
    finally:
        await transport.close()


async def test_the_name_is_kept_though_the_address_is_pinned(certificates: Certificates, fast: bool) -> None:
    """Fault 12: server name, Host header and certificate are those of the URL, the connection goes to the judged address."""
    heard = Heard()
    async with serving_tls(certificates.server(NAME), heard) as port:
        assert (await asked(port, certificates.trusting(), fast=fast)).status == 200
    assert (heard.asked_for, heard.hosts) == ([NAME], [f"{NAME}:{port}"])


@pytest.mark.parametrize(
    ("name", "until", "signed", "said"),
    [
        (NAME, "20991231235959Z", False, "self-signed certificate"),
        (NAME, "20210101000000Z", True, "certificate has expired"),
        ("other.example", "20991231235959Z", True, "Hostname mismatch"),
    ],
    ids=["self-signed", "expired", "another name"],
)
async def test_a_certificate_that_is_not_good_is_said_and_nothing_is_sent(
    certificates: Certificates, fast: bool, name: str, until: str, signed: bool, said: str
) -> None:
    """Fault 6: no request leaves; the operator reads what is wrong with whose certificate."""
    heard = Heard()
    async with serving_tls(certificates.server(name, until=until, signed=signed), heard) as port:
        with pytest.raises(CarrierError) as error:
            await asked(port, certificates.trusting(), fast=fast)
    assert heard.hosts == []
    assert (error.value.kind, error.value.code, error.value.retry) == (ErrorKind.UNAVAILABLE, NOT_SENT, True)
    assert error.value.message.startswith(f"the certificate of {NAME} is not trusted: ")
    assert said.replace("-", " ").lower() in error.value.message.replace("-", " ").lower()


async def test_a_server_without_tls_is_no_connection(certificates: Certificates, fast: bool) -> None:
    """Fault 6: a port that speaks something else."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        with pytest.raises(CarrierError) as error:
            await asked(server.sockets[0].getsockname()[1], certificates.trusting(), fast=fast)
    finally:
        server.close()
    assert error.value.kind is ErrorKind.UNAVAILABLE
    assert fast or error.value.code == NOT_SENT
    assert "secret" not in error.value.message


async def test_a_name_that_nobody_knows(fast: bool) -> None:
    """Fault 6: DNS says no; so does the error, with the name."""

    async def unknown(host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    pool = make_transport(fast=fast, resolve=unknown)
    transport = HttpTransport(account_id="a", transport=pool)
    try:
        with pytest.raises(CarrierError) as error:
            await transport.send(Request(method="GET", url="https://api.carier.example/"))
    finally:
        await transport.close()
    assert error.value.message == "the name api.carier.example is not known, or no name server answers: Name or service not known"
    assert (error.value.kind, error.value.code) == (ErrorKind.UNAVAILABLE, NOT_SENT)
