"""Files into the store: what `tracker import` and the watched folder share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from tracker.config import ConfigError, Loaded, Problem, defaults_dir
from tracker.intake.errors import FileError, FormatsError, UnknownLayoutError
from tracker.intake.files import Contents, read_contents
from tracker.intake.loading import Profile, load_all
from tracker.intake.profile_file import switch_on
from tracker.intake.profiles import Formats
from tracker.intake.proposing import proposed
from tracker.intake.reading import NO_WISH, Wish, read_contents_as_batch
from tracker.intake.rejected import clear_rejected, origin_of, refuse_rejected, write_rejected
from tracker.intake.report import FileReport, report_of
from tracker.model import ImportBatch, ImportOutcome
from tracker.rules import Rules


class ImportStore(Protocol):
    """The store's half (tracker.store)."""

    async def save_import(self, batch: ImportBatch, now: datetime) -> ImportOutcome:
        """Save a batch."""
        ...

    async def rehearse_import(self, batches: Sequence[ImportBatch], now: datetime) -> list[ImportOutcome]:
        """What saving these batches one after the other would change."""
        ...


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a file takes beside the file: the format table and the rules (stores, services, marketplaces)."""

    formats: Formats
    rules: Rules
    profiles: Mapping[str, Profile] = {}
    """Layouts of the operator's own, by id."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with profiles that are not in use yet."""
    folder: Path | None = None
    """That of tracker.toml: profiles/ lies in it."""


def knowledge_of(loaded: Loaded) -> Knowledge:
    """The shipped formats with the formats.toml and the profiles/ beside tracker.toml over them. Raises ConfigError."""
    try:
        found = load_all(defaults_dir() / "formats.toml", loaded.settings.folder)
    except FormatsError as error:
        raise ConfigError(error.problems) from error
    return Knowledge(
        formats=found.formats, rules=loaded.rules, profiles=found.profiles, problems=found.problems, folder=loaded.settings.folder
    )


async def import_files(
    paths: Iterable[Path], store: ImportStore, now: datetime, *, knowledge: Knowledge, wish: Wish = NO_WISH, dry_run: bool = False
) -> list[FileReport]:
    """Import each file; a file that cannot be taken does not stop the next. A dry run writes nothing, not even a rejected file.

    Rejected rows go to `<name>.rejected.csv` beside the file. Store errors propagate.
    """
    listed = list(paths)
    left_out = [_left_out(path) for path in listed if _beside_its_origin(path, listed)]
    listed = [path for path in listed if not _beside_its_origin(path, listed)]
    if dry_run:
        return [*await _rehearsed(listed, store, now, knowledge, wish), *left_out]
    reports = []
    for path in listed:
        try:
            contents = await asyncio.to_thread(_read, path)
            report = await import_contents(path, contents, store, now, knowledge=knowledge, wish=wish)
        except FileError as error:
            report = _not_taken(path, error, knowledge, wish, dry_run=False)
        else:
            report = await asyncio.to_thread(_agreed, report, knowledge, wish)
        reports.append(report)
    return [*reports, *left_out]


def _beside_its_origin(path: Path, listed: Sequence[Path]) -> bool:
    """Whether `import *.xls*` has brought rejected rows along with the file that they come from."""
    origin = origin_of(path.name)
    return origin is not None and path.with_name(origin) in listed


def _left_out(path: Path) -> FileReport:
    return FileReport(file=str(path), skipped=f"left out: the rows of {origin_of(path.name)} that were rejected before")


def _read(path: Path) -> Contents:
    refuse_rejected(path)
    return read_contents(path)


def _not_taken(path: Path, error: FileError, knowledge: Knowledge, wish: Wish, *, dry_run: bool) -> FileReport:
    """The report of a file that nobody could read; where only its layout is unknown, with a mapping to look at."""
    report = FileReport(file=str(path), error=str(error), dry_run=dry_run)
    if not isinstance(error, UnknownLayoutError):
        return report
    mapping = proposed(
        path,
        error,
        formats=knowledge.formats,
        rules=knowledge.rules,
        profiles=knowledge.profiles,
        folder=knowledge.folder,
        store=wish.store,
        write=not dry_run,
    )
    return msgspec.structs.replace(report, proposal=mapping)


def _agreed(report: FileReport, knowledge: Knowledge, wish: Wish) -> FileReport:
    """Using a proposed profile by its name is agreeing to it: from now on it is recognised unasked."""
    profile = knowledge.profiles.get(wish.format or "")
    if profile is None or profile.enabled or 2 * len(report.rejected) > report.rows or not report.taken:
        return report
    try:
        switch_on(profile.file)
    except OSError as error:
        told = f"{profile.file} could not be switched on ({error.strerror}): write enabled = true there"
    else:
        told = f"{profile.file} is switched on: files with these headers are recognised unasked from now on"
    return msgspec.structs.replace(report, warnings=(*report.warnings, told))


async def _rehearsed(
    paths: Sequence[Path], store: ImportStore, now: datetime, knowledge: Knowledge, wish: Wish
) -> list[FileReport]:
    """All files together, as they would be imported: a later one finds the orders that an earlier one would bring."""
    read: dict[int, ImportBatch | FileError] = {}
    for at, path in enumerate(paths):
        try:
            contents = await asyncio.to_thread(_read, path)
            read[at] = await asyncio.to_thread(
                read_contents_as_batch, contents, formats=knowledge.formats, rules=knowledge.rules, wish=wish
            )
        except FileError as error:
            read[at] = error
    outcomes = iter(await store.rehearse_import([each for each in read.values() if isinstance(each, ImportBatch)], now))
    return [
        _not_taken(paths[at], found, knowledge, wish, dry_run=True)
        if isinstance(found, FileError)
        else report_of(paths[at], found, next(outcomes), dry_run=True)
        for at, found in read.items()
    ]


async def import_contents(
    path: Path,
    contents: Contents,
    store: ImportStore,
    now: datetime,
    *,
    knowledge: Knowledge,
    wish: Wish = NO_WISH,
    rejected_to: Path | None = None,
) -> FileReport:
    """Import bytes already read; `rejected_to` is the folder of the rejected file (default: beside `path`). Raises FileError."""
    batch = await asyncio.to_thread(read_contents_as_batch, contents, formats=knowledge.formats, rules=knowledge.rules, wish=wish)
    report = report_of(path, batch, await store.save_import(batch, now))
    try:
        written = await asyncio.to_thread(_leave_rejected, batch, path, rejected_to)
    except OSError as error:
        if not batch.rejected:
            return report
        unwritten = f"the rejected rows could not be written beside the file ({error.strerror}); they are listed here"
        return msgspec.structs.replace(report, warnings=(*report.warnings, unwritten))
    return msgspec.structs.replace(report, rejected_file=str(written) if written else None)


def _leave_rejected(batch: ImportBatch, path: Path, folder: Path | None) -> Path | None:
    """Beside the file only this import's rows stay; in a `folder` nothing is ever replaced."""
    if folder is None:
        clear_rejected(path)
    return write_rejected(batch, folder or path.parent) if batch.rejected else None
