"""The world outside a shop: its time, its mail server, its carrier, its marketplace. It sees everything and forgets nothing."""

from __future__ import annotations

import asyncio
import email
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import house
from tests.marketplaces.standins import AliExpressStandIn
from tracker.demo.standin import Aggregator, ScriptedParcel, StandIn

START = datetime(2025, 3, 3, 9, tzinfo=UTC)
"""When every shop begins. It lies in the past, and time only ever jumps forward."""


class Time:
    """The shop's time: runs like ours, and jumps ahead while nobody lives. A `Clock` of the product."""

    def __init__(self) -> None:
        self.ahead = START - datetime.now(UTC)
        """Its distance from ours."""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jump(self, distance: timedelta) -> None:
        """On: nobody may live meanwhile, for nobody would notice."""
        self.ahead += distance


class Post:
    """A mail server's handler: how often it accepted each message, by its Message-ID, and to whom."""

    def __init__(self, random: Random) -> None:
        self.accepted: Counter[str] = Counter()
        self._random = random

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Now and then slow before it counts, and slow after: a client may die at either moment."""
        await asyncio.sleep(self._random.random() * 0.03)
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        self.accepted[str(email.message_from_bytes(content)["Message-ID"])] += 1
        await asyncio.sleep(self._random.random() * 0.03)
        return "250 accepted"


class Asked(msgspec.Struct, frozen=True):
    """The carrier was asked about one number at this instant, by this life of a daemon.

    What a process asks just before its end may be read, and get its instant, when it is dead already.
    """

    number: str
    at: datetime
    life: str


def key_of(life: str) -> str:
    """The carrier's key as this life of a daemon has it."""
    return f"{house.TOKEN}/{life}"


Scan = tuple[int, str]
"""A scan as it was told: when (epoch seconds), and what."""


class Carrier(Aggregator):
    """The carrier: what it was asked and what it has told, by number."""

    def __init__(self, clock: Time) -> None:
        super().__init__([], clock.now, token=house.TOKEN)
        self._clock = clock
        self.asked: list[Asked] = []
        self.told: defaultdict[str, set[Scan]] = defaultdict(set)
        self._asking = threading.local()

    def handle(self, path: str, token: str | None, body: bytes) -> tuple[int, bytes]:
        """The key says who asks: `key_of` a life."""
        key, _, self._asking.life = (token or "").partition("/")
        return super().handle(path, key, body)

    def take(self, parcel: ScriptedParcel) -> None:
        """A parcel begins its journey."""
        self._parcels[parcel.number] = parcel

    def news_of(self, number: str) -> tuple[bytes, set[Scan]]:
        """What it would push about a parcel right now, and the scans in it."""
        with self._lock:
            info = self._track_info(number, self._records[number])
        data = {"number": number, "carrier": self._records[number].carrier, "track_info": info}
        return msgspec.json.encode({"event": "TRACKING_UPDATED", "data": data}), _scans(info)

    def _info(self, item: dict[str, Any]) -> dict[str, Any]:
        answer = super()._info(item)
        if "error" not in answer:
            self.asked.append(Asked(answer["number"], self._clock.now(), self._asking.life))
            self.told[answer["number"]] |= _scans(answer["track_info"])
        return answer


def _scans(info: dict[str, Any]) -> set[Scan]:
    events = info["tracking"]["providers"][0]["events"]
    return {(int(datetime.fromisoformat(each["time_iso"]).timestamp()), each["description"]) for each in events}


class World:
    """All of it, on real ports of 127.0.0.1."""

    def __init__(self, clock: Time, random: Random, carrier: Carrier, market: AliExpressStandIn, stand_in: StandIn) -> None:
        self.time = clock
        self.post = Post(random)
        self.carrier = carrier
        self.market = market
        self.source_url = stand_in.base_url
        self.smtp_port = 0
        self._server: asyncio.Server | None = None

    async def open_post(self) -> None:
        """The mail server, in this event loop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self.post, hostname="loopback"), "127.0.0.1", 0)
        self.smtp_port = self._server.sockets[0].getsockname()[1]

    def close_post(self) -> None:
        if self._server is not None:
            self._server.close()


def _killed_client(*_: object) -> None:
    """A connection that breaks off is what a killed process leaves behind: no news here."""


@contextmanager
def world(random: Random) -> Iterator[World]:
    """A world of one shop's own."""
    clock = Time()
    carrier = Carrier(clock)
    with StandIn(carrier) as stand_in, AliExpressStandIn() as market:
        for server in (stand_in._server, market._server):
            server.handle_error = _killed_client  # type: ignore[method-assign, assignment]
        made = World(clock, random, carrier, market, stand_in)
        try:
            yield made
        finally:
            made.close_post()
