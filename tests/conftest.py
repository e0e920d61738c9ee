"""What every test gets: a strict log that refuses a line outside the catalogue, kept in memory; and canaries that are watched."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import moving, postgres
from tests.canaries import Watch
from tests.picking import left_aside
from tracker import log
from tracker.store import create

Lines = Callable[[], list[dict[str, Any]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the rooms' databases lie."""
    moving.add_option(parser)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`-m postgres` and `-m packaging` look into the files that have such tests."""
    return left_aside(collection_path, str(config.getoption("markexpr"))) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a server, what is about a file is left out."""
    if moving.wanted(config):
        moving.leave_files_alone(items)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes of `-n auto`: more than there are cores, because daemons, mail servers and locks are waited for.

    Rooms that were moved to PostgreSQL wait for nobody, and each process has a server of its own.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if moving.wanted(config) else cores + (cores + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Search whatever the suite puts out for secrets and personal data (faults rows 26 and 27)."""
    config.pluginmanager.register(Watch(config), "canaries")


@pytest.fixture(autouse=True)
def log_lines() -> Lines:
    """All lines logged so far in this test, parsed."""
    stream = io.StringIO()
    log.configure("json", stream, strict=True)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A real PostgreSQL for this process. Without its binaries the test is skipped, or fails where the run demands them."""
    if postgres.binaries() is None and os.environ.get(postgres.DEMANDED) != "required":
        pytest.skip(postgres.MISSING)
    with postgres.server() as found:
        yield found


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server) -> str:
    """The name of an empty database with all tables: copying it is twenty times quicker than making them."""
    url = postgres_server.database()
    create(url, rehearsal=True, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: postgres.Server, postgres_template: str) -> Iterator[str]:
    """A new, empty PostgreSQL database of the test's own."""
    url = postgres_server.database(postgres_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture(autouse=True)
def _moved(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With `--database postgres`, the addresses of files are databases of a server."""
    if not moving.wanted(request.config):
        yield
        return
    server, template = map(request.getfixturevalue, ("postgres_server", "postgres_template"))
    yield from moving.moved(server, template, monkeypatch)
