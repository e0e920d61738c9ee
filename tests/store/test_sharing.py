"""Members of a group work beside the daemon on the same files (facts/systemd.md 9): whoever comes first, the others can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tracker.clock import FixedClock
from tracker.store import create, is_shared, open_store, share_files

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _the_umask_of_most_people() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(params=[True, False], ids=["shared", "private"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder as `tracker init --system` makes it, and a person's own."""
    place = tmp_path / "state"
    place.mkdir()
    place.chmod(0o2770 if request.param else 0o755)
    return place


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


async def test_the_write_ahead_log_has_the_mode_of_the_database(folder: Path) -> None:
    """Even a reader may be the one who makes -wal and -shm."""
    shared = is_shared(folder)
    url = f"sqlite:///{folder}/tracker.db"
    assert share_files(url) is shared
    create(url, rehearsal=True, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    try:
        await store.status(NOW)
        found = modes(folder)
    finally:
        await store.close()
    assert found.keys() == {"tracker.db", "tracker.db-wal", "tracker.db-shm", "tracker.db.lock"}
    assert {name: mode & 0o060 for name, mode in found.items()} == dict.fromkeys(found, 0o060 if shared else 0o040)
    if shared:
        assert {mode & 0o007 for mode in found.values()} == {0}, "others have no business with buyers' addresses"


def test_a_command_makes_files_for_the_group(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The pass of a clerk whose umask is 022 leaves nothing behind that the daemon cannot write: no journal, no folder."""
    shared = is_shared(folder)
    (folder / "tracker.toml").write_text('[inbox]\npath = "inbox"\n')
    create(f"sqlite:///{folder}/tracker.db", rehearsal=True, now=NOW)
    shell = Shell(capfd, folder / "tracker.toml")
    assert shell("run", "--once", "--at", "2026-11-22").code == 0
    assert bool(modes(folder)["send-journal.jsonl"] & stat.S_IWGRP) is shared
    assert bool((folder / "inbox" / "done").stat().st_mode & stat.S_IWGRP) is shared
    assert os.umask(0o022) == (0o007 if shared else 0o022)


@pytest.mark.parametrize("address", ["postgresql://db/tracker", "sqlite:////nonexistent/tracker.db"])
def test_what_is_no_shared_folder_changes_nothing(address: str) -> None:
    assert not share_files(address)
    assert os.umask(0o022) == 0o022
