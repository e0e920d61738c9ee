"""Where backups go, what they are called, which of them stay (facts/operator-experience.md section 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tracker import journal
from tracker.config import BackupSettings, Settings
from tracker.store.backup import PARTIAL, Backup, JournalMark, back_up, journals_of

_NAME = "tracker-{at:%Y%m%dT%H%M%SZ}{why}.db"
_DAILY = "tracker-????????T??????Z.db"
"""What the schedule removes again; a copy with another name is somebody's own."""

_DAY = 86_400

BEFORE_UPGRADE = "-before-upgrade"
BEFORE_RESTORE = "-before-restore"
"""Why a copy was made that no schedule removes."""


def name_of(now: datetime, why: str = "") -> str:
    """A backup's file name: its UTC time, so that names sort by age."""
    return _NAME.format(at=now, why=why)


def make(settings: Settings, target: Path | None, now: datetime, *, why: str = "") -> Backup:
    """Copy the database into `target`: a new file, a folder, or (None) the configured folder, which is made.

    Raises DatabaseMissing, Damaged, Locked, Unwritable, BackupRefused; then there is no file.
    """
    folder = settings.backup.dir
    if target is None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder
    if target.is_dir():
        target /= name_of(now, why)
    # First the journals, then the snapshot: what is sent between the two is read twice, never lost.
    marks = marks_of(journals(settings, journals_of(settings.database_url)))
    return back_up(settings.database_url, target, marks, now)


def journals(settings: Settings, known: Mapping[str, str]) -> dict[str, Path]:
    """Worker -> send journal: those that the database knows, and the configured one."""
    found = {worker: Path(path) for worker, path in known.items()}
    if settings.journal not in found.values():
        found.setdefault(settings.worker or MAIN, settings.journal)
    return found


MAIN = "tracker"
"""The worker of a house with one."""


def marks_of(files: Mapping[str, Path]) -> tuple[JournalMark, ...]:
    """How far each journal has come."""
    return tuple(
        JournalMark(worker=worker, path=str(path), newest=journal.newest_line(path)) for worker, path in sorted(files.items())
    )


def kept(folder: Path) -> list[Path]:
    """The daily backups, newest first."""
    return sorted(folder.glob(_DAILY), reverse=True)


async def daily(settings: Settings, now: datetime) -> str:
    """The errand: one more copy, checked; then those that are too many go. What it did, in a sentence."""
    backup = await asyncio.to_thread(make, settings, None, now)
    gone = await asyncio.to_thread(_tidy, settings.backup, Path(backup.path), now)
    return f"{backup.path}, {backup.bytes:,} bytes, checked" + (f"; {gone} older removed" if gone else "")


def _tidy(settings: BackupSettings, newest: Path, now: datetime) -> int:
    """Remove what is too many, and what a crash left unfinished; the newest stays whatever its name says."""
    for left in settings.dir.glob(f"tracker-*{PARTIAL}"):
        if now.timestamp() - left.stat().st_mtime > _DAY:
            left.unlink(missing_ok=True)
    surplus = [each for each in kept(settings.dir)[settings.keep :] if each != newest]
    for old in surplus:
        old.unlink(missing_ok=True)
    return len(surplus)
