"""Backup, restore, check and retirement of a PostgreSQL: the same files, the same replay, no effect twice (faults 5, 22, 36)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.postgres import Server
from tests.store.build import NOW, decided, decision, given, pending
from tracker import config, journal
from tracker.clock import FixedClock, SimulatedClock
from tracker.engine.base import full_pass
from tracker.journal import Journal
from tracker.keeping.backup import kept, name_of
from tracker.keeping.check import check
from tracker.keeping.retention import prune_unless_running
from tracker.model import Channel, Intent, OutboxState
from tracker.store import AnotherDaemon, EpochLost, JournalMissing, Retired, create, open_store
from tracker.store.outside import outside
from tracker.store.retiring import Retirement, retire, take_back
from tracker.wiring import assemble

pytestmark = pytest.mark.postgres

LATER = NOW + timedelta(hours=2)


@pytest.fixture
async def fleet(postgres_server: Server, tmp_path: Path) -> Keep:
    """A house on a server: an order, its parcel, and stage 1 sent by the host's worker."""
    keep = Keep(tmp_path, database=f'url = "{postgres_server.database()}"')
    async with keep.store() as store:
        await given(store)
    await keep.work(Intent.STAGE1)
    return keep


async def test_a_backup_is_a_file_that_any_machine_can_restore_from(fleet: Keep) -> None:
    """Made beside a worker, from one snapshot; what was sent since is known from the journal, and never goes twice (fault 36)."""
    worker = await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="a")
    file = fleet.back_up()
    await worker.close()
    assert kept(fleet.settings.backup.dir) == [file]
    assert oct(file.stat().st_mode & 0o777) == "0o640"
    await fleet.work(Intent.STAGE2, at=LATER)
    async with fleet.store() as store:
        before, since = await store.identity(), await store.last_backup()
    done = fleet.restore(file)
    assert (done.sent, done.unknown, done.taken_at) == (1, (), NOW)
    assert since == NOW
    assert await fleet.states() == {"stage1": "sent", "stage2": "sent"}
    async with fleet.store() as store:
        assert await store.identity() == before
    assert check(fleet.settings, NOW + DAY).findings == ()


async def test_what_was_there_is_kept_as_a_backup(fleet: Keep) -> None:
    """Nothing is thrown away: a restore that was a mistake can be taken back by another one."""
    file = fleet.back_up()
    await fleet.work(Intent.STAGE2, at=LATER)
    done = fleet.restore(file)
    assert done.kept is not None
    assert Path(done.kept).name == "tracker-20260902T080000Z-before-restore.db"
    again = fleet.restore(Path(done.kept), now=NOW + 2 * DAY)
    assert again.sent == 0
    assert await fleet.states() == {"stage1": "sent", "stage2": "sent"}


async def test_a_dry_run_changes_nothing(fleet: Keep) -> None:
    file = fleet.back_up()
    await fleet.work(Intent.STAGE2, at=LATER)
    done = fleet.restore(file, dry_run=True)
    assert (done.sent, done.kept) == (1, None)
    assert [each.name for each in fleet.settings.backup.dir.iterdir()] == [file.name]
    async with fleet.store() as store:
        assert await store.forgotten_time() is None


async def test_nothing_is_replaced_under_a_worker_and_an_old_one_writes_nothing_more(fleet: Keep) -> None:
    """A worker that lives is a refusal; one that was cut off and comes back finds its epoch gone (fault 21)."""
    file = fleet.back_up()
    worker = await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="a")
    with pytest.raises(AnotherDaemon, match="systemctl stop"):
        fleet.restore(file)
    with pytest.raises(AnotherDaemon):
        retire(fleet.url, Retirement(at=NOW, by="Mei", reason="moved"))
    assert prune_unless_running(fleet.settings)(NOW) is None
    await worker._db._standing.close()  # type: ignore[attr-defined]
    fleet.restore(file)
    with pytest.raises(EpochLost):
        await worker.mark_behind(NOW)
    await worker.close()


async def test_an_empty_database_takes_a_backup(fleet: Keep, postgres_server: Server) -> None:
    """The server is lost: a new one, `createdb`, and the newest backup with the journals."""
    file = fleet.back_up()
    (fleet.folder / "tracker.toml").write_text(f'[database]\nurl = "{postgres_server.database()}"\n')
    fleet.settings = config.load(fleet.folder / "tracker.toml", environ={}).settings
    fleet.url = fleet.settings.database_url
    done = fleet.restore(file)
    assert done.kept is None
    assert await fleet.states() == {"stage1": "sent"}


async def test_who_worked_is_known_though_all_workers_are_forgotten(fleet: Keep, postgres_server: Server) -> None:
    """Fault 36: a backup of a fleet whose workers went is no database of the first day: it wants the journals all the same."""
    async with fleet.store() as store:
        (worker,) = await store.workers()
        await store.forget_worker(worker.name, by="Mei", reason="new hosts", now=NOW)
    file = fleet.back_up()
    await fleet.work(Intent.STAGE2, at=LATER)
    fleet.settings.journal.unlink()
    url = postgres_server.database()
    create(url, rehearsal=False, now=NOW)
    (fleet.folder / "tracker.toml").write_text(f'[database]\nurl = "{url}"\n')
    fleet.settings = config.load(fleet.folder / "tracker.toml", environ={}).settings
    with pytest.raises(JournalMissing):
        fleet.restore(file)


@pytest.mark.parametrize("forgotten", [False, True], ids=["before", "after"])
async def test_a_backup_brings_no_epoch_back_that_was_forgotten(fleet: Keep, *, forgotten: bool) -> None:
    """Fault 21: whoever slept since before his worker was forgotten finds his epoch in no restored database."""
    if forgotten:
        async with fleet.store() as store:
            (worker,) = await store.workers()
            await store.forget_worker(worker.name, by="Mei", reason="new hosts", now=NOW)
    file = fleet.back_up()
    slept = []
    for _ in range(3):
        slept.append(await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="a"))
        await slept[-1]._db._standing.close()  # type: ignore[attr-defined]
    async with fleet.store() as store:
        await store.forget_worker("a", by="Mei", reason="its host burnt", now=NOW)
    fleet.restore(file)
    again = await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="a")
    assert (again.epoch or 0) > max(each.epoch or 0 for each in slept)
    for each in (again, *slept):
        await each.close()


async def test_the_journal_is_wanted_and_a_retired_one_stays_so(fleet: Keep) -> None:
    """Fault 36: without the journals nobody knows what was sent; and a retired database does not come back to life."""
    file = fleet.back_up()
    fleet.settings.journal.rename(fleet.folder / "elsewhere.jsonl")
    with pytest.raises(JournalMissing, match="--journal"):
        fleet.restore(file)
    assert fleet.restore(file, moved=(fleet.folder / "elsewhere.jsonl",)).missing_journals == {}
    (fleet.folder / "elsewhere.jsonl").rename(fleet.settings.journal)
    retire(fleet.url, Retirement(at=NOW, by="Mei", reason="moved"))
    with pytest.raises(Retired):
        fleet.restore(file)
    with pytest.raises(Retired):
        await fleet.work(Intent.STAGE2)
    assert take_back(fleet.url, by="Mei", reason="came back", now=NOW, hold_for=DAY) == 0


_RESTORE = """
import sys
from pathlib import Path
from tests.store.build import NOW
from tracker import config
from tracker.keeping.restore import Wish, restore
settings = config.load(Path(sys.argv[1]), environ={}).settings
restore(settings, Wish(file=Path(sys.argv[2]), now=NOW, by="mei"))
"""


async def test_a_restore_that_is_killed_leaves_what_was_there(fleet: Keep) -> None:
    """Fault 5: SIGKILL after the last row and before the commit. The same command again then does it."""
    file = fleet.back_up()
    await fleet.work(Intent.STAGE2, at=LATER)
    command = [sys.executable, "-c", _RESTORE, str(fleet.folder / "tracker.toml"), str(file)]
    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs
        command, env={**os.environ, "TRACKER_CRASH_AT": "restore_before_commit"}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    async with fleet.store() as store:
        assert await store.forgotten_time() is None
    assert fleet.restore(file).sent == 1


async def test_an_upgrade_makes_a_backup_first_and_an_index_that_is_not_valid_is_told(fleet: Keep) -> None:
    """`db check` on a server: what PostgreSQL itself knows to be unfinished (fault 22)."""
    with outside(fleet.url, write=True) as tx:
        tx.run("UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'ix_alias_shipment'::regclass")
    found = check(fleet.settings, NOW)
    assert [each.what for each in found.findings] == ["damaged"]
    assert "ix_alias_shipment" in found.findings[0].message


async def test_every_worker_prunes_its_own_journal_once_a_day(fleet: Keep) -> None:
    """Fault 27: a journal is cut by whoever holds it open, whichever worker has the turn for the rest of the retention."""
    clock = SimulatedClock(NOW + 500 * DAY)
    told = {}
    for name in ("a", "b"):
        loaded = config.load(fleet.folder / "tracker.toml", environ={"TRACKER_WORKER": name})
        with Journal(loaded.settings.journal) as book:
            for day in (0, 1, 450):
                book.begin(f"order/8001:{name}:{day}", attempt=1, channel=Channel.SMTP, now=NOW + day * DAY)
        store = await open_store(fleet.url, clock=clock, daemon=True, worker=name)
        rooms = assemble(loaded, store, clock)
        try:
            for _ in range(2):
                await full_pass([unit for unit in rooms.units if unit.name in {"journal", "errands"}])
            told = {errand: done.result for errand, done in (await store.errands()).items()}
        finally:
            await rooms.close()
            await store.close()
        kept = [entry.key.rpartition(":")[2] for entry in journal.read(loaded.settings.journal)]
        assert kept == ["1", "450"], "the last line before the limit stays: a backup may name it"
        assert "bytes of the send journal" in told[f"journal of {name}"]
    assert "journal" not in told["retention"], "one worker's retention touches nobody's journal"
    assert len(list(journal.read(fleet.settings.journal))) == 2, "nor that of a worker who is away"


async def test_a_journal_reaches_back_to_the_oldest_backup_of_any_host(fleet: Keep) -> None:
    """Fault 36: the backup may lie on the host that had the turn for it; without the lines since then, a restore sends twice."""
    clock = SimulatedClock(NOW + 500 * DAY)
    for name in ("a", "b"):
        folder = fleet.folder / f"backups of {name}"
        folder.mkdir()
        environ = {"TRACKER_WORKER": name, "TRACKER__BACKUP__DIR": str(folder)}
        loaded = config.load(fleet.folder / "tracker.toml", environ=environ)
        if name == "a":
            (folder / name_of(NOW + 3 * DAY)).touch()
        with Journal(loaded.settings.journal) as book:
            for day in (0, 1, 5, 450):
                book.begin(f"order/8001:{name}:{day}", attempt=1, channel=Channel.SMTP, now=NOW + day * DAY)
        store = await open_store(fleet.url, clock=clock, daemon=True, worker=name)
        rooms = assemble(loaded, store, clock)
        try:
            await full_pass([unit for unit in rooms.units if unit.name == "journal"])
        finally:
            await rooms.close()
            await store.close()
        kept_days = [entry.key.rpartition(":")[2] for entry in journal.read(loaded.settings.journal)]
        assert kept_days == ["1", "5", "450"], name
    async with fleet.store() as store:
        await store.forget_worker("a", by="Mei", reason="that host was given back", now=NOW)
        assert await store.oldest_backup("b", None) is None


async def test_a_journal_is_looked_at_where_it_lies(fleet: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 36: another host's journal is no finding here, and its newest send is not missed in ours; our own are."""
    monkeypatch.setattr("tracker.store.workers.socket.gethostname", lambda: "osaka.example")
    far = await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="osaka-1")
    await far.know_journal("osaka-1", "/var/lib/tracker/osaka-1/send-journal.jsonl")
    told = await decided(far, pending(decision(Intent.STAGE2)), now=LATER)
    (row,) = await far.due_rows(LATER, 1)
    assert await far.claim_row(row.id, who="test", version=told.version, now=LATER)
    await far.finish_row(row.id, OutboxState.SENT, LATER, provider_id="queue-2")
    await far.close()
    monkeypatch.undo()
    found = check(fleet.settings, LATER)
    assert found.findings == ()
    assert [(each.worker, each.host) for each in found.elsewhere] == [("osaka-1", "osaka")]
    near = await open_store(fleet.url, clock=FixedClock(NOW), daemon=True, worker="near")
    await near.know_journal("near", str(fleet.folder / "near.jsonl"))
    await near.know_journal("forgotten", "/var/lib/tracker/forgotten/send-journal.jsonl")
    await near.close()
    found = check(fleet.settings, LATER)
    assert [(each.what, "near.jsonl" in each.message, "osaka" in each.message) for each in found.findings] == [
        ("journal_missing", True, False)
    ]
    assert [(each.worker, each.host) for each in found.elsewhere] == [("forgotten", None), ("osaka-1", "osaka")]
    (fleet.folder / "near.jsonl").touch()
    fleet.settings.journal.write_text("")
    assert [each.what for each in check(fleet.settings, LATER).findings] == ["journal_cut"]
