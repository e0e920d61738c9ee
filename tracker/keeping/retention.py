"""`tracker db purge` and its errand: forget what [retention] no longer allows, in small steps beside all else (fault 27)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from tracker import journal
from tracker.clock import Clock
from tracker.config import Settings
from tracker.store import AnotherDaemon, Store
from tracker.store.outside import alone

_STAMP = re.compile(r"tracker-(\d{8}T\d{6})Z[^/]*\.db$")

_SLACK = timedelta(days=1)
"""A journal line's time and a backup's may come from different clocks."""

_BREATH = 0.01
"""Seconds between two windows of ids: messages and polls go first."""


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten, or with `dry_run` would be. `journal_bytes` is None where the journal was left to the daemon."""

    orders: int
    parcels: int
    answers: int
    files: int
    journal_bytes: int | None
    dry_run: bool

    def __str__(self) -> str:
        """One sentence for the schedule's memory and the audit."""
        kept = "" if self.journal_bytes is None else f", {self.journal_bytes:,} bytes of the send journal"
        told = f"{self.orders:,} orders without names, {self.parcels:,} parcels without scans, {self.answers:,} raw answers"
        return f"{told}, {self.files:,} read files{kept}"


async def purge(
    store: Store, settings: Settings, clock: Clock, *, by: str, prune: Callable[[datetime], int | None], dry_run: bool = False
) -> Purged:
    """Forget what is old enough at the clock's now. `prune` cuts the send journal before an instant."""
    now, rules = clock.now(), settings.retention
    orders = parcels = 0
    after: int | None = 0
    while after is not None:
        done = await store.forget(
            after,
            names_before=_before(now, rules.personal_days),
            scans_before=_before(now, rules.scans_days),
            now=now,
            dry_run=dry_run,
        )
        orders, parcels, after = orders + done.orders, parcels + done.parcels, done.next_after
        if after is not None:
            await clock.sleep(_BREATH)
    answers = await _forget_answers(store, clock, _before(now, rules.answers_days), dry_run=dry_run)
    files = [] if settings.inbox is None else await asyncio.to_thread(_old_files, settings.inbox, now, rules.files_days)
    freed = None
    if not dry_run:
        for file in files:
            file.unlink(missing_ok=True)
        freed = prune(journal_from(settings, now, oldest_backup(settings)))
    purged = Purged(orders=orders, parcels=parcels, answers=answers, files=len(files), journal_bytes=freed, dry_run=dry_run)
    if not dry_run and (orders or parcels or answers or files):
        await store.note_purge(by=by, what=str(purged), now=now)
    return purged


async def _forget_answers(store: Store, clock: Clock, before: datetime | None, *, dry_run: bool) -> int:
    """Raw answers that are older; how many."""
    if before is None:
        return 0
    if dry_run:
        return await store.old_answers(before)
    gone = 0
    while found := await store.forget_answers(before):
        gone += found
        await clock.sleep(_BREATH)
    return gone


def prune_unless_running(settings: Settings) -> Callable[[datetime], int | None]:
    """For a command: a daemon that runs prunes its journal itself, because it holds it open."""

    def cut(before: datetime) -> int | None:
        try:
            with alone(settings.database_url):
                return journal.prune(settings.journal, before)
        except AnotherDaemon:
            return None

    return cut


def oldest_backup(settings: Settings) -> datetime | None:
    """When the oldest backup in this host's folder was taken, by its name; None: there is none."""
    return min(_taken(settings.backup.dir.glob("*.db")), default=None)


def journal_from(settings: Settings, now: datetime, oldest: datetime | None) -> datetime:
    """Since when a send journal has to be kept: its own days, and always the oldest backup that it may be wanted for."""
    oldest = now if oldest is None else oldest
    return min(now - timedelta(days=settings.retention.journal_days), oldest - _SLACK)


def _taken(files: Iterable[Path]) -> list[datetime]:
    found = [_STAMP.search(file.name) for file in files]
    return [datetime.strptime(each[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for each in found if each is not None]


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _old_files(inbox: Path, now: datetime, days: int) -> list[Path]:
    """Order files that were read, and what is left of those that could not be, by the time they were moved."""
    before = _before(now, days)
    if before is None:
        return []
    found = [
        file for name in ("done", "failed") for file in (inbox / name).rglob("*") if file.is_file() and not file.is_symlink()
    ]
    return [file for file in found if _moved_at(file) < before.timestamp()]


def _moved_at(file: Path) -> float:
    """A file keeps the time of its export when it is moved: what changes then is its inode's."""
    return file.stat().st_ctime
