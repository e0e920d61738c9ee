"""`tracker db`: the database's schema, its backups, its end."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cyclopts import App

from tracker.cli.context import clock_of, load
from tracker.cli.options import Common
from tracker.cli.output import Answer, Console, emit
from tracker.keeping import backup as keeping
from tracker.store.backup import Backup
from tracker.store.schema import SchemaState, SchemaVerdict, schema_state, upgrade

app = App(name="db", help="The database: schema, check, backup and restore, retirement, what is forgotten.")

_SAYS = {
    SchemaVerdict.CURRENT: "The schema is this version's.",
    SchemaVerdict.TOO_OLD: "The database was written by an older version. Run: tracker db upgrade",
    SchemaVerdict.TOO_NEW: "The database was written by a newer version. Install that one; there is no way back.",
    SchemaVerdict.FOREIGN: "This is not a database of Tracker. Look at database.url: tracker config show",
}


@app.command(name="upgrade")
def upgrade_(*, common: Common = Common()) -> int:
    """Bring the database to this version's schema, in one transaction, after a backup. Stop the daemon first.

    Example: `tracker db upgrade`
    """
    settings = load(common).settings
    made = None
    if schema_state(settings.database_url).verdict is SchemaVerdict.TOO_OLD:
        made = keeping.make(settings, None, clock_of(common).now(), why=keeping.BEFORE_UPGRADE)
    before, after = upgrade(settings.database_url)
    said = "nothing to do" if made is None else f"upgraded; as it was before: {made.path}"
    document = {"from": before, "to": after, "backup": made and made.path}
    return emit(Answer(document=document, text=lambda console: console.line(f"{before} -> {after}: {said}")), json=common.json)


@app.command
def backup(target: Path | None = None, *, common: Common = Common()) -> int:
    """Copy the database beside the running daemon, check the copy, give it its name. Never copy the file by hand.

    Example: `tracker db backup /mnt/backup`

    Args:
        target: A new file, or a folder that gets one named by the time; by default the folder of `[backup] dir`.
    """
    made = keeping.make(load(common).settings, target, clock_of(common).now())
    return emit(Answer(document=msgspec.to_builtins(made), text=lambda console: _made(console, made)), json=common.json)


def _made(console: Console, made: Backup) -> None:
    console.line(f"{made.path}: {made.bytes:,} bytes, {made.rows['dossier']:,} orders, {made.rows['outbox']:,} effects, checked.")
    console.line(f"Put it back with: tracker db restore {made.path}")


@app.command
def check(*, common: Common = Common()) -> int:
    """Whether the database fits this version. Exit code 1 when it does not.

    Example: `tracker db check --json`
    """
    state = schema_state(load(common).settings.database_url)
    document = {"found": state.found, "needed": state.needed, "verdict": state.verdict}
    code = 0 if state.verdict is SchemaVerdict.CURRENT else 1
    return emit(Answer(document=document, text=lambda console: _text(console, state), code=code), json=common.json)


def _text(console: Console, state: SchemaState) -> None:
    console.facts({"found": state.found, "needed": state.needed})
    console.line(_SAYS[state.verdict])
