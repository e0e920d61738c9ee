"""The configured accounts as polling gets them: limits, lanes, whose parcels, and how much one answer may bring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from carriers.base import Memory, Query
from carriers.drop import DropTransport
from carriers.errors import CarrierError, ErrorKind
from tests import house
from tests.carriers.loopback import http, serving
from tests.config.build import loaded
from tracker.clock import SimulatedClock
from tracker.connections import sources_of
from tracker.polling import Source
from tracker.polling.conversation import converse
from tracker.store import Store

HEAD = '[[source]]\nid = "{id}"\nadapter = "{adapter}"\n'
CONFIG = (
    HEAD.format(id="main", adapter="seventeen_track")
    + 'secrets = { api_key = "env:KEY" }\ndaily_quota = 90\nbase_url = "ADDRESS"\n'
    + HEAD.format(id="post", adapter="russian_post")
    + 'secrets = { login = "env:KEY", password = "env:KEY" }\n'
    + HEAD.format(id="dhl", adapter="dhl_unified")
    + 'secrets = { api_key = "env:KEY" }\n'
    + HEAD.format(id="sheets", adapter="sheet")
    + 'base_url = "drop:scans"\n'
)


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


async def ready(stack: AsyncExitStack, folder: Path, store: Store, clock: SimulatedClock, address: str) -> dict[str, Source]:
    settings = loaded(folder, {"tracker.toml": CONFIG.replace("ADDRESS", address)}, {"KEY": "k"}).settings
    found = sources_of(settings, store, clock)
    for source in found.values():
        stack.push_async_callback(source.transport.close)
    return found


async def test_limits_and_lanes_are_those_of_the_registry_and_the_file(
    tmp_path: Path, store: Store, clock: SimulatedClock
) -> None:
    """Issue, politeness: registrations are counted where they cost, calls elsewhere; tickets go one after the other."""
    async with AsyncExitStack() as stack:
        found = await ready(stack, tmp_path, store, clock, "https://x.example")
        assert (found["main"].registers, found["main"].registrations, found["main"].calls) == (True, 90, None)
        assert (found["post"].asynchronous, found["post"].concurrency, found["post"].batch) == (True, 1, 3000)
        assert (found["dhl"].calls, found["dhl"].apiece, found["dhl"].concurrency > 1) == (250, True, True)
        assert isinstance(found["sheets"].transport, DropTransport)


async def test_an_answer_longer_than_its_numbers_explain_is_refused(tmp_path: Path, store: Store, clock: SimulatedClock) -> None:
    """Issue, bad input: never more memory than the cap; parsed, JSON may cost a hundred times its size."""
    huge = b'{"code": 0, "data": {"accepted": [' + b"{}," * 1_000_000 + b"{}]}}"
    async with serving(lambda *_: http(200, huge)) as address, AsyncExitStack() as stack:
        source = (await ready(stack, tmp_path, store, clock, address))["main"]
        with pytest.raises(CarrierError) as refused:
            await converse(source, [Query(number="RB000000115CN")], Memory(), clock.now(), clock)
    assert (refused.value.kind, "larger than" in refused.value.message) == (ErrorKind.BAD_RESPONSE, True)
