"""`tracker init`: a first configuration, its folders and the database; with --system all that a service needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Group, Parameter

from tracker import config
from tracker.cli.context import clock_of
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer, Console, emit
from tracker.config.example import write_example
from tracker.store import create
from tracker.store.connection import is_postgres, place, sqlite_path

SCHEMA_FILE = "tracker.schema.json"
"""The first line of tracker.toml names it: editors complete and check the keys by it."""


SYSTEM = Group("A service (--system)", sort_key=5)


def init(
    folder: Path | None = None,
    /,
    *,
    rehearsal: Annotated[bool, Parameter(negative=())] = False,
    system: Annotated[bool, Parameter(negative=(), group=SYSTEM)] = False,
    root: Annotated[Path | None, Parameter(group=SYSTEM)] = None,
    prefix: Annotated[str | None, Parameter(group=SYSTEM)] = None,
    enable: Annotated[bool, Parameter(negative=(), group=SYSTEM)] = False,
    dry_run: Annotated[bool, Parameter(negative=(), group=SYSTEM)] = False,
    common: At = At(),
) -> int:
    """Write a first configuration with its folders, and make the database. What is there already is never overwritten.

    Example: `tracker init shop --rehearsal`

    Example: `sudo tracker init --system` sets up a server: user, group, folders, configuration, secrets, database, units of
    systemd, and the command on the PATH. Run it again after an upgrade, or to repair what is missing; it tells what it did, kept,
    and left to you (then with exit code 3).

    Args:
        folder: Where to; the present folder by default. Where a configuration is in place, only the database is made.
        rehearsal: For trying out: commands take --at on this database, the daemon refuses it. The mark stays for ever.
        system: Set up a service on this machine; wants root.
        root: Write below this folder instead, as if it were the machine: to look at it, or to build an image.
        prefix: The environment that holds bin/tracker; this one by default, else /opt/tracker.
        enable: Also start the service, now and with the machine.
        dry_run: Only tell what would be done.
    """
    if system:
        if folder is not None or rehearsal or common.at is not None or common.config is not None:
            raise UsageError(
                "--system writes to the system's own folders, for today: it takes no DIR, --rehearsal, --at, --config"
            )
        from tracker.cli.system import set_up

        answer = set_up(root=root or Path("/"), prefix=prefix, enable=enable, dry_run=dry_run, now=clock_of(common).now())
        return emit(answer, json=common.json)
    if root is not None or prefix is not None or enable or dry_run:
        raise UsageError("--root, --prefix, --enable and --dry-run belong to tracker init --system")
    if common.at is not None and not rehearsal:
        raise UsageError("--at belongs to a rehearsal: tracker init --rehearsal --at TIME")
    file = _config_file(folder, common)
    try:
        written = () if file.exists() else _write(file, rehearsal=rehearsal)
    except OSError as error:
        raise Failed("not_writable", str(error) if error.strerror is None else f"{error.filename}: {error.strerror}") from error
    settings = config.load(file, environ=os.environ).settings
    _not_beside_sends(settings)
    create(settings.database_url, rehearsal=rehearsal, now=clock_of(common).now())
    document = {
        "config": str(file),
        "database": settings.database_url if not is_postgres(settings.database_url) else place(settings.database_url),
        "rehearsal": rehearsal,
        "written": [str(path) for path in written],
    }
    return emit(Answer(document=document, text=lambda console: _text(console, document)), json=common.json)


def _not_beside_sends(settings: config.Settings) -> None:
    """A new database would forget what the send journal knows, and everything would go out once more (faults row 36)."""
    from tracker.keeping.beside import no_new_one

    there = not is_postgres(settings.database_url) and sqlite_path(settings.database_url).exists()
    refusal = None if there else no_new_one(settings.journal)
    if refusal is not None:
        raise UsageError(refusal)


def _config_file(folder: Path | None, common: At) -> Path:
    named = common.config if folder is None else folder / "tracker.toml"
    return config.find(named, os.environ) or Path("tracker.toml")


def _write(file: Path, *, rehearsal: bool) -> tuple[Path, ...]:
    written = write_example(file.parent, rehearsal=rehearsal)
    schema = file.parent / SCHEMA_FILE
    schema.write_bytes(msgspec.json.format(msgspec.json.encode(config.schema()), indent=2) + b"\n")
    return (*written, schema)


def _text(console: Console, document: dict[str, Any]) -> None:
    for path in document["written"]:
        console.line(f"written   {path}")
    console.line(f"database  {document['database']}{'  (a rehearsal)' if document['rehearsal'] else ''}")
    console.line()
    folder = Path(document["config"]).parent
    console.line(f"Next: describe your shop in {folder / 'stores'} (an example lies there), then:")
    console.line(f"  tracker config check --config {document['config']}")
    console.line(f"  tracker import orders.xls --config {document['config']}")
