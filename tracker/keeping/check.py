"""`tracker db check`: what is wrong with the database or its keeping, each with what to do (operator-experience.md section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tracker import journal
from tracker.config import Settings
from tracker.keeping.backup import journals
from tracker.model import Attempt
from tracker.store.backup import known_journals
from tracker.store.checking import Examined, examine
from tracker.store.outside import outside
from tracker.store.schema import SchemaState, SchemaVerdict, schema_state
from tracker.store.workers import Worker, hostname, known_workers

OLDEST_BACKUP = timedelta(hours=50)
"""Two days, and time for a long copy: then a daily backup has been missed."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that wants a person: a word for scripts, what it is, what to do."""

    what: str
    message: str
    todo: str


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A send journal that can only be looked at where it lies. `host` None: nobody knows, its worker is none of the fleet's."""

    worker: str
    host: str | None
    journal: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The schema, and everything that was found; nothing but the schema is looked at where that is not this version's."""

    schema: SchemaState
    findings: tuple[Finding, ...]
    elsewhere: tuple[Elsewhere, ...] = ()
    last_backup: datetime | None = None


def check(settings: Settings, now: datetime) -> Checked:
    """Look at the database beside whoever works on it. Raises DatabaseMissing, Damaged, Locked."""
    state = schema_state(settings.database_url)
    if state.verdict is not SchemaVerdict.CURRENT:
        return Checked(schema=state, findings=())
    with outside(settings.database_url) as tx:
        known, workers = known_journals(tx), known_workers(tx)
        fleet = tx.fleet
    away = _elsewhere(settings, known, workers) if fleet else ()
    known = {worker: path for worker, path in known.items() if worker not in {each.worker for each in away}}
    attempts = journal.attempts(entry for path in journals(settings, known).values() for entry in journal.read(path))
    found = examine(settings.database_url, attempts, _ours(settings, workers) if fleet else None)
    findings = [*_database(found), *_journal(found, known, attempts), *_backup(found, settings, now)]
    return Checked(schema=state, findings=tuple(findings), elsewhere=away, last_backup=found.last_backup)


def _ours(settings: Settings, workers: Iterable[Worker]) -> set[str]:
    """The workers of this host: by their name, or because they ran here last."""
    return {each.name for each in workers if each.name == settings.worker or each.host == hostname()}


def _elsewhere(settings: Settings, known: dict[str, str], workers: Iterable[Worker]) -> tuple[Elsewhere, ...]:
    """The journals that nobody can expect here: of workers of other hosts, and of no worker where there is no such file."""
    ours, hosts = _ours(settings, workers), {each.name: each.host for each in workers}
    return tuple(
        Elsewhere(worker=worker, host=hosts.get(worker), journal=path)
        for worker, path in known.items()
        if worker not in ours and (worker in hosts or not Path(path).is_file())
    )


def _database(found: Examined) -> Iterator[Finding]:
    if found.structure:
        todo = "Stop the daemon, keep the file, and put a backup back: tracker db restore FILE"
        yield Finding(what="damaged", message=f"The file is damaged: {'; '.join(found.structure)}.", todo=todo)
    if found.references:
        todo = "Keep a copy (tracker db backup), and report it with these lines."
        yield Finding(what="references", message=f"References lead nowhere: {'; '.join(found.references)}.", todo=todo)
    if found.retired is not None:
        mark = found.retired
        gone = f"; its work goes on at {mark.to}" if mark.to else ""
        message = f"Retired on {mark.at:%Y-%m-%d %H:%MZ} by {mark.by}: {mark.reason}{gone}."
        yield Finding(what="retired", message=message, todo="Nothing, if that is so. Else: tracker db retire --undo")


def _journal(found: Examined, known: dict[str, str], attempts: dict[str, Attempt]) -> Iterator[Finding]:
    if found.forgotten:
        count, newest = len(found.forgotten), found.forgotten[-1]
        message = (
            f"The send journal knows {count:,} sends that the database does not (the newest: {newest}): it was put back by hand."
        )
        todo = "Stop the daemon: systemctl stop tracker. Then: tracker db restore FILE (the backup, or the database's own file)"
        yield Finding(what="behind_journal", message=message, todo=todo)
    gone = [path for path in known.values() if not Path(path).is_file()]
    if gone:
        message = f"The send journal {', '.join(gone)} is gone: a restored backup could not know what was sent."
        yield Finding(
            what="journal_missing", message=message, todo="Bring it back if you moved it; make a new backup: tracker db backup"
        )
    elif known and found.last_send is not None and found.last_send not in attempts:
        message = f"The send journal does not know the newest send of the database ({found.last_send}): it was replaced or cut."
        yield Finding(
            what="journal_cut", message=message, todo="Bring the old one back, or make a new backup now: tracker db backup"
        )


def _backup(found: Examined, settings: Settings, now: datetime) -> Iterator[Finding]:
    if found.rehearsal or found.retired is not None:
        return
    failed = found.backup_errand
    if failed is not None and failed.error is not None:
        message = f"The daily backup fails since {failed.failed_at:%Y-%m-%d %H:%MZ}: {failed.error}"
        yield Finding(
            what="backup_failed", message=message, todo=f"Mend that; the folder is {settings.backup.dir}. Then: tracker db backup"
        )
    elif now - (found.last_backup or found.created_at) > OLDEST_BACKUP:
        age = "never made" if found.last_backup is None else f"{(now - found.last_backup).days} days old"
        todo = "Make one now: tracker db backup. The daemon makes one a day ([backup] at); see: tracker logs, tracker status"
        yield Finding(what="backup_old", message=f"The last backup is {age}.", todo=todo)
