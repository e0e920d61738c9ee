"""The door that a configuration opens: one way in for each account that has a secret for pushes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests import house
from tests.config.build import loaded
from tests.ports import free_port
from tests.receiver.knocking import body, signed
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.receiver import push_door

CONFIG = """\
[receiver]
listen = "{listen}"
max_body_kb = 16

[[source]]
id = "tracks"
adapter = "seventeen_track"
secrets = {{ api_key = "env:KEY" }}

[[source]]
id = "mute"
adapter = "easypost"
secrets = {{ api_key = "env:KEY" }}
"""


async def test_without_a_port_there_is_no_door(tmp_path: Path) -> None:
    settings = loaded(tmp_path, {}).settings
    async with house.database(tmp_path, house.simulated()) as store:
        assert push_door(settings, store, SystemClock(), lambda: None) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_accounts_with_a_secret_have_a_door_and_no_others(host: str, tmp_path: Path) -> None:
    """R6: what is said at the account's address, signed with its key, within its size, reaches the unit that hears."""
    if host == "::1" and not _speaks_six():
        pytest.skip("this machine has no IPv6")
    port, heard, stop = free_port(host), list[None](), asyncio.Event()
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    settings = loaded(tmp_path, {"tracker.toml": CONFIG.format(listen=listen)}, {"KEY": "a-key"}).settings
    async with house.database(tmp_path, house.simulated()) as store:
        door = push_door(settings, store, SystemClock(), lambda: heard.append(None))
        assert door is not None
        running = asyncio.create_task(door.run(stop))
        await until(lambda: door.port == port)
        content = body()
        async with httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False) as client:
            answers = [
                (await client.post(path, content=what, headers=signed(what, "a-key"))).status_code
                for path, what in (("/push/tracks", content), ("/push/mute", content))
            ]
        stop.set()
        await running
        assert answers == [200, 404]
        assert len(heard) == len(await store.waiting_pushes(9)) == 1


def _speaks_six() -> bool:
    try:
        free_port("::1")
    except OSError:
        return False
    return True
