"""WhatsApp and Telegram against a real server: sent, refused for now, refused for good, nobody knows (faults row 18)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tracker.channels.base import Ambiguous, Refused
from tracker.channels.messenger import reason_of
from tracker.channels.telegram import TelegramChannel
from tracker.channels.whatsapp import WhatsAppChannel, number_of
from tracker.config import Secret, Telegram, WhatsApp, WhatsAppTemplate
from tracker.model import Outgoing

SAMPLES = Path(__file__).parent.parent / "samples" / "messengers"
TOKEN = "7:KANARIE-TOKEN"
HANG = b""


class Door:
    """One answer for every request; what was asked stands in `asked`."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in rest if ": " in line)
        sent = await reader.readexactly(int(headers["content-length"]))
        self.asked.append((first, headers, json.loads(sent)))
        if self.body != HANG:
            writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(self.body)}\r\n\r\n".encode() + self.body)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def door(status: int, body: bytes) -> AsyncIterator[Door]:
    made = Door(status, body)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def letter(**changes: Any) -> Outgoing:
    facts: dict[str, Any] = {
        "key": "order/lamps/1001:stage1:0",
        "message_id": "<x@lamps.example>",
        "sender": "care@lamps.example",
        "recipient": None,
        "recipient_name": "Ana Exemplo",
        "subject": "Your order 1001",
        "body": "Hello Ana Exemplo\n",
        "language": "pt-BR",
        "store": "lamps",
        "order": "1001",
        "template": "stage1",
        "phone": "+55 (11) 95555-0100",
        "chat": "5001",
        "blanks": {"name": "Ana Exemplo", "tracking": "LX000000005CN"},
    }
    return Outgoing(**facts | changes)


def whatsapp(url: str) -> WhatsAppChannel:
    stage1 = WhatsAppTemplate(name="order_in_transit", blanks=("name", "tracking"))
    account = WhatsApp(base_url=url, phone_number_id="100000000000001", token=Secret(TOKEN), templates={"stage1": stage1})
    return WhatsAppChannel(account, total_deadline_s=2)


def telegram(url: str) -> TelegramChannel:
    return TelegramChannel(Telegram(base_url=url, token=Secret(TOKEN)), total_deadline_s=2)


async def test_whatsapp_sends_the_approved_template() -> None:
    """R25: the number with its country code, the template's own language, the facts in its places; the id is kept."""
    async with door(200, sample("whatsapp/sent")) as there:
        channel = whatsapp(there.url)
        delivered = await channel.deliver(letter())
        await channel.close()
    assert delivered.provider_id == "wamid.TEST0000000000000000000000000001"
    [(first, headers, sent)] = there.asked
    assert first == "POST /100000000000001/messages HTTP/1.1"
    assert headers["authorization"] == f"bearer {TOKEN}".lower()
    assert sent["to"] == "5511955550100"
    assert sent["template"] == {
        "name": "order_in_transit",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana Exemplo"}, {"type": "text", "text": "LX000000005CN"}]}
        ],
    }


async def test_telegram_sends_the_text() -> None:
    """R25: into the chat that the buyer opened."""
    async with door(200, sample("telegram/sent")) as there:
        channel = telegram(there.url)
        delivered = await channel.deliver(letter())
        await channel.close()
    assert delivered.provider_id == "71", "the journal names no buyer's chat (faults row 27)"
    [(first, _, sent)] = there.asked
    assert first == f"POST /bot{TOKEN}/sendMessage HTTP/1.1"
    assert (sent["chat_id"], sent["text"]) == ("5001", "Your order 1001\n\nHello Ana Exemplo")


@pytest.mark.parametrize(
    ("answer", "status", "retry", "said"),
    [
        ("whatsapp/rate_limited", 429, True, "130429"),
        ("whatsapp/rate_limited", 400, True, "130429"),
        ("whatsapp/undeliverable", 400, False, "Message undeliverable"),
        ("whatsapp/token_expired", 401, True, "190"),
        ("telegram/rate_limited", 429, True, "retry after 7"),
        ("telegram/no_chat", 403, False, "can't initiate"),
    ],
)
async def test_a_definite_refusal(answer: str, status: int, retry: bool, said: str) -> None:
    """R25, fault 18: not sent, that is sure; only for good it goes on to the next channel. The token is never told."""
    async with door(status, sample(answer)) as there:
        channel = whatsapp(there.url) if answer.startswith("whatsapp") else telegram(there.url)
        with pytest.raises(Refused, match=said) as refused:
            await channel.deliver(letter())
        await channel.close()
    assert refused.value.retry is retry
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("name", ["whatsapp", "telegram"])
@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (502, b"<html>"), (200, b"{}"), (200, b"not json"), (200, HANG), (302, b"{}")],
    ids=["server error", "gateway", "no id", "no json", "cut off", "redirect"],
)
async def test_nobody_knows(name: str, status: int, body: bytes) -> None:
    """R25, fault 18: there is no idempotency key, so a doubtful send is shown to a person and goes nowhere else."""
    async with door(status, body) as there:
        channel = whatsapp(there.url) if name == "whatsapp" else telegram(there.url)
        with pytest.raises(Ambiguous) as doubt:
            await channel.deliver(letter())
        await channel.close()
    assert TOKEN not in str(doubt.value)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 413])
@pytest.mark.parametrize("body", [b"<html>not me</html>", b"{}", b'{"error": "no"}'])
async def test_a_no_that_is_not_the_apis_own_is_doubtful(status: int, body: bytes) -> None:
    """R25, I1: a proxy's page with a 4xx is no definite refusal, so that no other channel writes to the buyer as well."""
    async with door(status, body) as there:
        channel = whatsapp(there.url)
        with pytest.raises(Ambiguous, match=str(status)):
            await channel.deliver(letter())
        await channel.close()


def test_a_reason_is_short_and_names_no_number() -> None:
    """Faults rows 10 and 27: what an API says goes into log, journal and database."""
    said = reason_of("Recipient +55 (11) 95555-0100\nis not on WhatsApp " + "x" * 10_000)
    assert said.startswith("Recipient … is not on WhatsApp x")
    assert len(said) <= 300
    assert reason_of({"an": "object"}) == reason_of(None) == "no reason"
    assert reason_of("(#131026) Message undeliverable") == "(#131026) Message undeliverable"


async def test_an_error_that_may_come_after_the_message_is_doubtful() -> None:
    """R25: "something went wrong" says nothing about the message, whatever the status."""
    async with door(400, sample("whatsapp/something_went_wrong")) as there:
        channel = whatsapp(there.url)
        with pytest.raises(Ambiguous, match="131000"):
            await channel.deliver(letter())
        await channel.close()


@pytest.mark.parametrize("name", ["whatsapp", "telegram"])
async def test_a_server_that_cannot_be_reached_has_read_nothing(name: str) -> None:
    """R25, fault 18: no connection, no message: it may be tried again."""
    async with door(200, b"{}") as there:
        pass
    channel = whatsapp(there.url) if name == "whatsapp" else telegram(there.url)
    with pytest.raises(Refused) as refused:
        await channel.deliver(letter())
    await channel.close()
    assert refused.value.retry


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phone": None}, "country code"),
        ({"phone": "11 95555-0100"}, "country code"),
        ({"template": "lost"}, "no template was approved for lost"),
        ({"blanks": {"name": "Ana"}}, "nothing to fill into the template order_in_transit for tracking"),
    ],
)
async def test_what_cannot_go_by_whatsapp_is_refused_before_any_call(changes: dict[str, Any], said: str) -> None:
    """R25: so that the next channel gets it."""
    channel = whatsapp("http://127.0.0.1:9")
    with pytest.raises(Refused, match=said) as refused:
        await channel.deliver(letter(**changes))
    await channel.close()
    assert not refused.value.retry


@pytest.mark.parametrize(("changes", "said"), [({"chat": None}, "opened no chat"), ({"body": "x" * 5000}, "Telegram takes 4096")])
async def test_what_cannot_go_by_telegram_is_refused_before_any_call(changes: dict[str, Any], said: str) -> None:
    """R25: a bot cannot start a chat."""
    channel = telegram("http://127.0.0.1:9")
    with pytest.raises(Refused, match=said) as refused:
        await channel.deliver(letter(**changes))
    await channel.close()
    assert not refused.value.retry


@pytest.mark.parametrize(("phone", "digits"), [("+55 11 95555-0100", "5511955550100"), ("0055 (11) 955550100", "5511955550100")])
def test_a_number_needs_its_country(phone: str, digits: str) -> None:
    """R25: as the API wants it; a national number could be anybody's."""
    assert number_of(phone) == digits
