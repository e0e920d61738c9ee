"""A line to a source that goes wrong in every way: real poller, real HTTP, the proxy between them (faults 6, 7, 8, 9, 11)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec.structs import replace

from carriers.http import HttpTransport, make_transport
from carriers.model import TrackingStatus
from tests import house
from tests.carriers.loopback import Reply, http, serving
from tests.conftest import Lines
from tests.house import ACCOUNT, START, TOKEN
from tests.proxy import HOLE, Line, Proxy
from tracker.clock import SimulatedClock
from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn
from tracker.model import Dossier
from tracker.policy import decide
from tracker.polling import Cadence, Poller, PollReport, Source
from tracker.store import Store

DAY = timedelta(days=1)
DEADLINE = 0.3
LONGER = DEADLINE + 0.3
COUNT = 3

LINES: dict[str, tuple[Line, Line]] = {
    "every answer comes too late": (Line(), Line(latency=LONGER)),
    "the request takes too long": (Line(latency=LONGER), Line()),
    "the answer drips": (Line(), Line(drip=0.02)),
    "the answer is cut off in its head": (Line(), Line(cut=40)),
    "the answer is cut off in its body": (Line(), Line(cut=600)),
    "the request is cut off": (Line(cut=30), Line()),
    "the connection is reset before an answer": (Line(), Line(reset=0)),
    "the connection is reset in the answer": (Line(), Line(reset=600)),
    "a black hole": (HOLE, HOLE),
    "a black hole on the way back": (Line(), HOLE),
}
"""Up, down."""


class Followed:
    """Three parcels on their way, heard of once; then the line may fail."""

    def __init__(self, store: Store, clock: SimulatedClock, proxy: Proxy, stand_in: StandIn, *, fast: bool) -> None:
        self.store, self.clock, self.proxy = store, clock, proxy
        self.rules = house.rules()
        port = urlsplit(stand_in.base_url).port
        account = house.source(store, clock, stand_in.base_url.replace(f":{port}", f":{proxy.port}"))
        self.transport = HttpTransport(
            account_id=ACCOUNT,
            clock=clock,
            timeout=httpx.Timeout(DEADLINE),
            total_deadline_s=DEADLINE,
            transport=make_transport(fast=fast, connections=2),
        )
        self.source = replace(account, transport=self.transport)
        self.poller = self.another()

    def another(self, source: Source | None = None) -> Poller:
        sources = {ACCOUNT: source or self.source}
        return Poller(store=self.store, clock=self.clock, rules=self.rules, sources=sources, cadence=Cadence())

    async def poll(self, *, after: timedelta = timedelta()) -> int:
        """Move the clock, then ask until nothing is due; how many parcels that were."""
        self.clock.advance_to(self.clock.now() + after)
        done, report = 0, PollReport(more=True)
        while report.more:
            report = await self.poller.poll_once()
            done += report.worked
        return done

    async def dossiers(self) -> list[Dossier]:
        return await self.store.load_dossiers(list(range(1, COUNT + 1)))

    async def facts(self) -> list[object]:
        """All that a carrier's answer may change."""
        return [
            (parcel.status, parcel.reason, parcel.last_answer_at, parcel.last_scan, parcel.first_scan, parcel.not_found)
            for dossier in await self.dossiers()
            for parcel in dossier.shipments
        ]


def moving(number: str) -> ScriptedParcel:
    events = [
        ScriptedEvent(at=START + day * DAY, sub_status="InTransit_Other", description=f"Scan of day {day}", country="CN")
        for day in range(1, 12, 2)
    ]
    return ScriptedParcel(number=number, events=tuple(events), label_at=START)


@pytest.fixture
async def followed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Followed]:
    """Over plain httpx, or over the extra `fast` where a test asks for it."""
    fast = getattr(request, "param", False)
    if fast:
        pytest.importorskip("httpx_aiohttp")
    clock = house.simulated()
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(house.database(tmp_path, clock))
        made = await house.bring_parcels(store, COUNT)
        agency = Aggregator([moving(number) for number in made], clock.now, token=TOKEN)
        stand_in = stack.enter_context(StandIn(agency))
        proxy = await stack.enter_async_context(Proxy(urlsplit(stand_in.base_url).port or 0))
        ready = Followed(store, clock, proxy, stand_in, fast=fast)
        stack.push_async_callback(ready.transport.close)
        await ready.poll()
        await ready.poll(after=2 * DAY)
        yield ready


async def outage(followed: Followed, log_lines: Lines) -> None:
    """What every failure has in common: nothing is learnt, nobody is blamed, the source rests; and it comes back by itself."""
    before = await followed.facts()
    assert {each[0] for each in before if isinstance(each, tuple)} == {TrackingStatus.IN_TRANSIT}
    for _ in range(3):
        assert await followed.poll(after=timedelta(hours=8)) == COUNT
    assert await followed.facts() == before, "neither the state nor the last answer moved"
    (down,) = [line for line in log_lines() if line["event"] == "source.down"]
    assert down["kind"] == "unavailable"
    assert "127.0.0.1" in down["message"] or "complete answer" in down["message"]
    asked = followed.proxy.connections, followed.proxy.passed
    rest = await followed.poller.pulse.look(ACCOUNT)
    assert rest.open_until is not None
    assert rest.open_until > followed.clock.now()
    again = followed.another()
    await again.poll_once()
    assert (followed.proxy.connections, followed.proxy.passed) == asked, "it rests across a restart, too"
    followed.clock.advance_to(START + 40 * DAY)
    for dossier in await followed.dossiers():
        reasons = {each.reason.value for each in decide(dossier, followed.rules, followed.clock.now()).decisions}
        assert not {each for each in reasons if "not_found" in each or "untrackable" in each or "silent" in each}, reasons
    await followed.proxy.heal()
    await followed.poll(after=DAY)
    await followed.poll(after=DAY)
    for dossier in await followed.dossiers():
        (parcel,) = dossier.shipments
        assert parcel.last_scan is not None
        assert parcel.last_scan.description == "Scan of day 11"
    assert len([line for line in log_lines() if line["event"] == "source.up"]) == 1


@pytest.mark.parametrize(
    ("followed", "name"),
    [*((False, name) for name in LINES), *((True, name) for name in list(LINES)[::3])],
    indirect=["followed"],
)
async def test_a_line_that_fails_teaches_nothing_about_a_parcel(followed: Followed, name: str, log_lines: Lines) -> None:
    """Faults 6, 9; promise 2, R6: no parcel changes, none is untrackable; the source is left alone and comes back by itself."""
    up, down = LINES[name]
    await followed.proxy.fail(up=up, down=down)
    await followed.proxy.drop()
    async with asyncio.timeout(30):
        await outage(followed, log_lines)


async def test_a_port_that_nobody_listens_at(followed: Followed, log_lines: Lines) -> None:
    """Fault 6: said in words that an operator can act on."""
    await followed.proxy.refuse()
    await followed.proxy.drop()
    await outage(followed, log_lines)
    (down,) = [line for line in log_lines() if line["event"] == "source.down"]
    assert down["message"] == "127.0.0.1 refuses connections: nobody listens at that port"


async def test_a_connection_that_was_dropped_while_nobody_asked_costs_nothing(followed: Followed, log_lines: Lines) -> None:
    """Fault 6: a firewall forgets idle connections; the next poll opens another one."""
    await followed.proxy.drop()
    assert await followed.poll(after=DAY) == COUNT
    assert {parcel.last_answer_at for dossier in await followed.dossiers() for parcel in dossier.shipments} == {
        followed.clock.now()
    }
    assert not [line for line in log_lines() if line["event"] == "source.down"]


RUBBISH: dict[str, Reply] = {
    "a page": http(200, b"<html>Down for maintenance</html>", Content_Type="text/html"),
    "nothing": http(200, b""),
    "half of it": http(200, b'{"code":0,"data":{"accepted":[{"number":"LZ00', Content_Type="application/json"),
    "another schema": http(200, b'{"result":[1,2,3]}', Content_Type="application/json"),
    "deep nesting": http(200, b"[" * 200_000 + b"]" * 200_000, Content_Type="application/json"),
    "bytes that are no text": http(200, bytes(range(256)) * 50, Content_Type="application/json"),
    "a server error with a body": http(500, b'{"code":0,"data":{"accepted":[],"rejected":[]}}'),
    "a redirect inside": http(302, Location="http://169.254.169.254/latest/meta-data/"),
    "a redirect to itself": http(307, Location="/track/v2.2/gettrackinfo"),
}


@pytest.mark.parametrize("name", RUBBISH)
async def test_rubbish_teaches_nothing_about_a_parcel(followed: Followed, name: str) -> None:
    """Faults 7, 8, 10, 11; promise 2: whatever was said, it was no answer."""
    before = await followed.facts()
    asked: list[str] = []

    def handler(_: str, path: str, *__: object) -> Reply:
        asked.append(path)
        return RUBBISH[name]

    async with serving(handler) as base:
        account = replace(followed.source.account, base_url=base)
        followed.poller = followed.another(replace(followed.source, account=account))
        for _ in range(4):
            await followed.poll(after=timedelta(hours=8))
    tries = 3 if name == "a server error with a body" else 1
    assert 3 * tries <= len(asked) <= 4 * tries, "no redirect is followed; only what may pass is asked again at once"
    assert await followed.facts() == before
    assert (await followed.poller.pulse.look(ACCOUNT)).failures >= 3


async def test_throttled_by_all_means_the_source_is_left_alone_as_long_as_it_says(followed: Followed) -> None:
    """Fault 7: Retry-After in seconds holds back every poll of this account, ours and a restarted one."""
    before, asked = await followed.facts(), list[str]()

    def handler(_: str, path: str, *__: object) -> Reply:
        asked.append(path)
        return http(429, b"", Retry_After="3600")

    async with serving(handler) as base:
        source = replace(followed.source, account=replace(followed.source.account, base_url=base))
        followed.poller = followed.another(source)
        await followed.poll(after=DAY)
        followed.poller = followed.another(source)
        await followed.poll(after=timedelta(minutes=59))
        assert len(asked) == 1
    assert await followed.facts() == before
