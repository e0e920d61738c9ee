"""What a `database.url` names: a SQLite file, or a PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tracker.store.errors import UnsupportedDatabase

_EXAMPLES = "sqlite:////var/lib/tracker/tracker.db, or postgresql://tracker@db.example/tracker"


def parsed(url: str) -> URL:
    """The parts of an address. Raises UnsupportedDatabase; never repeats a password."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise UnsupportedDatabase(f"database.url is no address; write for instance {_EXAMPLES}") from None
    if found.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UnsupportedDatabase(
            f"database.url names {found.get_backend_name()!r}; Tracker runs on SQLite and PostgreSQL: {_EXAMPLES}"
        )
    return found


def is_postgres(url: str) -> bool:
    """Whether it names a PostgreSQL. Raises UnsupportedDatabase where it names neither."""
    return parsed(url).get_backend_name() == "postgresql"


def sqlite_path(url: str) -> Path:
    """The file of a `sqlite:///…` address. Raises UnsupportedDatabase for any other."""
    found = parsed(url)
    if found.get_backend_name() != "sqlite" or not found.database or found.database == ":memory:":
        raise UnsupportedDatabase(f"database.url names no file: {place(url)}; write for instance {_EXAMPLES}")
    return Path(found.database)


def dsn(url: str) -> str:
    """A PostgreSQL's address for its own driver, with the password."""
    return parsed(url).set(drivername="postgresql").render_as_string(hide_password=False)


def without_password(url: str) -> str:
    """The address as it may stand in a command that a person types: all of it but the password."""
    return parsed(url)._replace(password=None).render_as_string()


def place(url: str) -> str:
    """The address for eyes: a file's path, or host and database without the password."""
    found = parsed(url)
    if found.get_backend_name() == "sqlite":
        return found.database or url
    port = f":{found.port}" if found.port else ""
    return f"postgresql://{found.host or 'local'}{port}/{found.database or ''}"
