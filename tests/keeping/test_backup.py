"""Backups: taken beside the daemon, checked, of mode 0640, whole or not there at all (faults rows 4 and 36)."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.store.build import NOW, given, order
from tracker import journal
from tracker.keeping import backup
from tracker.model import Intent
from tracker.store import BackupRefused, DatabaseMissing, Unwritable
from tracker.store import backup as copying
from tracker.store.connection import plain

ROOT = Path(__file__).parents[2]


def _tracker(keep: Keep, *words: str, crash_at: str = "", file_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""

    def limited() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    code = "import sys; from tracker.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words, "--config", str(keep.folder / "tracker.toml")],
        cwd=ROOT,
        # Where coverage is measured, its own file would not fit onto the small disk either.
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")} | {"TRACKER_CRASH_AT": crash_at},
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


async def test_a_backup_is_taken_while_the_daemon_writes(keep: Keep) -> None:
    """Its snapshot is whole: what was written before it is in, and it says how far the journal had come."""
    async with keep.store(daemon=True) as daemon:
        made = await asyncio.to_thread(backup.make, keep.settings, None, NOW)
        await given(daemon, order("8002"), digest="d2")
    assert made.rows["dossier"] == 1
    with plain(Path(made.path)) as tx:
        assert copying.taken_at(tx) == NOW
        (mark,) = copying.noted_marks(tx)
    assert (mark.worker, mark.newest) == ("tracker", journal.newest_line(keep.settings.journal))


async def test_a_backup_is_one_file_that_only_its_group_may_read(keep: Keep) -> None:
    """It holds buyers' data; and it stands alone, so that copying one file is enough."""
    file = keep.back_up()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [each.name for each in file.parent.iterdir()] == [file.name] == ["tracker-20260901T080000Z.db"]
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("delete",)


async def test_a_file_or_a_folder_may_be_named_and_nothing_is_overwritten(keep: Keep, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted"
    elsewhere.mkdir()
    assert Path(backup.make(keep.settings, elsewhere, NOW).path).parent == elsewhere
    named = elsewhere / "monday.db"
    backup.make(keep.settings, named, NOW)
    size = named.stat().st_size
    with pytest.raises(BackupRefused, match="overwrites nothing"):
        backup.make(keep.settings, named, NOW)
    assert named.stat().st_size == size


async def test_a_disk_without_room_leaves_no_half_file(keep: Keep) -> None:
    """Fault 4: a clear sentence, exit 1, the database as it was."""
    done = _tracker(keep, "db", "backup", file_bytes=100_000)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(keep.settings.backup.dir.iterdir()) == []
    assert await keep.states() == {"stage1": "sent"}


async def test_too_little_room_is_said_before_the_disk_is_filled(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database beside it needs the last bytes itself."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5_000})())
    with pytest.raises(Unwritable, match="5,000 are free"):
        keep.back_up()
    assert list(keep.settings.backup.dir.iterdir()) == []


async def test_a_kill_before_the_name_leaves_only_a_partial_file_that_goes_later(keep: Keep) -> None:
    """SIGKILL: what has the name of a backup is a whole one."""
    killed = _tracker(keep, "db", "backup", crash_at="backup_written")
    assert killed.returncode == -signal.SIGKILL
    (left,) = keep.settings.backup.dir.iterdir()
    assert left.name.endswith(".db.partial")
    os.utime(left, (NOW.timestamp() - 2 * 86_400,) * 2)
    await backup.daily(keep.settings, NOW)
    assert [file.suffix for file in keep.settings.backup.dir.iterdir()] == [".db"]


async def test_a_copy_that_does_not_stand_the_check_is_no_backup(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_compare", _refuse)
    older = keep.settings.backup.dir / "tracker-20260101T000000Z.db"
    older.parent.mkdir()
    older.write_text("an older one")
    with pytest.raises(BackupRefused):
        await backup.daily(keep.settings, NOW)
    assert list(keep.settings.backup.dir.iterdir()) == [older]


def _refuse(*_: object) -> None:
    raise BackupRefused("the counts differ")


async def test_counts_that_differ_are_noticed(keep: Keep) -> None:
    counts = {"dossier": 5, "outbox": 2}
    copying._compare({"dossier": 5, "outbox": 3}, counts, {"dossier": 9, "outbox": 3}, Path("x"))
    with pytest.raises(BackupRefused, match="lacks rows of outbox"):
        copying._compare({"dossier": 5, "outbox": 1}, counts, counts, Path("x"))


async def test_so_many_daily_ones_stay_and_other_names_are_left_alone(tmp_path: Path) -> None:
    """Old ones go only after the new one has stood its check."""
    keep = Keep(tmp_path, backup='dir = "kept"\nkeep = 3')
    folder = keep.settings.backup.dir
    folder.mkdir()
    (folder / "monday.db").write_text("somebody's own")
    told = [await backup.daily(keep.settings, NOW + day * DAY) for day in range(5)]
    assert [file.name for file in backup.kept(folder)] == [f"tracker-2026090{day}T080000Z.db" for day in (5, 4, 3)]
    assert (folder / "monday.db").exists()
    assert "1 older removed" in told[-1]
    assert "older removed" not in told[2]


async def test_without_a_database_there_is_nothing_to_copy(keep: Keep) -> None:
    keep.database.rename(keep.folder / "away.db")
    with pytest.raises(DatabaseMissing):
        keep.back_up()


async def test_the_database_remembers_its_last_backup(keep: Keep) -> None:
    """`db check`, status and alerts ask for its age."""
    async with keep.store() as store:
        assert await store.last_backup() is None
    keep.back_up(NOW + DAY)
    async with keep.store() as store:
        assert await store.last_backup() == NOW + DAY
        assert await store.journals() == {"tracker": str(keep.settings.journal)}


async def test_a_later_backup_notes_a_later_line(keep: Keep) -> None:
    first = keep.back_up()
    await keep.work(Intent.STAGE2, at=NOW + timedelta(hours=1))
    second = keep.back_up(NOW + DAY)
    lines = []
    for file in (first, second):
        with plain(file) as tx:
            lines.append(copying.noted_marks(tx)[0].newest or "")
    assert ["stage1" in lines[0], "stage2" in lines[1]] == [True, True]


async def test_a_bad_backup_disk_is_no_damage_of_the_database(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 4: the daily copy fails and is told; Damaged would end the daemon, and name the wrong file."""
    real = copying.copy

    def spoilt(source: Path, target: Path) -> object:
        found = real(source, target)
        target.write_bytes(os.urandom(4096))
        return found

    monkeypatch.setattr(copying, "copy", spoilt)
    with pytest.raises(BackupRefused, match="dir"):
        keep.back_up()
    assert list(keep.settings.backup.dir.iterdir()) == []
    assert await keep.states() == {"stage1": "sent"}
