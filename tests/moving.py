"""`pytest --database postgres`: every test of a house that lies in a file finds the same house on PostgreSQL.

The tests of the rooms above the store say `sqlite:///…` and mean "a database of my own". With this switch each such address
leads to a PostgreSQL database of the test's own instead: made where the test creates one, the same one whenever the address comes
again. What is about the file itself is marked `sqlite_only` and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url

from tests import postgres
from tracker.store import fleet_schema
from tracker.store.connection import address, stored
from tracker.store.connection import postgres as connection

OPTION = "--database"


def add_option(parser: pytest.Parser) -> None:
    """`--database sqlite|postgres`."""
    parser.addoption(OPTION, choices=("sqlite", "postgres"), default="sqlite", help="where tests that say sqlite:/// find theirs")


def wanted(config: pytest.Config) -> bool:
    """Whether files are to be databases of a server."""
    return bool(config.getoption(OPTION) == "postgres")


def leave_files_alone(items: list[pytest.Item]) -> None:
    """What is about the file itself says nothing about a server."""
    for item in items:
        if item.get_closest_marker("sqlite_only") is not None:
            item.add_marker(pytest.mark.skip(reason="about the file itself"))


class Moved:
    """The addresses of one test."""

    def __init__(self, server: postgres.Server, template: str) -> None:
        self._server = server
        self._template = template
        self._there: dict[str, URL] = {}

    def parsed(self, url: str) -> URL:
        """The parts of the address that stands for a file's."""
        found = make_url(url)
        if found.get_backend_name() != "sqlite" or not found.database:
            return _parsed(url)
        path = str(Path(found.database).resolve())
        if path not in self._there:
            self._there[path] = make_url(self._server.database())
        return self._there[path]

    def create(self, url: str, revision: str, *, rehearsal: bool, now: datetime) -> None:
        """The tables of a new database, as a copy of one that has them: they are made by the real way once a process."""
        name = str(self.parsed(url).database)
        empty = self._server.url(name)
        if not fleet_schema.found(empty)[1]:
            _created(url, revision, rehearsal=rehearsal, now=now)  # says what is wrong with it
        self._server.drop(empty)
        self._server.database(self._template, name)
        with connection.plain(empty) as tx:
            tx.run("UPDATE meta SET value = ? WHERE key = 'created_at'", stored(now))
            tx.run("UPDATE meta SET value = ? WHERE key = 'rehearsal'", "yes" if rehearsal else "no")
            tx.run("UPDATE daemon SET since = ?", now)

    def clear(self) -> None:
        """Drop them all."""
        for url in self._there.values():
            with suppress(OSError):
                self._server.drop(url.render_as_string(hide_password=False))


_parsed = address.parsed
_created = fleet_schema.create


def moved(server: postgres.Server, template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let addresses of files lead to a server until the test ends."""
    found = Moved(server, template)
    monkeypatch.setattr(address, "parsed", found.parsed)
    monkeypatch.setattr(connection, "make_url", found.parsed)
    monkeypatch.setattr(fleet_schema, "create", found.create)
    yield
    found.clear()
