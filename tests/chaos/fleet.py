"""A PostgreSQL of a shop's own, whose clock goes by the shop's time: workers take the server's time for theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.chaos.world import Time
from tests.postgres import Server, server
from tracker.store import create

_WARP = """
    CREATE SCHEMA warp;
    CREATE TABLE warp.ahead (seconds double precision NOT NULL);
    INSERT INTO warp.ahead VALUES (0);
    CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM warp.ahead))'
"""


class Fleet:
    """The server and the shop's database on it."""

    def __init__(self, running: Server, time: Time) -> None:
        self.server = running
        self.time = time
        self.url = running.database()
        create(self.url, rehearsal=False, now=time.now())
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_WARP)
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
        self.agree()

    def agree(self) -> None:
        """The shop's time has jumped, and the server's with it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("UPDATE warp.ahead SET seconds = %s", [self.time.ahead.total_seconds()])

    def lose_queue(self) -> None:
        """All work items are gone, and whatever dead workers held in it: the rows know what is due."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("TRUNCATE procrastinate_jobs CASCADE")

    def restart(self) -> None:
        """Under all who are connected."""
        self.server.restart()


@contextmanager
def fleet(time: Time) -> Iterator[Fleet]:
    """A server of its own. Raises RuntimeError where there are no binaries."""
    with server() as running:
        yield Fleet(running, time)
