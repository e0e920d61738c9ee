"""Files into the store: what `tracker import` and the watched folder share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from tracker.config import ConfigError, Loaded, Problem, defaults_dir
from tracker.intake.errors import FileError, FormatsError
from tracker.intake.files import Contents, read_contents
from tracker.intake.loading import Profile, load_all
from tracker.intake.profiles import Formats
from tracker.intake.reading import NO_WISH, Wish, read_contents_as_batch
from tracker.intake.rejected import write_rejected
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


def knowledge_of(loaded: Loaded) -> Knowledge:
    """The shipped formats with the formats.toml and the profiles/ beside tracker.toml over them. Raises ConfigError."""
    try:
        found = load_all(defaults_dir() / "formats.toml", loaded.settings.folder)
    except FormatsError as error:
        raise ConfigError(error.problems) from error
    return Knowledge(formats=found.formats, rules=loaded.rules, profiles=found.profiles, problems=found.problems)


async def import_files(
    paths: Iterable[Path], store: ImportStore, now: datetime, *, knowledge: Knowledge, wish: Wish = NO_WISH, dry_run: bool = False
) -> list[FileReport]:
    """Import each file; a file that cannot be taken does not stop the next. A dry run writes nothing, not even a rejected file.

    Rejected rows go to `<name>.rejected.csv` beside the file. Store errors propagate.
    """
    if dry_run:
        return await _rehearsed(list(paths), store, now, knowledge, wish)
    reports = []
    for path in paths:
        try:
            contents = await asyncio.to_thread(read_contents, path)
            report = await import_contents(path, contents, store, now, knowledge=knowledge, wish=wish)
        except FileError as error:
            report = FileReport(file=str(path), error=str(error))
        reports.append(report)
    return reports


async def _rehearsed(
    paths: Sequence[Path], store: ImportStore, now: datetime, knowledge: Knowledge, wish: Wish
) -> list[FileReport]:
    """All files together, as they would be imported: a later one finds the orders that an earlier one would bring."""
    read: dict[int, ImportBatch | FileError] = {}
    for at, path in enumerate(paths):
        try:
            contents = await asyncio.to_thread(read_contents, path)
            read[at] = await asyncio.to_thread(
                read_contents_as_batch, contents, formats=knowledge.formats, rules=knowledge.rules, wish=wish
            )
        except FileError as error:
            read[at] = error
    outcomes = iter(await store.rehearse_import([each for each in read.values() if isinstance(each, ImportBatch)], now))
    return [
        FileReport(file=str(paths[at]), error=str(found), dry_run=True)
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
    if not batch.rejected:
        return report
    try:
        written = await asyncio.to_thread(write_rejected, batch, rejected_to or path.parent)
    except OSError as error:
        unwritten = f"the rejected rows could not be written beside the file ({error.strerror}); they are listed here"
        return msgspec.structs.replace(report, warnings=(*report.warnings, unwritten))
    return msgspec.structs.replace(report, rejected_file=str(written))
