"""A line to a mail server that goes wrong at every step: real dispatcher, real SMTP, the proxy between them (faults 18, 19)."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec.structs import replace

from tests import house
from tests.channels.conftest import _end
from tests.dispatch.conftest import Office, slow
from tests.house import ACCOUNT
from tests.proxy import HOLE, Line, Proxy
from tracker import config
from tracker.channels.base import Refused
from tracker.channels.notice import Notice
from tracker.channels.operators_mail import MailSink
from tracker.channels.smtp import SmtpChannel
from tracker.config import Smtp
from tracker.journal import Journal
from tracker.model import Channel, Mode, OutboxState

MINUTE = timedelta(minutes=1)
SECONDS = 0.4
"""What a step may take here; in production a minute, and ten after the last dot."""

OK = "250 OK"


class Server:
    """A mail server that counts. `rcpt` and `data` answer by turns; `reached` runs when the whole text has arrived."""

    def __init__(self) -> None:
        self.recipients: list[list[str]] = []
        self.seen: list[str] = []
        """Message-IDs of every text that arrived whole, accepted or not."""
        self.accepted: list[str] = []
        self.rcpt: dict[str, str] = {}
        self.data: list[str] = []
        self.reached: Callable[[], Awaitable[None]] | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.original_content or b""
        message = str(email.message_from_bytes(content, policy=email.policy.default)["Message-ID"])
        self.seen.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        if self.reached is not None:
            await self.reached()
        if self.data and not (answer := self.data.pop(0)).startswith("250"):
            return answer
        self.accepted.append(message)
        return "250 queued as 4711"


@asynccontextmanager
async def listening(handler: Server) -> AsyncIterator[int]:
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(handler, hostname="loopback.example"))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in sessions:
            await _end(one)


class Mailing(Office):
    """An own shop that mails, one order whose first text is due, and the line to its mail server."""

    server: Server
    proxy: Proxy
    channel: SmtpChannel

    async def work(self, *, after: timedelta = timedelta()) -> int:
        return await self.dispatch(days=after / timedelta(days=1), channels={Channel.SMTP: self.channel})


@pytest.fixture
async def mailing(tmp_path: Path) -> AsyncIterator[Mailing]:
    async with contextlib.AsyncExitStack() as stack:
        clock, loaded = house.simulated(), config.load(None, environ={})
        rules = replace(
            loaded.rules,
            stores={house.SHOP: house.shop(mode=Mode.LIVE, channel=Channel.SMTP)},
            sources={"*": (ACCOUNT,)},
        )
        journal = stack.enter_context(Journal(tmp_path / "journal.jsonl"))
        store = await stack.enter_async_context(house.database(tmp_path, clock))
        made = Mailing(store, clock, rules, loaded.texts, journal)
        made.server = Server()
        made.proxy = await stack.enter_async_context(Proxy(await stack.enter_async_context(listening(made.server))))
        settings = Smtp(host="127.0.0.1", port=made.proxy.port, user=None, password=None, tls="none", from_="care@lamps.example")
        made.channel = SmtpChannel(settings, clock, command_seconds=SECONDS, data_seconds=SECONDS)
        yield made


async def one(mailing: Mailing) -> Mailing:
    await house.bring_parcels(mailing.store, 1)
    await mailing.follow(slow(), until=31.5)
    return mailing


BEFORE: dict[str, tuple[Line, Line]] = {
    "no greeting": (Line(), HOLE),
    "a black hole": (HOLE, HOLE),
    "every answer drips": (Line(), Line(drip=0.05)),
    "too slow": (Line(), Line(latency=2 * SECONDS)),
    "reset at the greeting": (Line(), Line(reset=0)),
    "cut off in the greeting": (Line(), Line(cut=10)),
    "cut off at the sender": (Line(cut=30), Line()),
    "reset at the recipient": (Line(reset=70), Line()),
}
"""Up, down: what fails before a byte of the text has left."""


@pytest.mark.parametrize("name", BEFORE)
async def test_a_line_that_fails_before_the_text_is_tried_again(mailing: Mailing, name: str) -> None:
    """Fault 18, I1: nothing was handed over, so it waits five minutes and goes out once."""
    await one(mailing)
    up, down = BEFORE[name]
    await mailing.proxy.fail(up=up, down=down)
    await mailing.work()
    row = await mailing.only(OutboxState.PENDING)
    assert row.not_before == mailing.clock.now() + 5 * MINUTE
    assert mailing.server.seen == []
    await mailing.proxy.heal()
    await mailing.work(after=5 * MINUTE)
    assert len(mailing.server.accepted) == 1
    assert (await mailing.only(OutboxState.SENT)).attempts == 2


async def test_a_server_that_is_not_there_is_tried_again(mailing: Mailing) -> None:
    """Fault 18: a dead port, said in the row."""
    await one(mailing)
    await mailing.proxy.refuse()
    await mailing.work()
    row = await mailing.only(OutboxState.PENDING)
    assert "cannot reach the mail server 127.0.0.1" in (row.result or "")
    await mailing.proxy.heal()
    await mailing.work(after=5 * MINUTE)
    assert len(mailing.server.accepted) == 1


def silent(mailing: Mailing) -> Callable[[], Awaitable[None]]:
    async def hole() -> None:
        await mailing.proxy.fail(down=HOLE)

    return hole


def gone(mailing: Mailing) -> Callable[[], Awaitable[None]]:
    async def drop() -> None:
        await mailing.proxy.fail(down=Line(reset=0))

    return drop


def late(mailing: Mailing) -> Callable[[], Awaitable[None]]:
    async def slower() -> None:
        await mailing.proxy.fail(down=Line(latency=2 * SECONDS))

    return slower


@pytest.mark.parametrize("then", [silent, gone, late])
async def test_a_line_that_fails_after_the_text_leaves_a_doubt_that_nobody_resends(
    mailing: Mailing, then: Callable[[Mailing], Callable[[], Awaitable[None]]]
) -> None:
    """Fault 18, I1, RFC 1047: the server has it and its 250 never came; the row is `unknown`, shown, and stays so."""
    await one(mailing)
    mailing.server.reached = then(mailing)
    await mailing.work()
    row = await mailing.only(OutboxState.UNKNOWN)
    assert "after the message was handed over" in (row.result or "")
    mailing.server.reached = None
    await mailing.proxy.heal()
    for _ in range(3):
        await mailing.sweep()
        await mailing.work(after=timedelta(days=1))
    assert len(mailing.server.seen) == 1, "the server has seen it once"
    assert (await mailing.only(OutboxState.UNKNOWN)).attempts == 1


async def test_a_text_that_is_cut_off_on_its_way_is_a_doubt_too(mailing: Mailing) -> None:
    """Fault 18: from here nobody can tell how much of it arrived."""
    await one(mailing)
    await mailing.proxy.fail(up=Line(cut=400))
    await mailing.work()
    await mailing.only(OutboxState.UNKNOWN)
    await mailing.proxy.heal()
    await mailing.work(after=timedelta(days=1))
    assert mailing.server.seen == []


@pytest.mark.parametrize("answer", ["450 4.2.0 greylisted, come back", "451 4.7.1 greylisted", "421 4.3.2 shutting down"])
async def test_greylisting_comes_back_with_the_same_message(mailing: Mailing, answer: str) -> None:
    """Fault 18: 5 to 30 minutes later, the Message-ID of the first attempt; the buyer gets one mail."""
    await one(mailing)
    mailing.server.data = [answer, answer]
    await mailing.work()
    for minutes in (5, 10):
        row = await mailing.only(OutboxState.PENDING)
        assert row.not_before == mailing.clock.now() + minutes * MINUTE
        assert await mailing.work(after=(minutes - 1) * MINUTE) == 0
        await mailing.work(after=MINUTE)
    assert len(mailing.server.seen) == 3
    assert len(set(mailing.server.seen)) == 1
    assert len(mailing.server.accepted) == 1
    await mailing.only(OutboxState.SENT)


async def test_a_refusal_for_good_is_not_tried_again(mailing: Mailing) -> None:
    """Fault 18: 552 is final; a person sees the row."""
    await one(mailing)
    mailing.server.data = ["552 5.3.4 too big"]
    await mailing.work()
    assert (await mailing.only(OutboxState.FAILED)).result == "552 5.3.4 too big"
    await mailing.work(after=timedelta(days=2))
    assert len(mailing.server.seen) == 1


async def test_of_two_buyers_one_is_refused_and_the_other_gets_his(mailing: Mailing) -> None:
    """Fault 19: one recipient a message, one result a recipient."""
    orders = [
        house.order(f"10000{row}", row=row, buyer_email=mail)
        for row, mail in enumerate(["ana@buyers.example", "rui@buyers.example"])
    ]
    numbers = house.numbers(2)
    parcels = [house.parcel(number, f"10000{row}", row=row) for row, number in enumerate(numbers)]
    await house.bring(mailing.store, orders, parcels, mailing.clock.now())
    await mailing.follow(*[slow(number) for number in numbers], until=31.5)
    mailing.server.rcpt = {"rui@buyers.example": "550 5.1.1 no such user"}
    await mailing.work()
    assert mailing.server.recipients == [["ana@buyers.example"]]
    assert (await mailing.only(OutboxState.FAILED)).result == "550 5.1.1 no such user"
    await mailing.only(OutboxState.SENT)


async def test_operators_are_told_one_by_one(mailing: Mailing) -> None:
    """Fault 19: a colleague whose address is dead keeps the alert from nobody else."""
    mailing.server.rcpt = {"gone@shop.example": "550 5.1.1 no such user"}
    took: list[str] = []
    settings: dict[str, Any] = {"key": "source_down/17track", "kind": "source_down", "title": "down", "lines": ("17track",)}
    notice = Notice(**settings, at=mailing.clock.now(), language="en")
    for address in ("gone@shop.example", "li@shop.example", "chen@shop.example"):
        with contextlib.suppress(Refused):
            await MailSink(mailing.channel, sender="Tracker <t@shop.example>", address=address).tell(notice)
            took.append(address)
    assert took == ["li@shop.example", "chen@shop.example"]
    assert mailing.server.recipients == [["li@shop.example"], ["chen@shop.example"]]
    assert len(set(mailing.server.accepted)) == 2
