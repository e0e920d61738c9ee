"""`db restore`: what it refuses, what it keeps, and that a crash leaves one of the two databases (faults row 36)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.keeping.test_backup import _tracker
from tests.store.build import NOW, decided, decision, held, pending, tasked
from tracker.journal import Journal
from tracker.keeping.restore import BLIND, WithoutJournal
from tracker.model import Channel, DecisionReason, HoldReason, Intent, TaskState
from tracker.store import (
    AnotherDaemon,
    BackupRefused,
    JournalMissing,
    Locked,
    Retired,
    SchemaTooNew,
    StoreError,
    TaskResult,
    Unwritable,
    create,
    schema,
)
from tracker.store.retiring import Retirement, retire

LATER = NOW + timedelta(hours=2)


def _bytes(keep: Keep) -> bytes:
    """What the database says, whatever journal mode its file is in."""
    with closing(sqlite3.connect(keep.database)) as raw:
        return "\n".join(raw.iterdump()).encode()


async def test_the_replaced_database_is_kept_and_the_new_one_looks_like_it(keep: Keep) -> None:
    """Nothing is thrown away, and the daemon's user can open the new file as it could the old one."""
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    keep.database.chmod(0o660)
    done = keep.restore(file)
    assert done.kept is not None
    kept = Path(done.kept)
    assert kept.name == "tracker.db.before-restore-20260902T080000Z"
    assert stat.S_IMODE(keep.database.stat().st_mode) == 0o660
    assert sorted(each.name for each in keep.folder.glob("tracker.db*")) == ["tracker.db", kept.name, "tracker.db.lock"]
    shutil.move(kept, keep.database)
    assert await keep.states() == {"stage1": "sent", "stage2": "sent"}


async def test_the_epoch_rises_above_both(keep: Keep) -> None:
    """Fault 21: a daemon that still has the old file open somewhere writes nothing more."""
    file = keep.back_up()
    for _ in range(3):
        await keep.work()
    keep.restore(file)
    async with keep.store(daemon=True) as store:
        assert store.epoch == 6


async def test_a_dry_run_says_the_same_and_changes_nothing(keep: Keep) -> None:
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    before = _bytes(keep)
    dry = keep.restore(file, dry_run=True)
    assert (dry.sent, dry.kept) == (1, None)
    assert _bytes(keep) == before
    assert not list(keep.folder.glob("*.restoring*"))
    assert keep.restore(file).sent == dry.sent


async def test_not_while_a_daemon_holds_the_database(keep: Keep) -> None:
    file = keep.back_up()
    async with keep.store(daemon=True):
        with pytest.raises(AnotherDaemon, match="systemctl stop tracker"):
            keep.restore(file)


async def test_not_while_a_command_has_it_open(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next write would go into the file that was put aside."""
    from tracker.store import restoring

    monkeypatch.setattr(restoring, "_FOLD_MS", 50)
    file = keep.back_up()
    async with keep.store():
        with pytest.raises(Locked, match="Another tracker command"):
            keep.restore(file)
    assert keep.restore(file).kept


def _cut(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096 : 4096 * 3] = os.urandom(4096 * 2)
    file.write_bytes(data)


def _text(file: Path) -> None:
    file.write_text("a letter")


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE notes (id INTEGER)")


def _newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()


def _rehearsal(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE meta SET value = 'yes' WHERE key = 'rehearsal'")
        raw.commit()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (_cut, BackupRefused, "damaged"),
        (_text, BackupRefused, "no database"),
        (_foreign, BackupRefused, "not one of Tracker's"),
        (_newer, SchemaTooNew, "9999"),
        (_rehearsal, BackupRefused, "rehearsal"),
        (Path.unlink, BackupRefused, "There is no file"),
    ],
)
async def test_a_file_that_must_not_be_put_back(keep: Keep, spoil: object, error: type[StoreError], says: str) -> None:
    """Each refusal is a sentence, and everything is as it was."""
    file = keep.back_up()
    spoil(file)  # type: ignore[operator]
    before = _bytes(keep)
    with pytest.raises(error, match=says):
        keep.restore(file)
    assert _bytes(keep) == before
    assert not list(keep.folder.glob("*.restoring*"))


async def test_an_older_schema_is_upgraded_after_the_copy(keep: Keep) -> None:
    file = keep.folder / "old.db"
    os.close(os.open(file, os.O_CREAT))
    schema.migrate(file, "0001")
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("INSERT INTO meta VALUES ('created_at', '2026-01-01 00:00:00.000000'), ('rehearsal', 'no')")
        raw.execute("INSERT INTO daemon VALUES (1, 0, 'nobody', '2026-01-01 00:00:00.000000')")
        raw.commit()
    before = file.read_bytes()
    done = keep.restore(file)
    assert (done.upgraded_from, done.lost, done.sent) == ("0001", (), 1)
    assert file.read_bytes() == before
    assert await keep.states() == {}


async def test_a_lost_journal_is_a_refusal(keep: Keep) -> None:
    """Nobody knows then what was sent; the way out is named."""
    file = keep.back_up()
    keep.settings.journal.unlink()
    with pytest.raises(JournalMissing, match="--without-journal"):
        keep.restore(file)


async def test_a_journal_that_begins_after_the_backup_is_as_good_as_lost(keep: Keep) -> None:
    file = keep.back_up()
    keep.settings.journal.unlink()
    await keep.work(Intent.STAGE2, at=LATER)
    with pytest.raises(JournalMissing, match="does not reach back"):
        keep.restore(file)


async def test_a_copy_by_hand_wants_a_journal_that_knows_its_newest_send(keep: Keep) -> None:
    """It notes no line of the journal, so its own newest send has to stand in there."""
    by_hand = Path(shutil.copy(keep.database, keep.folder / "by-hand.db"))
    keep.settings.journal.unlink()
    await keep.work(Intent.STAGE2, at=LATER)
    with pytest.raises(JournalMissing, match="newest send"):
        keep.restore(by_hand)


async def test_a_moved_journal_is_named(keep: Keep) -> None:
    """A house that moved: the database knows the old path, the file lies elsewhere."""
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    moved = keep.settings.journal.rename(keep.folder / "from-the-old-server.jsonl")
    done = keep.restore(file, moved=(moved,))
    assert (done.sent, done.journals) == (1, (str(moved),))


async def test_every_journal_that_the_database_knows_is_wanted(keep: Keep) -> None:
    async with keep.store() as store:
        await store.know_journal("second", str(keep.folder / "second.jsonl"))
    with pytest.raises(JournalMissing, match="second"):
        keep.restore(keep.back_up())


async def test_without_the_journal_everything_waits_for_a_month(keep: Keep) -> None:
    """A person's word, and what comes due is held even where it was not due before the restore."""
    file = keep.back_up()
    keep.settings.journal.unlink()
    done = keep.restore(file, without=WithoutJournal(by="mei", reason="the disk burnt"))
    assert done.held_until == NOW + DAY + BLIND
    assert "is gone" in done.missing_journals["tracker"]
    async with keep.store(daemon=True, at=NOW + 2 * DAY) as store:
        await decided(store, pending(decision(Intent.STAGE2)), now=NOW + 2 * DAY)
        (row,) = await store.due_rows(NOW + 2 * DAY, 1)
        assert (await store.totals(row, NOW + 2 * DAY)).restored_until == done.held_until


async def test_on_the_first_day_there_is_no_journal_to_want(tmp_path: Path) -> None:
    """No daemon has ever worked here: whoever tries a restore out is not sent away."""
    keep = Keep(tmp_path)
    assert keep.restore(keep.back_up()).missing_journals == {}


async def test_what_was_on_its_way_is_held_but_for_what_is_a_persons_work_already(keep: Keep) -> None:
    """Messages and approved money wait; a window's task, a claim's line and what waits for review stay as they are."""
    async with keep.store() as store:
        claim = decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1")
        rows = [
            pending(decision(Intent.STAGE2)),
            pending(decision(Intent.EXTENSION, occasion="2026-09-30"), Channel.TASK),
            pending(claim, Channel.REGISTER),
            pending(decision(Intent.REFUND), Channel.TASK),
            held(decision(Intent.REFUND, occasion="1")),
        ]
        await decided(store, *rows)
    done = keep.restore(keep.back_up())
    assert done.held == 2
    async with keep.store() as store:
        found = {
            f"{view.row.intent.value}:{view.row.occasion}": (view.row.state.value, view.row.hold) for view in await store.outbox()
        }
    assert found == {
        "stage1:0": ("sent", None),
        "stage2:0": ("held", HoldReason.RESTORED),
        "refund:0": ("held", HoldReason.RESTORED),
        "refund:1": ("held", HoldReason.MONEY_NEEDS_APPROVAL),
        "extension:2026-09-30": ("pending", None),
        "compensation:1": ("pending", None),
    }


async def test_an_order_whose_effects_are_held_again_is_decided_again(keep: Keep) -> None:
    """I2: what its rules make of an effect on its way they need not make of a held one; its next date was worked out before."""
    async with keep.store() as store:
        await decided(store, pending(decision(Intent.REFUND), Channel.TASK))
        assert await store.due_dossiers(NOW, 10) == []
    keep.restore(keep.back_up())
    async with keep.store() as store:
        assert len(await store.due_dossiers(NOW + timedelta(days=1), 10)) == 1


async def test_a_retired_database_stays_retired(keep: Keep) -> None:
    file = keep.back_up()
    retire(keep.url, Retirement(at=NOW, by="mei", reason="moved"))
    with pytest.raises(Retired):
        keep.restore(file)


async def test_a_damaged_database_is_what_a_restore_is_for(keep: Keep) -> None:
    """Its write-ahead log goes with it: laid over the new file it would damage that one too."""
    file = keep.back_up()
    keep.database.write_bytes(b"burnt" * 5_000)
    keep.database.with_name("tracker.db-wal").write_bytes(b"left over")
    done = keep.restore(file)
    (kept,) = [file for file in keep.folder.iterdir() if str(file) == done.kept]
    assert kept.read_bytes().startswith(b"burnt")
    assert not keep.database.with_name("tracker.db-wal").exists()
    assert await keep.states() == {"stage1": "sent"}


async def test_a_database_that_is_gone_is_put_back(keep: Keep) -> None:
    file = keep.back_up()
    keep.database.unlink()
    keep.database.with_name("tracker.db-wal").write_bytes(b"left over")
    assert keep.restore(file).kept is None
    assert await keep.states() == {"stage1": "sent"}


async def test_no_room_for_the_copy_leaves_everything(keep: Keep) -> None:
    """Fault 4."""
    file = keep.back_up()
    before = _bytes(keep)
    done = _tracker(keep, "db", "restore", str(file), file_bytes=100_000)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Nothing was changed" in done.stderr
    assert _bytes(keep) == before
    assert not list(keep.folder.glob("*.restoring*"))


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    keep = Keep(tmp_path)
    file = keep.back_up()
    away = Keep.__new__(Keep)
    from msgspec.structs import replace

    away.settings = replace(keep.settings, database_url=f"sqlite:///{tmp_path}/nowhere/tracker.db")
    with pytest.raises(Unwritable, match="no folder"):
        away.restore(file)


@pytest.mark.parametrize(("point", "new"), [("restore_ready", False), ("restore_aside", False), ("restore_in_place", True)])
async def test_a_kill_leaves_one_of_the_two(keep: Keep, point: str, new: bool) -> None:
    """SIGKILL at each step: the old database, whole, or the new one, whole and replayed; the next restore goes through."""
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    async with keep.store() as store:
        await decided(store, pending(decision(Intent.STAGE3)), now=LATER)
    killed = _tracker(keep, "db", "restore", str(file), crash_at=point)
    assert killed.returncode == -signal.SIGKILL
    after = {"stage1": "sent", "stage2": "sent"}
    assert await keep.states() == (after if new else after | {"stage3": "pending"})
    assert keep.restore(file).sent == 1
    assert await keep.states() == after


async def test_a_rehearsal_takes_a_rehearsals_backup(tmp_path: Path) -> None:
    keep = Keep(tmp_path)
    keep.database.unlink()
    create(keep.url, rehearsal=True, now=NOW)
    assert not keep.restore(keep.back_up()).retired


async def test_a_command_that_comes_while_the_files_change_places_waits(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 36: its log would be laid over the new database, which would be damaged."""
    from tracker.store import restoring

    said = []

    def come(point: str) -> None:
        if point == "restore_aside":
            with closing(sqlite3.connect(keep.database, timeout=0, isolation_level=None)) as raw:
                try:
                    raw.execute("PRAGMA journal_mode=WAL")
                    raw.execute("UPDATE outbox SET state = 'cancelled'")
                except sqlite3.OperationalError as error:
                    said.append(str(error))

    monkeypatch.setattr(restoring, "fault", come)
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    keep.restore(file)
    assert said == ["database is locked"]
    assert await keep.states() == {"stage1": "sent", "stage2": "sent"}
    with closing(sqlite3.connect(keep.database)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def test_what_was_put_aside_is_never_written_over(keep: Keep) -> None:
    """Two restores within one second: the first one's replaced database stays."""
    file = keep.back_up()
    await keep.work(Intent.STAGE2, at=LATER)
    kept = Path(keep.restore(file).kept or "")
    with closing(sqlite3.connect(f"file:{kept}?immutable=1", uri=True)) as raw:
        before = list(raw.iterdump())
        with pytest.raises(Unwritable, match="already"):
            keep.restore(file)
        assert list(raw.iterdump()) == before


async def test_an_open_task_of_the_backup_may_have_been_done(keep: Keep) -> None:
    """Faults row 36: its clerk is told to ask first, and nobody takes it back to hand the same text out again (D17)."""
    wanted = decision(Intent.STAGE2)
    async with keep.store(daemon=True) as store:
        with Journal(keep.settings.journal) as book:
            book.begin(wanted.key, attempt=1, channel=Channel.TASK, now=NOW)
            task = await tasked(store, wanted, text="Dear Ana", group="stage2/shop")
    file = keep.back_up()
    async with keep.store(at=LATER) as store:
        await store.done_task(task, TaskResult(), by="mei", now=LATER)
    assert keep.restore(file).open_tasks == 1
    async with keep.store(daemon=True, at=LATER) as store:
        view = await store.task(task)
        assert view.items[0].facts == {"open_in_the_backup_of": "2026-09-01 08:00Z"}
        told = await decided(store, withdraw=((wanted.key, DecisionReason.DELIVERED),), now=LATER)
        assert told.version
        assert (await store.task(task)).state is TaskState.OPEN
