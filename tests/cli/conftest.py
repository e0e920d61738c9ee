"""A shop on disk: configuration, rehearsal database, effects in every state that a person meets."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest

from tests.cli.shell import Shell
from tests.desk.world import NOW, World
from tracker import config
from tracker.clock import FixedClock
from tracker.model import Claim, ClaimState, HoldReason, Intent, Phase
from tracker.store import create, open_store

CONFIG = '[inbox]\npath = "inbox"\n'
STORE = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "live"\nnames = ["AE-01"]\n'
EBAY = 'platform = "ebay"\nname = "Nova"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\nnames = ["EB-01"]\n'


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of what was put into the database of `folder`."""

    folder: Path
    order: str = "A-1"
    parcel: str = "RB123456785CN"
    refund: int
    hold: int
    doubtful: int
    task: int
    extension: int
    payout: int
    rules: str
    """Hash of the configuration in force."""


@pytest.fixture(autouse=True)
def _quiet_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of this machine, a person to speak for, no colours, a folder of one's own."""
    monkeypatch.delenv("TRACKER_CONFIG", raising=False)
    monkeypatch.setenv("TRACKER_BY", "Tester")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capfd)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Made once: every test works on a copy."""
    folder = tmp_path_factory.mktemp("filled") / "shop"
    (folder / "stores").mkdir(parents=True)
    (folder / "tracker.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "stores" / "lume.toml").write_text(STORE, encoding="utf-8")
    (folder / "stores" / "nova.toml").write_text(EBAY, encoding="utf-8")
    return asyncio.run(_fill(folder))


@pytest.fixture
def shop(filled: Shop, tmp_path: Path, shell: Shell) -> Shop:
    """A rehearsal of two orders; the shell uses its configuration from now on."""
    folder = shutil.copytree(filled.folder, tmp_path / "shop")
    shell.config = folder / "tracker.toml"
    return msgspec.structs.replace(filled, folder=folder)


async def _fill(folder: Path) -> Shop:
    url = f"sqlite:///{folder / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    loaded = config.load(folder / "tracker.toml", environ={})
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    world = World(store)
    try:
        await store.begin_ruleset(loaded.rules.version, config.snapshot(loaded), NOW)
        order, other = await world.order("A-1", "RB123456785CN"), await world.order("A-2", "RB123456799CN")
        await _claim(world, order)
        return Shop(
            folder=folder,
            refund=await world.refund(order),
            hold=await world.effect(other, Intent.STAGE3, hold=HoldReason.FIRST_START),
            doubtful=await world.doubtful(other),
            task=await world.task(other, Intent.STAGE2),
            extension=await world.task(other, Intent.EXTENSION, "window_end"),
            payout=await world.task(other, Intent.REFUND, "amount", "reference"),
            rules=loaded.rules.version,
        )
    finally:
        await store.close()


async def _claim(world: World, order: int) -> None:
    row = await world.effect(order, Intent.COMPENSATION, subject="shipment/RB123456785CN", shipment="RB123456785CN", occasion="1")
    [dossier] = await world.store.load_dossiers([order])
    claim = Claim(
        shipment="RB123456785CN",
        attempt=1,
        state=ClaimState.READY,
        rule="default",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=NOW.date(),
        latest_on=None,
        payable=None,
        currency=None,
        opened_at=NOW,
    )
    assert await world.store.open_claim(row, claim, version=dossier.version, now=NOW)
