"""Putting a backup back so that nothing is sent twice (faults row 36, facts/daily-operations.md "Restore and move").

The backup has forgotten what happened since it was taken. The send journals have not: they are replayed before the database gets
its name. What people typed since is gone, so whatever came due since then waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tracker import journal
from tracker.config import Settings
from tracker.keeping.backup import BEFORE_RESTORE, MAIN, journals, make
from tracker.model import OutboxState
from tracker.store import JournalMissing, Retired, replacing
from tracker.store import restoring as store
from tracker.store.connection import is_postgres, place, sqlite_path
from tracker.store.replay import Settled
from tracker.store.restoring import Candidate, Present

BLIND = timedelta(days=30)
"""Without a journal nobody knows what was sent, so for so long whatever comes due waits for a person."""

_ASIDE = "{name}.before-restore-{at:%Y%m%dT%H%M%SZ}"


class WithoutJournal(msgspec.Struct, frozen=True):
    """A person's word that it must be done without the send journal."""

    by: str
    reason: str


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be put back at `now` (aware UTC), and who says so.

    `file` may be the database itself, where somebody copied it back by hand. `moved` are send journals that lie elsewhere now.
    """

    file: Path
    now: datetime
    by: str
    dry_run: bool = False
    moved: tuple[Path, ...] = ()
    without: WithoutJournal | None = None


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; with `dry_run`, what would. `unknown` lists keys for people, `lost` those whose order the backup lacks.

    `held` effects wait for `tracker hold release`; `held_until` says until when what comes due will wait as well; `open_tasks`
    stand as they stood when the backup was taken. `kept` is the replaced database.
    """

    file: str
    taken_at: datetime
    restored_at: datetime
    upgraded_from: str | None
    journals: tuple[str, ...]
    missing_journals: Mapping[str, str]
    sent: int
    failed: int
    unknown: tuple[str, ...]
    lost: tuple[str, ...]
    held: int
    held_until: datetime
    open_tasks: int
    retired: bool
    kept: str | None
    dry_run: bool


def restore(settings: Settings, wish: Wish) -> Restored:
    """Put a backup in the place of the configured database.

    Raises AnotherDaemon while a daemon runs, Retired, BackupRefused, SchemaTooNew, JournalMissing, Locked, Unwritable; then
    everything is as it was.
    """
    if is_postgres(settings.database_url):
        return _restore_rows(settings, wish)
    database = sqlite_path(settings.database_url)
    held = store.lock(database)
    try:
        present = store.look(database)
        if present is not None and present.retired:
            raise Retired(
                f"The database {database} was retired: it must not come back to life. If its work comes back to this machine, "
                f"put the file aside first: mv {database} {database}.retired"
            )
        candidate = store.prepare(wish.file, database, present)
        aside = database.with_name(_ASIDE.format(name=database.name, at=wish.now))
        try:
            return _restore(settings, wish, candidate, present, lambda: store.put_in_place(candidate.path, database, aside))
        finally:
            store.remove(candidate.path)
    finally:
        held.release()


def _restore_rows(settings: Settings, wish: Wish) -> Restored:
    """On a server: the file is readied in the state directory, a backup is made of what it replaces, then the rows change."""
    url = settings.database_url
    present = replacing.look(url)
    if present is not None and present.retired:
        raise Retired(
            f"The database {place(url)} was retired: it must not come back to life. If its work comes back, take that back "
            "first: tracker db retire --undo"
        )
    candidate = store.prepare(wish.file, settings.state_dir / "tracker.db", present)

    def replace() -> Path | None:
        kept = None if present is None else Path(make(settings, None, wish.now, why=BEFORE_RESTORE).path)
        replacing.replace_rows(url, candidate.path, wish.now)
        return kept

    try:
        return _restore(settings, wish, candidate, present, replace)
    finally:
        store.remove(candidate.path)


def _restore(
    settings: Settings, wish: Wish, candidate: Candidate, present: Present | None, put_in_place: Callable[[], Path | None]
) -> Restored:
    now, without = wish.now, wish.without
    found, missing = _find(settings, candidate, present, wish)
    if missing and without is None:
        raise _refusal(missing, candidate)
    until = now + BLIND if missing else now
    readied = store.ready(
        candidate,
        journal.attempts(entry for path in found for entry in journal.read(path)),
        epoch_=max(candidate.epoch, 0 if present is None else present.epoch) + 1,
        until=until,
        by=without.by if without else wish.by,
        reason=without.reason if without else f"backup of {candidate.taken_at:%Y-%m-%dT%H:%M:%SZ}",
        now=now,
    )
    kept = None if wish.dry_run else put_in_place()
    settled = readied.settled
    return Restored(
        file=str(wish.file),
        taken_at=candidate.taken_at,
        restored_at=now,
        upgraded_from=candidate.upgraded_from,
        journals=tuple(str(path) for path in found),
        missing_journals=missing,
        sent=_count(settled, OutboxState.SENT),
        failed=_count(settled, OutboxState.FAILED),
        unknown=tuple(each.key for each in settled if each.state is OutboxState.UNKNOWN and each.order),
        lost=tuple(each.key for each in settled if each.state is OutboxState.UNKNOWN and not each.order),
        held=readied.held,
        held_until=until,
        open_tasks=readied.open_tasks,
        retired=candidate.retired,
        kept=None if kept is None else str(kept),
        dry_run=wish.dry_run,
    )


def _count(settled: Iterable[Settled], state: OutboxState) -> int:
    return sum(each.state is state for each in settled)


def _find(settings: Settings, candidate: Candidate, present: Present | None, wish: Wish) -> tuple[list[Path], dict[str, str]]:
    """The journals to replay, and worker -> why for those that are missing."""
    known = candidate.journals | ({} if present is None else present.journals)
    known |= {mark.worker: known.get(mark.worker, mark.path) for mark in candidate.marks or ()}
    marks = {mark.worker: mark.newest for mark in candidate.marks or ()}
    # No daemon has ever worked on either: somebody tries it out on the first day.
    unsent = present is not None and present.epoch == candidate.epoch == 0
    found, missing = list(wish.moved), {}
    for worker, path in sorted(journals(settings, known).items()):
        ours = worker == (settings.worker or MAIN)
        there = [each for each in (*wish.moved, *_places(path, settings.journal, ours=ours)) if each.is_file()]
        newest = marks.get(worker)
        whole = [each for each in there if newest is None or journal.holds(each, newest)]
        found += whole[:1]
        if not there and not unsent:
            missing[worker] = f"{path} is gone"
        elif there and not whole:
            missing[worker] = f"{there[0]} does not reach back to the backup"
    found = list(dict.fromkeys(path.resolve() for path in found))
    if candidate.marks is None and not missing and not _covers(found, candidate):
        missing[journals(settings, known).popitem()[0]] = "it does not know the newest send of this copy"
    return found, missing


def _places(path: Path, configured: Path, *, ours: bool) -> list[Path]:
    """Where a journal may lie: where it lay, or, after a move to another machine, where the configuration says."""
    return [path, configured] if ours else [path, configured.parent / path.parent.name / path.name]


def _covers(found: Iterable[Path], candidate: Candidate) -> bool:
    """A copy made by hand notes no line: its newest send at least has to stand in a journal."""
    return candidate.last_send is None or any(entry.key == candidate.last_send for path in found for entry in journal.read(path))


def _refusal(missing: Mapping[str, str], candidate: Candidate) -> JournalMissing:
    told = "; ".join(f"of worker {worker}: {why}" for worker, why in missing.items())
    return JournalMissing(
        f"The send journal is missing ({told}), so nobody knows what was sent after {candidate.taken_at:%Y-%m-%d %H:%MZ}. "
        "Nothing was changed. Bring it back, or name where it lies now: tracker db restore FILE --journal PATH. If it is lost: "
        "tracker db restore FILE --without-journal --by NAME --reason TEXT, which holds everything that comes due for 30 days."
    )
