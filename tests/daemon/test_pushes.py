"""The daemon with its push door: pushed, kept, heard, decided; killed at every point of that way (faults rows 1, 15, 21, 22)."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from carriers.model import TrackingStatus
from tests import house
from tests.daemon.conftest import NOW, Child, Home, furnished
from tests.ports import free_port
from tests.receiver.knocking import body, signed
from tests.waiting import until
from tracker.model import Shipment

KEY = house.TOKEN
POINTS = ("push_before_commit", "push_after_commit", "push_heard_before_commit", "push_heard_after_commit")


class Knocker:
    """The source that calls the daemon of `home`."""

    def __init__(self, home: Home, port: int) -> None:
        self.home = home
        self.port = port

    async def open(self, **environ: str) -> Child:
        """The daemon, once its door is open and the parcel has been asked about."""
        asked = self.home.asked()
        opened = self.home.events().count("receiver.open")
        child = self.home.start(**environ)
        await until(lambda: self.home.events().count("receiver.open") > opened)
        if asked == 0:
            await until(lambda: self.home.asked() > 0)
        return child

    async def push(self, content: bytes) -> int | None:
        """The status of the answer; None where nobody answered."""
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                url = f"http://127.0.0.1:{self.port}/push/tracks"
                return (await client.post(url, content=content, headers=signed(content, KEY))).status_code
        except httpx.TransportError:
            return None

    async def parcel(self) -> Shipment:
        async with self.home.store() as store:
            (dossier,) = await store.load_dossiers([1])
        return dossier.shipments[0]

    async def waiting(self) -> int:
        async with self.home.store() as store:
            return len(await store.waiting_pushes(10))


@pytest.fixture
async def knocker(tmp_path: Path) -> AsyncIterator[Knocker]:
    """One order; the daemon's own port is free."""
    port = free_port()
    async with furnished(tmp_path, 1) as home:
        home.config.write_text(home.config.read_text() + f'\n[receiver]\nlisten = "127.0.0.1:{port}"\n')
        yield Knocker(home, port)


def delivered() -> bytes:
    """A push that tells the delivery of the one parcel, an hour ago."""
    at = (NOW - timedelta(hours=1)).isoformat()
    return body(house.numbers(1)[0], (at, "Delivered_Other"), status="Delivered")


async def test_a_push_moves_a_parcel_and_a_stop_ends_the_door(knocker: Knocker) -> None:
    """Faults row 22: heard at once, not at the next poll; SIGTERM drains the door too, and its signals are the daemon's own."""
    daemon = await knocker.open()
    assert await knocker.push(delivered()) == 200
    await until(lambda: "push.heard" in knocker.home.events())
    parcel = await knocker.parcel()
    assert (parcel.status, await knocker.waiting()) == (TrackingStatus.DELIVERED, 0)
    assert await knocker.push(delivered()) == 200
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert await knocker.push(delivered()) is None
    assert knocker.home.events()[-2:] == ["daemon.stopping", "daemon.stopped"]
    assert knocker.home.events().count("push.heard") == 1


async def test_a_reload_closes_the_door_and_opens_it_again(knocker: Knocker) -> None:
    """Faults row 20: with another port, the old one is nobody's."""
    daemon = await knocker.open()
    port = free_port()
    knocker.home.config.write_text(knocker.home.config.read_text().replace(str(knocker.port), str(port)))
    daemon.signal(signal.SIGHUP)
    await until(lambda: knocker.home.events().count("receiver.open") == 2)
    assert await knocker.push(delivered()) is None
    knocker.port = port
    assert await knocker.push(delivered()) == 200
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_push_in_hand_at_the_stop_is_kept(knocker: Knocker) -> None:
    """Faults rows 15 and 22: begun before SIGTERM, answered after it, heard by the next daemon."""
    daemon = await knocker.open()
    content = delivered()
    sign = sha256(content + b"/" + KEY.encode()).hexdigest()
    with socket.create_connection(("127.0.0.1", knocker.port)) as caller:
        head = f"POST /push/tracks HTTP/1.1\r\nHost: x\r\nsign: {sign}\r\nContent-Length: {len(content)}\r\n\r\n"
        caller.sendall(head.encode() + content[:20])
        await until(lambda: knocker.home.events().count("receiver.open") == 1)
        daemon.signal(signal.SIGTERM)
        await until(lambda: "daemon.stopping" in knocker.home.events())
        caller.sendall(content[20:])
        caller.settimeout(5)
        assert caller.recv(100).startswith(b"HTTP/1.1 200 ")
    assert await daemon.ended() == 0
    assert await knocker.waiting() == 1
    assert await knocker.home.start("one_pass").ended() == 0
    assert (await knocker.parcel()).status is TrackingStatus.DELIVERED


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_loses_no_push_and_hears_none_twice(point: str, knocker: Knocker) -> None:
    """Faults rows 1 and 15: what was answered 200 is heard; what was not comes again."""
    killed = await knocker.open(crash_at=point)
    first = await knocker.push(delivered())
    assert await killed.ended() == -signal.SIGKILL, f"{point} was never reached"
    assert (first == 200) is point.startswith("push_heard")
    daemon = await knocker.open()
    assert await knocker.push(delivered()) == 200
    await until(lambda: not a_push_waits(knocker.home))
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    parcel = await knocker.parcel()
    assert (parcel.status, await knocker.waiting()) == (TrackingStatus.DELIVERED, 0)
    async with knocker.home.store() as store:
        events = (await store.load_events([1]))[1]
    assert sum(event.status is TrackingStatus.DELIVERED for event in events) == 1


def a_push_waits(home: Home) -> bool:
    """Whether a push still waits to be heard."""
    with sqlite3.connect(home.database) as database:
        return bool(database.execute("SELECT count(*) FROM pushed").fetchone()[0])
