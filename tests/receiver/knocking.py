"""A push door on a real port, a database behind it, and pushes as 17TRACK signs them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from carriers.seventeen_track import SeventeenTrack
from tests import house
from tests.waiting import until
from tracker.clock import Clock
from tracker.receiver import Door, Doorkeeper, Limits, Receiver
from tracker.store import Store

KEY = "kanarie-push-k3y"
BEFORE = "kanarie-push-until-yesterday-k3y"
OTHER = "kanarie-other-push-k3y"
NUMBER = "LZ000000001CN"

DOORS = (
    Door(account=house.ACCOUNT, adapter=SeventeenTrack(), secrets=(KEY, BEFORE)),
    Door(account="other", adapter=SeventeenTrack(), secrets=(OTHER,)),
)


def body(number: str = NUMBER, *events: tuple[str, str], status: str = "InTransit", sub_status: str | None = None) -> bytes:
    """A push about one parcel: its scans as (time with offset, sub status), the newest first."""
    scans = [
        {"time_iso": at, "time_utc": at, "description": f"{word} at {at}", "location": "", "stage": None, "sub_status": word}
        for at, word in events
    ]
    info = {
        "latest_status": {"status": status, "sub_status": sub_status or f"{status}_Other"},
        "latest_event": scans[0] if scans else None,
        "tracking": {"providers_hash": 1, "providers": [{"provider": {"key": 3011, "name": "China Post"}, "events": scans}]},
    }
    data = {"number": number, "carrier": 3011, "track_info": info}
    return json.dumps({"event": "TRACKING_UPDATED", "data": data}).encode()


def signed(content: bytes, key: str = KEY) -> dict[str, str]:
    """The header with which 17TRACK signs."""
    return {"sign": sha256(content + b"/" + key.encode()).hexdigest()}


class Knocker:
    """Somebody who calls. `heard` counts the kicks of the unit that hears."""

    def __init__(self, port: int, client: httpx.AsyncClient, heard: list[None], receiver: Receiver) -> None:
        self.port = port
        self.client = client
        self.heard = heard
        self.receiver = receiver

    async def push(self, content: bytes, key: str = KEY, *, account: str = house.ACCOUNT, **headers: str) -> httpx.Response:
        return await self.client.post(f"/push/{account}", content=content, headers=signed(content, key) | headers)

    async def raw(self, *parts: bytes | float, read: bool = True) -> bytes:
        """Send bytes as they are; a number waits so many seconds; everything that comes back until the other end hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                if isinstance(part, float):
                    await asyncio.sleep(part)
                else:
                    writer.write(part)
                    await writer.drain()
            return await asyncio.wait_for(reader.read(), 10) if read else b""
        finally:
            writer.close()


@asynccontextmanager
async def door(store: Store, clock: Clock, **limits: Any) -> AsyncIterator[Knocker]:
    """The door, open."""
    heard: list[None] = []
    keeper = Doorkeeper(store, clock, DOORS, heard=lambda: heard.append(None))
    receiver = Receiver(keeper, msgspec.structs.replace(Limits(), **limits), ("127.0.0.1", 0), clock, drain_seconds=2)
    stop = asyncio.Event()
    running = asyncio.create_task(receiver.run(stop))
    try:
        await until(lambda: receiver.port is not None)
        assert receiver.port is not None
        limit = httpx.Limits(max_connections=200, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{receiver.port}", limits=limit, trust_env=False) as client:
            yield Knocker(receiver.port, client, heard, receiver)
    finally:
        stop.set()
        await running
