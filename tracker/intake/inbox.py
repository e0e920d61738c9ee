"""The watched folder: whoever may write into it is not trusted (faults row 31).

Only regular files of known suffixes, opened without following links, and only when nobody is still writing: size, time and
inode are the same as some seconds ago. Taken files go to `done/`, the others to `failed/` with a reason beside them; nothing
is overwritten. A folder that is called like a store (`lume/`) takes files that do not say whose they are: they are its own, and
keep their folder in `done/lume/` and `failed/lume/`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tracker.intake.errors import FileError, UnknownLayoutError
from tracker.intake.files import read_contents
from tracker.intake.importing import ImportStore, Knowledge, import_contents
from tracker.intake.reading import NO_WISH, Wish
from tracker.intake.rejected import refuse_rejected
from tracker.intake.report import FileReport
from tracker.log import Event, get_logger
from tracker.store.errors import StoreError

SUFFIXES = frozenset({".xls", ".xlsx", ".csv", ".txt", ".tsv"})
UNFINISHED = frozenset({".part", ".tmp", ".crdownload", ".filepart"})
SETTLED = timedelta(seconds=5)

_OURS = frozenset({"done", "failed"})
_REASON_FILE = re.compile(r".+\.reason(-\d+)?\.txt")

_Signature = tuple[int, int, int]
_log = get_logger()


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A file that left the inbox: where it went, and what was made of it (`note` for a person, None when all is well)."""

    name: str
    to: str | None
    report: FileReport
    note: str | None = None


class InboxReport(msgspec.Struct, frozen=True, kw_only=True):
    """One look: at most one file moved. `more` = another one is ready; `waiting` = files that somebody may still be writing."""

    moved: Moved | None = None
    more: bool = False
    waiting: int = 0


class Inbox:
    """One watched folder, and what the earlier looks saw there. A file of a store's folder is called `lume/orders.xls`."""

    def __init__(self, folder: Path) -> None:
        """`folder` and its `done/` and `failed/` are made on the first look."""
        self.folder = folder
        self._seen: dict[str, tuple[_Signature, datetime]] = {}
        self._stuck: dict[str, _Signature] = {}
        self._strangers: set[str] = set()

    def look(self, now: datetime, *, patient: bool, stores: Collection[str] = ()) -> tuple[list[str], int]:
        """(names that are ready, oldest name first; how many are not ready yet). An impatient look takes what is there.

        Raises FileError.
        """
        try:
            for folder in (self.folder, self.folder / "done", self.folder / "failed"):
                folder.mkdir(parents=True, exist_ok=True)
            self._refuse_link("")
            present = self._present("", self.folder)
            for folder in self.folder.iterdir():
                if _is_folder(folder) and folder.name not in _OURS:
                    inside = self._present(f"{folder.name}/", folder)
                    if folder.name in stores:
                        self._refuse_link(folder.name)
                        present |= inside
                    elif inside:
                        self._tell_stranger(folder.name, len(inside))
        except OSError as error:
            raise FileError(f"the inbox {self.folder} cannot be used: {error.strerror}") from error
        self._seen = {
            name: self._seen[name] if name in self._seen and self._seen[name][0] == signature else (signature, now)
            for name, signature in present.items()
        }
        stuck = {name for name, signature in present.items() if self._stuck.get(name) == signature}
        ready = [name for name, (_, since) in self._seen.items() if name not in stuck and (not patient or now - since >= SETTLED)]
        return sorted(ready), len(present) - len(ready) - len(stuck)

    def _refuse_link(self, store: str) -> None:
        """Whoever writes into the inbox must not choose where we put what he has written."""
        for where in sorted(_OURS):
            folder = self.folder / where / store
            if folder.is_symlink():
                raise FileError(f"{folder} is a link: put a folder there, or nothing")

    @staticmethod
    def _present(prefix: str, folder: Path) -> dict[str, _Signature]:
        return {f"{prefix}{path.name}": found for path in folder.iterdir() if (found := _signature(path)) is not None}

    def _tell_stranger(self, name: str, files: int) -> None:
        if name not in self._strangers:
            self._strangers.add(name)
            _log.warning(Event.INBOX_STRANGE_FOLDER, folder=name, files=files)

    def move(self, name: str, where: str, reason: str | None = None) -> Path | None:
        """Move a file to `done` or `failed`, with its reason; None when it changed meanwhile or cannot be moved."""
        source, signature = self.folder / name, self._seen[name][0]
        if _signature(source) != signature:
            return None
        try:
            folder = (self.folder / where / name).parent
            folder.mkdir(exist_ok=True)
            target = _free(folder, source.name)
            source.rename(target)
        except OSError:
            self._stuck[name] = signature
            return None
        if reason is not None:
            with suppress(OSError):  # a name too long for it, say: the log has the reason too
                back = "the inbox" if source.parent == self.folder else f"inbox/{source.parent.name}"
                told = f"{reason}\n\nMend it, then move the file back into {back}.\n"
                _free(target.parent, f"{target.name}.reason.txt").write_text(told, encoding="utf-8")
        return target


def failed_files(folder: Path) -> list[str]:
    """Names in `failed/` of the inbox `folder` that wait to be mended: whole files and rejected rows, not the reasons.

    A file of a store's folder is called `lume/orders.xls`. Raises OSError where the folder may not be read; one that is not there
    yet holds nothing.
    """
    failed = folder / "failed"
    try:
        folders = [failed, *filter(_is_folder, failed.iterdir())]
        present = [path for each in folders for path in each.iterdir() if _signature(path) is not None]
    except FileNotFoundError:
        return []
    return sorted(path.relative_to(failed).as_posix() for path in present if not _REASON_FILE.fullmatch(path.name))


async def scan_once(
    inbox: Inbox, store: ImportStore, now: datetime, *, knowledge: Knowledge, patient: bool = True
) -> InboxReport:
    """Import at most one file of the inbox. `patient=False` is for a single pass that cannot come back (`run --once`).

    Raises FileError where the folder itself cannot be used; store errors propagate.
    """
    with _alone(inbox.folder) as mine:
        if not mine:
            return InboxReport()
        ready, waiting = await asyncio.to_thread(inbox.look, now, patient=patient, stores=knowledge.rules.stores)
        if not ready:
            return InboxReport(waiting=waiting)
        moved = await _take(inbox, ready[0], store, now, knowledge)
        return InboxReport(moved=moved, more=len(ready) > 1, waiting=waiting)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether this worker may take a file: of those that share a folder it is one at a time. A lock of a dead one is gone."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield True  # it is not there yet, or cannot be used: whoever looks makes it, or says so
        return
    try:
        yield _locked(place)
    finally:
        os.close(place)


def _locked(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: each file is known by its content all the same
    return True


async def _take(inbox: Inbox, name: str, store: ImportStore, now: datetime, knowledge: Knowledge) -> Moved:
    try:
        report = await _imported(inbox.folder, name, store, now, knowledge)
    except UnknownLayoutError as error:
        report = FileReport(file=name, error=f"{error}. Run tracker import on the file: it proposes a mapping")
    except FileError as error:
        report = FileReport(file=name, error=str(error))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one file must not stop the others (faults row 33)
        report = FileReport(file=name, error=f"it holds something that nobody foresaw: {error!r}")
    why = _why_failed(report)
    target = await asyncio.to_thread(inbox.move, name, "failed" if why else "done", why)
    if why:
        _log.error(Event.INBOX_FAILED, file=name, reason=why.partition("\n")[0])
    else:
        counts = {"new": report.new, "updated": report.updated, "unchanged": report.unchanged}
        _log.info(Event.INBOX_IMPORTED, file=name, rows=report.rows, rejected=len(report.rejected), **counts)
    return Moved(name=name, to=str(target) if target else None, report=report, note=_note(report, why, target))


async def _imported(inbox: Path, name: str, store: ImportStore, now: datetime, knowledge: Knowledge) -> FileReport:
    path = inbox / name
    if path.suffix.casefold() not in SUFFIXES:
        raise FileError(f"{path.name} has no suffix of an order file: {', '.join(sorted(SUFFIXES))}")
    refuse_rejected(path)
    contents = await asyncio.to_thread(read_contents, path, inside=inbox)
    failed = (inbox / "failed" / name).parent
    await asyncio.to_thread(failed.mkdir, exist_ok=True)
    wish = NO_WISH if path.parent == inbox else Wish(store=path.parent.name)
    return await import_contents(path, contents, store, now, knowledge=knowledge, wish=wish, rejected_to=failed)


def _why_failed(report: FileReport) -> str | None:
    if report.error:
        return report.error
    if not report.taken:
        first, *more = [f"row {row.row}: {row.reason}" for row in report.rejected]
        return "\n".join([f"no row could be taken; {first}", *more])
    return None


def _note(report: FileReport, why: str | None, target: Path | None) -> str | None:
    if target is None:
        return f"{why or 'imported'}; left where it is: it was changed meanwhile, or cannot be moved"
    return why or ("already imported: nothing in it is new" if report.nothing_new else None)


def _signature(path: Path) -> _Signature | None:
    """Size, time of change and inode of what may be an order file; None for folders and unfinished files."""
    if path.name.startswith((".", "~$")) or path.suffix.casefold() in UNFINISHED:
        return None
    try:
        found = path.lstat()
    except OSError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else (found.st_size, found.st_mtime_ns, found.st_ino)


def _is_folder(path: Path) -> bool:
    """A folder itself, no link to one."""
    return path.is_dir() and not path.is_symlink()


def _free(folder: Path, name: str) -> Path:
    """A name in `folder` that is not taken: nothing there is ever overwritten."""
    target, count = folder / name, 1
    while target.exists() or target.is_symlink():
        count += 1
        target = folder / f"{Path(name).stem}-{count}{Path(name).suffix}"
    return target
