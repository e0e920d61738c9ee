"""A message to send, and a real SMTP server on loopback that behaves as each test wants."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import canaries
from tracker.model import Outgoing

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def outgoing(**changes: Any) -> Outgoing:
    values: dict[str, Any] = {
        "key": "order/lume/8170000000000011:stage1:0",
        "message_id": "<outreach-8170000000000011-stage1-0-0123456789ab@lume.example>",
        "sender": "Lume <help@lume.example>",
        "recipient": canaries.MAIL,
        "recipient_name": canaries.BUYER,
        "subject": "Seu pedido está a caminho",
        "body": "Olá Ana,\n\nSua encomenda está a caminho. Ação: nenhuma.\n.\nAtenciosamente\n",
        "language": "pt-BR",
        "store": "lume",
        "order": "8170000000000011",
    }
    return Outgoing(**(values | changes))


class Handler:
    """Takes every message, unless the test gave other answers. `rcpt` and `data` are used up one by one, then `250`."""

    def __init__(self, rcpt: tuple[str, ...] = (), data: tuple[str, ...] = (), *, hang: bool = False, drop: str = "") -> None:
        self.envelopes: list[Envelope] = []
        self.rcpt = list(rcpt)
        self.data = list(data)
        self.hang = hang
        self.drop = drop
        self.server: SMTP | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.data:
            return self.data.pop(0)
        self.envelopes.append(envelope)
        if self.hang:
            await asyncio.sleep(30)
        if self.drop == "before 250":
            _cut(server)
        if self.drop == "after 250":
            asyncio.get_running_loop().call_later(0.05, _cut, server)
        return "250 queued as 4711"


Serve = Callable[..., AbstractAsyncContextManager[int]]


@pytest.fixture
def serve() -> Serve:
    """A real server for the length of an `async with`, which gives its port."""

    @asynccontextmanager
    async def start(handler: Handler, *, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
        sessions: list[SMTP] = []

        def session() -> SMTP:
            with warnings.catch_warnings():
                # It warns of a login without STARTTLS; under TLS from the start that is as it should be.
                warnings.simplefilter("ignore", UserWarning)
                sessions.append(SMTP(handler, hostname="loopback.example", **options))
            return sessions[-1]

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for one in sessions:
                await _end(one)
            await server.wait_closed()

    return start


def _cut(session: SMTP) -> None:
    """Break the connection off, without a goodbye."""
    if isinstance(session.transport, asyncio.Transport):
        session.transport.abort()


async def _end(session: SMTP) -> None:
    _cut(session)
    task: Awaitable[None] | None = session._handler_coroutine
    if task is not None:
        task.cancel()  # type: ignore[attr-defined]
        await asyncio.gather(task, return_exceptions=True)
