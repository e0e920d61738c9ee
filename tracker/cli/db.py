"""`tracker db`: the database's schema."""

from __future__ import annotations

from cyclopts import App

from tracker.cli.context import load
from tracker.cli.options import Common
from tracker.cli.output import Answer, Console, emit
from tracker.store.schema import SchemaState, SchemaVerdict, schema_state, upgrade

app = App(name="db", help="The database's schema.")

_SAYS = {
    SchemaVerdict.CURRENT: "The schema is this version's.",
    SchemaVerdict.TOO_OLD: "The database was written by an older version. Run: tracker db upgrade",
    SchemaVerdict.TOO_NEW: "The database was written by a newer version. Install that one; there is no way back.",
    SchemaVerdict.FOREIGN: "This is not a database of Tracker. Look at database.url: tracker config show",
}


@app.command(name="upgrade")
def upgrade_(*, common: Common = Common()) -> int:
    """Bring the database to this version's schema, in one transaction. Stop the daemon first.

    Example: `tracker db upgrade`
    """
    before, after = upgrade(load(common).settings.database_url)
    said = "nothing to do" if before == after else "upgraded"
    return emit(
        Answer(document={"from": before, "to": after}, text=lambda console: console.line(f"{before} -> {after}: {said}")),
        json=common.json,
    )


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
