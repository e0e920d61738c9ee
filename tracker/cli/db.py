"""`tracker db`: the database's schema, its backups, its end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from tracker.cli.context import Room, answer, clock_of, load, load_places
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Common, Person
from tracker.cli.output import Answer, Console, emit, shown
from tracker.config import Loaded
from tracker.desk import people
from tracker.keeping import backup as keeping
from tracker.store.backup import Backup, last_backup
from tracker.store.connection import is_postgres, place
from tracker.store.connection.address import parsed, without_password
from tracker.store.errors import UnsupportedDatabase
from tracker.store.outside import outside
from tracker.store.schema import SchemaVerdict, schema_state, upgrade

if TYPE_CHECKING:
    from tracker.keeping.check import Checked
    from tracker.keeping.restore import Restored
    from tracker.store.moving import Moved

app = App(name="db", help="The database: schema, check, backup and restore, retirement, what is forgotten.")

_SHOWN = 20
"""Doubtful sends that are named; the rest is a list of its own."""

_ADDRESS = "It looks so: postgresql://USER@HOST/DATABASE, or sqlite:////path/of/the/file.db"

_SAYS = {
    SchemaVerdict.CURRENT: "The schema is this version's.",
    SchemaVerdict.TOO_OLD: "The database was written by an older version. Run: tracker db upgrade",
    SchemaVerdict.TOO_NEW: "The database was written by a newer version. Install that one; there is no way back.",
    SchemaVerdict.EMPTY: "The database has no tables yet. Make them with: tracker db upgrade",
    SchemaVerdict.FOREIGN: "This is not a database of Tracker. Look at database.url: tracker config show",
}


@app.command(name="upgrade")
def upgrade_(*, common: Common = Common()) -> int:
    """Bring the database to this version's schema, in one transaction, after a backup. Stop the daemon first.

    A PostgreSQL is upgraded while workers run: they notice, and start again. No backup of it is made: use `tracker db backup`
    before the new version is installed, or pg_dump. An empty one gets its tables.

    Example: `tracker db upgrade`
    """
    settings = load_places(common)
    made = None
    url = settings.database_url
    if schema_state(url).verdict is SchemaVerdict.TOO_OLD:
        if is_postgres(url):
            _no_backup(url)
        else:
            made = keeping.make(settings, None, clock_of(common).now(), why=keeping.BEFORE_UPGRADE)
    before, after = upgrade(url, clock_of(common).now())
    said = "nothing to do" if before == after else "upgraded" if made is None else f"upgraded; as it was before: {made.path}"
    document = {"from": before, "to": after, "backup": made and made.path}
    return emit(Answer(document=document, text=lambda console: console.line(f"{before} -> {after}: {said}")), json=common.json)


def _no_backup(url: str) -> None:
    """Said before anything is changed: only the old version's code can read all rows of the old schema."""
    with outside(url) as tx:
        last = last_backup(tx)
    print(
        "tracker: no backup is made of a PostgreSQL before its upgrade, which is one transaction; the last one is "
        f"{'none' if last is None else f'of {shown(last)}'}. To keep what stands there now, beforehand: "
        f"pg_dump --format=custom --file=tracker-before-upgrade.dump '{without_password(url)}'",
        file=sys.stderr,
    )


@app.command
def backup(target: Path | None = None, *, common: Common = Common()) -> int:
    """Copy the database beside the running daemon, check the copy, give it its name. Never copy the file by hand.

    Example: `tracker db backup /mnt/backup`

    Args:
        target: A new file, or a folder that gets one named by the time; by default the folder of `[backup] dir`.
    """
    made = keeping.make(load_places(common), target, clock_of(common).now())
    return emit(Answer(document=msgspec.to_builtins(made), text=lambda console: _made(console, made)), json=common.json)


def _made(console: Console, made: Backup) -> None:
    console.line(f"{made.path}: {made.bytes:,} bytes, {made.rows['dossier']:,} orders, {made.rows['outbox']:,} effects, checked.")
    console.line(f"Put it back with: tracker db restore {made.path}")


@app.command
def check(*, common: Common = Common()) -> int:
    """Schema, structure, references, this host's send journals, the age of the last backup. Exit code 1 when something wants you.

    Example: `tracker db check --json`
    """
    from tracker.keeping.check import check as look

    settings = load_places(common)
    found = look(settings, clock_of(common).now())
    sound = "The database" if is_postgres(settings.database_url) else "The file"
    state = found.schema
    document = {
        "found": state.found,
        "needed": state.needed,
        "verdict": state.verdict,
        "last_backup": found.last_backup,
        "findings": msgspec.to_builtins(found.findings),
        "elsewhere": msgspec.to_builtins(found.elsewhere),
    }
    code = 0 if state.verdict is SchemaVerdict.CURRENT and not found.findings else 1
    return emit(Answer(document=document, text=lambda console: _checked(console, found, sound), code=code), json=common.json)


def _checked(console: Console, found: Checked, sound: str) -> None:
    console.facts({"found": found.schema.found, "needed": found.schema.needed, "last_backup": found.last_backup})
    console.line(_SAYS[found.schema.verdict])
    for finding in found.findings:
        console.line(f"{finding.message}\n    {finding.todo}")
    if found.schema.verdict is SchemaVerdict.CURRENT and not found.findings:
        console.line(f"{sound} is sound, and the send journal agrees with it.")
    for each in found.elsewhere:
        where = f"is on {each.host}" if each.host else "is on another host, or lost"
        console.line(f"Not looked at: the send journal of worker {each.worker} {where} ({each.journal}). There: tracker db check")


@app.command
def restore(
    file: Path,
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    journal: tuple[Path, ...] = (),
    without_journal: Annotated[bool, Parameter(negative=())] = False,
    reason: str | None = None,
    common: Person = Person(),
) -> int:
    """Put a backup in the database's place and replay the send journal, so that nothing is sent twice. Stop the daemon first.

    The replaced database is kept beside it; of a PostgreSQL, a backup of it. Whatever came due since the backup waits for a
    person (tracker hold list).

    Example: `tracker db restore /var/lib/tracker/backups/tracker-20261122T034000Z.db --dry-run`

    Args:
        file: The backup; or the database's own file, where somebody copied it back by hand.
        dry_run: Say what would come of it, and change nothing.
        journal: Where a send journal lies now, if it was moved; may be given several times.
        without_journal: The journal is lost: hold everything that comes due for 30 days. Wants --by and --reason.
        reason: Why it is done without the journal.
    """
    from tracker.keeping import restore as restoring

    loaded = load(common)
    without = restoring.WithoutJournal(by=_who(common, loaded), reason=_why(reason)) if without_journal else None
    if common.at is not None and not dry_run:
        raise UsageError("a restore happens now: --at belongs to --dry-run")
    wish = restoring.Wish(
        file=file,
        now=clock_of(common).now(),
        by=_who(common, loaded) if common.by else "administrator",
        dry_run=dry_run,
        moved=journal,
        without=without,
    )
    done = restoring.restore(loaded.settings, wish)
    return emit(Answer(document=msgspec.to_builtins(done), text=lambda console: _restored(console, done)), json=common.json)


def _restored(console: Console, done: Restored) -> None:
    would = "would be" if done.dry_run else "is"
    console.line(f"{done.file} of {shown(done.taken_at)} {would} the database.")
    if done.kept:
        console.line(f"The replaced one is kept: {done.kept}")
    if done.upgraded_from:
        console.line(f"Its schema was upgraded from {done.upgraded_from}.")
    for worker, why in done.missing_journals.items():
        console.line(
            f"Without the send journal of worker {worker}: {why}. What comes due until {shown(done.held_until)} is held."
        )
    console.line(
        f"From the send journal: {done.sent:,} sent, {done.failed:,} failed, {len(done.unknown) + len(done.lost):,} unknown."
    )
    for key in (*done.unknown, *done.lost)[:_SHOWN]:
        console.line(f"    unknown: {key}" + (" (its order is not in the backup)" if key in done.lost else ""))
    if len(done.unknown) + len(done.lost) > _SHOWN:
        console.line("    ... all of them: tracker outbox list --state unknown")
    console.line(f"{done.held:,} effects that were on their way wait for you: tracker hold list, tracker hold release")
    if done.open_tasks:
        console.line(
            f"{done.open_tasks:,} tasks are open as they were then: ask who worked since, before anybody does one twice."
        )
    if done.retired:
        console.line("This copy is retired: it can be read only. See: tracker db retire --help")
    console.line(f"What people typed and files brought since the backup {would} gone: import the files again (tracker import).")
    if not done.dry_run:
        console.line("Then look (tracker db check) and start: systemctl start tracker (workers: tracker.target, on every host)")


@app.command(name="copy")
def copy_(
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    common: Common = Common(),
) -> int:
    """Move a whole shop to another database: every row, counted and summed up on both sides. Stop all daemons first.

    From a file to a PostgreSQL, or back. The target must be empty: a file that is not there, or a new PostgreSQL database; it is
    filled in one transaction. The source is only read, and stays what it is: retire it afterwards.

    Example: `tracker db copy --from sqlite:////var/lib/tracker/tracker.db --to postgresql://tracker@db.example/tracker`

    Args:
        from_: Address of the database to copy; by default the configured one.
        to: Address of the empty one; by default the configured one. A password belongs into ~/.pgpass or the configuration.
    """
    from tracker.store.moving import move

    settings = load_places(common)
    if from_ is None and to is None:
        raise UsageError("name the other database: --to ADDRESS (from the configured one), or --from ADDRESS (into it)")
    for option, address in (("--from", from_), ("--to", to)):
        if address is not None:
            _addressed(option, address)
    moved = move(from_ or settings.database_url, to or settings.database_url, clock_of(common).now())
    here = place(from_ or settings.database_url) == place(settings.database_url)
    document = {
        "from": moved.source,
        "to": moved.target,
        "rows": moved.rows,
        "tables": moved.tables,
        "journals": moved.journals,
    }
    return emit(Answer(document=document, text=lambda console: _moved(console, moved, here=here)), json=common.json)


def _addressed(option: str, address: str) -> None:
    """Refuse what the server would complete by guessing (the login name for both); warn of a password that others can read."""
    try:
        url = parsed(address)
    except UnsupportedDatabase:
        raise UsageError(f"{option} is no address of a database. {_ADDRESS}") from None
    postgres = url.get_backend_name() == "postgresql"
    missing = [word for word, there in (("user", url.username or not postgres), ("database", url.database)) if not there]
    if missing:
        raise UsageError(f"{option} names no {' and no '.join(missing if postgres else ['file'])}. {_ADDRESS}")
    if url.password is not None:
        print(
            f"tracker: the password in {option} stays in the shell's history, and in the list of processes (ps) while this "
            'runs. Better: a tracker.toml whose [database] has that url without it and password = "env:NAME" or "file:/path", '
            f"named with --config, and {option} left away; or ~/.pgpass",
            file=sys.stderr,
        )


def _moved(console: Console, moved: Moved, *, here: bool) -> None:
    orders, effects = moved.tables["dossier"], moved.tables["outbox"]
    console.line(
        f"{moved.rows:,} rows of {len(moved.tables)} tables, {orders:,} orders and {effects:,} effects among them: read from "
        f"{moved.source}, written to {moved.target}, read again there. They are the same."
    )
    console.line("Next:")
    old = "" if here else " (with the configuration that names it)"
    retire = f'tracker db retire --by NAME --reason "moved" --to {moved.target}'
    console.line(f"  1. {retire}{old}: nobody starts the old one by mistake")
    console.line("  2. database.url in tracker.toml: the new address. Then: tracker db check; start the daemon, or the workers")
    if moved.journals:
        console.line("  3. Keep the send journals: a restore wants them all, wherever the work goes on")
    for worker, path in moved.journals.items():
        console.line(f"       {worker}: {path}")


@app.command
def purge(*, dry_run: Annotated[bool, Parameter(negative=())] = False, common: At = At()) -> int:
    """Forget what [retention] no longer allows: buyers' names, mail and texts, scans, of orders that are settled for long.

    The daemon does it once a day. Dedup keys, amounts, references and the audit stay; what is open is left alone.

    Example: `tracker db purge --dry-run`

    Args:
        dry_run: Count what would go, and leave it.
    """
    return answer(common, lambda room: _purge(room, dry_run=dry_run), writes=not dry_run)


async def _purge(room: Room, *, dry_run: bool) -> Answer:
    from tracker.keeping import retention

    settings = room.loaded.settings
    cut = retention.prune_unless_running(settings)
    done = await retention.purge(room.store, settings, room.clock, by="administrator", prune=cut, dry_run=dry_run)
    said = f"Would go: {done}" if dry_run else f"Forgotten: {done}"
    return Answer(document=msgspec.to_builtins(done), text=lambda console: console.line(said))


@app.command(name="retire")
def retire_(
    *,
    reason: str | None = None,
    to: str | None = None,
    undo: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Put this database out of service: it can be read for ever, nothing is written to it, no daemon starts on it.

    For the old copy after a move, so that nobody starts it again by mistake. --undo takes that back; it treats the database like
    a backup without a journal: what was on its way, and what comes due for 30 days, waits for a person.

    Example: `tracker db retire --by Mei --reason "moved to the new server" --to sqlite:////srv/tracker/tracker.db`

    Args:
        reason: Why.
        to: Where its work goes on: a database address, a host, a word.
        undo: Take it back into service. Only if no other copy has been at work.
    """
    from tracker.keeping.restore import BLIND
    from tracker.store import retiring

    loaded = load(common)
    url, by, why, now = loaded.settings.database_url, _who(common, loaded), _why(reason), clock_of(common).now()
    if undo:
        held = retiring.take_back(url, by=by, reason=why, now=now, hold_for=BLIND)
        text = f"In service again. {held:,} effects are held, and what comes due for {BLIND.days} days: tracker hold list"
        return emit(Answer(document={"retired": False, "held": held}, text=lambda console: console.line(text)), json=common.json)
    retiring.retire(url, retiring.Retirement(at=now, by=by, reason=why, to=to))
    text = "Retired. It can be read (tracker status, explain); no daemon and no command writes to it any more."
    document = {"retired": True, "at": now, "by": by, "reason": why, "to": to}
    return emit(Answer(document=document, text=lambda console: console.line(text)), json=common.json)


def _who(common: Person, loaded: Loaded) -> str:
    """Somebody who says it with their name: an administrator's shell is nobody."""
    if not common.by:
        raise UsageError('say who decides and why: --by NAME --reason "..."')
    return people.decider(common.by, loaded.rules.team)


def _why(reason: str | None) -> str:
    if not reason or not reason.strip():
        raise UsageError('say why: --reason "..."')
    return reason.strip()
