"""A real database for each test, opened as the daemon opens it: a SQLite file, and a PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.build import NOW
from tracker.clock import FixedClock
from tracker.store import Store, create, open_store


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new, empty database, made once: copying is ten times quicker."""
    path = tmp_path_factory.mktemp("empty") / "tracker.db"
    create(f"sqlite:///{path}", rehearsal=True, now=NOW)
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of a store runs on both databases, but for those about the file itself (`sqlite_only`)."""
    if "url" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("sqlite_only") is None
        other = [pytest.param("postgres", marks=pytest.mark.postgres)] if both else []
        metafunc.parametrize("url", ["sqlite", *other], indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, empty: Path) -> str:
    """A new, empty database of the test's own."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    shutil.copy(empty, tmp_path / "tracker.db")
    return f"sqlite:///{tmp_path / 'tracker.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """It, opened by a daemon."""
    opened = await open_store(url, clock=FixedClock(NOW), daemon=True)
    yield opened
    await opened.close()


@pytest.fixture
async def command(url: str, store: Store) -> AsyncIterator[Store]:
    """The same file beside the daemon, as a command opens it."""
    opened = await open_store(url, clock=FixedClock(NOW))
    yield opened
    await opened.close()
