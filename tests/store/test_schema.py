"""Migrations from the first table on: they lead to the tables, and a filled database keeps its rows (facts/faults.md row 22)."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.store.build import NOW, change, decided, decision, dossier, given, pending, polled, scan
from tracker.clock import FixedClock
from tracker.store import AnotherDaemon, SchemaVerdict, Store, open_store, schema, schema_state, upgrade
from tracker.store.connection import open_engine, sqlite_path
from tracker.store.tables import METADATA

HEAD = schema.REVISIONS[-1]
"""What this code needs today."""

NEXT = '''"""A column that a later version wants."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shipment") as batch:
        batch.add_column(sa.Column("weight_g", sa.Integer(), nullable=True))
    {more}


def downgrade() -> None:
    with op.batch_alter_table("shipment") as batch:
        batch.drop_column("weight_g")
'''


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later version of this code: the migrations, and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    (folder / "versions" / "9999_weight.py").write_text(NEXT.format(head=HEAD, more="pass"))
    return folder


def _differences(path: Path) -> list[object]:
    engine = open_engine(path, 1000)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    engine.dispose()
    return list(found)


def _shape(path: Path) -> set[tuple[str, tuple[str, ...]]]:
    """Every table and index with the parts of its definition; constraints come in any order."""
    with sqlite3.connect(path) as raw:
        rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'").fetchall()
    raw.close()
    return {
        (
            name,
            tuple(
                sorted(
                    part.strip(")")
                    for part in "".join(sql.replace('"', "").split()).replace(")WITHOUTROWID", ",WITHOUTROWID").split(",")
                )
            ),
        )
        for name, sql in rows
    }


@pytest.mark.sqlite_only
def test_the_migrations_lead_to_the_tables(tmp_path: Path, url: str) -> None:
    """Tables, columns, types, indexes with their conditions: by both ways the same."""
    migrated = tmp_path / "migrated.db"
    schema.migrate(migrated, "head")
    assert _differences(migrated) == []
    assert _differences(sqlite_path(url)) == []
    assert _shape(migrated) == _shape(sqlite_path(url))


def test_what_a_day_has_used_of_a_quota_outlives_the_upgrade(tmp_path: Path) -> None:
    """Paid registrations: the limit of the day on which the upgrade happens still counts what was taken before it."""
    path = tmp_path / "old.db"
    schema.migrate(path, "0001")
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO rategate (source, next_ms, used, day) VALUES ('17track', 5, 60, '2026-03-01'), ('sheet', 0, 0, NULL)"
        )
    raw.close()
    schema.migrate(path, "head")
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT source, day, used FROM quota_day").fetchall() == [("17track", "2026-03-01", 60)]
        assert raw.execute("SELECT source, next_ms FROM rategate ORDER BY source").fetchall() == [("17track", 5), ("sheet", 0)]
    raw.close()


def test_the_code_knows_every_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == schema.REVISIONS


@pytest.mark.sqlite_only
async def test_a_filled_database_is_upgraded_and_keeps_its_rows(url: str, store: Store, later: Path) -> None:
    await given(store)
    await store.write_poll(polled(change(1, "LX001CN", scan("a"))))
    await decided(store, pending(decision()))
    before = await dossier(store)
    await store.close()
    assert upgrade(url, NOW) == (HEAD, "9999")
    assert schema_state(url).verdict is SchemaVerdict.CURRENT
    assert upgrade(url, NOW) == ("9999", "9999")
    opened = await open_store(url, clock=FixedClock(NOW), daemon=True)
    assert await dossier(opened) == before
    assert len(await opened.events_of(1)) == 1
    with sqlite3.connect(sqlite_path(url)) as raw:
        assert raw.execute("SELECT weight_g FROM shipment").fetchall() == [(None,)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()
    await opened.close()


@pytest.mark.sqlite_only
async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(url: str, store: Store, later: Path) -> None:
    await given(store)
    await store.close()
    (later / "versions" / "9999_weight.py").write_text(NEXT.format(head=HEAD, more='raise RuntimeError("half way")'))
    before = _shape(sqlite_path(url))
    with pytest.raises(RuntimeError, match="half way"):
        upgrade(url, NOW)
    assert _shape(sqlite_path(url)) == before
    assert schema_state(url).found == HEAD


@pytest.mark.sqlite_only
async def test_no_upgrade_under_a_running_daemon(url: str, store: Store, later: Path) -> None:
    with pytest.raises(AnotherDaemon):
        upgrade(url, NOW)


@pytest.mark.sqlite_only
def test_a_current_database_needs_no_upgrade(url: str) -> None:
    assert upgrade(url, NOW) == (HEAD, HEAD)
