"""The database: there, of this version's schema, sound, backed up; and whether a daemon works on it and keeps up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tracker.clock import Clock, instant
from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn
from tracker.keeping.beside import unknown_sends
from tracker.store import SchemaVerdict, StoreError, open_store, schema_state
from tracker.store.connection import is_postgres, place, sqlite_path
from tracker.store.retiring import Retirement
from tracker.store.schema import require_sound
from tracker.store.workers import Worker

ABOUT = "database"

BEHIND = timedelta(hours=1)
"""What is due for longer than that is not being worked on."""

BACKUP_AGE = timedelta(hours=36)
"""A daily backup that is older has missed its turn."""

MISSED = timedelta(days=7)
"""So long after its last sign a worker is missed."""

CLOCK_SLACK = timedelta(minutes=5)

_UPGRADE = {
    SchemaVerdict.TOO_OLD: "tracker db upgrade",
    SchemaVerdict.TOO_NEW: "install the version that wrote it",
    SchemaVerdict.FOREIGN: "database.url in tracker.toml",
    SchemaVerdict.EMPTY: "tracker db upgrade",
}


async def database(loaded: Loaded, clock: Clock) -> list[Finding]:
    """Schema and structure first: without them nothing else is worth looking at."""
    url = loaded.settings.database_url
    try:
        state = schema_state(url)
        if state.verdict is not SchemaVerdict.CURRENT:
            return [fail(ABOUT, f"schema {state.found}, needed is {state.needed}", _UPGRADE[state.verdict])]
        if is_postgres(url):
            return [ok(ABOUT, f"schema {state.found}, at {place(url)}"), *await _work(loaded, clock)]
        require_sound(sqlite_path(url))
        return [ok(ABOUT, f"schema {state.found}, structure sound"), *await _work(loaded, clock)]
    except StoreError as error:
        return [fail(ABOUT, str(error), "tracker db check")]


async def _work(loaded: Loaded, clock: Clock) -> list[Finding]:
    store = await open_store(loaded.settings.database_url, clock=clock)
    try:
        counts = await store.status(clock.now())
        done = await store.errands()
        last, behind = await store.last_backup(), await store.behind_since()
        runs, alive = await store.runs(), sorted(await store.alive())
        workers = await store.workers() if store.fleet else []
        retired = await store.retirement()
        orders = await store.open_orders()
        lost = [] if retired is not None else await unknown_sends(store, loaded.settings)
    finally:
        await store.close()
    if retired is not None:
        return [_retired(retired)]
    journal = [*_journal(lost, behind), *_undescribed(orders, loaded)]
    if counts.rehearsal:
        return [ok("daemon", "a rehearsal: run --once does the work, nothing is backed up"), *journal]
    backup = done.get("backup")
    oldest = [each for each in (counts.oldest_ask_due, counts.oldest_decide_due) if each is not None]
    due = instant(min(oldest)) if oldest else None
    return [
        _clock(counts.daemon_since, clock.now()),
        _daemon(alive if store.fleet else None, due, clock.now(), runs=runs),
        *_away([each for each in workers if each.name not in alive], clock.now()),
        _behind(due, clock.now()),
        _backup(last or (backup.at if backup and backup.occasion else None), backup.error if backup else None, clock.now()),
        *journal,
    ]


def _retired(mark: Retirement) -> Finding:
    says = f"retired since {mark.at:%Y-%m-%d %H:%M} UTC by {mark.by}: {mark.reason}"
    where = f"work where it went on, at {mark.to}" if mark.to else "work where it went on"
    return fail("in service", says, f"{where}; if it is to work again here: tracker db retire --undo --by NAME --reason TEXT")


def _undescribed(orders: Mapping[str, int], loaded: Loaded) -> list[Finding]:
    """Shops whose file is gone while their orders are under way: nothing more is sent for them."""
    return [
        fail("stores", f"{count} orders are open of the store {store}, which no file describes", f"put stores/{store}.toml back")
        for store, count in orders.items()
        if store not in loaded.rules.stores
    ]


def _journal(lost: list[str], behind: datetime | None) -> list[Finding]:
    """The send journal knows what the database does not: a new or an older one took its place (faults row 36)."""
    if not lost and behind is None:
        return []
    since = "" if behind is None else f" since {behind:%Y-%m-%d %H:%M} UTC"
    many = f": {len(lost):,} sends that it does not know (the newest: {lost[-1]})" if lost else ""
    then = "keep the daemon stopped (systemctl stop tracker); tracker db check; tracker db restore FILE"
    return [fail("sends", f"the send journal is ahead of the database{since}{many}", then)]


def _clock(newest: datetime | None, now: datetime) -> Finding:
    """What was written later than now was written by a clock that went wrong, or this one goes wrong (faults row 13)."""
    if newest is not None and newest - now > CLOCK_SLACK:
        return fail(
            "clock", f"the database knows of {newest:%Y-%m-%d %H:%M} UTC, this machine of {now:%Y-%m-%d %H:%M}", "timedatectl"
        )
    return ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _daemon(alive: Sequence[str] | None, due: datetime | None, now: datetime, *, runs: bool | None) -> Finding:
    if runs is None:
        return warn("daemon", "its lock file may not be read by you", "be a member of tracker-ops")
    if runs:
        return ok("daemon", f"{len(alive)} workers: {', '.join(alive)}" if alive else "runs")
    idle = fail if due is not None and now - due > BEHIND else warn
    unit = "tracker" if alive is None else "tracker.target"
    return idle("daemon", "does not run", f"systemctl start {unit}, then: journalctl -u 'tracker*'")


def _away(workers: Sequence[Worker], now: datetime) -> list[Finding]:
    """Workers that were here not long ago and did not say that they stop: one that is gone for good is not missed for ever."""
    return [
        warn(
            f"worker {each.name}",
            f"is away: it gave its last sign {each.seen_at:%Y-%m-%d %H:%M} UTC ({each.owner})",
            f"journalctl -u tracker@{each.name} there; if it will not come back: tracker worker forget {each.name}",
        )
        for each in workers
        if not each.stopped and now - each.seen_at < MISSED
    ]


def _behind(since: datetime | None, now: datetime) -> Finding:
    if since is None or now - since <= BEHIND:
        return ok("backlog", "nothing has been due for long")
    return warn("backlog", f"work is due since {since:%Y-%m-%d %H:%M} UTC", "tracker status; journalctl -u tracker")


def _backup(last: datetime | None, error: str | None, now: datetime) -> Finding:
    if error is not None:
        return fail("backup", f"failed: {error}", "tracker db backup")
    if last is None:
        return warn("backup", "none was made yet", "tracker db backup; the daemon makes one a day")
    if now - last > BACKUP_AGE:
        return fail("backup", f"the last one is of {last:%Y-%m-%d %H:%M} UTC", "tracker db backup; is the daemon running?")
    return ok("backup", f"of {last:%Y-%m-%d %H:%M} UTC")
