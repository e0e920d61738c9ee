"""Every source that can call, through the real door to the parcel: signed as it signs, late as it may not be (R6; faults 28)."""

from __future__ import annotations

import asyncio
import base64
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from hmac import new
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from carriers import registry
from carriers.base import Response
from tests import house
from tests.waiting import until
from tracker.clock import SimulatedClock
from tracker.polling import Cadence, Poller, Pusher
from tracker.receiver import Door, Doorkeeper, Limits, Receiver
from tracker.store import Store

SAMPLES = Path(__file__).parents[1] / "samples" / "carriers"
SECRET = "kanarie-push-secret-é"
Signer = Callable[[bytes, SimulatedClock], Mapping[str, str]]


def _hex(message: bytes, key: str = SECRET) -> str:
    return new(key.encode(), message, sha256).hexdigest()


def _timed(body: bytes, clock: SimulatedClock) -> Mapping[str, str]:
    moment = str(int(clock.now().timestamp()))
    return {"shippo-auth-signature": f"t={moment},v1={_hex(moment.encode() + b'.' + body)}"}


SIGNERS: Mapping[str, Signer] = {
    "seventeen_track": lambda body, _: {"sign": sha256(body + b"/" + SECRET.encode()).hexdigest()},
    "trackingmore": lambda body, _: {"signature": _hex(body)},
    "aftership": lambda body, _: {"aftership-hmac-sha256": base64.b64encode(bytes.fromhex(_hex(body))).decode()},
    "easypost": lambda body, _: {"x-hmac-signature": f"hmac-sha256-hex={_hex(body, unicodedata.normalize('NFKD', SECRET))}"},
    "shippo": _timed,
}
TIMED = {"shippo", "aftership"}
"""The time is signed, in the header or in the body."""


class Caller:
    """One source, its door, a parcel that it knows, and the unit that hears."""

    def __init__(self, name: str, store: Store, clock: SimulatedClock) -> None:
        self.name = name
        self.store = store
        self.clock = clock
        self.adapter = registry.get(name)
        said = [each for each in (SAMPLES / name).glob("webhook*.json") if not each.name.endswith(".meta.json")]
        now = b"%d" % clock.now().timestamp()
        self.body = re.sub(rb'("ts": )\d+', rb"\g<1>" + now, max(said).read_bytes())
        cut = self.adapter.split(Response(status=200, body=self.body), ())
        self.number = next(iter(cut))
        keeper = Doorkeeper(store, clock, [Door(account=house.ACCOUNT, adapter=self.adapter, secrets=[SECRET])])
        self.receiver = Receiver(keeper, Limits(), ("127.0.0.1", 0), clock, drain_seconds=1)

    async def push(self, headers: Mapping[str, str]) -> int:
        url = f"http://127.0.0.1:{self.receiver.port}/push/{house.ACCOUNT}"
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.post(url, content=self.body, headers=dict(headers))).status_code

    async def hear(self) -> None:
        asked = house.source(self.store, self.clock, "http://127.0.0.1:9")
        sources = {house.ACCOUNT: replace(asked, adapter=self.adapter)}
        poller = Poller(store=self.store, clock=self.clock, rules=house.rules(), sources=sources, cadence=Cadence())
        await Pusher(poller).hear_once()


@pytest.fixture(params=SIGNERS)
async def caller(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Caller]:
    clock = house.simulated()
    clock.advance_to(house.START + timedelta(days=90))
    async with house.database(tmp_path, clock) as store:
        made = Caller(request.param, store, clock)
        await house.bring(
            store, [house.order("1", platform="own_shop")], [house.parcel(made.number, "1", country=None)], house.START
        )
        stop = asyncio.Event()
        running = asyncio.create_task(made.receiver.run(stop))
        await until(lambda: made.receiver.port is not None)
        yield made
        stop.set()
        await running


async def test_what_it_pushes_moves_its_parcel(caller: Caller) -> None:
    assert await caller.push(SIGNERS[caller.name](caller.body, caller.clock)) == 200
    await caller.hear()
    (dossier,) = await caller.store.load_dossiers([1])
    assert dossier.shipments[0].last_answer_at == caller.clock.now()
    assert await caller.store.waiting_pushes(1) == []


async def test_another_secret_or_an_old_signature_opens_nothing(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults row 28: forged and late."""
    signed = SIGNERS[caller.name](caller.body, caller.clock)
    assert await caller.push({name: value[:-1] + "x" for name, value in signed.items()}) == 401
    caller.clock.advance_to(caller.clock.now() + timedelta(minutes=6))
    assert await caller.push(signed) == (401 if caller.name in TIMED else 200)


def test_every_source_that_can_push_is_tried_here() -> None:
    assert set(SIGNERS) == {name for name in registry.names() if registry.describe(name).push}
