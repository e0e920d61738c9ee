"""Files into the store: what `tracker import` and the watched folder share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from tracker.config import ConfigError, Loaded, Problem, defaults_dir
from tracker.intake.errors import FileError, FormatsError
from tracker.intake.files import Contents, read_contents
from tracker.intake.profiles import Formats, load_formats
from tracker.intake.reading import NO_WISH, Wish, read_contents_as_batch
from tracker.intake.rejected import write_rejected
from tracker.intake.report import FileReport, report_of
from tracker.model import ImportBatch, ImportOutcome
from tracker.rules import Rules


class ImportStore(Protocol):
    """The store's half (tracker.store)."""

    async def save_import(self, batch: ImportBatch, now: datetime, *, dry_run: bool = False) -> ImportOutcome:
        """Save a batch in one go, or only count what it would change."""
        ...


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a file takes beside the file: the format table and the rules (stores, services, marketplaces)."""

    formats: Formats
    rules: Rules


def knowledge_of(loaded: Loaded) -> Knowledge:
    """The shipped formats with the formats.toml beside tracker.toml over them. Raises ConfigError."""
    own = loaded.settings.folder / "formats.toml"
    try:
        return Knowledge(formats=load_formats(defaults_dir() / "formats.toml", own), rules=loaded.rules)
    except FormatsError as error:
        said = str(error).removeprefix("formats.toml: ")
        raise ConfigError([Problem(file=str(own), line=None, key="", message=said)]) from error


async def import_files(
    paths: Iterable[Path], store: ImportStore, now: datetime, *, knowledge: Knowledge, wish: Wish = NO_WISH, dry_run: bool = False
) -> list[FileReport]:
    """Import each file; a file that cannot be taken does not stop the next. A dry run writes nothing, not even a rejected file.

    Rejected rows go to `<name>.rejected.csv` beside the file. Store errors propagate.
    """
    reports = []
    for path in paths:
        try:
            contents = await asyncio.to_thread(read_contents, path)
            report = await import_contents(path, contents, store, now, knowledge=knowledge, wish=wish, dry_run=dry_run)
        except FileError as error:
            report = FileReport(file=str(path), error=str(error), dry_run=dry_run)
        reports.append(report)
    return reports


async def import_contents(
    path: Path,
    contents: Contents,
    store: ImportStore,
    now: datetime,
    *,
    knowledge: Knowledge,
    wish: Wish = NO_WISH,
    dry_run: bool = False,
    rejected_to: Path | None = None,
) -> FileReport:
    """Import bytes already read; `rejected_to` is the folder of the rejected file (default: beside `path`). Raises FileError."""
    batch = await asyncio.to_thread(read_contents_as_batch, contents, formats=knowledge.formats, rules=knowledge.rules, wish=wish)
    outcome = await store.save_import(batch, now, dry_run=dry_run)
    report = report_of(path, batch, outcome, dry_run=dry_run)
    if dry_run or not batch.rejected:
        return report
    try:
        written = await asyncio.to_thread(write_rejected, batch, rejected_to or path.parent)
    except OSError as error:
        unwritten = f"the rejected rows could not be written beside the file ({error.strerror}); they are listed here"
        return msgspec.structs.replace(report, warnings=(*report.warnings, unwritten))
    return msgspec.structs.replace(report, rejected_file=str(written))
