"""`tracker db upgrade` on PostgreSQL: under working workers, by two at once, from an older schema (fault 22)."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from tests import postgres
from tests.daemon.conftest import Home, furnished
from tests.store.build import NOW
from tests.store.test_schema import HEAD, NEXT
from tests.waiting import until
from tracker.clock import SystemClock
from tracker.store import Locked, SchemaVerdict, fleet_schema, schema, schema_state, upgrade
from tracker.store.connection.postgres import plain
from tracker.store.fleet_schema import wide

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]

ORDERS = 18
AGAIN, NEVER = 75, 78


@pytest.fixture
async def home(tmp_path: Path, postgres_server: postgres.Server) -> AsyncIterator[Home]:
    """A live shop whose first messages are due; its mail server takes its time."""
    url = postgres_server.database()
    async with furnished(tmp_path, ORDERS, url) as made:
        made.mailbox.slow = 0.2
        yield made
    postgres_server.drop(url)


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later version of this code: the migrations, and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    (folder / "versions" / "9999_weight.py").write_text(NEXT.format(head=HEAD, more="pass"))
    return folder


async def test_workers_notice_drain_and_wait_for_their_new_version(home: Home, later: Path) -> None:
    """Fault 22: upgraded while two workers send: they finish what is in hand and end with 75; started again as they were, 78."""
    workers = [home.start(TRACKER_WORKER=name) for name in ("a", "b")]
    await until(lambda: len(home.mailbox.ids) >= 3, seconds=90)
    assert await asyncio.to_thread(upgrade, home.url, SystemClock().now()) == (HEAD, "9999")
    assert [await each.ended(60) for each in workers] == [AGAIN, AGAIN]
    reasons = [line["reason"] for line in home.lines if line["event"] == "daemon.failed"]
    assert all("9999" in reason for reason in reasons)
    assert Counter(home.mailbox.ids).most_common(1)[0][1] == 1
    again = home.start(TRACKER_WORKER="a")
    assert await again.ended(60) == NEVER
    last = [line for line in home.lines if line["event"] == "daemon.failed"][-1]["reason"]
    assert "9999" in last
    assert "tracker db upgrade" in last


async def test_an_older_database_is_upgraded_first(home: Home) -> None:
    """Fault 22: a worker of a new version on a schema that nobody has upgraded yet names the command, and is not tried again."""
    with psycopg.connect(home.url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
    worker = home.start(TRACKER_WORKER="a")
    assert await worker.ended(60) == NEVER
    assert "Run: tracker db upgrade" in home.lines[-1]["reason"]


def test_two_upgrades_at_once_are_one(postgres_url: str, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 22: ten hosts may try; the first one does it, the others wait for it and find it done."""
    ran: list[str] = []
    both = threading.Barrier(2)
    real = schema.run_alembic
    looked = schema.schema_state

    def state(url: str) -> schema.SchemaState:
        found = looked(url)
        both.wait(30)
        return found

    def once(connection: Connection, revision: str) -> None:
        ran.append(revision)
        real(connection, revision)

    monkeypatch.setattr(schema, "run_alembic", once)
    monkeypatch.setattr(schema, "schema_state", state)
    with ThreadPoolExecutor(2) as pool:
        done = [job.result() for job in [pool.submit(upgrade, postgres_url, NOW) for _ in range(2)]]
    assert ran == ["9999"]
    assert sorted(done) == [(HEAD, "9999"), ("9999", "9999")]


def test_two_first_upgrades_at_once_make_one_database(postgres_server: postgres.Server) -> None:
    """Fault 22: an empty database gets its tables once, whoever comes first; nobody is told that something went wrong."""
    url = postgres_server.database()
    with ThreadPoolExecutor(2) as pool:
        done = [job.result() for job in [pool.submit(upgrade, url, NOW) for _ in range(2)]]
    assert {each[1] for each in done} == {HEAD}
    assert schema_state(url).verdict is SchemaVerdict.CURRENT
    postgres_server.drop(url)


def test_the_schema_before_the_fleet_leads_to_the_same_tables(postgres_url: str) -> None:
    """Fault 22: stamped 0004 and without what 0005 adds, a database is upgraded to exactly the tables of this version."""
    with plain(postgres_url) as tx:
        tx.script(
            """
            DROP TABLE worker;
            DROP INDEX ix_shipment_leased;
            ALTER TABLE shipment DROP COLUMN lease_token, DROP COLUMN lease_until;
            ALTER TABLE dossier DROP COLUMN lease_until;
            ALTER TABLE outbox DROP COLUMN lease_until;
            ALTER TABLE account DROP COLUMN turn_token, DROP COLUMN turn_until;
            UPDATE alembic_version SET version_num = '0004'"""
        )
    assert upgrade(postgres_url, NOW) == ("0004", HEAD)
    with plain(postgres_url) as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True, "include_object": _ours})
        assert compare_metadata(context, wide()) == []


def _ours(_item: object, name: str | None, _kind: str, _reflected: object, _other: object) -> bool:
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate"))


def test_an_upgrade_does_not_stand_in_everybodys_way(postgres_url: str, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 22: behind a table lock that is not free all workers would wait; it lets go soon, changes nothing, and says so."""
    monkeypatch.setattr(fleet_schema, "LOCK_PATIENCE", "300ms")
    with psycopg.connect(postgres_url) as reader:
        reader.execute("SELECT count(*) FROM shipment")
        with pytest.raises(Locked, match="pg_stat_activity"):
            upgrade(postgres_url, NOW)
    assert schema_state(postgres_url).found == HEAD
    assert upgrade(postgres_url, NOW) == (HEAD, "9999")
