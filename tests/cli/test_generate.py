"""`tracker test --generate`: a rule test from a real case, which holds under the rules that wrote it and names nobody."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.desk.world import NOW
from tracker.clock import FixedClock
from tracker.store import open_store

AT = "2026-03-02T09:00Z"


@pytest.fixture
def file(shop: Shop, shell: Shell, tmp_path: Path) -> Path:
    said = shell("test", "--generate", "A-1", "--at", AT)
    assert said.code == 0, said
    path = tmp_path / "generated.toml"
    path.write_text(said.out, encoding="utf-8")
    return path


def test_a_generated_test_holds(file: Path, shell: Shell) -> None:
    found = shell.json("test", file)
    assert (found["cases"], found["failed"]) == (1, 0)
    [case] = tomllib.loads(file.read_text(encoding="utf-8"))["case"]
    assert any(moment["expect"] for moment in case["moment"])


def test_it_names_no_order_and_no_parcel(file: Path, shop: Shop) -> None:
    """No personal data: numbers keep their letters, which rules look at, and lose their digits."""
    text = file.read_text(encoding="utf-8")
    assert shop.order not in text
    assert shop.parcel not in text
    assert "RB000000001CN" in text


def test_it_fails_under_other_rules(file: Path, shop: Shop, shell: Shell) -> None:
    (shop.folder / "marketplaces.toml").write_text('[[marketplace]]\nid = "aliexpress"\nextension = { mode = "none" }\n')
    (shop.folder / "destinations.toml").write_text(
        '[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 2, stage2 = 3, stage3 = 4 }\n'
    )
    assert shell("test", file).code == 1


def test_an_order_that_is_not_there(shop: Shop, shell: Shell) -> None:
    said = shell("test", "--generate", "Z-9")
    assert shop.folder.is_dir()
    assert said.code == 1
    assert "No order and no parcel is called 'Z-9'" in said.err


def test_files_and_an_order_are_two_questions(shop: Shop, shell: Shell, file: Path) -> None:
    said = shell("test", file, "--generate", shop.order)
    assert said.code == 2
    assert "not both" in said.err


async def _versions(shop: Shop) -> list[int]:
    store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW))
    try:
        return [dossier.version for dossier in await store.load_dossiers([1, 2])]
    finally:
        await store.close()


def test_generating_writes_nothing(shop: Shop, shell: Shell) -> None:
    before = asyncio.run(_versions(shop))
    assert shell("test", "--generate", shop.parcel, "--json").code == 0
    assert asyncio.run(_versions(shop)) == before
