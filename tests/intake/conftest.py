"""The shipped format table, and `read`: bytes of a test's own file, read as the product reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.intake.sheets import rules as configured
from tracker.intake.importing import Knowledge
from tracker.intake.profiles import Formats, load_formats
from tracker.intake.reading import Wish, read_file
from tracker.model import ImportBatch
from tracker.rules import Rules

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

    def read_data(data: bytes, name: str = "orders.csv", rules: Rules | None = None, **wish: str) -> ImportBatch:
        path = tmp_path / name
        path.write_bytes(data)
        return read_file(path, formats=formats, rules=rules or configured(), wish=Wish(**wish))  # type: ignore[arg-type]

    return read_data
