"""Opening: what is refused and which command helps; one daemon a database (facts/faults.md rows 4 and 21)."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.build import DAY, NOW, given, order, parcel
from tracker.clock import FixedClock
from tracker.store import (
    AnotherDaemon,
    Conflict,
    Damaged,
    DatabaseMissing,
    EpochLost,
    NotARehearsal,
    SchemaTooNew,
    SchemaTooOld,
    SchemaVerdict,
    Store,
    UnsupportedDatabase,
    Unwritable,
    create,
    open_store,
    schema,
    schema_state,
)
from tracker.store.connection import sqlite_path
from tracker.store.lock import DaemonLock

CLOCK = FixedClock(NOW)

DAEMON = """
import asyncio, sys
from datetime import UTC, datetime
from tracker.clock import FixedClock
from tracker.store import open_store
from tracker.store.errors import StoreError

async def main() -> None:
    try:
        await open_store(sys.argv[1], clock=FixedClock(datetime(2026, 9, 1, tzinfo=UTC)), daemon=True)
    except StoreError as error:
        print(type(error).__name__, flush=True)
        return
    print("open", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def _daemon(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", DAEMON, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=20)


# ------------------------------------------------------------------------------------------------------------ refused files


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing, match="Make one with: tracker init"):
        await open_store(f"sqlite:///{tmp_path / 'none.db'}", clock=CLOCK)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "tracker.db"])
async def test_an_address_that_this_version_cannot_open(address: str) -> None:
    with pytest.raises(UnsupportedDatabase, match=r"sqlite:////var/lib/tracker/tracker\.db"):
        await open_store(address, clock=CLOCK)


async def test_a_database_of_an_older_version(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    with pytest.raises(SchemaTooOld, match="Run: tracker db upgrade"):
        await open_store(url, clock=CLOCK)
    assert schema_state(url).verdict is SchemaVerdict.TOO_OLD


@pytest.mark.sqlite_only
async def test_a_database_of_a_newer_version(url: str) -> None:
    with sqlite3.connect(sqlite_path(url)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(SchemaTooNew, match="9999, which this version"):
        await open_store(url, clock=CLOCK)


async def test_somebody_elses_sqlite_file(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    raw.close()
    with pytest.raises(Damaged, match="not one of Tracker's"):
        await open_store(f"sqlite:///{tmp_path / 'other.db'}", clock=CLOCK)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("orders of September\n" * 100)
    with pytest.raises(Damaged, match=r"no SQLite database; look at database\.url"):
        await open_store(f"sqlite:///{tmp_path / 'text.db'}", clock=CLOCK)


@pytest.mark.sqlite_only
async def test_flipped_bytes_stop_the_daemon_at_its_start(url: str) -> None:
    """Fault 4: quick_check at start."""
    opened = await open_store(url, clock=CLOCK)
    await given(opened, *(order(str(n)) for n in range(300)), *(parcel(f"LX{n}CN", str(n)) for n in range(300)))
    await opened.close()
    path = sqlite_path(url)
    page = bytearray(path.read_bytes())
    for offset in range(8 * 4096, len(page), 4096):
        page[offset : offset + 64] = bytes(64)
    path.write_bytes(page)
    with pytest.raises(Damaged, match="damaged"):
        await open_store(url, clock=CLOCK, daemon=True)
    DaemonLock(path).release()


async def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match="cannot be made"):
        DaemonLock(tmp_path / "no such folder" / "tracker.db")


async def test_a_new_database_never_overwrites_one(url: str) -> None:
    with pytest.raises(Conflict, match="was left as it is"):
        create(url, rehearsal=False, now=NOW)


@pytest.mark.sqlite_only
async def test_a_full_disk_is_told_and_writes_nothing(store: Store) -> None:
    """Fault 4: stop sending first; no claim, no send."""
    raw = store._db._connection.connection.driver_connection  # type: ignore[attr-defined]
    assert raw is not None
    raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(Unwritable, match="the disk is full"):
        await given(store, *(order(str(n)) for n in range(3000)))
    raw.execute("PRAGMA max_page_count = 1000000")
    assert (await given(store, order("n"), digest="d2")).new == 1


# ------------------------------------------------------------------------------------------------------------- one daemon


@pytest.mark.sqlite_only
async def test_a_second_daemon_is_turned_away_and_commands_work_beside_the_first(url: str) -> None:
    """Fault 21: the file lock, across processes; it dies with its process."""
    first = _daemon(url)
    try:
        assert _said(first) == "open"
        second = _daemon(url)
        assert _said(second) == "AnotherDaemon"
        _end(second)
        with pytest.raises(AnotherDaemon, match="stop it first"):
            await open_store(url, clock=CLOCK, daemon=True)
        beside = await open_store(url, clock=CLOCK)
        assert (await given(beside)).new == 2
        await beside.close()
    finally:
        first.kill()
        _end(first)
    heir = await open_store(url, clock=CLOCK, daemon=True)
    assert heir.epoch == 2
    await heir.close()


@pytest.mark.sqlite_only
async def test_where_the_lock_does_not_hold_the_older_daemon_writes_nothing_more(url: str, store: Store) -> None:
    """Fault 21: with the lock removed (a network file system), the epoch row fences."""
    assert store._lock is not None
    fcntl.flock(store._lock._file, fcntl.LOCK_UN)
    younger = await open_store(url, clock=CLOCK, daemon=True, owner="younger")
    for write in (given(store), store.expire_tasks(NOW), store.push_gate("17track", 1)):
        with pytest.raises(EpochLost, match="writes nothing more"):
            await write
    assert (await given(younger)).new == 2
    assert (await store.status(NOW)).orders == 1
    await younger.close()


# -------------------------------------------------------------------------------------------------------------- rehearsal


@pytest.mark.parametrize("rehearsal", [True, False])
async def test_only_a_rehearsal_may_be_written_to_at_another_time(tmp_path: Path, rehearsal: bool) -> None:
    """DESIGN: the mark is in the database and stays."""
    url = f"sqlite:///{tmp_path / 'new' / 'tracker.db'}"
    create(url, rehearsal=rehearsal, now=NOW)
    opened = await open_store(url, clock=FixedClock(NOW + DAY))
    assert await opened.is_rehearsal() is rehearsal
    if rehearsal:
        await opened.require_rehearsal()
    else:
        with pytest.raises(NotARehearsal, match="tracker init --rehearsal"):
            await opened.require_rehearsal()
    await opened.close()


@pytest.mark.sqlite_only
async def test_a_database_taken_away_under_the_daemon_stops_it(url: str) -> None:
    """Promise 1: a deleted file takes every write and keeps none, so nothing more is written and no order file counts as read."""
    path = Path(url.removeprefix("sqlite:///"))
    store = await open_store(url, clock=CLOCK, daemon=True)
    try:
        for file in path.parent.glob(f"{path.name}*"):
            if file.suffix != ".lock":
                file.unlink()
        with pytest.raises(Damaged, match="removed or replaced while the daemon ran"):
            await store.wake([1], NOW)
        create(url, rehearsal=False, now=NOW)
        with pytest.raises(Damaged, match="removed or replaced"):
            await store.wake([1], NOW)
    finally:
        await store.close()
