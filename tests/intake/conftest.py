"""The shipped format table, and `read`: bytes of a test's own file, read as the product reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.intake.sheets import rules as configured
from tracker.clock import FixedClock
from tracker.intake.importing import Knowledge
from tracker.intake.loading import load_formats
from tracker.intake.profiles import Formats
from tracker.intake.reading import Wish, read_file
from tracker.model import ImportBatch
from tracker.rules import Rules
from tracker.store.opening import Store, open_store
from tracker.store.schema import create

NOW = datetime(2026, 9, 10, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
Read = Callable[..., ImportBatch]


@pytest.fixture(scope="session")
def formats() -> Formats:
    return load_formats(ROOT / "config" / "formats.toml")


@pytest.fixture
def knowledge(formats: Formats) -> Knowledge:
    return Knowledge(formats=formats, rules=configured())


@pytest.fixture
def read(formats: Formats, tmp_path: Path) -> Read:
    """`read(data, name="orders.csv", rules=…, format=…, store=…)`."""

    def read_data(data: bytes, name: str = "orders.csv", rules: Rules | None = None, **wish: Any) -> ImportBatch:
        path = tmp_path / name
        path.write_bytes(data)
        return read_file(path, formats=formats, rules=rules or configured(), wish=Wish(**wish))

    return read_data


@pytest.fixture
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    """A database of its own, beside no file of the test."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tracker.db'}"
    create(url, rehearsal=False, now=NOW)
    opened = await open_store(url, clock=FixedClock(NOW))
    yield opened
    await opened.close()
